use super::*;
use crate::vault::address::{Identity, Provider, VaultAddress, VaultUrl};
use crate::vault::reach::Reach;

fn asking() -> Asking {
    let reach = Reach::parse(["vault.example"]).expect("a list");
    Asking::from(&VaultAddress {
        url: VaultUrl::parse("https://vault.example:8200", &reach).expect("an address"),
        provider: Provider::Vault {
            mount: "kv".to_owned(),
            namespace: None,
            engine: Engine::V2,
        },
        ca_bundle: None,
        identity: Identity::VaultToken {
            token: SecretText::new("canary".to_owned()),
        },
    })
}

fn wanted(version: Option<&str>, key: Option<&str>) -> Wanted {
    Wanted {
        secret: "team/sftp".to_owned(),
        version: version.map(str::to_owned),
        key: key.map(str::to_owned),
    }
}

fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().expect("a time")
}

/// A document of metadata, as the page on reading it shows one.
fn document(current: u64, versions: &str) -> String {
    format!(
        r#"{{"request_id":"x","lease_id":"","data":{{"cas_required":false,"created_time":"2026-01-01T00:00:00.1Z","current_version":{current},"custom_metadata":null,"delete_version_after":"0s","max_versions":0,"oldest_version":0,"updated_time":"2026-01-01T00:00:00.1Z","versions":{{{versions}}}}}}}"#
    )
}

