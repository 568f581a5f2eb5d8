//! A visit, write by write, in the order of the product's own course.

use super::World;
use crate::objects::{NAMESPACE, each, json};
use crate::operator::{Decided, What};
use crate::places::{
    BINDINGS, CRON_JOB, Id, NAMES, NIGHTLY, Place, RECORDS, REQUESTED, ROLES, SCHEDULED, SHARED, State,
    Status, USERS, Visit, bit,
};
use crate::rules::Mutation;
use connection_operator::api::names::IN_USE_FINALIZER;
use connection_operator::api::run::PLAN_KEY;
use connection_operator::api::{ConsentRecord, ConsentRecordSpec};
use connection_operator::governance::course::Course;
use connection_operator::governance::decision::Effect;
use connection_operator::governance::kept::Kept;
use connection_operator::governance::runs::steps::RunStep;
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use serde::Serialize;
use serde_json::{Value, json};
use std::rc::Rc;
use std::sync::Arc;

/// A write that didn't happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// What stands there isn't what was judged.
    Conflict,
    /// It's gone.
    Gone,
}

/// One write of a visit that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// Asks the API server who uses what is let go.
    Ask,
    Hold,
    First(usize),
    Beside(usize),
    Status,
    Last(usize),
    Release,
}

impl World {
    pub(super) fn visit(&mut self, state: &mut State, place: Place) {
        state.woken &= !bit(place);
        let Some(decision) = self.operator.decide(&mut self.objects, state, place) else {
            return;
        };
        if self.operator.decision(decision).is_settled() {
            return;
        }
        state.visits.push(Visit {
            place: u8::try_from(place).expect("few places"),
            judged: state.seen[place],
            decision,
            asked: false,
            held: false,
            first: 0,
            beside: 0,
            status: Status::Due,
            last: 0,
            failed: false,
        });
        state.visits.sort_by_key(|visit| visit.place);
    }

    /// The writes that may come next in a visit, in the order of the product's course.
    pub(super) fn due(&self, visit: &Visit) -> Vec<Write> {
        let decided = self.operator.decision(visit.decision);
        let course = Course::of(decided.hold(), decided.effects());
        let (first, beside) = (usize::from(visit.first), usize::from(visit.beside));
        let status_due = decided.news && visit.status == Status::Due;
        if course.releases {
            if !visit.asked
                && !self.has(Mutation::AsksNobodyBeforeItReleases)
                && !self.has(Mutation::ReleasesWhatIsUsed)
            {
                return vec![Write::Ask];
            }
            return vec![if first < course.first.len() {
                Write::First(first)
            } else {
                Write::Release
            }];
        }
        if course.holds && !visit.held {
            return vec![Write::Hold];
        }
        if self.has(Mutation::StatusBeforeRecord) && status_due {
            return vec![Write::Status];
        }
        if first < course.first.len() {
            return vec![Write::First(first)];
        }
        let mut due = Vec::new();
        if beside < course.beside.len() {
            due.push(Write::Beside(beside));
        }
        if status_due {
            due.push(Write::Status);
        }
        if due.is_empty() {
            let last = course.last(visit.status != Status::Lost);
            due.extend((usize::from(visit.last) < last.len()).then(|| Write::Last(visit.last.into())));
        }
        due
    }

    pub(super) fn write(&mut self, state: &mut State, place: Place, number: usize) {
        let position = position(state, place);
        let mut visit = state.visits[position];
        let write = self.due(&visit)[number];
        let done = self.carry_out(state, &mut visit, write, true);
        self.go_on(state, visit, write, done);
    }

    /// The write isn't answered well: it wasn't taken, or it was.
    pub(super) fn fail(&mut self, state: &mut State, place: Place, taken: bool) {
        let position = position(state, place);
        let mut visit = state.visits[position];
        let write = self.due(&visit)[0];
        if taken {
            let _ = self.carry_out(state, &mut visit, write, false);
        }
        self.go_on(state, visit, write, Err(Failure::Conflict));
    }

    /// What a visit does after a write: as the product's, it goes on without what may wait.
    fn go_on(&self, state: &mut State, mut visit: Visit, write: Write, done: Result<(), Failure>) {
        let place = usize::from(visit.place);
        let position = position(state, place);
        let decided = self.operator.decision(visit.decision);
        let course = Course::of(decided.hold(), decided.effects());
        let mut ends = done.is_err();
        let effect = match write {
            Write::First(number) => {
                visit.first += 1;
                Some(course.first[number])
            }
            Write::Beside(number) => {
                visit.beside += 1;
                Some(course.beside[number])
            }
            Write::Last(number) => {
                visit.last += 1;
                Some(course.last(visit.status != Status::Lost)[number])
            }
            Write::Status => {
                visit.status = if done.is_ok() {
                    Status::Stands
                } else {
                    Status::Lost
                };
                ends = false;
                None
            }
            Write::Ask => {
                visit.asked = true;
                None
            }
            Write::Hold => {
                visit.held = true;
                None
            }
            Write::Release => {
                ends = true;
                None
            }
        };
        if let (Some(effect), Err(failure)) = (effect, done) {
            ends = course.ends_without(effect) && !(course.releases && failure == Failure::Gone);
        }
        visit.failed |= done.is_err();
        if ends || self.due(&visit).is_empty() {
            state.visits.remove(position);
            if visit.failed && !self.has(Mutation::LosesWhatFailed) {
                state.again |= bit(place);
            }
        } else {
            state.visits[position] = visit;
        }
    }

