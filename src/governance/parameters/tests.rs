#![expect(clippy::too_many_lines, reason = "a table is long, not deep")]

use super::*;
use crate::api::reference::FieldName;
use crate::fixtures::{ANY_TEXT, catalog_seen, catalog_type, parameters};
use proptest::prelude::*;
use std::sync::Arc;

fn parameter(type_: ParameterType) -> Parameter {
    Parameter {
        name: FieldName::from("thing"),
        type_,
        description: "The thing".to_owned(),
        example: None,
        required: false,
        default: None,
        pattern: None,
        values: None,
        min: None,
        max: None,
        destination: false,
        recipient: false,
    }
}

/// A type that declares this one parameter, for connections and for exports.
fn declaring(parameter: Parameter) -> ConnectionTypeSpec {
    ConnectionTypeSpec {
        export_parameters: vec![parameter.clone()],
        parameters: vec![parameter],
        secrets: Vec::new(),
        endpoints: vec!["service.example".to_owned()],
        ..catalog_type("sftp-export").spec
    }
}

fn compiled_type(parameter: Parameter) -> CompiledType {
    CompiledType::compile("example", &declaring(parameter)).expect("the type fits together")
}

pub(super) fn of_catalog(name: &str) -> Arc<CompiledType> {
    catalog_seen(name)
        .usable()
        .expect("the type fits together")
        .clone()
}

fn refusals(parameter: Parameter, value: &str) -> Vec<String> {
    compiled_type(parameter).connection_problems(&parameters([("thing", value)]), &Parameters::new())
}

fn integer(min: Option<i64>, max: Option<i64>) -> Parameter {
    Parameter {
        min,
        max,
        ..parameter(ParameterType::Integer)
    }
}

fn matching(pattern: &str) -> Parameter {
    Parameter {
        pattern: Some(pattern.to_owned()),
        ..parameter(ParameterType::String)
    }
}

fn one_of(values: &[&str]) -> Parameter {
    Parameter {
        values: Some(values.iter().map(|value| (*value).to_owned()).collect()),
        ..parameter(ParameterType::Enum)
    }
}

#[test]
fn a_value_is_checked_against_what_is_declared() {
    let long = "é".repeat(513);
    let most = "x".repeat(1024);
    let rows: Vec<(&str, Parameter, &str, Option<&str>)> = vec![
        ("any text", parameter(ParameterType::String), "ünï cødé", None),
        ("an empty text", parameter(ParameterType::String), "", None),
        ("the longest text", parameter(ParameterType::String), &most, None),
        (
            "bytes count, not characters",
            parameter(ParameterType::String),
            &long,
            Some("expected at most 1024 bytes instead of 1026."),
        ),
        ("a match", matching("[a-z]+"), "abc", None),
        (
            "a match of a part only",
            matching("[a-z]+"),
            "abc1",
            Some("expected another form."),
        ),
        (
            "a match before a line break",
            matching("[a-z]+"),
            "abc\n",
            Some("expected another form."),
        ),
        (
            "a match of one line of two",
            matching("(?m)^[a-z]+$"),
            "abc\ndef",
            Some("expected another form."),
        ),
        ("either side of an alternative", matching("a|ab"), "ab", None),
        (
            "an alternative never matches a part",
            matching("ab|cd"),
            "abx",
            Some("expected another form."),
        ),
        ("a pattern that anchors itself", matching("^ab$"), "ab", None),
        ("a number", integer(None, None), "-3", None),
        (
            "the least number of all",
            integer(None, None),
            "-9223372036854775808",
            None,
        ),
        (
            "one beyond",
            integer(None, None),
            "9223372036854775808",
            Some("expected a whole number without leading zeros."),
        ),
        ("within", integer(Some(1), Some(10)), "10", None),
        (
            "below",
            integer(Some(1), Some(10)),
            "0",
            Some("expected a whole number from 1 to 10 without leading zeros."),
        ),
        (
            "above the most",
            integer(None, Some(10)),
            "11",
            Some("expected a whole number of at most 10 without leading zeros."),
        ),
        (
            "below the least",
            integer(Some(1), None),
            "0",
            Some("expected a whole number of at least 1 without leading zeros."),
        ),
        (
            "a plus",
            integer(None, None),
            "+3",
            Some("expected a whole number without leading zeros."),
        ),
        (
            "leading zeros",
            integer(None, None),
            "022",
            Some("expected a whole number without leading zeros."),
        ),
        (
            "a fraction",
            integer(None, None),
            "1.5",
            Some("expected a whole number"),
        ),
        (
            "space",
            integer(None, None),
            " 1",
            Some("expected a whole number"),
        ),
        (
            "hexadecimal",
            integer(None, None),
            "0x10",
            Some("expected a whole number"),
        ),
        (
            "no number",
            integer(None, None),
            "",
            Some("expected a whole number"),
        ),
        ("yes", parameter(ParameterType::Boolean), "true", None),
        ("no", parameter(ParameterType::Boolean), "false", None),
        (
            "YAML's yes",
            parameter(ParameterType::Boolean),
            "yes",
            Some("expected \"true\" or \"false\"."),
        ),
        (
            "Python's yes",
            parameter(ParameterType::Boolean),
            "True",
            Some("expected \"true\" or \"false\"."),
        ),
        ("one of the values", one_of(&["None", "Gzip"]), "Gzip", None),
        (
            "in another case",
            one_of(&["None", "Gzip"]),
            "gzip",
            Some("expected one of \"None\", \"Gzip\"."),
        ),
        (
            "many values",
            one_of(&["a", "b", "c", "d", "e", "f", "g"]),
            "x",
            Some("expected one of \"a\", \"b\", \"c\", \"d\", \"e\" and 2 more."),
        ),
    ];
    for (case, parameter, value, expected) in rows {
        let refusals = refusals(parameter, value);
        match expected {
            None => assert_eq!(refusals, Vec::<String>::new(), "{case}"),
            Some(expected) => {
                assert_eq!(refusals.len(), 1, "{case}");
                assert!(
                    refusals[0].starts_with("spec.parameters.thing is \""),
                    "{case}: {}",
                    refusals[0]
                );
                assert!(refusals[0].contains(expected), "{case}: {}", refusals[0]);
            }
        }
    }
}

