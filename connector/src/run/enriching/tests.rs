use super::*;
use crate::fault::Stop;
use crate::fixtures;
use crate::guard::NoAnswer;
use serde_json::json;
use std::fs;
use std::io::Cursor;
use std::path::Path;

/// What the connection is like when it's asked for.
#[derive(Clone)]
struct Found(Option<Connection>);

impl Reads for Found {
    async fn connection(&self) -> Result<Option<Connection>, NoAnswer> {
        Ok(self.0.clone())
    }
}

/// A whole output below this folder that has no final name yet.
fn drafted(folder: &Path) -> (Draft, Joined) {
    fs::create_dir_all(folder.join("lake/out")).expect("made");
    fs::write(folder.join("lake/companies.csv"), "website\na.example\n").expect("written");
    fs::write(folder.join("lake/out/result"), "of yesterday").expect("written");
    let at = |path: &str| json!({"volume": {"claimName": "lake", "path": path}});
    let planned = serde_json::from_value(json!({
        "input": {"dataset": "companies", "location": at("companies.csv"), "format": {"type": "CSV"}},
        "mapping": {"domain": "website"},
        "output": {"dataset": "results", "location": at("out/result"), "format": {"type": "CSV"}},
    }));
    let planned: PlannedEnrichment = planned.expect("a plan's enrichment");
    let enrichment = Enrichment::open(&planned, (folder, &folder.join("lake")), "1").expect("in order");
    let form = FileForm {
        delimiter: b',',
        gzip: false,
    };
    let file = Cursor::new("domain,city\na.example,Ulm\n");
    let stopped = AtomicBool::new(false);
    enrichment
        .run(file, form, &Tally::default(), &stopped)
        .expect("joined")
}

#[tokio::test]
async fn a_whole_output_gets_its_place_only_if_data_may_still_come() {
    let rows = [
        (
            Some(fixtures::connection()),
            Ok(()),
            "website,city\na.example,Ulm\n",
        ),
        (None, Err(Ended::Stopped(Stop::Gone)), "of yesterday"),
    ];
    for (found, expected, stands) in rows {
        let folder = tempfile::tempdir().expect("a folder");
        let draft = drafted(folder.path());
        let guard = Guard::new(Found(found), Arc::new(fixtures::plan()));
        let mut work = Work::default();
        let ended = work.publish(&guard, draft, &Tally::default()).await;
        assert_eq!(ended, expected);
        let out = folder.path().join("lake/out");
        assert_eq!(
            fs::read_to_string(out.join("result")).expect("it is there"),
            stands
        );
        assert_eq!(
            fs::read_dir(&out).expect("a folder").count(),
            1,
            "nothing half-done is left"
        );
    }
}
