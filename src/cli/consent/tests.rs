use super::check::checked;
use super::*;
use crate::fixtures::at;
use serde_json::{Value, json};

fn vectors(of: &str) -> Vec<Value> {
    let text = include_str!("../../../docs/consent-vectors.json");
    let file: Value = serde_json::from_str(text).expect("JSON");
    file[of].as_array().expect("vectors").clone()
}

/// What is said about manifests in one text.
fn told_of(text: &str, namespace: Option<&str>) -> Result<String, ConsentError> {
    let mut manifests = Manifests::default();
    manifests.add("a file", text)?;
    told(manifests, namespace, "a file")
}

/// What stands in a file of YAML or, as here, of JSON.
fn documents(documents: &[Value]) -> String {
    let texts: Vec<String> = documents.iter().map(Value::to_string).collect();
    format!("---\n{}\n", texts.join("\n---\n"))
}

fn connection(change: impl FnOnce(&mut Value)) -> Value {
    let mut connection = json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "Connection",
        "metadata": {"namespace": "marketing", "name": "sftp-partner"},
        "spec": {
            "displayName": "Partner", "type": "sftp-export",
            "parameters": {"hostname": "sftp.partner.example", "folder": "/in"},
            "secrets": {
                "username": {"secretKeyRef": {"name": "partner", "key": "username"}},
                "password": {"secretKeyRef": {"name": "partner", "key": "password"}},
            },
        },
    });
    change(&mut connection);
    connection
}

fn vault(change: impl FnOnce(&mut Value)) -> Value {
    let mut vault = json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "KeyVault",
        "metadata": {"namespace": "marketing", "name": "team-vault"},
        "spec": {"vault": {
            "address": "https://vault.example.com:8200", "mount": "secret", "namespace": "sales/eu",
            "auth": {"appRole": {"roleId": "marketing", "secretIdRef": {"name": "login", "key": "secret-id"}}},
        }},
    });
    change(&mut vault);
    vault
}

fn refusal(change: impl FnOnce(&mut Value)) -> String {
    let answer = told_of(&documents(&[connection(change)]), None);
    answer.expect_err("a refusal").to_string()
}

#[test]
fn the_digest_is_that_of_the_published_vectors() {
    for vector in vectors("vectors") {
        let case = vector["case"].as_str().expect("a case");
        let mut connection = vector["connection"].clone();
        connection["apiVersion"] = "connections.dev/v1alpha1".into();
        connection["kind"] = "Connection".into();
        let type_ = json!({
            "apiVersion": "connections.dev/v1alpha1", "kind": "ConnectionType",
            "metadata": {"name": connection["spec"]["type"]}, "spec": vector["typeSpec"],
        });
        let told = told_of(&documents(&[connection, type_]), None);
        let told = told.unwrap_or_else(|error| panic!("{case}: {error}"));
        let digest = vector["digest"].as_str().expect("a digest");
        assert!(
            told.ends_with(&format!("\n  connections.dev/consent: {digest}\n")),
            "{case}: {told}"
        );
    }
}

#[test]
fn the_digest_of_a_key_vault_is_that_of_the_published_vectors() {
    for vector in vectors("vaultVectors") {
        let case = vector["case"].as_str().expect("a case");
        let mut vault = vector["keyVault"].clone();
        vault["apiVersion"] = "connections.dev/v1alpha1".into();
        vault["kind"] = "KeyVault".into();
        let told = told_of(&documents(&[vault]), None);
        let told = told.unwrap_or_else(|error| panic!("{case}: {error}"));
        let digest = vector["digest"].as_str().expect("a digest");
        assert!(
            told.ends_with(&format!("\n  connections.dev/consent: {digest}\n")),
            "{case}: {told}"
        );
    }
}

