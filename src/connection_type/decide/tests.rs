use super::*;
use crate::api::{Condition, ConditionStatus, Reason};
use crate::connection_type::catalog::connection_types;
use crate::fixtures::{at, catalog_type, condition, seen};
use crate::governance::decision::Announcement;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;

fn facts(type_: ConnectionType) -> ConnectionTypeFacts {
    ConnectionTypeFacts {
        seen: seen(&type_),
        connectors: Arc::new(
            [
                "audience-api",
                "azure-blob",
                "http",
                "object-storage",
                "postgresql",
                "s3",
                "sftp",
            ]
            .map(str::to_owned)
            .into(),
        ),
        in_use: false,
        replacement: type_
            .spec
            .deprecated
            .as_ref()
            .and_then(|deprecated| deprecated.replacement.as_ref())
            .map(|name| Arc::new(catalog_type(name.as_str()))),
        now: at(100),
        type_: Arc::new(type_),
    }
}

fn told(type_: ConditionType, status: ConditionStatus, reason: Reason, message: &str) -> Condition {
    Condition {
        observed_generation: None,
        last_transition_time: Time(at(100)),
        message: message.to_owned(),
        ..condition(type_, status, reason)
    }
}

#[test]
fn every_type_of_the_catalog_can_be_used() {
    use ConditionStatus::{False, True};
    for type_ in connection_types().expect("the catalog can be read") {
        let facts = facts(type_);
        let deprecated = facts.seen.usable().and_then(|type_| type_.deprecation());
        let ready = match &deprecated {
            Some(deprecated) => format!("Connections can be made of it. It {deprecated}"),
            None => "Connections can be made of it.".to_owned(),
        };
        let expected = Decision {
            hold: Hold::Keep,
            effects: Vec::new(),
            status: ConnectionTypeStatus {
                observed_generation: None,
                conditions: vec![
                    told(ConditionType::Ready, True, Reason::Ready, &ready),
                    told(
                        ConditionType::Reconciling,
                        False,
                        Reason::Settled,
                        "The operator has nothing left to do.",
                    ),
                    told(
                        ConditionType::Stalled,
                        False,
                        Reason::Settled,
                        "No person has to act on it.",
                    ),
                    told(
                        ConditionType::Valid,
                        True,
                        Reason::AsDeclared,
                        "Its declarations fit together.",
                    ),
                ],
                runs: Some(facts.type_.spec.connector.is_some()),
                in_use: Some(false),
                deprecated: Some(deprecated.is_some()),
            },
            announcements: vec![Announcement {
                warning: false,
                reason: Reason::Ready,
            }],
            recheck: None,
        };
        assert_eq!(decide(&facts), expected, "{}", facts.type_.name_any());
    }
}

#[test]
fn one_that_contradicts_itself_is_stalled_and_says_where() {
    let mut type_ = catalog_type("sftp-export");
    type_.spec.parameters[1].default = Some("no port".to_owned());
    let decision = decide(&facts(type_));
    let ready = &decision.status.conditions[0];
    assert_eq!(
        (ready.status, ready.reason.as_str()),
        (ConditionStatus::False, "TypeInvalid")
    );
    assert_eq!(
        ready.message,
        "spec.parameters[port] refuses its own default: correct one of them."
    );
    assert_eq!(
        decision.status.conditions[2].status,
        ConditionStatus::True,
        "Stalled"
    );
}

#[test]
fn use_is_told_without_names_and_is_no_news() {
    let mut facts = facts(catalog_type("sftp-export"));
    let mut type_ = ConnectionType::clone(&facts.type_);
    type_.status = Some(decide(&facts).status);
    facts.type_ = Arc::new(type_);
    facts.in_use = true;
    facts.now = at(900);
    let decision = decide(&facts);
    let before = facts.type_.status.clone().unwrap_or_default();
    assert_eq!(
        decision.status,
        ConnectionTypeStatus {
            in_use: Some(true),
            ..before
        }
    );
    assert_eq!(decision.announcements, []);
}

