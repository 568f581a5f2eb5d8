//! The small world: two connections, two exports, an enrichment, a Secret, and what is kept for them; who can do what next,
//! and what comes of it.

use super::acts::Act;
use super::fault::Stop;
use super::invariants::{Deed, Moment};
use super::judge::judge;
use super::objects::{Object, Objects, plan_of};
use super::operator::{Operator, STOPPED, What};
use super::places::{
    COMPANIES, CONNECTIONS, CRON_JOB, FIRST, GOVERNED, Id, MANUAL, NAMES, NIGHTLY, PLACES, Place, RECORDS,
    REQUESTED, ROLES, Run, SCHEDULED, SECRET, State, USERS, bit, kind,
};
use super::rules::Mutation;
use connection_operator::api::names::{RUN_OF_ANNOTATION, RUN_OF_UID_ANNOTATION, RUN_PLAN_ANNOTATION};
use connection_operator::api::run::Plan;
use kube::ResourceExt;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

mod visits;

pub struct World {
    pub objects: Objects,
    pub operator: Operator,
    plans: HashMap<String, Plan>,
    edits: HashMap<(Act, Id), Id>,
    /// What writes make of what stands there: the effect or decision by where it stands in memory, and what else matters.
    made: HashMap<(usize, Id, u8), Id>,
    /// Whether a run may go on, by its Job and its connection.
    answers: HashMap<(Id, Id), bool>,
    /// How many visits may be under way at once.
    visits: usize,
}

impl World {
    pub fn new(mutation: Option<Mutation>, visits: usize) -> Self {
        let objects = Objects::new();
        let operator = Operator::new(&objects, mutation);
        Self {
            objects,
            operator,
            plans: HashMap::new(),
            edits: HashMap::new(),
            made: HashMap::new(),
            answers: HashMap::new(),
            visits,
        }
    }

    fn has(&self, mutation: Mutation) -> bool {
        self.operator.mutation == Some(mutation)
    }

    /// All but some of it is made, and both connections are consented to; the operator has just listed that.
    pub fn beginning(&mut self, without: &[Place]) -> State {
        let mut state = State {
            there: [0; PLACES],
            seen: [0; PLACES],
            coming: Vec::new(),
            woken: 0,
            again: 0,
            visits: Vec::new(),
            runs: [Run::None; 2],
            made: [0; 7],
            late: 0,
            acts: 0,
            faults: 0,
        };
        for place in 0..NAMES.len() {
            state.made[place] = 1;
            if without.contains(&place) {
                continue;
            }
            let mut id = self.objects.made(place, 1);
            if CONNECTIONS.contains(&place) {
                id = self.objects.agreed(place, id);
            }
            state.there[place] = id;
        }
        restart(&mut state);
        self.tidy(&mut state);
        state
    }

    /// The same once the operator has nothing left to do, one thing after the other.
    pub fn settled(&mut self, without: &[Place]) -> State {
        let mut state = self.beginning(without);
        for _ in 0..1000 {
            let Some(act) = self.next(&state, &[]).first().copied() else {
                return state;
            };
            state = self.take(&state, act).0;
        }
        panic!("it never settles");
    }

    /// All that may happen next: of what people do, these acts. What nobody does but the operator, Kubernetes and runs comes
    /// first.
    pub fn next(&mut self, state: &State, acts: &[Act]) -> Vec<Act> {
        let mut next = Vec::new();
        let mut kinds = 255;
        for event in &state.coming {
            let kind = kind(event.place.into());
            if kind != kinds {
                kinds = kind;
                next.push(Act::Bring(kind));
            }
        }
        for visit in &state.visits {
            let place = usize::from(visit.place);
            let due = u8::try_from(self.due(visit).len()).expect("few writes");
            next.extend((0..due).map(|number| Act::Write(place, number)));
        }
        if state.visits.len() < self.visits {
            let free = GOVERNED.into_iter().filter(|place| {
                state.woken & bit(*place) != 0
                    && !state.is_pending(*place)
                    && state
                        .visits
                        .iter()
                        .all(|visit| usize::from(visit.place) != *place)
            });
            next.extend(free.map(Act::Visit));
        }
        next.extend(self.orphan(state).map(Act::Collect));
        for (place, run) in [SCHEDULED, REQUESTED].into_iter().zip(state.runs) {
            let job = self.objects.job(state.there[place]);
            match run {
                Run::None if job.is_some_and(|job| job.status.is_none()) => next.push(Act::Open(place)),
                Run::None => {}
                Run::Open(_) => {
                    next.extend([Act::LookAgain(place), Act::Finish(place)]);
                    if state.there[place] == 0 {
                        next.push(Act::Kill(place));
                    }
                }
            }
        }
        if state.acts > 0 {
            next.extend(acts.iter().copied().filter(|act| self.can(state, *act)));
        }
        if state.faults > 0 {
            if !state.visits.is_empty() || !state.coming.is_empty() {
                next.push(Act::Crash);
            }
            let places = state.visits.iter().map(|visit| usize::from(visit.place));
            next.extend(places.flat_map(|place| [Act::Refuse(place), Act::LoseAnswer(place)]));
        }
        next
    }

