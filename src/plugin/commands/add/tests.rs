use super::ask::{Stock, optional_secrets, parameters, secrets};
use super::draft::{check_display_name, check_name, name_for};
use super::sources::{in_vault, of_secret};
use super::*;
use crate::fixtures::catalog_type;
use crate::plugin::prompt::{Nobody, Scripted};
use std::collections::BTreeMap;

fn draft() -> Draft {
    let type_ = catalog_type("sftp-export");
    Draft::of(CompiledType::compile("sftp-export", &type_.spec).expect("it fits together"))
}

fn asked(arguments: &[&str]) -> Add {
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        add: Add,
    }
    let line = ["add", "sftp-export"]
        .into_iter()
        .chain(arguments.iter().copied());
    <Line as clap::Parser>::try_parse_from(line)
        .expect("a command line")
        .add
}

fn stock() -> Stock {
    Stock {
        secrets: vec!["other".to_owned(), "partner".to_owned()],
        vaults: BTreeMap::from([(
            "company".to_owned(),
            vec!["login".to_owned(), "password".to_owned()],
        )]),
    }
}

#[test]
fn flags_make_a_whole_connection() {
    let mut draft = draft();
    let line = [
        "partner",
        "--display-name",
        "Partner drop",
        "--set",
        "hostname=sftp.partner.example",
        "--set",
        "folder=/in",
        "--secret",
        "username=partner/login",
        "--vault-secret",
        "password=company/partner-password",
        "--share",
    ];
    asked(&line).fill(&mut draft).expect("flags that fit");
    assert_eq!(draft.problems(), [""; 0]);
    assert_eq!(draft.wanted(), Vec::<Vec<_>>::new());
    let connection = serde_json::to_value(draft.connection("marketing")).expect("JSON");
    assert_eq!(
        connection["spec"],
        serde_json::json!({
            "displayName": "Partner drop", "type": "sftp-export",
            "parameters": {"hostname": "sftp.partner.example", "folder": "/in"},
            "secrets": {"username": {"secretKeyRef": {"name": "partner", "key": "login"}},
                        "password": {"keyVaultRef": {"name": "company", "secret": "partner-password"}}},
            "access": {"exports": "Contributors"},
        })
    );
}

#[test]
fn a_value_where_a_reference_belongs_is_refused_and_not_repeated() {
    let rows: [(&str, &[&str], &str); 6] = [
        (
            "a value for a reference",
            &["--secret", "password=hunter2"],
            "names where the value is",
        ),
        (
            "a value with a slash",
            &["--secret", "password=hunter2/So Secret!"],
            "names where the value is",
        ),
        (
            "a value as a parameter",
            &["--set", "password=hunter2"],
            "password is a secret",
        ),
        (
            "no secret of the type",
            &["--secret", "hunter2"],
            "where NAME is a secret of the type: username",
        ),
        (
            "two sources",
            &["--secret", "password=a/b", "--vault-secret", "password=c/hunter2"],
            "password has two sources: keep one.",
        ),
        ("no pair", &["--set", "hunter2"], "--set is given as NAME=VALUE"),
    ];
    for (case, line, expected) in rows {
        let failure = asked(line).fill(&mut draft()).expect_err(case);
        assert!(failure.told.contains(expected), "{case}: {}", failure.told);
        assert!(!failure.told.contains("hunter2"), "{case}: {}", failure.told);
        assert_eq!(failure.exit, Exit::Unclear, "{case}");
    }
}

