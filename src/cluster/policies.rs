//! Whether the admission policies that vouch for consent are in place, as the chart installs them.

use crate::api::names::{CONSENT_POLICY, RECORDS_POLICY, STATUS_POLICY};
use futures::future::try_join_all;
use futures::{StreamExt, stream};
use kube::core::{DynamicObject, GroupVersionKind};
use kube::discovery::ApiResource;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use serde_json::Value;
use std::collections::BTreeMap;
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::Instant;

mod digest;
mod steady;

use steady::{Steady, Version};

/// How many policies and bindings vouch, at most.
const SORTS: usize = 8;

/// It can't be told.
#[derive(Debug, Error)]
#[error("the admission policy {name} can't be read")]
pub struct PolicyError {
    /// The policy.
    name: String,
    /// The API server's answer.
    #[source]
    source: Box<kube::Error>,
}

/// Looks at policies and their bindings.
pub struct Policies {
    client: Client,
    /// Whether the API server has mutating policies, so that it writes stamps.
    mutating: bool,
    /// What each policy must come to, as `kind/name`; without any, only their presence is looked at.
    digests: BTreeMap<String, String>,
    last: Mutex<Last>,
}

/// What the last look found.
#[derive(Default)]
struct Last {
    answer: Option<(Instant, Option<String>)>,
    steady: Steady,
}

/// One policy or binding, as found.
struct Found {
    version: Version,
    spec: Value,
}

/// A sort of policy: what it and its binding are called, where its rules stand, and what its binding must say.
struct Sort {
    policy: &'static str,
    binding: &'static str,
    rules: &'static str,
    denies: bool,
}

const VALIDATING: Sort = Sort {
    policy: "ValidatingAdmissionPolicy",
    binding: "ValidatingAdmissionPolicyBinding",
    rules: "validations",
    denies: true,
};
const MUTATING: Sort = Sort {
    policy: "MutatingAdmissionPolicy",
    binding: "MutatingAdmissionPolicyBinding",
    rules: "mutations",
    denies: false,
};

impl Policies {
    /// Asks by this client.
    #[must_use]
    pub fn new(client: Client, mutating: bool, digests: BTreeMap<String, String>) -> Self {
        Self {
            client,
            mutating,
            digests,
            last: Mutex::default(),
        }
    }

    /// The first policy that isn't in place, or wasn't some seconds ago, if any. What was found out after this was called
    /// serves all who wait. The first look is what later ones compare with: an operator takes it as it starts.
    ///
    /// # Errors
    /// When the API server doesn't tell.
    pub async fn missing(&self) -> Result<Option<String>, PolicyError> {
        let asked = Instant::now();
        let mut last = self.last.lock().await;
        if let Some((at, missing)) = &last.answer
            && *at >= asked
        {
            return Ok(missing.clone());
        }
        let at = Instant::now();
        let missing = self.look(&mut last.steady).await?;
        last.answer = Some((at, missing.clone()));
        Ok(missing)
    }

    /// Looks whenever one of them changes, so that a change is noticed as it happens, and not by the next consent, which
    /// would be lost.
    pub async fn keep_looking(&self) {
        let named = self
            .all()
            .into_iter()
            .flat_map(|(sort, name)| [(sort.policy, name), (sort.binding, name)]);
        let watches = named.map(|(kind, name)| {
            let one = watcher::Config::default().fields(&format!("metadata.name={name}"));
            watcher(self.api(kind), one)
                .default_backoff()
                .map(move |event| (kind, event))
                .boxed()
        });
        // What changes together is looked at together.
        let mut changes = stream::select_all(watches).ready_chunks(SORTS);
        while let Some(together) = changes.next().await {
            if together.into_iter().filter(is_news).count() > 0 {
                self.look_ahead().await;
            }
        }
    }

