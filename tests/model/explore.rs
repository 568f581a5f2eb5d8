//! Every state that can come of a beginning, the nearest first, each promise looked at in each step.
//!
//! An explorer of our own in place of `stateright`, which is alive: here states are numbers into tables that grow as
//! one goes, which its workers would have to share, and a state is quiet by what may still happen next, which it doesn't tell.
//! What it would spare are the lines of this file.

use super::acts::{Act, Scene};
use super::invariants::{Deed, INVARIANTS, Moment, Step};
use super::places::State;
use super::world::World;
use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// A promise that isn't kept, and the shortest way to where it isn't.
#[derive(Debug)]
pub struct Broken {
    pub name: &'static str,
    pub why: String,
    pub way: Vec<Act>,
}

/// What an exploration found.
#[derive(Debug)]
pub struct Found {
    pub states: usize,
    pub steps: usize,
    pub quiet: usize,
    pub decisions: usize,
    /// Processor time, which other work on the machine doesn't lengthen.
    pub took: Duration,
    pub broken: Option<Broken>,
}

/// How long this thread has had a processor.
fn processor_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let [seconds, nanos] = [now.tv_sec, now.tv_nsec].map(|part| u64::try_from(part).unwrap_or_default());
    Duration::from_secs(seconds) + Duration::from_nanos(nanos)
}

struct Explorer<'a> {
    world: &'a mut World,
    known: HashMap<u64, u32>,
    /// From where each state was reached first, and how.
    from: Vec<(u32, Act)>,
    /// Steps from one state to another.
    steps: Vec<(u32, u32)>,
    ahead: VecDeque<(u32, State)>,
    /// What was settled, by its causes.
    settled: HashMap<u64, String>,
    quiet: usize,
}

/// Explores a scene from where it begins.
pub fn explore(world: &mut World, scene: &Scene, (acts, faults): (u8, u8)) -> Found {
    let began = processor_time();
    let beginning = if scene.settled {
        world.settled(scene.without)
    } else {
        world.beginning(scene.without)
    };
    let beginning = State {
        acts,
        faults,
        ..beginning
    };
    let mut explorer = Explorer {
        world,
        known: HashMap::new(),
        from: Vec::new(),
        steps: Vec::new(),
        ahead: VecDeque::new(),
        settled: HashMap::new(),
        quiet: 0,
    };
    let broken = explorer.run(&beginning, scene.acts);
    Found {
        states: explorer.from.len(),
        steps: explorer.steps.len(),
        quiet: explorer.quiet,
        decisions: explorer.world.operator.decided(),
        took: processor_time().saturating_sub(began),
        broken,
    }
}

impl Explorer<'_> {
    fn run(&mut self, beginning: &State, acts: &[Act]) -> Option<Broken> {
        let quiet = self.world.is_quiet(beginning);
        let moment = self.world.moment(beginning, quiet);
        if let Some((name, why)) = self.judge(beginning, &moment, Deed::Other, &moment) {
            return Some(Broken {
                name,
                why,
                way: Vec::new(),
            });
        }
        self.reach(beginning, (0, Act::Crash));
        while let Some((number, state)) = self.ahead.pop_front() {
            if let Some(broken) = self.expand(number, &state, acts) {
                return Some(broken);
            }
        }
        self.rests()
    }

    /// Notes a state, if it's new, and tells its number.
    fn reach(&mut self, state: &State, from: (u32, Act)) -> (u32, bool) {
        let next = u32::try_from(self.from.len()).expect("fewer states than numbers");
        let number = *self.known.entry(state.print()).or_insert(next);
        if number == next {
            self.from.push(from);
            self.ahead.push_back((next, state.clone()));
        }
        (number, number == next)
    }

    fn expand(&mut self, number: u32, state: &State, acts: &[Act]) -> Option<Broken> {
        let mut before = None;
        for act in self.world.next(state, acts) {
            let (next, deed) = self.world.take(state, act);
            let changed = next.there != state.there || deed != Deed::Other;
            let (reached, new) = self.reach(&next, (number, act));
            if reached != number {
                self.steps.push((number, reached));
            }
            let quiet = new && self.world.is_quiet(&next);
            self.quiet += usize::from(quiet);
            if !changed && !quiet {
                continue;
            }
            let before = before.get_or_insert_with(|| self.world.moment(state, false));
            let after = self.world.moment(&next, quiet);
            if let Some((name, why)) = self.judge(&next, before, deed, &after) {
                let mut way = self.way(number);
                way.push(act);
                return Some(Broken { name, why, way });
            }
        }
        None
    }

    fn judge(
        &mut self,
        state: &State,
        before: &Moment,
        deed: Deed,
        after: &Moment,
    ) -> Option<(&'static str, String)> {
        let mut alike = None;
        if after.quiet {
            let mut hasher = DefaultHasher::new();
            self.world.causes(state).hash(&mut hasher);
            let settled = self.settled.entry(hasher.finish());
            alike = Some(settled.or_insert_with(|| after.settled.clone()).clone());
        }
        let step = Step {
            before,
            deed,
            after,
            alike: alike.as_deref(),
        };
        let mut judged = INVARIANTS.iter();
        judged.find_map(|invariant| Some((invariant.name, (invariant.broken)(&step)?)))
    }

    /// How one gets there.
    fn way(&self, number: u32) -> Vec<Act> {
        let mut way = Vec::new();
        let mut at = number;
        while at != 0 {
            let (from, act) = self.from[at as usize];
            way.push(act);
            at = from;
        }
        way.reverse();
        way
    }

    /// All comes to rest: no steps lead back to where they began.
    fn rests(&self) -> Option<Broken> {
        let mut into = vec![0u32; self.from.len()];
        let mut out = vec![Vec::new(); self.from.len()];
        for (from, to) in &self.steps {
            into[*to as usize] += 1;
            out[*from as usize].push(*to);
        }
        let mut free: Vec<u32> = Vec::new();
        free.extend(
            (0u32..)
                .zip(&into)
                .filter(|(_, into)| **into == 0)
                .map(|(state, _)| state),
        );
        let mut left = self.from.len();
        while let Some(state) = free.pop() {
            left -= 1;
            for to in &out[state as usize] {
                let into = &mut into[*to as usize];
                *into -= 1;
                if *into == 0 {
                    free.push(*to);
                }
            }
        }
        let back = (0u32..).zip(&into).find(|(_, into)| **into > 0);
        back.filter(|_| left > 0).map(|(state, _)| Broken {
            name: "I7",
            why: "it never becomes quiet: the steps after this state lead back to it".to_owned(),
            way: self.way(state),
        })
    }
}
