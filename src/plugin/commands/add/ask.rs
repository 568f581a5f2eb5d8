//! What flags leave open is asked for; where there is nobody to ask, the flag is named.

use super::draft::{check_display_name, check_name, name_for};
use super::sources::{in_vault, of_secret, read, without_line_end};
use super::{AddError, Draft};
use crate::api::KeyVault;
use crate::api::connection_type::{SecretSlot, Support};
use crate::governance::message::{bounded, explanation};
use crate::plugin::Session;
use crate::plugin::cluster::Cluster;
use crate::plugin::commands::made::value;
use crate::plugin::exit::Failure;
use crate::plugin::prompt::{Prompt, PromptError, Question};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::core::PartialObjectMeta;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// What is there to choose secrets from.
#[derive(Clone, Debug, Default)]
pub struct Stock {
    /// Secrets of the namespace, each with its keys, without a value.
    pub secrets: Vec<String>,
    /// Linked vaults, each with the secrets that may be named.
    pub vaults: BTreeMap<String, Vec<String>>,
}

/// Asks for all that is missing.
pub async fn missing(
    draft: &mut Draft,
    session: &Session,
    cluster: &Cluster,
    share_said: bool,
) -> Result<(), Failure> {
    let prompt = session.prompt.as_ref();
    called(draft, prompt)?;
    parameters(draft, prompt, session.asks)?;
    let may_ask = session.asks && !draft.optional().is_empty();
    if may_ask || !draft.wanted().is_empty() {
        let stock = stock(cluster, draft).await?;
        secrets(draft, prompt, &stock)?;
        if session.asks {
            optional_secrets(draft, prompt, &stock)?;
        }
    }
    let own = own_secret(draft, cluster).await?;
    draft.keep_typed(&own);
    if draft.can_be_shared() && !share_said && session.asks {
        draft.shared = shared(prompt)?;
    }
    Ok(())
}

fn called(draft: &mut Draft, prompt: &dyn Prompt) -> Result<(), Failure> {
    if draft.display_name.is_none() {
        let question = Question {
            text: "What do people call it?",
            help: Some("tell purpose and target, such as Nightly partner drop"),
            flag: "--display-name TEXT",
        };
        draft.display_name = Some(prompt.text(question, &check_display_name)?);
    }
    if draft.name.is_none() {
        let proposed = name_for(draft.display_name.as_deref().unwrap_or_default());
        let question = Question {
            text: "What is it called in the cluster?",
            help: Some(&format!(
                "small letters, digits and dashes; nothing for {proposed}"
            )),
            flag: "NAME, after the type",
        };
        let check = |name: &str| {
            if name.is_empty() && !proposed.is_empty() {
                Ok(())
            } else {
                check_name(name)
            }
        };
        let name = prompt.text(question, &check)?;
        draft.name = Some(if name.is_empty() { proposed } else { name });
    }
    Ok(())
}

/// Those that the type can't do without; at a terminal also those that may be left out.
pub fn parameters(draft: &mut Draft, prompt: &dyn Prompt, asks: bool) -> Result<(), PromptError> {
    let declared = draft.type_.spec.parameters.clone();
    for parameter in &declared {
        let name = parameter.name.as_str();
        if draft.parameters.contains_key(name) || !(parameter.required || asks) {
            continue;
        }
        let problem = |text: &str| draft.type_.problem(name, text);
        if let Some(value) = value(prompt, parameter, &problem)? {
            draft.parameters.insert(name.to_owned(), value);
        }
    }
    Ok(())
}

async fn stock(cluster: &Cluster, draft: &Draft) -> Result<Stock, Failure> {
    let here = cluster.here();
    let mut stock = Stock::default();
    match cluster.metadata::<Secret>(&here).await {
        Ok(secrets) => stock.secrets = secrets.iter().map(PartialObjectMeta::name_any).collect(),
        Err(error) if error.is_forbidden() => {}
        Err(error) => return Err(error.into()),
    }
    if draft.type_.spec.key_vault == Support::Supported {
        let vaults = match cluster.list::<KeyVault, KeyVault>(&here).await {
            Err(error) if error.is_forbidden() => Vec::new(),
            vaults => vaults?,
        };
        for vault in vaults {
            let listed = vault
                .status
                .as_ref()
                .map(|status| &*status.secrets)
                .unwrap_or_default();
            let names = listed.iter().map(|secret| secret.name.clone()).collect();
            stock.vaults.insert(vault.name_any(), names);
        }
    }
    Ok(stock)
}

/// One source for each secret that is wanted.
pub fn secrets(draft: &mut Draft, prompt: &dyn Prompt, stock: &Stock) -> Result<(), Failure> {
    for group in draft.wanted() {
        let Some(slot) = which(prompt, &group)? else {
            continue;
        };
        source(draft, prompt, stock, slot)?;
    }
    Ok(())
}

/// Those that may be left out, until no other is wanted.
pub fn optional_secrets(draft: &mut Draft, prompt: &dyn Prompt, stock: &Stock) -> Result<(), Failure> {
    loop {
        let optional = draft.optional();
        if optional.is_empty() {
            return Ok(());
        }
        let options: Vec<String> = std::iter::once("no".to_owned())
            .chain(optional.iter().map(described))
            .collect();
        let question = Question {
            text: "Does it have another secret?",
            help: None,
            flag: "--secret, --secret-file or --vault-secret",
        };
        let chosen = prompt.choose(question, &options)?;
        let Some(slot) = chosen.checked_sub(1).and_then(|at| optional.get(at)) else {
            return Ok(());
        };
        source(draft, prompt, stock, slot)?;
    }
}

/// A secret as it's offered.
fn described(slot: &SecretSlot) -> String {
    format!("{}: {}", slot.name, explanation(&slot.description))
}

