use super::*;
use serde_json::{Value, json};

fn vectors() -> Vec<Value> {
    let text = include_str!("../../../docs/consent-vectors.json");
    let file: Value = serde_json::from_str(text).expect("JSON");
    file["vectors"].as_array().expect("vectors").clone()
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

fn refusal(change: impl FnOnce(&mut Value)) -> String {
    let answer = told_of(&documents(&[connection(change)]), None);
    answer.expect_err("a refusal").to_string()
}

#[test]
fn the_digest_is_that_of_the_published_vectors() {
    for vector in vectors() {
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
             more): give the type's manifest too, by a further --filename"
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
        "a file holds a connection that doesn't fit its kind; kubectl explain connection tells what fits"
    );
    let none = told_of("kind: Secret\n", None)
        .expect_err("a refusal")
        .to_string();
    assert_eq!(
        none,
        "there is no Connection in a file: name a file that holds one"
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
