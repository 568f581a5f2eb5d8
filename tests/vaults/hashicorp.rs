//! Vault and OpenBao, by the requests of vaultrs, against a stand-in.

use crate::faults::{self, Faulty, Row, delegate, usable};
use crate::seat::{Seat, look, often, once, owner, reach, told};
use connection_operator::vault::address::{Engine, Identity, Look, Provider, VaultAddress, VaultUrl};
use connection_operator::vault::connect::Cloud;
use connection_operator::vault::value::SecretText;
use std::time::Duration;
use vault_stand_in::Fault;
use vault_stand_in::hashicorp::{
    Capability, Data, Deletion, Kv, Login, Method, Mount, Policy, Secret, StaticToken, Vault, Version,
};

fn data() -> Data {
    let secret = Secret {
        versions: vec![
            Version::of(&[("password", "canary-old")]),
            Version::of(&[("password", "canary-new"), ("user", "acme")]),
        ],
        ..Secret::default()
    };
    let mount = |version| Mount {
        version,
        secrets: [
            ("team/sftp".to_owned(), secret.clone()),
            ("crm".to_owned(), secret.clone()),
        ]
        .into(),
    };
    let policy: Policy = [
        ("kv/data/*".to_owned(), vec![Capability::Read]),
        (
            "kv/metadata/*".to_owned(),
            vec![Capability::Read, Capability::List],
        ),
        ("kv/metadata".to_owned(), vec![Capability::Read, Capability::List]),
        ("old/*".to_owned(), vec![Capability::Read, Capability::List]),
        ("old".to_owned(), vec![Capability::List]),
    ]
    .into();
    let login = |mount: &str, method| Login {
        mount: mount.to_owned(),
        method,
        policies: vec!["connections".to_owned()],
        ttl: 3600,
        renewable: true,
    };
    Data {
        namespaces: vec!["eu".to_owned()],
        mounts: [
            ("kv".to_owned(), mount(Kv::Two)),
            ("old".to_owned(), mount(Kv::One)),
        ]
        .into(),
        policies: [("connections".to_owned(), policy)].into(),
        logins: vec![
            login(
                "approle",
                Method::AppRole {
                    role_id: "role".to_owned(),
                    secret_id: "password".to_owned(),
                },
            ),
            login(
                "kubernetes",
                Method::Kubernetes {
                    role: "connections".to_owned(),
                    namespace: "marketing".to_owned(),
                    service_account: "connections-run".to_owned(),
                    audience: Some("vault".to_owned()),
                    reviewer: None,
                },
            ),
            login(
                "jwt",
                Method::Jwt {
                    role: "connections".to_owned(),
                    subject: "system:serviceaccount:marketing:connections-run".to_owned(),
                    audience: "vault".to_owned(),
                    keys: None,
                },
            ),
        ],
        tokens: vec![StaticToken {
            token: "s.token".to_owned(),
            policies: vec!["connections".to_owned()],
        }],
        ..Data::default()
    }
}

pub fn start() -> Vault {
    Vault::start(data()).expect("a stand-in")
}

pub fn provider(mount: &str, engine: Engine) -> Provider {
    Provider::Vault {
        mount: mount.to_owned(),
        namespace: None,
        engine,
    }
}

fn approle(secret_id: &str) -> Identity {
    Identity::VaultAppRole {
        mount: "approle".to_owned(),
        role_id: "role".to_owned(),
        secret_id: SecretText::new(secret_id.to_owned()),
    }
}

pub fn by_approle(vault: &Vault) -> VaultAddress {
    VaultAddress {
        url: VaultUrl::parse(&vault.url(), &reach()).expect("an address"),
        provider: provider("kv", Engine::V2),
        ca_bundle: Some(vault.ca_pem.as_str().into()),
        identity: approle("password"),
    }
}

pub fn by_token(vault: &Vault) -> VaultAddress {
    VaultAddress {
        identity: Identity::VaultToken {
            token: SecretText::new("s.token".to_owned()),
        },
        ..by_approle(vault)
    }
}

fn sftp(vault: &Vault) -> Look {
    look(&by_approle(vault), "team/sftp", None, None)
}

fn secret(data: &mut Data) -> &mut Secret {
    let mount = data.mounts.get_mut("kv").expect("the mount");
    mount.secrets.get_mut("team/sftp").expect("the secret")
}

fn newest(data: &mut Data) -> &mut Version {
    secret(data).versions.last_mut().expect("a version")
}

impl Faulty for Vault {
    const NEWEST: &'static str = "2";
    const CALLED: &'static str = "https://localhost:";
    const LOOK: &'static str = "metadata";
    const SIGN_IN: &'static str = "login";

    fn start() -> Self {
        start()
    }

    fn cloud(&self) -> Option<Cloud> {
        None
    }

    fn sftp(&self) -> Look {
        sftp(self)
    }

    fn restore(&self) {
        self.edit(|now| *now = data());
    }

    delegate!();
}