#[test]
fn it_tells_the_notice_of_key_vaults_and_where_this_one_is() {
    let told = told_of(&documents(&[vault(|_| ())]), None).expect("an answer");
    let digest = told.trim_end().rsplit(' ').next().expect("a digest");
    let statements: Vec<String> = told
        .lines()
        .skip_while(|line| *line != "The notice, version 1:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .map(|line| line.trim_start_matches("  - ").to_owned())
        .collect();
    assert_eq!(statements.len(), 4, "{told}");
    assert_eq!(statements.join(" "), crate::governance::consent::NOTICE);
    let expected = format!(
        "KeyVault team-vault in namespace marketing, a link to a HashiCorp Vault or OpenBao\n\n\
         The notice, version 1:\n  - {}\n\n\
         The destination:\n  - address: \"https://vault.example.com:8200\"\n  - mount: \"secret\"\n  - namespace: \
         \"sales/eu\"\n\n\
         To agree, put this under metadata.annotations of the manifest:\n  connections.dev/consent: {digest}\n",
        statements.join("\n  - ")
    );
    assert_eq!(told, expected);
    let azure = vault(|vault| {
        vault["spec"] = json!({"azureKeyVault": {
            "vaultUrl": "https://sales.vault.azure.net/", "tenantId": "contoso.example",
            "auth": {"workloadIdentity": {"clientId": "7b795fb9-09d3-42f4-a494-38864f99ba3c"}},
        }});
    });
    let told = told_of(&documents(&[azure]), None).expect("an answer");
    assert!(
        told.starts_with("KeyVault team-vault in namespace marketing, a link to an Azure Key Vault\n")
            && told.contains(
                "\n  - address: \"https://sales.vault.azure.net\"\n  - tenant: \"contoso.example\"\n\nTo agree"
            ),
        "{told}"
    );
}

#[test]
fn the_address_of_a_vault_is_told_to_its_end() {
    let address = format!(
        "https://vault.company.example.{}.evil.example:8200",
        "a".repeat(200)
    );
    let long = vault(|vault| vault["spec"]["vault"]["address"] = address.clone().into());
    let told = told_of(&documents(&[long]), None).expect("an answer");
    assert!(told.contains(&format!("address: \"{address}\"\n")), "{told}");
}

#[test]
fn a_key_vault_that_names_no_vault_or_two_is_not_agreed_to() {
    let azure = json!({
        "vaultUrl": "https://sales.vault.azure.net", "tenantId": "contoso.example",
        "auth": {"managedIdentity": {}},
    });
    let none = vault(|vault| vault["spec"] = json!({}));
    let both = vault(|vault| vault["spec"]["azureKeyVault"] = azure.clone());
    for (case, manifest) in [("none", none), ("both", both)] {
        let told = told_of(&documents(std::slice::from_ref(&manifest)), None).expect_err(case);
        assert_eq!(
            told.to_string(),
            "the key vault team-vault doesn't name exactly one vault, so consent to it would be in vain: say under spec \
             either azureKeyVault or vault",
            "{case}"
        );
        let mut carrying = manifest;
        carrying["metadata"]["annotations"] = json!({"connections.dev/consent": "0".repeat(64)});
        let checked = check_of(&[carrying]);
        assert_eq!(checked.outcome, Outcome::Unclear, "{case}: {}", checked.told);
    }
    let unfit = vault(|vault| vault["spec"]["vault"]["mount"] = json!({}));
    let unfit = told_of(&documents(&[unfit]), None).expect_err("a refusal");
    assert_eq!(
        unfit.to_string(),
        "a file holds a keyvault that doesn't fit its kind at spec.vault.mount; kubectl explain keyvault tells what fits"
    );
}

#[test]
fn it_tells_the_notice_the_destination_and_the_line_for_the_manifest() {
    let told = told_of(&documents(&[connection(|_| ())]), None).expect("an answer");
    let digest = told.trim_end().rsplit(' ').next().expect("a digest");
    let notice = crate::fixtures::catalog_type("sftp-export").spec.notice;
    let expected = format!(
        "Connection sftp-partner in namespace marketing, of type sftp-export\n\n\
         The notice, version {}:\n  - {}\n  - {}\n  - {}\n  - {}\n  - {}\n\n\
         The destination:\n  - folder: \"/in\"\n  - hostname: \"sftp.partner.example\"\n  - port: \"22\"\n  - username: key \
         username of Secret partner\n\n\
         To agree, put this under metadata.annotations of the manifest:\n  connections.dev/consent: {digest}\n",
        notice.version,
        notice.recipient,
        notice.data,
        notice.responsibility,
        notice.how_to_stop,
        notice.privacy_statement
    );
    assert_eq!(told, expected);
}

#[test]
fn it_tells_whether_the_manifest_agrees_already() {
    let first = told_of(&documents(&[connection(|_| ())]), None).expect("an answer");
    let digest = first.trim_end().rsplit(' ').next().expect("a digest").to_owned();
    let rows = [
        (
            "the digest",
            digest,
            "The manifest carries this agreement already:",
        ),
        (
            "another one",
            "0".repeat(64),
            "The manifest carries another digest, which doesn't count. To agree, put this in its place:",
        ),
    ];
    for (case, annotation, expected) in rows {
        let agreed = connection(|connection| {
            connection["metadata"]["annotations"] = json!({"connections.dev/consent": annotation});
        });
        let told = told_of(&documents(&[agreed]), None).expect("an answer");
        assert!(told.contains(expected), "{case}: {told}");
    }
}

#[test]
fn a_file_may_hold_several_connections_and_other_things() {
    let other = connection(|connection| connection["metadata"]["name"] = "other".into());
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "partner"}});
    let text = format!(
        "# a comment\n{}---\n",
        documents(&[connection(|_| ()), secret, other])
    );
    let told = told_of(&text, None).expect("an answer");
    assert_eq!(told.matches("\nThe notice, version ").count(), 2, "{told}");
    let digests: Vec<&str> = told
        .lines()
        .filter(|line| line.contains("connections.dev/consent"))
        .collect();
    assert_ne!(digests[0], digests[1], "consent is for one connection");
}

