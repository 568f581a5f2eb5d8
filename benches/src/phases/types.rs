//! Connection types: how long one check takes, and what a type costs that changes in nothing that matters.

use super::{Bench, QUIET};
use crate::Outcome;
use crate::audit::Request;
use crate::measures::{count, median, unsettled};
use crate::operator::Operator;
use crate::report::Must::AtMost;
use crate::report::Report;
use crate::world::TYPE;
use connection_operator::api::{Connection, ConnectionType};
use connection_operator::connection_type::catalog;
use connection_operator::governance::parameters::CompiledType;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::json;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

/// Rounds over all connections of the examples, and checks of each.
const ROUNDS: usize = 51;
const CHECKS: u32 = 200;
/// Between two looks at whether all was visited.
const LOOK: Duration = Duration::from_millis(100);

/// Checks the example connection of every type of the catalog; the slowest type counts.
pub fn checking(report: &mut Report) -> Outcome<()> {
    println!("== checking a connection against its type");
    let mut slowest = (0.0, String::new());
    for type_ in catalog::connection_types()? {
        let name = type_.name_any();
        let compiled = CompiledType::compile(&name, &type_.spec).map_err(|problems| problems.join(" "))?;
        let connection = example(&name)?;
        let mut took: Vec<f64> = (0..ROUNDS).map(|_| once(&compiled, &connection)).collect();
        let took = median(&mut took);
        if took > slowest.0 {
            slowest = (took, name);
        }
    }
    report.row(
        "checking one connection against a compiled type, µs",
        AtMost(50.0),
        slowest.0,
        "parameters and secrets of the example connection of each type of the catalog; the median of 51 rounds of 200 checks, for the type that takes longest",
    );
    report.keep("checking", json!({"slowest": slowest.1}));
    Ok(())
}

/// Microseconds of one check.
fn once(type_: &CompiledType, connection: &Connection) -> f64 {
    let spec = &connection.spec;
    let started = Instant::now();
    for _ in 0..CHECKS {
        black_box(type_.connection_problems(black_box(&spec.parameters), &spec.fixed_export_parameters));
        black_box(type_.secret_problems(black_box(&spec.secrets)));
    }
    started.elapsed().as_secs_f64() * 1e6 / f64::from(CHECKS)
}

fn example(type_: &str) -> Outcome<Connection> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/catalog");
    let text = std::fs::read_to_string(folder.join(format!("{type_}.yaml")))?;
    let documents: Vec<serde_json::Value> = serde_saphyr::from_multiple(&text)?;
    let connection = documents
        .into_iter()
        .find(|document| document["kind"] == "Connection");
    Ok(serde_json::from_value(
        connection.ok_or("no connection in the example")?,
    )?)
}

impl Bench {
    /// The type of all connections changes in a word that nobody is judged by.
    pub(super) async fn reworded(&self, report: &mut Report) -> Outcome<()> {
        println!("== the type reworded");
        let mut audit = self.audit(&self.operator)?;
        let operator = Operator::start(&self.setup, &[]).await?;
        audit.until_quiet(QUIET, unsettled, 1).await?;
        let before = operator.visits("Connection").await?;
        let types: Api<ConnectionType> = Api::all(self.admin.clone());
        let change = Patch::Merge(json!({"spec": {"description": "Writes files to a server."}}));
        types.patch(TYPE, &PatchParams::default(), &change).await?;
        let all = u32::try_from(self.scale.connections())?;
        while operator.visits("Connection").await? < before + f64::from(all) {
            tokio::time::sleep(LOOK).await; // no request of the operator tells that it looked
        }
        let requests = audit.until_quiet(QUIET, unsettled, 1).await?;
        let elsewhere =
            |request: &Request| unsettled(request) && !request.object.starts_with("connectiontypes/");
        report.row(
            "all connections looked at again after a type changed in nothing that matters: requests",
            AtMost(0.0),
            count(&requests, elsewhere),
            "by the audit log, after the type got another description and until every connection was visited again by the operator's own count; the type's own status excepted",
        );
        Ok(())
    }
}
