//! A vault in a world where time is a number: each look takes some of it, and nothing sleeps.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const INTERVAL: Duration = Duration::from_mins(1);

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What the vault says to a request, and after how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reply {
    Good(Duration),
    Down(Duration),
    /// With the pause that it asks for.
    TooMany(Option<Duration>),
}

/// Everything that happened.
struct Story {
    /// When which secret was asked for, and what was answered.
    asked: Vec<(Moment, u32, Reply)>,
    /// What people know of each secret at the end, and since when: whether it's all right.
    told: BTreeMap<u32, (Moment, bool)>,
}

impl Story {
    fn between(&self, from: Moment, to: Moment) -> Vec<u32> {
        let inside = self.asked.iter().filter(|(at, ..)| (from..to).contains(at));
        inside.map(|(_, key, _)| *key).collect()
    }

    fn busiest(&self, window: Duration) -> usize {
        let times: Vec<Moment> = self.asked.iter().map(|(at, ..)| *at).collect();
        let within = times.iter().map(|from| {
            times
                .iter()
                .filter(|at| (*from..*from + window).contains(*at))
                .count()
        });
        within.max().unwrap_or(0)
    }
}

/// The operator's side, run against a vault that is a function.
struct World {
    agenda: Agenda<u32>,
    pace: Pace,
    now: Moment,
    seed: u64,
    /// Those that were handed out and wait for leave to be sent.
    waiting: Vec<u32>,
    /// When the answer comes, about which secret, and what it is.
    under_way: Vec<(Moment, u32, Reply)>,
    told: BTreeMap<u32, (Moment, bool)>,
}

impl World {
    fn new(secrets: u32) -> Self {
        Self::with_rate(secrets, Rate::default())
    }

    fn with_rate(secrets: u32, rate: Rate) -> Self {
        let timing = Timing {
            interval: INTERVAL,
            at_once: 16,
        };
        let mut agenda = Agenda::new(timing, 0.3);
        (0..secrets).for_each(|key| agenda.join(&key, Moment::ZERO));
        Self {
            agenda,
            pace: Pace::new(rate),
            now: Moment::ZERO,
            seed: 7,
            waiting: Vec::new(),
            under_way: Vec::new(),
            told: BTreeMap::new(),
        }
    }

    fn jitter(&mut self) -> f64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.seed >> 33).unwrap_or(0)) / f64::from(u32::MAX >> 1)
    }

    fn run(&mut self, until: Moment, mut vault: impl FnMut(Moment, u32) -> Reply) -> Story {
        let mut asked = Vec::new();
        while self.now <= until {
            let wake = self.send(until + secs(1), &mut vault, &mut asked);
            let answers = self.under_way.iter().map(|(at, ..)| *at);
            let wake = answers.chain([wake]).min().unwrap_or(wake);
            assert!(wake >= self.now, "time goes on");
            self.now = wake;
            let (come, rest): (Vec<_>, Vec<_>) = self.under_way.drain(..).partition(|(at, ..)| *at <= wake);
            self.under_way = rest;
            for (_, key, reply) in come {
                self.finish(key, reply);
            }
        }
        let told = self.told.clone();
        Story { asked, told }
    }

    /// Sends all that may go out now, and tells when there may be more.
    fn send(
        &mut self,
        latest: Moment,
        vault: &mut impl FnMut(Moment, u32) -> Reply,
        asked: &mut Vec<(Moment, u32, Reply)>,
    ) -> Moment {
        loop {
            if let Some(rest) = self.pace.paused(self.now) {
                return latest.min(self.now + rest);
            }
            let key = match self.waiting.pop() {
                Some(key) => key,
                None => match self.agenda.next(self.now) {
                    Next::Check(key) => key,
                    Next::Wait(at) => return latest.min(at.unwrap_or(latest)),
                },
            };
            match self.pace.ask(Urgency::Check, self.now) {
                Admission::Go => {
                    let reply = vault(self.now, key);
                    let takes = match reply {
                        Reply::Good(takes) | Reply::Down(takes) => takes,
                        Reply::TooMany(_) => Duration::from_millis(5),
                    };
                    self.under_way.push((self.now + takes, key, reply));
                    asked.push((self.now, key, reply));
                }
                Admission::Wait(rest) | Admission::Paused(rest) => {
                    self.waiting.push(key);
                    return latest.min(self.now + rest);
                }
            }
        }
    }

    fn finish(&mut self, key: u32, reply: Reply) {
        let outcome = match reply {
            Reply::Good(_) => Outcome::Answered,
            Reply::Down(_) => Outcome::Away,
            Reply::TooMany(after) => {
                let jitter = self.jitter();
                self.pace.throttled(after, self.now, jitter);
                Outcome::Throttled(self.pace.paused(self.now).unwrap_or_default())
            }
        };
        let jitter = self.jitter();
        let told = (self.now, outcome == Outcome::Answered);
        let concerned: Vec<u32> = match self.agenda.done(&key, outcome, self.now, jitter) {
            Verdict::Keep => Vec::new(),
            Verdict::Tell => vec![key],
            Verdict::TellAll => self.told.keys().copied().chain([key]).collect(),
        };
        for key in concerned {
            let before = self.told.entry(key).or_insert(told);
            if before.1 != told.1 {
                *before = told;
            }
        }
    }
}

