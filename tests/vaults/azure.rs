//! Azure Key Vault, by the official client, against a stand-in.

use crate::faults::{self, Faulty, Row, delegate, usable};
use crate::seat::{Seat, look, often, once, owner, reach, told};
use connection_operator::vault::address::{Identity, Look, Provider, VaultAddress, VaultUrl};
use connection_operator::vault::connect::{Cloud, NameFault};
use connection_operator::vault::value::SecretText;
use std::time::Duration;
use vault_stand_in::Fault;
use vault_stand_in::azure::{Azure, Certificate, Data, Federated, PermissionModel, Right, Secret, Version};

const TENANT: &str = "11111111-1111-4111-8111-111111111111";
const CLIENT: &str = "22222222-2222-4222-8222-222222222222";
const OLD: &str = "0123456789abcdef0123456789abcdef";
const NEW: &str = "11112222333344445555666677778888";
const NOBODY: &str = include_str!("../../src/vault/azure/certificate/nobody.pem");

fn identity() -> vault_stand_in::azure::Identity {
    vault_stand_in::azure::Identity {
        client_id: CLIENT.to_owned(),
        client_secret: Some("password".to_owned()),
        rights: vec![Right::Get, Right::List],
        ..vault_stand_in::azure::Identity::default()
    }
}

fn version(id: &str, value: &str, day: i64) -> Version {
    Version {
        created: jiff::Timestamp::from_second(1_700_000_000 + day * 86_400).expect("a time"),
        ..Version::new(id, value)
    }
}

fn data() -> Data {
    let secret = Secret {
        deleted: false,
        versions: vec![version(OLD, "canary-old", 1), version(NEW, "canary-new", 2)],
    };
    Data {
        vault: "contoso".to_owned(),
        tenant: TENANT.to_owned(),
        permission_model: PermissionModel::default(),
        identities: vec![identity()],
        secrets: [("sftp".to_owned(), secret)].into(),
        page_size: 25,
        token_seconds: 3599,
        names: Vec::new(),
    }
}

pub fn start() -> Azure {
    Azure::start(data()).expect("a stand-in")
}

pub fn cloud(azure: &Azure) -> Cloud {
    Cloud {
        suffix: ".vault.localhost".to_owned(),
        authority: VaultUrl::parse(&azure.authority(), &reach()).expect("an address"),
    }
}

pub fn by_password(azure: &Azure, password: &str) -> VaultAddress {
    VaultAddress {
        url: VaultUrl::parse_azure(&azure.url(), &reach()).expect("an address"),
        provider: Provider::Azure {
            tenant: TENANT.to_owned(),
        },
        ca_bundle: Some(azure.ca_pem.as_str().into()),
        identity: Identity::AzureClientSecret {
            client_id: CLIENT.to_owned(),
            secret: SecretText::new(password.to_owned()),
        },
    }
}

fn sftp(azure: &Azure) -> Look {
    look(&by_password(azure, "password"), "sftp", None, None)
}

impl Faulty for Azure {
    const NEWEST: &'static str = NEW;
    const CALLED: &'static str = ".vault.localhost";
    const LOOK: &'static str = "versions";
    const SIGN_IN: &'static str = "token";

    fn start() -> Self {
        start()
    }

    fn cloud(&self) -> Option<Cloud> {
        Some(cloud(self))
    }

    fn sftp(&self) -> Look {
        sftp(self)
    }

    fn restore(&self) {
        self.edit(|now| *now = data());
    }

    delegate!();
}

const OWN_FAULTS: [Row<Azure>; 10] = [
    (
        "may not",
        |azure| azure.fault(Fault::Forbidden),
        "AccessDenied",
        false,
    ),
    (
        "its firewall is on",
        |azure| azure.fault(Fault::Firewall),
        "AccessDenied",
        false,
    ),
    (
        "refuses tokens",
        |azure| azure.fault(Fault::TokenRefused),
        "CredentialRejected",
        false,
    ),
    (
        "the right is taken away",
        |azure| azure.edit(|data| data.identities[0].rights.clear()),
        "AccessDenied",
        false,
    ),
    (
        "the secret is deleted",
        |azure| azure.edit(|data| secret(data).deleted = true),
        "SecretNotFound",
        false,
    ),
    (
        "the secret is purged",
        |azure| azure.edit(|data| data.secrets.clear()),
        "SecretNotFound",
        false,
    ),
    (
        "the newest version is disabled",
        |azure| azure.edit(|data| newest(data).enabled = false),
        "SecretDisabled",
        false,
    ),
    (
        "its time hasn't come",
        |azure| azure.edit(|data| newest(data).not_before = Some(jiff::Timestamp::MAX)),
        "SecretDisabled",
        false,
    ),
    (
        "its time is over",
        |azure| azure.edit(|data| newest(data).expires = Some(jiff::Timestamp::UNIX_EPOCH)),
        "SecretExpired",
        false,
    ),
    (
        "the password was changed, and the token expires",
        |azure| {
            azure.edit(|data| data.identities[0].client_secret = Some("other".to_owned()));
            azure.advance(Duration::from_hours(2));
        },
        "CredentialRejected",
        false,
    ),
];

