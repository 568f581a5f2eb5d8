use super::*;
use crate::vault::address::VaultUrl;
use crate::vault::reach::Reach;
use crate::vault::value::SecretText;
use std::collections::HashSet;

fn url(text: &str) -> VaultUrl {
    let reach = Reach::parse([".example"]).expect("a list");
    VaultUrl::parse(text, &reach).expect("an address")
}

fn token(text: &str) -> Identity {
    Identity::VaultToken {
        token: SecretText::new(text.to_owned()),
    }
}

fn account(namespace: &str) -> Identity {
    Identity::VaultServiceAccount {
        mount: "kubernetes".to_owned(),
        role: "connections".to_owned(),
        audience: "vault".to_owned(),
        namespace: namespace.to_owned(),
    }
}

fn base() -> VaultAddress {
    VaultAddress {
        url: url("https://vault.example"),
        provider: Provider::Vault {
            mount: "kv".to_owned(),
            namespace: None,
            engine: Engine::V2,
        },
        ca_bundle: None,
        identity: token("one"),
    }
}

#[test]
fn nothing_that_an_answer_depends_on_is_shared_with_another() {
    let vault = |mount: &str, namespace: Option<&str>, engine| Provider::Vault {
        mount: mount.to_owned(),
        namespace: namespace.map(str::to_owned),
        engine,
    };
    let with = |change: fn(&mut VaultAddress)| {
        let mut address = base();
        change(&mut address);
        address
    };
    let addresses = [
        base(),
        with(|address| address.url = url("https://vault.example:8200")),
        with(|address| address.url = url("https://other.example")),
        with(|address| address.ca_bundle = Some("x".into())),
        with(|address| address.identity = token("two")),
        with(|address| address.identity = account("marketing")),
        with(|address| address.identity = account("sales")),
        with(|address| {
            address.identity = Identity::VaultAppRole {
                mount: "approle".to_owned(),
                role_id: "one".to_owned(),
                secret_id: SecretText::new("two".to_owned()),
            };
        }),
        VaultAddress {
            provider: vault("kv", Some("eu"), Engine::V2),
            ..base()
        },
        VaultAddress {
            provider: vault("kv", None, Engine::V1),
            ..base()
        },
        VaultAddress {
            provider: vault("kvkv", None, Engine::V2),
            ..base()
        },
        VaultAddress {
            provider: Provider::Azure {
                tenant: "kv".to_owned(),
            },
            ..base()
        },
    ];
    let keys = Keys::new();
    let all: HashSet<Key> = addresses.iter().map(|address| keys.of(address)).collect();
    assert_eq!(all.len(), addresses.len());
    assert_eq!(keys.of(&base()), keys.of(&base()), "the same is shared");
    assert_ne!(
        keys.of(&base()),
        Keys::new().of(&base()),
        "it means nothing elsewhere"
    );
}
