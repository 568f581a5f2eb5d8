//! What the layout promises, checked in the source text: the direction of modules, purity, and sizes.

#![expect(clippy::expect_used, reason = "a test that can't go on fails")]

use regex::Regex;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Which modules each module may name, itself aside. `lib.rs`, `main.rs` and the programs in `bin` name what they like.
const DIRECTION: [(&str, &[&str]); 17] = [
    ("api", &[]),
    ("metrics", &[]),
    ("governance", &["api", "vault"]),
    ("cluster", &["api", "metrics", "vault"]),
    ("docs", &["api", "governance"]),
    ("cli", &["api", "cluster", "connection_type", "governance"]),
    ("reconcile", &["api", "cluster", "governance", "metrics", "vault"]),
    ("connection", KIND),
    ("connection_type", KIND),
    ("dataset", KIND),
    ("enrichment", KIND),
    ("export", KIND),
    ("key_vault", KIND),
    ("run_account", KIND),
    ("vault", &["api"]),
    ("plugin", &["api", "cli", "connection_type", "governance"]),
    ("process", EVERYTHING),
];

/// A kind meets the others in the rules, never face to face.
const KIND: &[&str] = &["api", "cluster", "governance", "reconcile"];

/// Where all is put together.
const EVERYTHING: &[&str] = &[
    "api",
    "cluster",
    "connection",
    "connection_type",
    "dataset",
    "enrichment",
    "export",
    "governance",
    "key_vault",
    "metrics",
    "reconcile",
    "run_account",
    "vault",
];

/// Which modules of the connector each of its modules may name, itself aside: the ends of a run don't know each other.
const CONNECTOR_DIRECTION: [(&str, &[&str]); 17] = [
    ("credentials", &["fault"]),
    ("encode", &[]),
    ("enrich", &["fault", "progress", "rows", "source"]),
    ("fault", &[]),
    ("guard", &["fault"]),
    ("objects", &["credentials", "encode", "fault", "settings"]),
    ("outcome", &["fault"]),
    ("places", &[]),
    ("plan", &["fault"]),
    ("progress", &[]),
    ("rows", &["fault"]),
    (
        "run",
        &[
            "credentials",
            "encode",
            "enrich",
            "fault",
            "guard",
            "objects",
            "outcome",
            "places",
            "plan",
            "progress",
            "rows",
            "settings",
            "sftp",
            "source",
            "vaults",
        ],
    ),
    ("settings", &["encode", "fault"]),
    ("sftp", &["credentials", "encode", "fault", "settings"]),
    ("source", &["fault"]),
    ("telemetry", &[]),
    ("vaults", &["credentials", "fault", "guard"]),
];

/// What the connector decides by values alone.
const PURE_IN_CONNECTOR: [&str; 6] = [
    "guard/judge.rs",
    "rows/columns.rs",
    "run/parts.rs",
    "sftp/settings.rs",
    "sftp/window.rs",
    "vaults/judge.rs",
];

/// What a decision may name: it is made of values.
const DECISION: &[&str] = &["api", "governance", "vault"];

/// The pure part of the adapters to vaults.
const PURE_IN_VAULT: [&str; 6] = ["address", "budget", "fault", "reach", "sight", "value"];

/// What pure code never says: it doesn't wait, ask the cluster, or look at the clock.
const IMPURE: [&str; 8] = [
    r"\basync\b",
    r"\.await\b",
    r"\btokio\b",
    r"\bClient\b",
    r"\bkube::(\w+::)*\{?[^;]*\bApi\b",
    r"\bkube::runtime\b",
    r"\bnow\(\)",
    r"\b(SystemTime|Instant)\b",
];

/// Literals outside of `api/names.rs`.
const OTHER_LITERALS: [(&str, &str); 1] = [(
    "governance/consent.rs",
    "names the rule by which digests are made; no object carries it",
)];

/// Longest file, its tests aside, and longest function, in lines.
const FILE_MAX: usize = 400;
const FUNCTION_MAX: usize = 60;

/// One file of the product.
struct Source {
    /// Its path below `src`.
    path: String,
    /// Its text without comments and without what stands after `#[cfg(test)]`.
    code: String,
    /// The same with comments.
    whole: String,
}

