//! What may happen: what people do and what fails, and what the operator, Kubernetes and the runs then do by themselves.

use super::places::{COMPANIES, FIRST, MANUAL, NIGHTLY, Place, SECOND, SECRET};

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Ada consents to what the connection says.
    Agree(Place),
    /// Bob takes the consent back.
    TakeBack(Place),
    /// Somebody suspends the connection, export or enrichment, or has it go on.
    Rest(Place),
    /// Somebody has the connection lead to the other host.
    Redirect(Place),
    /// Somebody shares the connection, or ceases to.
    Share(Place),
    /// Somebody deletes what is there.
    Delete(Place),
    /// Somebody makes what isn't there.
    Make(Place),
    /// Somebody takes the export or enrichment off its connection, or puts it on that again.
    Attach(Place),
    /// Somebody asks for a run of `manual`.
    Request,
    /// The time of `nightly` comes.
    Tick,
    /// The operator is killed and starts anew.
    Crash,
    /// The API server refuses the next write of a visit.
    Refuse(Place),
    /// It takes the write, and its answer is lost.
    LoseAnswer(Place),
    /// Another write of a visit, by its number among those that are due.
    Write(Place, u8),
    /// A visit begins.
    Visit(Place),
    /// The watch of a kind brings the next change.
    Bring(u8),
    /// The garbage collector removes what has no owner any more.
    Collect(Place),
    /// A Job's pod begins: the connector reads its connection, and opens it if it may.
    Open(Place),
    /// It looks again whether it may go on.
    LookAgain(Place),
    /// All is sent.
    Finish(Place),
    /// The pod ends, as its Job is gone.
    Kill(Place),
}

impl Act {
    pub const fn is_of_people(self) -> bool {
        matches!(
            self,
            Self::Agree(_)
                | Self::TakeBack(_)
                | Self::Rest(_)
                | Self::Redirect(_)
                | Self::Share(_)
                | Self::Delete(_)
                | Self::Make(_)
                | Self::Attach(_)
                | Self::Request
                | Self::Tick
        )
    }

    pub const fn is_fault(self) -> bool {
        matches!(self, Self::Crash | Self::Refuse(_) | Self::LoseAnswer(_))
    }
}

/// A part of what may happen, explored on its own: by few people at a time, but in every order.
pub struct Scene {
    pub name: &'static str,
    /// What isn't there as it begins.
    pub without: &'static [Place],
    /// Whether the operator has settled by then all that is there.
    pub settled: bool,
    pub acts: &'static [Act],
    /// How many of these may happen, how many faults, and how many visits at once.
    pub bounds: (u8, u8, usize),
}

pub const SCENES: [Scene; 10] = [
    Scene {
        name: "consent",
        without: &[MANUAL, SECOND, COMPANIES],
        settled: true,
        acts: &[
            Act::Agree(FIRST),
            Act::TakeBack(FIRST),
            Act::Rest(FIRST),
            Act::Redirect(FIRST),
            Act::Delete(SECRET),
            Act::Make(SECRET),
            Act::Tick,
        ],
        bounds: (2, 0, 1),
    },
    Scene {
        name: "use and removal",
        without: &[FIRST, NIGHTLY, MANUAL],
        settled: true,
        acts: &[Act::Delete(SECOND), Act::Make(SECOND), Act::Attach(COMPANIES)],
        bounds: (3, 0, 1),
    },
    Scene {
        name: "users made anew",
        without: &[FIRST, NIGHTLY, MANUAL],
        settled: true,
        acts: &[Act::Delete(SECOND), Act::Delete(COMPANIES), Act::Make(COMPANIES)],
        bounds: (4, 0, 1),
    },
    Scene {
        name: "scheduled runs",
        without: &[MANUAL, SECOND, COMPANIES],
        settled: true,
        acts: &[
            Act::Tick,
            Act::Rest(NIGHTLY),
            Act::Rest(FIRST),
            Act::Attach(NIGHTLY),
        ],
        bounds: (3, 0, 1),
    },
    Scene {
        name: "requested runs",
        without: &[NIGHTLY, SECOND, COMPANIES],
        settled: true,
        acts: &[
            Act::Request,
            Act::Rest(MANUAL),
            Act::TakeBack(FIRST),
            Act::Attach(MANUAL),
        ],
        bounds: (3, 0, 1),
    },
    Scene {
        name: "a schedule made anew",
        without: &[MANUAL, SECOND, COMPANIES],
        settled: true,
        acts: &[Act::Tick, Act::Delete(NIGHTLY), Act::Make(NIGHTLY)],
        bounds: (3, 0, 1),
    },
    Scene {
        name: "all at once",
        without: &[],
        settled: true,
        acts: &[
            Act::Share(FIRST),
            Act::Rest(FIRST),
            Act::Delete(FIRST),
            Act::Rest(COMPANIES),
            Act::TakeBack(SECOND),
            Act::Delete(MANUAL),
        ],
        bounds: (2, 0, 2),
    },
    Scene {
        name: "a connection that is new",
        without: &[NIGHTLY, MANUAL, SECOND, COMPANIES],
        settled: false,
        acts: &[Act::TakeBack(FIRST), Act::Delete(FIRST), Act::Make(FIRST)],
        bounds: (2, 0, 1),
    },
    Scene {
        name: "all that is new",
        without: &[NIGHTLY, SECOND, COMPANIES],
        settled: false,
        acts: &[Act::TakeBack(FIRST), Act::Delete(FIRST), Act::Attach(MANUAL)],
        bounds: (1, 1, 1),
    },
    Scene {
        name: "faults",
        without: &[MANUAL, SECOND, COMPANIES],
        settled: true,
        acts: &[
            Act::TakeBack(FIRST),
            Act::Rest(FIRST),
            Act::Share(FIRST),
            Act::Delete(NIGHTLY),
            Act::Delete(FIRST),
            Act::Delete(SECRET),
        ],
        bounds: (1, 2, 1),
    },
];
