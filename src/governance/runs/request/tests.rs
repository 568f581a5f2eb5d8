use super::*;
use crate::fixtures::at;

/// The case, what is requested, what was answered last, whether it may run and runs, and the answer.
type Row<'a> = (
    &'a str,
    Option<String>,
    Option<RunRequest>,
    (bool, bool),
    Option<RequestAnswer>,
);

#[test]
fn a_request_is_answered_once_and_only_while_it_is_fresh() {
    let now = at(1000);
    let written = |second: i64| at(second).to_string();
    let known = |value: String| RunRequest {
        value,
        answer: RequestAnswer::Inactive,
    };
    let rows: Vec<Row<'_>> = vec![
        ("none", None, None, (true, false), None),
        (
            "now",
            Some(written(1000)),
            None,
            (true, false),
            Some(RequestAnswer::Begun),
        ),
        (
            "a while ago",
            Some(written(400)),
            None,
            (true, false),
            Some(RequestAnswer::Begun),
        ),
        (
            "too long ago",
            Some(written(399)),
            None,
            (true, false),
            Some(RequestAnswer::NotNow),
        ),
        (
            "in the future",
            Some(written(1601)),
            None,
            (true, false),
            Some(RequestAnswer::NotNow),
        ),
        (
            "in another zone",
            Some("2023-11-15T00:30:00+02:00".to_owned()),
            None,
            (true, false),
            Some(RequestAnswer::Begun),
        ),
        (
            "no time",
            Some("now".to_owned()),
            None,
            (true, false),
            Some(RequestAnswer::Unreadable),
        ),
        (
            "of what is inactive",
            Some(written(1000)),
            None,
            (false, false),
            Some(RequestAnswer::Inactive),
        ),
        (
            "while another runs",
            Some(written(1000)),
            None,
            (true, true),
            Some(RequestAnswer::UnderWay),
        ),
        (
            "answered before",
            Some(written(1000)),
            Some(known(written(1000))),
            (true, false),
            None,
        ),
        (
            "another than was answered",
            Some(written(1000)),
            Some(known(written(990))),
            (true, false),
            Some(RequestAnswer::Begun),
        ),
    ];
    for (case, requested, before, (runnable, running), expected) in rows {
        let told = answer(RequestFacts {
            requested: requested.as_deref(),
            before: before.as_ref(),
            runnable,
            running,
            now,
        });
        assert_eq!(told.map(|told| told.answer), expected, "{case}");
    }
}