    /// A look that later ones are compared with.
    pub async fn look_ahead(&self) {
        match self.missing().await {
            Ok(None) => {}
            Ok(Some(policy)) => tracing::warn!(
                policy,
                "consents don't count now, as this policy isn't in place as the chart installs it, or has just changed"
            ),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    "whether the admission policies are in place can't be told yet"
                );
            }
        }
    }

    async fn look(&self, steady: &mut Steady) -> Result<Option<String>, PolicyError> {
        let all = self.all();
        let looked = try_join_all(all.iter().map(|(sort, name)| self.pair(sort, name))).await?;
        let versions = all
            .iter()
            .zip(&looked)
            .flat_map(|((sort, name), (policy, binding))| {
                let named = [(sort.policy, policy), (sort.binding, binding)];
                named.map(|(kind, found)| (format!("{kind}/{name}"), found.as_ref()))
            });
        let versions = versions.filter_map(|(name, found)| Some((name, found?.version.clone())));
        let recent = steady.note(Instant::now(), versions.collect()).map(str::to_owned);
        let wrong = all.iter().zip(&looked).find(|((sort, name), (policy, binding))| {
            !policy.as_ref().is_some_and(|policy| {
                enforces(&policy.spec, sort) && self.is_as_installed(&policy.spec, sort, name)
            }) || !binding
                .as_ref()
                .is_some_and(|binding| binds(&binding.spec, sort, name))
        });
        Ok(wrong.map(|((_, name), _)| (*name).to_owned()).or(recent))
    }

    /// Those that vouch.
    fn all(&self) -> Vec<(&'static Sort, &'static str)> {
        let validating = [CONSENT_POLICY, RECORDS_POLICY, STATUS_POLICY].map(|name| (&VALIDATING, name));
        let mutating = self.mutating.then_some((&MUTATING, CONSENT_POLICY));
        validating.into_iter().chain(mutating).collect()
    }

    fn api(&self, kind: &str) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("admissionregistration.k8s.io", "v1", kind);
        Api::all_with(self.client.clone(), &ApiResource::from_gvk(&kind))
    }

    /// A policy and its binding, as far as they are there.
    async fn pair(&self, sort: &Sort, name: &str) -> Result<(Option<Found>, Option<Found>), PolicyError> {
        futures::try_join!(self.get(sort.policy, name), self.get(sort.binding, name))
    }

    fn is_as_installed(&self, spec: &Value, sort: &Sort, name: &str) -> bool {
        let expected = self.digests.get(&format!("{}/{name}", sort.policy));
        self.digests.is_empty() || expected.is_some_and(|expected| *expected == digest::of(spec))
    }

    async fn get(&self, kind: &str, name: &str) -> Result<Option<Found>, PolicyError> {
        let found = self.api(kind).get_opt(name).await.map_err(|source| PolicyError {
            name: name.to_owned(),
            source: Box::new(source),
        })?;
        Ok(found.map(|object| Found {
            version: (object.metadata.uid, object.metadata.generation),
            spec: object.data["spec"].clone(),
        }))
    }
}

/// Whether a watch tells of a change, or has begun anew and may have missed one.
fn is_news<K>((kind, event): &(&'static str, Result<Event<K>, watcher::Error>)) -> bool {
    match event {
        Ok(Event::Apply(_) | Event::Delete(_) | Event::InitDone) => true,
        Ok(Event::Init | Event::InitApply(_)) => false,
        Err(error) => {
            tracing::warn!(kind, error = %error, "the watch broke and is begun again");
            false
        }
    }
}

fn enforces(spec: &Value, sort: &Sort) -> bool {
    let rules = spec[sort.rules].as_array();
    spec["failurePolicy"] != "Ignore" && rules.is_some_and(|rules| !rules.is_empty())
}

/// Whether the binding is for everything: one that is narrowed to some namespaces vouches for nothing.
fn binds(spec: &Value, sort: &Sort, name: &str) -> bool {
    let actions = spec["validationActions"].as_array();
    spec["policyName"] == name
        && spec["paramRef"].is_null()
        && spec["matchResources"].is_null()
        && (!sort.denies || actions.is_some_and(|actions| actions.iter().any(|action| action == "Deny")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_policy_that_was_weakened_is_not_in_place() {
        let rows = [
            (
                "as installed",
                json!({"failurePolicy": "Fail", "validations": [{}]}),
                true,
            ),
            (
                "failing open",
                json!({"failurePolicy": "Ignore", "validations": [{}]}),
                false,
            ),
            (
                "without rules",
                json!({"failurePolicy": "Fail", "validations": []}),
                false,
            ),
        ];
        for (case, spec, expected) in rows {
            assert_eq!(enforces(&spec, &VALIDATING), expected, "{case}");
        }
    }

    #[test]
    fn a_binding_that_was_narrowed_is_not_in_place() {
        let rows = [
            (
                "as installed",
                json!({"policyName": "p", "validationActions": ["Deny"]}),
                true,
            ),
            (
                "of another",
                json!({"policyName": "q", "validationActions": ["Deny"]}),
                false,
            ),
            (
                "that only warns",
                json!({"policyName": "p", "validationActions": ["Warn"]}),
                false,
            ),
            (
                "for some namespaces",
                json!({"policyName": "p", "validationActions": ["Deny"], "matchResources": {"namespaceSelector": {}}}),
                false,
            ),
            (
                "with a parameter",
                json!({"policyName": "p", "validationActions": ["Deny"], "paramRef": {"name": "x"}}),
                false,
            ),
        ];
        for (case, spec, expected) in rows {
            assert_eq!(binds(&spec, &VALIDATING, "p"), expected, "{case}");
        }
        assert!(binds(&json!({"policyName": "p"}), &MUTATING, "p"));
    }
}
