use super::*;
use crate::fixtures::{
    ConnectionBuilder, DatasetBuilder, NAMESPACE, at, catalog_type, dataset, export, marketo, sftp_partner,
};

/// A type of the catalog after an edit.
fn edited(name: &str, edit: impl FnOnce(&mut ConnectionType)) -> ConnectionType {
    let mut type_ = catalog_type(name);
    edit(&mut type_);
    type_
}

fn people() -> DatasetBuilder {
    dataset("customers").holding("mail", "email").of_members(5000)
}

/// Two connections, of which one is consented to, and an export on each.
fn present(connections: &[ConnectionBuilder], choices: &[(&str, &str)]) -> Present {
    let exports = connections.iter().map(|connection| {
        let mut export = export("nightly").on(&connection.0.name_any()).0;
        export.metadata.name = Some(format!("on-{}", connection.0.name_any()));
        let choices = choices.iter();
        let choices = choices.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        export.spec.parameters.extend(choices);
        export
    });
    Present {
        types: vec![catalog_type("sftp-export"), catalog_type("marketo")],
        exports: exports.collect(),
        connections: connections.iter().map(|built| built.0.clone()).collect(),
        enrichments: Vec::new(),
        datasets: vec![people().0],
        unread: Vec::new(),
    }
}

const OFFLINE: &str = "No cluster was asked, so the rules of the schema itself weren't checked.\n";

fn sftp() -> Present {
    let second = ConnectionBuilder({
        let mut second = sftp_partner().0;
        second.metadata.name = Some("second".to_owned());
        second
    });
    present(&[sftp_partner().consented().visited(), second.visited()], &[])
}

fn checked(type_: ConnectionType, present: Option<&Present>) -> (Outcome, String) {
    check(&[type_.into()], present, at(100))
}

#[test]
fn what_stays_as_it_is_breaks_nothing() {
    let told = "sftp-export breaks none of 2 connections, 2 exports and 0 enrichments.\n";
    let found = checked(catalog_type("sftp-export"), Some(&sftp()));
    assert_eq!(found, (Outcome::Fits, told.to_owned()));
    let other = checked(catalog_type("braze"), Some(&sftp()));
    let told = "braze breaks none of 0 connections, 0 exports and 0 enrichments.\n";
    assert_eq!(other, (Outcome::Fits, told.to_owned()));
}

#[test]
fn connections_that_would_not_fit_are_named_with_their_first_problem() {
    let asks = edited("sftp-export", |type_| {
        type_.spec.parameters[3].required = true;
    });
    let (outcome, told) = checked(asks, Some(&sftp()));
    assert_eq!(outcome, Outcome::Breaks);
    let problem = "spec.parameters.hostKey is missing: add it, such as \"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\".";
    assert_eq!(
        told,
        format!(
            "sftp-export: 2 of 2 connections would not fit it any more:\n  {NAMESPACE}/second: {problem}\n  \
             {NAMESPACE}/sftp-partner: {problem}\n"
        )
    );
}

#[test]
fn consents_that_would_become_stale_are_counted() {
    let moved = edited("sftp-export", |type_| {
        type_.spec.endpoints.push("sftp.example".to_owned());
    });
    let told =
        format!("sftp-export: 1 of 2 connections would need consent again:\n  {NAMESPACE}/sftp-partner\n");
    assert_eq!(checked(moved, Some(&sftp())), (Outcome::Breaks, told.clone()));

    let raised = |until: Option<&str>| {
        edited("sftp-export", |type_| {
            let mut notice = serde_json::to_value(&type_.spec.notice).expect("JSON");
            if let Some(until) = until {
                let mut previous = notice.clone();
                previous["until"] = until.into();
                notice["previous"] = previous;
            }
            notice["version"] = "2".into();
            type_.spec.notice = serde_json::from_value(notice).expect("a notice");
        })
    };
    assert_eq!(checked(raised(None), Some(&sftp())), (Outcome::Breaks, told));
    let forewarned = checked(raised(Some("2999-01-01T00:00:00Z")), Some(&sftp()));
    let told = format!(
        "sftp-export breaks none of 2 connections, 2 exports and 0 enrichments.\nsftp-export: 1 of 2 connections go on by \
         consent to the notice before, and need consent again once that ends:\n  {NAMESPACE}/sftp-partner: It counts \
         until 2999-01-01T00:00:00Z.\n"
    );
    assert_eq!(forewarned, (Outcome::Fits, told));
}

