//! The connection types that come with the operator: data, compiled in.

use crate::api::ConnectionType;
use std::collections::BTreeSet;
use thiserror::Error;

/// The manifest of each type, by its name.
macro_rules! manifests {
    ($($name:literal)+) => { &[$(($name, include_str!(concat!("../../catalog/", $name, ".yaml")))),+] };
}

/// One manifest a type, as in `catalog/`.
const MANIFESTS: &[(&str, &str)] = manifests! {
    "activecampaign"
    "adobe-campaign-standard"
    "adobe-experience-platform"
    "adroll"
    "autopilot"
    "azure-blob-storage"
    "azure-data-lake-storage"
    "azure-maps"
    "azure-synapse-analytics"
    "braze"
    "brevo"
    "campaign-monitor"
    "constant-contact"
    "criteo"
    "dotdigital"
    "dun-and-bradstreet"
    "dynamics-365-marketing"
    "dynamics-365-sales"
    "experian"
    "facebook-ads-manager"
    "google-ads"
    "here-technologies"
    "http-endpoint"
    "hubspot"
    "inmobi"
    "iterable"
    "klaviyo"
    "leadspace"
    "linkedin-ads"
    "liveramp-enrichment"
    "liveramp-export"
    "mailchimp"
    "marketo"
    "microsoft-advertising"
    "moengage"
    "omnisend"
    "ortto"
    "postgresql-table"
    "rollworks"
    "s3"
    "salesforce-marketing-cloud"
    "sendgrid"
    "sendinblue"
    "sftp-export"
    "sftp-import"
    "snapchat"
};

/// A manifest of the catalog that can't be read.
#[derive(Debug, Error)]
#[error("catalog/{name}.yaml can't be read as a ConnectionType")]
pub struct CatalogError {
    name: &'static str,
    #[source]
    source: Box<serde_saphyr::Error>,
}

/// All types that come with the operator.
///
/// # Errors
/// When a manifest doesn't fit the kind; a test keeps this from being released.
pub fn connection_types() -> Result<Vec<ConnectionType>, CatalogError> {
    MANIFESTS
        .iter()
        .map(|(name, manifest)| {
            serde_saphyr::from_str(manifest).map_err(|source| CatalogError {
                name,
                source: Box::new(source),
            })
        })
        .collect()
}

/// Which types of the catalog an installation wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// These; all if there are none.
    pub include: BTreeSet<String>,
    /// Not these.
    pub exclude: BTreeSet<String>,
}

impl Selection {
    /// Whether the type of this name is wanted.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        (self.include.is_empty() || self.include.contains(name)) && !self.exclude.contains(name)
    }

    /// Names that the catalog doesn't know, in order.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        let named = self.include.union(&self.exclude).map(String::as_str);
        named.filter(|name| !MANIFESTS.iter().any(|(known, _)| known == name))
    }
}

#[cfg(test)]
mod facts;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ConnectionTypeSpec;
    use kube::ResourceExt;
    use kube::core::cel::validate_cel;
    use std::path::{Path, PathBuf};

    fn folder(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
    }

    #[test]
    fn the_catalog_is_what_its_folder_holds_in_order() {
        let files = std::fs::read_dir(folder("catalog")).expect("a folder");
        let names = files.map(|file| file.expect("a file").file_name().into_string().expect("a name"));
        let mut names: Vec<String> = names.collect();
        names.sort();
        let known: Vec<String> = MANIFESTS.iter().map(|(name, _)| format!("{name}.yaml")).collect();
        assert_eq!(known, names);
        let types = connection_types().expect("they can be read");
        let called: Vec<String> = types
            .iter()
            .map(|type_| format!("{}.yaml", type_.name_any()))
            .collect();
        assert_eq!(called, names, "each is called as its file");
    }

    #[test]
    fn every_type_keeps_the_rules_of_its_kind_and_has_an_example() {
        for type_ in connection_types().expect("they can be read") {
            let name = type_.name_any();
            validate_cel(&type_).unwrap_or_else(|errors| panic!("{name}: {errors}"));
            assert!(
                folder("examples/catalog").join(format!("{name}.yaml")).exists(),
                "{name} has an example"
            );
        }
    }

    #[test]
    fn every_type_says_where_data_goes_and_whose_account_it_is() {
        for type_ in connection_types().expect("they can be read") {
            let ConnectionTypeSpec {
                endpoints,
                parameters,
                secrets,
                ..
            } = &type_.spec;
            let named = parameters.iter().any(|parameter| parameter.destination);
            let owned = named || !secrets.is_empty();
            assert!((named || !endpoints.is_empty()) && owned, "{}", type_.name_any());
        }
    }

    #[test]
    fn a_replacement_is_a_type_of_the_catalog_that_is_not_deprecated_itself() {
        let types = connection_types().expect("they can be read");
        let deprecated = types.iter().filter_map(|type_| type_.spec.deprecated.as_ref());
        for replacement in deprecated.filter_map(|deprecated| deprecated.replacement.as_ref()) {
            let found = types
                .iter()
                .find(|type_| type_.name_any() == replacement.as_str());
            let found = found.unwrap_or_else(|| panic!("{replacement} is in the catalog"));
            assert!(found.spec.deprecated.is_none(), "{replacement}");
        }
    }

    fn selection(include: &[&str], exclude: &[&str]) -> Selection {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Selection {
            include: names(include),
            exclude: names(exclude),
        }
    }

    #[test]
    fn a_type_is_wanted_if_named_and_not_left_out() {
        let rows: [(&str, &[&str], &[&str], bool); 5] = [
            ("nothing said", &[], &[], true),
            ("named", &["marketo"], &[], true),
            ("another named", &["sftp-export"], &[], false),
            ("left out", &[], &["marketo"], false),
            ("both: leaving out counts", &["marketo"], &["marketo"], false),
        ];
        for (case, include, exclude, wanted) in rows {
            assert_eq!(selection(include, exclude).wants("marketo"), wanted, "{case}");
        }
    }

    #[test]
    fn names_that_the_catalog_does_not_know_are_found() {
        let selection = selection(&["marketo", "market0"], &["zendesk"]);
        assert_eq!(selection.unknown().collect::<Vec<_>>(), ["market0", "zendesk"]);
    }
}
