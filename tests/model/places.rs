//! Where what stands in the small world, and one state of all of it.

/// A place: an object of one name, which may be there or not. What is recorded about a connection is one place.
pub type Place = usize;

pub const FIRST: Place = 0;
pub const SECOND: Place = 1;
pub const NIGHTLY: Place = 2;
pub const MANUAL: Place = 3;
pub const COMPANIES: Place = 4;
pub const SECRET: Place = 5;
pub const RECORDS: [Place; 2] = [6, 7];
pub const ROLES: [Place; 2] = [8, 9];
pub const BINDINGS: [Place; 2] = [10, 11];
pub const SHARED: [Place; 2] = [12, 13];
/// The CronJob of `nightly`.
pub const CRON_JOB: Place = 14;
/// The Job that this CronJob made.
pub const SCHEDULED: Place = 15;
/// The Job that answers the request for `manual`.
pub const REQUESTED: Place = 16;
pub const PLACES: usize = 17;

/// The names at the places of what people make.
pub const NAMES: [&str; 6] = ["first", "second", "nightly", "manual", "companies", "partner"];

/// What has a controller.
pub const GOVERNED: [Place; 5] = [FIRST, SECOND, NIGHTLY, MANUAL, COMPANIES];
pub const CONNECTIONS: [Place; 2] = [FIRST, SECOND];
pub const USERS: [Place; 3] = [NIGHTLY, MANUAL, COMPANIES];

/// Which watch brings what stands there: each kind's objects come in order, and those of two kinds in any.
pub const fn kind(place: Place) -> u8 {
    match place {
        FIRST | SECOND => 0,
        NIGHTLY | MANUAL => 1,
        COMPANIES => 2,
        SECRET => 3,
        6 | 7 => 4,
        8 | 9 => 5,
        10 | 11 => 6,
        12 | 13 => 7,
        CRON_JOB => 8,
        _ => 9,
    }
}

/// An object as it stands in the table of all objects that there ever were; 0 is none.
pub type Id = u16;

/// What a watch has not brought yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub place: u8,
    pub id: Id,
    /// Whether the operator wrote it and remembers that.
    pub ours: bool,
}

/// How the status fares in a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Due,
    Stands,
    Lost,
}

/// A visit under way, by what it has written so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    pub place: u8,
    /// The object that its writes are on condition of.
    pub judged: Id,
    /// What was decided, in the table of all decisions.
    pub decision: u32,
    pub asked: bool,
    pub held: bool,
    pub first: u8,
    pub beside: u8,
    pub status: Status,
    pub last: u8,
    pub failed: bool,
}

/// A run's pod: of `nightly`'s Job, or `manual`'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// There is none.
    None,
    /// It has opened its connection, by the Job at that place as it was made.
    Open(Id),
}

/// One state of the world. Equal objects have equal numbers, so a state is small, and two are compared by numbers.
///
/// Resource versions are left out: a write is on condition that the object is as it was judged. One that was changed to and
/// fro is as it was, and a decision about it is as good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// What the API server holds.
    pub there: [Id; PLACES],
    /// What the operator's watches have brought.
    pub seen: [Id; PLACES],
    /// What they will bring, in order of kinds, and of time within a kind.
    pub coming: Vec<Event>,
    /// Who waits for a visit, and who for another one once the watches have brought all: a bit for each place.
    pub woken: u8,
    pub again: u8,
    pub visits: Vec<Visit>,
    pub runs: [Run; 2],
    /// How often something was made at a place, so that each has a uid of its own: what is governed, the Secret, the CronJob.
    pub made: [u8; 7],
    /// Users that came to reference their connection when that was on its way already: a bit for each place.
    pub late: u8,
    /// How much may still happen that nobody has to expect.
    pub acts: u8,
    pub faults: u8,
}

impl State {
    /// One number for a state: of the states of one exploration, no two have the same, but for one chance in a million.
    pub fn print(&self) -> u64 {
        use std::hash::Hasher;
        let mut bytes = Vec::with_capacity(160);
        for id in self.there.iter().chain(&self.seen) {
            bytes.extend(id.to_le_bytes());
        }
        for event in &self.coming {
            bytes.extend([event.place, u8::from(event.ours)]);
            bytes.extend(event.id.to_le_bytes());
        }
        bytes.extend([255, self.woken, self.again, self.late, self.acts, self.faults]);
        for visit in &self.visits {
            let flags = [visit.asked, visit.held, visit.failed].map(u8::from);
            bytes.push(visit.place);
            bytes.extend(visit.judged.to_le_bytes());
            bytes.extend(visit.decision.to_le_bytes());
            bytes.extend(flags);
            bytes.extend([visit.first, visit.beside, visit.status as u8, visit.last]);
        }
        bytes.push(255);
        for run in self.runs {
            match run {
                Run::None => bytes.push(0),
                Run::Open(job) => bytes.extend([1, job.to_le_bytes()[0], job.to_le_bytes()[1]]),
            }
        }
        bytes.extend(self.made);
        let mut hasher = std::collections::hash_map::DefaultHasher::new();
        hasher.write(&bytes);
        hasher.finish()
    }

    /// Whether the watch hasn't brought our own newest write to that place.
    pub fn is_pending(&self, place: Place) -> bool {
        self.coming
            .iter()
            .any(|event| usize::from(event.place) == place && event.ours)
    }

    /// Puts something there, and tells the watch.
    pub fn put(&mut self, place: Place, id: Id, ours: bool) {
        if self.there[place] == id {
            // Nothing changes, or it's gone already: what we remember of it is that we did it.
            if ours
                && let Some(event) = self
                    .coming
                    .iter_mut()
                    .rev()
                    .find(|event| usize::from(event.place) == place)
            {
                event.ours = true;
            }
            return;
        }
        self.there[place] = id;
        let kind = kind(place);
        let position = self
            .coming
            .partition_point(|event| self::kind(event.place.into()) <= kind);
        let place = u8::try_from(place).expect("few places");
        self.coming.insert(position, Event { place, id, ours });
    }

    pub fn wake(&mut self, places: u8) {
        self.woken |= places;
        self.again &= !places;
    }
}

pub const fn bit(place: Place) -> u8 {
    1 << place
}
