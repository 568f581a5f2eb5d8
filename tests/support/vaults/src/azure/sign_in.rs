//! The token endpoint of Microsoft Entra ID.
//!
//! Form and answers: learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
//! Numbers of errors: learn.microsoft.com/entra/identity-platform/reference-error-codes, where a function names no other
//! page. Which status and word each number comes with, no page says.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::assertion;
use super::{Data, Given, Identity};
use crate::fault::Fault;
use crate::wire::{Answer, Ask};

/// Who signs in, or why nobody does.
pub(super) fn judge<'a>(
    data: &'a Data,
    tenant: &str,
    ask: &Ask,
    now: Timestamp,
) -> Result<&'a Identity, Answer> {
    let form = ask.form();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let of = |identity: &Identity| identity.tenant.clone().unwrap_or_else(|| data.tenant.clone());
    if tenant != data.tenant && !data.identities.iter().any(|identity| of(identity) == tenant) {
        return Err(no_tenant(tenant));
    }
    if field("grant_type") != "client_credentials" {
        let text = "The app requested an unsupported grant type.".to_owned();
        return Err(refused(400, "unsupported_grant_type", 70003, &text));
    }
    let client = field("client_id");
    let identity = data
        .identities
        .iter()
        .find(|identity| identity.client_id == client && of(identity) == tenant)
        .ok_or_else(|| no_application(client, tenant))?;
    if form.contains_key("client_secret") {
        return secret(identity, field("client_secret")).map(|()| identity);
    }
    if field("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
        let text =
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        return Err(refused(401, "invalid_client", 7_000_218, text));
    }
    assertion::judge(
        identity,
        field("client_assertion"),
        &format!("/{tenant}/oauth2/v2.0/token"),
        now,
    )
    .map(|()| identity)
}

fn secret(identity: &Identity, secret: &str) -> Result<(), Answer> {
    if identity.client_secret.as_deref() != Some(secret) {
        let text = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the \
             client secret ID, for a secret added to app '{}'.",
            identity.client_id
        );
        return Err(refused(401, "invalid_client", 7_000_215, &text));
    }
    if identity.client_secret_expired {
        let text = format!(
            "The provided client secret keys for app '{}' are expired.",
            identity.client_id
        );
        return Err(refused(401, "invalid_client", 7_000_222, &text));
    }
    Ok(())
}

/// learn.microsoft.com/troubleshoot/entra/entra-id/app-integration/error-code-aadsts90002-tenant-not-found
fn no_tenant(tenant: &str) -> Answer {
    let text = format!(
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
    );
    refused(400, "invalid_request", 90002, &text)
}

/// learn.microsoft.com/troubleshoot/entra/entra-id/app-integration/error-code-aadsts700016-app-not-found-in-directory
fn no_application(client: &str, tenant: &str) -> Answer {
    let text = format!("Application with identifier '{client}' was not found in the directory '{tenant}'.");
    refused(400, "unauthorized_client", 700_016, &text)
}

/// The shape of every refusal; the number stands in the text too.
pub(super) fn refused(status: u16, error: &str, number: u32, text: &str) -> Answer {
    Answer::json(
        status,
        json!({
            "error": error,
            "error_description": format!("AADSTS{number}: {text}"),
            "error_codes": [number],
            "timestamp": "2026-11-28 09:00:00Z",
            "trace_id": "0d8f2c1e-0000-4000-8000-000000000001",
            "correlation_id": "0d8f2c1e-0000-4000-8000-000000000002",
            "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
        }),
    )
}

/// The answer to who may sign in.
pub(super) fn granted(token: &str, seconds: i64) -> Answer {
    let body = json!({
        "token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token,
    });
    Answer::json(200, body).with("cache-control", "no-store, no-cache")
}

/// What a token says. learn.microsoft.com/entra/identity-platform/access-token-claims-reference
pub(super) fn claims(given: &Given, now: Timestamp) -> Value {
    json!({
        "aud": given.audience,
        "iss": format!("https://sts.windows.net/{}/", given.tenant),
        "appid": given.client,
        "tid": given.tenant,
        "iat": now.as_second(),
        "nbf": now.as_second(),
        "exp": given.until.as_second(),
    })
}

/// The same faults in the words of this endpoint.
pub(super) fn fault(fault: &Fault) -> Answer {
    match fault {
        // The number: learn.microsoft.com/entra/identity-platform/reference-error-codes (TenantThrottlingError). Whether this
        // endpoint sends Retry-After, no page says.
        Fault::Throttled { retry_after } => {
            let answer = refused(429, "temporarily_unavailable", 90_055, "Too many requests.");
            match retry_after {
                Some(seconds) => answer.with("retry-after", seconds.to_string()),
                None => answer,
            }
        }
        Fault::ServerError(status) => refused(
            *status,
            "temporarily_unavailable",
            90_033,
            "A transient error has occurred.",
        ),
        Fault::Forbidden | Fault::TokenRefused | Fault::Firewall => {
            // An access policy of the tenant keeps the workload out:
            // learn.microsoft.com/entra/identity-platform/reference-error-codes (BlockedByConditionalAccess)
            refused(
                400,
                "invalid_grant",
                53_003,
                "Access has been blocked by Conditional Access policies.",
            )
        }
        _ => refused(
            503,
            "temporarily_unavailable",
            90_033,
            "A transient error has occurred.",
        ),
    }
}