    fn carry_out(
        &mut self,
        state: &mut State,
        visit: &mut Visit,
        write: Write,
        ours: bool,
    ) -> Result<(), Failure> {
        let place = usize::from(visit.place);
        let decided = self.operator.decision(visit.decision);
        let course = Course::of(decided.hold(), decided.effects());
        match write {
            Write::Ask => {
                let mut users = USERS
                    .iter()
                    .filter_map(|user| self.objects.user(state.there[*user]));
                let used = users.any(|user| user.connection.as_deref() == Some(NAMES[place]));
                if used { Err(Failure::Conflict) } else { Ok(()) }
            }
            Write::Hold => {
                let held = self.change(state, visit, (HOLD, ours), |text| {
                    text["metadata"]["finalizers"] = json!([IN_USE_FINALIZER]);
                })?;
                visit.judged = held;
                Ok(())
            }
            Write::Release => {
                self.unchanged(state, visit)?;
                state.put(place, 0, false); // it goes with its last finalizer
                Ok(())
            }
            Write::Status => {
                let of = Rc::clone(&decided);
                let write = (address(&*decided), ours);
                self.change(state, visit, write, |text| text["status"] = status(&of))
                    .map(drop)
            }
            Write::First(number) => self.effect(state, place, course.first[number], ours),
            Write::Beside(number) => self.effect(state, place, course.beside[number], ours),
            Write::Last(number) => {
                let last = course.last(visit.status != Status::Lost);
                self.effect(state, place, last[number], ours)
            }
        }
    }

    /// Writes to what was judged, on condition that it's still there as it was.
    fn change(
        &mut self,
        state: &mut State,
        visit: &Visit,
        (write, ours): (usize, bool),
        edit: impl FnOnce(&mut Value),
    ) -> Result<Id, Failure> {
        self.unchanged(state, visit)?;
        let place = usize::from(visit.place);
        let there = state.there[place]; // as it was judged
        let id = self.once((write, there, 0), |world| {
            world.objects.edited(place, there, edit)
        });
        state.put(place, id, ours);
        Ok(id)
    }

    /// What was made of something once is made of it again.
    pub fn once(&mut self, key: (usize, Id, u8), make: impl FnOnce(&mut Self) -> Id) -> Id {
        if let Some(known) = self.made.get(&key) {
            return *known;
        }
        let id = make(self);
        self.made.insert(key, id);
        id
    }

    fn unchanged(&self, state: &State, visit: &Visit) -> Result<(), Failure> {
        match state.there[usize::from(visit.place)] {
            0 => Err(Failure::Gone),
            there if there != visit.judged && !self.has(Mutation::WritesOverWhatChanged) => {
                Err(Failure::Conflict)
            }
            _ => Ok(()),
        }
    }

    fn effect(
        &mut self,
        state: &mut State,
        place: Place,
        effect: &Effect,
        ours: bool,
    ) -> Result<(), Failure> {
        match effect {
            Effect::Record { name, record } => self.record(state, place, (name, record), ours),
            Effect::Keep(kept) => {
                let place = place_of(place, kept);
                let id = self.once((address(&**kept), 0, 0), |world| world.kept(place, kept));
                match (state.seen[place], state.there[place]) {
                    (0, 0) => {}
                    (seen, there) if seen == there => {}
                    (0, _) => return Err(Failure::Conflict),
                    (_, 0) => return Err(Failure::Gone),
                    _ => return Err(Failure::Conflict),
                }
                state.put(place, id, ours);
                Ok(())
            }
            Effect::Drop(kept) => {
                state.put(place_of(place, kept), 0, ours);
                Ok(())
            }
            Effect::Run(step) => self.step(state, place, step, ours),
        }
    }

    fn record(
        &mut self,
        state: &mut State,
        place: Place,
        (name, record): (&str, &ConsentRecordSpec),
        ours: bool,
    ) -> Result<(), Failure> {
        let place = RECORDS[place];
        let mut records = self.objects.records(state.there[place]).to_vec();
        if records.iter().any(|there| there.name_any() == name) {
            return Err(Failure::Conflict);
        }
        let mut object = ConsentRecord::new(name, record.clone());
        object.metadata.namespace = Some(NAMESPACE.to_owned());
        records.push(Arc::new(object));
        let key = (address(record), state.there[place], 0);
        let id = self.once(key, |world| world.objects.number_of(place, &each(&records)));
        state.put(place, id, ours);
        Ok(())
    }

