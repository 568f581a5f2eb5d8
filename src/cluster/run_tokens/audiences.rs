//! Which audiences are the API server's own: a token for one of them would let whoever is shown it act in the cluster.
//!
//! An API server takes tokens for the audiences that it is started with, or, if that says nothing, for its issuer
//! (<https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/>, `--api-audiences`). Nobody is told
//! them, but the token that a pod gets for the API server is made out for all of them.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

/// Where a pod's own token for the API server is.
pub(super) const OWN_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// What a token says of itself, as far as it's asked here.
#[derive(Default, Deserialize)]
struct Claims {
    #[serde(default)]
    iss: String,
    #[serde(default)]
    aud: Audiences,
}

/// One or several, as <https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3> allows.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Several(Vec<String>),
}

impl Default for Audiences {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl Claims {
    fn of(token: &str) -> Option<Self> {
        let claims = Zeroizing::new(
            BASE64_URL_SAFE_NO_PAD
                .decode(token.trim().split('.').nth(1)?)
                .ok()?,
        );
        serde_json::from_slice(&claims).ok()
    }

    fn is_for(&self, audience: &str) -> bool {
        match &self.aud {
            Audiences::One(one) => one == audience,
            Audiences::Several(several) => several.iter().any(|one| one == audience),
        }
    }
}

/// Whether a token that was made out for this audience is good for the API server too, as far as the token itself and the
/// operator's own one tell.
pub(super) fn is_of_api_server(audience: &str, token: &str, own: Option<&str>) -> bool {
    let issued_by_it = Claims::of(token).is_some_and(|claims| claims.iss == audience);
    let own = own.and_then(Claims::of);
    issued_by_it || own.is_some_and(|claims| claims.is_for(audience))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn token(claims: &Value) -> String {
        format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    #[test]
    fn what_the_api_server_takes_is_told_by_both_tokens() {
        let given = token(&json!({"iss": "https://issuer.example", "aud": ["asked"]}));
        let several =
            token(&json!({"iss": "https://issuer.example", "aud": ["https://issuer.example", "k3s"]}));
        let one = token(&json!({"aud": "k3s"}));
        let rows = [
            ("the issuer", "https://issuer.example", None, true),
            ("one of the operator's own", "k3s", Some(several.as_str()), true),
            (
                "the only one of the operator's own",
                "k3s",
                Some(one.as_str()),
                true,
            ),
            ("another", "vault", Some(several.as_str()), false),
            ("the own token can't be read", "vault", Some("not a token"), false),
            ("the start of one", "k3", Some(several.as_str()), false),
        ];
        for (case, audience, own, expected) in rows {
            assert_eq!(is_of_api_server(audience, &given, own), expected, "{case}");
        }
        assert!(!is_of_api_server("vault", "not a token", None));
    }
}
