//! Whole joins, from a file's pieces to an output's file.

use super::*;
use crate::fault::Fault;
use crate::fault::tests::is_fit;
use connection_operator::api::run::{FailureClass, Persistence, RunFailure};
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::fs;
use std::io::{Cursor, Write};
use std::path::PathBuf;
use tempfile::TempDir;

const COMMA: FileForm = FileForm {
    delimiter: b',',
    gzip: false,
};
/// What stood in the output before.
const BEFORE: &str = "of yesterday";
const INPUT: &str = "id,website,status\n1,a.example,won\n2,b.example,lost\n3,,won\n4,a.example,new\n";
const FILE: &str = "domain,employees,city\na.example,12,Ulm\nc.example,7,\n,1,Bonn\n";

/// One claim, on which both datasets are.
struct Claim(TempDir);

impl Claim {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("lake/out")).expect("made");
        let claim = Self(folder);
        claim.write("companies.csv", INPUT);
        claim.write("out/result", BEFORE);
        claim
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("lake").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("it is there")
    }

    /// The names of what is beside the output.
    fn beside(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("out")).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }

    fn run(&self, planned: &PlannedEnrichment, file: &[u8], form: FileForm) -> Result<Joined, Ended> {
        let (draft, joined) = self.drafted(planned, file, form)?;
        draft.publish(|| {})?;
        Ok(joined)
    }

    fn drafted(
        &self,
        planned: &PlannedEnrichment,
        file: &[u8],
        form: FileForm,
    ) -> Result<(Draft, Joined), Ended> {
        let folders = (self.0.path(), self.path(""));
        let enrichment = Enrichment::open(planned, (folders.0, &folders.1), "0123456789abcdef")?;
        let file = Cursor::new(file.to_vec());
        enrichment.run(file, form, &Tally::default(), &AtomicBool::new(false))
    }

    fn refusal(&self, planned: &PlannedEnrichment, file: &str) -> RunFailure {
        match self.run(planned, file.as_bytes(), COMMA) {
            Err(Ended::Failed(failure)) => failure,
            other => panic!("{other:?}"),
        }
    }
}

/// An enrichment of `companies` into `results`, but for these differences.
fn planned(differences: &Value) -> PlannedEnrichment {
    let mut planned = json!({
        "input": {
            "dataset": "companies", "location": {"volume": {"claimName": "lake", "path": "companies.csv"}},
            "format": {"type": "CSV"},
        },
        "mapping": {"domain": "website"},
        "output": {
            "dataset": "results", "location": {"volume": {"claimName": "lake", "path": "out/result"}},
            "format": {"type": "CSV"},
        },
    });
    merge(&mut planned, differences);
    serde_json::from_value(planned).expect("a plan's enrichment")
}

fn merge(target: &mut Value, differences: &Value) {
    match (target, differences) {
        (Value::Object(fields), Value::Object(differences)) => {
            for (name, difference) in differences {
                merge(fields.entry(name).or_insert(Value::Null), difference);
            }
        }
        (target, difference) => target.clone_from(difference),
    }
}

fn packed(text: &str) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text.as_bytes()).expect("packed");
    packer.finish().expect("packed")
}

#[test]
fn each_row_that_the_file_has_a_line_for_stands_in_the_output() {
    let claim = Claim::new();
    let joined = claim
        .run(&planned(&json!({})), FILE.as_bytes(), COMMA)
        .expect("joined");
    let expected = Joined {
        enriched: 2,
        not_matched: 2,
    };
    assert_eq!(joined, expected, "a row without a key matches nothing");
    assert_eq!(
        claim.text("out/result"),
        "website,employees,city\na.example,12,Ulm\na.example,12,Ulm\n"
    );
    assert_eq!(claim.beside(), ["result"]);
    assert_eq!(claim.text("companies.csv"), INPUT, "the input isn't changed");

    let gzip = FileForm { gzip: true, ..COMMA };
    assert_eq!(
        claim
            .run(&planned(&json!({})), &packed(FILE), gzip)
            .expect("joined"),
        expected
    );
    let chosen = json!({"input": {"where": "status <> 'new'"}});
    claim
        .run(&planned(&chosen), FILE.as_bytes(), COMMA)
        .expect("joined");
    assert_eq!(
        claim.text("out/result"),
        "website,employees,city\na.example,12,Ulm\n"
    );
    let none = claim
        .run(&planned(&chosen), b"domain,city\n", COMMA)
        .expect("joined");
    assert_eq!((none.enriched, none.not_matched), (0, 3));
    assert_eq!(
        claim.text("out/result"),
        "website,city\n",
        "an output without rows has its columns"
    );
}