fn well(_: Moment, _: u32) -> Reply {
    Reply::Good(Duration::from_millis(30))
}

#[test]
fn each_secret_is_looked_at_once_in_an_interval_spread_evenly() {
    for count in [1, 2, 3, 20, 97] {
        let story = World::new(count).run(INTERVAL * 10, well);
        for round in 1..9 {
            let mut round = story.between(INTERVAL * round, INTERVAL * (round + 1));
            let asked = round.len();
            round.sort_unstable();
            round.dedup();
            assert_eq!(
                (asked, round.len()),
                (count as usize, count as usize),
                "{count} secrets"
            );
        }
        let busiest = (0..500)
            .map(|part| {
                story
                    .between(
                        INTERVAL + INTERVAL * part / 100,
                        INTERVAL + INTERVAL * (part + 10) / 100,
                    )
                    .len()
            })
            .max();
        let even = count as usize / 10;
        assert!(
            busiest <= Some(even + 3),
            "{count} secrets: {busiest:?} in a tenth of an interval"
        );
    }
}

#[test]
fn a_secret_that_joins_is_looked_at_at_once_also_when_others_are_late() {
    let mut world = World::new(20_000);
    let slow = |_, _| Reply::Good(Duration::from_millis(500));
    world.run(secs(900), slow);
    let joined = world.now;
    world.agenda.join(&50_000, joined);
    let story = world.run(joined + secs(5), slow);
    let first = story.asked.iter().find(|(_, key, _)| *key == 50_000);
    assert!(first.is_some_and(|(at, ..)| *at < joined + secs(2)), "{first:?}");
}

#[test]
fn fifteen_hundred_secrets_are_known_in_fifteen_seconds_within_the_rate() {
    let story = World::new(1500).run(secs(15), well);
    assert_eq!(story.told.len(), 1500);
    assert!(story.busiest(secs(10)) <= 1000, "{}", story.busiest(secs(10)));
}

#[test]
fn nothing_is_asked_of_a_vault_that_nobody_follows() {
    let mut world = World::new(20);
    world.run(INTERVAL * 2, well);
    (0..20).for_each(|key| world.agenda.leave(&key));
    assert!(world.agenda.is_empty());
    let now = world.now;
    let story = world.run(now + INTERVAL * 3, well);
    assert_eq!(story.asked, []);
}

