//! What a candidate has seen of the Lease, and since when it has not changed. No node's clock is compared with another's.

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use std::time::{Duration, Instant};

/// The Lease as last seen.
#[derive(Debug, Default)]
pub(super) struct Seen(Option<(LeaseSpec, Instant)>);

impl Seen {
    /// Takes in a newer look. Only what its holder writes makes it newer. Should somebody delete the Lease, its holder
    /// may not know yet: what was seen before goes on to count.
    pub fn take_in(&mut self, lease: Option<&Lease>, now: Instant) {
        let Some(lease) = lease else { return };
        let spec = lease.spec.clone().unwrap_or_default();
        if self.0.as_ref().is_none_or(|(before, _)| *before != spec) {
            self.0 = Some((spec, now));
        }
    }

    /// How long this process has to wait before it may take it. The longer one of the Lease's duration and ours counts:
    /// in an update both may be in use.
    pub fn free_in(&self, us: &str, duration: Duration, now: Instant) -> Duration {
        let Some((spec, since)) = &self.0 else {
            return Duration::ZERO;
        };
        match spec.holder_identity.as_deref() {
            None | Some("") => Duration::ZERO,
            Some(holder) if holder == us => Duration::ZERO, // taken by a request whose answer we missed
            Some(_) => {
                let seconds = spec
                    .lease_duration_seconds
                    .and_then(|seconds| u64::try_from(seconds).ok());
                let held = duration.max(Duration::from_secs(seconds.unwrap_or(0)));
                (*since + held).saturating_duration_since(now)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
    use kube::api::ObjectMeta;

    const OURS: Duration = Duration::from_secs(15);

    fn held_by(holder: &str, renewed: i64, seconds: i32) -> Lease {
        Lease {
            metadata: ObjectMeta::default(),
            spec: Some(LeaseSpec {
                holder_identity: Some(holder.to_owned()),
                lease_duration_seconds: Some(seconds),
                renew_time: Some(MicroTime(Timestamp::from_second(renewed).expect("a time"))),
                ..LeaseSpec::default()
            }),
        }
    }

    #[test]
    fn it_is_free_a_duration_after_it_was_last_seen_to_change_and_at_once_if_nobody_holds_it() {
        let secs = Duration::from_secs;
        let nobody = Lease {
            spec: None,
            ..Lease::default()
        };
        let rows = [
            ("nobody holds it", nobody, secs(0)),
            ("it was given up", held_by("", 0, 15), secs(0)),
            ("we hold it and don't know", held_by("us", 0, 15), secs(0)),
            (
                "another holds it, since when doesn't matter",
                held_by("them", 0, 15),
                secs(15),
            ),
            (
                "its clock is an age ahead of ours",
                held_by("them", 4_000_000_000, 15),
                secs(15),
            ),
            (
                "it holds it longer than we would",
                held_by("them", 0, 60),
                secs(60),
            ),
            (
                "it holds it shorter than we would",
                held_by("them", 0, 1),
                secs(15),
            ),
            ("a duration that makes no sense", held_by("them", 0, -1), secs(15)),
        ];
        for (case, lease, after) in rows {
            let now = Instant::now();
            let mut seen = Seen::default();
            seen.take_in(Some(&lease), now);
            assert_eq!(seen.free_in("us", OURS, now), after, "{case}");
        }
    }

    #[test]
    fn only_a_renewal_makes_it_wait_again() {
        let start = Instant::now();
        let later = start + Duration::from_secs(5);
        let [whole, rest] = [OURS, Duration::from_secs(10)];
        let mut labelled = held_by("them", 0, 15);
        labelled.metadata.labels = Some([("team".to_owned(), "platform".to_owned())].into());
        let rows = [
            ("seen again as it was", held_by("them", 0, 15), rest),
            ("somebody set a label", labelled, rest),
            ("its holder renewed it", held_by("them", 5, 15), whole),
            ("another took it", held_by("others", 0, 15), whole),
        ];
        for (case, lease, left) in rows {
            let mut seen = Seen::default();
            seen.take_in(Some(&held_by("them", 0, 15)), start);
            seen.take_in(Some(&lease), later);
            assert_eq!(seen.free_in("us", OURS, later), left, "{case}");
        }
    }

    #[test]
    fn a_lease_that_never_was_is_free_and_one_that_was_deleted_is_so_in_its_time() {
        let now = Instant::now();
        let mut seen = Seen::default();
        seen.take_in(None, now);
        assert_eq!(seen.free_in("us", OURS, now), Duration::ZERO);
        seen.take_in(Some(&held_by("them", 0, 15)), now);
        seen.take_in(None, now + Duration::from_secs(1));
        assert_eq!(seen.free_in("us", OURS, now), OURS);
        assert_eq!(seen.free_in("us", OURS, now + OURS), Duration::ZERO);
    }
}