#[test]
fn an_output_is_written_as_its_dataset_says() {
    let claim = Claim::new();
    let written = |format: Value| {
        let planned = planned(&json!({"input": {"where": "id = '1'"}, "output": {"format": format}}));
        claim
            .run(
                &planned,
                b"domain,city,size\na.example,\"Ulm; or \"\"U\"\"\",\n",
                COMMA,
            )
            .expect("joined");
        fs::read(claim.path("out/result")).expect("it is there")
    };
    let lines = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    assert_eq!(
        lines(written(
            json!({"type": "CSV", "csv": {"delimiter": ";", "header": "Absent"}})
        )),
        "a.example;\"Ulm; or \"\"U\"\"\";\n"
    );
    let line = "{\"website\":\"a.example\",\"city\":\"Ulm; or \\\"U\\\"\",\"size\":null}\n";
    assert_eq!(lines(written(json!({"type": "NDJSON"}))), line);
    let mut unpacked = String::new();
    GzDecoder::new(written(json!({"type": "NDJSON", "compression": "Gzip"})).as_slice())
        .read_to_string(&mut unpacked)
        .expect("unpacked");
    assert_eq!(unpacked, line);
    let packed = written(json!({"type": "NDJSON", "compression": "Zstd"}));
    assert_eq!(
        lines(zstd::decode_all(packed.as_slice()).expect("unpacked")),
        line
    );

    written(json!({"type": "Parquet"}));
    let parquet = planned(&json!({"input": {
        "dataset": "results", "location": {"volume": {"path": "out/result"}}, "format": {"type": "Parquet"},
    }}));
    let source = Source::open(&parquet.input, claim.0.path()).expect("it can be read again");
    let names: Vec<&String> = source
        .schema()
        .fields()
        .iter()
        .map(|field| field.name())
        .collect();
    assert_eq!(names, ["website", "city", "size"]);
    let rows: usize = source
        .batches(&[0, 1, 2])
        .expect("rows")
        .map(|batch| batch.expect("a batch").num_rows())
        .sum();
    assert_eq!(rows, 1);
}

#[test]
fn keys_are_compared_as_text_and_all_of_them_count() {
    let claim = Claim::new();
    claim.write(
        "companies.csv",
        "{\"id\":7,\"land\":\"DE\"}\n{\"id\":7,\"land\":\"FR\"}\n{\"id\":null,\"land\":\"DE\"}\n{\"id\":70,\"land\":\"DE\"}\n",
    );
    let planned = planned(&json!({
        "input": {"format": {"type": "NDJSON"}},
        "output": {"format": {"type": "NDJSON"}},
    }));
    let planned = PlannedEnrichment {
        mapping: [("number", "id"), ("country", "land")]
            .map(|(field, column)| (field.to_owned(), column.into()))
            .into(),
        ..planned
    };
    let file = "rating|country|number\nA|DE|7\nB|DE|\nC|D|E7\n";
    let form = FileForm {
        delimiter: b'|',
        gzip: false,
    };
    let joined = claim.run(&planned, file.as_bytes(), form).expect("joined");
    assert_eq!((joined.enriched, joined.not_matched), (1, 3));
    assert_eq!(
        claim.text("out/result"),
        "{\"land\":\"DE\",\"id\":7,\"rating\":\"A\"}\n"
    );
}

