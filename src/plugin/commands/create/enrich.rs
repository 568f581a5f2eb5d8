//! `enrich create`.

use super::ask::{common, dataset, datasets};
use super::{Common, CreateError};
use crate::api::connection_type::UsedFor;
use crate::api::dataset::Role;
use crate::api::enrichment::EnrichmentInput;
use crate::api::reference::{ColumnName, ConnectionRef, DatasetRef};
use crate::api::{Enrichment, EnrichmentSpec};
use crate::plugin::Session;
use crate::plugin::cluster::Cluster;
use crate::plugin::commands::made::pairs;
use crate::plugin::exit::Failure;
use crate::plugin::prompt::{Prompt, Question};
use kube::ResourceExt;
use std::collections::BTreeMap;

/// What is enriched, over which connection, into which dataset, and when.
#[derive(Clone, Debug, clap::Args)]
pub struct Enrich {
    #[command(flatten)]
    pub(super) common: Common,
    /// The dataset that is enriched. It is never changed.
    #[arg(long, value_name = "DATASET")]
    input: Option<String>,
    /// Which of its rows, as an SQL condition; all if absent.
    #[arg(long = "where", value_name = "CONDITION")]
    rows: Option<String>,
    /// Which column the service gets for a field of its own; may be given several times.
    #[arg(long, value_name = "FIELD=COLUMN")]
    map: Vec<String>,
    /// The dataset of role Output that the results go to.
    #[arg(long = "into", value_name = "DATASET")]
    output_dataset: Option<String>,
}

/// The enrichment, asked for where it isn't said.
pub(super) async fn of(asked: &Enrich, session: &Session, cluster: &Cluster) -> Result<Enrichment, Failure> {
    let said = pairs("--map", &asked.map)?;
    let chosen = common(&asked.common, session, cluster, UsedFor::Enrichment).await?;
    let (input, output) = tables(asked, session.prompt.as_ref(), cluster).await?;
    let mapping = if said.is_empty() && session.asks {
        mapping(session.prompt.as_ref())?
    } else {
        said.into_iter()
            .map(|(field, column)| (field, column.as_str().into()))
            .collect()
    };
    let spec = EnrichmentSpec {
        display_name: chosen.display_name,
        connection_ref: Some(ConnectionRef {
            name: chosen.connection.as_str().into(),
        }),
        input: EnrichmentInput {
            dataset: input.as_str().into(),
            where_: asked.rows.clone(),
            mapping,
        },
        output: DatasetRef {
            dataset: output.as_str().into(),
        },
        parameters: chosen.parameters,
        schedule: chosen.schedule,
        suspend: false,
    };
    let mut enrichment = Enrichment::new(&chosen.name, spec);
    enrichment.metadata.namespace = Some(cluster.namespace.clone());
    Ok(enrichment)
}

/// What is read, and what is written.
async fn tables(asked: &Enrich, prompt: &dyn Prompt, cluster: &Cluster) -> Result<(String, String), Failure> {
    let found = match (&asked.input, &asked.output_dataset) {
        (Some(_), Some(_)) => Vec::new(),
        _ => datasets(cluster).await?,
    };
    let those = |role: fn(Role) -> bool| -> Vec<String> {
        let those = found
            .iter()
            .filter(|dataset| role(dataset.spec.role.unwrap_or_default()));
        those.map(ResourceExt::name_any).collect()
    };
    let one_of = |said: &Option<String>, ask: &str, flag: &str, names: &[String]| match said {
        Some(said) => Ok(said.clone()),
        None => dataset(prompt, ask, flag, cluster, names),
    };
    let read_from = those(|role| matches!(role, Role::Source | Role::Output));
    let input = one_of(
        &asked.input,
        "Which dataset is enriched?",
        "--input DATASET",
        &read_from,
    )?;
    let mut written = those(|role| role == Role::Output);
    written.retain(|name| *name != input); // the input is never changed
    let output = one_of(
        &asked.output_dataset,
        "Where do the results go?",
        "--into DATASET",
        &written,
    )?;
    Ok((input, output))
}

fn mapping(prompt: &dyn Prompt) -> Result<BTreeMap<String, ColumnName>, Failure> {
    let question = Question {
        text: "Which columns does the service get?",
        help: Some("as FIELD=COLUMN, with commas between them, such as email=email"),
        flag: "--map FIELD=COLUMN",
    };
    let check = |text: &str| read(text).map(|_| ()).map_err(|error| error.to_string());
    Ok(read(&prompt.text(question, &check)?)?)
}

/// Fields and columns, with commas between the pairs.
pub(super) fn read(text: &str) -> Result<BTreeMap<String, ColumnName>, CreateError> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let pairs = parts.map(|part| {
        part.split_once('=').ok_or_else(|| CreateError::Flag {
            told: "Write FIELD=COLUMN, with commas between them, such as email=email, phone=mobile."
                .to_owned(),
        })
    });
    pairs
        .map(|pair| pair.map(|(field, column)| (field.trim().to_owned(), column.trim().into())))
        .collect()
}
