//! Schedules: cron text and time zone, accepted only as Kubernetes' own CronJobs accept them.

use super::Standing;
use super::message::quoted;
use crate::api::Reason;
use crate::api::export::Schedule;
use croner::{Cron, YEAR_UPPER_LIMIT};
use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use std::collections::BTreeSet;
use std::str::FromStr;

#[cfg(test)]
mod tests;

/// The zone of a schedule that names none.
const DEFAULT_ZONE: &str = "Etc/UTC";

/// One of the five fields: its name, least and greatest number, and names that stand for numbers, from the least up.
struct Field {
    name: &'static str,
    min: u32,
    max: u32,
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field {
        name: "minute",
        min: 0,
        max: 59,
        words: &[],
    },
    Field {
        name: "hour",
        min: 0,
        max: 23,
        words: &[],
    },
    Field {
        name: "day of month",
        min: 1,
        max: 31,
        words: &[],
    },
    Field {
        name: "month",
        min: 1,
        max: 12,
        words: &[
            "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
        ],
    },
    Field {
        name: "day of week",
        min: 0,
        max: 6,
        words: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    },
];

/// Judges a schedule; none at all means that it runs on request only.
#[must_use]
pub fn judge(schedule: Option<&Schedule>) -> Standing {
    let Some(schedule) = schedule else {
        return Standing::met(Reason::Manual, "There is no schedule: it runs on request only.");
    };
    match problem(schedule) {
        Some(problem) => Standing::unmet(Reason::ScheduleInvalid, problem),
        None => Standing::met(
            Reason::ScheduleAccepted,
            format!(
                "The schedule {} in {} can be kept.",
                quoted(&schedule.cron),
                zone(schedule)
            ),
        ),
    }
}

/// The next time after `now`, if any comes.
#[must_use]
pub fn next(schedule: &Schedule, now: Timestamp) -> Option<Timestamp> {
    let start = now.to_zoned(time_zone(zone(schedule))?);
    let cron = Cron::from_str(&times(&schedule.cron).ok()?).ok()?;
    let next = cron.find_next_occurrence(&start, false).ok()?;
    Some(next.timestamp())
}

/// The zone of its times.
#[must_use]
pub fn zone(schedule: &Schedule) -> &str {
    schedule.time_zone.as_deref().unwrap_or(DEFAULT_ZONE)
}

/// All that is wrong, told at once.
fn problem(schedule: &Schedule) -> Option<String> {
    let zone = zone(schedule);
    let time_zone = time_zone(zone);
    let no_zone = time_zone.is_none().then(|| {
        format!(
            "spec.schedule.timeZone is {}, expected an IANA name in its exact spelling, such as \"Europe/Berlin\".",
            quoted(zone)
        )
    });
    // Whether a time comes at all is the same everywhere.
    let no_time = cron_problem(&schedule.cron, time_zone.unwrap_or(TimeZone::UTC));
    let problems: Vec<String> = no_zone.into_iter().chain(no_time).collect();
    (!problems.is_empty()).then(|| problems.join(" "))
}

fn cron_problem(text: &str, zone: TimeZone) -> Option<String> {
    let cron = quoted(text);
    match times(text) {
        Err(problem) => Some(format!("spec.schedule.cron is {cron}: {problem}")),
        Ok(times) if comes(&times, zone) => None,
        Ok(_) => Some(format!(
            "spec.schedule.cron is {cron}, a time that never comes: correct the day or the month."
        )),
    }
}

/// The zone of that very name. Kubernetes takes no other spelling (`europe/berlin`), and `Etc/Unknown` is no place.
fn time_zone(name: &str) -> Option<TimeZone> {
    let zone = TimeZone::get(name).ok()?;
    let spelled = zone.iana_name() == Some(name);
    spelled.then_some(zone)
}

/// The same times in the plainest words: for each field `*` or the numbers that it stands for. So nothing depends on
/// which short forms the library that looks for the next time knows, or how it counts a `*` in a list.
fn times(cron: &str) -> Result<String, String> {
    let texts: Vec<&str> = cron.split_ascii_whitespace().collect();
    if texts.len() != FIELDS.len() {
        return Err(
            "expected five fields such as \"0 6 * * MON-FRI\", and no word such as @daily.".to_owned(),
        );
    }
    let (mut plain, mut refusals) = (Vec::new(), Vec::new());
    for (text, field) in texts.into_iter().zip(FIELDS) {
        match field.plain(text) {
            Some(numbers) => plain.push(numbers),
            None => refusals.push(field.refusal(text)),
        }
    }
    if refusals.is_empty() {
        return Ok(plain.join(" "));
    }
    Err(format!(
        "{}; lists (1,3), ranges from low to high (1-5) and steps (*/2) can be made of them.",
        refusals.join("; ")
    ))
}

impl Field {
    fn plain(&self, text: &str) -> Option<String> {
        let mut numbers = BTreeSet::new();
        let mut every = false;
        for item in text.split(',') {
            let (range, step) = match item.split_once('/') {
                Some((range, step)) => (range, Some(number(step).filter(|step| *step > 0)?)),
                None => (item, None),
            };
            let (low, high) = self.range(range, step.is_some())?;
            every |= matches!(range, "*" | "?") && step.is_none_or(|step| step == 1);
            numbers.extend((low..=high).step_by(step.unwrap_or(1) as usize));
        }
        let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
        Some(if every { "*".to_owned() } else { numbers.join(",") })
    }

    /// `*`, `?`, one number or name (with a step: from it to the greatest), or two, from low to high.
    fn range(&self, text: &str, stepped: bool) -> Option<(u32, u32)> {
        if matches!(text, "*" | "?") {
            return Some((self.min, self.max));
        }
        let (low, high) = match text.split_once('-') {
            Some((low, high)) => (self.value(low)?, self.value(high)?),
            None if stepped => (self.value(text)?, self.max),
            None => (self.value(text)?, self.value(text)?),
        };
        (low <= high).then_some((low, high))
    }

    fn value(&self, text: &str) -> Option<u32> {
        let word = self.words.iter().position(|word| word.eq_ignore_ascii_case(text));
        let value = match word {
            Some(position) => u32::try_from(position).ok()? + self.min,
            None => number(text)?,
        };
        (self.min..=self.max).contains(&value).then_some(value)
    }

    fn refusal(&self, text: &str) -> String {
        let Self {
            name,
            min,
            max,
            words,
        } = self;
        let words = match words {
            [first, .., last] => format!(" or names from {first} to {last}"),
            _ => String::new(),
        };
        format!(
            "its {name} is {}, expected * or numbers from {min} to {max}{words}",
            quoted(text)
        )
    }
}

fn number(text: &str) -> Option<u32> {
    // No sign: Kubernetes takes digits only.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Whether the time comes at all. Five fields name no year, so a few leap years answer for ever; they are taken from the
/// end of what croner searches, because for a time that never comes it goes through every day until there.
fn comes(times: &str, zone: TimeZone) -> bool {
    const YEARS: i32 = 20;
    let start = i16::try_from(YEAR_UPPER_LIMIT - YEARS)
        .ok()
        .and_then(|year| date(year, 1, 1).to_zoned(zone).ok());
    let next = |start: Zoned| {
        Cron::from_str(times)
            .ok()?
            .find_next_occurrence(&start, false)
            .ok()
    };
    start.and_then(next).is_some()
}
