//! How far runs are: which pods are asked, and when.

use super::results::own_container;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use std::net::IpAddr;

/// How long a run goes on before it's asked how far it is, and how often it's asked from then on.
pub const EVERY: SignedDuration = SignedDuration::from_secs(30);

/// Where a pod is asked how far it is, if its connector has been running for long enough and wasn't asked too lately.
#[must_use]
pub fn due(pod: &Pod, asked: Option<Timestamp>, now: Timestamp) -> Option<IpAddr> {
    let running = own_container(pod)?.state.as_ref()?.running.as_ref()?;
    let last = asked.into_iter().chain([running.started_at.as_ref()?.0]).max()?;
    let due = now.duration_since(last) >= EVERY;
    let address = pod.status.as_ref()?.pod_ip.as_ref()?;
    address.parse().ok().filter(|_| due)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(address: &Value, state: &Value) -> Pod {
        let container = json!({"name": "connector", "state": state});
        serde_json::from_value(json!({"status": {"podIP": address, "containerStatuses": [container]}}))
            .expect("a pod")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn a_run_is_asked_after_thirty_seconds_and_every_thirty_from_then_on() {
        let running = json!({"running": {"startedAt": at(100)}});
        let pod = pod(&json!("10.1.2.3"), &running);
        let rows = [
            (None, 129, false),
            (None, 130, true),
            (Some(130), 159, false),
            (Some(130), 160, true),
            (Some(90), 110, false),
        ];
        for (asked, now, expected) in rows {
            let due = due(&pod, asked.map(at), at(now));
            assert_eq!(due.is_some(), expected, "asked at {asked:?}, now {now}");
        }
    }

    #[test]
    fn only_a_connector_that_runs_at_a_known_address_is_asked() {
        let running = json!({"running": {"startedAt": at(0)}});
        let ended = json!({"terminated": {"exitCode": 0, "startedAt": at(0), "finishedAt": at(1)}});
        let waiting = json!({"waiting": {"reason": "ContainerCreating"}});
        let rows = [
            (json!("fd00::7"), &running, true),
            (json!("10.1.2.3"), &ended, false),
            (json!("10.1.2.3"), &waiting, false),
            (json!(null), &running, false),
            (json!("partner.example"), &running, false),
        ];
        for (address, state, expected) in rows {
            let due = due(&pod(&address, state), None, at(1000));
            assert_eq!(due.is_some(), expected, "{address} {state}");
        }
    }
}