#[test]
fn a_vault_that_is_down_for_an_hour_is_tried_now_and_then_and_known_again_within_an_interval() {
    let hour = secs(3600);
    let (from, to) = (secs(300), secs(300) + hour);
    for (case, answer) in [
        ("refuses connections", Duration::from_millis(1)),
        ("hangs", secs(5)),
    ] {
        let mut world = World::new(1000);
        let vault = move |now: Moment, _| {
            if (from..to).contains(&now) {
                Reply::Down(answer)
            } else {
                Reply::Good(Duration::from_millis(30))
            }
        };
        let before = world.run(from, vault);
        assert!(before.told.values().all(|(_, well)| *well));
        let during = world.run(secs(299) + hour, vault);
        let tries = during.asked.len();
        assert!(tries < 60 + 60 + 40, "{case}: {tries} tries in an hour");
        assert!(tries > 40, "{case}: {tries} tries in an hour");
        assert!(
            !during.told.is_empty() && during.told.values().all(|(_, well)| !well),
            "{case}: told"
        );
        let told = during.told.values().map(|(at, _)| *at).min().unwrap_or_default();
        assert!(told < from + INTERVAL, "{case}: told at {told:?}");
        let after = world.run(to + INTERVAL * 2, vault);
        assert_eq!(after.told.len(), 1000, "{case}");
        assert!(after.told.values().all(|(_, well)| *well), "{case}: known again");
    }
}

#[test]
fn a_vault_that_is_down_from_the_start_is_told_so_and_known_once_it_is_there() {
    let mut world = World::new(100);
    let vault = |now: Moment, _| {
        if now < secs(90) {
            Reply::Down(secs(1))
        } else {
            well(now, 0)
        }
    };
    let story = world.run(secs(80), vault);
    assert!(story.told.values().all(|(_, well)| !well) && !story.told.is_empty());
    assert!(story.asked.len() < 20, "{} tries", story.asked.len());
    let story = world.run(secs(90) + INTERVAL, vault);
    assert_eq!(story.told.values().filter(|(_, well)| *well).count(), 100);
}

#[test]
fn one_failure_now_and_then_is_no_outage() {
    // Every seventh request fails; the next one for the same secret doesn't.
    let mut count = 0;
    let mut world = World::new(50);
    let story = world.run(INTERVAL * 20, |_, _| {
        count += 1;
        if count % 7 == 0 {
            Reply::Down(Duration::from_millis(1))
        } else {
            Reply::Good(Duration::from_millis(30))
        }
    });
    assert_eq!(story.told.values().filter(|(_, well)| !well).count(), 0);
    assert!(
        story.asked.len() < 50 * 21 * 8 / 6,
        "{} requests",
        story.asked.len()
    );
}

#[test]
fn a_vault_that_comes_and_goes_is_asked_little_and_never_stays_unknown() {
    // Half a minute there, half a minute away.
    let vault = |now: Moment, _| {
        if now.as_secs() % 60 < 30 {
            Reply::Good(Duration::from_millis(30))
        } else {
            Reply::Down(Duration::from_millis(1))
        }
    };
    let mut world = World::new(200);
    let story = world.run(secs(1800), vault);
    let per_interval = story.asked.len() / 30;
    assert!(per_interval <= 500, "{per_interval} requests an interval");
    for key in 0..200 {
        let good = story
            .asked
            .iter()
            .filter(|(_, asked, reply)| *asked == key && matches!(reply, Reply::Good(_)));
        let times: Vec<Moment> = good.map(|(at, ..)| *at).collect();
        let gap = times
            .windows(2)
            .map(|pair| pair[1].saturating_sub(pair[0]))
            .max()
            .unwrap_or(secs(1800));
        assert!(gap <= INTERVAL * 2, "secret {key} wasn't seen for {gap:?}");
    }
}

