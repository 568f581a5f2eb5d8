use super::*;
use crate::api::key_vault::{Engine, HashiCorpVault, VaultPath};
use crate::api::{Connection, ConnectionType, KeyVaultSpec};
use crate::fixtures::{ANY_TEXT, ConnectionBuilder, catalog_type, company_vault, sftp_partner, vault_secret};
use proptest::prelude::*;
use serde::Deserialize;

/// `docs/consent-vectors.json`, computed by another program than this one.
#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    case: String,
    connection: Manifest,
    type_spec: ConnectionTypeSpec,
    strings: Vec<String>,
    digest: String,
    previous_digest: Option<String>,
}

#[derive(Deserialize)]
struct Manifest {
    metadata: Name,
    spec: ConnectionSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VaultVectors {
    vault_vectors: Vec<VaultVector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VaultVector {
    case: String,
    key_vault: VaultManifest,
    strings: Vec<String>,
    digest: String,
}

#[derive(Deserialize)]
struct VaultManifest {
    metadata: Name,
    spec: KeyVaultSpec,
}

#[derive(Deserialize)]
struct Name {
    namespace: String,
    name: String,
}

#[test]
fn digests_are_those_of_the_published_vectors() {
    let text = include_str!("../../../docs/consent-vectors.json");
    let Vectors { vectors } = serde_json::from_str(text).expect("the vectors can be read");
    assert!(vectors.len() >= 9);
    for vector in vectors {
        let Name { namespace, name } = &vector.connection.metadata;
        let required = required(
            Subject {
                kind: "Connection",
                namespace,
                name,
            },
            &vector.connection.spec,
            &vector.type_spec,
        );
        assert_eq!(required.current, vector.digest, "{}", vector.case);
        let previous = required.previous.map(|(digest, _)| digest);
        assert_eq!(previous, vector.previous_digest, "{}", vector.case);
        assert_eq!(
            written(&vector.strings),
            vector.digest,
            "{}: the strings",
            vector.case
        );
    }
}

#[test]
fn digests_of_key_vaults_are_those_of_the_published_vectors() {
    let text = include_str!("../../../docs/consent-vectors.json");
    let VaultVectors { vault_vectors } = serde_json::from_str(text).expect("the vectors can be read");
    assert!(vault_vectors.len() >= 4);
    for vector in vault_vectors {
        let Name { namespace, name } = &vector.key_vault.metadata;
        let subject = Subject {
            kind: "KeyVault",
            namespace,
            name,
        };
        let required = required_of_vault(subject, &vector.key_vault.spec);
        assert_eq!(required.current, vector.digest, "{}", vector.case);
        assert_eq!(required.previous, None, "{}", vector.case);
        assert_eq!(
            written(&vector.strings),
            vector.digest,
            "{}: the strings",
            vector.case
        );
    }
}

#[test]
fn whatever_moves_a_vault_asks_again() {
    type Edit = fn(&mut HashiCorpVault);
    let digest = |edit: Edit| {
        let mut vault = company_vault();
        edit(vault.0.spec.vault.as_mut().expect("a Vault"));
        vault.digest()
    };
    let rows: [(&str, bool, Edit); 8] = [
        ("nothing", false, |_| {}),
        ("the slash at the end", false, |vault| {
            vault.address = "https://vault.example.com:8200".to_owned();
        }),
        ("the host", true, |vault| {
            vault.address = "https://vault.evil.example:8200".to_owned();
        }),
        ("the port", true, |vault| {
            vault.address = "https://vault.example.com".to_owned();
        }),
        ("the mount", true, |vault| {
            vault.mount = VaultPath("kv".to_owned());
        }),
        ("the namespace", true, |vault| {
            vault.namespace = Some(VaultPath("eu".to_owned()));
        }),
        ("the engine", false, |vault| vault.engine = Some(Engine::V1)),
        ("its authorities", false, |vault| vault.ca_bundle_ref = None),
    ];
    let same = digest(|_| {});
    for (case, moves, edit) in rows {
        assert_eq!(digest(edit) != same, moves, "{case}");
    }
    assert_ne!(company_vault().by_the_node().digest(), same, "the provider");
}

fn written(strings: &[String]) -> String {
    let mut text = Canonical::default();
    for string in strings {
        text.string(string);
    }
    text.digest()
}

fn digest(connection: &ConnectionBuilder, type_: &ConnectionType) -> String {
    required(connection.subject(), &connection.0.spec, &type_.spec).current
}

type Edit = fn(&mut Connection, &mut ConnectionType);

#[test]
fn whatever_moves_the_destination_or_the_notice_asks_again() {
    let base = || (sftp_partner(), catalog_type("sftp-export"));
    let same = digest(&base().0, &base().1);
    let rows: [(&str, bool, Edit); 24] = [
        ("nothing", false, |_, _| {}),
        ("its name", true, |c, _| c.metadata.name = Some("other".into())),
        ("its type", true, |c, _| c.spec.type_ = "sftp-import".into()),
        ("the host", true, |c, _| set(c, "hostname", "sftp.evil.example")),
        ("the host's case", true, |c, _| {
            set(c, "hostname", "SFTP.partner.example");
        }),
        ("the folder", true, |c, _| set(c, "folder", "/in/")),
        ("the port", true, |c, _| set(c, "port", "2222")),
        ("the default port, said aloud", false, |c, _| set(c, "port", "22")),
        ("a host key", true, |c, _| set(c, "hostKey", "SHA256:x")),
        ("a parameter that the type doesn't know", false, |c, _| {
            set(c, "colour", "red");
        }),
        ("the account's Secret", true, |c, _| {
            source(c, "username", "other", "username");
        }),
        ("the account's key", true, |c, _| {
            source(c, "username", "partner", "user");
        }),
        ("the account's source", true, |c, _| {
            c.spec
                .secrets
                .insert("username".into(), vault_secret("partner", "username"));
        }),
        ("the password's Secret", false, |c, _| {
            source(c, "password", "other", "password");
        }),
        ("a private key besides", false, |c, _| {
            source(c, "privateKey", "partner", "key");
        }),
        ("what people call it", false, |c, _| {
            c.spec.display_name = "Other".into();
        }),
        ("suspend", false, |c, _| c.spec.suspend = true),
        ("what it fixes for exports", false, |c, _| {
            c.spec
                .fixed_export_parameters
                .insert("compression".into(), "Gzip".into());
        }),
        ("a fixed host of the service", true, |_, t| {
            t.spec.endpoints.push("a.example.com".into());
        }),
        ("the notice's version", true, |_, t| {
            t.spec.notice.version = "2".into();
        }),
        ("a word of the notice", true, |_, t| {
            t.spec.notice.how_to_stop.push('!');
        }),
        ("the link of the notice", true, |_, t| {
            t.spec.notice.privacy_statement.push('2');
        }),
        ("the default port of the type", true, |_, t| {
            t.spec.parameters[1].default = Some("23".into());
        }),
        ("the order in which the type declares", false, |_, t| {
            t.spec.parameters.reverse();
            t.spec.secrets.reverse();
        }),
    ];
    for (case, moves, edit) in rows {
        let (mut connection, mut type_) = base();
        edit(&mut connection.0, &mut type_);
        assert_eq!(digest(&connection, &type_) != same, moves, "{case}");
    }
    let (connection, type_) = base();
    let elsewhere = Subject {
        kind: "Connection",
        namespace: "sales",
        name: "sftp-partner",
    };
    let elsewhere = required(elsewhere, &connection.0.spec, &type_.spec);
    assert_ne!(elsewhere.current, same, "its namespace");
}

#[test]
fn the_destination_in_words_holds_all_that_moves_it() {
    let type_ = catalog_type("sftp-export");
    let place = "folder \"/in\", hostname \"sftp.partner.example\", port \"22\"";
    let rows = [
        (sftp_partner(), "username from key username of Secret partner"),
        (
            sftp_partner().secret("username", "partner", "other"),
            "username from key other of Secret partner",
        ),
        (
            sftp_partner().source("username", vault_secret("partner", "username")),
            "username from secret username of KeyVault partner",
        ),
    ];
    for (connection, account) in rows {
        let told = required(connection.subject(), &connection.0.spec, &type_.spec).destination;
        assert_eq!(told.join(", "), format!("{place}, {account}"));
        let (slot, origin) = account.split_once(" from ").expect("a slot");
        let in_full = destination(&connection.0.spec, &type_.spec);
        assert_eq!(
            in_full.last(),
            Some(&(slot.to_owned(), origin.to_owned())),
            "in full"
        );
    }
}

fn set(connection: &mut Connection, name: &str, value: &str) {
    connection.spec.parameters.insert(name.into(), value.into());
}

fn source(connection: &mut Connection, slot: &str, name: &str, key: &str) {
    let source = crate::fixtures::secret_key(name, key);
    connection.spec.secrets.insert(slot.into(), source);
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9:]{0,6}", ANY_TEXT]
}

proptest! {
    #[test]
    fn no_two_lists_of_strings_are_written_alike(
        a in proptest::collection::vec(text(), 0..5),
        b in proptest::collection::vec(text(), 0..5),
    ) {
        prop_assert_eq!(written(&a) == written(&b), a == b);
    }

    #[test]
    fn a_digest_differs_exactly_if_a_destination_does(
        [host, folder, port, other_host, other_folder, other_port] in proptest::array::uniform6("[a-z]{0,3}"),
        [comment, other_comment] in proptest::array::uniform2("[a-z]{0,2}"),
    ) {
        let type_ = catalog_type("sftp-export");
        let made = |host: &str, folder: &str, port: &str, comment: &str| {
            let connection = sftp_partner().with("hostname", host).with("folder", folder).with("port", port);
            digest(&connection.with("comment", comment), &type_)
        };
        let one = made(&host, &folder, &port, &comment);
        let two = made(&other_host, &other_folder, &other_port, &other_comment);
        let same = (host, folder, port) == (other_host, other_folder, other_port);
        prop_assert_eq!(one == two, same);
    }
}
