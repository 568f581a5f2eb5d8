//! What Vault says around and instead of data.
//!
//! Statuses and the shape `{"errors": [...]}`: developer.hashicorp.com/vault/api-docs#http-status-codes, #error-response

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::wire::{Answer, Ask};

/// A refusal.
pub(super) fn errors(status: u16, errors: &[&str]) -> Answer {
    Answer::json(status, json!({"errors": errors}))
}

/// What is around all data. developer.hashicorp.com/vault/api-docs#api-operations
#[expect(clippy::needless_pass_by_value, reason = "callers make the values for it")]
pub(super) fn envelope(status: u16, data: Value, auth: Value) -> Answer {
    let body = json!({
        "request_id": "5f1c0d6e-0000-4000-8000-000000000001",
        "lease_id": "",
        "renewable": false,
        "lease_duration": 0,
        "data": data,
        "wrap_info": null,
        "warnings": null,
        "auth": auth,
    });
    Answer::json(status, body)
}

/// 403: the policies of the token don't allow it. Vault doesn't say whether it is there.
/// developer.hashicorp.com/vault/docs/concepts/policies
pub(super) fn denied() -> Answer {
    errors(403, &["1 error occurred:\n\t* permission denied\n\n"])
}

/// 403: expired, revoked, or never given. developer.hashicorp.com/vault/docs/concepts/tokens
pub(super) fn invalid_token() -> Answer {
    errors(403, &["permission denied"])
}

/// 400: no token at all. developer.hashicorp.com/vault/api-docs#authentication
pub(super) fn missing_token() -> Answer {
    errors(400, &["missing client token"])
}

/// 404: nothing is mounted there, or there is no such namespace.
/// developer.hashicorp.com/vault/api-docs#namespaces
pub(super) fn no_route(segments: &[&str]) -> Answer {
    let path = segments.get(1..).unwrap_or_default().join("/");
    errors(
        404,
        &[&format!(
            "no handler for route \"{path}\". route entry not found."
        )],
    )
}

/// 404 without a word: nothing is there, and asking was allowed.
pub(super) fn nothing() -> Answer {
    errors(404, &[])
}

/// developer.hashicorp.com/vault/api-docs/system/health
pub(super) fn health(now: Timestamp) -> Answer {
    Answer::json(
        200,
        json!({
            "initialized": true, "sealed": false, "standby": false, "performance_standby": false,
            "server_time_utc": now.as_second(), "version": "1.21.0", "cluster_name": "stand-in",
        }),
    )
}

/// Faults in Vault's words.
pub(super) fn fault(fault: &Fault, ask: &Ask) -> Answer {
    let is_health = ask.path == "/v1/sys/health";
    match fault {
        // developer.hashicorp.com/vault/docs/concepts/resource-quotas
        Fault::Throttled { retry_after } => {
            let path = ask.path.trim_start_matches("/v1/");
            let answer = errors(
                429,
                &[&format!("request path {path:?}: rate limit quota exceeded")],
            );
            match retry_after {
                Some(seconds) => answer.with("retry-after", seconds.to_string()),
                None => answer,
            }
        }
        // developer.hashicorp.com/vault/docs/concepts/seal
        Fault::Sealed if is_health => {
            Answer::json(503, json!({"initialized": true, "sealed": true, "standby": true}))
        }
        Fault::Sealed => errors(503, &["Vault is sealed"]),
        // developer.hashicorp.com/vault/docs/concepts/ha#client-redirection
        Fault::Standby if is_health => Answer::json(
            429,
            json!({"initialized": true, "sealed": false, "standby": true}),
        ),
        Fault::Standby => {
            let active = format!("https://active.vault.localhost:8200{}", ask.path);
            Answer {
                status: 307,
                headers: vec![("location", active)],
                body: None,
            }
        }
        Fault::Forbidden | Fault::Firewall => denied(),
        Fault::TokenRefused => invalid_token(),
        Fault::ServerError(status) => errors(*status, &["internal error"]),
        _ => errors(500, &["internal error"]),
    }
}