#[test]
fn retry_after_is_kept_to() {
    let mut world = World::new(300);
    world.run(secs(120), well);
    let asked_at = secs(125);
    let story = world.run(secs(400), |now, _| {
        if (asked_at..asked_at + secs(1)).contains(&now) {
            Reply::TooMany(Some(secs(100)))
        } else {
            well(now, 0)
        }
    });
    let (first, ..) = story
        .asked
        .iter()
        .find(|(_, _, reply)| matches!(reply, Reply::TooMany(_)))
        .expect("it throttled");
    let quiet = story.between(*first + Duration::from_millis(50), *first + secs(100));
    assert!(quiet.is_empty(), "nothing goes out meanwhile: {quiet:?}");
    assert!(story.told.values().all(|(_, well)| *well), "all is known again");
    assert_eq!(story.told.len(), 300);
}

/// A vault that is harsher than any: every request beyond its limit makes the throttling last longer.
fn harsh(limit: usize, window: Duration, tells: Option<Duration>) -> impl FnMut(Moment, u32) -> Reply {
    let mut sent: Vec<Moment> = Vec::new();
    let mut until = Moment::ZERO;
    move |now, _| {
        sent.retain(|at| *at + window > now);
        sent.push(now);
        if now < until || sent.len() > limit {
            until = until.max(now + window);
            Reply::TooMany(tells)
        } else {
            Reply::Good(Duration::from_millis(30))
        }
    }
}

#[test]
fn throttling_does_not_keep_itself_alive() {
    let window = secs(10);
    let rows = [
        ("it says for how long", 300, Some(secs(10))),
        ("it says too little", 300, Some(secs(1))),
        ("it doesn't say", 300, None),
        ("its limit is a tenth of ours", 100, None),
    ];
    for (case, limit, tells) in rows {
        let mut world = World::new(1500);
        let story = world.run(secs(600), harsh(limit, window, tells));
        let refused = |reply: &Reply| matches!(reply, Reply::TooMany(_));
        let count = story.asked.iter().filter(|(_, _, reply)| refused(reply)).count();
        let good = story.asked.iter().filter(|(_, _, reply)| !refused(reply));
        let known: BTreeSet<u32> = good.map(|(_, key, _)| *key).collect();
        assert_eq!(known.len(), 1500, "{case}");
        let last = story.asked.iter().rev().find(|(_, _, reply)| refused(reply));
        let all = story.asked.len();
        assert!(
            count * 10 < all,
            "{case}: {count} of {all} refused, the last {last:?}"
        );
    }
}

#[test]
fn a_call_gets_through_while_looks_use_up_their_rate() {
    let mut pace = Pace::new(Rate {
        requests: 100,
        window: secs(10),
    });
    let now = secs(50);
    let went = (0..200)
        .filter(|_| pace.ask(Urgency::Check, now) == Admission::Go)
        .count();
    assert_eq!(went, 90);
    assert_eq!(pace.ask(Urgency::Check, now), Admission::Wait(secs(10)));
    assert_eq!(pace.ask(Urgency::Call, now), Admission::Go);
    assert_eq!(
        pace.ask(Urgency::Check, now + secs(10)),
        Admission::Go,
        "the window has moved on"
    );
}

#[test]
fn a_pause_is_as_long_as_asked_but_neither_nothing_nor_for_ever() {
    let rows = [
        ("as asked", Some(secs(30)), secs(30)),
        ("nothing", Some(Duration::ZERO), secs(1)),
        ("for ever", Some(secs(1_000_000)), secs(600)),
        ("not said", None, secs(10)),
    ];
    for (case, asked, expected) in rows {
        let mut pace = Pace::new(Rate::default());
        pace.throttled(asked, secs(5), 0.0);
        assert_eq!(pace.paused(secs(5)), Some(expected), "{case}");
        assert_eq!(
            pace.ask(Urgency::Call, secs(5)),
            Admission::Paused(expected),
            "{case}"
        );
        assert_eq!(pace.paused(secs(5) + expected), None, "{case}");
        pace.throttled(None, secs(5), 1.0);
        assert_eq!(
            pace.paused(secs(5)),
            Some(expected),
            "{case}: what was under way adds nothing"
        );
    }
    let mut pace = Pace::new(Rate::default());
    let mut now = secs(5);
    let pauses = [10, 20, 40, 80, 160, 160].map(|expected| {
        pace.throttled(None, now, 0.0);
        let rest = pace.paused(now).unwrap_or_default();
        now += rest;
        (rest, secs(expected))
    });
    for (rest, expected) in pauses {
        assert_eq!(rest, expected, "it doubles while it comes back at once");
    }
}

