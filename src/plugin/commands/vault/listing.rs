//! `vault list`: the links, and what may be named of one.

use crate::api::{ConditionType, KeyVault};
use crate::governance::conditions;
use crate::plugin::Session;
use crate::plugin::exit::{Exit, Failure};
use crate::plugin::lookup::find;
use crate::plugin::screen::format::{Put, for_programs, without_managed_fields};
use crate::plugin::screen::table::{self, Cell, Heading};
use crate::plugin::screen::{Format, Screen, Tone};
use crate::plugin::target::{Kind, Target};
use kube::ResourceExt;
use serde_json::Value;

/// Which link.
#[derive(Clone, Debug, clap::Args)]
pub struct Listing {
    /// The key vault; all if absent.
    #[arg(value_name = "NAME")]
    target: Option<Target>,
    /// The form of the output: json, yaml, name or jsonpath=TEMPLATE.
    #[arg(short, long, value_name = "FORM", value_parser = for_programs)]
    output: Option<Format>,
}

const LINKS: [&str; 6] = ["NAME", "PROVIDER", "ADDRESS", "READY", "REASON", "IN USE"];
const SECRETS: [&str; 3] = ["SECRET", "ENABLED", "EXPIRES"];

/// Shows them.
pub(super) async fn run(asked: Listing, session: &Session) -> Result<Exit, Failure> {
    let cluster = session.cluster().await?;
    let format = asked.output.unwrap_or_default();
    if let Some(target) = &asked.target {
        target.kind(&[Kind::KeyVault])?;
        let vault: KeyVault = find(&cluster, &target.name).await?;
        let object = without_managed_fields(serde_json::to_value(&vault).unwrap_or_default());
        let shown = format
            .of(Put::One(&object))
            .unwrap_or_else(|| one(&vault, session.screen));
        session.show(&shown);
        return Ok(Exit::Done);
    }
    let here = cluster.here();
    let mut vaults = cluster.list::<KeyVault, KeyVault>(&here).await?;
    vaults.sort_by_key(ResourceExt::name_any);
    let objects: Vec<Value> = vaults
        .iter()
        .map(|vault| without_managed_fields(serde_json::to_value(vault).unwrap_or_default()))
        .collect();
    if let Some(shown) = format.of(Put::Many(&objects)) {
        session.show(&shown);
    } else if vaults.is_empty() {
        session.note("No vault is linked here. To link one: kubectl connections vault link");
    } else {
        session.show(&table(
            &LINKS,
            &vaults.iter().map(row).collect::<Vec<_>>(),
            session.screen,
        ));
    }
    Ok(Exit::Done)
}

fn table(titles: &[&'static str], rows: &[Vec<Cell>], screen: Screen) -> String {
    let headings: Vec<Heading> = titles
        .iter()
        .map(|&title| Heading::new(title, title == "ADDRESS" || title == "REASON"))
        .collect();
    table::table(&headings, rows, screen)
}

fn row(vault: &KeyVault) -> Vec<Cell> {
    let status = vault.status.as_ref();
    let ready = status.and_then(|status| conditions::find(&status.conditions, ConditionType::Ready));
    let used = status.and_then(|status| status.dependents.as_ref());
    vec![
        Cell::new(vault.name_any()),
        Cell::new(vault.spec.provider()),
        Cell::new(vault.spec.address()),
        Cell::new(ready.map_or_else(String::new, |ready| format!("{:?}", ready.status))),
        Cell::new(ready.map_or("", |ready| ready.reason.as_str())),
        Cell::new(used.map_or_else(String::new, |used| used.total.to_string())),
    ]
}

/// The page about one: how it stands, what may be named, and by whom it's used.
fn one(vault: &KeyVault, screen: Screen) -> String {
    let status = vault.status.as_ref();
    let ready = status.and_then(|status| conditions::find(&status.conditions, ConditionType::Ready));
    let name = Tone::Heading.paint(&vault.name_any(), screen.colour);
    let ready = ready.map_or_else(
        || "not looked at yet".to_owned(),
        |ready| format!("{:?}, {}: {}", ready.status, ready.reason, ready.message),
    );
    let used = status.and_then(|status| status.dependents.as_ref());
    let used = match used {
        Some(used) if used.total > 0 => used.summary.clone(),
        _ => "nothing".to_owned(),
    };
    let secrets = status.map(|status| &*status.secrets).unwrap_or_default();
    let rows: Vec<Vec<Cell>> = secrets
        .iter()
        .map(|secret| {
            let enabled = secret
                .enabled
                .map_or_else(String::new, |enabled| enabled.to_string());
            let expires = secret
                .expires
                .as_ref()
                .map_or_else(String::new, |time| time.0.to_string());
            vec![Cell::new(&*secret.name), Cell::new(enabled), Cell::new(expires)]
        })
        .collect();
    let listed = if rows.is_empty() {
        "It lists no secret; those that it holds can be named all the same.\n".to_owned()
    } else {
        table(&SECRETS, &rows, screen)
    };
    format!(
        "{name}  {}\n\nReady    {ready}\nUsed by  {used}\n\n{listed}",
        vault.spec.address()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_link_shows_what_may_be_named_and_who_uses_it() {
        let vault: KeyVault = serde_json::from_value(json!({
            "apiVersion": "connections.dev/v1alpha1", "kind": "KeyVault", "metadata": {"name": "company"},
            "spec": {"vault": {"address": "https://v.example/", "mount": "kv", "auth": {"kubernetes": {"role": "r"}}}},
            "status": {"conditions": [], "dependents": {"connections": 1, "datasets": 0, "total": 1, "summary": "1 connection (a)"},
                       "secrets": [{"name": "crm/marketo"}, {"name": "login", "enabled": true}]},
        }))
        .expect("a key vault");
        let expected = "company  https://v.example

Ready    not looked at yet
Used by  1 connection (a)

SECRET        ENABLED   EXPIRES
crm/marketo
login         true
";
        assert_eq!(one(&vault, Screen::default()), expected);
    }
}