    /// Whether somebody can do this now.
    fn can(&self, state: &State, act: Act) -> bool {
        let there = |place: Place| state.there[place] != 0;
        match act {
            Act::Agree(place)
            | Act::Rest(place)
            | Act::Redirect(place)
            | Act::Share(place)
            | Act::Attach(place) => there(place),
            Act::TakeBack(place) => {
                let Some(now) = self.objects.connection(state.there[place]) else {
                    return false;
                };
                now.annotations()
                    .contains_key(connection_operator::api::names::CONSENT_ANNOTATION)
            }
            Act::Delete(place) => there(place) && !self.is_going(state.there[place]),
            Act::Make(place) => !there(place),
            Act::Request => there(MANUAL),
            Act::Tick => {
                let cron_job = self.objects.cron_job(state.there[CRON_JOB]);
                let rests = cron_job
                    .and_then(|cron_job| cron_job.spec.as_ref())
                    .is_none_or(|spec| spec.suspend == Some(true));
                !rests && !there(SCHEDULED) && state.runs[0] == Run::None
            }
            _ => false,
        }
    }

    fn is_going(&self, id: Id) -> bool {
        match self.objects.get(id) {
            Some(Object::Connection(connection, _)) => connection.metadata.deletion_timestamp.is_some(),
            _ => false,
        }
    }

    /// What comes of an act.
    pub fn take(&mut self, state: &State, act: Act) -> (State, Deed) {
        let mut next = state.clone();
        let mut deed = Deed::Other;
        if act.is_of_people() {
            next.acts -= 1;
        }
        if act.is_fault() {
            next.faults -= 1;
        }
        match act {
            Act::Crash => restart(&mut next),
            Act::Bring(kind) => self.bring(&mut next, kind),
            Act::Visit(place) => self.visit(&mut next, place),
            Act::Write(place, number) => self.write(&mut next, place, number.into()),
            Act::Refuse(place) => self.fail(&mut next, place, false),
            Act::LoseAnswer(place) => self.fail(&mut next, place, true),
            Act::Collect(place) => next.put(place, 0, false),
            Act::Open(place) | Act::LookAgain(place) => deed = self.look(&mut next, place),
            Act::Finish(place) => self.end_run(&mut next, place, "Complete", "done"),
            Act::Kill(place) => next.runs[place - SCHEDULED] = Run::None,
            Act::Tick => self.tick(&mut next),
            Act::Delete(place) => self.delete(&mut next, place),
            Act::Make(place) => {
                next.made[place] += 1;
                let id = self.objects.made(place, next.made[place]);
                next.put(place, id, false);
                self.refers(&mut next, place);
                for user in USERS {
                    if CONNECTIONS.contains(&place) && next.there[user] != 0 {
                        self.refers(&mut next, user);
                    }
                }
            }
            Act::Attach(place) => {
                let id = self.edit(act, state.there[place]);
                next.put(place, id, false);
                self.refers(&mut next, place);
            }
            Act::Request => {
                let id = self.edit(act, state.there[MANUAL]);
                next.put(MANUAL, id, false);
            }
            Act::TakeBack(place)
            | Act::Agree(place)
            | Act::Rest(place)
            | Act::Redirect(place)
            | Act::Share(place) => {
                let id = self.edit(act, state.there[place]);
                next.put(place, id, false);
            }
        }
        self.tidy(&mut next);
        (next, deed)
    }