#[test]
fn exports_that_would_become_inactive_are_named() {
    let lists = || present(&[marketo().consented().visited()], &[("listId", "12345")]);
    let rows: [(&str, ConnectionType, &str); 5] = [
        (
            "another parameter",
            edited("marketo", |type_| {
                type_.spec.export_parameters[0].name = "list".into();
            }),
            "spec.parameters has \"listId\", which the type doesn't know: it knows list.",
        ),
        (
            "fewer members",
            edited("marketo", |type_| {
                type_.spec.limits = Some(crate::api::connection_type::Limits {
                    max_members: Some(4999),
                    ..Default::default()
                });
            }),
            "5000 members would go out, and the type marketo takes at most 4999 of each export: send fewer of them, or \
             spread them over several exports.",
        ),
        (
            "other columns",
            edited("marketo", |type_| {
                let identity = type_.spec.identity.as_mut().expect("it asks for some");
                identity.any_of.retain(|set| set.all[0].as_str() != "email");
            }),
            "spec.payload names the dataset customers, whose spec.identity names columns that hold email, and the type \
             marketo takes marketoId: name another dataset, or have an administrator say in spec.identity which column \
             holds it.",
        ),
        (
            "no connector",
            edited("marketo", |type_| type_.spec.connector = None),
            "Nothing would run it: the type names no connector any more.",
        ),
        (
            "another connector",
            edited("marketo", |type_| {
                type_.spec.connector = Some("nobody-has-this".into());
            }),
            "The connector nobody-has-this would run it in place of audience-api: nothing does unless the installation \
             has it.",
        ),
    ];
    for (case, type_, problem) in rows {
        let (outcome, told) = checked(type_, Some(&lists()));
        let expected =
            format!("marketo: 1 of 1 exports would become Inactive:\n  {NAMESPACE}/on-marketo: {problem}\n");
        assert_eq!((outcome, told), (Outcome::Breaks, expected), "{case}");
    }
}

#[test]
fn what_is_wrong_already_is_no_news() {
    let mut present = sftp();
    for connection in &mut present.connections {
        connection
            .spec
            .parameters
            .insert("port".to_owned(), "x".to_owned());
        connection.status = None;
    }
    let found = checked(catalog_type("sftp-export"), Some(&present));
    assert_eq!(found.0, Outcome::Fits, "{}", found.1);
}

#[test]
fn a_type_that_contradicts_itself_or_would_be_refused_says_so() {
    let broken = edited("sftp-export", |type_| {
        type_.spec.parameters[0].pattern = Some("[".to_owned());
    });
    let told = "sftp-export can't be used as it is:\n  spec.parameters[hostname] has a pattern that is no regular \
                expression of the Rust crate regex: correct it.\nNo cluster was asked, so the rules of the schema itself \
                weren't checked.\n";
    assert_eq!(checked(broken, None), (Outcome::Breaks, told.to_owned()));
    let reworded = edited("sftp-export", |type_| type_.spec.notice.data = "More.".to_owned());
    let fits = (Outcome::Fits, format!("sftp-export fits together.\n{OFFLINE}"));
    assert_eq!(checked(reworded.clone(), None), fits);
    let (outcome, told) = checked(reworded, Some(&sftp()));
    assert_eq!(outcome, Outcome::Breaks);
    let start = "sftp-export can't be used as it is:\n  spec.notice changes its text under the same version: raise \
                 notice.version.\n";
    assert!(told.starts_with(start), "{told}");
}

