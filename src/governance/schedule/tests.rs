use super::*;
use crate::api::ConditionStatus;
use crate::fixtures::ANY_TEXT;
use proptest::prelude::*;

fn schedule(cron: &str, zone: Option<&str>) -> Schedule {
    Schedule {
        cron: cron.to_owned(),
        time_zone: zone.map(str::to_owned),
    }
}

fn refusal(cron: &str) -> Option<String> {
    problem(&schedule(cron, None))
}

#[test]
fn a_cron_text_that_a_cron_job_would_keep_is_accepted() {
    let rows = [
        ("every minute", "* * * * *"),
        ("once a day", "30 2 * * *"),
        ("names in a range", "0 6 * * MON-FRI"),
        ("names in any case", "0 6 * jan,Dec sun"),
        ("a list", "0,15,30,45 * * * *"),
        ("steps over all", "*/5 * * * *"),
        ("steps over a range", "0-30/10 * * * *"),
        ("steps from a number on", "5/10 * * * *"),
        ("steps from a name on", "0 0 * * MON/2"),
        ("a step beyond the field", "0 */100 * * *"),
        ("a question mark for any day", "0 0 ? * MON"),
        ("a question mark in any field", "? ? ? ? ?"),
        ("a step after a question mark", "?/20 * * * *"),
        ("the leap day", "0 0 29 2 *"),
        ("a day that some months lack", "0 0 31 * *"),
        ("either day suffices", "0 0 30 2 MON"),
        ("either day suffices, all listed", "0 0 30 2 0-6"),
        ("leading zeros", "00 06 01 01 *"),
        ("more space than needed", " 0\t6  * * * "),
        ("the hour that summer time leaves out", "30 2 * 3 *"),
    ];
    for (case, cron) in rows {
        assert_eq!(refusal(cron), None, "{case}");
        let berlin = problem(&schedule(cron, Some("Europe/Berlin")));
        assert_eq!(berlin, None, "{case}, in Berlin");
    }
}

#[test]
fn a_cron_text_that_a_cron_job_would_not_keep_is_refused() {
    let never = "never comes";
    let rows = [
        ("nothing", "", "five fields"),
        ("four fields", "0 6 * *", "five fields"),
        ("six fields", "0 0 6 * * *", "five fields"),
        ("a macro", "@daily", "five fields"),
        ("a macro with a span", "@every 1h", "five fields"),
        ("a zone in the text", "TZ=UTC 0 6 * * *", "five fields"),
        (
            "a zone in place of a field",
            "CRON_TZ=UTC 6 * * *",
            "its minute is",
        ),
        ("a minute too many", "60 * * * *", "its minute is \"60\""),
        ("an hour too many", "0 24 * * *", "its hour is \"24\""),
        ("day zero", "0 0 0 * *", "its day of month is \"0\""),
        ("month zero", "0 0 1 0 *", "its month is \"0\""),
        ("Sunday as seven", "0 0 * * 7", "its day of week is \"7\""),
        (
            "a range to Sunday as seven",
            "0 0 * * 5-7",
            "its day of week is \"5-7\"",
        ),
        (
            "a range from high to low",
            "0 0 * * FRI-MON",
            "ranges from low to high",
        ),
        (
            "a range to Sunday",
            "0 0 * * MON-SUN",
            "its day of week is \"MON-SUN\"",
        ),
        ("a negative number", "-5 * * * *", "its minute is \"-5\""),
        ("a signed number", "+5 * * * *", "its minute is \"+5\""),
        ("a step of nothing", "*/0 * * * *", "its minute is \"*/0\""),
        ("a missing step", "*/ * * * *", "its minute is \"*/\""),
        ("two steps", "*/5/2 * * * *", "its minute is \"*/5/2\""),
        ("a range of three", "1-2-3 * * * *", "its minute is \"1-2-3\""),
        ("a range from all", "*-5 * * * *", "its minute is \"*-5\""),
        (
            "an empty place in a list",
            "1,,2 * * * *",
            "its minute is \"1,,2\"",
        ),
        ("the last day", "0 0 L * *", "its day of month is \"L\""),
        (
            "the nearest working day",
            "0 0 15W * *",
            "its day of month is \"15W\"",
        ),
        (
            "the second Monday",
            "0 0 * * MON#2",
            "its day of week is \"MON#2\"",
        ),
        (
            "both days at once",
            "0 0 13 * +FRI",
            "its day of week is \"+FRI\"",
        ),
        ("a name of another field", "0 0 * MON *", "its month is \"MON\""),
        ("a long name", "0 0 * * MONDAY", "its day of week is \"MONDAY\""),
        ("a fraction", "0.5 * * * *", "its minute is \"0.5\""),
        ("digits of another script", "٥ * * * *", "its minute is"),
        ("a number beyond all", "99999999999 * * * *", "its minute is"),
        ("30 February", "0 0 30 2 *", never),
        ("31 June", "0 0 31 6 *", never),
        ("31 of the short months", "0 0 31 2,4,6,9,11 *", never),
        ("30 February on any day, by a question mark", "0 0 30 2 ?", never),
        ("30 February on any day, by a list", "0 0 30 2 *,MON", never),
        ("30 February on any day, by a step of one", "0 0 30 2 */1", never),
    ];
    for (case, cron, expected) in rows {
        let refusal = refusal(cron).unwrap_or_else(|| panic!("{case} was accepted"));
        assert!(refusal.contains(expected), "{case}: {refusal}");
        assert!(refusal.ends_with('.'), "{case}: {refusal}");
    }
}

