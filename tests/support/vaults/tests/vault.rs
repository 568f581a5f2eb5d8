//! The stand-in for Vault answers as the pages named in it say.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::time::Duration;

use base64::Engine;
use serde_json::{Value, json};
use vault_stand_in::client::Reply;
use vault_stand_in::hashicorp::{Capability, Method, Reviewer, Vault};
use vault_stand_in::{Fault, File};

fn start() -> Vault {
    Vault::start(File::example().unwrap().vault.unwrap()).unwrap()
}

async fn get(vault: &Vault, token: &str, path: &str) -> Reply {
    vault
        .client("localhost")
        .unwrap()
        .get(path, &[("x-vault-token", token)])
        .await
        .unwrap()
}

async fn login(vault: &Vault, mount: &str, body: &Value) -> Reply {
    let path = format!("/v1/auth/{mount}/login");
    vault
        .client("localhost")
        .unwrap()
        .send("POST", &path, &[], body.to_string())
        .await
        .unwrap()
}

fn jwt(subject: &str, audience: &str, end: i64) -> String {
    let part = |value: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"sub": subject, "aud": [audience], "exp": end});
    format!("{}.{}.c2ln", part(json!({"alg": "RS256"})), part(claims))
}

#[tokio::test]
async fn both_versions_of_the_engine_are_read_and_told_apart() {
    let vault = start();
    let kind = async |mount: &str| {
        get(
            &vault,
            "example-token",
            &format!("/v1/sys/internal/ui/mounts/{mount}"),
        )
        .await
        .json()["data"]["options"]["version"]
            .clone()
    };
    assert_eq!(
        (kind("secret").await, kind("legacy").await),
        (json!("2"), json!("1"))
    );
    let two = get(&vault, "example-token", "/v1/secret/data/crm/api")
        .await
        .json();
    assert_eq!(
        (&two["data"]["data"]["token"], &two["data"]["metadata"]["version"]),
        (&json!("example-token"), &json!(2))
    );
    let old = get(&vault, "example-token", "/v1/secret/data/crm/api?version=1")
        .await
        .json();
    assert_eq!(old["data"]["data"]["token"], "example-old-token");
    let one = get(&vault, "example-token", "/v1/legacy/ftp").await.json();
    assert_eq!(one["data"]["password"], "example-password");
}

#[tokio::test]
async fn metadata_tells_versions_without_a_value() {
    let vault = start();
    let reply = get(&vault, "example-token", "/v1/secret/metadata/crm/gone")
        .await
        .json();
    assert_eq!(reply["data"]["versions"]["1"]["destroyed"], true);
    assert_ne!(reply["data"]["versions"]["2"]["deletion_time"], "");
    assert!(!reply.to_string().contains("example-token"));
    let listed = get(&vault, "example-token", "/v1/secret/metadata/crm?list=true")
        .await
        .json();
    assert_eq!(listed["data"]["keys"], json!(["api", "gone"]));
    let listed = get(&vault, "example-token", "/v1/secret/metadata?list=true")
        .await
        .json();
    assert_eq!(listed["data"]["keys"], json!(["crm/"]));
}

