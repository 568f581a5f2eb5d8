//! Settings: flags, each also an environment variable.

use crate::cluster::lease::Candidacy;
use crate::connection_type::catalog::Selection;
use crate::governance::runs::Connector;
use crate::governance::vaults::address::{Allowed, NodeIdentities, NodeIdentityError};
use crate::vault::budget::Rate;
use crate::vault::reach::{Reach, ReachError};
use crate::vault::vaults::Limits;
use clap::{Args, ValueEnum};
use k8s_openapi::api::core::v1::ResourceRequirements;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

/// How the operator runs.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// Where health and metrics are served.
    #[arg(long, env = "LISTEN", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,
    /// How many objects of one kind are visited at the same time.
    #[arg(long, env = "CONCURRENCY", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    pub concurrency: u16,
    /// The connectors that this installation runs, separated by commas. Without an image of them it runs none.
    #[arg(long, env = "CONNECTORS", default_value = "")]
    pub connectors: String,
    /// The image by which runs are run.
    #[arg(long, env = "CONNECTOR_IMAGE", default_value = "")]
    pub connector_image: String,
    /// When nodes fetch it.
    #[arg(long, env = "CONNECTOR_PULL_POLICY", default_value = "IfNotPresent")]
    pub connector_pull_policy: String,
    /// What a run's pod asks for and may use, as JSON.
    #[arg(long, env = "CONNECTOR_RESOURCES", default_value = "{}", value_parser = pod_resources)]
    pub connector_resources: ResourceRequirements,
    /// After how many seconds a run is ended, all its attempts together.
    #[arg(long, env = "CONNECTOR_DEADLINE_SECONDS", default_value_t = 21600, value_parser = clap::value_parser!(u32).range(60..=604_800))]
    pub connector_deadline_seconds: u32,
    /// The user names of pipelines that may name the person who consents, one a line.
    #[arg(long, env = "PIPELINES", default_value = "")]
    pub pipelines: String,
    /// Whether the API server writes stamps and finalizers, by the chart's mutating policies.
    #[arg(long, env = "MUTATING_POLICIES", default_value_t = true, action = clap::ArgAction::Set)]
    pub mutating_policies: bool,
    /// The policies that vouch for consent as the chart rendered them: `kind/name=digest`, separated by commas.
    #[arg(long, env = "POLICY_DIGESTS", default_value = "")]
    pub policy_digests: String,
    /// For how many days decisions on consent stay on record; for ever if absent.
    #[arg(long, env = "CONSENT_RETENTION_DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    pub consent_retention_days: Option<u32>,
    /// Whether the connection types that come with the operator are applied.
    #[arg(long, env = "CATALOG", default_value_t = true, action = clap::ArgAction::Set)]
    pub catalog: bool,
    /// Which of them, separated by commas; all if empty.
    #[arg(long, env = "CATALOG_INCLUDE", default_value = "")]
    pub catalog_include: String,
    /// Which of them not, separated by commas.
    #[arg(long, env = "CATALOG_EXCLUDE", default_value = "")]
    pub catalog_exclude: String,
    /// The namespaces whose objects are followed, separated by commas; all if empty.
    #[arg(long, env = "NAMESPACES", default_value = "")]
    pub namespaces: String,
    /// How many events are published a second, at most.
    #[arg(long, env = "EVENTS_PER_SECOND", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub events_per_second: u32,
    /// The vaults that key vaults may lead to, separated by commas: hosts (`vault.example.com`), suffixes of hosts
    /// (`.vault.azure.net`), and addresses or ranges (`10.1.0.0/16`) that are inside of the cluster's networks.
    #[arg(long, env = "VAULT_HOSTS", default_value = ".vault.azure.net,.vault.usgovcloudapi.net,.vault.azure.cn", value_parser = reach)]
    pub vault_hosts: Reach,
    /// Which namespace may ask which vault by the identity of the node: `namespace=address`, separated by commas.
    #[arg(long, env = "VAULT_NODE_IDENTITIES", default_value = "", value_parser = node_identities)]
    pub vault_node_identities: NodeIdentities,
    /// Each secret in a vault is looked at once in so many seconds.
    #[arg(long, env = "VAULT_INTERVAL_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub vault_interval_seconds: u64,
    /// How many requests the operator sends to one vault in 10 seconds, at most.
    #[arg(long, env = "VAULT_REQUESTS_PER_10_SECONDS", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(10..=4000))]
    pub vault_requests_per_10_seconds: u32,
    /// The namespace of the Lease that replicas of the operator stand for; without one there must be no other replica.
    #[arg(long, env = "LEASE_NAMESPACE")]
    pub lease_namespace: Option<String>,
    /// The name of that Lease.
    #[arg(long, env = "LEASE_NAME", default_value = "connection-operator")]
    pub lease_name: String,
    /// How many seconds a leader that is not heard of still counts as one.
    #[arg(long, env = "LEASE_SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u16).range(3..=600))]
    pub lease_seconds: u16,
    /// What this replica is called in the Lease; the name of the machine, if nothing else.
    #[arg(long, env = "POD_NAME")]
    pub pod_name: Option<String>,
    /// How log lines are written.
    #[arg(long, env = "LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// Which log lines are written, such as `info` or `connection_operator=debug`.
    #[arg(long, env = "LOG", default_value = "info")]
    pub log: String,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Settings {
    /// The names of the connectors; an empty setting names none.
    #[must_use]
    pub fn connector_names(&self) -> BTreeSet<String> {
        match self.connector() {
            Some(_) => names(self.connectors.split(',')),
            None => BTreeSet::new(),
        }
    }

    /// What runs are run by, if anything.
    #[must_use]
    pub fn connector(&self) -> Option<Connector> {
        (!self.connector_image.is_empty()).then(|| Connector {
            image: self.connector_image.clone(),
            pull_policy: self.connector_pull_policy.clone(),
            resources: self.connector_resources.clone(),
            deadline_seconds: self.connector_deadline_seconds.into(),
            vault_ranges: self.vault_hosts.ranges().join(","),
        })
    }

    /// The user names of the pipelines.
    #[must_use]
    pub fn pipeline_names(&self) -> BTreeSet<String> {
        names(self.pipelines.lines())
    }

    /// The digest of each policy that vouches for consent, by `kind/name`.
    #[must_use]
    pub fn policy_digests(&self) -> BTreeMap<String, String> {
        let each = self
            .policy_digests
            .split(',')
            .filter_map(|each| each.split_once('='));
        each.map(|(policy, digest)| (policy.trim().to_owned(), digest.trim().to_owned()))
            .collect()
    }

    /// The namespaces to follow; none means all.
    #[must_use]
    pub fn namespaces(&self) -> BTreeSet<String> {
        names(self.namespaces.split(','))
    }

    /// Which types of the catalog are wanted.
    #[must_use]
    pub fn catalog_selection(&self) -> Selection {
        Selection {
            include: names(self.catalog_include.split(',')),
            exclude: names(self.catalog_exclude.split(',')),
        }
    }

    /// What key vaults may be.
    #[must_use]
    pub fn allowed_vaults(&self) -> Allowed {
        Allowed {
            reach: self.vault_hosts.clone(),
            node: self.vault_node_identities.clone(),
        }
    }

    /// How often vaults are asked, and how much.
    #[must_use]
    pub fn vault_limits(&self) -> Limits {
        Limits {
            interval: Duration::from_secs(self.vault_interval_seconds),
            rate: Rate {
                requests: self.vault_requests_per_10_seconds,
                window: Duration::from_secs(10),
            },
            ..Limits::default()
        }
    }

    /// The Lease that this process stands for, under a name that no process before it had: one that was started again
    /// in the same pod can't know how far the one before it came.
    #[must_use]
    pub fn candidacy(&self) -> Option<Candidacy> {
        let namespace = self
            .lease_namespace
            .clone()
            .filter(|namespace| !namespace.is_empty())?;
        let machine = || hostname::get().map(|name| name.to_string_lossy().into_owned());
        let replica = self
            .pod_name
            .clone()
            .or_else(|| machine().ok())
            .unwrap_or_default();
        Some(Candidacy {
            namespace,
            name: self.lease_name.clone(),
            identity: format!("{replica}_{:016x}", fastrand::u64(..)),
            duration: Duration::from_secs(self.lease_seconds.into()),
        })
    }
}

