//! Secrets against their slots, and types against themselves.

#![expect(
    clippy::type_complexity,
    reason = "the type of a table's rows says what its columns are"
)]

use super::tests::of_catalog;
use super::*;
use crate::fixtures::{catalog_type, secret_key, vault_secret};
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
    let rows: [(&str, Edit, &[&str]); 9] = [
        ("as in the catalog", |_| {}, &[]),
        (
            "a pattern that can't be read",
            |t| t.parameters[0].pattern = Some("[a-".into()),
            &[
                "spec.parameters hostname has a pattern that is no regular expression of the Rust crate regex: correct it.",
            ],
        ),
        (
            "a pattern that looks around, which isn't linear in time",
            |t| t.parameters[0].pattern = Some("(?=a).*".into()),
            &[
                "spec.parameters hostname has a pattern that is no regular expression of the Rust crate regex: correct it.",
            ],
        ),
        (
            "a pattern that breaks out of its group",
            |t| t.parameters[0].pattern = Some("[a-z.]+)|(?:.*".into()),
            &[
                "spec.parameters hostname has a pattern that is no regular expression of the Rust crate regex: correct it.",
            ],
        ),
        (
            "a pattern that would take all memory",
            |t| t.parameters[0].pattern = Some(r"(\w{1000}){1000}".into()),
            &[
                "spec.parameters hostname has a pattern that takes too much memory: make its repetitions smaller.",
            ],
        ),
        (
            "a default that the parameter refuses",
            |t| t.parameters[1].default = Some("0".into()),
            &["spec.parameters port refuses its own default: correct one of them."],
        ),
        (
            "an example that the parameter refuses",
            |t| t.export_parameters[0].example = Some("../up".into()),
            &["spec.exportParameters subfolder refuses its own example: correct one of them."],
        ),
        (
            "a range without numbers",
            |t| (t.parameters[1].min, t.parameters[1].max) = (Some(9), Some(1)),
            &["spec.parameters port has a min above its max: correct them."],
        ),
        (
            "an alternative to an alternative",
            |t| t.secrets[3].alternative_to = Some("privateKey".into()),
            &[
                "spec.secrets passphrase is an alternative to privateKey, which is no secret of its own: correct it.",
            ],
        ),
    ];
    for (case, edit, expected) in rows {
        assert_eq!(with(edit), expected, "{case}");
    }
}
