//! Carries decisions out.

use super::{Context, Fault, Governed};
use crate::api::names::MANAGED_BY_LABEL;
use crate::api::{ConsentRecord, ConsentRecordSpec};
use crate::cluster::events::Notice;
use crate::cluster::writes::{self, Target, WriteError};
use crate::governance::course::Course;
use crate::governance::decision::{Announcement, Decision, Effect};
use crate::governance::removal::Hold;
use kube::core::object::HasStatus;
use kube::runtime::controller::Action;
use kube::{Resource, ResourceExt};
use serde::Serialize;
use std::time::Duration;

impl Context {
    /// Carries a decision out, in the order of its [`Course`]. Nothing where nothing changed.
    ///
    /// # Errors
    /// When the API server doesn't take a write; a newer object is no error, its own event brings the next visit.
    pub async fn act<K>(&self, object: &K, decision: Decision<K::Status>) -> Result<Action, Fault>
    where
        K: Governed + HasStatus,
        K::Status: PartialEq + Serialize,
    {
        let kind = K::kind(&());
        match self.write(object, &decision).await {
            Ok(outcome) => {
                self.metrics.reconciled(&kind, outcome);
                Ok(decision.recheck.map_or_else(Action::await_change, |after| {
                    Action::requeue(after.unsigned_abs())
                }))
            }
            Err(WriteError::Conflict | WriteError::Gone) => {
                self.metrics.reconciled(&kind, "conflict");
                Ok(Action::requeue(CONFLICT_RECHECK))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Carries out what is due for an object that has no status of ours.
    ///
    /// # Errors
    /// As [`Context::act`].
    pub async fn act_beside<K: Governed>(&self, object: &K, effects: Vec<Effect>) -> Result<Action, Fault> {
        let kind = K::kind(&());
        let outcome = if effects.is_empty() { "settled" } else { "written" };
        let course = Course::of(Hold::Keep, &effects);
        let failed = self
            .carry_out_all(object, effects.iter().collect(), &course)
            .await?;
        match failed {
            None => {
                self.metrics.reconciled(&kind, outcome);
                Ok(Action::await_change())
            }
            Some(WriteError::Conflict | WriteError::Gone) => {
                self.metrics.reconciled(&kind, "conflict");
                Ok(Action::requeue(CONFLICT_RECHECK))
            }
            Some(error) => Err(error.into()),
        }
    }

    async fn write<K>(&self, object: &K, decision: &Decision<K::Status>) -> Result<&'static str, WriteError>
    where
        K: Governed + HasStatus,
        K::Status: PartialEq + Serialize,
    {
        let mut target = Target::of(object);
        let course = Course::of(decision.hold, &decision.effects);
        if course.releases && object.is_still_used(&self.client).await? {
            return Err(WriteError::StillUsed);
        }
        if course.holds {
            target.version = writes::hold::<K>(&self.client, &target, object.finalizers()).await?;
            self.written.note(object, &target.version);
        }
        let failed = self.carry_out_all(object, course.first.clone(), &course).await?;
        if course.releases {
            writes::release::<K>(&self.client, &target, object.finalizers()).await?;
            return Ok("released");
        }
        // Neither waits for the other: granting rights takes the API server long.
        let kept = self.carry_out_all(object, course.beside.clone(), &course);
        let (kept, status) = futures::join!(kept, self.write_status(object, &target, decision));
        let ends = course.last(status.is_ok());
        let ended = self.carry_out_all(object, ends, &course).await?;
        let written = status? || course.holds || !decision.effects.is_empty();
        let outcome = if written { "written" } else { "settled" };
        failed.or(kept?).or(ended).map_or(Ok(outcome), Err)
    }

    /// The status and the news of it, if it's another than before.
    async fn write_status<K>(
        &self,
        object: &K,
        target: &Target,
        decision: &Decision<K::Status>,
    ) -> Result<bool, WriteError>
    where
        K: Governed + HasStatus,
        K::Status: PartialEq + Serialize,
    {
        if object.status() == Some(&decision.status) {
            return Ok(false);
        }
        let version = writes::status::<K>(&self.client, target, &decision.status).await?;
        self.written.note(object, &version);
        for news in &decision.announcements {
            self.events.tell(object, notice(object, *news));
        }
        Ok(true)
    }

    /// Only what the course can't go on without ends the visit. In a namespace on its way nothing can be put on record, and
    /// nothing waits for that.
    async fn carry_out_all<K>(
        &self,
        object: &K,
        effects: Vec<&Effect>,
        course: &Course<'_>,
    ) -> Result<Option<WriteError>, WriteError>
    where
        K: Resource<DynamicType = ()>,
    {
        let mut failed = None;
        for effect in effects {
            match self.carry_out(object, effect).await {
                Ok(()) => {}
                Err(WriteError::Gone) if course.releases => {}
                Err(error) if course.releases && is_left_to_its_owner(effect, &error) => {}
                Err(error) if course.ends_without(effect) => return Err(error),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        Ok(failed)
    }

    async fn carry_out<K: Resource>(&self, object: &K, effect: &Effect) -> Result<(), WriteError> {
        let namespace = object.namespace().unwrap_or_default();
        match effect {
            Effect::Record { name, record } => self.put_on_record(&namespace, name, record).await,
            Effect::Keep(kept) => self.keep(kept).await,
            Effect::Drop(kept) => self.drop_kept(kept).await,
            Effect::Run(step) => self.take_step(&namespace, step).await,
        }
    }

    /// The record outlives the object, so it has no owner.
    async fn put_on_record(
        &self,
        namespace: &str,
        name: &str,
        record: &ConsentRecordSpec,
    ) -> Result<(), WriteError> {
        let mut object = ConsentRecord::new(name, record.clone());
        object.metadata.namespace = Some(namespace.to_owned());
        let (label, value) = MANAGED_BY_LABEL;
        object.labels_mut().insert(label.to_owned(), value.to_owned());
        writes::make(&self.client, &object).await?;
        self.recorded.note(object);
        let ConsentRecordSpec {
            subject,
            decision,
            digest,
            by,
            via,
            ..
        } = record;
        tracing::info!(
            target: "audit",
            namespace, kind = subject.kind, name = %subject.name, ?decision, digest, by, via, "consent"
        );
        Ok(())
    }
}

/// Whether an object that it keeps is removed by the garbage collector all the same, with the connection that owns it.
/// The right to remove it may be gone before, with a namespace on its way.
fn is_left_to_its_owner(effect: &Effect, error: &WriteError) -> bool {
    matches!(effect, Effect::Drop(_)) && error.is_forbidden()
}

/// After a conflict the watch brings the newer object; this is for the case that it was brought already.
const CONFLICT_RECHECK: Duration = Duration::from_secs(1);

fn notice<K: Resource<DynamicType = ()>>(object: &K, news: Announcement) -> Notice {
    let (kind, name) = (K::kind(&()).to_lowercase(), object.name_any());
    let scope = object
        .namespace()
        .map_or_else(String::new, |namespace| format!(" -n {namespace}"));
    Notice {
        warning: news.warning,
        reason: news.reason.to_string(),
        note: format!(
            "{} To see more: kubectl describe {kind} {name}{scope}",
            news.reason.meaning()
        ),
    }
}
