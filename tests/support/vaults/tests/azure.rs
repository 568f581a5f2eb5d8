//! The stand-in for Azure Key Vault answers as the pages named in it say.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on fails"
)]

use std::time::Duration;

use serde_json::json;
use vault_stand_in::azure::{Azure, PermissionModel, Version};
use vault_stand_in::client::{Client, Reply};
use vault_stand_in::{Fault, File};

const TENANT: &str = "11111111-1111-4111-8111-111111111111";
const READER: &str = "22222222-2222-4222-8222-222222222222";
const LISTER: &str = "44444444-4444-4444-8444-444444444444";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn start() -> Azure {
    Azure::start(File::example().unwrap().azure.unwrap()).unwrap()
}

fn caller(azure: &Azure) -> Client {
    azure.client(&azure.host()).unwrap()
}

async fn sign_in(azure: &Azure, tenant: &str, form: &str) -> Reply {
    let form = format!("{form}&grant_type=client_credentials&scope=https%3A%2F%2Fvault.localhost%2F.default");
    azure
        .client("localhost")
        .unwrap()
        .send("POST", &format!("/{tenant}/oauth2/v2.0/token"), &[FORM], form)
        .await
        .unwrap()
}

async fn token(azure: &Azure, client: &str) -> String {
    let reply = sign_in(
        azure,
        TENANT,
        &format!("client_id={client}&client_secret=example-client-secret"),
    )
    .await;
    reply.json()["access_token"].as_str().expect("a token").to_owned()
}

async fn get(azure: &Azure, token: &str, path: &str) -> Reply {
    let path = if path.contains("api-version") {
        path.to_owned()
    } else {
        format!("{path}?api-version=2025-07-01")
    };
    caller(azure)
        .get(&path, &[("authorization", &format!("Bearer {token}"))])
        .await
        .unwrap()
}

/// Status, code and inner code, in one line.
fn told(reply: &Reply) -> String {
    let error = &reply.json()["error"];
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    format!(
        "{} {} {}",
        reply.status,
        text(&error["code"]),
        text(&error["innererror"]["code"])
    )
}

#[tokio::test]
async fn who_brings_no_token_is_told_where_to_get_one() {
    let azure = start();
    let reply = caller(&azure)
        .get("/secrets/sftp-password/?api-version=2025-07-01", &[])
        .await
        .unwrap();
    assert_eq!(told(&reply), "401 Unauthorized -");
    assert_eq!(
        reply.header("www-authenticate").unwrap(),
        format!(
            "Bearer authorization=\"https://login.microsoftonline.com/{TENANT}\", resource=\"https://vault.localhost\""
        )
    );
    assert_eq!(azure.count("challenge"), 1);
}

#[tokio::test]
async fn secrets_are_read_by_name_and_version() {
    let azure = start();
    let token = token(&azure, READER).await;
    let newest = get(&azure, &token, "/secrets/sftp-password/").await.json();
    assert_eq!(newest["value"], "example-password");
    assert_eq!(newest["attributes"]["exp"], 1_830_211_200);
    assert!(
        newest["id"]
            .as_str()
            .unwrap()
            .ends_with("/secrets/sftp-password/11112222333344445555666677778888")
    );
    let old = get(
        &azure,
        &token,
        "/secrets/SFTP-password/0123456789abcdef0123456789abcdef",
    )
    .await
    .json();
    assert_eq!(old["value"], "example-old-password");
    for (name, why) in [("expired", "dates inform"), ("not-yet", "dates inform")] {
        assert_eq!(
            get(&azure, &token, &format!("/secrets/{name}")).await.status,
            200,
            "{why}"
        );
    }
    assert_eq!(
        (
            azure.count("secret"),
            azure.count("version"),
            azure.count("token")
        ),
        (3, 1, 1)
    );
}

