//! What is never seen: values and credentials, in whatever the operator or a library of it writes into a log.

use crate::seat::{Seat, look, once};
use crate::{azure, hashicorp};
use connection_operator::vault::address::{Identity, VaultAddress};
use connection_operator::vault::value::SecretText;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::writer::OptionalWriter;
use vault_stand_in::hashicorp::Method;

/// Keeps what is written.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_value_and_no_credential_is_in_any_line_of_any_level() {
    let page = Page::default();
    // For the whole program: with a subscriber for one thread, a library whose first line another thread writes may be
    // taken for one that nobody wants to hear. This test goes on on its own thread alone, so its lines are known by it.
    let (writer, here) = (page.clone(), std::thread::current().id());
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || {
            let ours = std::thread::current().id() == here;
            OptionalWriter::from(ours.then(|| writer.clone()))
        })
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("the only one of this program");

    let key_vault = azure::start();
    key_vault.edit(|data| data.identities[0].client_secret = Some("canary-password".to_owned()));
    let mut seat = Seat::new(once(), Some(azure::cloud(&key_vault)));
    let address = azure::by_password(&key_vault, "canary-password");
    let sftp = look(&address, "sftp", None, None);
    seat.told("Azure", &sftp, "well").await;
    let value = seat.vaults.read(&address, &sftp.wanted).await;
    assert!(value.is_ok_and(|value| value.text.expose().starts_with("canary")));
    let wrong = azure::by_password(&key_vault, "canary-wrong");
    seat.told(
        "Azure, refused",
        &look(&wrong, "sftp", None, None),
        "CredentialRejected",
    )
    .await;

    let vault = hashicorp::start();
    vault.edit(|data| {
        data.logins[0].method = Method::AppRole {
            role_id: "role".to_owned(),
            secret_id: "canary-id".to_owned(),
        };
    });
    let role = |secret_id: &str| VaultAddress {
        identity: Identity::VaultAppRole {
            mount: "approle".to_owned(),
            role_id: "role".to_owned(),
            secret_id: SecretText::new(secret_id.to_owned()),
        },
        ..hashicorp::by_approle(&vault)
    };
    let address = role("canary-id");
    let sftp = look(&address, "team/sftp", None, Some("password"));
    seat.told("Vault", &sftp, "well").await;
    let value = seat.vaults.read(&address, &sftp.wanted).await;
    assert!(value.is_ok_and(|value| value.text.expose().starts_with("canary")));
    let wrong = look(&role("canary-wrong"), "team/sftp", None, None);
    seat.told("Vault, refused", &wrong, "CredentialRejected").await;

    let written = String::from_utf8(page.0.lock().expect("a lock").clone()).expect("text");
    assert!(written.contains("hyper"), "libraries were heard");
    let seen: Vec<&str> = written.lines().filter(|line| line.contains("canary")).collect();
    assert!(seen.is_empty(), "{seen:#?}");
}