#[test]
fn the_namespace_is_the_manifests_or_else_the_given_one() {
    let without = || {
        connection(|connection| {
            connection["metadata"]
                .as_object_mut()
                .expect("metadata")
                .remove("namespace");
        })
    };
    let answer = told_of(&documents(&[without()]), None).expect_err("a refusal");
    assert_eq!(
        answer.to_string(),
        "the connection sftp-partner names no namespace, and consent is for one in one namespace: add \
         metadata.namespace, or say which by --namespace"
    );
    let homeless = vault(|vault| vault["metadata"] = json!({"name": "team-vault"}));
    let answer = told_of(&documents(&[homeless]), None).expect_err("a refusal");
    assert!(
        answer.to_string().starts_with(
            "the key vault team-vault names no namespace, and consent is for one in one namespace"
        ),
        "{answer}"
    );
    let given = told_of(&documents(&[without()]), Some("marketing")).expect("an answer");
    assert_eq!(
        given,
        told_of(&documents(&[connection(|_| ())]), Some("sales")).expect("an answer")
    );
}

#[test]
fn a_given_type_comes_before_the_catalogs() {
    let mut type_ = serde_json::to_value(crate::fixtures::catalog_type("sftp-export")).expect("JSON");
    type_["spec"]["notice"]["recipient"] = "Somebody else.".into();
    let told = told_of(&documents(&[connection(|_| ()), type_]), None).expect("an answer");
    assert!(told.contains("\n  - Somebody else.\n"), "{told}");
}

