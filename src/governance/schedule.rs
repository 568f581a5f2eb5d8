//! Schedules: cron text and time zone, accepted only as Kubernetes' own CronJobs accept them.

use super::Standing;
use super::message::quoted;
use crate::api::Reason;
use crate::api::export::Schedule;
use croner::Cron;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::str::FromStr;

/// The zone of a schedule that names none.
const DEFAULT_ZONE: &str = "Etc/UTC";

/// The five fields: name, least and greatest number, names that stand for numbers.
const FIELDS: [(&str, u32, u32, &[&str]); 5] = [
    ("minute", 0, 59, &[]),
    ("hour", 0, 23, &[]),
    ("day of month", 1, 31, &[]),
    (
        "month",
        1,
        12,
        &[
            "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
        ],
    ),
    (
        "day of week",
        0,
        6,
        &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    ),
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

fn zone(schedule: &Schedule) -> &str {
    schedule.time_zone.as_deref().unwrap_or(DEFAULT_ZONE)
}

fn problem(schedule: &Schedule) -> Option<String> {
    let zone = zone(schedule);
    // `Local` is a word of Kubernetes' library, not a place.
    let Some(time_zone) = TimeZone::get(zone).ok().filter(|_| zone != "Local") else {
        return Some(format!(
            "spec.schedule.timeZone is {}, expected an IANA name such as \"Europe/Berlin\".",
            quoted(zone)
        ));
    };
    if let Some(problem) = field_problem(&schedule.cron) {
        return Some(format!(
            "spec.schedule.cron is {}: {problem}",
            quoted(&schedule.cron)
        ));
    }
    (!comes(&schedule.cron, &time_zone)).then(|| {
        format!(
            "spec.schedule.cron is {}, a time that never comes: correct the day or the month.",
            quoted(&schedule.cron)
        )
    })
}

fn field_problem(cron: &str) -> Option<String> {
    let fields: Vec<&str> = cron.split_ascii_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Some("expected five fields, such as \"0 6 * * MON-FRI\".".to_owned());
    }
    fields
        .iter()
        .zip(FIELDS)
        .find(|(text, (_, min, max, names))| !field_fits(text, *min, *max, names))
        .map(|(text, (name, min, max, _))| {
            format!(
                "its {name} is {}, expected numbers from {min} to {max}, lists, ranges, * or steps.",
                quoted(text)
            )
        })
}

/// `*`, `?`, a number, a name, a range from low to high, each with a step above 0, in a list.
fn field_fits(field: &str, min: u32, max: u32, names: &[&str]) -> bool {
    field.split(',').all(|item| {
        let (range, step) = item
            .split_once('/')
            .map_or((item, None), |(range, step)| (range, Some(step)));
        let step_fits = step.is_none_or(|step| number(step).is_some_and(|step| step > 0));
        step_fits && range_fits(range, min, max, names)
    })
}

fn range_fits(range: &str, min: u32, max: u32, names: &[&str]) -> bool {
    if matches!(range, "*" | "?") {
        return true;
    }
    let value = |text: &str| {
        named(text, min, names)
            .or_else(|| number(text))
            .filter(|number| (min..=max).contains(number))
    };
    match range.split_once('-') {
        Some((low, high)) => value(low).zip(value(high)).is_some_and(|(low, high)| low <= high),
        None => value(range).is_some(),
    }
}

fn named(text: &str, min: u32, names: &[&str]) -> Option<u32> {
    let position = names.iter().position(|name| name.eq_ignore_ascii_case(text))?;
    u32::try_from(position).ok().map(|position| position + min)
}

fn number(text: &str) -> Option<u32> {
    // No sign: Kubernetes reads digits only.
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

/// Whether the time comes at all. Five fields name no year, so one leap cycle from any day answers for ever.
fn comes(cron: &str, zone: &TimeZone) -> bool {
    let start = Timestamp::UNIX_EPOCH.to_zoned(zone.clone());
    Cron::from_str(cron).is_ok_and(|cron| cron.find_next_occurrence(&start, false).is_ok())
}
