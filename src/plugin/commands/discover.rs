//! `discover`: the catalog as tiles in text, for whoever looks for a service.

use super::Use;
use crate::api::ConnectionType;
use crate::api::connection_type::{SecretSlot, Support};
use crate::governance::message::{bounded, explanation};
use crate::plugin::Session;
use crate::plugin::cluster::{ClusterError, Selection};
use crate::plugin::exit::{Exit, Failure, Fault};
use crate::plugin::screen::format::{Put, without_managed_fields};
use crate::plugin::screen::nearest::nearest;
use crate::plugin::screen::width::wrapped;
use crate::plugin::screen::{Format, Screen, Tone};
use kube::ResourceExt;
use serde::Deserialize;
use serde_json::Value;
use std::fmt::Write as _;
use thiserror::Error;

/// Which services, and how they are shown.
#[derive(Clone, Debug, clap::Args)]
pub struct Discover {
    /// Words to look for: in the type's name, the vendor, the category and the description. All of them must be there.
    #[arg(value_name = "WORD")]
    words: Vec<String>,
    /// Only services of this category, such as Advertising.
    #[arg(long)]
    category: Option<String>,
    #[command(flatten)]
    used_for: Use,
    /// The form of the output: wide (with what each export or enrichment chooses), json, yaml, name or
    /// jsonpath=TEMPLATE.
    #[arg(short, long, value_name = "FORM")]
    output: Option<Format>,
}

/// Why nothing was found.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DiscoverError {
    /// No type fits.
    #[error("The catalog has no service like that.{hint} All of them: kubectl connections discover")]
    Nothing {
        /// What may have been meant.
        hint: String,
    },
    /// The catalog isn't open to all here.
    #[error(
        "You may not read the catalog of connection types. Ask whoever runs the cluster to bind you to \
         connections-catalog-reader."
    )]
    NoRights,
    /// The cluster doesn't answer.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

impl Fault for DiscoverError {
    fn exit(&self) -> Exit {
        match self {
            Self::Nothing { .. } | Self::NoRights => Exit::Not,
            Self::Cluster(error) => error.exit(),
        }
    }
}

/// Shows the catalog.
///
/// # Errors
/// See [`DiscoverError`].
pub async fn run(asked: Discover, session: &Session) -> Result<Exit, Failure> {
    let cluster = session.cluster().await?;
    let found = cluster.list::<ConnectionType, Value>(&Selection::default()).await;
    let found = found.map_err(|error| match error {
        error if error.is_forbidden() => DiscoverError::NoRights,
        error => error.into(),
    })?;
    let mut types: Vec<(ConnectionType, Value)> = found
        .into_iter()
        .filter_map(|object| Some((ConnectionType::deserialize(&object).ok()?, object)))
        .collect();
    let known: Vec<ConnectionType> = types.iter().map(|(type_, _)| type_.clone()).collect();
    types.retain(|(type_, _)| asked.fits(type_));
    if types.is_empty() {
        let hint = asked.hint(&known);
        return Err(DiscoverError::Nothing { hint }.into());
    }
    types.sort_by_cached_key(|(type_, _)| order(type_));
    let format = asked.output.clone().unwrap_or_default();
    let (types, objects): (Vec<_>, Vec<_>) = types
        .into_iter()
        .map(|(type_, object)| (type_, without_managed_fields(object)))
        .unzip();
    let page = format.of(Put::Many(&objects));
    let page = page.unwrap_or_else(|| tiles(&types, format == Format::Wide, session.screen));
    session.show(&page);
    Ok(Exit::Done)
}

/// By category and name; what should no longer be chosen comes last of its category.
fn order(type_: &ConnectionType) -> (String, bool, String) {
    let category = type_.spec.service.category.to_lowercase();
    (category, type_.spec.deprecated.is_some(), type_.name_any())
}

impl Discover {
    fn fits(&self, type_: &ConnectionType) -> bool {
        let spec = &type_.spec;
        let service = &spec.service;
        let texts = [
            &type_.name_any(),
            &service.vendor,
            &service.category,
            &spec.description,
        ];
        let texts = texts.map(|text| text.to_lowercase());
        let mut words = self.words.iter().map(|word| word.to_lowercase());
        let category = self.category.as_ref();
        words.all(|word| texts.iter().any(|text| text.contains(&word)))
            && category.is_none_or(|asked| service.category.to_lowercase() == asked.to_lowercase())
            && self.used_for.chosen().is_none_or(|asked| spec.used_for == asked)
    }