#[test]
fn it_says_plainly_why_there_is_no_answer() {
    let unknown = refusal(|connection| connection["spec"]["type"] = "carrier-pigeon".into());
    let more = connection_types().expect("the catalog can be read").len() - 5;
    assert_eq!(
        unknown,
        format!(
            "the connection sftp-partner is of type carrier-pigeon, which is neither in the catalog nor in the given \
             files (activecampaign, adobe-campaign-standard, adobe-experience-platform, adroll, autopilot and {more} \
             more): give the file with the type's manifest too"
        )
    );
    let mistaken = refusal(|connection| connection["spec"]["parameters"] = json!({"folder": "/in"}));
    assert!(
        mistaken.starts_with(
            "the connection sftp-partner doesn't fit its type sftp-export, so consent to it would be in vain: \
             spec.parameters.hostname is missing"
        ),
        "{mistaken}"
    );
    let unfit = refusal(|connection| connection["spec"]["displayName"] = json!({}));
    assert_eq!(
        unfit,
        "a file holds a connection that doesn't fit its kind at spec.displayName; kubectl explain connection tells what fits"
    );
    let none = told_of("kind: Secret\n", None)
        .expect_err("a refusal")
        .to_string();
    assert_eq!(
        none,
        "there is no Connection or KeyVault in a file: name a file that holds one"
    );
    let broken = told_of("{", None).expect_err("a refusal").to_string();
    assert_eq!(broken, "a file isn't YAML");
}

#[test]
fn nothing_in_a_manifest_changes_how_the_answer_looks() {
    let sly = connection(|connection| {
        connection["metadata"]["name"] = "a\u{1b}[2Jb\nTo agree: nothing".into();
        connection["spec"]["secrets"]["username"]["secretKeyRef"]["name"] = "a\nb\u{202e}c".into();
    });
    let told = told_of(&documents(&[sly]), None).expect("an answer");
    assert!(
        told.starts_with("Connection a\u{fffd}[2Jb To agree: nothing in namespace"),
        "{told}"
    );
    assert!(
        told.contains("key username of Secret a\u{fffd}b\u{fffd}c\n"),
        "{told}"
    );
}

/// What a check says about manifests in one text.
fn check_of(documents_: &[Value]) -> Checked {
    let mut manifests = Manifests::default();
    let unread: Vec<_> = manifests
        .add("a.yaml", &documents(documents_))
        .err()
        .into_iter()
        .collect();
    checked(manifests, &unread, "a.yaml", None, at(100))
}

fn carrying(consent: &str) -> Value {
    connection(|connection| {
        connection["metadata"]["annotations"] = json!({"connections.dev/consent": consent});
    })
}

fn digest() -> String {
    let told = told_of(&documents(&[connection(|_| ())]), None).expect("an answer");
    told.trim_end().rsplit(' ').next().expect("a digest").to_owned()
}

#[test]
fn a_check_goes_by_what_is_there_and_what_the_content_takes() {
    let says = "a.yaml: the connection sftp-partner carries";
    let something_else = format!("{says} consent to something else: connections.dev/consent is");
    let zeros = "0".repeat(64);
    let rows = [
        (
            "nothing",
            connection(|_| ()),
            Outcome::Agreed,
            format!("{says} no consent, which can be given on the cluster.\n"),
        ),
        (
            "nothing between the quotes",
            carrying(""),
            Outcome::Agreed,
            format!("{says} no consent, which can be given on the cluster.\n"),
        ),
        (
            "a person alone",
            connection(|connection| {
                connection["metadata"]["annotations"] = json!({"connections.dev/consent-person": "ana"});
            }),
            Outcome::Agreed,
            format!(
                "{says} no consent, which can be given on the cluster. connections.dev/consent-person consents to \
                 nothing without connections.dev/consent.\n"
            ),
        ),
        (
            "the digest",
            carrying(&digest()),
            Outcome::Agreed,
            format!("{says} consent to this destination and notice.\n"),
        ),
        (
            "another digest",
            carrying(&zeros),
            Outcome::Differs,
            format!(
                "{something_else} {zeros}, and this destination and notice take {}.",
                digest()
            ),
        ),
        (
            "no digest at all",
            carrying("yes\u{1b}[2J, I agree to all of it, and to what may yet come of it in the end"),
            Outcome::Differs,
            format!(
                "{something_else} \"yes\u{fffd}[2J, I agree to all of it, and to what may yet come of i…\", and"
            ),
        ),
    ];
    for (case, manifest, outcome, expected) in rows {
        let checked = check_of(&[manifest]);
        assert_eq!(checked.outcome, outcome, "{case}: {}", checked.told);
        assert!(checked.told.starts_with(&expected), "{case}: {}", checked.told);
        let whole = outcome == Outcome::Agreed;
        assert_eq!(checked.told == expected, whole, "{case}: {}", checked.told);
    }
}

