//! What Vault says around and instead of data.
//!
//! Statuses and the shape `{"errors": [...]}`: developer.hashicorp.com/vault/api-docs#http-status-codes, #error-response.
//! No page has the words of refusals; they are those of the servers' own code, which stands beside them.

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
/// developer.hashicorp.com/vault/docs/concepts/policies; in words github.com/hashicorp/vault vault/request_handling.go
pub(super) fn denied() -> Answer {
    errors(403, &["1 error occurred:\n\t* permission denied\n\n"])
}

/// 403: expired, revoked, or never given. developer.hashicorp.com/vault/docs/concepts/tokens. So says Vault; OpenBao says
/// the same as to a token without the right.
pub(super) fn invalid_token() -> Answer {
    errors(
        403,
        &["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"],
    )
}

/// 403: no token at all, also for a login where no method is mounted: only a method's own path takes none.
/// developer.hashicorp.com/vault/api-docs#authentication; in words github.com/openbao/openbao
/// internal/vault/request_handling.go (`fetchACLTokenEntryAndEntity`). Vault 1.x of old said 400, `missing client token`.
pub(super) fn missing_token() -> Answer {
    denied()
}

/// 404: nothing is mounted there, or there is no such namespace. So says Vault (github.com/hashicorp/vault
/// vault/router.go); OpenBao has `namespace not found` for the latter.
pub(super) fn no_route(segments: &[&str]) -> Answer {
    let path = segments.get(1..).unwrap_or_default().join("/");
    errors(
        404,
        &[&format!(
            "no handler for route \"{path}\". route entry not found."
        )],
    )
}

/// 404 without a word: nothing is there, and asking was allowed. developer.hashicorp.com/vault/api-docs#api-operations
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
        // developer.hashicorp.com/vault/docs/concepts/resource-quotas. The header is sent if the vault's
        // `enable_rate_limit_response_headers` is on (developer.hashicorp.com/vault/api-docs/system/quotas-config); it is off
        // at first.
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
        // developer.hashicorp.com/vault/api-docs/system/health
        Fault::Sealed if is_health => {
            Answer::json(503, json!({"initialized": true, "sealed": true, "standby": true}))
        }
        // developer.hashicorp.com/vault/api-docs#http-status-codes (503)
        Fault::Sealed => errors(503, &["Vault is sealed"]),
        // developer.hashicorp.com/vault/api-docs/system/health
        Fault::Standby if is_health => Answer::json(
            429,
            json!({"initialized": true, "sealed": false, "standby": true}),
        ),
        // developer.hashicorp.com/vault/docs/concepts/ha#client-redirection
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
