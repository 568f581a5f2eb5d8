//! What goes wrong with a vault: what is told of it, whether the last good state stands meanwhile, and that it passes by
//! itself. What any vault can suffer is in one table here; what one kind alone can, beside that kind.

use crate::seat::{Seat, often};
use connection_operator::vault::address::Look;
use connection_operator::vault::connect::Cloud;
use connection_operator::vault::sight::Sight;
use std::time::Duration;
use vault_stand_in::Fault;

/// A stand-in that things go wrong with.
pub trait Faulty: Sized + Send + Sync + 'static {
    /// The version that is found while all is well.
    const NEWEST: &'static str;
    /// What messages call it by.
    const CALLED: &'static str;
    /// The kind of request by which a secret is looked at.
    const LOOK: &'static str;
    /// The kind of request by which somebody signs in.
    const SIGN_IN: &'static str;

    /// One where all is well.
    fn start() -> Self;
    /// Where it is signed in, if that is elsewhere.
    fn cloud(&self) -> Option<Cloud>;
    /// The secret that is followed.
    fn sftp(&self) -> Look;
    /// Holds again what it held at the start.
    fn restore(&self);

    fn fault(&self, fault: Fault);
    fn fault_next(&self, times: u32, route: &str, fault: Fault);
    fn fault_on(&self, route: &str, fault: Fault);
    fn advance(&self, by: Duration);
    fn heal(&self);
    fn down(&self);
    fn up(&self);
}

/// Delegates to what every stand-in can do.
macro_rules! delegate {
    () => {
        fn fault(&self, fault: vault_stand_in::Fault) {
            self.fault(fault);
        }

        fn fault_next(&self, times: u32, route: &str, fault: vault_stand_in::Fault) {
            self.fault_next(times, route, fault);
        }

        fn fault_on(&self, route: &str, fault: vault_stand_in::Fault) {
            self.fault_on(route, fault);
        }

        fn advance(&self, by: std::time::Duration) {
            self.advance(by);
        }

        fn heal(&self) {
            self.heal();
        }

        fn down(&self) {
            self.down();
        }

        fn up(&self) {
            self.up();
        }
    };
}
pub(crate) use delegate;

/// What goes wrong, what is told, and whether the last good state stands meanwhile.
pub type Row<V> = (&'static str, fn(&V), &'static str, bool);

/// What any vault can suffer: it is away, or wants to be left alone.
fn of_any<V: Faulty>() -> [Row<V>; 15] {
    [
        ("down", |vault| vault.down(), "VaultUnavailable", true),
        (
            "never answers",
            |vault| vault.fault(Fault::Hang),
            "VaultUnavailable",
            true,
        ),
        (
            "answers after 10 seconds",
            |vault| vault.fault(Fault::Slow(Duration::from_secs(10))),
            "VaultUnavailable",
            true,
        ),
        (
            "in trouble",
            |vault| vault.fault(Fault::ServerError(500)),
            "VaultUnavailable",
            true,
        ),
        (
            "out of service",
            |vault| vault.fault(Fault::ServerError(503)),
            "VaultUnavailable",
            true,
        ),
        (
            "cuts connections",
            |vault| vault.fault(Fault::Cut),
            "VaultUnavailable",
            true,
        ),
        (
            "cuts answers",
            |vault| vault.fault(Fault::CutMidway),
            "VaultUnavailable",
            true,
        ),
        (
            "answers garbage",
            |vault| vault.fault(Fault::Garbage),
            "VaultUnavailable",
            true,
        ),
        (
            "answers 100 MB",
            |vault| vault.fault(Fault::Flood(100_000_000)),
            "VaultUnavailable",
            true,
        ),
        (
            "points to metadata",
            |vault| vault.fault(Fault::Redirect("http://169.254.169.254/metadata".to_owned())),
            "VaultUnavailable",
            true,
        ),
        (
            "throttles",
            |vault| vault.fault(Fault::Throttled { retry_after: Some(1) }),
            "Throttled",
            true,
        ),
        (
            "throttles and doesn't say for how long",
            |vault| vault.fault_next(3, V::LOOK, Fault::Throttled { retry_after: None }),
            "Throttled",
            true,
        ),
        (
            "signing in fails when the token expires",
            |vault| sign_in_fails(vault, Fault::ServerError(500)),
            "VaultUnavailable",
            true,
        ),
        (
            "signing in is out of service when the token expires",
            |vault| sign_in_fails(vault, Fault::ServerError(503)),
            "VaultUnavailable",
            true,
        ),
        (
            "signing in is throttled when the token expires",
            |vault| sign_in_fails(vault, Fault::Throttled { retry_after: Some(1) }),
            "Throttled",
            true,
        ),
    ]
}

fn sign_in_fails<V: Faulty>(vault: &V, fault: Fault) {
    vault.fault_on(V::SIGN_IN, fault);
    vault.advance(Duration::from_hours(2));
}

pub fn usable(sight: &Sight) -> Option<&str> {
    sight.usable().map(|found| found.version.as_str())
}

/// Lets each thing go wrong, what any vault can suffer and what this kind can, with a stand-in of its own.
pub async fn each_has_its_reason_and_passes_by_itself<V: Faulty>(own: impl IntoIterator<Item = Row<V>>) {
    let mut cases = tokio::task::JoinSet::new();
    for row in of_any().into_iter().chain(own) {
        cases.spawn(passes_by_itself::<V>(row));
    }
    while let Some(done) = cases.join_next().await {
        done.expect("the case holds");
    }
}

async fn passes_by_itself<V: Faulty>((case, strike, reason, keeps): Row<V>) {
    let vault = V::start();
    let mut limits = often();
    // A pause that was too short, or that the vault doesn't name, is as long as the rate's window.
    limits.rate.window = Duration::from_secs(1);
    let mut seat = Seat::new(limits, vault.cloud());
    let before = seat.told(case, &vault.sftp(), "well").await;
    assert_eq!(usable(&before), Some(V::NEWEST), "{case}");
    strike(&vault);
    let during = seat.told(case, &vault.sftp(), reason).await;
    assert_eq!(usable(&during), keeps.then_some(V::NEWEST), "{case}");
    let fault = during.latest.and_then(Result::err);
    let words = fault.map(|fault| fault.to_string()).unwrap_or_default();
    assert!(
        words.contains(V::CALLED) && !words.contains("canary"),
        "{case}: {words}"
    );
    vault.up();
    vault.heal();
    vault.restore();
    let after = seat.told(case, &vault.sftp(), "well").await;
    assert_eq!(usable(&after), Some(V::NEWEST), "{case}");
}

/// Nobody has ever heard of the vault.
pub async fn down_at_the_start_is_told_and_passes_by_itself<V: Faulty>() {
    let vault = V::start();
    vault.down();
    let mut seat = Seat::new(often(), vault.cloud());
    let sight = seat.told("down", &vault.sftp(), "VaultUnavailable").await;
    assert_eq!(usable(&sight), None, "nothing was ever good");
    vault.up();
    seat.told("up", &vault.sftp(), "well").await;
}
