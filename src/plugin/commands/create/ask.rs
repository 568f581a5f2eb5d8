//! What both kinds are asked for.

use super::{Chosen, Common, CreateError, schedule};
use crate::api::connection_type::UsedFor;
use crate::api::{ConnectionType, Dataset};
use crate::governance::message::sentences;
use crate::governance::parameters::CompiledType;
use crate::plugin::Session;
use crate::plugin::cluster::Cluster;
use crate::plugin::commands::add::{check_display_name, check_name, name_for};
use crate::plugin::commands::made::{pairs, value};
use crate::plugin::exit::Failure;
use crate::plugin::offered::{Offer, choose, offered};
use crate::plugin::prompt::{Prompt, PromptError, Question};
use kube::{Api, ResourceExt};

/// Asks for the connection, the names, what its type lets choose, and when.
pub(super) async fn common(
    asked: &Common,
    session: &Session,
    cluster: &Cluster,
    used_for: UsedFor,
) -> Result<Chosen, Failure> {
    let prompt = session.prompt.as_ref();
    let mut chosen = Chosen {
        parameters: pairs("--set", &asked.set)?,
        ..Chosen::default()
    };
    let offers = offered(cluster, used_for).await;
    chosen.connection = match &asked.connection {
        Some(connection) => connection.clone(),
        None => choose(
            session,
            offers.as_ref().map_err(Clone::clone)?,
            "--connection CONNECTION",
        )?,
    };
    let offer = offers
        .iter()
        .flatten()
        .find(|offer| offer.name == chosen.connection);
    (chosen.display_name, chosen.name) = called(asked, prompt)?;
    if let Some(type_) = type_of(cluster, offer).await? {
        parameters(&mut chosen, prompt, &type_, session.asks)?;
    }
    chosen.schedule = when(asked, session, prompt)?;
    Ok(chosen)
}

fn called(asked: &Common, prompt: &dyn Prompt) -> Result<(String, String), PromptError> {
    let display_name = if let Some(text) = &asked.display_name {
        text.clone()
    } else {
        let question = Question {
            text: "What do people call it?",
            help: Some("such as Customers, every night"),
            flag: "--display-name TEXT",
        };
        prompt.text(question, &check_display_name)?
    };
    if let Some(name) = &asked.name {
        return Ok((display_name, name.clone()));
    }
    let proposed = name_for(&display_name);
    let question = Question {
        text: "What is it called in the cluster?",
        help: Some(&format!(
            "small letters, digits and dashes; nothing for {proposed}"
        )),
        flag: "NAME, after create",
    };
    let check = |name: &str| {
        if name.is_empty() && !proposed.is_empty() {
            Ok(())
        } else {
            check_name(name)
        }
    };
    let name = prompt.text(question, &check)?;
    Ok((display_name, if name.is_empty() { proposed } else { name }))
}

/// The type of what is offered, if it can be read.
async fn type_of(cluster: &Cluster, offer: Option<&Offer>) -> Result<Option<CompiledType>, Failure> {
    let Some(offer) = offer else {
        return Ok(None); // whether there is such a connection is for the API server to say
    };
    let types: Api<ConnectionType> = Api::all(cluster.client.clone());
    let found = match cluster.answer(types.get_opt(&offer.type_)).await {
        Err(error) if error.is_forbidden() => None,
        found => found?,
    };
    Ok(found.and_then(|found| CompiledType::compile(&offer.type_, &found.spec).ok()))
}

/// What the type demands; at a terminal also what it offers.
pub(super) fn parameters(
    chosen: &mut Chosen,
    prompt: &dyn Prompt,
    type_: &CompiledType,
    asks: bool,
) -> Result<(), Failure> {
    for parameter in &type_.spec.export_parameters {
        let name = parameter.name.as_str();
        if chosen.parameters.contains_key(name) || !(parameter.required || asks) {
            continue;
        }
        let problem = |text: &str| type_.choice_problem(name, text);
        if let Some(value) = value(prompt, parameter, &problem)? {
            chosen.parameters.insert(name.to_owned(), value);
        }
    }
    let wrong: Vec<String> = chosen
        .parameters
        .iter()
        .filter_map(|(name, value)| type_.choice_problem(name, value))
        .collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        let told = sentences(&wrong);
        Err(CreateError::Flag { told }.into())
    }
}

fn when(
    asked: &Common,
    session: &Session,
    prompt: &dyn Prompt,
) -> Result<Option<crate::api::export::Schedule>, Failure> {
    if asked.cron.is_some() || !session.asks {
        let cron = asked.cron.as_deref().unwrap_or_default();
        return Ok(schedule(cron, asked.time_zone.as_deref())?);
    }
    let question = Question {
        text: "When does it run?",
        help: Some("five fields of cron in UTC, such as 0 6 * * *; nothing for on request only"),
        flag: "--cron",
    };
    let check = |text: &str| {
        schedule(text, None)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    let cron = prompt.text(question, &check)?;
    Ok(schedule(&cron, None)?)
}

/// The datasets that are there.
pub(super) async fn datasets(cluster: &Cluster) -> Result<Vec<Dataset>, Failure> {
    let here = cluster.here();
    let mut found = cluster.list::<Dataset, Dataset>(&here).await?;
    found.sort_by_key(ResourceExt::name_any);
    Ok(found)
}

/// The name of one of them.
pub(super) fn dataset(
    prompt: &dyn Prompt,
    ask: &str,
    flag: &str,
    cluster: &Cluster,
    names: &[String],
) -> Result<String, Failure> {
    if names.is_empty() {
        let namespace = cluster.namespace.clone();
        return Err(CreateError::NoDatasets { namespace }.into());
    }
    let question = Question {
        text: ask,
        help: Some("type to filter"),
        flag,
    };
    let at = prompt.choose(question, names)?;
    Ok(names.get(at).cloned().unwrap_or_default())
}
