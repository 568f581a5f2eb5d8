//! `export create`.

use super::ask::{common, dataset, datasets};
use super::{Common, CreateError};
use crate::api::connection_type::UsedFor;
use crate::api::dataset::Role;
use crate::api::export::{Mode, PayloadItem};
use crate::api::reference::{ConnectionRef, DatasetRef};
use crate::api::{Export, ExportSpec};
use crate::plugin::Session;
use crate::plugin::cluster::Cluster;
use crate::plugin::exit::Failure;
use crate::plugin::prompt::{Prompt, PromptError, Question};
use kube::ResourceExt;
use std::collections::BTreeMap;

/// What goes out, over which connection, and when.
#[derive(Clone, Debug, clap::Args)]
pub struct ExportArguments {
    #[command(flatten)]
    pub(super) common: Common,
    /// A dataset, with all columns or those that are named: customers, or customers=email,country. May be given several
    /// times.
    #[arg(long, value_name = "DATASET[=COLUMN,…]")]
    dataset: Vec<String>,
    /// Which rows of a dataset, as an SQL condition.
    #[arg(long = "where", value_name = "DATASET=CONDITION")]
    rows: Vec<String>,
    /// Send only rows that changed since the last good run, and keep what was sent in this dataset of role State.
    #[arg(long, value_name = "DATASET")]
    state: Option<String>,
    /// Where rows go that the destination refuses: a dataset of role Rejects.
    #[arg(long, value_name = "DATASET")]
    rejects: Option<String>,
}

/// The export, asked for where it isn't said.
pub(super) async fn of(
    asked: &ExportArguments,
    session: &Session,
    cluster: &Cluster,
) -> Result<Export, Failure> {
    let mut payload = payload(&asked.dataset, &asked.rows)?;
    let chosen = common(&asked.common, session, cluster, UsedFor::Export).await?;
    if payload.is_empty() {
        payload = asked_for(session.prompt.as_ref(), cluster).await?;
    }
    let dataset = |name: &Option<String>| name.as_deref().map(|name| DatasetRef { dataset: name.into() });
    let spec = ExportSpec {
        display_name: chosen.display_name,
        connection_ref: Some(ConnectionRef {
            name: chosen.connection.as_str().into(),
        }),
        payload,
        parameters: chosen.parameters,
        schedule: chosen.schedule,
        mode: asked.state.is_some().then_some(Mode::Incremental),
        rejects: dataset(&asked.rejects),
        state: dataset(&asked.state),
        suspend: false,
    };
    let mut export = Export::new(&chosen.name, spec);
    export.metadata.namespace = Some(cluster.namespace.clone());
    Ok(export)
}

/// What flags say goes out.
pub(super) fn payload(datasets: &[String], rows: &[String]) -> Result<Vec<PayloadItem>, CreateError> {
    let mut payload: Vec<PayloadItem> = datasets.iter().map(|text| item(text)).collect();
    for row in rows {
        let flag = |told: String| CreateError::Flag { told };
        let (dataset, condition) = row.split_once('=').ok_or_else(|| {
            flag("--where is given as DATASET=CONDITION, such as --where customers=country='FR'.".to_owned())
        })?;
        let item = payload.iter_mut().find(|item| item.dataset.as_str() == dataset);
        let item = item.ok_or_else(|| {
            flag(format!(
                "--where is about {dataset:?}, which no --dataset names: name it there too."
            ))
        })?;
        item.where_ = Some(condition.to_owned());
    }
    Ok(payload)
}

fn item(text: &str) -> PayloadItem {
    let (dataset, columns) = text.split_once('=').unwrap_or((text, ""));
    PayloadItem {
        dataset: dataset.into(),
        columns: columns_of(columns),
        where_: None,
        rename: BTreeMap::new(),
    }
}

fn columns_of(text: &str) -> Vec<crate::api::reference::ColumnName> {
    let columns = text.split(',').map(str::trim).filter(|column| !column.is_empty());
    columns.map(Into::into).collect()
}

async fn asked_for(prompt: &dyn Prompt, cluster: &Cluster) -> Result<Vec<PayloadItem>, Failure> {
    let found = datasets(cluster).await?;
    let sent = found
        .iter()
        .filter(|dataset| matches!(dataset.spec.role.unwrap_or_default(), Role::Source | Role::Output));
    let names: Vec<String> = sent.map(ResourceExt::name_any).collect();
    let mut left = names;
    let mut payload = Vec::new();
    loop {
        let ask = if payload.is_empty() {
            "Which dataset goes out?"
        } else {
            "Which else?"
        };
        let mut options = left.clone();
        if !payload.is_empty() {
            options.insert(0, "No other".to_owned());
        }
        let name = dataset(prompt, ask, "--dataset DATASET", cluster, &options)?;
        if !left.contains(&name) {
            return Ok(payload);
        }
        left.retain(|other| *other != name);
        payload.push(details(prompt, &name)?);
        if left.is_empty() {
            return Ok(payload);
        }
    }
}

fn details(prompt: &dyn Prompt, name: &str) -> Result<PayloadItem, PromptError> {
    let question = Question {
        text: &format!("Which columns of {name}?"),
        help: Some("with commas between them; nothing for all"),
        flag: "--dataset DATASET=COLUMN,…",
    };
    let columns = prompt.text(question, &|_| Ok(()))?;
    let question = Question {
        text: &format!("Which rows of {name}?"),
        help: Some("an SQL condition, such as country = 'FR'; nothing for all"),
        flag: "--where DATASET=CONDITION",
    };
    let rows = prompt.text(question, &|_| Ok(()))?;
    Ok(PayloadItem {
        dataset: name.into(),
        columns: columns_of(&columns),
        where_: Some(rows).filter(|rows| !rows.trim().is_empty()),
        rename: BTreeMap::new(),
    })
}