    fn kept(&mut self, place: Place, kept: &Kept) -> Id {
        match kept {
            Kept::Role(role) => self.objects.number_of(place, role),
            Kept::RoleBinding(binding) => self.objects.number_of(place, binding),
            Kept::SharedConnection(shared) => self.objects.number_of(place, shared),
            Kept::ServiceAccount(account) => self.objects.number_of(place, account),
        }
    }

    fn step(&mut self, state: &mut State, place: Place, step: &RunStep, ours: bool) -> Result<(), Failure> {
        match step {
            RunStep::Schedule { plan, cron_job, .. } => {
                self.remember(plan.as_ref());
                let there = self.objects.cron_job(state.there[CRON_JOB]);
                let uid = there.and_then(|there| there.uid()).unwrap_or_else(|| {
                    state.made[6] += 1;
                    format!("cron-job-{}", state.made[6])
                });
                let key = (address(&**cron_job), state.there[CRON_JOB], state.made[6]);
                let id = self.once(key, |world| world.with_uid(CRON_JOB, &**cron_job, &uid));
                state.put(CRON_JOB, id, ours);
            }
            RunStep::Suspend(seen) => {
                let key = (address(&**seen), 0, 0);
                let seen_id = self.once(key, |world| world.objects.number_of(CRON_JOB, &**seen));
                match state.there[CRON_JOB] {
                    0 => return Err(Failure::Gone),
                    there if there != seen_id => return Err(Failure::Conflict),
                    _ => {}
                }
                let id = self.once((address(&**seen), 0, 1), |world| {
                    let mut rests = CronJob::clone(seen);
                    rests.spec.get_or_insert_default().suspend = Some(true);
                    world.objects.number_of(CRON_JOB, &rests)
                });
                state.put(CRON_JOB, id, ours);
            }
            RunStep::Retire { cron_job, .. } => {
                let there = self.objects.cron_job(state.there[CRON_JOB]);
                if there.is_some_and(|there| there.uid() != cron_job.uid()) {
                    return Err(Failure::Conflict);
                }
                state.put(CRON_JOB, 0, ours);
            }
            RunStep::Start { plan, job } => {
                self.remember(Some(plan));
                let there = self
                    .objects
                    .job(state.there[REQUESTED])
                    .map(|there| there.name_any());
                if there.as_deref() != job.metadata.name.as_deref() {
                    let uid = format!("job-{}", job.name_any());
                    let key = (address(&**job), 0, 0);
                    let id = self.once(key, |world| world.with_uid(REQUESTED, &**job, &uid));
                    state.put(REQUESTED, id, ours);
                }
            }
            RunStep::End { uid, .. } => {
                let slot = if place == NIGHTLY { SCHEDULED } else { REQUESTED };
                match self.objects.job(state.there[slot]) {
                    None => {}
                    Some(there) if there.uid().as_ref() == Some(uid) => state.put(slot, 0, false),
                    Some(_) => return Err(Failure::Conflict),
                }
            }
        }
        Ok(())
    }

    fn with_uid(&mut self, place: Place, object: &impl Serialize, uid: &str) -> Id {
        let mut text = json(object);
        text["metadata"]["uid"] = json!(uid);
        self.objects.number(place, &text)
    }

    fn remember(&mut self, plan: Option<&ConfigMap>) {
        let texts = plan
            .and_then(|plan| plan.data.as_ref())
            .and_then(|data| data.get(PLAN_KEY));
        if let (Some(plan), Some(text)) = (plan, texts) {
            let hash = plan.name_any().rsplit('-').next().unwrap_or_default().to_owned();
            self.plans
                .insert(hash, serde_json::from_str(text).expect("a plan"));
        }
    }
}

/// What stands in for an address where there is none; the rest is in the world.
const HOLD: usize = 0;

/// Where something decided stands in memory: decisions stay there.
fn address<T>(decided: &T) -> usize {
    std::ptr::from_ref(decided).addr()
}

fn place_of(connection: Place, kept: &Kept) -> Place {
    match kept {
        Kept::Role(_) => ROLES[connection],
        Kept::RoleBinding(_) => BINDINGS[connection],
        Kept::SharedConnection(_) => SHARED[connection],
        Kept::ServiceAccount(_) => unreachable!("it is there"),
    }
}

fn position(state: &State, place: Place) -> usize {
    let mut visits = state.visits.iter();
    visits
        .position(|visit| usize::from(visit.place) == place)
        .expect("it is under way")
}

fn status(decided: &Decided) -> Value {
    match &decided.what {
        What::Connection(decision) => json(&decision.status),
        What::User(decision) => json(&decision.status),
    }
}
