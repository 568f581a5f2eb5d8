#![expect(clippy::too_many_lines, reason = "a table is long, not deep")]

use super::*;
use crate::vault::address::{Identity, Provider, VaultAddress, VaultUrl};
use crate::vault::reach::{AZURE_SUFFIXES, Reach};

const OLD: &str = "11111111111111111111111111111111";
const NEW: &str = "22222222222222222222222222222222";

fn asking() -> Asking {
    let reach = Reach::parse(AZURE_SUFFIXES).expect("a list");
    Asking::from(&VaultAddress {
        url: VaultUrl::parse_azure("https://sales.vault.azure.net", &reach).expect("an address"),
        provider: Provider::Azure {
            tenant: "contoso.com".to_owned(),
        },
        ca_bundle: None,
        identity: Identity::AzureManaged { client_id: None },
    })
}

fn wanted(version: Option<&str>) -> Wanted {
    Wanted {
        secret: "sftp".to_owned(),
        version: version.map(str::to_owned),
        key: None,
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn version(id: &str, created: i64) -> Version {
    Version {
        id: id.to_owned(),
        enabled: true,
        created: Some(at(created)),
        not_before: None,
        expires: None,
    }
}

#[test]
fn the_wanted_version_counts_or_else_the_one_that_was_made_last() {
    let disabled = Version {
        enabled: false,
        ..version(NEW, 20)
    };
    let later = Version {
        not_before: Some(at(200)),
        ..version(NEW, 20)
    };
    let expired = Version {
        expires: Some(at(100)),
        ..version(NEW, 20)
    };
    let expiring = Version {
        expires: Some(at(101)),
        ..version(NEW, 20)
    };
    let old = version(OLD, 10);
    let rows = [
        (
            "the newest, though listed first",
            vec![version(NEW, 20), old.clone()],
            None,
            Ok(NEW),
        ),
        (
            "the newest, listed last",
            vec![old.clone(), version(NEW, 20)],
            None,
            Ok(NEW),
        ),
        (
            "the wanted one",
            vec![old.clone(), version(NEW, 20)],
            Some(OLD),
            Ok(OLD),
        ),
        ("none", vec![], None, Err("SecretNotFound")),
        (
            "none of a secret that isn't there",
            vec![],
            Some(OLD),
            Err("SecretNotFound"),
        ),
        (
            "not the wanted one",
            vec![old.clone()],
            Some(NEW),
            Err("VersionNotFound"),
        ),
        (
            "the newest is disabled",
            vec![old.clone(), disabled.clone()],
            None,
            Err("SecretDisabled"),
        ),
        (
            "another is disabled",
            vec![old.clone(), disabled],
            Some(OLD),
            Ok(OLD),
        ),
        (
            "its time hasn't come",
            vec![old.clone(), later],
            None,
            Err("SecretDisabled"),
        ),
        (
            "its time is over",
            vec![old.clone(), expired],
            None,
            Err("SecretExpired"),
        ),
        ("its time is nearly over", vec![old, expiring], None, Ok(NEW)),
    ];
    for (case, versions, pinned, expected) in rows {
        let judged = judge(&asking(), &wanted(pinned), &versions, at(100));
        let judged = judged.as_ref().map(|found| found.version.as_str());
        assert_eq!(judged.map_err(Fault::reason), expected, "{case}");
    }
}

#[test]
fn a_refusal_is_told_by_its_status_and_the_codes_that_azure_documents() {
    let body = |code: &str, inner: &str| {
        format!(r#"{{"error":{{"code":"{code}","message":"canary","innererror":{{"code":"{inner}"}}}}}}"#)
    };
    let plain = |code: &str| format!(r#"{{"error":{{"code":"{code}","message":"canary"}}}}"#);
    let issuer = r#"{"error":{"code":"Unauthorized","message":"AKV10032: Invalid issuer. canary"}}"#;
    let disabled = r#"{"error":{"code":"Forbidden","message":"Operation get is not allowed on a disabled secret. canary"}}"#;
    let any = wanted(None);
    let pinned = wanted(Some(OLD));
    let rows = [
        (
            "no such secret",
            Purpose::Look(&any),
            404,
            plain("SecretNotFound"),
            "SecretNotFound",
        ),
        (
            "no such secret to read",
            Purpose::Read(&any),
            404,
            plain("SecretNotFound"),
            "SecretNotFound",
        ),
        (
            "no such version",
            Purpose::Read(&pinned),
            404,
            plain("SecretNotFound"),
            "VersionNotFound",
        ),
        (
            "no such version of a wrong form",
            Purpose::Read(&pinned),
            400,
            plain("BadParameter"),
            "VersionNotFound",
        ),
        (
            "no right by role",
            Purpose::Look(&any),
            403,
            body("Forbidden", "ForbiddenByRbac"),
            "AccessDenied",
        ),
        (
            "no right by policy",
            Purpose::Read(&any),
            403,
            body("Forbidden", "AccessDenied"),
            "AccessDenied",
        ),
        (
            "the firewall",
            Purpose::List,
            403,
            body("Forbidden", "ForbiddenByFirewall"),
            "AccessDenied",
        ),
        (
            "disabled",
            Purpose::Read(&any),
            403,
            body("Forbidden", "SecretDisabled"),
            "SecretDisabled",
        ),
        (
            "disabled, in words only",
            Purpose::Read(&any),
            403,
            disabled.to_owned(),
            "SecretDisabled",
        ),
        (
            "another tenant",
            Purpose::Look(&any),
            401,
            issuer.to_owned(),
            "CredentialRejected",
        ),
        (
            "a token that isn't taken",
            Purpose::Look(&any),
            401,
            plain("Unauthorized"),
            "CredentialRejected",
        ),
        (
            "too many requests",
            Purpose::List,
            429,
            plain("Throttled"),
            "Throttled",
        ),
        (
            "in trouble",
            Purpose::Look(&any),
            503,
            plain("ServiceUnavailable"),
            "VaultUnavailable",
        ),
        (
            "in trouble, and not in JSON",
            Purpose::Look(&any),
            500,
            "<html>canary".to_owned(),
            "VaultUnavailable",
        ),
        (
            "not a vault",
            Purpose::Look(&any),
            404,
            "<html>canary".to_owned(),
            "VaultUnavailable",
        ),
        ("no list", Purpose::List, 404, String::new(), "VaultUnavailable"),
    ];
    for (case, purpose, status, body, expected) in rows {
        let fault = refusal(&asking(), &purpose, status, body.as_bytes());
        assert_eq!(fault.reason(), expected, "{case}");
        assert!(
            !fault.to_string().contains("canary"),
            "{case}: nothing of the answer is repeated"
        );
    }
}

#[test]
fn the_right_that_is_named_is_the_one_that_was_needed() {
    let body = r#"{"error":{"code":"Forbidden","innererror":{"code":"ForbiddenByRbac"}}}"#.as_bytes();
    let any = wanted(None);
    let rows = [
        (Purpose::Look(&any), " or on the secret, or Get and List"),
        (Purpose::List, ", or List"),
        (Purpose::Read(&any), " or on the secret, or Get"),
    ];
    for (purpose, right) in rows {
        let words = refusal(&asking(), &purpose, 403, body).to_string();
        assert!(
            words.contains(&format!(
                "the role Key Vault Secrets User on the vault{right} in the access policy"
            )) && words.contains("managed identity"),
            "{words}"
        );
    }
}

#[test]
fn an_error_of_ours_comes_back_out_of_azures_client() {
    let any = wanted(None);
    let fault = |error: azure_core::Error| super::fault(&asking(), &Purpose::Look(&any), &error);
    let send = |error: SendError| azure_core::Error::new(ErrorKind::Other, error).with_context("outer");
    assert_eq!(fault(send(SendError::NoSuchHost)).reason(), "VaultNotFound");
    assert_eq!(fault(send(SendError::NotAllowed)).reason(), "AddressNotAllowed");
    assert_eq!(fault(send(SendError::Paused)).reason(), "Throttled");
    assert_eq!(fault(send(Outage::Slow.into())), asking().away(Outage::Slow));
    let rejected = asking().rejected(Rejection::Expired);
    let carried = azure_core::Error::new(ErrorKind::Credential, rejected.clone());
    assert_eq!(
        fault(carried.with_context("outer").with_context("outermost")),
        rejected
    );
    let garbage = azure_core::Error::with_message(ErrorKind::DataConversion, "canary");
    assert_eq!(fault(garbage), asking().away(Outage::Garbage));
}