#[test]
fn five_are_named_and_the_rest_is_counted() {
    let many: Vec<ConnectionBuilder> = (0..7)
        .map(|i| {
            let mut one = sftp_partner().0;
            one.metadata.name = Some(format!("c{i}"));
            ConnectionBuilder(one).visited()
        })
        .collect();
    let asks = edited("sftp-export", |type_| {
        type_.spec.parameters[0].pattern = Some("[a-z]+".to_owned());
        type_.spec.parameters[0].example = None;
    });
    let (_, told) = checked(asks, Some(&present(&many, &[])));
    assert!(
        told.starts_with("sftp-export: 7 of 7 connections would not fit it any more:\n"),
        "{told}"
    );
    assert!(
        told.contains("/c4: ") && !told.contains("/c5: ") && told.contains("  and 2 more\n"),
        "{told}"
    );
}

#[test]
fn files_are_read_and_what_is_not_there_is_told() {
    let request = |files: &[&str]| Request {
        files: files.iter().map(PathBuf::from).collect(),
        offline: true,
        namespace: None,
    };
    let catalog = concat!(env!("CARGO_MANIFEST_DIR"), "/catalog");
    let types = types(&request(&[catalog])).expect("they can be read");
    assert_eq!(check(&types, None, at(100)).0, Outcome::Fits);
    let absent = super::types(&request(&["/no/such/file.yaml"])).expect_err("a refusal");
    assert!(absent.starts_with("/no/such/file.yaml can't be read"), "{absent}");
    let none = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/quickstart");
    let none = super::types(&request(&[none])).expect_err("a refusal");
    assert_eq!(
        none,
        "there is no ConnectionType in these files: name one that holds one"
    );
}

#[test]
fn exports_that_would_share_a_limit_or_a_place_are_judged_together() {
    let mut both = present(&[marketo().consented().visited()], &[("listId", "12345")]);
    let mut second = both.exports[0].clone();
    second.metadata.name = Some("second".to_owned());
    second
        .spec
        .parameters
        .insert("listId".to_owned(), "678".to_owned());
    second.spec.payload[0].where_ = None;
    both.exports.push(second);
    let shared = edited("marketo", |type_| {
        type_.spec.limits = Some(crate::api::connection_type::Limits {
            max_members: Some(9999),
            max_members_per: Some(crate::api::connection_type::LimitScope::Destination),
            ..Default::default()
        });
    });
    let (outcome, told) = checked(shared, Some(&both));
    assert_eq!(outcome, Outcome::Breaks, "{told}");
    assert_eq!(
        told,
        format!(
            "marketo: 1 of 2 exports would become Inactive:\n  {NAMESPACE}/second: 5000 members would go out, older \
             exports on the connection send 5000 already, and the type marketo takes at most 9999 in all: send fewer of \
             them.\n"
        )
    );
    // Where texts and numbers name no list any more, both send the same to the same place.
    let merged = edited("marketo", |type_| {
        for parameter in &mut type_.spec.export_parameters {
            parameter.type_ = crate::api::connection_type::ParameterType::Enum;
            parameter.values = Some(vec!["12345".to_owned(), "678".to_owned()]);
            (parameter.pattern, parameter.example) = (None, None);
        }
    });
    let (outcome, told) = checked(merged, Some(&both));
    assert_eq!(outcome, Outcome::Breaks, "{told}");
    assert!(
        told.contains(
            "second: spec.payload names the dataset customers, whose same rows the export on-marketo"
        ),
        "{told}"
    );
}

#[test]
fn a_destination_that_would_change_without_consent_is_named() {
    type Edit = fn(&mut ConnectionType);
    let rows: [(&str, Edit); 3] = [
        ("spec.parameters[hostname]", |type_| {
            type_.spec.parameters[0].destination = false;
            type_.spec.parameters[0].recipient = false;
        }),
        ("spec.parameters[hostname]", |type_| {
            type_.spec.parameters.remove(0);
        }),
        ("spec.secrets[username]", |type_| {
            type_.spec.secrets[0].destination = false;
        }),
    ];
    for (place, edit) in rows {
        let (outcome, told) = checked(edited("sftp-export", edit), Some(&sftp()));
        assert_eq!(outcome, Outcome::Breaks, "{place}");
        let start = format!(
            "sftp-export can't be used as it is:\n  {place} is gone or loses destination: true, so where data goes could \
             change without consent: keep it as it was, or make another connection type.\n"
        );
        assert!(told.starts_with(&start), "{told}");
    }
}