#[tokio::test]
async fn what_is_not_given_is_told_apart() {
    let azure = start();
    let reader = token(&azure, READER).await;
    let lister = token(&azure, LISTER).await;
    for (token, path, expected) in [
        (&reader, "/secrets/no-such", "404 SecretNotFound -"),
        (&reader, "/secrets/thrown-away", "404 SecretNotFound -"),
        (
            &reader,
            "/secrets/sftp-password/ffffffffffffffffffffffffffffffff",
            "404 SecretNotFound -",
        ),
        (&reader, "/secrets/switched-off", "403 Forbidden SecretDisabled"),
        (&reader, "/secrets/under_score", "400 BadParameter -"),
        (
            &reader,
            "/secrets/sftp-password?api-version=1.0",
            "400 BadParameter -",
        ),
        (&lister, "/secrets/sftp-password", "403 Forbidden ForbiddenByRbac"),
        (&lister, "/secrets/no-such", "403 Forbidden ForbiddenByRbac"),
    ] {
        assert_eq!(told(&get(&azure, token, path).await), expected, "{path}");
    }
    azure.edit(|data| data.permission_model = PermissionModel::Policy);
    let reply = get(&azure, &lister, "/secrets/sftp-password").await;
    assert_eq!(told(&reply), "403 Forbidden ForbiddenByPolicy");
}

#[tokio::test]
async fn rights_and_secrets_change_at_once() {
    let azure = start();
    let token = token(&azure, READER).await;
    let path = "/secrets/sftp-password";
    azure.edit(|data| data.identities[0].rights.clear());
    assert_eq!(get(&azure, &token, path).await.status, 403);
    azure.edit(|data| {
        data.identities[0].rights.push(vault_stand_in::azure::Right::Get);
        let secret = data.secrets.get_mut("sftp-password").unwrap();
        secret
            .versions
            .push(Version::new("9999aaaa9999aaaa9999aaaa9999aaaa", "rotated"));
    });
    assert_eq!(get(&azure, &token, path).await.json()["value"], "rotated");
    assert_eq!(
        get(&azure, &token, "/secrets").await.status,
        403,
        "may read, not list"
    );
}

#[tokio::test]
async fn listings_come_in_pages_without_values() {
    let azure = start();
    azure.edit(|data| data.page_size = 3);
    let token = token(&azure, READER).await;
    let first = get(&azure, &token, "/secrets").await.json();
    assert_eq!(first["value"].as_array().unwrap().len(), 3);
    let next = first["nextLink"].as_str().unwrap();
    let second = get(&azure, &token, &next[azure.url().len()..]).await.json();
    assert_eq!(
        second["value"].as_array().unwrap().len(),
        1,
        "the deleted one isn't listed"
    );
    assert_eq!(second["nextLink"], json!(null));
    assert!(!first.to_string().contains("example-password"));
    let versions = get(&azure, &token, "/secrets/sftp-password/versions")
        .await
        .json();
    assert_eq!(versions["value"].as_array().unwrap().len(), 2);
    let deleted = get(&azure, &token, "/deletedsecrets").await.json();
    assert!(
        deleted["value"][0]["recoveryId"]
            .as_str()
            .unwrap()
            .ends_with("/deletedsecrets/thrown-away")
    );
    let none = get(&azure, &token, "/secrets/no-such/versions").await;
    assert_eq!((none.status, none.json()["value"].clone()), (200, json!([])));
}

#[tokio::test]
async fn the_token_endpoint_says_why_nobody_signs_in() {
    let azure = start();
    for (tenant, form, status, number) in [
        (
            "55555555-5555-4555-8555-555555555555",
            format!("client_id={READER}&client_secret=x"),
            400,
            90002,
        ),
        (
            TENANT,
            "client_id=nobody&client_secret=x".to_owned(),
            400,
            700_016,
        ),
        (
            TENANT,
            format!("client_id={READER}&client_secret=wrong"),
            401,
            7_000_215,
        ),
        (TENANT, format!("client_id={READER}"), 401, 7_000_218),
    ] {
        let reply = sign_in(&azure, tenant, &form).await;
        assert_eq!(
            (reply.status, reply.json()["error_codes"].clone()),
            (status, json!([number])),
            "{form}"
        );
    }
    azure.edit(|data| data.identities[0].client_secret_expired = true);
    let reply = sign_in(
        &azure,
        TENANT,
        &format!("client_id={READER}&client_secret=example-client-secret"),
    )
    .await;
    assert_eq!(reply.json()["error_codes"], json!([7_000_222]));
}