#[test]
fn no_jitter_lengthens_the_longest_pause() {
    let mut pace = Pace::new(Rate::default());
    pace.throttled(Some(secs(1_000_000)), secs(5), 1.0);
    assert_eq!(pace.paused(secs(5)), Some(secs(600)));
}

#[test]
fn a_vault_that_wants_less_of_one_gets_less_of_all_and_a_pause_of_none() {
    let rate = Rate {
        requests: 100,
        window: secs(10),
    };
    let mut pace = Pace::new(rate);
    let sent = |pace: &mut Pace, now| {
        let asked = (0..200).map(|_| pace.ask(Urgency::Call, now));
        asked.filter(|admission| *admission == Admission::Go).count()
    };
    pace.slower(secs(5));
    pace.slower(secs(6)); // another of them, told the same
    assert_eq!(pace.paused(secs(6)), None);
    assert_eq!(sent(&mut pace, secs(6)), 50);
    pace.slower(secs(20));
    assert_eq!(sent(&mut pace, secs(20)), 31, "half of what it had grown to");
    assert_eq!(sent(&mut pace, secs(200)), 100, "content again for long");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_window_ever_holds_more_than_the_rate(
        requests in 1u32..50,
        steps in proptest::collection::vec((0u64..3000, any::<bool>(), 0u8..20), 1..400),
    ) {
        let window = secs(10);
        let mut pace = Pace::new(Rate { requests, window });
        let mut now = Moment::ZERO;
        let mut sent: Vec<Moment> = Vec::new();
        for (step, call, throttle) in steps {
            now += Duration::from_millis(step);
            if throttle == 0 {
                pace.throttled(None, now, 0.5);
            }
            let urgency = if call { Urgency::Call } else { Urgency::Check };
            match pace.ask(urgency, now) {
                Admission::Go => sent.push(now),
                Admission::Wait(rest) | Admission::Paused(rest) => prop_assert!(rest > Duration::ZERO),
            }
        }
        for from in &sent {
            let within = sent.iter().filter(|at| (*from..*from + window).contains(*at)).count();
            prop_assert!(within <= requests as usize);
        }
    }

    #[test]
    fn whatever_happens_each_secret_is_looked_at_again_once_the_vault_is_well(
        secrets in 1u32..40,
        trouble in proptest::collection::vec((1u64..40, 0u8..4), 0..30),
        leaves in proptest::collection::vec((0u32..40, 0u64..600), 0..10),
    ) {
        let mut world = World::new(secrets);
        let mut from = Moment::ZERO;
        let mut left = Vec::new();
        for (length, kind) in trouble {
            from += secs(length);
            for (key, at) in &leaves {
                if *at < from.as_secs() {
                    world.agenda.leave(key);
                    left.push(*key);
                }
            }
            world.run(from, |_, _| match kind {
                0 => Reply::Good(Duration::from_millis(30)),
                1 => Reply::Down(secs(5)),
                2 => Reply::TooMany(None),
                _ => Reply::TooMany(Some(secs(3))),
            });
        }
        let now = world.now;
        // The longest pause that a vault's throttling can have led to is over by then.
        let story = world.run(now + secs(200) + INTERVAL * 2, well);
        let expected = (0..secrets).filter(|key| !left.contains(key)).count();
        let seen: BTreeSet<u32> = story.asked.iter().map(|(_, key, _)| *key).collect();
        prop_assert_eq!(seen.len(), expected);
    }
}