#[test]
fn a_check_of_key_vaults_goes_by_the_same_rules() {
    let digest_of = |manifest: &Value| {
        let told = told_of(&documents(std::slice::from_ref(manifest)), None).expect("an answer");
        told.trim_end().rsplit(' ').next().expect("a digest").to_owned()
    };
    let agreed = |change: fn(&mut Value)| {
        vault(|manifest| {
            manifest["metadata"]["annotations"] =
                json!({"connections.dev/consent": digest_of(&vault(|_| ()))});
            change(manifest);
        })
    };
    let says = "a.yaml: the key vault team-vault carries";
    let rows: [(&str, Value, Outcome, &str); 5] = [
        (
            "nothing",
            vault(|_| ()),
            Outcome::Agreed,
            " no consent, which can be given on the cluster.\n",
        ),
        (
            "the digest",
            agreed(|_| ()),
            Outcome::Agreed,
            " consent to this destination and notice.\n",
        ),
        (
            "the digest, and another way to sign in",
            agreed(|vault| {
                vault["spec"]["vault"]["auth"] = json!({"kubernetes": {"role": "connections"}});
                vault["spec"]["allowedSecrets"] = json!(["partner-*"]);
            }),
            Outcome::Agreed,
            " consent to this destination and notice.\n",
        ),
        (
            "that of another mount",
            agreed(|vault| vault["spec"]["vault"]["mount"] = "team/kv".into()),
            Outcome::Differs,
            " consent to something else: connections.dev/consent is ",
        ),
        (
            "that of another host",
            agreed(|vault| vault["spec"]["vault"]["address"] = "https://vault.evil.example:8200".into()),
            Outcome::Differs,
            " consent to something else: connections.dev/consent is ",
        ),
    ];
    for (case, manifest, outcome, expected) in rows {
        let checked = check_of(&[manifest]);
        assert_eq!(checked.outcome, outcome, "{case}: {}", checked.told);
        let expected = format!("{says}{expected}");
        assert!(checked.told.starts_with(&expected), "{case}: {}", checked.told);
    }
    let both = check_of(&[agreed(|_| ()), carrying("another")]);
    assert_eq!(both.outcome, Outcome::Differs, "{}", both.told);
    assert!(
        both.told.starts_with(says) && both.told.contains("the connection sftp-partner carries"),
        "as they come: {}",
        both.told
    );
}

#[test]
fn what_differs_is_told_with_the_notice_and_the_line_for_the_manifest() {
    let moved = |connection: &mut Value| {
        connection["metadata"]["annotations"] = json!({"connections.dev/consent": digest()});
        connection["spec"]["parameters"]["hostname"] = "sftp.elsewhere.example".into();
    };
    let told = check_of(&[connection(moved)]).told;
    let explained = told_of(&documents(&[connection(moved)]), None).expect("an answer");
    assert!(
        explained.contains("hostname: \"sftp.elsewhere.example\""),
        "{explained}"
    );
    assert!(
        told.ends_with(&format!(" What that means:\n\n{explained}\n")),
        "{told}"
    );
}

#[test]
fn a_check_counts_the_notice_before_until_its_end() {
    let mut type_ = serde_json::to_value(crate::fixtures::catalog_type("sftp-export")).expect("JSON");
    let old = type_["spec"]["notice"].clone();
    type_["spec"]["notice"]["version"] = "next".into();
    for (until, outcome) in [
        ("2023-11-14T22:21:40Z", Outcome::Agreed),
        ("2023-11-14T22:00:00Z", Outcome::Differs),
    ] {
        type_["spec"]["notice"]["previous"] = old.clone();
        type_["spec"]["notice"]["previous"]["until"] = until.into();
        let checked = check_of(&[carrying(&digest()), type_.clone()]);
        assert_eq!(checked.outcome, outcome, "{}", checked.told);
        let counts = format!("carries consent to the notice before, which counts until {until}. To agree");
        assert_eq!(
            checked.told.contains(&counts),
            outcome == Outcome::Agreed,
            "{}",
            checked.told
        );
    }
}