#[test]
fn what_the_type_needs_is_asked_for_until_it_fits() {
    let mut draft = draft();
    let wanted = |draft: &Draft| {
        let parameters = draft.type_.spec.parameters.iter();
        let wanted = parameters.filter(|parameter| parameter.required);
        wanted
            .map(|parameter| parameter.name.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(wanted(&draft), ["hostname", "folder"]);
    let prompt = Scripted::new(&["https://no.example", "sftp.partner.example", "/in"]);
    parameters(&mut draft, &prompt, false).expect("answers");
    assert_eq!(draft.parameters["hostname"], "sftp.partner.example");
    assert_eq!(prompt.left(), 0, "all are asked for");
    let told = parameters(&mut self::draft(), &Nobody, false)
        .expect_err("nobody answers")
        .to_string();
    assert!(told.ends_with("Answer it by --set hostname=VALUE."), "{told}");
}

#[test]
fn secrets_come_from_where_somebody_says() {
    // Of a Secret under its own key; then the password rather than the key, chosen from the vault's list.
    let mut chosen = draft();
    let answers = ["0", "1", "", "0", "3", "1", ""];
    secrets(&mut chosen, &Scripted::new(&answers), &stock()).expect("answers");
    assert_eq!(chosen.secrets["username"], of_secret("partner", "username"));
    assert_eq!(chosen.secrets["password"], in_vault("company", "password", None));

    // Both typed: they get a Secret of their own, and no value is shown.
    let mut typed = draft();
    let answers = ["1", "acme", "0", "1", "hunter2"];
    secrets(&mut typed, &Scripted::new(&answers), &stock()).expect("answers");
    typed.keep_typed("partner-2");
    assert_eq!(typed.secrets["password"], of_secret("partner-2", "password"));
    let secret = typed.secret.as_ref().expect("one of its own");
    let object = secret.object();
    assert_eq!(object.data.expect("data")["password"].0, b"hunter2");
    assert!(!format!("{:?}", typed.secret).contains("hunter2"));
    let shown = yaml(&typed.connection("marketing"));
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_secret_that_may_be_left_out_is_offered_where_it_makes_sense() {
    let offered = |type_: &str, given: &[&str]| {
        let spec = catalog_type(type_).spec;
        let mut draft = Draft::of(CompiledType::compile(type_, &spec).expect("it fits together"));
        for name in given {
            draft
                .secrets
                .insert((*name).to_owned(), of_secret("partner", name));
        }
        let names = draft.optional().into_iter().map(|slot| slot.name.to_string());
        names.collect::<Vec<_>>()
    };
    let rows: [(&str, &[&str], &[&str]); 6] = [
        ("sftp-export", &["username", "password"], &[]),
        ("sftp-export", &["username", "privateKey"], &["passphrase"]),
        ("sftp-export", &["privateKey", "passphrase"], &[]),
        ("http-endpoint", &[], &["bearerToken"]),
        ("experian", &[], &["password", "privateKey"]),
        ("experian", &["privateKey"], &[]),
    ];
    for (type_, given, expected) in rows {
        assert_eq!(offered(type_, given), expected, "{type_} with {given:?}");
    }

    // The passphrase, of a Secret under its own key; then nothing is left to ask.
    let mut draft = draft();
    draft
        .secrets
        .insert("privateKey".to_owned(), of_secret("partner", "privateKey"));
    let prompt = Scripted::new(&["1", "0", "1", ""]);
    optional_secrets(&mut draft, &prompt, &stock()).expect("answers");
    assert_eq!(draft.secrets["passphrase"], of_secret("partner", "passphrase"));
    assert_eq!(prompt.left(), 0);
}

#[test]
fn names_are_proposed_and_looked_at() {
    let rows = [
        ("Nightly partner drop", "nightly-partner-drop"),
        ("  Größe & Co. ", "gr-e-co"),
        ("名前", ""),
        ("a--b", "a-b"),
    ];
    for (display_name, expected) in rows {
        assert_eq!(name_for(display_name), expected, "{display_name:?}");
    }
    for (name, fits) in [
        ("sftp-partner", true),
        ("", false),
        ("-a", false),
        ("A", false),
        ("a.b", true),
    ] {
        assert_eq!(check_name(name).is_ok(), fits, "{name:?}");
    }
    for (text, fits) in [("Drop", true), (" ", false), ("a\nb", false)] {
        assert_eq!(check_display_name(text).is_ok(), fits, "{text:?}");
    }
}