#[test]
fn metadata_tells_whether_a_version_may_be_used() {
    let live = r#"{"created_time":"2026-01-01T00:00:00.1Z","deletion_time":"","destroyed":false}"#;
    let deleted = r#"{"created_time":"2026-01-01T00:00:00.1Z","deletion_time":"2026-05-01T00:00:00.123456789Z","destroyed":false}"#;
    let destroyed = r#"{"created_time":"2026-01-01T00:00:00.1Z","deletion_time":"","destroyed":true}"#;
    let ending = r#"{"created_time":"2026-01-01T00:00:00.1Z","deletion_time":"2026-07-01T00:00:00Z","destroyed":false}"#;
    let two = |first: &str, second: &str| document(2, &format!(r#""1":{first},"2":{second}"#));
    let rows = [
        ("the newest", two(live, live), None, Ok(("2", false))),
        ("the wanted one", two(live, live), Some("1"), Ok(("1", false))),
        (
            "one that will be deleted",
            two(live, ending),
            None,
            Ok(("2", true)),
        ),
        (
            "one that isn't there",
            two(live, live),
            Some("3"),
            Err("VersionNotFound"),
        ),
        (
            "the newest was deleted",
            two(live, deleted),
            None,
            Err("SecretNotFound"),
        ),
        (
            "the wanted one was deleted",
            two(deleted, live),
            Some("1"),
            Err("VersionNotFound"),
        ),
        (
            "the wanted one was destroyed",
            two(destroyed, live),
            Some("1"),
            Err("VersionNotFound"),
        ),
        (
            "the newest was destroyed",
            two(live, destroyed),
            None,
            Err("SecretNotFound"),
        ),
        ("no version yet", document(0, ""), None, Err("SecretNotFound")),
        (
            "the newest isn't listed",
            document(3, ""),
            None,
            Err("SecretNotFound"),
        ),
        ("not Vault", "<html>".to_owned(), None, Err("VaultUnavailable")),
        (
            "of another form",
            r#"{"data":{"keys":[]}}"#.to_owned(),
            None,
            Err("VaultUnavailable"),
        ),
    ];
    for (case, body, version, expected) in rows {
        let judged = metadata(&asking(), &wanted(version, None), body.as_bytes(), now());
        let judged = judged
            .as_ref()
            .map(|found| (found.version.as_str(), found.expires.is_some()));
        assert_eq!(judged.map_err(Fault::reason), expected, "{case}");
    }
}

#[test]
fn a_value_is_taken_by_its_key_and_the_others_are_passed_over() {
    let two = |data: &str| {
        format!(
            r#"{{"lease_id":"","data":{{"data":{data},"metadata":{{"created_time":"x","deletion_time":"","destroyed":false,"version":4}}}}}}"#
        )
    };
    let one = |data: &str| format!(r#"{{"lease_id":"","lease_duration":2764800,"data":{data}}}"#);
    let keys =
        r#"{"user":"acme","password":"p\"a\u00e4ss","port":22,"empty":"","gone":null,"deep":{"a":[1]}}"#;
    let rows = [
        ("a text", "password", Ok("p\"a\u{e4}ss")),
        ("a number", "port", Ok("22")),
        ("nothing in it", "empty", Ok("")),
        ("something deeper", "deep", Ok(r#"{"a":[1]}"#)),
        ("no value", "gone", Err("KeyNotFound")),
        ("no such key", "Password", Err("KeyNotFound")),
        ("a key inside of another", "a", Err("KeyNotFound")),
    ];
    for (case, key, expected) in rows {
        for (engine, body, version) in [(Engine::V2, two(keys), "4"), (Engine::V1, one(keys), "")] {
            let read = value(
                &asking(),
                engine,
                &wanted(None, Some(key)),
                body.as_bytes(),
                now(),
            );
            let seen = read
                .as_ref()
                .map(|(found, text)| (found.version.as_str(), text.expose()));
            assert_eq!(
                seen.map_err(Fault::reason),
                expected.map(|text| (version, text)),
                "{case}"
            );
        }
    }
    let rows = [
        (
            "a value that was deleted",
            Engine::V2,
            two("null"),
            "SecretNotFound",
        ),
        (
            "no data",
            Engine::V1,
            r#"{"lease_id":""}"#.to_owned(),
            "SecretNotFound",
        ),
        ("no keys", Engine::V1, one("[1]"), "VaultUnavailable"),
        ("not Vault", Engine::V2, "canary".to_owned(), "VaultUnavailable"),
    ];
    for (case, engine, body, expected) in rows {
        let read = value(
            &asking(),
            engine,
            &wanted(None, Some("password")),
            body.as_bytes(),
            now(),
        );
        assert_eq!(read.err().map(|fault| fault.reason()), Some(expected), "{case}");
    }
}

#[test]
fn a_refusal_is_told_by_its_status_and_the_words_that_vault_is_known_by() {
    let errors = |text: &str| format!(r#"{{"errors":["{text} canary"]}}"#);
    let nothing = || r#"{"errors":[]}"#.to_owned();
    let gone = r#"{"data":{"data":null,"metadata":{"deletion_time":"2026-05-01T00:00:00Z","destroyed":false,"version":2}}}"#;
    let other = r#"{"errors":[],"warnings":["Invalid path for a versioned K/V secrets engine. canary"]}"#;
    let rows = [
        ("no such secret", 404, nothing(), None, "SecretNotFound"),
        ("no such version", 404, nothing(), Some("9"), "VersionNotFound"),
        ("deleted", 404, gone.to_owned(), None, "SecretNotFound"),
        (
            "no such secret, without a word",
            404,
            String::new(),
            None,
            "SecretNotFound",
        ),
        (
            "nothing mounted",
            404,
            errors("no handler for route"),
            None,
            "VaultNotFound",
        ),
        (
            "no such namespace, as OpenBao says it",
            404,
            errors("namespace not found"),
            None,
            "VaultNotFound",
        ),
        ("the other engine", 404, other.to_owned(), None, "VaultNotFound"),
        (
            "too many requests",
            429,
            errors("request path quota exceeded"),
            None,
            "Throttled",
        ),
        ("sealed", 503, errors("Vault is sealed"), None, "VaultUnavailable"),
        (
            "in trouble",
            500,
            errors("internal error"),
            None,
            "VaultUnavailable",
        ),
        (
            "a proxy in trouble",
            502,
            "<html>canary".to_owned(),
            None,
            "VaultUnavailable",
        ),
        (
            "not Vault",
            404,
            "<html>canary".to_owned(),
            None,
            "VaultUnavailable",
        ),
    ];
    for (case, status, body, version, expected) in rows {
        let wanted = wanted(version, None);
        let fault = refusal(&asking(), "kv", Some(&wanted), status, body.as_bytes());
        assert_eq!(fault.reason(), expected, "{case}");
        assert!(
            !fault.to_string().contains("canary"),
            "{case}: nothing of the answer is repeated"
        );
    }
}

#[test]
fn a_list_holds_only_names_that_could_be_asked_for() {
    let body = r#"{"data":{"keys":["sftp","team/","../x","a b","n?x"]}}"#;
    assert_eq!(
        names(&asking(), body.as_bytes()),
        Ok(vec!["sftp".to_owned(), "team/".to_owned()])
    );
    assert!(names(&asking(), b"[]").is_err());
}

#[test]
fn a_token_comes_with_its_time() {
    let body = r#"{"auth":{"client_token":"s.x","lease_duration":600,"renewable":true,"policies":[]}}"#;
    let grant = super::grant(&asking(), body.as_bytes()).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(
        (grant.token.expose(), grant.lease, grant.renewable),
        ("s.x", Duration::from_mins(10), true)
    );
    assert!(super::grant(&asking(), br#"{"auth":null}"#).is_err());
}