#[test]
fn a_zone_is_an_iana_name_as_kubernetes_spells_it() {
    let rows = [
        ("none", None, true),
        ("a place", Some("Europe/Berlin"), true),
        ("three parts", Some("America/Argentina/Buenos_Aires"), true),
        ("an old name", Some("US/Pacific"), true),
        ("universal time", Some("UTC"), true),
        ("universal time, in full", Some("Etc/UTC"), true),
        ("a fixed offset", Some("Etc/GMT+5"), true),
        ("a short name", Some("CET"), true),
        ("nowhere", Some("Mars/Olympus"), false),
        ("empty", Some(""), false),
        ("the machine's own", Some("Local"), false),
        ("the machine's own, in small letters", Some("local"), false),
        ("another spelling", Some("europe/berlin"), false),
        ("another spelling of universal time", Some("utc"), false),
        ("unknown on purpose", Some("Etc/Unknown"), false),
        ("an offset", Some("+02:00"), false),
        ("a rule", Some("CET-1CEST,M3.5.0,M10.5.0/3"), false),
        ("a path", Some("../../etc/passwd"), false),
        ("space around", Some(" Europe/Berlin"), false),
    ];
    for (case, zone, accepted) in rows {
        let problem = problem(&schedule("0 6 * * *", zone));
        assert_eq!(problem.is_none(), accepted, "{case}: {problem:?}");
        assert!(
            problem.is_none_or(|text| text.starts_with("spec.schedule.timeZone is ")),
            "{case}"
        );
    }
}

#[test]
fn every_zone_of_the_database_is_accepted_under_its_own_name() {
    let refused: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .filter(|name| time_zone(name).is_none())
        .collect();
    assert_eq!(refused, Vec::<String>::new());
}

#[test]
fn a_judgement_says_what_holds() {
    let rows = [
        (
            "none",
            None,
            ConditionStatus::True,
            Reason::Manual,
            "There is no schedule: it runs on request only.",
        ),
        (
            "one that can be kept",
            Some(schedule("0 6 * * *", Some("Europe/Berlin"))),
            ConditionStatus::True,
            Reason::ScheduleAccepted,
            "The schedule \"0 6 * * *\" in Europe/Berlin can be kept.",
        ),
        (
            "one that can't",
            Some(schedule("0 0 * * 7", None)),
            ConditionStatus::False,
            Reason::ScheduleInvalid,
            "spec.schedule.cron is \"0 0 * * 7\": its day of week is \"7\", expected * or numbers from 0 to 6 or names \
             from SUN to SAT; lists (1,3), ranges from low to high (1-5) and steps (*/2) can be made of them.",
        ),
        (
            "all of it wrong",
            Some(schedule("61 24 * 13 *", Some("Berlin"))),
            ConditionStatus::False,
            Reason::ScheduleInvalid,
            "spec.schedule.timeZone is \"Berlin\", expected an IANA name in its exact spelling, such as \"Europe/Berlin\". \
             spec.schedule.cron is \"61 24 * 13 *\": its minute is \"61\", expected * or numbers from 0 to 59; its hour is \
             \"24\", expected * or numbers from 0 to 23; its month is \"13\", expected * or numbers from 1 to 12 or names \
             from JAN to DEC; lists (1,3), ranges from low to high (1-5) and steps (*/2) can be made of them.",
        ),
        (
            "one that never comes, in a zone that isn't one",
            Some(schedule("0 0 30 2 *", Some("Berlin"))),
            ConditionStatus::False,
            Reason::ScheduleInvalid,
            "spec.schedule.timeZone is \"Berlin\", expected an IANA name in its exact spelling, such as \"Europe/Berlin\". \
             spec.schedule.cron is \"0 0 30 2 *\", a time that never comes: correct the day or the month.",
        ),
        (
            "one that never comes",
            Some(schedule("0 0 30 2 *", None)),
            ConditionStatus::False,
            Reason::ScheduleInvalid,
            "spec.schedule.cron is \"0 0 30 2 *\", a time that never comes: correct the day or the month.",
        ),
        (
            "a zone that isn't one",
            Some(schedule("0 6 * * *", Some("Berlin"))),
            ConditionStatus::False,
            Reason::ScheduleInvalid,
            "spec.schedule.timeZone is \"Berlin\", expected an IANA name in its exact spelling, such as \
             \"Europe/Berlin\".",
        ),
    ];
    for (case, schedule, status, reason, message) in rows {
        let expected = Standing {
            status,
            reason,
            message: message.to_owned(),
        };
        assert_eq!(judge(schedule.as_ref()), expected, "{case}");
    }
}

/// Texts close to cron: most fields are right, some aren't.
fn cronlike() -> impl Strategy<Value = String> {
    let item = prop_oneof![
        4 => "[0-9]{1,2}",
        2 => "[*?]",
        2 => "[*?0-9]{1,2}/[0-9]{1,2}",
        2 => "[0-9]{1,2}-[0-9]{1,2}(/[0-9])?",
        1 => "(?i)(MON|SUN|SAT|JAN|DEC)(-(FRI|SAT|DEC))?",
        1 => "[-*/?,LW#0-9]{1,4}",
    ];
    let field = proptest::collection::vec(item, 1..3).prop_map(|items| items.join(","));
    proptest::collection::vec(field, 4..7).prop_map(|fields| fields.join(" "))
}

proptest! {
    #[test]
    fn what_is_accepted_can_be_computed(cron in cronlike()) {
        if let Ok(times) = times(&cron) {
            prop_assert!(Cron::from_str(&times).is_ok(), "{cron} as {times}");
        }
    }

    #[test]
    fn no_text_panics_and_every_refusal_is_one_line(cron in ANY_TEXT, zone in ANY_TEXT) {
        if let Some(problem) = problem(&schedule(&cron, Some(&zone))) {
            prop_assert!(!problem.chars().any(char::is_control));
        }
        if let Some(problem) = refusal(&cron) {
            prop_assert!(!problem.chars().any(char::is_control));
        }
    }
}
