//! Types and values from people who mean no good: whatever they write, the answer comes soon, and it is one.
//!
//! `make fuzz-types` tries ten times as many, of a build that is as fast as the released one.

use super::tests::of_catalog;
use super::*;
use crate::api::reference::FieldName;
use crate::fixtures::{catalog_type, secret_key, vault_secret};
use proptest::prelude::*;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Longest that one pattern or one input may take. A build that isn't optimized takes many times as long.
const LIMIT: Duration = Duration::from_millis(if cfg!(debug_assertions) { 50 } else { 10 });
/// Inputs that each hostile type is tried with.
const INPUTS: usize = 100;
/// Types, unless `PROPTEST_CASES` says how many: 10⁵ inputs in all.
const TYPES: u32 = 1000;
/// Pieces of which patterns are made, from plain to costly and broken.
const PATTERN: [&str; 24] = [
    "a",
    "[a-z]",
    r"\w",
    r"\d",
    r"\p{L}",
    ".",
    "(",
    ")",
    "[",
    "]",
    "*",
    "+",
    "?",
    "{1,9}",
    "{0,99}",
    "|",
    "^",
    "$",
    r"\b",
    "(?i)",
    "(?s).",
    "(?:a|ab)*",
    "[[:cntrl:]]",
    "é",
];
/// Pieces of which values are made.
const VALUE: [&str; 20] = [
    "a",
    "Z",
    "9",
    "-",
    "../",
    "://",
    "sftp://",
    "\"",
    "\n",
    "\0",
    "\u{202e}",
    "\u{feff}",
    "é",
    "😀",
    " ",
    "%2e",
    "{{",
    "$(",
    "e\u{301}",
    "18446744073709551616",
];

fn pieces(random: &mut fastrand::Rng, of: &[&str], most: usize) -> String {
    let count = random.usize(..=most);
    (0..count).map(|_| of[random.usize(..of.len())]).collect()
}

fn value(random: &mut fastrand::Rng) -> String {
    match random.u8(..8) {
        0 => pieces(random, &VALUE, 1).repeat(random.usize(..2000)),
        1 => random.i64(..).to_string(),
        2 => "a".repeat(1024),
        _ => pieces(random, &VALUE, 12),
    }
}

fn maybe<T>(random: &mut fastrand::Rng, make: impl FnOnce(&mut fastrand::Rng) -> T) -> Option<T> {
    random.bool().then(|| make(random))
}

fn parameter(random: &mut fastrand::Rng, name: &str) -> Parameter {
    let kinds = [
        ParameterType::String,
        ParameterType::String,
        ParameterType::Integer,
        ParameterType::Boolean,
        ParameterType::Enum,
    ];
    Parameter {
        name: FieldName::from(name),
        type_: kinds[random.usize(..kinds.len())],
        description: value(random),
        example: maybe(random, value),
        required: random.bool(),
        default: maybe(random, value),
        pattern: maybe(random, |random| pieces(random, &PATTERN, 20)),
        values: maybe(random, |random| {
            (0..random.usize(..9)).map(|_| value(random)).collect()
        }),
        min: maybe(random, |random| random.i64(..)),
        max: maybe(random, |random| random.i64(..)),
        destination: random.bool(),
        recipient: random.bool(),
    }
}

/// A type that the schema lets pass, or nearly: two parameters for connections and two for exports.
fn hostile(random: &mut fastrand::Rng) -> ConnectionTypeSpec {
    let mut spec = catalog_type("sftp-export").spec;
    spec.parameters = ["one", "two"].map(|name| parameter(random, name)).into();
    spec.export_parameters = ["one", "three"].map(|name| parameter(random, name)).into();
    for slot in &mut spec.secrets {
        slot.required = random.bool();
        slot.alternative_to = maybe(random, |random| {
            FieldName::from(["username", "password", "privateKey", "none"][random.usize(..4)])
        });
    }
    spec.endpoints = (0..random.usize(..3)).map(|_| value(random)).collect();
    spec
}

/// One that fits together as often as not: the same as a hostile type, with what contradicts taken away.
fn usable(random: &mut fastrand::Rng) -> ConnectionTypeSpec {
    let mut spec = catalog_type("sftp-export").spec;
    for (parameter, pattern) in spec.parameters.iter_mut().zip([true, false, true, false]) {
        parameter.example = None;
        parameter.default = None;
        if pattern {
            parameter.pattern = Some(pieces(random, &PATTERN, 20));
        }
    }
    spec
}

fn given(random: &mut fastrand::Rng) -> Parameters {
    let names = [
        "one",
        "two",
        "three",
        "hostname",
        "port",
        "folder",
        "subfolder",
        "compression",
    ];
    let count = random.usize(..5);
    let pairs = (0..count).map(|_| {
        let name = match random.u8(..6) {
            0 => value(random),
            _ => names[random.usize(..names.len())].to_owned(),
        };
        (name, value(random))
    });
    pairs.collect()
}

/// Every answer that such a type gives about such values.
fn answers(type_: &CompiledType, random: &mut fastrand::Rng) {
    let (parameters, fixed) = (given(random), given(random));
    let secrets = ["username", "password", "privateKey", "passphrase"];
    let sources = secrets.iter().filter_map(|name| {
        let source = if random.bool() {
            secret_key(name, "key")
        } else {
            vault_secret("vault", name)
        };
        random.bool().then(|| ((*name).to_owned(), source))
    });
    let sources = sources.collect();
    let told = [
        type_.connection_problems(&parameters, &fixed),
        type_.choice_problems(&parameters, &fixed),
        type_.secret_problems(&sources),
    ];
    std::hint::black_box(told);
}

