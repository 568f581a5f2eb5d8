//! Secrets against their slots, and types against themselves.

#![expect(clippy::too_many_lines, reason = "a table is long, not deep")]
#![expect(
    clippy::type_complexity,
    reason = "the type of a table's rows says what its columns are"
)]

use super::tests::of_catalog;
use super::*;
use crate::api::connection_type::{
    Deprecation, Identity, IdentitySet, LimitScope, Limits, SecretKind, SecretSlot, When,
};
use crate::api::notice::PreviousNotice;
use crate::api::reference::SecretSource;
use crate::fixtures::{at, catalog_type, secret_key, vault_secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::sync::Arc;

#[test]
fn secrets_are_those_that_the_type_declares() {
    let sftp = of_catalog("sftp-export");
    let import = of_catalog("sftp-import");
    let key = |name: &str| secret_key("partner", name);
    let rows: Vec<(&str, &Arc<CompiledType>, Vec<(&str, SecretSource)>, Vec<&str>)> = vec![
        (
            "a password",
            &sftp,
            vec![("username", key("u")), ("password", key("p"))],
            vec![],
        ),
        (
            "a private key in its place",
            &sftp,
            vec![("username", key("u")), ("privateKey", key("k"))],
            vec![],
        ),
        (
            "a private key with its passphrase",
            &sftp,
            vec![
                ("username", key("u")),
                ("privateKey", key("k")),
                ("passphrase", key("s")),
            ],
            vec![],
        ),
        (
            "both",
            &sftp,
            vec![
                ("username", key("u")),
                ("password", key("p")),
                ("privateKey", key("k")),
            ],
            vec!["spec.secrets has more than one of password, privateKey: keep one."],
        ),
        (
            "neither",
            &sftp,
            vec![("username", key("u"))],
            vec!["spec.secrets needs one of password, privateKey: add one."],
        ),
        (
            "no account",
            &sftp,
            vec![("password", key("p"))],
            vec![
                "spec.secrets.username is missing: add it. The type says of it: The account on the server. It decides \
                 whose folder the files land in.",
            ],
        ),
        (
            "a name that the type doesn't know",
            &sftp,
            vec![
                ("username", key("u")),
                ("password", key("p")),
                ("token", key("t")),
            ],
            vec![
                "spec.secrets has \"token\", which the type doesn't know: it knows username, password, privateKey, \
                 passphrase.",
            ],
        ),
        (
            "a vault where it's supported",
            &sftp,
            vec![("username", key("u")), ("password", vault_secret("v", "p"))],
            vec![],
        ),
        (
            "a vault where it isn't",
            &import,
            vec![("username", key("u")), ("password", vault_secret("v", "p"))],
            vec![
                "spec.secrets.password comes from a key vault, which the type doesn't support: use a secretKeyRef.",
            ],
        ),
    ];
    for (case, type_, given, expected) in rows {
        let given = given
            .into_iter()
            .map(|(name, source)| (name.to_owned(), source))
            .collect();
        assert_eq!(type_.secret_problems(&given), expected, "{case}");
    }
}

type Edit = fn(&mut ConnectionTypeSpec);

#[test]
fn a_type_that_contradicts_itself_is_told_where() {
    let with = |edit: fn(&mut ConnectionTypeSpec)| {
        let mut spec = catalog_type("sftp-export").spec;
        edit(&mut spec);
        CompiledType::compile("example", &spec).err().unwrap_or_default()
    };
    let rows: &[(&str, Edit, &[&str])] = &[
        ("as in the catalog", |_| {}, &[]),
        (
            "a pattern that can't be read",
            |t| t.parameters[0].pattern = Some("[a-".into()),
            &[
                "spec.parameters[hostname] has a pattern that is no regular expression of the Rust crate regex: correct it.",
            ],
        ),
        (
            "a pattern that looks around, which isn't linear in time",
            |t| t.parameters[0].pattern = Some("(?=a).*".into()),
            &[
                "spec.parameters[hostname] has a pattern that is no regular expression of the Rust crate regex: correct it.",
            ],
        ),
        (
            "a pattern that breaks out of its group",
            |t| t.parameters[0].pattern = Some("[a-z.]+)|(?:.*".into()),
            &[
                "spec.parameters[hostname] has a pattern that is no regular expression of the Rust crate regex: correct it.",
            ],
        ),
        (
            "a pattern that would take all memory",
            |t| t.parameters[0].pattern = Some(r"(\w{1000}){1000}".into()),
            &[
                "spec.parameters[hostname] has a pattern that takes too much memory: make its repetitions smaller.",
            ],
        ),
        (
            "a default that the parameter refuses",
            |t| t.parameters[1].default = Some("0".into()),
            &["spec.parameters[port] refuses its own default: correct one of them."],
        ),
        (
            "an example that the parameter refuses",
            |t| t.export_parameters[0].example = Some("../up".into()),
            &["spec.exportParameters[subfolder] refuses its own example: correct one of them."],
        ),
        (
            "a range without numbers",
            |t| (t.parameters[1].min, t.parameters[1].max) = (Some(9), Some(1)),
            &["spec.parameters[port] has a min above its max: correct them."],
        ),
        (
            "an alternative to an alternative",
            |t| t.secrets[3].alternative_to = Some("privateKey".into()),
            &[
                "spec.secrets[passphrase] is an alternative to privateKey, which is no secret of its own: correct it.",
            ],
        ),
        (
            "an alternative to nothing",
            |t| t.secrets[2].alternative_to = Some("token".into()),
            &[
                "spec.secrets[privateKey] is an alternative to token, which is no secret of its own: correct it.",
            ],
        ),
        (
            "an alternative to itself",
            |t| t.secrets[2].alternative_to = Some("privateKey".into()),
            &[
                "spec.secrets[privateKey] is an alternative to privateKey, which is no secret of its own: correct it.",
            ],
        ),
        (
            "alternatives in a circle",
            |t| {
                t.secrets[1].alternative_to = Some("privateKey".into());
                t.secrets[1].required = false;
            },
            &[
                "spec.secrets[password] is an alternative to privateKey, which is no secret of its own: correct it.",
                "spec.secrets[privateKey] is an alternative to password, which is no secret of its own: correct it.",
            ],
        ),
        (
            "an alternative that is required",
            |t| t.secrets[2].required = true,
            &[
                "spec.secrets[privateKey] is required and an alternative to password: only the latter can be required.",
            ],
        ),
        (
            "an alternative that nobody would have to consent to",
            |t| t.secrets[1].destination = true,
            &[
                "spec.secrets[privateKey] is an alternative to password, which has destination: true: it decides where \
                 data goes as well, so mark it likewise.",
            ],
        ),
        (
            "a passphrase of nothing",
            |t| t.secrets.retain(|slot| slot.name.as_str() != "privateKey"),
            &["spec.secrets[passphrase] is the passphrase of a private key, and there is none: declare one."],
        ),
        (
            "no place at all",
            |t| {
                t.parameters.iter_mut().for_each(|parameter| {
                    parameter.destination = false;
                    parameter.recipient = false;
                });
            },
            &[
                "spec names no place that data goes to: list its hosts in spec.endpoints, or mark the parameter that \
                 names it with destination: true.",
            ],
        ),
        (
            "hosts of anybody",
            |t| {
                t.endpoints = [
                    "*",
                    "*.com",
                    "*example.com",
                    "*.api.example",
                    "a..b",
                    "a.-b",
                    "169.254.169.254",
                ]
                .map(str::to_owned)
                .into();
            },
            &[
                "spec.endpoints has \"*\", which is no host's name: write one such as api.partner.example, or *. and a \
                 domain.",
                "spec.endpoints has \"*.com\", which stands for hosts of anybody: write the host, or *. and a domain of \
                 at least two parts.",
                "spec.endpoints has \"*example.com\", which is no host's name: write one such as api.partner.example, or \
                 *. and a domain.",
                "spec.endpoints has \"a..b\", which is no host's name: write one such as api.partner.example, or *. and \
                 a domain.",
                "spec.endpoints has \"a.-b\", which is no host's name: write one such as api.partner.example, or *. and \
                 a domain.",
                "spec.endpoints has \"169.254.169.254\", an address: write the host's name.",
            ],
        ),
        (
            "a place that exports choose",
            |t| t.export_parameters[0].destination = true,
            &[
                "spec.exportParameters[subfolder] has destination: true, but consent is to what connections say: declare \
                 it in spec.parameters, or leave destination out.",
            ],
        ),
        (
            "two of one name",
            |t| t.parameters.push(t.parameters[3].clone()),
            &["spec.parameters declares \"hostKey\" more than once: keep one."],
        ),
        (
            "a name of a parameter and a secret",
            |t| {
                t.parameters[3].name = "password".into();
                t.export_parameters[0].name = "username".into();
            },
            &[
                "spec.parameters and spec.secrets both declare \"password\": give each its own name.",
                "spec.exportParameters and spec.secrets both declare \"username\": give each its own name.",
            ],
        ),
        (
            "columns that an export's choice decides on, and a switch of the connection's",
            |t| {
                t.parameters.push(switch("people"));
                t.identity = Some(recognised(&[
                    ("compression", "Gzip"),
                    ("people", "true"),
                    ("people", "false"),
                ]));
            },
            &[],
        ),
        (
            "columns that nothing, a text and a number decide on",
            |t| {
                t.identity = Some(recognised(&[
                    ("kind", "x"),
                    ("compression", "None"),
                    ("folder", "/"),
                    ("port", "22"),
                ]));
            },
            &[
                "spec.identity.anyOf[0].when names \"kind\", which is no parameter of type Enum or Boolean: the type has \
                 compression, delimiter.",
                "spec.identity.anyOf[2].when names \"folder\", which is no parameter of type Enum or Boolean: the type \
                 has compression, delimiter.",
                "spec.identity.anyOf[3].when names \"port\", which is no parameter of type Enum or Boolean: the type has \
                 compression, delimiter.",
            ],
        ),
        (
            "a decision where there is nothing to decide",
            |t| {
                t.export_parameters.clear();
                t.identity = Some(recognised(&[("compression", "None")]));
            },
            &[
                "spec.identity.anyOf[0].when names \"compression\", which is no parameter of type Enum or Boolean: declare \
                 one.",
            ],
        ),
        (
            "values that are never had",
            |t| {
                t.parameters.push(switch("people"));
                t.identity = Some(recognised(&[("compression", "gzip"), ("people", "yes")]));
            },
            &[
                "spec.identity.anyOf[0].when has the value \"gzip\", which \"compression\" never has: expected one of \
                 \"None\", \"Gzip\".",
                "spec.identity.anyOf[1].when has the value \"yes\", which \"people\" never has: expected one of \"true\", \
                 \"false\".",
            ],
        ),
        (
            "columns that two of one name decide on",
            |t| {
                t.parameters.push(switch("compression"));
                t.identity = Some(recognised(&[("compression", "Gzip")]));
            },
            &[
                "spec.identity.anyOf[0].when names \"compression\", which spec.parameters and spec.exportParameters both \
                 declare: give each its own name.",
            ],
        ),
        (
            "fewer than more",
            |t| {
                t.limits = Some(Limits {
                    min_members: Some(9),
                    max_members: Some(1),
                    ..Limits::default()
                });
            },
            &["spec.limits has a minMembers above its maxMembers: correct them."],
        ),
        (
            "a scope of nothing",
            |t| {
                t.limits = Some(Limits {
                    max_members_per: Some(LimitScope::Export),
                    ..Limits::default()
                });
            },
            &["spec.limits has maxMembersPer without maxMembers: add it."],
        ),
        (
            "two wordings of one version",
            |t| t.notice.previous = Some(previous(&t.notice.version)),
            &["spec.notice.previous has the version of the notice itself: give each its own."],
        ),
        (
            "what people would read backwards, or not at all",
            |t| {
                t.notice.recipient = "Partner \u{202e}moc.live".to_owned();
                t.notice.data = "Two\nlines.".to_owned();
                t.service.vendor = "Part\u{200b}ner".to_owned();
            },
            &[
                "spec.service.vendor has a character that can't be seen, or that changes how others are shown: leave it \
                 out.",
                "spec.notice.recipient has a character that can't be seen, or that changes how others are shown: leave it \
                 out.",
            ],
        ),
        (
            "hosts that no schema has looked at",
            |t| t.endpoints = vec!["evil.example#".to_owned(), "API.example".to_owned()],
            &[
                "spec.endpoints has \"evil.example#\", which is no host's name: write one such as api.partner.example, or \
                 *. and a domain.",
                "spec.endpoints has \"API.example\", which is no host's name: write one such as api.partner.example, or \
                 *. and a domain.",
            ],
        ),
        (
            "itself in place of itself",
            |t| {
                t.deprecated = Some(Deprecation {
                    message: "Old.".to_owned(),
                    replacement: Some("example".into()),
                });
            },
            &["spec.deprecated.replacement is the type itself: name another, or leave it out."],
        ),
        (
            "the pattern of a number",
            |t| t.parameters[1].pattern = Some("x".into()),
            &["spec.parameters[port] has a pattern, but only a String has one: correct it."],
        ),
        (
            "an Enum of nothing",
            |t| t.export_parameters[1].values = None,
            &[
                "spec.exportParameters[compression] has values without being an Enum, or is an Enum without values: \
                 correct it.",
            ],
        ),
        (
            "a recipient that consent would leave out",
            |t| {
                t.parameters[1].recipient = true;
                t.parameters[1].destination = false;
            },
            &[
                "spec.parameters[port] has recipient: true without destination: true, so that consent would leave out who \
                 receives the data: correct it.",
            ],
        ),
        (
            "required, but not",
            |t| t.parameters[1].required = true,
            &["spec.parameters[port] is required and has a default: correct it."],
        ),
    ];
    for (case, edit, expected) in rows {
        assert_eq!(with(*edit), *expected, "{case}");
    }
}

/// Columns for each of these parameters with its value.
fn recognised(whens: &[(&str, &str)]) -> Identity {
    let sets = whens.iter().map(|(parameter, value)| IdentitySet {
        all: vec!["email".into()],
        when: Some(When {
            parameter: (*parameter).into(),
            value: (*value).to_owned(),
        }),
    });
    Identity {
        any_of: sets.collect(),
        optional: Vec::new(),
    }
}

fn switch(name: &str) -> Parameter {
    let declared = serde_json::json!({"name": name, "type": "Boolean", "description": "A switch."});
    serde_json::from_value(declared).expect("a parameter")
}

fn previous(version: &str) -> PreviousNotice {
    PreviousNotice {
        version: version.to_owned(),
        recipient: String::new(),
        data: String::new(),
        responsibility: String::new(),
        how_to_stop: String::new(),
        privacy_statement: String::new(),
        until: Time(at(1)),
    }
}

/// A type that takes an API key or an OAuth 2.0 client, whichever somebody has.
fn key_or_client() -> CompiledType {
    let slot = |name: &str, kind| SecretSlot {
        name: name.into(),
        kind,
        description: "What the service hands out.".to_owned(),
        required: false,
        destination: false,
        alternative_to: None,
    };
    let mut spec = catalog_type("marketo").spec;
    spec.secrets = vec![
        SecretSlot {
            required: true,
            ..slot("apiKey", SecretKind::ApiKey)
        },
        SecretSlot {
            alternative_to: Some("apiKey".into()),
            ..slot("refreshToken", SecretKind::OAuthRefreshToken)
        },
        slot("clientId", SecretKind::OAuthClientId),
        slot("clientSecret", SecretKind::OAuthClientSecret),
    ];
    CompiledType::compile("example", &spec).expect("the type fits together")
}

#[test]
fn parts_that_are_of_no_use_alone_come_together() {
    let type_ = key_or_client();
    let sftp = of_catalog("sftp-export");
    let rows: [(&str, &CompiledType, &[&str], &[&str]); 7] = [
        ("a key", &type_, &["apiKey"], &[]),
        (
            "a whole client",
            &type_,
            &["refreshToken", "clientId", "clientSecret"],
            &[],
        ),
        (
            "a token alone",
            &type_,
            &["refreshToken"],
            &[
                "spec.secrets.refreshToken is of no use without clientId, clientSecret: add what is missing, or leave it \
                 out.",
            ],
        ),
        (
            "a client beside a key",
            &type_,
            &["apiKey", "clientId", "clientSecret"],
            &[
                "spec.secrets.clientId is of no use without refreshToken: add what is missing, or leave it out.",
                "spec.secrets.clientSecret is of no use without refreshToken: add what is missing, or leave it out.",
            ],
        ),
        (
            "both",
            &type_,
            &["apiKey", "refreshToken", "clientId", "clientSecret"],
            &["spec.secrets has more than one of apiKey, refreshToken: keep one."],
        ),
        (
            "neither",
            &type_,
            &[],
            &["spec.secrets needs one of apiKey, refreshToken: add one."],
        ),
        (
            "a passphrase beside a password",
            &sftp,
            &["username", "password", "passphrase"],
            &[
                "spec.secrets.passphrase is of no use without privateKey: add what is missing, or leave it out.",
            ],
        ),
    ];
    for (case, type_, given, expected) in rows {
        let given = given
            .iter()
            .map(|name| ((*name).to_owned(), secret_key("partner", name)));
        assert_eq!(type_.secret_problems(&given.collect()), expected, "{case}");
    }
}
