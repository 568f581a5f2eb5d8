//! What is shared, and what never is.

use crate::seat::{Seat, look, often, once, owner, told};
use crate::{azure, hashicorp};
use connection_operator::vault::address::{Look, VaultAddress};
use connection_operator::vault::connect::Cloud;
use connection_operator::vault::sight::Sight;
use vault_stand_in::Fault;

/// Lets every owner follow its looks until all have an answer.
async fn settle(seat: &mut Seat, owners: &[(String, Vec<Look>)]) -> Vec<Vec<Sight>> {
    loop {
        let all: Vec<Vec<Sight>> = owners
            .iter()
            .map(|(name, looks)| seat.vaults.follow(&owner(name), looks))
            .collect();
        if all.iter().flatten().all(|sight| told(sight) != "nothing") {
            return all;
        }
        seat.changed.next().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_connections_on_twenty_secrets_cost_twenty_requests() {
    let stand_in = azure::start();
    stand_in.edit(|data| {
        let copy = data.secrets["sftp"].clone();
        data.secrets = (0..20)
            .map(|each| (format!("secret-{each}"), copy.clone()))
            .collect();
    });
    let mut seat = Seat::new(once(), Some(azure::cloud(&stand_in)));
    let address = azure::by_password(&stand_in, "password");
    let owners: Vec<(String, Vec<Look>)> = (0..1000)
        .map(|each| {
            let secret = format!("secret-{}", each % 20);
            (
                format!("connection-{each}"),
                vec![look(&address, &secret, None, None)],
            )
        })
        .collect();
    let sights = settle(&mut seat, &owners).await;
    assert!(sights.iter().flatten().all(|sight| told(sight) == "well"));
    assert_eq!(stand_in.count("versions"), 20);
    assert_eq!(
        (stand_in.count("challenge"), stand_in.count("token")),
        (1, 1),
        "one signs in for all"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_identity_never_sees_what_one_was_answered() {
    let stand_in = azure::start();
    let mut seat = Seat::new(once(), Some(azure::cloud(&stand_in)));
    let mine = look(&azure::by_password(&stand_in, "password"), "sftp", None, None);
    let theirs = look(&azure::by_password(&stand_in, "guess"), "sftp", None, None);
    let owners = [
        ("mine".to_owned(), vec![mine]),
        ("theirs".to_owned(), vec![theirs]),
    ];
    let sights = settle(&mut seat, &owners).await;
    let told: Vec<&str> = sights.iter().flatten().map(told).collect();
    assert_eq!(told, ["well", "CredentialRejected"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_hangs_delays_no_other() {
    let hanging = azure::start();
    hanging.fault(Fault::Hang);
    let other = hashicorp::start();
    let mut seat = Seat::new(once(), Some(azure::cloud(&hanging)));
    let stuck: Vec<Look> = (0..100)
        .map(|each| {
            look(
                &azure::by_password(&hanging, "password"),
                &format!("secret-{each}"),
                None,
                None,
            )
        })
        .collect();
    let waiting = seat.vaults.follow(&owner("stuck"), &stuck);
    assert!(waiting.iter().all(|sight| told(sight) == "nothing"));
    let well = look(&hashicorp::by_approle(&other), "team/sftp", None, None);
    seat.told("the other vault", &well, "well").await;
    let still = seat.vaults.follow(&owner("stuck"), &stuck);
    assert!(
        still.iter().all(|sight| told(sight) == "nothing"),
        "the first one hangs all the while"
    );
}

/// Longer than any test waits, and a pause that people are told of.
const PAUSE: Fault = Fault::Throttled {
    retry_after: Some(600),
};

#[tokio::test(flavor = "multi_thread")]
async fn an_azure_vault_that_wants_fewer_requests_gets_none_of_anybody_and_all_are_told() {
    let stand_in = azure::start();
    stand_in.fault_next(1, "versions", PAUSE);
    let mut seat = Seat::new(often(), Some(azure::cloud(&stand_in)));
    let mine = look(&azure::by_password(&stand_in, "password"), "sftp", None, None);
    seat.told("who asked", &mine, "Throttled").await;
    // Another credential, which the directory would refuse; nobody asks it.
    let theirs = look(&azure::by_password(&stand_in, "guess"), "sftp", None, None);
    seat.told("who didn't", &theirs, "Throttled").await;
    assert_eq!(stand_in.count("versions"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_must_see_to_stays_told_while_the_vault_wants_fewer_requests() {
    let stand_in = azure::start();
    let mut seat = Seat::new(often(), Some(azure::cloud(&stand_in)));
    let address = azure::by_password(&stand_in, "password");
    let absent = look(&address, "nowhere", None, None);
    let there = look(&address, "sftp", None, None);
    let follow = |seat: &Seat| {
        let sights = seat
            .vaults
            .follow(&owner("both"), &[absent.clone(), there.clone()]);
        [told(&sights[0]), told(&sights[1])]
    };
    until(&mut seat, follow, ["SecretNotFound", "well"]).await;
    stand_in.fault_on("versions", PAUSE);
    until(&mut seat, follow, ["SecretNotFound", "Throttled"]).await;
}

async fn until<const N: usize>(
    seat: &mut Seat,
    follow: impl Fn(&Seat) -> [&'static str; N],
    expected: [&'static str; N],
) {
    while follow(seat) != expected {
        seat.changed.next().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calling_a_vault_azures_pauses_none_of_its_links() {
    let (stand_in, directory) = (hashicorp::start(), azure::start());
    stand_in.fault_next(1, "secret", PAUSE);
    let cloud = Cloud {
        suffix: "localhost".to_owned(),
        ..azure::cloud(&directory)
    };
    let mut seat = Seat::new(often(), Some(cloud));
    let misnamed = VaultAddress {
        url: hashicorp::by_approle(&stand_in).url,
        ca_bundle: Some(stand_in.ca_pem.as_str().into()),
        ..azure::by_password(&directory, "password")
    };
    let theirs = look(&misnamed, "sftp", None, None);
    seat.told("a link that calls it Azure's", &theirs, "Throttled")
        .await;
    let mine = look(&hashicorp::by_approle(&stand_in), "team/sftp", None, None);
    seat.told("a link of Vault", &mine, "well").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_of_vault_for_one_link_stops_no_other_link() {
    let stand_in = hashicorp::start();
    stand_in.fault_next(1, "metadata", PAUSE);
    let mut seat = Seat::new(often(), None);
    let mine = look(&hashicorp::by_approle(&stand_in), "team/sftp", None, None);
    seat.told("who is over its quota", &mine, "Throttled").await;
    let theirs = look(&hashicorp::by_token(&stand_in), "team/sftp", None, None);
    seat.told("who isn't", &theirs, "well").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_followed_any_more_is_forgotten() {
    let stand_in = azure::start();
    let mut seat = Seat::new(once(), Some(azure::cloud(&stand_in)));
    let sftp = look(&azure::by_password(&stand_in, "password"), "sftp", None, None);
    seat.told("found", &sftp, "well").await;
    seat.vaults.leave(&owner("sftp"));
    assert_eq!(
        told(
            &seat.vaults.follow(&owner("sftp"), &[])[..]
                .first()
                .cloned()
                .unwrap_or_default()
        ),
        "nothing"
    );
    let again = seat.vaults.follow(&owner("sftp"), std::slice::from_ref(&sftp));
    assert_eq!(told(&again[0]), "nothing", "it is looked at anew");
    seat.told("found again", &sftp, "well").await;
    assert_eq!(stand_in.count("versions"), 2);
    assert_eq!(stand_in.count("token"), 2, "the credential was dropped too");
}
