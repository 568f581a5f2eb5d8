//! Tokens of run accounts: asked of the API server one by one, each for one audience, for ten minutes, and never kept.
//! Whoever signs in with one keeps what the vault gave for it, so few are asked for.

use crate::api::names::RUN_ACCOUNT;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::{Api, Client};
use std::time::Duration;
use thiserror::Error;
use zeroize::Zeroizing;

mod audiences;

/// How long a token is valid, in seconds: as short as the API server makes them.
pub const VALID_FOR: i64 = 600;
/// How long the API server may take. Whoever wants to sign in to a vault waits meanwhile.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// Why there is no token.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The namespace has no run account.
    #[error("namespace {namespace} has no ServiceAccount {RUN_ACCOUNT}")]
    NoAccount {
        /// The namespace.
        namespace: String,
    },
    /// By rights or by a policy.
    #[error(
        "the API server forbids the operator a token of the ServiceAccount {RUN_ACCOUNT} in namespace {namespace}"
    )]
    Forbidden {
        /// The namespace.
        namespace: String,
        /// Its answer.
        #[source]
        source: Box<kube::Error>,
    },
    /// The audience is the API server's own.
    #[error(
        "no token of the ServiceAccount {RUN_ACCOUNT} in namespace {namespace} is made out for {audience}, which is the \
         API server itself"
    )]
    ForTheCluster {
        /// The namespace.
        namespace: String,
        /// The audience.
        audience: String,
    },
    /// It couldn't be reached, or has trouble of its own.
    #[error("the API server gave no token of the ServiceAccount {RUN_ACCOUNT} in namespace {namespace}")]
    Unanswered {
        /// The namespace.
        namespace: String,
        /// Its answer.
        #[source]
        source: Box<kube::Error>,
    },
    /// It didn't answer in time, or with no token.
    #[error(
        "the API server answered with no token of the ServiceAccount {RUN_ACCOUNT} in namespace {namespace} within \
         {ANSWERED_WITHIN:?}"
    )]
    Empty {
        /// The namespace.
        namespace: String,
    },
}

/// A token of the namespace's run account, for this audience alone.
///
/// # Errors
/// See [`TokenError`].
pub async fn token(
    client: &Client,
    namespace: &str,
    audience: &str,
) -> Result<Zeroizing<String>, TokenError> {
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    let wanted = TokenRequest {
        spec: TokenRequestSpec {
            audiences: vec![audience.to_owned()],
            expiration_seconds: Some(VALID_FOR),
            bound_object_ref: None,
        },
        ..TokenRequest::default()
    };
    let params = PostParams::default();
    let asked = accounts.create_token_request(RUN_ACCOUNT, &params, &wanted);
    let empty = || TokenError::Empty {
        namespace: namespace.to_owned(),
    };
    let answer = tokio::time::timeout(ANSWERED_WITHIN, asked)
        .await
        .map_err(|_| empty())?;
    let answer = answer.map_err(|source| refusal(namespace, source))?;
    let token = answer.status.map(|status| Zeroizing::new(status.token));
    let token = token.filter(|token| !token.is_empty()).ok_or_else(empty)?;
    if is_of_api_server(audience, &token) {
        return Err(TokenError::ForTheCluster {
            namespace: namespace.to_owned(),
            audience: audience.to_owned(),
        });
    }
    Ok(token)
}

/// Whether a token that was made out for this audience is good for the API server too, so that whoever is shown it could act in
/// the cluster. The pod's own token, which tells, is read anew each time, as the kubelet renews it; outside of a pod there is
/// none.
#[must_use]
pub fn is_of_api_server(audience: &str, token: &str) -> bool {
    let own = std::fs::read_to_string(audiences::OWN_TOKEN)
        .map(Zeroizing::new)
        .ok();
    audiences::is_of_api_server(audience, token, own.as_deref().map(String::as_str))
}

fn refusal(namespace: &str, source: kube::Error) -> TokenError {
    let namespace = namespace.to_owned();
    let code = match &source {
        kube::Error::Api(answer) => answer.code,
        _ => 0,
    };
    let source = Box::new(source);
    match code {
        404 => TokenError::NoAccount { namespace },
        401 | 403 => TokenError::Forbidden { namespace, source },
        _ => TokenError::Unanswered { namespace, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{Request, Response};
    use kube::client::Body;
    use serde_json::{Value, json};
    use std::convert::Infallible;
    use std::future::ready;

    /// An API server that gives this answer to whatever it is asked.
    fn answering(code: u16, answer: Value) -> Client {
        let service = tower::service_fn(move |_: Request<Body>| {
            let body = Body::from(answer.to_string().into_bytes());
            let answer = Response::builder().status(code).body(body).expect("an answer");
            ready(Ok::<_, Infallible>(answer))
        });
        Client::new(service, "default")
    }

    fn failure(code: u16) -> Value {
        json!({"kind": "Status", "status": "Failure", "message": "no", "reason": "None", "code": code})
    }

    #[tokio::test]
    async fn each_answer_without_a_token_has_its_name() {
        let rows: Vec<(&str, u16, Value, &str)> = vec![
            (
                "no such account",
                404,
                failure(404),
                "namespace marketing has no ServiceAccount connections-run",
            ),
            (
                "no right, or a policy",
                403,
                failure(403),
                "the API server forbids the operator a token of the ServiceAccount connections-run in namespace marketing",
            ),
            (
                "trouble",
                500,
                failure(500),
                "the API server gave no token of the ServiceAccount connections-run in namespace marketing",
            ),
            (
                "an empty token",
                201,
                json!({"spec": {"audiences": []}, "status": {"token": "", "expirationTimestamp": "2026-01-01T00:00:00Z"}}),
                "the API server answered with no token of the ServiceAccount connections-run in namespace marketing within 5s",
            ),
        ];
        for (case, code, answer, expected) in rows {
            let client = answering(code, answer);
            let error = token(&client, "marketing", "vault").await.err();
            assert_eq!(
                error.map(|error| error.to_string()).as_deref(),
                Some(expected),
                "{case}"
            );
        }
    }

    #[tokio::test]
    async fn a_token_is_handed_on() {
        let answer = json!({
            "spec": {"audiences": ["vault"]},
            "status": {"token": "ey.ey.s", "expirationTimestamp": "2026-01-01T00:00:00Z"},
        });
        let given = token(&answering(201, answer), "marketing", "vault").await;
        assert_eq!(given.expect("a token").as_str(), "ey.ey.s");
    }
}
