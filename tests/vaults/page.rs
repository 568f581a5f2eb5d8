//! What the page for administrators tells them to grant in Vault is enough, and nothing of it can be spared.

use crate::hashicorp::{by_approle, provider, start};
use crate::seat::{Seat, look, once, told};
use connection_operator::vault::address::{Engine, VaultAddress};
use regex::Regex;
use vault_stand_in::hashicorp::{Capability, Kv, Mount, Policy, Secret, Vault, Version};

const PAGE: &str = include_str!("../../docs/key-vaults.md");

/// The policies that stand on the page, in order.
fn policies() -> Vec<Policy> {
    let rule = Regex::new(r#"path "([^"]+)" \{\s*capabilities = \[([^\]]*)\]\s*\}"#).expect("a pattern");
    let blocks = PAGE.split("```hcl\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().expect("an end"));
    let policy = |block: &str| {
        let rules = rule
            .captures_iter(block)
            .map(|rule| (rule[1].to_owned(), capabilities(&rule[2])));
        rules.collect::<Policy>()
    };
    blocks.map(policy).collect()
}

fn capabilities(text: &str) -> Vec<Capability> {
    let named = text.split(',').map(|name| match name.trim() {
        r#""read""# => Some(Capability::Read),
        r#""list""# => Some(Capability::List),
        _ => None,
    });
    let named: Option<Vec<Capability>> = named.collect();
    named.expect("nothing but to read and to list is granted")
}

/// One of the page's mounts, with a secret of this namespace and one of another.
fn vault(version: Kv) -> Vault {
    let secret = Secret {
        versions: vec![Version::of(&[("password", "canary")])],
        ..Secret::default()
    };
    let paths = ["marketing/sftp", "sales/crm"].map(str::to_owned);
    let secrets = paths.map(|path| (path, secret.clone())).into();
    let vault = start();
    vault.edit(|data| {
        let mount = Mount { version, secrets };
        data.mounts = [(mount_of(version).to_owned(), mount)].into();
    });
    vault
}

fn mount_of(version: Kv) -> &'static str {
    match version {
        Kv::One => "secret-v1",
        Kv::Two => "secret",
    }
}

fn address(vault: &Vault, version: Kv) -> VaultAddress {
    let engine = match version {
        Kv::One => Engine::V1,
        Kv::Two => Engine::V2,
    };
    VaultAddress {
        provider: provider(mount_of(version), engine),
        ..by_approle(vault)
    }
}

/// What goes wrong when everything is done that the operator and runs do with a secret, if anything does.
async fn lacks(vault: &Vault, version: Kv, policy: Policy) -> Option<&'static str> {
    vault.edit(|data| data.policies = [("connections".to_owned(), policy)].into());
    let address = address(vault, version);
    let mut seat = Seat::new(once(), None);
    for key in [None, Some("password")] {
        let look = look(&address, "marketing/sftp", None, key);
        let sight = seat
            .until("a look", &look, |sight| told(sight) != "nothing")
            .await;
        if told(&sight) != "well" {
            return Some("a look");
        }
        if seat.vaults.read(&address, &look.wanted).await.is_err() {
            return Some("a read");
        }
    }
    let listing = seat.vaults.list(&address).await;
    let listed = listing.is_ok_and(|listing| listing.secrets.iter().any(|one| one.name == "marketing/sftp"));
    (!listed).then_some("the list")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_is_enough_and_nothing_of_it_can_be_spared() {
    let policies = policies();
    assert_eq!(policies.len(), 2, "one for each version of the engine");
    for (policy, version) in policies.into_iter().zip([Kv::Two, Kv::One]) {
        let vault = vault(version);
        assert_eq!(lacks(&vault, version, policy.clone()).await, None, "{policy:?}");
        let other = look(&address(&vault, version), "sales/crm", None, Some("password"));
        let mut seat = Seat::new(once(), None);
        let sight = seat.told("another's secret", &other, "AccessDenied").await;
        assert_eq!(sight.usable(), None);
        for (path, granted) in &policy {
            for spared in granted {
                let mut less = policy.clone();
                let rule = less.get_mut(path).expect("the rule");
                rule.retain(|capability| capability != spared);
                let lacks = lacks(&vault, version, less).await;
                assert!(lacks.is_some(), "{spared:?} on {path} can be spared");
            }
        }
    }
}