#[test]
fn what_is_wrong_is_told_and_the_output_stays() {
    use FailureClass::{Destination, User};
    let claim = Claim::new();
    let plain = || planned(&json!({}));
    let out = |path: &str| planned(&json!({"output": {"location": {"volume": {"path": path}}}}));
    fs::create_dir(claim.path("out/folder")).expect("made");
    std::os::unix::fs::symlink("/tmp", claim.path("away")).expect("made");
    std::os::unix::fs::symlink(".", claim.path("same")).expect("made");
    let rows: Vec<(PlannedEnrichment, &str, FailureClass, &str)> = vec![
        (plain(), "", Destination, "The provider's file is empty"),
        (
            plain(),
            "site,city\na,b\n",
            User,
            "The provider's file has no columns of these names, which spec.input.mapping names as keys: \"domain\". Its first line names 2 columns.",
        ),
        (
            plain(),
            "domain,city\na,b\nsecret,c\na,d\n",
            User,
            "The provider's file has more than one line for the same key, the second being record 4",
        ),
        (
            plain(),
            "domain,website\na,b\n",
            User,
            "The output would have two columns \"website\"",
        ),
        (
            plain(),
            "domain,city,city\n",
            Destination,
            "The provider's file calls its column 3 as one before it",
        ),
        (
            plain(),
            "domain,city\na\n",
            Destination,
            "The provider's file can't be read at record 2: expected as many",
        ),
        (
            planned(&json!({"mapping": {"domain": "Website"}})),
            FILE,
            User,
            "The mapping names columns that the dataset companies doesn't have: \"Website\". It has 3 others.",
        ),
        (
            planned(&json!({"input": {"where": "color = 'red'"}})),
            FILE,
            User,
            "The condition where on the dataset companies can't be read",
        ),
        (
            out("../result"),
            FILE,
            User,
            "The output dataset results has a path that names no single file",
        ),
        (
            out("out/*.csv"),
            FILE,
            User,
            "The output dataset results has a path that names no single file",
        ),
        (
            out("."),
            FILE,
            User,
            "The output dataset results has a path that names no single file",
        ),
        (
            out("out/folder"),
            FILE,
            User,
            "The output dataset results has the path of a folder",
        ),
        (
            out("away/result"),
            FILE,
            User,
            "The output dataset results has a path, or a link on it, that leads out",
        ),
        (
            out("companies.csv"),
            FILE,
            User,
            "The output dataset results would lie among the files of the input",
        ),
        (
            planned(&json!({
                "input": {"location": {"volume": {"path": "same/companies.csv"}}},
                "output": {"location": {"volume": {"path": "companies.csv"}}},
            })),
            FILE,
            User,
            "The output dataset results would lie among the files of the input",
        ),
        (
            planned(&json!({
                "input": {"location": {"volume": {"path": "same/*.csv"}}},
                "output": {"location": {"volume": {"claimName": "of-the-same-volume", "path": "new.csv"}}},
            })),
            FILE,
            User,
            "The output dataset results would lie among the files of the input",
        ),
        (
            planned(&json!({"output": {"format": {"type": "Parquet", "compression": "Gzip"}}})),
            FILE,
            User,
            "The dataset results is Parquet, which compresses by itself",
        ),
    ];
    for (planned, file, class, message) in rows {
        let failure = claim.refusal(&planned, file);
        assert!(
            failure.message.starts_with(message),
            "{message}: {}",
            failure.message
        );
        let of_the_file = message.contains("provider's file") || message.contains("two columns");
        let persistence = if of_the_file {
            Persistence::Transient // the next time there may be another one
        } else {
            Persistence::Permanent
        };
        assert_eq!(
            (failure.class, failure.persistence),
            (class, persistence),
            "{message}"
        );
        assert!(!failure.message.contains("secret"), "{}", failure.message);
        assert_eq!(claim.text("out/result"), BEFORE, "{message}");
        assert_eq!(claim.beside(), ["folder", "result"], "{message}");
    }
    assert_eq!(claim.text("companies.csv"), INPUT);
}

#[test]
fn an_output_that_gets_no_final_name_goes_and_so_does_what_a_killed_run_left() {
    let claim = Claim::new();
    let mark = format!(
        ".connections-{}-",
        &connection_operator::governance::runs::names::hash(b"result")[..16]
    );
    claim.write(&format!("out/{mark}of-a-killed-run.part"), "half");
    claim.write("out/.connections-of-another-one.part", "half");
    let (draft, _) = claim
        .drafted(&planned(&json!({})), FILE.as_bytes(), COMMA)
        .expect("joined");
    let unfinished = format!("{mark}0123456789abcdef.part");
    let mut names = vec![unfinished.as_str(), ".connections-of-another-one.part", "result"];
    names.sort_unstable();
    assert_eq!(claim.beside(), names);
    drop(draft);
    assert_eq!(claim.beside(), [".connections-of-another-one.part", "result"]);
    assert_eq!(claim.text("out/result"), BEFORE);

    let (draft, _) = claim
        .drafted(&planned(&json!({})), FILE.as_bytes(), COMMA)
        .expect("joined");
    fs::remove_file(claim.path(&format!("out/{unfinished}"))).expect("another run takes it for left");
    let fault = draft.publish(|| {}).expect_err("it is gone");
    assert_eq!(fault.persistence(), Persistence::Transient);
    assert_eq!(claim.text("out/result"), BEFORE);
}

