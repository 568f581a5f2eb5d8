//! A run of an enrichment: the file is fetched and joined at once, and the output gets its place once all is whole and the guard was
//! asked once more.

use super::{AHEAD, Defect, Run};
use crate::credentials;
use crate::enrich::{Draft, Enrichment, FileForm, Joined, OutputFault, Pieces};
use crate::fault::Ended;
use crate::guard::{Guard, Reads};
use crate::progress::Tally;
use crate::sftp;
use connection_operator::api::Connection;
use connection_operator::api::run::PlannedEnrichment;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::channel;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

#[cfg(test)]
mod tests;

/// How long what goes on beside may take to end: less than the grace of a pod that is told to stop.
const END_MAX: Duration = Duration::from_secs(6);

/// What goes on beside: a thread can't be ended from outside, and has to be waited for.
#[derive(Default)]
pub struct Work {
    stopped: Arc<AtomicBool>,
    joining: Option<JoinHandle<Result<(Draft, Joined), Ended>>>,
    /// The output that gets its place just now.
    publishing: Option<JoinHandle<Result<(), OutputFault>>>,
}

impl Work {
    /// Gives the output its place, if it may still have it.
    async fn publish<R: Reads>(
        &mut self,
        guard: &Guard<R>,
        (draft, joined): (Draft, Joined),
        tally: &Tally,
    ) -> Result<(), Ended> {
        guard.allowed().await?;
        let tally = tally.clone();
        let stands = move || tally.joined(joined.enriched, joined.not_matched);
        self.publishing = Some(spawn_blocking(move || draft.publish(stands)));
        self.published().await
    }

    /// Waits for the output that gets its place just now, if any.
    async fn published(&mut self) -> Result<(), Ended> {
        let Some(publishing) = &mut self.publishing else {
            return Ok(());
        };
        let done = publishing.await;
        self.publishing = None;
        Ok(done.map_err(Defect::from)??)
    }
}

impl<R: Reads> Run<R> {
    /// Fetches, joins and writes.
    pub async fn enrich(
        &mut self,
        planned: &PlannedEnrichment,
        connection: &Connection,
    ) -> Result<(), Ended> {
        let import = sftp::Import::of(&self.plan, &connection.spec)?;
        let places = self.places.clone();
        let planned = planned.clone();
        let run = format!("{:016x}", RandomState::new().hash_one(0));
        let opened = spawn_blocking(move || {
            let folders = (
                places.volumes_directory.as_path(),
                places.output_directory.as_path(),
            );
            Enrichment::open(&planned, folders, &run)
        });
        let enrichment = opened.await.map_err(Defect::from)??;
        let declared = &self.plan.type_spec.secrets;
        let mut credentials = credentials::read(&self.places.secrets_directory, declared)?;
        self.vaults.read(connection, declared, &mut credentials).await?;
        let server = sftp::Server::connect(&import.place, &credentials).await?;
        drop(credentials);
        let fetch = sftp::Fetch::begin(server, &import).await?;

        let (sender, pieces) = channel(AHEAD);
        let form = FileForm {
            delimiter: import.place.form.delimiter,
            gzip: import.gzip(),
        };
        let (tally, stopped) = (self.tally.clone(), Arc::clone(&self.work.stopped));
        let joining = move || enrichment.run(Pieces::new(pieces), form, &tally, &stopped);
        let joining = self.work.joining.insert(spawn_blocking(joining));
        let fetched = fetch.run(&sender, |bytes| self.tally.left(bytes)).await;
        drop(sender);
        let joined = joining.await;
        self.work.joining = None;
        fetched?; // without the whole file there is nothing to say of the join
        let (draft, joined) = joined.map_err(Defect::from)??;
        self.work.publish(&self.guard, (draft, joined), &self.tally).await
    }

    /// Ends what goes on beside; true if nothing of it is left.
    pub async fn unwork(&mut self) -> bool {
        self.work.stopped.store(true, Ordering::Relaxed);
        let joining = self.work.joining.take();
        let ending = async {
            let _ = self.work.published().await; // then the one of before stands
            match joining {
                Some(joining) => joining.await.map(drop).is_ok(),
                None => true,
            }
        };
        timeout(END_MAX, ending).await.unwrap_or(false)
    }
}
