//! What one version of a type would do to those that are of the version before.

use super::refusals::refusals;
use super::{Outcome, Present};
use crate::api::connection::Parameters;
use crate::api::export::PayloadItem;
use crate::api::names::CONSENT_ANNOTATION;
use crate::api::reference::ConnectionRef;
use crate::api::{Connection, ConnectionType, Dataset, Enrichment, Export};
use crate::governance::consent::{Agreed, Required, Subject, required};
use crate::governance::message::{NAMES_MAX, bounded};
use crate::governance::parameters::CompiledType;
use crate::governance::terms::{self, Age, Item, Load, Twin};
use jiff::Timestamp;
use kube::ResourceExt;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The name of one that breaks, and its first problem; the problem is empty where the name says it all.
type Broken = (String, String);

/// What would break.
#[derive(Default)]
pub struct Effects {
    /// Why the type can't be applied, or can't be used once it is.
    wrong: Vec<String>,
    /// Whether anybody looked at what is there.
    looked: bool,
    connections: Counted,
    exports: Counted,
    enrichments: Counted,
    stale: Counted,
    /// Those whose consent to the notice before counts for a while.
    later: Counted,
}

/// Those that break, of how many.
#[derive(Default)]
struct Counted {
    of: usize,
    broken: Vec<Broken>,
}

impl Effects {
    /// Compares what is there with both versions.
    pub fn of(type_: &ConnectionType, present: Option<&Present>, now: Timestamp) -> Self {
        let name = type_.name_any();
        let compiled = match CompiledType::compile(&name, &type_.spec) {
            Ok(compiled) => compiled,
            Err(wrong) => {
                return Self {
                    wrong,
                    ..Self::default()
                };
            }
        };
        let Some(present) = present else {
            return Self::default();
        };
        let before = present.types.iter().find(|before| before.name_any() == name);
        let wrong = before.map(|before| refusals(before, type_)).unwrap_or_default();
        let before = before.and_then(|before| CompiledType::compile(&name, &before.spec).ok());
        let change = Change {
            before,
            after: compiled,
            datasets: datasets(present),
            exports: &present.exports,
        };
        let of_type = OfType::new(&present.connections, &name);
        let exports = present.exports.iter().filter_map(|one| {
            let connection = of_type.get(one.namespace(), one.spec.connection_ref.as_ref())?;
            Some(change.export(one, connection))
        });
        let enrichments = present.enrichments.iter().filter_map(|one| {
            let connection = of_type.get(one.namespace(), one.spec.connection_ref.as_ref())?;
            Some(change.enrichment(one, connection))
        });
        Self {
            wrong,
            looked: true,
            exports: counted(exports),
            enrichments: counted(enrichments),
            connections: counted(of_type.0.values().map(|one| change.connection(one))),
            stale: counted(of_type.0.values().map(|one| change.stale(one, now))),
            later: counted(of_type.0.values().map(|one| change.later(one, now))),
        }
    }

    /// With what the API server would refuse, as far as the comparison doesn't tell.
    pub fn refused(mut self, why: &[String]) -> Self {
        self.wrong.extend_from_slice(why);
        self
    }

    pub fn outcome(&self) -> Outcome {
        let groups = [&self.connections, &self.exports, &self.enrichments, &self.stale];
        if self.wrong.is_empty() && groups.iter().all(|group| group.broken.is_empty()) {
            Outcome::Fits
        } else {
            Outcome::Breaks
        }
    }

    /// For people, on one line or more.
    pub fn told(&self, type_: &str) -> String {
        let type_ = bounded(type_.to_owned());
        let mut text = String::new();
        if !self.wrong.is_empty() {
            text = format!("{type_} can't be used as it is:\n");
            for problem in &self.wrong {
                text = format!("{text}  {}\n", bounded(problem.clone()));
            }
        }
        text += &self
            .connections
            .told(&type_, "connections", "would not fit it any more");
        text += &self.exports.told(&type_, "exports", "would become Inactive");
        text += &self
            .enrichments
            .told(&type_, "enrichments", "would become Inactive");
        text += &self.stale.told(&type_, "connections", "would need consent again");
        if text.is_empty() {
            text = self.harmless(&type_);
        }
        text + &self.later.told(
            &type_,
            "connections",
            "go on by consent to the notice before, and need consent again once that ends",
        )
    }