impl Source {
    fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.trim_end_matches(".rs")
    }

    fn is_pure(&self) -> bool {
        self.module() == "governance" || self.is_decision() || self.is_pure_in_vault()
    }

    /// What is known about vaults without asking one.
    fn is_pure_in_vault(&self) -> bool {
        let name = self.path.strip_prefix("vault/").unwrap_or_default();
        let name = name.split('/').next().unwrap_or_default();
        PURE_IN_VAULT.contains(&name.trim_end_matches(".rs"))
    }

    /// What decides about one kind may fill a folder.
    fn is_decision(&self) -> bool {
        self.path.ends_with("/decide.rs") || self.path.contains("/decide/")
    }
}

fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files = Vec::new();
    collect(&root, &mut files);
    let tests = test_modules(&files);
    files.retain(|file| {
        let mut parts = file.strip_prefix(&root).expect("below").components();
        !parts.any(|part| tests.contains(part.as_os_str().to_string_lossy().trim_end_matches(".rs")))
    });
    assert!(!files.is_empty(), "{folder} holds sources");
    let tests = Regex::new(r"#\[cfg\(test\)\]\nmod \w+ \{").expect("a pattern");
    let comment = Regex::new(r"(?m)^\s*//.*$|\s//\s.*$").expect("a pattern");
    let sources = files.iter().map(|file| {
        let text = std::fs::read_to_string(file).expect("it can be read");
        let whole = tests.split(&text).next().unwrap_or_default().to_owned();
        Source {
            path: file
                .strip_prefix(&root)
                .expect("below")
                .to_string_lossy()
                .into_owned(),
            code: comment.replace_all(&whole, "").into_owned(),
            whole,
        }
    });
    sources.collect()
}

/// The modules that are there for tests only.
fn test_modules(files: &[PathBuf]) -> BTreeSet<String> {
    let declared = Regex::new(r"#\[cfg\(test\)\]\s*(?:pub(?:\(crate\))? )?mod (\w+);").expect("a pattern");
    let texts = files
        .iter()
        .map(|file| std::fs::read_to_string(file).expect("it can be read"));
    let names = texts.flat_map(|text| {
        let names: Vec<String> = declared
            .captures_iter(&text)
            .map(|found| found[1].to_owned())
            .collect();
        names
    });
    names.collect()
}

/// All Rust files below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The modules of this crate that a text names.
fn named(code: &str) -> BTreeSet<String> {
    let single = Regex::new(r"\bcrate::([a-z_]+)").expect("a pattern");
    let group = Regex::new(r"\bcrate::\{([^;]*)\}").expect("a pattern");
    let word = Regex::new(r"(?:^|,)\s*([a-z_]+)").expect("a pattern");
    let groups = group.captures_iter(code).flat_map(|found| {
        let inside = found[1].to_owned();
        let names: Vec<String> = word
            .captures_iter(&inside)
            .map(|found| found[1].to_owned())
            .collect();
        names
    });
    single
        .captures_iter(code)
        .map(|found| found[1].to_owned())
        .chain(groups)
        .collect()
}

