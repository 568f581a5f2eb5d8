//! The same adapter against RustyVault, an independent server of Vault's API with version 1 of the key-value engine.

use crate::seat::{Seat, look, often, once, reach, told};
use connection_operator::vault::address::{Engine, Identity, Provider, VaultAddress, VaultUrl};
use connection_operator::vault::value::SecretText;
use serde_json::json;
use vault_stand_in::rusty::RustyVault;

async fn start() -> RustyVault {
    let vault = RustyVault::start().await.expect("a server");
    let data = json!({"password": "canary-value", "user": "acme"});
    vault.write("team/sftp", &data).await.expect("it is written");
    vault
}

fn by_role(vault: &RustyVault, secret_id: &str) -> VaultAddress {
    VaultAddress {
        url: VaultUrl::parse(&vault.url(), &reach()).expect("an address"),
        provider: Provider::Vault {
            mount: "secret".to_owned(),
            namespace: None,
            engine: Engine::V1,
        },
        ca_bundle: Some(vault.ca_pem.as_str().into()),
        identity: Identity::VaultAppRole {
            mount: "approle".to_owned(),
            role_id: vault.role_id.clone(),
            secret_id: SecretText::new(secret_id.to_owned()),
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_looked_at_read_and_listed() {
    let vault = start().await;
    let address = by_role(&vault, &vault.secret_id);
    let wrong = by_role(&vault, "wrong");
    let token = |text: &str| VaultAddress {
        identity: Identity::VaultToken {
            token: SecretText::new(text.to_owned()),
        },
        ..address.clone()
    };
    let rows = [
        ("a key", &address, "team/sftp", "user", "well"),
        ("no such key", &address, "team/sftp", "port", "KeyNotFound"),
        ("no such secret", &address, "team/crm", "user", "SecretNotFound"),
        (
            "a role's wrong secret",
            &wrong,
            "team/sftp",
            "user",
            "CredentialRejected",
        ),
        ("a token", &token(&vault.root_token), "team/sftp", "user", "well"),
        (
            "a wrong token",
            &token("s.wrong"),
            "team/sftp",
            "user",
            "CredentialRejected",
        ),
    ];
    for (case, address, secret, key, expected) in rows {
        let mut seat = Seat::new(once(), None);
        let look = look(address, secret, None, Some(key));
        let sight = seat.until(case, &look, |sight| told(sight) != "nothing").await;
        assert_eq!(told(&sight), expected, "{case}: {sight:?}");
    }
    let seat = Seat::new(once(), None);
    let wanted = look(&address, "team/sftp", None, Some("password")).wanted;
    let value = seat.vaults.read(&address, &wanted).await;
    let value = value.unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(value.text.expose(), "canary-value");
    let listing = seat.vaults.list(&address).await.expect("a list");
    let names: Vec<&str> = listing
        .secrets
        .iter()
        .map(|secret| secret.name.as_str())
        .collect();
    assert_eq!(names, ["team/sftp"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_is_sealed_is_away_and_comes_back() {
    let vault = start().await;
    let sftp = look(
        &by_role(&vault, &vault.secret_id),
        "team/sftp",
        None,
        Some("user"),
    );
    let mut seat = Seat::new(often(), None);
    seat.told("unsealed", &sftp, "well").await;
    vault.seal().await.expect("it is sealed");
    let sight = seat.told("sealed", &sftp, "VaultUnavailable").await;
    assert!(sight.usable().is_some(), "what was known still counts");
    vault.unseal().await.expect("it is unsealed");
    seat.told("unsealed again", &sftp, "well").await;
}