const OWN_FAULTS: [Row<Vault>; 9] = [
    (
        "sealed",
        |vault| vault.fault(Fault::Sealed),
        "VaultUnavailable",
        true,
    ),
    (
        "a standby",
        |vault| vault.fault(Fault::Standby),
        "VaultUnavailable",
        true,
    ),
    (
        "the right is taken away",
        |vault| vault.edit(|data| data.policies.clear()),
        "AccessDenied",
        false,
    ),
    (
        "the newest version is deleted",
        |vault| vault.edit(|data| newest(data).gone = Deletion::Deleted),
        "SecretNotFound",
        false,
    ),
    (
        "the newest version is destroyed",
        |vault| vault.edit(|data| newest(data).gone = Deletion::Destroyed),
        "SecretNotFound",
        false,
    ),
    (
        "the secret is gone",
        |vault| vault.edit(|data| data.mounts.get_mut("kv").expect("the mount").secrets.clear()),
        "SecretNotFound",
        false,
    ),
    (
        "its time is over",
        |vault| vault.edit(|data| newest(data).deletion_time = Some(jiff::Timestamp::UNIX_EPOCH)),
        "SecretNotFound",
        false,
    ),
    (
        "the role's secret was changed, and the token expires",
        |vault| {
            vault.edit(|data| {
                data.logins[0].method = Method::AppRole {
                    role_id: "role".to_owned(),
                    secret_id: "other".to_owned(),
                };
            });
            vault.advance(Duration::from_hours(2));
        },
        "CredentialRejected",
        false,
    ),
    (
        "the method is taken away, and the token expires",
        |vault| {
            vault.edit(|data| data.logins.clear());
            vault.advance(Duration::from_hours(2));
        },
        "CredentialRejected",
        false,
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_is_down_at_the_start_is_told_so_and_found_when_it_comes() {
    faults::down_at_the_start_is_told_and_passes_by_itself::<Vault>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_has_its_reason_and_passes_by_itself() {
    faults::each_has_its_reason_and_passes_by_itself(OWN_FAULTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_keys_and_both_engines_are_looked_at() {
    let vault = start();
    let v2 = by_approle(&vault);
    let v1 = VaultAddress {
        provider: provider("old", Engine::V1),
        ..v2.clone()
    };
    let rows = [
        (
            "the newest",
            look(&v2, "team/sftp", None, None),
            "well",
            Some("2"),
        ),
        (
            "a version",
            look(&v2, "team/sftp", Some("1"), None),
            "well",
            Some("1"),
        ),
        (
            "no such version",
            look(&v2, "team/sftp", Some("9"), None),
            "VersionNotFound",
            None,
        ),
        (
            "no version",
            look(&v2, "team/sftp", Some("x"), None),
            "VersionNotFound",
            None,
        ),
        (
            "no such secret in a version",
            look(&v2, "none", Some("1"), None),
            "SecretNotFound",
            None,
        ),
        (
            "a name that can't be one",
            look(&v2, "team/../sftp", None, None),
            "SecretNotFound",
            None,
        ),
        (
            "a key",
            look(&v2, "team/sftp", None, Some("user")),
            "well",
            Some("2"),
        ),
        (
            "a key of a version",
            look(&v2, "team/sftp", Some("1"), Some("password")),
            "well",
            Some("1"),
        ),
        (
            "no such key",
            look(&v2, "team/sftp", Some("1"), Some("user")),
            "KeyNotFound",
            None,
        ),
        (
            "version 1 of the engine",
            look(&v1, "team/sftp", None, Some("user")),
            "well",
            Some(""),
        ),
        (
            "no such key in version 1",
            look(&v1, "team/sftp", None, Some("x")),
            "KeyNotFound",
            None,
        ),
        (
            "no such secret in version 1",
            look(&v1, "x", None, Some("x")),
            "SecretNotFound",
            None,
        ),
        (
            "a version in version 1",
            look(&v1, "crm", Some("1"), None),
            "VersionNotFound",
            None,
        ),
    ];
    let mut seat = Seat::new(once(), None);
    for (case, look, reason, version) in rows {
        let sight = seat.until(case, &look, |sight| told(sight) != "nothing").await;
        assert_eq!(
            (told(&sight), usable(&sight)),
            (reason, version),
            "{case}: {sight:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_is_taken_or_told_why_not() {
    let vault = start();
    let account = |mount: &str, namespace: &str, audience: &str| Identity::VaultServiceAccount {
        mount: mount.to_owned(),
        role: "connections".to_owned(),
        audience: audience.to_owned(),
        namespace: namespace.to_owned(),
    };
    let token = |text: &str| Identity::VaultToken {
        token: SecretText::new(text.to_owned()),
    };
    let rows = [
        ("a role", approle("password"), "well"),
        ("a role's wrong secret", approle("wrong"), "CredentialRejected"),
        (
            "a run account",
            account("kubernetes", "marketing", "vault"),
            "well",
        ),
        (
            "another's run account",
            account("kubernetes", "sales", "vault"),
            "CredentialRejected",
        ),
        (
            "no run account",
            account("kubernetes", "nowhere", "vault"),
            "VaultUnavailable",
        ),
        (
            "a run account by its token alone",
            account("jwt", "marketing", "vault"),
            "well",
        ),
        (
            "made out for another",
            account("jwt", "marketing", "others"),
            "CredentialRejected",
        ),
        (
            "nothing is mounted there",
            account("oidc", "marketing", "vault"),
            "CredentialRejected",
        ),
        ("a token", token("s.token"), "well"),
        ("a token with a line break after it", token("s.token\n"), "well"),
        ("a wrong token", token("s.other"), "CredentialRejected"),
        ("no token", token(""), "CredentialRejected"),
        (
            "a token that can't be one",
            token("s.\u{7}token"),
            "CredentialRejected",
        ),
    ];
    for (case, identity, reason) in rows {
        let mut seat = Seat::new(once(), None);
        let address = VaultAddress {
            identity,
            ..by_approle(&vault)
        };
        let look = look(&address, "team/sftp", None, None);
        let sight = seat.until(case, &look, |sight| told(sight) != "nothing").await;
        assert_eq!(told(&sight), reason, "{case}: {sight:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_is_replaced_once_and_nobody_notices() {
    let vault = start();
    let mut seat = Seat::new(often(), None);
    seat.told("found", &sftp(&vault), "well").await;
    vault.advance(Duration::from_hours(2));
    vault.edit(|data| secret(data).versions.push(Version::of(&[("password", "canary")])));
    let sight = seat
        .until("renewed", &sftp(&vault), |sight| usable(sight) == Some("3"))
        .await;
    assert_eq!(usable(&sight), Some("3"));
    assert_eq!(vault.count("login"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_read_only_when_asked_for() {
    let vault = start();
    let mut seat = Seat::new(once(), None);
    seat.told("found", &sftp(&vault), "well").await;
    assert_eq!(vault.count("data"), 0, "a look sees no value");
    let address = by_approle(&vault);
    let wanted = look(&address, "team/sftp", None, Some("password")).wanted;
    let value = seat
        .vaults
        .read(&address, &wanted)
        .await
        .unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!((value.version.as_str(), value.text.expose()), ("2", "canary-new"));
    let wanted = look(&address, "team/sftp", Some("1"), Some("password")).wanted;
    let value = seat
        .vaults
        .read(&address, &wanted)
        .await
        .unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!((value.version.as_str(), value.text.expose()), ("1", "canary-old"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_somebody_else_is_passed_over_and_without_the_root_no_names_are_told() {
    let vault = start();
    let address = by_approle(&vault);
    let seat = Seat::new(once(), None);
    allow(&vault, &[("kv/metadata/", Capability::List)]);
    let listing = seat.vaults.list(&address).await.expect("a list");
    let names: Vec<&str> = listing.secrets.iter().map(|one| one.name.as_str()).collect();
    assert_eq!((names, listing.truncated), (vec!["crm"], true));
    assert_eq!(listing.denied, None);
    allow(&vault, &[("kv/metadata/team/*", Capability::List)]);
    let listing = seat.vaults.list(&address).await.expect("the vault answers");
    assert_eq!(listing.secrets, []);
    let denied = listing.denied.expect("it isn't told");
    assert_eq!(denied.reason(), "AccessDenied");
    assert!(
        denied
            .to_string()
            .contains("lacks the capability list on kv/metadata/"),
        "{denied}"
    );
}

/// From now on, whoever signs in may do this and nothing else.
fn allow(vault: &Vault, rules: &[(&str, Capability)]) {
    let rules = rules.iter();
    let policy: Policy = rules
        .map(|(path, capability)| ((*path).to_owned(), vec![*capability]))
        .collect();
    vault.edit(|data| data.policies = [("connections".to_owned(), policy)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_on_one_secret_are_enough_to_use_it() {
    let vault = start();
    let address = by_approle(&vault);
    let rows = [
        ("its metadata", "kv/metadata/team/sftp", None, "well"),
        (
            "its metadata, and a key",
            "kv/metadata/team/sftp",
            Some("password"),
            "AccessDenied",
        ),
        (
            "its value, and a key",
            "kv/data/team/sftp",
            Some("password"),
            "well",
        ),
        ("its value", "kv/data/team/sftp", None, "AccessDenied"),
        ("another's", "kv/metadata/crm", None, "AccessDenied"),
    ];
    for (case, path, key, expected) in rows {
        allow(&vault, &[(path, Capability::Read)]);
        let mut seat = Seat::new(once(), None);
        let look = look(&address, "team/sftp", None, key);
        seat.told(case, &look, expected).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_opens_folders() {
    let vault = start();
    let seat = Seat::new(once(), None);
    for (mount, engine) in [("kv", Engine::V2), ("old", Engine::V1)] {
        let address = VaultAddress {
            provider: provider(mount, engine),
            ..by_approle(&vault)
        };
        let listing = seat.vaults.list(&address).await.expect("a list");
        let names: Vec<&str> = listing
            .secrets
            .iter()
            .map(|secret| secret.name.as_str())
            .collect();
        assert_eq!(
            (names, listing.truncated),
            (vec!["crm", "team/sftp"], false),
            "{mount}"
        );
    }
    let mut left = Seat::new(once(), None);
    left.told("found", &sftp(&vault), "well").await;
    left.vaults.leave(&owner("sftp"));
}