fn names<'a>(parts: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let named = parts.map(str::trim).filter(|name| !name.is_empty());
    named.map(str::to_owned).collect()
}

fn pod_resources(text: &str) -> Result<ResourceRequirements, serde_json::Error> {
    serde_json::from_str(text)
}

fn reach(text: &str) -> Result<Reach, ReachError> {
    Reach::parse(text.split(','))
}

fn node_identities(text: &str) -> Result<NodeIdentities, NodeIdentityError> {
    text.parse()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        settings: Settings,
    }

    fn read(arguments: &[&str]) -> Result<Settings, String> {
        let line = Line::try_parse_from([&["operator"], arguments].concat());
        line.map(|line| line.settings).map_err(|error| error.to_string())
    }

    #[test]
    fn as_it_comes_azures_clouds_may_be_linked_and_nothing_else() {
        let settings = read(&[]).expect("it can be read");
        assert_eq!(settings.allowed_vaults(), Allowed::default());
        assert_eq!(settings.vault_limits(), Limits::default());
        assert!(settings.vault_hosts.allows_host("sales.vault.azure.cn"));
        assert!(!settings.vault_hosts.allows_host("vault.example.com"));
        let none = read(&["--vault-hosts="]).expect("it can be read");
        assert_eq!(none.vault_hosts, Reach::default(), "no vault at all");
    }

    #[test]
    fn wrong_settings_of_vaults_are_refused_at_the_start() {
        let rows = [
            (
                "--vault-hosts=.vault.azure.net,https://vault.example.com",
                "the entry \"https://vault.example.com\" of the allowed vaults is neither a host",
            ),
            (
                "--vault-node-identities=marketing",
                "\"marketing\" is no namespace and vault: write them as in marketing=https://sales.vault.azure.net",
            ),
            ("--vault-interval-seconds=0", "0 is not in 1..=3600"),
            ("--vault-requests-per-10-seconds=5000", "5000 is not in 10..=4000"),
        ];
        for (argument, said) in rows {
            let error = read(&[argument]).expect_err(argument);
            assert!(error.contains(said), "{argument}: {error}");
        }
    }
}
