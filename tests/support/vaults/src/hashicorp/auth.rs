//! Signing in to Vault, and what a token says of itself.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answers::errors;
use super::{Data, Given, Login, Method};
use crate::token::parts;
use crate::wire::Answer;

/// By which way somebody signs in at this mount, or why nobody does.
pub(super) fn judge<'a>(
    data: &'a Data,
    mount: &str,
    body: &Value,
    now: Timestamp,
) -> Result<&'a Login, Answer> {
    let here: Vec<&Login> = data.logins.iter().filter(|login| login.mount == mount).collect();
    let field = |name: &str| body[name].as_str().unwrap_or_default();
    match here.first().map(|login| &login.method) {
        None => Err(super::answers::no_route(&["v1", "auth", mount, "login"])),
        Some(Method::AppRole { .. }) => app_role(&here, field("role_id"), field("secret_id")),
        Some(_) => by_token(&here, field("role"), field("jwt"), now),
    }
}

/// developer.hashicorp.com/vault/api-docs/auth/approle#login-with-approle
fn app_role<'a>(here: &[&'a Login], role: &str, secret: &str) -> Result<&'a Login, Answer> {
    if role.is_empty() {
        return Err(errors(400, &["missing role_id"]));
    }
    let fits = |login: &&&Login| match &login.method {
        Method::AppRole { role_id, secret_id } => role_id == role && secret_id == secret,
        _ => false,
    };
    here.iter()
        .find(fits)
        .copied()
        .ok_or_else(|| errors(400, &["invalid role or secret ID"]))
}

/// developer.hashicorp.com/vault/api-docs/auth/kubernetes#login
/// developer.hashicorp.com/vault/api-docs/auth/jwt#jwt-login
///
/// Vault also checks the signature: by the cluster's token review, or by the issuer's keys. The stand-in doesn't.
fn by_token<'a>(here: &[&'a Login], role: &str, jwt: &str, now: Timestamp) -> Result<&'a Login, Answer> {
    if jwt.is_empty() {
        return Err(errors(400, &["missing jwt"]));
    }
    let named = here.iter().find(|login| match &login.method {
        Method::Kubernetes { role: known, .. } | Method::Jwt { role: known, .. } => known == role,
        Method::AppRole { .. } => false,
    });
    let Some(login) = named else {
        let kubernetes = matches!(
            here.first().map(|login| &login.method),
            Some(Method::Kubernetes { .. })
        );
        let message = if kubernetes {
            format!("invalid role name {role:?}")
        } else {
            format!("role {role:?} could not be found")
        };
        return Err(errors(400, &[&message]));
    };
    let Some(parts) = parts(jwt) else {
        return Err(errors(400, &["error parsing token: malformed"]));
    };
    let ended = parts.claims["exp"]
        .as_i64()
        .is_none_or(|end| end <= now.as_second());
    let subject = parts.claim("sub");
    match &login.method {
        Method::Kubernetes {
            namespace,
            service_account,
            audience,
            ..
        } => {
            let mut account = subject.trim_start_matches("system:serviceaccount:").split(':');
            let (in_namespace, name) = (
                account.next().unwrap_or_default(),
                account.next().unwrap_or_default(),
            );
            if ended {
                return Err(errors(403, &["permission denied"]));
            }
            if audience
                .as_deref()
                .is_some_and(|audience| !parts.is_for(audience))
            {
                return Err(errors(
                    403,
                    &["invalid audience (aud) claim: audience claim does not match any expected audience"],
                ));
            }
            if in_namespace != namespace {
                return Err(errors(403, &["namespace not authorized"]));
            }
            if name != service_account {
                return Err(errors(403, &["service account name not authorized"]));
            }
        }
        Method::Jwt {
            subject: expected,
            audience,
            ..
        } => {
            if ended {
                return Err(errors(400, &["error validating token: token is expired"]));
            }
            if subject != expected {
                return Err(errors(
                    400,
                    &["error validating token: sub claim does not match bound subject"],
                ));
            }
            if !parts.is_for(audience) {
                return Err(errors(
                    400,
                    &["error validating token: aud claim does not match any bound audience"],
                ));
            }
        }
        Method::AppRole { .. } => {}
    }
    Ok(login)
}

/// The answer to a login and to a renewal. developer.hashicorp.com/vault/api-docs/auth/approle#sample-response-12
pub(super) fn granted(token: &str, given: &Given) -> Answer {
    let auth = json!({
        "client_token": token,
        "accessor": format!("accessor-{}", token.len()),
        "policies": given.policies,
        "token_policies": given.policies,
        "metadata": {},
        "lease_duration": given.ttl,
        "renewable": given.renewable,
        "entity_id": "",
        "token_type": "service",
        "orphan": true,
        "mfa_requirement": null,
        "num_uses": 0,
    });
    super::answers::envelope(200, Value::Null, auth)
}

/// developer.hashicorp.com/vault/api-docs/auth/token#lookup-a-token-self
pub(super) fn looked_up(token: &str, given: &Given, now: Timestamp) -> Answer {
    let is_fixed = given.ttl == 0;
    let data = json!({
        "accessor": format!("accessor-{}", token.len()),
        "creation_time": given.made.as_second(),
        "creation_ttl": given.ttl,
        "display_name": "token",
        "entity_id": "",
        "expire_time": (!is_fixed).then(|| given.until.to_string()),
        "explicit_max_ttl": 0,
        "id": token,
        "issue_time": given.made.to_string(),
        "meta": null,
        "num_uses": 0,
        "orphan": true,
        "path": given.path,
        "policies": given.policies,
        "renewable": given.renewable,
        "ttl": if is_fixed { 0 } else { given.until.as_second() - now.as_second() },
        "type": "service",
    });
    super::answers::envelope(200, data, Value::Null)
}
