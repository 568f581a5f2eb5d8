//! What is known of each service from its own documentation and that of its peers, written down a second time: the
//! catalog must say the same.

use super::connection_types;
use crate::api::ConnectionTypeSpec;
use crate::api::connection_type::{Identity, LimitScope, Limits, Support, UsedFor, When};
use crate::api::reference::FieldName;
use kube::ResourceExt;
use std::collections::BTreeMap;

/// Whether secrets may come from a key vault.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Vault {
    Yes,
    No,
}
use Vault::{No, Yes};

/// A type, whether it knows key vaults, what it accepts, and which columns it needs (those that make matches better in
/// brackets, and before those that a parameter decides on, its value).
type Fact = (&'static str, Vault, &'static str, &'static str);

const NAME_AND_ADDRESS: &str = "firstName+lastName+street+postalCode";

/// Exports.
const EXPORTS: &[Fact] = &[
    (
        "activecampaign",
        Yes,
        "1000000/Export 90min",
        "email [firstName lastName phone]",
    ),
    ("adobe-campaign-standard", No, "1dataset", "[email]"),
    ("adobe-experience-platform", No, "5files", ""),
    ("adroll", No, "min100 250000/Export 10min", "email"),
    ("autopilot", Yes, "100000/Export", "email [firstName lastName]"),
    ("azure-blob-storage", No, "5files", ""),
    ("azure-data-lake-storage", No, "", ""),
    ("azure-synapse-analytics", No, "", ""),
    ("braze", No, "1000000/Export 40min", "email+brazeId"),
    (
        "brevo",
        Yes,
        "1000000/Export 90min",
        "email [firstName lastName phone]",
    ),
    ("campaign-monitor", No, "1000000/Export 20min", "email"),
    (
        "constant-contact",
        No,
        "1000000/Export 60min",
        "email [firstName lastName]",
    ),
    ("criteo", No, "1000000/Export 30min", "email [advertiserId name]"),
    (
        "dotdigital",
        Yes,
        "1000000/Export 180min",
        "email [firstName lastName fullName gender postalCode]",
    ),
    ("dynamics-365-marketing", No, "", "dynamicsContactId"),
    (
        "dynamics-365-sales",
        No,
        "100000/Dataset 180min",
        "dynamicsContactId",
    ),
    (
        "facebook-ads-manager",
        No,
        "10000000/Export 90min",
        "keyIdentifier=Email: email | keyIdentifier=Phone: phone | keyIdentifier=NameAndAddress: \
         firstName+lastName+postalCode+country [firstName lastName firstInitial phone gender birthDate \
         city state postalCode country]",
    ),
    (
        "google-ads",
        Yes,
        "1000000/Export 30min",
        "email | phone | mobileAdId | thirdPartyUserId | firstName+lastName+country+postalCode",
    ),
    ("http-endpoint", Yes, "", ""),
    ("hubspot", No, "100000/Export 15min", "email"),
    ("inmobi", No, "5files", ""),
    ("iterable", No, "1000000/Export 30min", "email"),
    ("klaviyo", Yes, "1000000/Export 20min", "email"),
    (
        "linkedin-ads",
        No,
        "min300 100000/Export 10min",
        "targeting=Contact: email | appleAdId | googleAdId | googleUserId | firstName+lastName | targeting=Company: \
         companyName | emailDomain | linkedInUrl | stockSymbol | website",
    ),
    (
        "liveramp-export",
        Yes,
        "",
        "keyIdentifier=Email: email | keyIdentifier=NameAndAddress: NAME_AND_ADDRESS | keyIdentifier=Phone: phone",
    ),
    (
        "mailchimp",
        No,
        "1000000/Export 180min",
        "email [firstName lastName]",
    ),
    (
        "marketo",
        Yes,
        "1000000/Export 180min",
        "email | marketoId [firstName lastName city state country]",
    ),
    ("microsoft-advertising", No, "500000/Export 10min", "email"),
    ("moengage", No, "100000/Export 15min", "email"),
    (
        "omnisend",
        Yes,
        "1000000/Export 240min",
        "email [firstName lastName address country state city postalCode]",
    ),
    ("ortto", Yes, "", "email [firstName lastName]"),
    ("postgresql-table", Yes, "1dataset", ""),
    ("rollworks", No, "250000/Export 10min", "email"),
    ("s3", Yes, "5files", ""),
    ("salesforce-marketing-cloud", Yes, "5files", ""),
    (
        "sendgrid",
        Yes,
        "100000/Destination",
        "email [firstName lastName country state city postalCode]",
    ),
    (
        "sendinblue",
        Yes,
        "1000000/Export 90min",
        "email [firstName lastName phone]",
    ),
    ("sftp-export", Yes, "5files", ""),
    ("snapchat", No, "1000000/Export 15min", "email"),
];

/// Enrichments.
const ENRICHMENTS: &[Fact] = &[
    ("azure-maps", No, "", ADDRESSES),
    ("dun-and-bradstreet", No, "", "dunsNumber | companyName+country"),
    ("experian", No, "", "NAME_AND_ADDRESS | phone | email"),
    ("here-technologies", No, "", ADDRESSES),
    ("leadspace", No, "", "companyName [website location]"),
    ("liveramp-enrichment", No, "", "NAME_AND_ADDRESS | email | phone"),
    ("sftp-import", No, "", ""),
];

const ADDRESSES: &str = "street+postalCode | secondaryStreet+secondaryPostalCode [city state country secondaryCity \
                         secondaryState secondaryCountry]";

fn identity(declared: &Identity) -> String {
    let mut before = None;
    let sets = declared.any_of.iter().map(|set| {
        let names: Vec<&str> = set.all.iter().map(FieldName::as_str).collect();
        let names = names.join("+");
        let when = set.when.as_ref().filter(|when| before != Some(*when));
        before = set.when.as_ref();
        match when {
            Some(When { parameter, value }) => format!("{parameter}={value}: {names}"),
            None => names,
        }
    });
    let needed = sets.collect::<Vec<_>>().join(" | ");
    let optional: Vec<&str> = declared.optional.iter().map(FieldName::as_str).collect();
    let better = format!("[{}]", optional.join(" "));
    let words = [
        needed,
        if optional.is_empty() {
            String::new()
        } else {
            better
        },
    ];
    words
        .iter()
        .filter(|word| !word.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join(" ")
}

fn limits(declared: &Limits) -> String {
    let most = declared.max_members.map(|most| {
        let per = match declared.max_members_per {
            Some(LimitScope::Dataset) => "Dataset",
            Some(LimitScope::Destination) => "Destination",
            Some(LimitScope::Export) | None => "Export",
        };
        format!("{most}/{per}")
    });
    let words = [
        declared.min_members.map(|least| format!("min{least}")),
        most,
        declared.max_minutes.map(|minutes| format!("{minutes}min")),
        declared.max_datasets.map(|datasets| format!("{datasets}dataset")),
        declared
            .max_files_per_dataset
            .map(|files| format!("{files}files")),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn told(spec: &ConnectionTypeSpec) -> (UsedFor, Vault, String, String) {
    let vault = match spec.key_vault {
        Support::Supported => Yes,
        Support::Unsupported => No,
    };
    let limits = spec.limits.as_ref().map(limits).unwrap_or_default();
    let identity = spec.identity.as_ref().map(identity).unwrap_or_default();
    (spec.used_for, vault, limits, identity)
}

#[test]
fn the_catalog_says_what_is_known_of_each_service() {
    let rows = EXPORTS.iter().map(|fact| (UsedFor::Export, fact));
    let rows = rows.chain(ENRICHMENTS.iter().map(|fact| (UsedFor::Enrichment, fact)));
    let known = rows.map(|(used_for, (name, vault, limits, identity))| {
        let identity = identity.replace("NAME_AND_ADDRESS", NAME_AND_ADDRESS);
        (
            (*name).to_owned(),
            (used_for, *vault, (*limits).to_owned(), identity),
        )
    });
    let known: BTreeMap<_, _> = known.collect();
    let types = connection_types().expect("they can be read");
    let said: BTreeMap<_, _> = types
        .iter()
        .map(|type_| (type_.name_any(), told(&type_.spec)))
        .collect();
    for (name, fact) in &known {
        assert_eq!(said.get(name), Some(fact), "{name}");
    }
    assert_eq!(said.len(), known.len(), "each has its facts here");
}

#[test]
fn whatever_a_parameter_is_set_to_some_columns_count() {
    let mut asked = 0;
    for type_ in connection_types().expect("they can be read") {
        let spec = &type_.spec;
        let sets = spec.identity.iter().flat_map(|identity| &identity.any_of);
        let whens: Vec<Option<&When>> = sets.map(|set| set.when.as_ref()).collect();
        if whens.contains(&None) {
            continue; // one that always counts
        }
        for when in whens.iter().flatten() {
            let mut declared = spec.export_parameters.iter().chain(&spec.parameters);
            let parameter = declared.find(|parameter| parameter.name == when.parameter);
            let parameter = parameter.expect("it is declared");
            let name = type_.name_any();
            assert!(
                parameter.required || parameter.default.is_some(),
                "{name} without it"
            );
            for value in parameter.values.as_ref().expect("an Enum") {
                let mut same = whens.iter().flatten();
                let counts = same.any(|other| other.parameter == when.parameter && other.value == *value);
                assert!(counts, "{name} where {} is {value}", when.parameter);
                asked += 1;
            }
        }
    }
    assert!(asked > 0, "no type has columns that a parameter decides on");
}