#[test]
fn a_required_text_is_not_empty() {
    let required = Parameter {
        required: true,
        ..parameter(ParameterType::String)
    };
    assert_eq!(
        refusals(required, ""),
        ["spec.parameters.thing is \"\", expected a text that isn't empty."]
    );
}

#[test]
fn messages_about_a_connection_can_be_acted_upon() {
    let sftp = of_catalog("sftp-export");
    let right = || parameters([("hostname", "sftp.partner.example"), ("folder", "/in")]);
    let rows: Vec<(&str, (&str, &str), Vec<&str>)> = vec![
        ("as it should be", ("port", "2222"), vec![]),
        (
            "a name that nobody knows",
            ("host", "x"),
            vec![
                "spec.parameters has \"host\", which the type doesn't know: it knows hostname, port, folder, hostKey.",
            ],
        ),
        (
            "a scheme",
            ("hostname", "sftp://partner.example"),
            vec![
                "spec.parameters.hostname is \"sftp://partner.example\", expected it without \"sftp://\", such as \
                 \"sftp.partner.example\".",
            ],
        ),
        (
            "a scheme, and more that is wrong",
            ("hostname", "sftp://partner.example/in"),
            vec![
                "spec.parameters.hostname is \"sftp://partner.example/in\", expected another form, such as \
                 \"sftp.partner.example\". The type says of it: The server's host name or IPv4 address, without scheme \
                 and port.",
            ],
        ),
        (
            "a step up",
            ("folder", "/in/../etc"),
            vec![
                "spec.parameters.folder is \"/in/../etc\", expected another form, such as \"/in\". The type says of it: \
                 The folder that exports write to: absolute (/in), relative to the account's home (drop/in), or the \
                 home itself (a single dot). No part of it may begin with a dot.",
            ],
        ),
        (
            "a port beyond",
            ("port", "65536"),
            vec![
                "spec.parameters.port is \"65536\", expected a whole number from 1 to 65535 without leading zeros, such \
                 as \"2222\".",
            ],
        ),
    ];
    for (case, (name, value), expected) in rows {
        let mut given = right();
        given.insert(name.to_owned(), value.to_owned());
        assert_eq!(
            sftp.connection_problems(&given, &Parameters::new()),
            expected,
            "{case}"
        );
    }
    assert_eq!(
        sftp.connection_problems(
            &Parameters::new(),
            &parameters([("delimiter", "|"), ("port", "22")])
        ),
        [
            "spec.parameters.hostname is missing: add it, such as \"sftp.partner.example\".",
            "spec.parameters.folder is missing: add it, such as \"/in\".",
            "spec.fixedExportParameters.delimiter is \"|\", expected one of \"Comma\", \"Semicolon\", \"Tab\", \"Pipe\".",
            "spec.fixedExportParameters has \"port\", which the type doesn't know: it knows subfolder, compression, \
             delimiter.",
        ]
    );
}

