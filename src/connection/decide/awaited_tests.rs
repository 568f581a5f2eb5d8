//! Connections whose vault was asked a moment ago.

use super::*;
use crate::fixtures::{ConnectionBuilder, after_visit, at, found, sftp_partner};
use crate::vault::sight::Sight;
use proptest::prelude::*;

/// Visited at second 500, a secret of it being followed since then or before.
fn followed(connection: &ConnectionBuilder, since: Option<i64>) -> ConnectionFacts {
    let mut facts = after_visit(connection.facts());
    let followed = since.map(at);
    let sight = Sight {
        followed,
        ..Sight::default()
    };
    facts.vaults.sights.insert("password".to_owned(), sight);
    facts.now = at(500);
    facts
}

fn waits(facts: &ConnectionFacts) -> Option<u64> {
    too_early(facts).map(|rest| rest.as_secs())
}

#[test]
fn a_first_answer_is_waited_for_two_seconds_where_nothing_runs_yet() {
    let idle = sftp_partner();
    assert_eq!(waits(&followed(&idle, Some(500))), Some(2), "just asked");
    assert_eq!(waits(&followed(&idle, Some(499))), Some(1), "a second ago");
    assert_eq!(waits(&followed(&idle, Some(498))), None, "people are told now");
    assert_eq!(waits(&followed(&idle, None)), None, "nobody asked");

    let mut answered = followed(&idle, Some(500));
    let sight = Sight {
        followed: Some(at(500)),
        ..found("3", None)
    };
    answered.vaults.sights.insert("password".to_owned(), sight);
    assert_eq!(waits(&answered), None, "the answer is there");

    let works = followed(&sftp_partner().consented(), Some(500));
    assert_eq!(waits(&works), None, "what runs on it must hear at once");

    let mut going = followed(&idle, Some(500));
    Arc::make_mut(&mut going.connection).metadata.deletion_timestamp =
        Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(500)));
    assert_eq!(waits(&going), None, "it is being removed");
}

proptest! {
    #[test]
    fn nothing_is_put_off_for_longer_than_three_seconds(since in 0i64..1000) {
        let rest = too_early(&followed(&sftp_partner(), Some(since.min(500))));
        prop_assert!(rest.is_none_or(|rest| rest <= Duration::from_secs(3)));
    }
}
