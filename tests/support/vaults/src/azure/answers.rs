//! What Azure Key Vault says when it doesn't give what is asked for.
//!
//! Statuses: learn.microsoft.com/azure/key-vault/general/rest-error-codes, and the page below.
//! Shape `{"error": {"code", "message", "innererror"}}`: learn.microsoft.com/azure/key-vault/general/
//! authentication-requests-and-responses ("Handling error responses"); `innererror` is in the REST reference alone,
//! learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret
//!
//! No page lists all codes and words. Those without a page are what the vendor's clients have recorded, and say so.

use serde_json::json;

use super::{Data, PermissionModel};
use crate::fault::Fault;
use crate::wire::{Answer, Ask};

/// A refusal in the common shape.
pub(super) fn error(status: u16, code: &str, message: &str, inner: Option<&str>) -> Answer {
    let mut error = json!({"code": code, "message": message});
    if let Some(inner) = inner {
        error["innererror"] = json!({"code": inner});
    }
    Answer::json(status, json!({"error": error}))
        .with("x-ms-keyvault-region", "westeurope")
        .with("x-ms-keyvault-service-version", "1.9.0.0")
}

/// What a token for this vault must be for: the host without its first part, as in all of Azure's clouds. The official client
/// refuses a challenge that names another.
pub(super) fn resource(ask: &Ask) -> String {
    let host = ask.host().rsplit_once(':').map_or(ask.host(), |(host, _)| host);
    match host.split_once('.') {
        Some((_, rest)) if host.parse::<std::net::IpAddr>().is_err() => format!("https://{rest}"),
        _ => "https://vault.azure.net".to_owned(),
    }
}

/// 401, and where to get a token.
/// learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses
pub(super) fn challenge(data: &Data, ask: &Ask, message: &str) -> Answer {
    let challenge = format!(
        "Bearer authorization=\"https://login.microsoftonline.com/{}\", resource=\"{}\"",
        data.tenant,
        resource(ask)
    );
    error(401, "Unauthorized", message, None).with("www-authenticate", challenge)
}

/// 401: a token of another tenant.
/// github.com/Azure/azure-sdk-for-js/blob/main/sdk/keyvault/TROUBLESHOOTING.md ("AKV10032: Invalid issuer")
pub(super) fn wrong_issuer(data: &Data, ask: &Ask, found: &str) -> Answer {
    let message = format!(
        "AKV10032: Invalid issuer. Expected one of https://sts.windows.net/{}/, found https://sts.windows.net/{found}/.",
        data.tenant
    );
    challenge(data, ask, &message)
}

/// 403: known, and without the right. `action` as roles name it, `right` as access policies do.
/// learn.microsoft.com/azure/key-vault/general/rest-error-codes ("HTTP 403: Insufficient Permissions"); by roles in the words
/// of learn.microsoft.com/azure/key-vault/general/howto-abac-conditions-cli (`ForbiddenByRbac`); by access policies as
/// recorded.
pub(super) fn forbidden(data: &Data, client: &str, right: &str, action: &str, what: &str) -> Answer {
    let (message, inner) = match data.permission_model {
        PermissionModel::Rbac => (
            format!(
                "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role \
                 definitions were changed recently, please observe propagation time.\r\nCaller: appid={client};iss=https://\
                 sts.windows.net/{}/\r\nAction: 'Microsoft.KeyVault/vaults/secrets/{action}'\r\nResource: \
                 '.../providers/microsoft.keyvault/vaults/{}{what}'\r\nAssignment: (not found)\r\nVault: {};location=westeurope\r\n",
                data.tenant, data.vault, data.vault
            ),
            "ForbiddenByRbac",
        ),
        PermissionModel::Policy => (
            format!(
                "The user, group or application 'appid={client};iss=https://sts.windows.net/{}/' does not have secrets {right} \
                 permission on key vault '{};location=westeurope'. For help resolving this issue, please see \
                 https://go.microsoft.com/fwlink/?linkid=2125287",
                data.tenant, data.vault
            ),
            "ForbiddenByPolicy",
        ),
    };
    error(403, "Forbidden", &message, Some(inner))
}

/// 403: it is there, and switched off.
/// learn.microsoft.com/azure/key-vault/secrets/javascript-developer-guide-enable-disable-secret; the inner code as recorded.
pub(super) fn disabled() -> Answer {
    error(
        403,
        "Forbidden",
        "Operation get is not allowed on a disabled secret.",
        Some("SecretDisabled"),
    )
}

/// 404, also for a version that isn't there and for a secret that was deleted and can be recovered.
/// learn.microsoft.com/azure/key-vault/general/soft-delete-overview ("Key vault object recovery"); in the words of
/// docs.rs/azure_security_keyvault_secrets ("Troubleshooting")
pub(super) fn not_found(name: &str) -> Answer {
    let message = format!(
        "A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may be able to \
         recover it using the correct recovery command. For help resolving this issue, please see \
         https://go.microsoft.com/fwlink/?linkid=2125182"
    );
    error(404, "SecretNotFound", &message, None)
}

/// What doesn't fit. learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates ("Object identifiers"); the
/// code as recorded.
pub(super) fn bad_parameter(message: &str) -> Answer {
    error(400, "BadParameter", message, None)
}

/// Faults that have words of their own.
pub(super) fn fault(fault: &Fault, ask: &Ask) -> Answer {
    match fault {
        // learn.microsoft.com/azure/key-vault/general/overview-throttling has the status alone: code and words are recorded,
        // and whether Retry-After is sent, no page says.
        Fault::Throttled { retry_after } => {
            let message = "Request was not processed because too many requests were received. Reason: \
                           VaultRequestTypeLimitReached";
            let answer = error(429, "Throttled", message, None);
            match retry_after {
                Some(seconds) => answer.with("retry-after", seconds.to_string()),
                None => answer,
            }
        }
        // learn.microsoft.com/azure/key-vault/general/rest-error-codes ("Error due to firewall policy"); the inner code:
        // learn.microsoft.com/azure/key-vault/general/private-link-diagnostics
        Fault::Firewall => {
            let message = "Client address is not authorized and caller is not a trusted service.\r\nClient address: 203.0.113.7\
                           \r\nVault: contoso;location=westeurope";
            error(403, "Forbidden", message, Some("ForbiddenByFirewall"))
        }
        // learn.microsoft.com/azure/key-vault/general/common-error-codes (`AccessDenied`)
        Fault::Forbidden => error(403, "Forbidden", "Access denied.", Some("AccessDenied")),
        // As recorded.
        Fault::TokenRefused => {
            let challenge = format!(
                "Bearer authorization=\"https://login.microsoftonline.com/common\", resource=\"{}\", error=\"invalid_token\"",
                resource(ask)
            );
            error(
                401,
                "Unauthorized",
                "AKV10046: Unable to resolve the key used for signature validation.",
                None,
            )
            .with("www-authenticate", challenge)
        }
        Fault::ServerError(status) => error(
            *status,
            "InternalServerError",
            "An internal error occurred.",
            None,
        ),
        _ => error(503, "ServiceUnavailable", "The service is unavailable.", None),
    }
}