    /// What a person's words make of an object.
    fn edit(&mut self, act: Act, id: Id) -> Id {
        if let Some(known) = self.edits.get(&(act, id)) {
            return *known;
        }
        let objects = &mut self.objects;
        let toggled = |value: &Value| json!(value.as_bool() != Some(true));
        let edited = match act {
            Act::Agree(place) => objects.agreed(place, id),
            Act::TakeBack(place) => objects.taken_back(place, id).unwrap_or(id),
            Act::Rest(place) => objects.edited(place, id, |text| {
                text["spec"]["suspend"] = toggled(&text["spec"]["suspend"]);
            }),
            Act::Redirect(place) => objects.edited(place, id, |text| {
                let host = &mut text["spec"]["parameters"]["host"];
                *host = json!(if *host == super::objects::HOSTS[0] {
                    super::objects::HOSTS[1]
                } else {
                    super::objects::HOSTS[0]
                });
            }),
            Act::Share(place) => objects.edited(place, id, |text| {
                let spec = text["spec"].as_object_mut().expect("a spec");
                if spec.remove("access").is_none() {
                    spec.insert("access".to_owned(), json!({"exports": "Contributors"}));
                }
            }),
            Act::Attach(place) => objects.edited(place, id, |text| {
                let spec = text["spec"].as_object_mut().expect("a spec");
                let connection = if place == COMPANIES { "second" } else { "first" };
                if spec.remove("connectionRef").is_none() {
                    spec.insert("connectionRef".to_owned(), json!({"name": connection}));
                }
            }),
            Act::Request => objects.edited(MANUAL, id, super::objects::request),
            Act::Delete(place) => objects.edited(place, id, |text| {
                text["metadata"]["deletionTimestamp"] = json!("2023-11-14T12:00:00Z");
            }),
            _ => id,
        };
        self.edits.insert((act, id), edited);
        edited
    }

    /// What has a finalizer waits for that; all else is gone at once.
    fn delete(&mut self, state: &mut State, place: Place) {
        let id = state.there[place];
        let held = match self.objects.get(id) {
            Some(Object::Connection(_, now)) => now.held,
            _ => false,
        };
        let after = if held {
            self.edit(Act::Delete(place), id)
        } else {
            0
        };
        state.put(place, after, false);
        state.late &= !bit(place);
    }

    /// Notes whether an export or enrichment comes to reference a connection that is on its way, or isn't there.
    fn refers(&self, state: &mut State, place: Place) {
        let user = self.objects.user(state.there[place]);
        let named = user.and_then(|user| user.connection.as_deref());
        let named = named.and_then(|name| CONNECTIONS.into_iter().find(|place| NAMES[*place] == name));
        let late = named.is_some_and(|named| state.there[named] == 0 || self.is_going(state.there[named]));
        if late {
            state.late |= bit(place);
        } else if USERS.contains(&place) {
            state.late &= !bit(place);
        }
    }

    /// The watch of a kind brings its oldest news, and wakes whom that concerns.
    fn bring(&mut self, state: &mut State, wanted: u8) {
        let position = state
            .coming
            .iter()
            .position(|event| kind(event.place.into()) == wanted);
        let event = state.coming.remove(position.expect("it was offered"));
        let place = usize::from(event.place);
        let before = state.seen[place];
        state.seen[place] = event.id;
        let woken = self
            .operator
            .woken(&self.objects, &state.seen, place, (before, event.id));
        state.wake(woken);
    }

    /// The CronJob makes its Job.
    fn tick(&mut self, state: &mut State) {
        let id = self.once((TICK, state.there[CRON_JOB], 0), |world| {
            world.scheduled(state.there[CRON_JOB])
        });
        state.put(SCHEDULED, id, false);
    }