#[test]
fn what_is_there_and_cannot_be_read_is_named_and_the_rest_is_looked_at() {
    let mut present = sftp();
    let sentence = "The connectiontype odd can't be read by this version, at spec.notice: it was left out.";
    present.unread.push(sentence.to_owned());
    let told =
        format!("sftp-export breaks none of 2 connections, 2 exports and 0 enrichments.\n{sentence}\n");
    let found = checked(catalog_type("sftp-export"), Some(&present));
    assert_eq!(found, (Outcome::Fits, told));
}

/// What is in a file with this.
fn written(type_: &serde_json::Value) -> Result<Vec<Given>, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("type.yaml");
    std::fs::write(&file, type_.to_string()).expect("it is written");
    types(&Request {
        files: vec![file],
        offline: true,
        namespace: None,
    })
}

#[test]
fn a_field_that_nothing_reads_is_named() {
    let mut type_ = serde_json::to_value(catalog_type("sftp-export")).expect("JSON");
    type_["spec"]["parameters"][0]["destinations"] = true.into();
    let told = format!(
        "sftp-export can't be used as it is:\n  spec.parameters.0.destinations is no field of a connection type: correct \
         its name, or leave it out.\n{OFFLINE}"
    );
    let read = written(&type_).expect("it can be read");
    assert_eq!(check(&read, None, at(100)), (Outcome::Breaks, told));
}

#[test]
fn a_field_that_cannot_be_read_is_named() {
    let rows = [
        (
            "/spec/parameters/0/type",
            "spec.parameters[0].type: unknown variant `Text`",
        ),
        ("/spec/usedFor", "spec.usedFor: unknown variant `Text`"),
        ("/spec/notice", "spec.notice: invalid type: string"),
    ];
    for (pointer, expected) in rows {
        let mut type_ = serde_json::to_value(catalog_type("sftp-export")).expect("JSON");
        *type_.pointer_mut(pointer).expect("it is there") = "Text".into();
        let told = written(&type_).expect_err("it can't be read");
        let (place, what) = expected.split_once(": ").expect("both");
        let place =
            format!("doesn't fit its kind at {place}; kubectl explain connectiontype tells what fits");
        assert!(told.contains(&place) && told.contains(what), "{told}");
    }
}

#[test]
fn a_replacement_that_is_none_is_told_and_breaks_nothing() {
    let old = || catalog_type("sendinblue");
    let circle = || {
        edited("brevo", |type_| {
            type_.spec.deprecated = Some(crate::api::connection_type::Deprecation {
                message: "Old.".to_owned(),
                replacement: Some("sendinblue".into()),
            });
        })
    };
    let misled = |from: &str, to: &str, problem: &str| {
        format!(
            "{from}: Its replacement {to} {problem}: whoever owns it should name another in spec.deprecated, or none.\n"
        )
    };
    let circling = misled("sendinblue", "brevo", "is deprecated as well")
        + &misled("brevo", "sendinblue", "is deprecated as well");
    let rows = [
        ("offline, one file", vec![old()], false, String::new()),
        ("offline, both", vec![old(), circle()], false, circling.clone()),
        (
            "asked",
            vec![old()],
            true,
            misled("sendinblue", "brevo", "isn't there, or can't be read"),
        ),
        ("asked, both", vec![old(), circle()], true, circling),
        (
            "none to tell",
            vec![old(), catalog_type("brevo")],
            true,
            String::new(),
        ),
    ];
    for (case, types, asked, expected) in rows {
        let types: Vec<Given> = types.into_iter().map(Given::from).collect();
        let present = asked.then(sftp);
        let (outcome, told) = check(&types, present.as_ref(), at(100));
        assert_eq!(outcome, Outcome::Fits, "{case}: {told}");
        let told: String = told
            .split_inclusive('\n')
            .filter(|line| line.contains("replacement"))
            .collect();
        assert_eq!(told, expected, "{case}");
    }
}