#[tokio::test]
async fn what_is_not_given_is_told_apart() {
    let vault = start();
    for (token, path, status, text) in [
        ("", "/v1/secret/data/crm/api", 403, "permission denied"),
        ("nobody", "/v1/secret/data/crm/api", 403, "invalid token"),
        (
            "example-token",
            "/v1/other/data/crm/api",
            403,
            "permission denied",
        ),
        (
            "example-token",
            "/v1/sys/internal/ui/mounts/other",
            403,
            "preflight capability check",
        ),
        (
            "example-token",
            "/v1/secret/data/no/such",
            404,
            r#"{"errors":[]}"#,
        ),
        (
            "example-token",
            "/v1/secret/data/crm/api?version=9",
            404,
            r#"{"errors":[]}"#,
        ),
        (
            "example-token",
            "/v1/secret/data/crm/gone?version=1",
            404,
            r#""destroyed":true"#,
        ),
        ("example-token", "/v1/secret/data/crm/gone", 404, r#""data":null"#),
        ("example-token", "/v1/legacy/no-such", 404, r#"{"errors":[]}"#),
    ] {
        let reply = get(&vault, token, path).await;
        let body = String::from_utf8(reply.body.to_vec()).unwrap();
        assert!(
            reply.status == status && body.contains(text),
            "{path}: {} {body}",
            reply.status
        );
    }
}

#[tokio::test]
async fn who_takes_version_2_of_the_engine_for_version_1_is_told_in_a_warning() {
    let vault = start();
    vault.edit(|data| {
        let policy = data.policies.get_mut("connections").unwrap();
        policy.insert("secret/*".to_owned(), vec![Capability::Read, Capability::List]);
    });
    for (path, command) in [
        ("/v1/secret/crm/api", "vault kv get"),
        ("/v1/secret/crm?list=true", "vault kv list"),
    ] {
        let reply = get(&vault, "example-token", path).await;
        let warning = reply.json()["warnings"][0].to_string();
        assert!(
            reply.status == 404
                && warning.contains("Invalid path for a versioned K/V secrets engine.")
                && warning.contains(command),
            "{path}: {} {warning}",
            reply.status
        );
    }
}

#[tokio::test]
async fn namespaces_that_are_not_there_have_no_routes() {
    let vault = start();
    let client = vault.client("localhost").unwrap();
    for (namespace, status) in [("team-a", 200), ("team-a/", 200), ("team-b", 404)] {
        let headers = [
            ("x-vault-token", "example-token"),
            ("x-vault-namespace", namespace),
        ];
        assert_eq!(
            client
                .get("/v1/secret/data/crm/api", &headers)
                .await
                .unwrap()
                .status,
            status,
            "{namespace}"
        );
    }
}

#[tokio::test]
async fn who_signs_in_is_judged_by_the_role() {
    let vault = start();
    let (run, other) = (
        "system:serviceaccount:default:connections-run",
        "system:serviceaccount:other:connections-run",
    );
    let later = 4_102_444_800;
    let here = "https://vault.example";
    for (mount, body, status, text) in [
        (
            "approle",
            json!({"role_id": "example-role", "secret_id": "example-secret-id"}),
            200,
            "client_token",
        ),
        (
            "approle",
            json!({"role_id": "example-role", "secret_id": "wrong"}),
            400,
            "invalid role or secret ID",
        ),
        (
            "kubernetes",
            json!({"role": "connections", "jwt": jwt(run, "x", later)}),
            200,
            "client_token",
        ),
        (
            "kubernetes",
            json!({"role": "connections", "jwt": jwt(other, "x", later)}),
            403,
            "namespace not authorized",
        ),
        (
            "kubernetes",
            json!({"role": "connections", "jwt": jwt(run, "x", 1)}),
            403,
            "token is expired",
        ),
        (
            "kubernetes",
            json!({"role": "connections", "jwt": "x"}),
            403,
            "permission denied",
        ),
        ("kubernetes", json!({"jwt": "x"}), 400, "missing role"),
        ("kubernetes", json!({"role": "connections"}), 400, "missing jwt"),
        ("jwt", json!({"role": "connections"}), 400, "missing token"),
        (
            "jwt",
            json!({"role": "connections", "jwt": jwt(run, here, 1)}),
            400,
            "token is expired",
        ),
        (
            "approle",
            json!({"role_id": "example-role"}),
            400,
            "missing secret_id",
        ),
        (
            "kubernetes",
            json!({"role": "nobody", "jwt": jwt(run, "x", later)}),
            400,
            "invalid role name",
        ),
        (
            "jwt",
            json!({"role": "connections", "jwt": jwt(run, here, later)}),
            200,
            "client_token",
        ),
        (
            "jwt",
            json!({"role": "connections", "jwt": jwt(other, here, later)}),
            400,
            "invalid subject (sub) claim",
        ),
        (
            "jwt",
            json!({"role": "connections", "jwt": jwt(run, "elsewhere", later)}),
            400,
            "invalid audience (aud) claim",
        ),
        (
            "jwt",
            json!({"role": "nobody", "jwt": jwt(run, here, later)}),
            400,
            "could not be found",
        ),
        ("elsewhere", json!({}), 403, "permission denied"),
    ] {
        let reply = login(&vault, mount, &body).await;
        let said = String::from_utf8(reply.body.to_vec()).unwrap();
        assert!(
            reply.status == status && said.contains(text),
            "{mount} {body}: {} {said}",
            reply.status
        );
    }
}

#[tokio::test]
async fn tokens_tell_their_time_are_renewed_and_expire() {
    let vault = start();
    let body = json!({"role_id": "example-role", "secret_id": "example-secret-id"});
    let granted = login(&vault, "approle", &body).await.json();
    let token = granted["auth"]["client_token"].as_str().expect("a token");
    assert_eq!(granted["auth"]["lease_duration"], 3600);
    let left = async || get(&vault, token, "/v1/auth/token/lookup-self").await.json()["data"]["ttl"].as_i64();
    vault.advance(Duration::from_mins(50));
    assert!(left().await.unwrap() <= 600);
    let client = vault.client("localhost").unwrap();
    let headers = [("x-vault-token", token)];
    let renewed = client
        .send("POST", "/v1/auth/token/renew-self", &headers, String::new())
        .await
        .unwrap();
    assert_eq!(renewed.status, 200);
    assert!(left().await.unwrap() > 3000);
    vault.advance(Duration::from_mins(61));
    assert_eq!(get(&vault, token, "/v1/secret/data/crm/api").await.status, 403);
}

#[tokio::test]
async fn faults_speak_the_words_of_vault() {
    let vault = start();
    for (fault, status, text) in [
        (Fault::Sealed, 503, "Vault is sealed"),
        (
            Fault::Throttled { retry_after: Some(3) },
            429,
            "rate limit quota exceeded",
        ),
        (Fault::Forbidden, 403, "permission denied"),
        (Fault::ServerError(500), 500, "internal error"),
        (Fault::Standby, 307, ""),
    ] {
        vault.fault_next(1, "data", fault.clone());
        let reply = get(&vault, "example-token", "/v1/secret/data/crm/api").await;
        let said = String::from_utf8(reply.body.to_vec()).unwrap();
        assert!(
            reply.status == status && said.contains(text),
            "{fault:?}: {} {said}",
            reply.status
        );
    }
}

#[tokio::test]
async fn a_token_that_the_cluster_does_not_vouch_for_signs_nobody_in() {
    let vault = start();
    let body = json!({"role": "connections", "jwt": jwt("system:serviceaccount:default:connections-run", "vault", i64::MAX)});
    assert_eq!(
        login(&vault, "kubernetes", &body).await.status,
        200,
        "nobody is asked"
    );
    let nowhere = Reviewer {
        api_server: "127.0.0.1:1".parse().unwrap(),
        ca: vault.ca_pem.clone(),
        token: "example-token".to_owned(),
    };
    vault.edit(|data| {
        for login in &mut data.logins {
            if let Method::Kubernetes { reviewer, .. } = &mut login.method {
                *reviewer = Some(nowhere.clone());
            }
        }
    });
    let refused = login(&vault, "kubernetes", &body).await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.json()["errors"][0],
        "1 error occurred:\n\t* permission denied\n\n"
    );
}
