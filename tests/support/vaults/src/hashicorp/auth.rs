//! Signing in to Vault, and what a token says of itself.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answers::{denied, errors, missing_token};
use super::review::Review;
use super::{Data, Given, Login, Method};
use crate::keys::Keys;
use crate::token::{Parts, parts};
use crate::wire::{Answer, Ask};

/// By which way somebody signs in at this mount, or why nobody does.
pub(super) fn judge<'a>(data: &'a Data, mount: &str, ask: &Ask, now: Timestamp) -> Result<&'a Login, Answer> {
    let body = ask.json();
    let here: Vec<&Login> = data.logins.iter().filter(|login| login.mount == mount).collect();
    let field = |name: &str| body[name].as_str().unwrap_or_default();
    match here.first().map(|login| &login.method) {
        None => Err(missing_token()),
        Some(Method::AppRole { .. }) => app_role(&here, field("role_id"), field("secret_id")),
        Some(_) => {
            let login = by_token(&here, field("role"), field("jwt"), now)?;
            // The last that Vault looks at, and all that it says of it.
            if ask.reviewed == Some(false) {
                return Err(denied());
            }
            Ok(login)
        }
    }
}

/// What the cluster is asked before somebody can sign in, if it is asked.
pub(super) fn review(data: &Data, mount: &str, body: &Value) -> Option<Review> {
    let field = |name: &str| body[name].as_str().unwrap_or_default();
    let here = data.logins.iter().filter(|login| login.mount == mount);
    let methods = here.map(|login| &login.method);
    methods.into_iter().find_map(|method| match method {
        Method::Kubernetes {
            role,
            audience,
            reviewer: Some(reviewer),
            ..
        } if role == field("role") => Some(Review {
            reviewer: reviewer.clone(),
            token: field("jwt").to_owned(),
            audience: audience.clone(),
        }),
        _ => None,
    })
}

/// developer.hashicorp.com/vault/api-docs/auth/approle#login-with-approle; in words github.com/hashicorp/vault
/// builtin/credential/approle/path_login.go
fn app_role<'a>(here: &[&'a Login], role: &str, secret: &str) -> Result<&'a Login, Answer> {
    let is_known =
        |login: &&Login| matches!(&login.method, Method::AppRole { role_id, .. } if role_id == role);
    if role.is_empty() {
        return Err(errors(400, &["missing role_id"]));
    }
    if secret.is_empty() && here.iter().any(is_known) {
        return Err(errors(400, &["missing secret_id"]));
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
/// Vault also checks the signature: by the cluster's token review, or by the issuer's keys. The stand-in does where it is told
/// whom to ask, or the keys. Words and order are those of the plugins' path_login.go:
/// github.com/hashicorp/vault-plugin-auth-kubernetes and -jwt.
fn by_token<'a>(here: &[&'a Login], role: &str, jwt: &str, now: Timestamp) -> Result<&'a Login, Answer> {
    let kubernetes = matches!(
        here.first().map(|login| &login.method),
        Some(Method::Kubernetes { .. })
    );
    if role.is_empty() {
        return Err(errors(400, &["missing role"]));
    }
    if jwt.is_empty() && kubernetes {
        return Err(errors(400, &["missing jwt"]));
    }
    let named = here.iter().find(|login| match &login.method {
        Method::Kubernetes { role: known, .. } | Method::Jwt { role: known, .. } => known == role,
        Method::AppRole { .. } => false,
    });
    let Some(login) = named else {
        let message = if kubernetes {
            format!("invalid role name {role:?}")
        } else {
            format!("role {role:?} could not be found")
        };
        return Err(errors(400, &[&message]));
    };
    if jwt.is_empty() {
        return Err(errors(400, &["missing token"]));
    }
    match &login.method {
        Method::Kubernetes {
            namespace,
            service_account,
            audience,
            ..
        } => service_account_of(jwt, audience.as_deref(), namespace, service_account, now)?,
        Method::Jwt {
            subject,
            audience,
            keys,
            ..
        } => claims_of(jwt, keys.as_ref(), subject, audience, now)?,
        Method::AppRole { .. } => {}
    }
    Ok(login)
}

/// The audience of the role, if it has one; the account's name, and then its namespace.
fn service_account_of(
    jwt: &str,
    audience: Option<&str>,
    namespace: &str,
    name: &str,
    now: Timestamp,
) -> Result<(), Answer> {
    // A token that can't be read has no signature that could be right.
    let parts = parts(jwt).ok_or_else(denied)?;
    if audience.is_some_and(|audience| !parts.is_for(audience)) {
        return Err(errors(403, &[AUDIENCE]));
    }
    if is_over(&parts, now) {
        return Err(errors(403, &[EXPIRED]));
    }
    let account = parts.claim("sub").trim_start_matches("system:serviceaccount:");
    let (in_namespace, named) = account.split_once(':').unwrap_or_default();
    if named != name {
        return Err(errors(403, &["service account name not authorized"]));
    }
    if in_namespace != namespace {
        return Err(errors(403, &["namespace not authorized"]));
    }
    Ok(())
}

fn claims_of(
    jwt: &str,
    keys: Option<&Keys>,
    subject: &str,
    audience: &str,
    now: Timestamp,
) -> Result<(), Answer> {
    let refused = |why: &str| errors(400, &[&format!("error validating token: {why}")]);
    let parts = parts(jwt).ok_or_else(|| refused("error verifying token signature: malformed token"))?;
    if keys.is_some_and(|keys| !keys.have_signed(&parts)) {
        return Err(refused(
            "error verifying token signature: no known key successfully validated the token signature",
        ));
    }
    if parts.claim("sub") != subject {
        return Err(refused("invalid subject (sub) claim"));
    }
    if !parts.is_for(audience) {
        return Err(refused(AUDIENCE));
    }
    if is_over(&parts, now) {
        return Err(refused(EXPIRED));
    }
    Ok(())
}

/// What both methods say of claims, by github.com/hashicorp/cap jwt/jwt.go.
const AUDIENCE: &str = "invalid audience (aud) claim: audience claim does not match any expected audience";
const EXPIRED: &str = "invalid expiration time (exp) claim: token is expired";

/// Vault gives a minute of grace to clocks that differ; here there is one clock.
fn is_over(parts: &Parts<'_>, now: Timestamp) -> bool {
    let end = parts.claims["exp"].as_i64();
    end.is_none_or(|end| end <= now.as_second())
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