fn secret(data: &mut Data) -> &mut Secret {
    data.secrets.get_mut("sftp").expect("the secret")
}

fn newest(data: &mut Data) -> &mut Version {
    secret(data).versions.last_mut().expect("a version")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_has_its_reason_and_passes_by_itself() {
    faults::each_has_its_reason_and_passes_by_itself(OWN_FAULTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_is_down_at_the_start_is_told_so_and_found_when_it_comes() {
    faults::down_at_the_start_is_told_and_passes_by_itself::<Azure>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_certificates_are_told_apart() {
    let azure = start();
    let mut seat = Seat::new(often(), Some(cloud(&azure)));
    seat.told("found", &sftp(&azure), "well").await;
    let own = seat.leads.lock().expect("a lock").clone();
    // Connections that are open need no name, so the vault is down as well.
    let rows = [
        ("nobody knows names", Err(NameFault::NoAnswer), "VaultUnavailable"),
        ("no such name", Err(NameFault::NoSuchName), "VaultNotFound"),
        (
            "it leads to metadata",
            Ok(vec!["169.254.169.254".parse().expect("an address")]),
            "AddressNotAllowed",
        ),
    ];
    for (case, leads, reason) in rows {
        azure.down();
        *seat.leads.lock().expect("a lock") = leads;
        seat.told(case, &sftp(&azure), reason).await;
        azure.up();
        seat.leads.lock().expect("a lock").clone_from(&own);
        seat.told(case, &sftp(&azure), "well").await;
    }
    let other = start();
    let mut stranger = by_password(&azure, "password");
    stranger.ca_bundle = Some(other.ca_pem.as_str().into());
    let sight = seat
        .told(
            "another's authority",
            &look(&stranger, "sftp", None, None),
            "VaultUnavailable",
        )
        .await;
    let words = sight
        .latest
        .and_then(Result::err)
        .map(|fault| fault.to_string())
        .unwrap_or_default();
    assert!(words.contains("certificate isn't trusted"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_is_taken_or_told_why_not() {
    let azure = start();
    let cut = NOBODY.find("-----BEGIN PRIVATE").expect("a key");
    azure.edit(|data| {
        data.identities.push(vault_stand_in::azure::Identity {
            client_id: "33333333-3333-4333-8333-333333333333".to_owned(),
            federated: Some(Federated {
                issuer: "https://kubernetes.default.svc".to_owned(),
                subject: "system:serviceaccount:marketing:connections-run".to_owned(),
                audience: "api://AzureADTokenExchange".to_owned(),
                keys: None,
            }),
            rights: vec![Right::List],
            ..vault_stand_in::azure::Identity::default()
        });
        data.identities.push(vault_stand_in::azure::Identity {
            client_id: "44444444-4444-4444-8444-444444444444".to_owned(),
            certificate: Some(Certificate(NOBODY[..cut].to_owned())),
            rights: vec![Right::List],
            ..vault_stand_in::azure::Identity::default()
        });
    });
    let workload = |namespace: &str| Identity::AzureWorkload {
        client_id: "33333333-3333-4333-8333-333333333333".to_owned(),
        namespace: namespace.to_owned(),
    };
    let certificate = |pem: &str| Identity::AzureCertificate {
        client_id: "44444444-4444-4444-8444-444444444444".to_owned(),
        pem: SecretText::new(pem.to_owned()),
    };
    let password = |client: &str, password: &str| Identity::AzureClientSecret {
        client_id: client.to_owned(),
        secret: SecretText::new(password.to_owned()),
    };
    let rows = [
        ("a run account", TENANT, workload("marketing"), "well", ""),
        (
            "another namespace's run account",
            TENANT,
            workload("sales"),
            "CredentialRejected",
            "federated credential",
        ),
        (
            "no run account",
            TENANT,
            workload("nowhere"),
            "VaultUnavailable",
            "run account",
        ),
        ("a certificate", TENANT, certificate(NOBODY), "well", ""),
        (
            "no certificate",
            TENANT,
            certificate("x"),
            "CredentialRejected",
            "PEM",
        ),
        (
            "a wrong password",
            TENANT,
            password(CLIENT, "wrong"),
            "CredentialRejected",
            "is wrong",
        ),
        (
            "nobody",
            TENANT,
            password("55555555-5555-4555-8555-555555555555", "x"),
            "CredentialRejected",
            "doesn't know that application",
        ),
        (
            "another tenant",
            "66666666-6666-4666-8666-666666666666",
            password(CLIENT, "password"),
            "CredentialRejected",
            "no such tenant",
        ),
    ];
    for (case, tenant, identity, reason, words) in rows {
        let mut seat = Seat::new(once(), Some(cloud(&azure)));
        let mut address = by_password(&azure, "");
        address.identity = identity;
        address.provider = Provider::Azure {
            tenant: tenant.to_owned(),
        };
        let sight = seat
            .until(case, &look(&address, "sftp", None, None), |sight| {
                told(sight) != "nothing"
            })
            .await;
        let fault = sight
            .latest
            .clone()
            .and_then(Result::err)
            .map(|fault| fault.to_string());
        assert_eq!(told(&sight), reason, "{case}: {fault:?}");
        assert!(fault.unwrap_or_default().contains(words), "{case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_is_replaced_once_and_nobody_notices() {
    let azure = start();
    let mut seat = Seat::new(often(), Some(cloud(&azure)));
    seat.told("found", &sftp(&azure), "well").await;
    // A new version shows that looks go on.
    azure.advance(Duration::from_hours(2));
    azure.edit(|data| {
        let third = version("fedcba9876543210fedcba9876543210", "canary", 3);
        secret(data).versions.push(third);
    });
    let sight = seat
        .until("renewed", &sftp(&azure), |sight| usable(sight) != Some(NEW))
        .await;
    assert_eq!(
        usable(&sight),
        Some("fedcba9876543210fedcba9876543210"),
        "it never failed"
    );
    assert_eq!(azure.count("token"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_not_tried_again_and_again() {
    let azure = start();
    azure.edit(|data| {
        for each in 0..40 {
            let copy = secret(data).clone();
            data.secrets.insert(format!("secret-{each}"), copy);
        }
    });
    let mut seat = Seat::new(once(), Some(cloud(&azure)));
    let address = by_password(&azure, "wrong");
    let looks: Vec<Look> = (0..40)
        .map(|each| look(&address, &format!("secret-{each}"), None, None))
        .collect();
    loop {
        let sights = seat.vaults.follow(&owner("all"), &looks);
        if sights.iter().all(|sight| told(sight) == "CredentialRejected") {
            break;
        }
        seat.changed.next().await;
    }
    assert_eq!(azure.count("token"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_read_only_when_asked_for() {
    let azure = start();
    let mut seat = Seat::new(once(), Some(cloud(&azure)));
    let address = by_password(&azure, "password");
    seat.told("found", &sftp(&azure), "well").await;
    assert_eq!(
        azure.count("secret") + azure.count("version"),
        0,
        "a look sees no value"
    );
    let read = |version| look(&address, "sftp", version, None).wanted;
    let value = seat
        .vaults
        .read(&address, &read(None))
        .await
        .unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!((value.version.as_str(), value.text.expose()), (NEW, "canary-new"));
    let value = seat
        .vaults
        .read(&address, &read(Some(OLD)))
        .await
        .unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!((value.version.as_str(), value.text.expose()), (OLD, "canary-old"));
    let missing = seat
        .vaults
        .read(&address, &read(Some("00000000000000000000000000000000")))
        .await;
    assert_eq!(missing.err().map(|fault| fault.reason()), Some("VersionNotFound"));
    let sight = seat
        .told("a key", &look(&address, "sftp", None, Some("x")), "KeyNotFound")
        .await;
    assert_eq!(usable(&sight), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_read_page_by_page_up_to_its_bound() {
    let azure = start();
    azure.edit(|data| {
        let copy = secret(data).clone();
        data.secrets = (0..60)
            .map(|each| (format!("secret-{each:02}"), copy.clone()))
            .collect();
    });
    let mut limits = once();
    limits.listed = 55;
    let seat = Seat::new(limits, Some(cloud(&azure)));
    let listing = seat
        .vaults
        .list(&by_password(&azure, "password"))
        .await
        .expect("a list");
    assert_eq!((listing.secrets.len(), listing.truncated), (55, true));
    assert_eq!(azure.count("secrets"), 3, "25 a page");
    let mut followed = Seat::new(once(), Some(cloud(&azure)));
    let sight = loop {
        let sight = followed
            .vaults
            .survey(&owner("vault"), &by_password(&azure, "password"));
        if sight.latest.is_some() {
            break sight;
        }
        followed.changed.next().await;
    };
    assert_eq!(sight.usable().map(|listing| listing.secrets.len()), Some(60));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_without_an_end_is_read_up_to_a_bound_and_names_that_fit_nowhere_are_passed_over() {
    let azure = start();
    azure.edit(|data| {
        let copy = secret(data).clone();
        data.secrets = (0..150)
            .map(|each| (format!("secret-{each:03}"), copy.clone()))
            .collect();
        data.secrets.insert("secret_000".to_owned(), copy);
        data.page_size = 1;
    });
    let seat = Seat::new(once(), Some(cloud(&azure)));
    let listing = seat
        .vaults
        .list(&by_password(&azure, "password"))
        .await
        .expect("a list");
    assert_eq!(azure.count("secrets"), 100, "pages");
    assert!(listing.truncated);
    assert!(
        listing
            .secrets
            .iter()
            .all(|listed| listed.name.starts_with("secret-"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_on_one_secret_are_enough_to_use_it() {
    let both = [Right::Get, Right::List];
    let on_it: Option<&[&str]> = Some(&["sftp"]);
    // What it may, on what, what is told of the secret, and how many values that took.
    let rows = [
        ("a role on it", &both[..], on_it, "well", 0),
        (
            "a role on another",
            &both[..],
            Some(&["crm"][..]),
            "AccessDenied",
            1,
        ),
        ("to get it alone", &both[..1], on_it, "well", 1),
        ("to get all and list none", &both[..1], None, "well", 1),
        ("to list alone", &both[1..], None, "well", 0),
        ("nothing", &[][..], None, "AccessDenied", 1),
    ];
    for (case, rights, only, expected, values) in rows {
        let azure = start();
        azure.edit(|data| {
            let identity = &mut data.identities[0];
            identity.rights = rights.to_vec();
            identity.only = only.map(|names| names.iter().map(ToString::to_string).collect());
        });
        let mut seat = Seat::new(once(), Some(cloud(&azure)));
        let sight = seat
            .until(case, &sftp(&azure), |sight| told(sight) != "nothing")
            .await;
        assert_eq!(told(&sight), expected, "{case}");
        assert_eq!(usable(&sight), (expected == "well").then_some(NEW), "{case}");
        assert_eq!(azure.count("secret"), values, "{case}");
        let listing = seat.vaults.list(&by_password(&azure, "password")).await;
        let listing = listing.unwrap_or_else(|fault| panic!("{case}: {fault}"));
        let lists = only.is_none() && rights.contains(&Right::List);
        assert_eq!(
            (listing.secrets.len(), listing.denied.is_none()),
            (usize::from(lists), lists),
            "{case}"
        );
    }
}

/// What is wrong with a secret, and what is told.
type Case = (&'static str, fn(&mut Data), &'static str);

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_secret_is_told_also_to_who_may_only_get_it() {
    let rows: [Case; 3] = [
        ("gone", |data| data.secrets.clear(), "SecretNotFound"),
        ("disabled", |data| newest(data).enabled = false, "SecretDisabled"),
        (
            "over",
            |data| newest(data).expires = Some(jiff::Timestamp::UNIX_EPOCH),
            "SecretExpired",
        ),
    ];
    for (case, wrong, expected) in rows {
        let azure = start();
        azure.edit(|data| data.identities[0].rights = vec![Right::Get]);
        azure.edit(wrong);
        let mut seat = Seat::new(once(), Some(cloud(&azure)));
        seat.told(case, &sftp(&azure), expected).await;
    }
}