#[tokio::test]
async fn a_workload_signs_in_with_its_own_token() {
    use base64::Engine;
    let azure = start();
    let exchange = "api://AzureADTokenExchange";
    for (subject, audience, end, expected) in [
        (
            "system:serviceaccount:default:connections-run",
            exchange,
            4_102_444_800_i64,
            None,
        ),
        (
            "system:serviceaccount:other:connections-run",
            exchange,
            4_102_444_800,
            Some(700_213),
        ),
        (
            "system:serviceaccount:default:connections-run",
            "elsewhere",
            4_102_444_800,
            Some(700_212),
        ),
        (
            "system:serviceaccount:default:connections-run",
            exchange,
            1,
            Some(700_024),
        ),
    ] {
        let part = |value: serde_json::Value| {
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
        };
        let claims =
            json!({"iss": "https://kubernetes.default.svc", "sub": subject, "aud": [audience], "exp": end});
        let assertion = format!("{}.{}.c2ln", part(json!({"alg": "RS256"})), part(claims));
        let form = format!(
            "client_id=33333333-3333-4333-8333-333333333333&client_assertion={assertion}&client_assertion_type=\
             urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        );
        let reply = sign_in(&azure, TENANT, &form).await.json();
        assert_eq!(
            reply["error_codes"][0].as_i64(),
            expected,
            "{subject} for {audience} until {end}"
        );
    }
}

#[tokio::test]
async fn tokens_expire_and_those_of_another_tenant_are_refused() {
    let azure = start();
    let early = token(&azure, READER).await;
    azure.advance(Duration::from_hours(1));
    let reply = get(&azure, &early, "/secrets/sftp-password").await;
    assert_eq!(reply.status, 401);
    assert!(reply.header("www-authenticate").is_some() && reply.json().to_string().contains("TokenExpired"));
    let other = "66666666-6666-4666-8666-666666666666";
    azure.edit(|data| data.identities[0].tenant = Some(other.to_owned()));
    let form = format!("client_id={READER}&client_secret=example-client-secret");
    let foreign = sign_in(&azure, other, &form).await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let reply = get(&azure, &foreign, "/secrets/sftp-password").await;
    assert!(
        reply.json().to_string().contains("AKV10032"),
        "{:?}",
        reply.json()
    );
}

#[tokio::test]
async fn faults_speak_the_words_of_azure() {
    let azure = start();
    let token = token(&azure, READER).await;
    let path = "/secrets/sftp-password";
    for (fault, expected) in [
        (
            Fault::Throttled {
                retry_after: Some(10),
            },
            "429 Throttled -",
        ),
        (Fault::ServerError(503), "503 InternalServerError -"),
        (Fault::Firewall, "403 Forbidden ForbiddenByFirewall"),
        (Fault::Forbidden, "403 Forbidden AccessDenied"),
        (Fault::TokenRefused, "401 Unauthorized -"),
    ] {
        azure.fault_next(1, "secret", fault);
        assert_eq!(told(&get(&azure, &token, path).await), expected);
    }
    azure.fault_on(
        "secret",
        Fault::Throttled {
            retry_after: Some(10),
        },
    );
    assert_eq!(get(&azure, &token, path).await.header("retry-after"), Some("10"));
    azure.heal();
    assert_eq!(get(&azure, &token, path).await.status, 200);
}