#[test]
fn an_export_chooses_only_what_its_connection_leaves_open() {
    let marketo = of_catalog("marketo");
    let fixed = "spec.parameters.listId is fixed by the connection: leave it out.";
    let missing = "spec.parameters.listId is missing: add it, such as \"12345\".";
    let rows: Vec<(&str, Parameters, Parameters, Vec<&str>)> = vec![
        ("chosen", parameters([("listId", "5")]), parameters([]), vec![]),
        (
            "required, and nobody says it",
            parameters([]),
            parameters([]),
            vec![missing],
        ),
        ("fixed", parameters([]), parameters([("listId", "5")]), vec![]),
        (
            "fixed, and chosen otherwise",
            parameters([("listId", "6")]),
            parameters([("listId", "5")]),
            vec![fixed],
        ),
        (
            "fixed, and chosen alike: else guesses would tell it",
            parameters([("listId", "5")]),
            parameters([("listId", "5")]),
            vec![fixed],
        ),
        (
            "fixed wrongly, which is the connection's concern",
            parameters([]),
            parameters([("listId", "secret list")]),
            vec![],
        ),
        (
            "fixed under a wrong name, likewise",
            parameters([("listId", "5")]),
            parameters([("folder", "/secret")]),
            vec![],
        ),
        (
            "a connection's own parameter",
            parameters([("listId", "5"), ("restHost", "evil.mktorest.com")]),
            parameters([]),
            vec!["spec.parameters has \"restHost\", which the type doesn't know: it knows listId."],
        ),
    ];
    for (case, chosen, fixed, expected) in rows {
        assert_eq!(marketo.choice_problems(&chosen, &fixed), expected, "{case}");
    }
}

#[test]
fn a_subfolder_never_leaves_the_folder() {
    let sftp = of_catalog("sftp-export");
    let rows = [
        ("one below", "customers", true),
        ("two below", "customers/weekly", true),
        ("spaces and other scripts", "größe 名前/שם", true),
        ("up", "..", false),
        ("up from below", "customers/../..", false),
        ("absolute", "/etc", false),
        ("here", ".", false),
        ("hidden", ".ssh", false),
        ("hidden below", "customers/.ssh", false),
        ("an empty part", "customers//weekly", false),
        ("a backslash", "customers\\..\\..", false),
        ("a line break", "customers\nweekly", false),
        ("the end of a C string", "customers\0", false),
        ("empty", "", false),
    ];
    for (case, subfolder, accepted) in rows {
        let problems = sftp.choice_problems(&parameters([("subfolder", subfolder)]), &Parameters::new());
        assert_eq!(problems.is_empty(), accepted, "{case}: {problems:?}");
    }
}

proptest! {
    #[test]
    fn no_value_panics_and_every_refusal_is_one_line(name in ANY_TEXT, value in ANY_TEXT) {
        for type_ in ["sftp-export", "google-ads", "marketo"].map(of_catalog) {
            let given = parameters([(name.as_str(), value.as_str())]);
            for problem in type_.connection_problems(&given, &given) {
                prop_assert!(!problem.chars().any(char::is_control), "{}", problem);
                prop_assert!(problem.ends_with(['.', '…']), "{}", problem);
            }
        }
    }

    #[test]
    fn no_pattern_panics(pattern in ANY_TEXT, value in ANY_TEXT) {
        if let Ok(ready) = Pattern::within(&mut pattern::MEMORY_MAX.clone(), &pattern) {
            let anchored = regex::Regex::new(&format!(r"\A(?:{pattern})\z")).expect("it can be read");
            prop_assert_eq!(ready.matches(&value), anchored.is_match(&value), "the whole text or nothing");
        }
    }

    #[test]
    fn equal_numbers_are_equal_texts(a in any::<i64>(), zeros in "[+0]{0,3}") {
        let text = format!("{zeros}{a}");
        prop_assert_eq!(is_whole_number(&text, &integer(None, None)), zeros.is_empty() || text == a.to_string());
    }
}
