//! What the API server's audit log says about the requests that were made with one token.

use crate::Outcome;
use crate::account::CREDENTIAL_ID;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How often the log is looked at while something is waited for; each look costs next to nothing.
const LOOK: Duration = Duration::from_millis(200);
/// Nothing that is measured takes longer.
const PATIENCE: Duration = Duration::from_mins(15);

/// One finished request.
#[derive(Clone, Debug)]
pub struct Request {
    /// What it was for.
    pub purpose: Purpose,
    /// `kind/namespace/name` of what it was about, as far as it names one.
    pub object: String,
    /// Whether the API server did it.
    pub accepted: bool,
    /// When it came in.
    pub received: Timestamp,
    /// When it was answered.
    pub answered: Timestamp,
}

/// What a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Status,
    /// A write to an object itself; the operator does it for its finalizer alone.
    Object,
    /// A decision on consent, put on record.
    Record,
    /// What is kept for a shared connection.
    Sharing,
    Event,
    Watch,
    Lease,
    Read,
}

impl Request {
    /// Whether it wrote, or tried to.
    pub fn writes(&self) -> bool {
        self.governs() || self.purpose == Purpose::Event
    }

    /// Whether it wrote an object of ours, or one that the operator keeps.
    pub fn governs(&self) -> bool {
        use Purpose::{Object, Record, Sharing, Status};
        matches!(self.purpose, Status | Object | Record | Sharing)
    }

    /// Whether it put a decision on record.
    pub fn records(&self) -> bool {
        self.purpose == Purpose::Record
    }

    /// Whether it wrote what is kept for a shared connection.
    pub fn shares(&self) -> bool {
        self.purpose == Purpose::Sharing
    }
}

/// The log, read from where it was left.
pub struct Audit {
    log: BufReader<File>,
    rest: String,
    credential: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    verb: String,
    user: User,
    #[serde(default)]
    object_ref: Object,
    #[serde(default)]
    response_status: Answer,
    request_received_timestamp: Timestamp,
    stage_timestamp: Timestamp,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    extra: HashMap<String, Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Object {
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    code: u16,
}

impl Audit {
    /// Begins at the log's end; the token is known by the id of its credential.
    pub fn of(path: &Path, credential: &str) -> Outcome<Self> {
        let mut audit = Self {
            log: BufReader::new(File::open(path)?),
            rest: String::new(),
            credential: credential.to_owned(),
        };
        audit.read()?;
        Ok(audit)
    }

    /// What has been added since.
    pub fn read(&mut self) -> Outcome<Vec<Request>> {
        let mut requests = Vec::new();
        while self.log.read_line(&mut self.rest)? > 0 && self.rest.ends_with('\n') {
            if self.rest.contains(&self.credential) {
                let line: Line = serde_json::from_str(&self.rest)?;
                let ids = line.user.extra.get(CREDENTIAL_ID);
                if ids.is_some_and(|ids| ids.contains(&self.credential)) {
                    requests.push(line.into());
                }
            }
            self.rest.clear();
        }
        Ok(requests)
    }

    /// All requests until those that `count` have stopped for so long, and there are enough of them.
    pub async fn until_quiet(
        &mut self,
        quiet: Duration,
        count: impl Fn(&Request) -> bool,
        enough: usize,
    ) -> Outcome<Vec<Request>> {
        let (started, mut last) = (Instant::now(), Instant::now());
        let (mut all, mut counted) = (Vec::new(), 0);
        while last.elapsed() < quiet || counted < enough {
            if started.elapsed() > PATIENCE {
                return Err(format!("only {counted} of {enough} requests came within {PATIENCE:?}").into());
            }
            sleep(LOOK).await;
            let new = self.read()?;
            let more = new.iter().filter(|request| count(request)).count();
            if more > 0 {
                last = Instant::now();
            }
            counted += more;
            all.extend(new);
        }
        Ok(all)
    }
}

impl From<Line> for Request {
    fn from(line: Line) -> Self {
        let object = line.object_ref;
        let purpose = match (
            line.verb.as_str(),
            object.resource.as_str(),
            object.subresource.as_str(),
        ) {
            (_, "leases", _) => Purpose::Lease,
            ("watch", ..) => Purpose::Watch,
            ("get" | "list", ..) => Purpose::Read,
            (_, "events", _) => Purpose::Event,
            (_, "consentrecords", _) => Purpose::Record,
            (_, "roles" | "rolebindings" | "sharedconnections", _) => Purpose::Sharing,
            (_, _, "status") => Purpose::Status,
            _ => Purpose::Object,
        };
        Self {
            purpose,
            object: format!("{}/{}/{}", object.resource, object.namespace, object.name),
            accepted: (200..300).contains(&line.response_status.code),
            received: line.request_received_timestamp,
            answered: line.stage_timestamp,
        }
    }
}

/// How many of the accepted requests there were, and over which time: from the first's arrival to the last's answer.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub requests: usize,
    pub seconds: f64,
}

impl Pace {
    /// Of the requests that `bounds` chooses, with those that `counts` chooses counted between the first and last.
    pub fn of(
        requests: &[Request],
        bounds: impl Fn(&Request) -> bool,
        counts: impl Fn(&Request) -> bool,
    ) -> Outcome<Self> {
        let chosen = || {
            requests
                .iter()
                .filter(|request| request.accepted && bounds(request))
        };
        let first = chosen().map(|request| request.received).min();
        let last = chosen().map(|request| request.answered).max();
        let (Some(first), Some(last)) = (first, last) else {
            return Err("there were no requests to measure".into());
        };
        let within = requests
            .iter()
            .filter(|request| request.accepted && counts(request) && request.answered <= last);
        Ok(Self {
            requests: within.count(),
            seconds: last.duration_since(first).as_secs_f64(),
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of requests is far below 2^52")]
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.seconds
    }
}
