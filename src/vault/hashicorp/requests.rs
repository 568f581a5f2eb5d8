//! What is asked of Vault, in vaultrs's words.

use super::super::address::Engine;
use super::super::connect::Wiped;
use super::super::value::SecretText;
use bytes::Bytes;
use rustify::endpoint::Endpoint;
use vaultrs::api::EndpointMiddleware;
use vaultrs::api::auth::approle::requests::LoginWithApproleRequest;
use vaultrs::api::auth::kubernetes::requests::LoginWithKubernetesRequest;
use vaultrs::api::token::requests::{LookupTokenSelfRequest, RenewTokenSelfRequest};
use vaultrs::api::{kv1, kv2};
use zeroize::Zeroizing;

/// One request.
pub(super) enum Ask<'a> {
    /// <https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#read-secret-metadata>
    Metadata { mount: &'a str, path: &'a str },
    /// <https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#read-secret-version>,
    /// <https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v1#read-secret>
    Data {
        mount: &'a str,
        path: &'a str,
        version: Option<u64>,
        engine: Engine,
    },
    /// <https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#list-secrets>
    List {
        mount: &'a str,
        path: &'a str,
        engine: Engine,
    },
    /// <https://developer.hashicorp.com/vault/api-docs/auth/approle#login-with-approle>
    AppRole {
        mount: &'a str,
        role_id: &'a str,
        secret_id: &'a SecretText,
    },
    /// <https://developer.hashicorp.com/vault/api-docs/auth/kubernetes#login>, and the same for the JWT method
    Account {
        mount: &'a str,
        role: &'a str,
        jwt: &'a SecretText,
    },
    /// <https://developer.hashicorp.com/vault/api-docs/auth/token#renew-a-token-self>
    Renew,
    /// <https://developer.hashicorp.com/vault/api-docs/auth/token#lookup-a-token-self>
    Lookup,
}

/// A request that can't be put into words; its names were never checked.
pub(super) struct Unfit;

impl Ask<'_> {
    /// The path below `/v1/`.
    pub fn path(&self) -> String {
        match self {
            Self::Metadata { mount, path }
            | Self::List {
                mount,
                path,
                engine: Engine::V2,
            } => format!("{mount}/metadata/{path}"),
            Self::Data {
                mount,
                path,
                engine: Engine::V2,
                ..
            } => format!("{mount}/data/{path}"),
            Self::Data { mount, path, .. } | Self::List { mount, path, .. } => format!("{mount}/{path}"),
            Self::AppRole { mount, .. } | Self::Account { mount, .. } => format!("auth/{mount}/login"),
            Self::Renew => "auth/token/renew-self".to_owned(),
            Self::Lookup => "auth/token/lookup-self".to_owned(),
        }
    }

    /// What a policy calls it.
    pub fn capability(&self) -> &'static str {
        match self {
            Self::Metadata { .. } | Self::Data { .. } | Self::Lookup => "read",
            Self::List { .. } => "list",
            Self::AppRole { .. } | Self::Account { .. } | Self::Renew => "update",
        }
    }

    /// The request itself.
    pub fn request(
        &self,
        base: &str,
        namespace: Option<&str>,
        token: Option<&SecretText>,
    ) -> Result<http::Request<Bytes>, Unfit> {
        let context = EndpointMiddleware {
            token: String::new(),
            version: "v1".to_owned(),
            wrap: None,
            namespace: namespace.map(str::to_owned),
        };
        let request = self.build(base, &context)?;
        let (mut head, body) = request.into_parts();
        // vaultrs would panic at a token that can't be a header, and would keep a copy of it.
        if let Some(token) = token {
            let mut token = http::HeaderValue::from_str(token.expose()).map_err(|_| Unfit)?;
            token.set_sensitive(true);
            head.headers.insert("X-Vault-Token", token);
        }
        head.uri = plain(&head.uri)?;
        let body = Bytes::from_owner(Wiped(Zeroizing::new(body)));
        Ok(http::Request::from_parts(head, body))
    }

    fn build(&self, base: &str, context: &EndpointMiddleware) -> Result<http::Request<Vec<u8>>, Unfit> {
        match *self {
            Self::Metadata { mount, path } => {
                let endpoint = kv2::requests::ReadSecretMetadataRequest::builder()
                    .mount(mount)
                    .path(path)
                    .build();
                worded(endpoint, base, context)
            }
            Self::Data {
                mount,
                path,
                version,
                engine: Engine::V2,
            } => {
                let mut endpoint = kv2::requests::ReadSecretRequest::builder();
                worded(
                    endpoint.mount(mount).path(path).version(version).build(),
                    base,
                    context,
                )
            }
            Self::Data { mount, path, .. } => {
                let endpoint = kv1::requests::GetSecretRequest::builder()
                    .mount(mount)
                    .path(path)
                    .build();
                worded(endpoint, base, context)
            }
            Self::List {
                mount,
                path,
                engine: Engine::V2,
            } => {
                let endpoint = kv2::requests::ListSecretsRequest::builder()
                    .mount(mount)
                    .path(path)
                    .build();
                worded(endpoint, base, context)
            }
            Self::List { mount, path, .. } => {
                let endpoint = kv1::requests::ListSecretRequest::builder()
                    .mount(mount)
                    .path(path)
                    .build();
                worded(endpoint, base, context)
            }
            _ => self.build_session(base, context),
        }
    }

    fn build_session(
        &self,
        base: &str,
        context: &EndpointMiddleware,
    ) -> Result<http::Request<Vec<u8>>, Unfit> {
        match *self {
            Self::AppRole {
                mount,
                role_id,
                secret_id,
            } => {
                let mut endpoint = LoginWithApproleRequest::builder();
                endpoint
                    .mount(mount)
                    .role_id(role_id)
                    .secret_id(secret_id.expose());
                worded(endpoint.build(), base, context)
            }
            Self::Account { mount, role, jwt } => {
                let mut endpoint = LoginWithKubernetesRequest::builder();
                endpoint.mount(mount).role(role).jwt(jwt.expose());
                worded(endpoint.build(), base, context)
            }
            Self::Renew => worded(RenewTokenSelfRequest::builder().build(), base, context),
            Self::Lookup => worded(LookupTokenSelfRequest::builder().build(), base, context),
            Self::Metadata { .. } | Self::Data { .. } | Self::List { .. } => Err(Unfit),
        }
    }
}