    /// What may have been meant by a word, or the categories there are.
    fn hint(&self, types: &[ConnectionType]) -> String {
        if let Some(category) = &self.category
            && !types
                .iter()
                .any(|type_| type_.spec.service.category.eq_ignore_ascii_case(category))
        {
            let mut categories: Vec<&str> = types
                .iter()
                .map(|type_| type_.spec.service.category.as_str())
                .collect();
            categories.sort_unstable();
            categories.dedup();
            return format!(" The categories are {}.", categories.join(", "));
        }
        let names: Vec<String> = types.iter().map(ResourceExt::name_any).collect();
        let meant = self
            .words
            .iter()
            .find_map(|word| nearest(word, names.iter().map(String::as_str)));
        meant.map_or_else(String::new, |meant| format!(" Did you mean {meant}?"))
    }
}

/// The tiles, under their categories.
fn tiles(types: &[ConnectionType], wide: bool, screen: Screen) -> String {
    let mut page = String::new();
    let mut category = "";
    for type_ in types {
        let this = type_.spec.service.category.as_str();
        if !this.eq_ignore_ascii_case(category) {
            let heading = Tone::Heading.paint(&bounded(this.to_owned()), screen.colour);
            let _ = write!(page, "{heading}\n\n"); // writing to a String can't fail
            category = this;
        }
        tile(&mut page, type_, wide, screen);
    }
    page
}

fn tile(page: &mut String, type_: &ConnectionType, wide: bool, screen: Screen) {
    let spec = &type_.spec;
    let name = Tone::Heading.paint(&type_.name_any(), screen.colour);
    let _ = writeln!(page, "  {name}  {}", bounded(spec.service.vendor.clone()));
    let room = screen.width.map(|width| width.saturating_sub(4).max(20));
    for line in wrapped(&bounded(spec.description.replace('\n', " ")), room) {
        let _ = writeln!(page, "    {line}");
    }
    for (what, text) in facts(type_, wide) {
        let room = screen.width.map(|width| width.saturating_sub(18).max(20));
        let label = Tone::Faint.paint(what, screen.colour);
        let mut blanks = " ".repeat(14 - what.len());
        let mut label = label.as_str();
        for line in wrapped(&bounded(text), room) {
            let _ = writeln!(page, "    {label}{blanks}{line}");
            (label, blanks) = ("", " ".repeat(14));
        }
    }
    page.push('\n');
}

/// What a tile tells beside the description.
fn facts(type_: &ConnectionType, wide: bool) -> Vec<(&'static str, String)> {
    let spec = &type_.spec;
    let parameters = |required: bool| {
        let parameters = spec.parameters.iter();
        parameters
            .filter(move |parameter| parameter.required == required)
            .map(|parameter| parameter.name.to_string())
    };
    let needed = parameters(true).chain(secrets(&spec.secrets, true));
    let optional = parameters(false).chain(secrets(&spec.secrets, false));
    let chosen = spec
        .export_parameters
        .iter()
        .map(|parameter| parameter.name.to_string());
    let vault = match spec.key_vault {
        Support::Supported => "secrets may come from a key vault",
        Support::Unsupported => "not supported",
    };
    let runs = type_.status.as_ref().and_then(|status| status.runs);
    let runs = (runs == Some(false)).then(|| "no connector of this installation runs it".to_owned());
    let deprecated = spec.deprecated.as_ref().map(|deprecated| {
        let instead = deprecated.replacement.as_ref();
        let instead = instead.map_or_else(String::new, |type_| format!(" Use {type_} instead."));
        format!("{}{instead}", explanation(&deprecated.message))
    });
    let facts = [
        ("Deprecated", deprecated),
        (
            "Used for",
            Some(format!("{}s", spec.used_for.to_string().to_lowercase())),
        ),
        ("Key vault", Some(vault.to_owned())),
        ("Needs", Some(joined(needed)).filter(|text| !text.is_empty())),
        ("May take", Some(joined(optional)).filter(|text| !text.is_empty())),
        (
            "Each chooses",
            Some(joined(chosen)).filter(|text| wide && !text.is_empty()),
        ),
        ("Homepage", wide.then(|| spec.service.homepage.clone())),
        ("Runs", runs),
    ];
    facts
        .into_iter()
        .filter_map(|(what, text)| Some((what, text?)))
        .collect()
}

