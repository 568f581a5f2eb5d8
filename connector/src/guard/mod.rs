//! The guard: says whether data may go, before anything is opened and for as long as it goes.
//!
//! Flow: the connection is read; what it says is [judged](judge); its answer holds for two seconds, then it is read again.
//! Guarantees: nothing begins without an answer, and nothing goes on for longer than 15 seconds after the last one was
//! asked for. Assumptions: the API server answers with what is so now, as it does where no resource version is asked for.

mod judge;
mod reads;

pub use judge::judge;
pub(crate) use judge::{annotation, stands};
pub use reads::{FromApiServer, NoAnswer, Reads};

use crate::fault::{Ended, Fault};
use connection_operator::api::Connection;
use connection_operator::api::run::{FailureClass, Persistence, Plan};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::time::{Instant, sleep, timeout};

#[cfg(test)]
mod tests;

/// How long an answer holds.
pub const EVERY: Duration = Duration::from_secs(2);
/// How long data may go after the last question that was answered.
pub const SILENCE_MAX: Duration = Duration::from_secs(15);
/// How long one question waits for its answer.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// Nobody could say whether data may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "The API server didn't say for 15 seconds whether data may go, so none goes. It's tried again; if that lasts, whoever \
     runs the cluster can look at the ServiceAccount connections-run, its Role, and the way from pods to the API server."
)]
pub struct Silence;

impl Fault for Silence {
    fn class(&self) -> FailureClass {
        FailureClass::System
    }

    fn persistence(&self) -> Persistence {
        Persistence::Transient
    }
}

/// Watches over one run.
#[derive(Clone, Debug)]
pub struct Guard<R> {
    reads: R,
    plan: Arc<Plan>,
}

impl<R: Reads> Guard<R> {
    /// Over the run of this plan.
    pub fn new(reads: R, plan: Arc<Plan>) -> Self {
        Self { reads, plan }
    }

    /// The connection, if data may go now, and when that was asked.
    ///
    /// # Errors
    /// When it may not, or nobody says so for as long as that may last.
    pub async fn allowed(&self) -> Result<(Connection, Instant), Ended> {
        let began = Instant::now();
        loop {
            let asked = Instant::now();
            if let Some(answer) = self.ask(began).await {
                return answer.map(|connection| (connection, asked));
            }
            rest(began).await?;
        }
    }

    /// Returns once data may go no longer, with the reason. It was last answered what was asked then.
    pub async fn watch(&self, mut answered: Instant) -> Ended {
        loop {
            if let Err(silence) = rest(answered).await {
                return silence;
            }
            let asked = Instant::now();
            match self.ask(answered).await {
                Some(Ok(_)) => answered = asked,
                Some(Err(ended)) => return ended,
                None => {}
            }
        }
    }

    /// One question, if there is time for it.
    async fn ask(&self, answered: Instant) -> Option<Result<Connection, Ended>> {
        let left = SILENCE_MAX.saturating_sub(answered.elapsed());
        let answer = timeout(left.min(ANSWER_MAX), self.reads.connection()).await;
        let found = answer.ok()?.ok()?;
        Some(judge(&self.plan, found, Timestamp::now()).map_err(Ended::Stopped))
    }
}

/// Waits until the next question is due.
async fn rest(answered: Instant) -> Result<(), Ended> {
    let left = SILENCE_MAX.saturating_sub(answered.elapsed());
    sleep(left.min(EVERY)).await;
    if answered.elapsed() < SILENCE_MAX {
        Ok(())
    } else {
        Err(Silence.into())
    }
}