fn worded<E: Endpoint, X>(
    endpoint: Result<E, X>,
    base: &str,
    context: &EndpointMiddleware,
) -> Result<http::Request<Vec<u8>>, Unfit> {
    let endpoint = endpoint.map_err(|_| Unfit)?;
    endpoint.with_middleware(context).request(base).map_err(|_| Unfit)
}

/// The same address without empty steps: some of vaultrs's paths begin with a slash, or a tab and a slash, which Vault
/// would answer with a redirect.
fn plain(uri: &http::Uri) -> Result<http::Uri, Unfit> {
    let steps: Vec<&str> = uri
        .path()
        .split('/')
        .filter(|step| !matches!(*step, "" | "%09"))
        .collect();
    let folder = if uri.path().ends_with('/') { "/" } else { "" };
    let query = uri.query().filter(|query| !query.is_empty());
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = uri.clone().into_parts();
    let path = format!("/{}{folder}{query}", steps.join("/"));
    parts.path_and_query = Some(path.parse().map_err(|_| Unfit)?);
    http::Uri::from_parts(parts).map_err(|_| Unfit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table is long, not deep")]
    fn requests_are_as_vault_documents_them() {
        let secret = SecretText::new("canary".to_owned());
        let (mount, path) = ("team/kv", "a/sftp");
        let rows = [
            (
                Ask::Metadata { mount, path },
                "GET",
                "/v1/team/kv/metadata/a/sftp",
                "",
            ),
            (
                Ask::Data {
                    mount,
                    path,
                    version: Some(3),
                    engine: Engine::V2,
                },
                "GET",
                "/v1/team/kv/data/a/sftp?version=3",
                "",
            ),
            (
                Ask::Data {
                    mount,
                    path,
                    version: None,
                    engine: Engine::V2,
                },
                "GET",
                "/v1/team/kv/data/a/sftp",
                "",
            ),
            (
                Ask::Data {
                    mount,
                    path,
                    version: None,
                    engine: Engine::V1,
                },
                "GET",
                "/v1/team/kv/a/sftp",
                "",
            ),
            (
                Ask::List {
                    mount,
                    path: "",
                    engine: Engine::V2,
                },
                "LIST",
                "/v1/team/kv/metadata/",
                "",
            ),
            (
                Ask::List {
                    mount,
                    path: "a/",
                    engine: Engine::V1,
                },
                "LIST",
                "/v1/team/kv/a/",
                "",
            ),
            (
                Ask::AppRole {
                    mount: "approle",
                    role_id: "role",
                    secret_id: &secret,
                },
                "POST",
                "/v1/auth/approle/login",
                r#"{"role_id":"role","secret_id":"canary"}"#,
            ),
            (
                Ask::Account {
                    mount: "eu/kubernetes",
                    role: "connections",
                    jwt: &secret,
                },
                "POST",
                "/v1/auth/eu/kubernetes/login",
                r#"{"role":"connections","jwt":"canary"}"#,
            ),
            (Ask::Renew, "POST", "/v1/auth/token/renew-self", ""),
            (Ask::Lookup, "GET", "/v1/auth/token/lookup-self", ""),
        ];
        for (ask, method, target, body) in rows {
            let token = SecretText::new("s.token".to_owned());
            let request = ask.request("https://vault.example:8200", Some("eu"), Some(&token));
            let request = request.unwrap_or_else(|_| panic!("{target} can be asked"));
            assert_eq!(request.method(), method, "{target}");
            assert_eq!(
                request.uri().to_string(),
                format!("https://vault.example:8200{target}")
            );
            assert_eq!(request.headers()["X-Vault-Token"], "s.token", "{target}");
            assert!(request.headers()["X-Vault-Token"].is_sensitive(), "{target}");
            assert_eq!(request.headers()["X-Vault-Namespace"], "eu", "{target}");
            let sent: serde_json::Value = serde_json::from_slice(request.body()).unwrap_or_default();
            let expected: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
            assert_eq!(sent, expected, "{target}");
            let below = target.trim_start_matches("/v1/").split('?').next();
            assert_eq!(Some(ask.path().as_str()), below);
        }
    }

    #[test]
    fn a_token_that_can_not_be_sent_is_no_reason_to_panic() {
        let token = SecretText::new("s.token\n".to_owned());
        assert!(
            Ask::Lookup
                .request("https://vault.example", None, Some(&token))
                .is_err()
        );
    }
}