fn joined(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// The secrets, each with those that may stand in its place.
fn secrets(slots: &[SecretSlot], required: bool) -> impl Iterator<Item = String> + '_ {
    let first = slots
        .iter()
        .filter(move |slot| slot.alternative_to.is_none() && slot.required == required);
    first.map(|slot| {
        let others = slots
            .iter()
            .filter(|other| other.alternative_to.as_ref() == Some(&slot.name));
        let names = std::iter::once(slot)
            .chain(others)
            .map(|slot| slot.name.to_string());
        format!("{} (secret)", names.collect::<Vec<_>>().join(" or "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ConnectionTypeStatus;
    use crate::api::connection_type::Deprecation;
    use crate::connection_type::catalog::connection_types;
    use crate::fixtures::catalog_type;

    fn asked(arguments: &[&str]) -> Discover {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            discover: Discover,
        }
        let line = ["discover"].into_iter().chain(arguments.iter().copied());
        <Line as clap::Parser>::try_parse_from(line)
            .expect("a command line")
            .discover
    }

    fn found(arguments: &[&str]) -> Vec<String> {
        let asked = asked(arguments);
        let types = connection_types().expect("the catalog");
        let types = types.iter().filter(|type_| asked.fits(type_));
        types.map(ResourceExt::name_any).collect()
    }

    #[test]
    fn services_are_found_by_words_category_and_use() {
        assert_eq!(found(&["google"]), ["google-ads"]);
        assert_eq!(found(&["GOOGLE", "match"]), ["google-ads"]);
        assert_eq!(found(&["google", "sftp"]), [""; 0]);
        assert!(found(&["--category", "advertising"]).contains(&"criteo".to_owned()));
        let enrichments = found(&["--enrichments"]);
        assert!(enrichments.contains(&"sftp-import".to_owned()), "{enrichments:?}");
        assert!(!found(&["--exports"]).contains(&"sftp-import".to_owned()));
    }

    #[test]
    fn what_may_have_been_meant_is_told() {
        let types = connection_types().expect("the catalog");
        assert_eq!(asked(&["gogle-ads"]).hint(&types), " Did you mean google-ads?");
        assert_eq!(asked(&["xyzzy"]).hint(&types), "");
        let categories = asked(&["--category", "Spaceflight"]).hint(&types);
        assert!(
            categories.starts_with(" The categories are Advertising, "),
            "{categories}"
        );
    }

    #[test]
    fn a_tile_tells_what_a_connection_needs() {
        let mut sftp = catalog_type("sftp-export");
        sftp.spec.description = "Writes files into a folder of an SFTP server.".to_owned();
        let screen = Screen {
            width: Some(60),
            colour: false,
        };
        let expected = "\
File transfer

  sftp-export  Any SFTP server
    Writes files into a folder of an SFTP server.
    Used for      exports
    Key vault     secrets may come from a key vault
";
        let page = tiles(&[sftp.clone()], false, screen);
        assert!(page.starts_with(expected), "{page}");
        assert!(page.contains("    Needs         hostname, "), "{page}");
        assert!(page.contains("password or privateKey (secret)"), "{page}");
        assert!(page.lines().all(|line| line.len() <= 60), "{page}");

        sftp.status = Some(ConnectionTypeStatus {
            runs: Some(false),
            ..ConnectionTypeStatus::default()
        });
        sftp.spec.deprecated = Some(Deprecation {
            message: "Its server ends in 2027".to_owned(),
            replacement: Some("s3".into()),
        });
        let page = tiles(&[sftp], true, Screen::default());
        assert!(
            page.contains("    Deprecated    Its server ends in 2027. Use s3 instead.\n"),
            "{page}"
        );
        assert!(
            page.contains("    Runs          no connector of this installation runs it\n"),
            "{page}"
        );
        assert!(page.contains("    Homepage      https://"), "{page}");
    }
}