#[test]
fn one_that_is_being_removed_says_so_whatever_else_is_the_matter_with_it() {
    for broken in [false, true] {
        let mut type_ = catalog_type("sftp-export");
        if broken {
            type_.spec.parameters[1].default = Some("no port".to_owned());
        }
        type_.metadata.deletion_timestamp = Some(Time(at(50)));
        let status = decide(&facts(type_)).status;
        let ready = &status.conditions[0];
        assert_eq!(
            (ready.status, ready.reason.as_str()),
            (ConditionStatus::False, "BeingRemoved"),
            "{broken}"
        );
        assert_eq!(status.conditions[2].status, ConditionStatus::False, "Stalled");
    }
}

#[test]
fn a_connector_that_the_installation_lacks_is_told_and_is_no_mistake() {
    let unknown = "Connections can be made of it. Nothing runs it: its connector sfpt isn't among the chart's value \
                   connectors, which name";
    let rows: [(Option<&str>, &[&str], bool, String); 4] = [
        (
            Some("sftp"),
            &["sftp"],
            true,
            "Connections can be made of it.".to_owned(),
        ),
        (
            None,
            &["sftp"],
            false,
            "Connections can be made of it.".to_owned(),
        ),
        (
            Some("sfpt"),
            &["api", "sftp"],
            false,
            format!("{unknown} api, sftp."),
        ),
        (Some("sfpt"), &[], false, format!("{unknown} none.")),
    ];
    for (connector, known, runs, expected) in rows {
        let mut type_ = catalog_type("sftp-export");
        type_.spec.connector = connector.map(Into::into);
        let mut facts = facts(type_);
        facts.connectors = Arc::new(known.iter().map(|name| (*name).to_owned()).collect());
        let status = decide(&facts).status;
        let ready = &status.conditions[0];
        assert_eq!(status.runs, Some(runs), "{connector:?}");
        assert_eq!(
            (ready.status, ready.message.as_str()),
            (ConditionStatus::True, expected.as_str())
        );
    }
}

#[test]
fn a_deprecated_one_says_so_beside_its_name() {
    let mut type_ = catalog_type("sftp-export");
    let deprecated = |type_: &ConnectionType| decide(&facts(type_.clone())).status.deprecated;
    assert_eq!(deprecated(&type_), Some(false));
    type_.spec.deprecated = Some(crate::api::connection_type::Deprecation {
        message: "Old.".to_owned(),
        replacement: None,
    });
    assert_eq!(deprecated(&type_), Some(true));
}

#[test]
fn a_deprecated_one_leads_nobody_astray() {
    type Edit = fn(&mut ConnectionType);
    let rows: [(&str, Option<Edit>, Option<&str>); 5] = [
        ("there and of use", Some(|_| ()), None),
        ("not there", None, Some("isn't there, or can't be read")),
        (
            "a circle",
            Some(|other| {
                other.spec.deprecated = Some(crate::api::connection_type::Deprecation {
                    message: "Old.".to_owned(),
                    replacement: Some("sendinblue".into()),
                });
            }),
            Some("is deprecated as well"),
        ),
        (
            "another use",
            Some(|other| other.spec.used_for = crate::api::connection_type::UsedFor::Enrichment),
            Some("is used for Enrichment, not for Export"),
        ),
        (
            "on its way out",
            Some(|other| other.metadata.deletion_timestamp = Some(Time(at(1)))),
            Some("is being removed"),
        ),
    ];
    for (case, replacement, problem) in rows {
        let mut facts = facts(catalog_type("sendinblue"));
        facts.replacement = replacement.map(|edit| {
            let mut other = catalog_type("brevo");
            edit(&mut other);
            Arc::new(other)
        });
        let status = decide(&facts).status;
        let ready = &status.conditions[0];
        assert_eq!(
            ready.status,
            ConditionStatus::True,
            "{case}: it is no mistake of its own"
        );
        let told = problem.map(|problem| {
            format!(
                " Its replacement brevo {problem}: whoever owns it should name another in spec.deprecated, or none."
            )
        });
        let rest = ready.message.split_once(" Use the type brevo instead.");
        let (_, rest) = rest.expect("it names it all the same");
        assert_eq!(rest, told.unwrap_or_default(), "{case}");
    }
}