    fn harmless(&self, type_: &str) -> String {
        if !self.looked {
            return format!("{type_} fits together.\n");
        }
        format!(
            "{type_} breaks none of {} connections, {} exports and {} enrichments.\n",
            self.connections.of, self.exports.of, self.enrichments.of
        )
    }
}

impl Counted {
    fn told(&self, type_: &str, what: &str, fate: &str) -> String {
        if self.broken.is_empty() {
            return String::new();
        }
        let mut text = format!("{type_}: {} of {} {what} {fate}:\n", self.broken.len(), self.of);
        for (name, problem) in self.broken.iter().take(NAMES_MAX) {
            let line = if problem.is_empty() {
                name.clone()
            } else {
                format!("{name}: {problem}")
            };
            text = format!("{text}  {}\n", bounded(line));
        }
        match self.broken.len().saturating_sub(NAMES_MAX) {
            0 => text,
            more => format!("{text}  and {more} more\n"),
        }
    }
}

fn counted(all: impl Iterator<Item = Option<Broken>>) -> Counted {
    let all: Vec<Option<Broken>> = all.collect();
    Counted {
        of: all.len(),
        broken: all.into_iter().flatten().collect(),
    }
}

/// The connections of one type, by namespace and name.
struct OfType<'a>(BTreeMap<(String, String), &'a Connection>);

impl<'a> OfType<'a> {
    fn new(connections: &'a [Connection], type_: &str) -> Self {
        let of_type = connections.iter();
        let of_type = of_type.filter(|connection| connection.spec.type_.as_str() == type_);
        let by_name = of_type.map(|connection| {
            let key = (connection.namespace().unwrap_or_default(), connection.name_any());
            (key, connection)
        });
        Self(by_name.collect())
    }

    fn get(&self, namespace: Option<String>, named: Option<&ConnectionRef>) -> Option<&'a Connection> {
        let key = (namespace.unwrap_or_default(), named?.name.to_string());
        self.0.get(&key).copied()
    }
}

type Datasets = BTreeMap<(String, String), Arc<Dataset>>;

fn datasets(present: &Present) -> Datasets {
    let datasets = present.datasets.iter().map(|dataset| {
        let key = (dataset.namespace().unwrap_or_default(), dataset.name_any());
        (key, Arc::new(dataset.clone()))
    });
    datasets.collect()
}

struct Change<'a> {
    before: Option<CompiledType>,
    after: CompiledType,
    datasets: Datasets,
    /// All of them: those on the same connection may share what their service takes.
    exports: &'a [Export],
}