    fn scheduled(&mut self, cron_job: Id) -> Id {
        let cron_job = Arc::clone(self.objects.cron_job(cron_job).expect("it is there"));
        let template = cron_job
            .spec
            .as_ref()
            .and_then(|spec| spec.job_template.metadata.clone());
        let template = template.unwrap_or_default();
        let owner = json!({"apiVersion": "batch/v1", "kind": "CronJob", "name": cron_job.name_any(), "uid": cron_job.uid()});
        let uid = cron_job.uid().unwrap_or_default();
        let job = json!({
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": {
                "name": format!("{}-1", cron_job.name_any()), "namespace": super::objects::NAMESPACE, "uid": format!("job-of-{uid}"),
                "labels": template.labels, "annotations": template.annotations, "ownerReferences": [owner],
                "creationTimestamp": "2023-11-14T22:00:00Z",
            },
        });
        self.objects.number(SCHEDULED, &job)
    }

    /// A run reads its connection as it is, and is told by the connector's own guard whether it may go on.
    fn look(&mut self, state: &mut State, place: Place) -> Deed {
        let slot = place - SCHEDULED;
        let id = match state.runs[slot] {
            Run::Open(id) => id,
            Run::None => state.there[place],
        };
        let job = self.objects.job(id).expect("it was there");
        let plan = &self.plans[plan_of(job)];
        let mut named = CONNECTIONS.into_iter();
        let named = named.find(|place| NAMES[*place] == plan.connection.as_str());
        let connection = named.unwrap_or(FIRST);
        let read = if self.has(Mutation::GuardReadsTheCache) {
            &state.seen
        } else {
            &state.there
        };
        let found = read[connection];
        let known = self.answers.get(&(id, found)).copied();
        let answer = known.unwrap_or_else(|| {
            let connection = self.objects.connection(found).map(|found| (**found).clone());
            match judge(plan, connection, super::objects::now()) {
                Err(Stop::NoConsent | Stop::Changed) if self.has(Mutation::GuardIgnoresConsent) => true,
                Err(Stop::Suspended) if self.has(Mutation::GuardIgnoresSuspension) => true,
                answer => answer.is_ok(),
            }
        });
        self.answers.insert((id, found), answer);
        if answer {
            state.runs[slot] = Run::Open(id);
            return Deed::RunWasLet(NAMES[connection]);
        }
        self.end_run(state, place, "Failed", STOPPED);
        Deed::Other
    }

    /// A run ends, and its Job tells how.
    fn end_run(&mut self, state: &mut State, place: Place, condition: &str, told: &str) {
        let slot = place - SCHEDULED;
        let ran = state.runs[slot];
        state.runs[slot] = Run::None;
        let there = state.there[place];
        let own = match ran {
            Run::Open(id) => id,
            Run::None => there,
        };
        // Its Job may be gone, or another one by now.
        if there != 0 && there == own {
            let key = (END, there, u8::from(told == STOPPED));
            let id = self.once(key, |world| {
                let ended = json!({
                    "type": condition, "status": "True", "message": told, "lastTransitionTime": "2023-11-14T22:13:00Z",
                });
                let end = |text: &mut Value| text["status"] = json!({"conditions": [ended]});
                world.objects.edited(place, there, end)
            });
            state.put(place, id, false);
        }
    }

    /// The first thing whose owner is gone.
    fn orphan(&self, state: &State) -> Option<Place> {
        let uid = |place: Place| match self.objects.get(state.there[place]) {
            Some(Object::Connection(_, now)) => Some(&now.uid),
            Some(Object::Export(_, now) | Object::Enrichment(_, now)) => Some(&now.uid),
            Some(Object::CronJob(_, kept)) => Some(&kept.uid),
            _ => None,
        };
        // While the watch hasn't brought that an export is gone, the operator may make its CronJob again. The collector takes
        // that away once more; after that the watch is first.
        let made_again = |place: Place| {
            place == CRON_JOB
                && state.made[6] > state.made[NIGHTLY]
                && state.seen[NIGHTLY] != state.there[NIGHTLY]
        };
        (0..PLACES).find(|place| {
            let kept = self.objects.kept(state.there[*place]);
            kept.is_some_and(|kept| {
                let mut owners = GOVERNED.into_iter().chain([CRON_JOB]).filter_map(uid);
                !made_again(*place) && !owners.any(|owner| kept.owners.contains(owner))
            })
        })
    }

    /// A visit to what isn't there is none; whoever waits for another visit gets it once all is brought.
    fn tidy(&mut self, state: &mut State) {
        if state.coming.is_empty() && state.again != 0 {
            let again = state.again;
            state.wake(again);
        }
        for place in GOVERNED {
            if state.seen[place] == 0 {
                state.woken &= !bit(place);
                state.again &= !bit(place);
                continue;
            }
            // A visit that writes nothing is made at once: whatever comes after it must wake by itself.
            let free = state.visits.iter().all(|visit| usize::from(visit.place) != place);
            if free && state.woken & bit(place) != 0 && !state.is_pending(place) {
                let decision = self.operator.decide(&mut self.objects, state, place);
                if decision.is_none_or(|decision| self.operator.decision(decision).is_settled()) {
                    state.woken &= !bit(place);
                }
            }
        }
    }

    /// Whether nothing is left to do for anybody but people.
    pub fn is_quiet(&mut self, state: &State) -> bool {
        state.coming.is_empty()
            && state.woken == 0
            && state.visits.is_empty()
            && self
                .next(
                    &State {
                        acts: 0,
                        faults: 0,
                        ..state.clone()
                    },
                    &[],
                )
                .is_empty()
    }

    /// The moment as the promises see it.
    pub fn moment(&mut self, state: &State, quiet: bool) -> Moment {
        let mut moment = Moment {
            quiet,
            agreements: Arc::clone(&self.objects.agreements),
            ..Moment::default()
        };
        for id in state.there {
            match self.objects.get(id) {
                Some(Object::Connection(_, now)) => moment.connections.push(Arc::clone(now)),
                Some(Object::Export(_, now) | Object::Enrichment(_, now)) => {
                    moment.users.push(Arc::clone(now));
                }
                Some(Object::Secret(_)) => moment.secrets.push(NAMES[SECRET].to_owned()),
                Some(_) | None => {
                    moment.kept.extend(self.objects.kept(id).cloned());
                }
            }
        }
        for place in CONNECTIONS {
            let records = self.objects.records(state.there[RECORDS[place]]);
            moment.records.push((NAMES[place], records));
        }
        let late = USERS.into_iter().filter(|place| state.late & bit(*place) != 0);
        moment.late = late.map(|place| NAMES[place].to_owned()).collect();
        if quiet {
            moment.unwritten = self.unwritten(state);
            moment.settled = self.outcome(state);
        }
        moment
    }

    /// What a visit would write that nobody makes.
    fn unwritten(&mut self, state: &State) -> Option<String> {
        let there = GOVERNED.into_iter().filter(|place| state.seen[*place] != 0);
        there.collect::<Vec<_>>().into_iter().find_map(|place| {
            let decision = self.operator.decide(&mut self.objects, state, place)?;
            let decided = self.operator.decision(decision);
            (!decided.is_settled()).then(|| {
                let what = match &decided.what {
                    What::Connection(decision) => format!("{:?}", decision.status),
                    What::User(decision) => format!("{:?}", decision.status),
                };
                format!(
                    "{}: {:?} {:?} {what}",
                    NAMES[place],
                    decided.hold(),
                    decided.effects()
                )
            })
        })
    }

    /// What there is to go by: all that people wrote, what is on record, and what ran.
    pub fn causes(&self, state: &State) -> String {
        let mut causes = Vec::new();
        for place in 0..NAMES.len() {
            if state.there[place] == 0 {
                continue;
            }
            let mut text = self.objects.text(state.there[place]);
            let status = text
                .as_object_mut()
                .and_then(|text| text.remove("status"))
                .unwrap_or_default();
            causes.push(json!([place, text, status["runs"], status["lastRequest"]]));
        }
        for place in RECORDS.into_iter().chain([SCHEDULED, REQUESTED]) {
            if state.there[place] != 0 {
                causes.push(json!([place, self.objects.text(state.there[place])]));
            }
        }
        Value::Array(causes).to_string()
    }

    /// What came of it: statuses, what is kept, and whether a schedule begins runs.
    fn outcome(&self, state: &State) -> String {
        let mut outcome = Vec::new();
        for place in 0..PLACES {
            let id = state.there[place];
            match self.objects.get(id) {
                None | Some(Object::Records(_) | Object::Job(..) | Object::Secret(_)) => {}
                Some(Object::CronJob(cron_job, _)) => {
                    let spec = cron_job.spec.clone().unwrap_or_default();
                    let annotations = cron_job.annotations();
                    if spec.suspend != Some(true) {
                        let plan = annotations.get(RUN_PLAN_ANNOTATION);
                        let of = (
                            annotations.get(RUN_OF_ANNOTATION),
                            annotations.get(RUN_OF_UID_ANNOTATION),
                        );
                        outcome.push(json!([place, spec.schedule, plan, of]));
                    }
                }
                Some(Object::Connection(..) | Object::Export(..) | Object::Enrichment(..)) => {
                    outcome.push(json!([place, self.objects.text(id)["status"]]));
                }
                // What is kept for a connection on its way isn't completed any more, so how far it had come is history.
                Some(_) if self.is_going(state.there[(place - ROLES[0]) % 2]) => {}
                Some(_) => outcome.push(json!([place, self.objects.text(id)])),
            }
        }
        Value::Array(outcome).to_string()
    }
}

/// What stands in for an address where there is none.
const TICK: usize = 1;
const END: usize = 2;

/// The operator starts: it lists all that is there, remembers nothing, and visits everything.
fn restart(state: &mut State) {
    state.seen = state.there;
    state.coming.clear();
    state.visits.clear();
    state.again = 0;
    state.woken = 0;
    for place in GOVERNED {
        if state.there[place] != 0 {
            state.woken |= bit(place);
        }
    }
}