fn which<'a>(prompt: &dyn Prompt, group: &'a [SecretSlot]) -> Result<Option<&'a SecretSlot>, PromptError> {
    if group.len() < 2 {
        return Ok(group.first());
    }
    let options: Vec<String> = group.iter().map(described).collect();
    let names: Vec<&str> = group.iter().map(|slot| slot.name.as_str()).collect();
    let question = Question {
        text: &format!("By which of {}?", names.join(" and ")),
        help: None,
        flag: &flags(names.first().copied().unwrap_or_default()),
    };
    Ok(group.get(prompt.choose(question, &options)?))
}

fn flags(slot: &str) -> String {
    format!("--secret {slot}=SECRET/KEY, --secret-file {slot}=FILE or --vault-secret {slot}=KEYVAULT/SECRET")
}

/// The ways by which a secret may come.
enum Way {
    There,
    Typed,
    File,
    Vault(String),
}

fn source(draft: &mut Draft, prompt: &dyn Prompt, stock: &Stock, slot: &SecretSlot) -> Result<(), Failure> {
    let name = slot.name.as_str();
    let mut ways = vec![
        ("a new Secret: I type it, hidden".to_owned(), Way::Typed),
        ("a new Secret: from a file".to_owned(), Way::File),
    ];
    if !stock.secrets.is_empty() {
        ways.insert(0, ("a Secret that is there".to_owned(), Way::There));
    }
    let vaults = stock.vaults.keys();
    ways.extend(vaults.map(|vault| (format!("the vault {vault}"), Way::Vault(vault.clone()))));
    let options: Vec<String> = ways.iter().map(|(text, _)| text.clone()).collect();
    let flag = flags(name);
    let question = Question {
        text: &format!("{name}: where does it come from?"),
        help: Some(&explanation(&slot.description)),
        flag: &flag,
    };
    let chosen = prompt.choose(question, &options)?;
    match ways.into_iter().nth(chosen).map(|(_, way)| way) {
        Some(Way::There) => {
            let found = of_those(prompt, "Which Secret?", &stock.secrets, &flag)?;
            let key = text(prompt, "Under which key?", &format!("nothing for {name}"), &flag)?;
            let key = if key.is_empty() { name.to_owned() } else { key };
            draft.secrets.insert(name.to_owned(), of_secret(&found, &key));
        }
        Some(Way::Vault(vault)) => {
            let known = stock.vaults.get(&vault).cloned().unwrap_or_default();
            let secret = if known.is_empty() {
                text(prompt, "Which secret of it?", "its name in the vault", &flag)?
            } else {
                of_those(prompt, "Which secret of it?", &known, &flag)?
            };
            let key = text(
                prompt,
                "Under which key?",
                "nothing if the secret has one value",
                &flag,
            )?;
            let key = Some(key.as_str()).filter(|key| !key.is_empty());
            draft
                .secrets
                .insert(name.to_owned(), in_vault(&vault, &secret, key));
        }
        Some(Way::File) => {
            let file = text(prompt, "Which file?", "its path", &flag)?;
            draft.typed.insert(name.to_owned(), read(&file)?);
        }
        Some(Way::Typed) | None => {
            let typed = hidden(prompt, name, &flag)?;
            draft.typed.insert(name.to_owned(), typed);
        }
    }
    Ok(())
}

fn hidden(prompt: &dyn Prompt, name: &str, flag: &str) -> Result<Zeroizing<String>, Failure> {
    let question = Question {
        text: name,
        help: None,
        flag,
    };
    let typed = prompt.hidden(question).map_err(|error| match error {
        PromptError::Unfit { why } => Failure::from(AddError::flag(format!(
            "{why}: use --secret-file {name}=FILE. Nothing has been made."
        ))),
        error => error.into(),
    })?;
    let empty = || AddError::flag(format!("{name} can't be empty. Nothing has been made."));
    Ok(without_line_end(typed).ok_or_else(empty)?)
}

fn of_those(prompt: &dyn Prompt, ask: &str, known: &[String], flag: &str) -> Result<String, PromptError> {
    let question = Question {
        text: ask,
        help: Some("type to filter"),
        flag,
    };
    let shown: Vec<String> = known.iter().map(|name| bounded(name.clone())).collect();
    let chosen = prompt.choose(question, &shown)?;
    Ok(known.get(chosen).cloned().unwrap_or_default())
}

fn text(prompt: &dyn Prompt, ask: &str, help: &str, flag: &str) -> Result<String, PromptError> {
    let question = Question {
        text: ask,
        help: Some(help),
        flag,
    };
    prompt.text(question, &|_| Ok(()))
}

/// What a Secret of its own is called: like the connection, unless something else is.
async fn own_secret(draft: &Draft, cluster: &Cluster) -> Result<String, Failure> {
    let name = draft.name.clone().unwrap_or_default();
    if draft.typed.is_empty() {
        return Ok(name);
    }
    let here = cluster.here();
    let taken = match cluster.metadata::<Secret>(&here).await {
        Err(error) if error.is_forbidden() => Vec::new(),
        secrets => secrets?
            .iter()
            .map(PartialObjectMeta::name_any)
            .collect::<Vec<_>>(),
    };
    let mut names = std::iter::once(name.clone()).chain((2..).map(|n| format!("{name}-{n}")));
    Ok(names.find(|name| !taken.contains(name)).unwrap_or(name))
}

fn shared(prompt: &dyn Prompt) -> Result<bool, PromptError> {
    let options = [
        "administrators alone".to_owned(),
        "all contributors of the namespace too".to_owned(),
    ];
    let question = Question {
        text: "Who may make exports on it?",
        help: None,
        flag: "--share",
    };
    Ok(prompt.choose(question, &options)? == 1)
}