impl Change<'_> {
    /// The first problem that the new version has with something, unless the old one had any.
    fn news(&self, problems: impl Fn(&CompiledType) -> Vec<String>) -> Option<String> {
        let known = self
            .before
            .as_ref()
            .is_some_and(|before| !problems(before).is_empty());
        problems(&self.after).into_iter().next().filter(|_| !known)
    }

    fn connection(&self, connection: &Connection) -> Option<Broken> {
        let spec = &connection.spec;
        let problem = self.news(|type_| {
            let mut problems = type_.connection_problems(&spec.parameters, &spec.fixed_export_parameters);
            problems.extend(type_.secret_problems(&spec.secrets));
            problems
        })?;
        Some((full_name(connection), problem))
    }

    fn export(&self, export: &Export, connection: &Connection) -> Option<Broken> {
        let named = export.spec.connection_ref.as_ref();
        let others: Vec<&Export> = self
            .exports
            .iter()
            .filter(|other| {
                other.namespace() == export.namespace()
                    && other.spec.connection_ref.as_ref().map(|other| &other.name) == named.map(|it| &it.name)
                    && other.name_any() != export.name_any()
            })
            .collect();
        let twins = |item: &PayloadItem| -> Vec<Twin> {
            let others = others.iter();
            others
                .filter_map(|other| Twin::of(item, other, age(*other)))
                .collect()
        };
        let items = export.spec.payload.iter().map(|item| Item {
            twins: twins(item),
            ..Item::of_payload(item, self.dataset(export, item.dataset.as_str()))
        });
        let load = Load {
            items: items.collect(),
            age: age(export),
            others: others
                .iter()
                .map(|other| (age(*other), self.members(other)))
                .collect(),
        };
        let problem = self.user(connection, &export.spec.parameters, &load)?;
        Some((full_name(export), problem))
    }

    fn enrichment(&self, enrichment: &Enrichment, connection: &Connection) -> Option<Broken> {
        let input = &enrichment.spec.input;
        let item = Item::of_input(input, self.dataset(enrichment, input.dataset.as_str()));
        let load = Load {
            items: vec![item],
            ..Load::default()
        };
        let problem = self.user(connection, &enrichment.spec.parameters, &load)?;
        Some((full_name(enrichment), problem))
    }

    /// How many it sends for certain.
    fn members(&self, export: &Export) -> i64 {
        let payload = export.spec.payload.iter();
        let datasets: Vec<_> = payload
            .filter_map(|item| {
                let dataset = self.dataset(export, item.dataset.as_str())?;
                Some((dataset, item.where_.is_some()))
            })
            .collect();
        terms::sent(datasets.iter().map(|(dataset, filtered)| (&**dataset, *filtered)))
    }

    fn dataset(&self, user: &impl ResourceExt, name: &str) -> Option<Arc<Dataset>> {
        let key = (user.namespace().unwrap_or_default(), name.to_owned());
        self.datasets.get(&key).cloned()
    }

    fn user(&self, connection: &Connection, chosen: &Parameters, load: &Load<'_>) -> Option<String> {
        let before = self.before.as_ref();
        let ran_by = before.and_then(|before| before.spec.connector.as_ref());
        match (ran_by, &self.after.spec.connector) {
            (Some(_), None) => {
                return Some("Nothing would run it: the type names no connector any more.".to_owned());
            }
            (Some(before), Some(after)) if before != after => {
                return Some(format!(
                    "The connector {after} would run it in place of {before}: nothing does unless the installation has it."
                ));
            }
            _ => {}
        }
        let fixed = &connection.spec.fixed_export_parameters;
        self.news(|type_| {
            let mut problems = type_.choice_problems(chosen, fixed);
            let settings = terms::Settings::of(&connection.spec, chosen);
            problems.extend(terms::judge(type_, &settings, load).map(|standing| standing.message));
            problems
        })
    }

    /// One whose consent stands, and would be for something else.
    fn stale(&self, connection: &Connection, now: Timestamp) -> Option<Broken> {
        let (given, needed) = self.consent(connection)?;
        needed
            .agreed(given, now)
            .is_none()
            .then(|| (full_name(connection), String::new()))
    }

    /// One whose consent stands, and would count until the time that the type tells.
    fn later(&self, connection: &Connection, now: Timestamp) -> Option<Broken> {
        let (given, needed) = self.consent(connection)?;
        match needed.agreed(given, now)? {
            Agreed::ToCurrent => None,
            Agreed::ToPrevious(until) => Some((full_name(connection), format!("It counts until {until}."))),
        }
    }

    /// The consent that stands, and those that would count.
    fn consent<'a>(&self, connection: &'a Connection) -> Option<(&'a str, Required)> {
        let status = connection.status.as_ref();
        status
            .and_then(|status| status.consent.as_ref())
            .filter(|consent| consent.given)?;
        let given = connection.annotations().get(CONSENT_ANNOTATION)?;
        let (namespace, name) = (connection.namespace().unwrap_or_default(), connection.name_any());
        let subject = Subject {
            kind: "Connection",
            namespace: &namespace,
            name: &name,
        };
        Some((given, required(subject, &connection.spec, &self.after.spec)))
    }
}

fn age(object: &impl ResourceExt) -> Age {
    let created = object.creation_timestamp();
    let created = created.map_or(i64::MAX, |time| time.0.as_second());
    (created, object.name_any())
}

fn full_name(object: &impl ResourceExt) -> String {
    format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any())
}