#[test]
fn a_join_that_is_stopped_gives_nothing() {
    let claim = Claim::new();
    let enrichment = Enrichment::open(
        &planned(&json!({})),
        (claim.0.path(), &claim.path("")),
        "0123456789abcdef",
    );
    let file = Cursor::new(FILE.as_bytes().to_vec());
    let joined =
        enrichment
            .expect("it is in order")
            .run(file, COMMA, &Tally::default(), &AtomicBool::new(true));
    assert!(matches!(joined, Err(Ended::Stopped(_))));
    assert_eq!(claim.beside(), ["result"]);
    assert_eq!(claim.text("out/result"), BEFORE);
}

#[test]
fn folders_on_the_way_are_made() {
    let claim = Claim::new();
    let deep = planned(&json!({"output": {"location": {"volume": {"path": "a/b/result.csv"}}}}));
    claim.run(&deep, FILE.as_bytes(), COMMA).expect("joined");
    assert!(
        claim
            .text("a/b/result.csv")
            .starts_with("website,employees,city\n")
    );
}

#[test]
fn a_file_is_as_large_as_the_table_may_be() {
    let keys = ["domain".to_owned()];
    let read = |max: usize| {
        let text = Cursor::new(FILE.as_bytes());
        Table::read(text, (b',', max), keys.iter()).map(|table| table.columns.len())
    };
    // Two lines: their fields, keys and what stands beside those.
    let needed = 5 + (8 + 9) + 10 + 96 + 1 + (8 + 9) + 10 + 96;
    assert_eq!(read(needed), Ok(2));
    assert_eq!(read(needed - 1), Err(FileFault::TooLarge));
}

#[test]
fn a_file_that_ends_early_is_not_taken_for_a_shorter_one() {
    let read = |pieces: &[Option<&str>]| {
        let (sender, receiver) = tokio::sync::mpsc::channel(8);
        for piece in pieces {
            let piece = piece.map(|text| bytes::Bytes::copy_from_slice(text.as_bytes()));
            sender.try_send(piece).expect("there is room");
        }
        drop(sender);
        let mut text = String::new();
        Pieces::new(receiver)
            .read_to_string(&mut text)
            .map(|_| text)
            .map_err(|error| error.kind())
    };
    assert_eq!(
        read(&[Some("a,b\n"), Some("1,2\n"), None]),
        Ok("a,b\n1,2\n".to_owned())
    );
    assert_eq!(read(&[None]), Ok(String::new()));
    assert_eq!(read(&[Some("a,b\n")]), Err(std::io::ErrorKind::UnexpectedEof));
}

#[test]
fn faults_are_sentences() {
    use OutputTrouble::{
        Full, InInput, IsFolder, LeadsOut, NotAllowed, NotOnVolume, NotText, PathRefused, Unwritable,
    };
    let faults = [
        FileFault::Empty,
        FileFault::Broken,
        FileFault::KeyTwice(7),
        FileFault::ColumnTwice(7),
        FileFault::NotText(7),
        FileFault::Width(7),
        FileFault::LineTooLong(7),
        FileFault::TooManyColumns,
        FileFault::TooLarge,
    ];
    for fault in &faults {
        is_fit(fault);
    }
    for fault in [InputFault::NoMapping, InputFault::NotText] {
        is_fit(&fault);
    }
    for trouble in [
        NotOnVolume,
        PathRefused,
        IsFolder,
        InInput,
        LeadsOut,
        Full,
        NotAllowed,
        Unwritable,
        NotText,
    ] {
        let fault = trouble.of_dataset("results");
        is_fit(&fault);
        let passes = matches!(trouble, Full | NotAllowed | Unwritable);
        assert_eq!(
            fault.persistence() == Persistence::Transient,
            passes,
            "{trouble:?}"
        );
    }
    let number = |number| OutputTrouble::of_error(&std::io::Error::from_raw_os_error(number));
    assert_eq!(
        [28, 122, 13, 30, 5].map(number),
        [Full, Full, NotAllowed, NotAllowed, Unwritable]
    );
}