/// The processor's time that the same takes, whatever else the machine does: the least of a few, as caches are cold at
/// first.
fn least(limit: Duration, work: impl Fn()) -> Duration {
    let once = || {
        let started = processor_time();
        work();
        processor_time().saturating_sub(started)
    };
    let mut least = once();
    for _ in 0..5 {
        if least <= limit {
            break;
        }
        least = least.min(once());
    }
    least
}

fn processor_time() -> Duration {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(spent).expect("it isn't negative")
}

/// One as large as the schema lets it be: all its parameters have a costly pattern, and an example to try it with.
fn greedy(pattern: &str) -> ConnectionTypeSpec {
    let mut spec = catalog_type("sftp-export").spec;
    let all = |list: &str| -> Vec<Parameter> {
        let names = (0..32).map(|i| format!("{list}{i}"));
        let parameter = |name: String| Parameter {
            name: FieldName::from(name.as_str()),
            type_: ParameterType::String,
            description: "Greedy".to_owned(),
            example: Some("a".repeat(1000)),
            required: false,
            default: None,
            pattern: Some(pattern.to_owned()),
            values: None,
            min: None,
            max: None,
            destination: false,
            recipient: false,
        };
        names.map(parameter).collect()
    };
    (spec.parameters, spec.export_parameters) = (all("p"), all("e"));
    spec.endpoints = vec!["greedy.example".to_owned()];
    spec
}

#[test]
fn the_patterns_of_a_type_share_its_memory_and_the_first_too_many_is_named() {
    let problems = CompiledType::compile("greedy", &greedy("(?:a*){200}")).expect_err("too much");
    let large = CompiledType::compile("large", &greedy("(?:a?){1000}")).expect_err("too large");
    let first = "spec.parameters[p0] has a pattern that takes too much memory: make its repetitions smaller.";
    assert_eq!(large.first().map(String::as_str), Some(first));
    let next = "spec.parameters[p12] has a pattern that takes too much memory together with those before it: make the \
                  repetitions of some smaller.";
    assert_eq!(problems.first().map(String::as_str), Some(next));
    let modest = CompiledType::compile("modest", &greedy("(?:a+){1,4}")).expect("it fits together");
    let patterns = modest.patterns.iter().chain(&modest.export_patterns).flatten();
    let taken: usize = patterns.map(Pattern::memory).sum();
    assert!(taken > 0 && taken <= pattern::MEMORY_MAX, "{taken} bytes");
}

/// Memory that this process holds, in KiB.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("it tells of itself");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let words = line.expect("a line of it").split_whitespace().next();
    words.and_then(|kib| kib.parse().ok()).expect("a number")
}

/// In a process of its own, where nothing else takes memory meanwhile.
#[cfg(target_os = "linux")]
#[test]
fn what_a_search_remembers_goes_with_it() {
    const ALONE: &str = "CONNECTION_OPERATOR_TEST_ALONE";
    let name = "governance::parameters::hostile_tests::what_a_search_remembers_goes_with_it";
    if std::env::var_os(ALONE).is_none() {
        let itself = std::env::current_exe().expect("a path");
        let mut alone = std::process::Command::new(itself);
        let done = alone
            .args(["--exact", name])
            .env(ALONE, "yes")
            .output()
            .expect("it runs");
        let told = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success() && told.contains("1 passed"), "{told}");
        return;
    }
    let mut spec = greedy("(?:a?){400}");
    spec.parameters.truncate(1);
    spec.parameters[0].example = Some("a".repeat(400));
    spec.export_parameters.clear();
    let before = resident();
    let types = (0..40).map(|_| CompiledType::compile("greedy", &spec).expect("it fits together"));
    let types: Vec<CompiledType> = types.collect();
    let grown = resident() - before;
    // 40 patterns of 20 KiB; a search through the example remembers more than 1 MiB by default.
    assert!(grown < 16 << 10, "{} types take {grown} KiB", types.len());
}

fn cases() -> u32 {
    let said = std::env::var("PROPTEST_CASES").ok();
    said.and_then(|said| said.parse().ok()).unwrap_or(TYPES)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn no_type_and_no_value_takes_long_or_ends_the_operator(seed in any::<u64>()) {
        let mut random = fastrand::Rng::with_seed(seed);
        let spec = if random.bool() { hostile(&mut random) } else { usable(&mut random) };
        let parameters = spec.parameters.iter().chain(&spec.export_parameters);
        let patterns = parameters.filter(|parameter| parameter.pattern.is_some()).count();
        let limit = LIMIT * u32::try_from(patterns.max(1)).expect("a few");
        let took = least(limit, || drop(CompiledType::compile("hostile", &spec)));
        prop_assert!(took <= limit, "made ready in {:?}: {:?}", took, spec.parameters);
        let compiled = CompiledType::compile("hostile", &spec).ok();
        let fallback = of_catalog("sftp-export");
        let type_ = compiled.as_ref().unwrap_or(&fallback);
        for input in 0..INPUTS {
            let seed = random.u64(..);
            // Each parameter has its time: an input gives a value to all of them.
            let took = least(limit, || answers(type_, &mut fastrand::Rng::with_seed(seed)));
            prop_assert!(took <= limit, "input {} answered in {:?}", input, took);
        }
    }
}