#[test]
fn what_cannot_be_told_is_no_agreement_and_hides_no_difference() {
    let unknown = || {
        let mut unknown = carrying(&digest());
        unknown["spec"]["type"] = "carrier-pigeon".into();
        unknown
    };
    let unclear = check_of(&[unknown(), carrying(&digest())]);
    assert_eq!(unclear.outcome, Outcome::Unclear, "{}", unclear.told);
    let expected =
        "a.yaml: the connection sftp-partner is of type carrier-pigeon, which is neither in the catalog";
    assert!(unclear.told.starts_with(expected), "{}", unclear.told);
    let both = check_of(&[unknown(), carrying("another")]);
    assert_eq!(both.outcome, Outcome::Differs, "{}", both.told);
}

#[test]
fn a_check_that_finds_nothing_to_check_fails_and_says_where_it_looked() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("it is made");
        std::fs::write(path, text).expect("it is written");
    };
    write("empty/readme.txt", &documents(&[carrying("another")]));
    write("one/secret.yaml", "kind: Secret\n");
    write("two/secret.yaml", "kind: Secret\n");
    write("two/deep/none.yml", "# nothing\n");
    write("there/connection.yaml", &documents(&[connection(|_| ())]));
    let place = |name: &&str| folder.path().join(name);
    let rows: [(&[&str], Option<&str>); 5] = [
        (&["empty"], Some("no YAML file was found there")),
        (&["one"], Some("the 1 file there was read")),
        (&["two"], Some("the 2 files there were read")),
        (&["one", "two"], Some("the 3 files there were read")),
        (&["empty", "two", "there"], None),
    ];
    for (names, found) in rows {
        let places: Vec<PathBuf> = names.iter().map(place).collect();
        let checked = check(&places, None, at(100));
        let Some(found) = found else {
            assert_eq!(checked.outcome, Outcome::Agreed, "{names:?}: {}", checked.told);
            continue;
        };
        let looked: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
        let told = format!(
            "There is no Connection or KeyVault in {}: {found}. Of a folder, only what ends in .yaml or .yml is \
             read. Name a file or folder that holds one.\n",
            looked.join(", ")
        );
        let outcome = Outcome::Unclear;
        assert_eq!(checked, Checked { outcome, told }, "{names:?}");
    }
}

#[test]
fn a_check_reads_lists_and_all_yaml_below_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("it is made");
        std::fs::write(path, text).expect("it is written");
    };
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [carrying("another")]});
    write("deep/down/list.yml", &list.to_string());
    write(
        "two.yaml",
        &documents(&[carrying(&digest()), json!(null), carrying("another")]),
    );
    write("empty.yaml", "# nothing\n");
    write("ignored.txt", "{");
    let below = |name: &str| {
        let place = folder.path().join(name);
        let checked = check(std::slice::from_ref(&place), None, at(100));
        (
            checked.outcome,
            checked
                .told
                .matches(": the connection sftp-partner carries")
                .count(),
        )
    };
    assert_eq!(below("."), (Outcome::Differs, 3));
    assert_eq!(below("deep"), (Outcome::Differs, 1));
    assert_eq!(below("absent.yaml"), (Outcome::Unclear, 0));
    write("broken.yaml", "{");
    assert_eq!(
        below("."),
        (Outcome::Differs, 3),
        "the others are checked all the same"
    );
}

#[test]
fn it_tells_that_the_type_is_deprecated() {
    let sendinblue = include_str!("../../../examples/catalog/sendinblue.yaml");
    let told = told_of(sendinblue, Some("marketing")).expect("an answer");
    let (head, rest) = told.split_once('\n').expect("lines");
    assert!(head.ends_with("of type sendinblue"), "{told}");
    assert!(rest.starts_with("Its type sendinblue is deprecated: "), "{told}");
    assert!(
        rest.contains(" Use the type brevo instead.\n\nThe notice, "),
        "{told}"
    );
}
