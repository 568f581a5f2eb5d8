//! What a test can make a stand-in do instead of answering.

use std::time::Duration;

/// Something that goes wrong between a vault and who asks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Too many requests, said in the vendor's words; `Retry-After` if given.
    Throttled {
        /// Whole seconds to wait, as the header has it.
        retry_after: Option<u64>,
    },
    /// A failure of the server itself: 500, 502, 503 or 504.
    ServerError(u16),
    /// Answers rightly, this much later.
    Slow(Duration),
    /// Takes the request and never answers.
    Hang,
    /// Closes the connection without an answer.
    Cut,
    /// Closes the connection after half of the answer.
    CutMidway,
    /// 200 with what isn't JSON.
    Garbage,
    /// 200 with a JSON string of about this many bytes.
    Flood(u64),
    /// A redirect to elsewhere, such as `http://169.254.169.254/metadata/identity`.
    Redirect(String),
    /// Who asks is known and signed in, and may not do this here.
    Forbidden,
    /// The token is refused although it hasn't expired.
    TokenRefused,
    /// Azure: the network of who asks may not reach this vault. Vault has no such answer and says 403.
    Firewall,
    /// Vault: sealed. Azure has no such state and answers 503.
    Sealed,
    /// Vault: a standby that doesn't forward; it names the active node. Azure answers 503.
    Standby,
}

/// A fault, where it strikes, and how often yet.
#[derive(Debug)]
pub(crate) struct Planned {
    pub fault: Fault,
    /// None: every route.
    pub route: Option<String>,
    /// None: until healed.
    pub times: Option<u32>,
}

/// Takes the first fault that strikes a request on this route, and counts it down.
pub(crate) fn strike(planned: &mut Vec<Planned>, route: &str) -> Option<Fault> {
    let at = planned
        .iter()
        .position(|planned| planned.route.as_deref().is_none_or(|only| only == route))?;
    let fault = planned[at].fault.clone();
    if let Some(times) = &mut planned[at].times {
        *times = times.saturating_sub(1);
        if *times == 0 {
            planned.remove(at);
        }
    }
    Some(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(fault: Fault, route: Option<&str>, times: Option<u32>) -> Planned {
        Planned {
            fault,
            route: route.map(str::to_owned),
            times,
        }
    }

    #[test]
    fn a_fault_strikes_its_route_as_often_as_it_was_told() {
        let mut plan = vec![
            planned(Fault::Cut, Some("secret"), Some(2)),
            planned(Fault::Hang, None, None),
        ];
        assert_eq!(strike(&mut plan, "token"), Some(Fault::Hang), "another route");
        assert_eq!(strike(&mut plan, "secret"), Some(Fault::Cut));
        assert_eq!(strike(&mut plan, "secret"), Some(Fault::Cut));
        assert_eq!(strike(&mut plan, "secret"), Some(Fault::Hang), "used up");
        assert_eq!(strike(&mut plan, "secret"), Some(Fault::Hang), "until healed");
    }

    #[test]
    fn without_faults_nothing_strikes() {
        assert_eq!(strike(&mut Vec::new(), "secret"), None);
    }
}