#[test]
fn modules_name_only_those_below_them() {
    let mut wrong = misplaced("src", &DIRECTION);
    wrong.extend(misplaced("connector/src", &CONNECTOR_DIRECTION));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What names modules that it may not.
fn misplaced(folder: &str, direction: &[(&str, &[&str])]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources(folder) {
        let module = source.module();
        if matches!(module, "lib" | "main" | "bin") {
            continue;
        }
        let allowed = if source.is_decision() {
            DECISION
        } else {
            let row = direction.iter().find(|(name, _)| *name == module);
            let (_, allowed) = row.expect("every module has its place in the direction");
            *allowed
        };
        let others = named(&source.code);
        let others = others
            .iter()
            .filter(|other| *other != module && !allowed.contains(&other.as_str()));
        wrong.extend(others.map(|other| format!("{} names {other}", source.path)));
    }
    wrong
}

#[test]
fn rules_and_decisions_know_of_vaults_only_what_needs_no_asking() {
    let named = Regex::new(r"\bcrate::vault::([a-z_]+)").expect("a pattern");
    let bare = Regex::new(r"\bcrate::(vault::\{|\{[^;]*\bvault\b)").expect("a pattern");
    let mut wrong = Vec::new();
    for source in sources("src")
        .iter()
        .filter(|source| source.is_pure() && source.module() != "vault")
    {
        let parts = named.captures_iter(&source.code).map(|found| found[1].to_owned());
        let impure = parts.filter(|part| !PURE_IN_VAULT.contains(&part.as_str()));
        wrong.extend(impure.map(|part| format!("{} names vault::{part}", source.path)));
        wrong.extend(
            bare.find(&source.code)
                .map(|_| format!("{} names vault as a whole", source.path)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rules_and_decisions_are_pure() {
    let impure = IMPURE.map(|pattern| Regex::new(pattern).expect("a pattern"));
    let connector = sources("connector/src").into_iter();
    let connector: Vec<Source> = connector
        .filter(|source| PURE_IN_CONNECTOR.contains(&source.path.as_str()))
        .collect();
    assert_eq!(connector.len(), PURE_IN_CONNECTOR.len(), "all of these are there");
    let operator = sources("src").into_iter().filter(Source::is_pure);
    let mut wrong = Vec::new();
    for source in operator.chain(connector) {
        let found = impure.iter().filter_map(|pattern| pattern.find(&source.code));
        wrong.extend(found.map(|found| format!("{} says {:?}", source.path, found.as_str())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_is_told_in_the_same_verbs() {
    let files: BTreeSet<String> = sources("src").into_iter().map(|source| source.path).collect();
    for kind in [
        "connection",
        "connection_type",
        "dataset",
        "enrichment",
        "export",
        "key_vault",
        "run_account",
    ] {
        for verb in ["mod", "observe", "decide", "watch"] {
            let file = format!("{kind}/{verb}.rs");
            assert!(files.contains(&file), "{file} is missing");
        }
    }
}

#[test]
fn names_by_which_objects_are_found_stand_in_one_file() {
    let literal = Regex::new(r#""[^"\n]*connections\.dev/"#).expect("a pattern");
    for source in sources("src").into_iter().chain(sources("connector/src")) {
        let exempt = OTHER_LITERALS.iter().any(|(path, _)| *path == source.path);
        let found = literal
            .find(&source.code)
            .filter(|_| source.path != "api/names.rs" && !exempt);
        assert_eq!(found.map(|found| found.as_str()), None, "in {}", source.path);
    }
}

#[test]
fn files_and_functions_stay_short() {
    let mut long = Vec::new();
    for source in sources("src")
        .into_iter()
        .chain(sources("connector/src"))
        .chain(sources("tools/local-cluster/src"))
    {
        let lines = source.whole.lines().count();
        if lines > FILE_MAX {
            long.push(format!("{} has {lines} lines", source.path));
        }
        let functions = functions(&source.whole)
            .into_iter()
            .filter(|(_, lines)| *lines > FUNCTION_MAX);
        long.extend(functions.map(|(name, lines)| format!("{} in {} has {lines} lines", name, source.path)));
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// The name and the number of lines of each function, in a text laid out by rustfmt.
fn functions(text: &str) -> Vec<(String, usize)> {
    let head =
        Regex::new(r"^(\s*)(?:pub(?:\([a-z]+\))? )?(?:const )?(?:async )?fn (\w+)").expect("a pattern");
    let lines: Vec<&str> = text.lines().collect();
    let mut functions = Vec::new();
    for (first, line) in lines.iter().enumerate() {
        let Some(found) = head.captures(line) else {
            continue;
        };
        let end = format!("{}}}", &found[1]);
        let last = lines[first..].iter().position(|line| {
            *line == end || line.ends_with(';') && !line.starts_with(&format!("{} ", &found[1]))
        });
        functions.push((found[2].to_owned(), last.map_or(1, |last| last + 1)));
    }
    functions
}

#[test]
fn the_checks_see_what_they_are_for() {
    assert_eq!(
        named("use crate::{connection, dataset::decide};\nuse crate::api::Reason;"),
        ["api", "connection", "dataset"].map(str::to_owned).into()
    );
    let text = "    fn short() {\n        1;\n    }\nfn long(\n    a: u8,\n) {\n    a;\n\n}\n";
    assert_eq!(functions(text), [("short".to_owned(), 3), ("long".to_owned(), 6)]);
    let [.., now, _] = IMPURE.map(|pattern| Regex::new(pattern).expect("a pattern"));
    assert!(now.is_match("Timestamp::now()") && !now.is_match("facts.now"));
}
