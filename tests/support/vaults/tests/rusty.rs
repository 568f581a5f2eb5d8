//! RustyVault starts, and does what the tests of the adapters rely on.

use serde_json::json;
use vault_stand_in::rusty::RustyVault;

#[tokio::test]
async fn it_gives_a_role_secrets_and_nobody_else() {
    let vault = RustyVault::start().await.unwrap();
    vault
        .write("crm", &json!({"token": "example-token"}))
        .await
        .unwrap();
    let token = vault.sign_in(&vault.role_id, &vault.secret_id).await.unwrap();
    let read = vault.get("/v1/secret/crm", &token).await.unwrap();
    assert_eq!(
        (read.status, read.json()["data"]["token"].clone()),
        (200, json!("example-token"))
    );
    assert_eq!(vault.get("/v1/secret/none", &token).await.unwrap().status, 404);
    assert_eq!(vault.get("/v1/secret/crm", "nobody").await.unwrap().status, 403);
    assert!(vault.sign_in(&vault.role_id, "wrong").await.is_err());
}

#[tokio::test]
async fn it_is_sealed_and_unsealed() {
    let vault = RustyVault::start().await.unwrap();
    vault
        .write("crm", &json!({"token": "example-token"}))
        .await
        .unwrap();
    vault.seal().await.unwrap();
    assert!(
        vault
            .get("/v1/secret/crm", &vault.root_token)
            .await
            .unwrap()
            .status
            >= 400
    );
    vault.unseal().await.unwrap();
    assert_eq!(
        vault
            .get("/v1/secret/crm", &vault.root_token)
            .await
            .unwrap()
            .status,
        200
    );
}

#[tokio::test]
async fn it_is_gone_when_dropped() {
    let vault = RustyVault::start().await.unwrap();
    let address = vault.address;
    drop(vault);
    assert!(std::net::TcpStream::connect(address).is_err());
}
