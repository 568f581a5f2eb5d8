//! What a stand-in for Vault holds, as its file has it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::review::Reviewer;
use crate::keys::Keys;

/// Mounts, who may sign in, and policies.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Data {
    /// The namespaces there are, beside the root one.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Secrets engines by path, without a slash.
    #[serde(default)]
    pub mounts: BTreeMap<String, Mount>,
    /// What each policy allows: capabilities by path; `*` at its end stands for any rest, `+` for one part.
    #[serde(default)]
    pub policies: BTreeMap<String, Policy>,
    /// Ways to sign in.
    #[serde(default)]
    pub logins: Vec<Login>,
    /// Tokens that are good for ever.
    #[serde(default)]
    pub tokens: Vec<StaticToken>,
    /// More names that the certificate is for.
    #[serde(default)]
    pub names: Vec<String>,
    /// Where it listens, such as `10.244.0.1:8200`; on a free port of loopback if nothing is said.
    pub listen: Option<SocketAddr>,
}

/// Capabilities by path.
pub type Policy = BTreeMap<String, Vec<Capability>>;

/// What may be done at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Capability {
    /// Read what is there.
    Read,
    /// List what is below.
    List,
    /// Nothing, whatever another rule says.
    Deny,
}

/// A key-value secrets engine.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mount {
    /// Version 1 keeps one value, version 2 several and what is known of them.
    #[serde(default)]
    pub version: Kv,
    /// The secrets by path below the mount.
    #[serde(default)]
    pub secrets: BTreeMap<String, Secret>,
}

/// The version of a key-value engine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Kv {
    /// Version 1.
    #[serde(rename = "1")]
    One,
    /// Version 2.
    #[default]
    #[serde(rename = "2")]
    Two,
}

/// A secret and its versions, the oldest first; number 1 is the first.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Secret {
    /// The versions. A version 1 engine has the last one only.
    pub versions: Vec<Version>,
    /// What people noted.
    #[serde(default)]
    pub custom_metadata: BTreeMap<String, String>,
}

/// One version of a secret.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Version {
    /// The keys and values.
    pub data: BTreeMap<String, Value>,
    /// Whether it is gone.
    #[serde(default)]
    pub gone: Deletion,
    /// When it will be deleted by itself.
    pub deletion_time: Option<Timestamp>,
}

/// Whether a version is gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Deletion {
    /// It is there.
    #[default]
    No,
    /// Deleted, and can be brought back.
    Deleted,
    /// Gone for good.
    Destroyed,
}

/// A way to sign in.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Login {
    /// Where the method is mounted, such as `approle`.
    pub mount: String,
    /// How one signs in.
    pub method: Method,
    /// The policies that a token gets.
    #[serde(default)]
    pub policies: Vec<String>,
    /// How long a token is good for, in seconds.
    #[serde(default = "hour")]
    pub ttl: i64,
    /// Whether a token can be renewed.
    #[serde(default = "yes")]
    pub renewable: bool,
}

/// How one signs in.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Method {
    /// AppRole.
    AppRole {
        /// The role's id.
        role_id: String,
        /// Its secret id.
        secret_id: String,
    },
    /// A service account of Kubernetes.
    Kubernetes {
        /// The role.
        role: String,
        /// The account's namespace.
        namespace: String,
        /// The account's name.
        service_account: String,
        /// The audience that its token must have, if any.
        audience: Option<String>,
        /// Who is asked whether a token is good; nobody is, and every signature taken, if that isn't said.
        reviewer: Option<Reviewer>,
    },
    /// A signed token of any issuer.
    Jwt {
        /// The role.
        role: String,
        /// The subject that the token must have.
        subject: String,
        /// The audience that it must have.
        audience: String,
        /// The issuer's keys, one of which has signed it; any signature is taken if that isn't said.
        keys: Option<Keys>,
    },
}

/// A token that is good for ever.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StaticToken {
    /// The token.
    pub token: String,
    /// Its policies.
    #[serde(default)]
    pub policies: Vec<String>,
}

impl Version {
    /// A version with these keys and values.
    #[must_use]
    pub fn of(data: &[(&str, &str)]) -> Self {
        let data = data
            .iter()
            .map(|(key, value)| ((*key).to_owned(), Value::from(*value)))
            .collect();
        Self {
            data,
            ..Self::default()
        }
    }
}

impl Data {
    /// Whether there is such a namespace; the root one has no name.
    pub(super) fn is_namespace(&self, name: Option<&str>) -> bool {
        let name = name.unwrap_or_default().trim_matches('/');
        name.is_empty()
            || name == "root"
            || self
                .namespaces
                .iter()
                .any(|known| known.trim_matches('/') == name)
    }

    /// Whether these policies allow this at this path: the most specific pattern decides, whichever policy it stands in; one
    /// that stands in several adds up. developer.hashicorp.com/vault/docs/concepts/policies#policy-syntax
    pub(super) fn may(&self, policies: &[String], capability: Capability, path: &str) -> bool {
        let rules = policies
            .iter()
            .filter_map(|name| self.policies.get(name))
            .flatten();
        let matching: Vec<_> = rules.filter(|(pattern, _)| matches(pattern, path)).collect();
        let best = matching.iter().map(|(pattern, _)| specificity(pattern)).max();
        let mut deciding = matching
            .iter()
            .filter(|(pattern, _)| Some(specificity(pattern)) == best)
            .flat_map(|(_, allowed)| allowed.iter());
        let denied = deciding.clone().any(|allowed| *allowed == Capability::Deny);
        !denied && deciding.any(|allowed| *allowed == capability)
    }

    /// Whether these policies allow anything below a mount.
    pub(super) fn knows(&self, policies: &[String], mount: &str) -> bool {
        let mut rules = policies
            .iter()
            .filter_map(|name| self.policies.get(name))
            .flatten();
        rules.any(|(pattern, allowed)| {
            pattern.starts_with(&format!("{mount}/")) && !allowed.contains(&Capability::Deny)
        })
    }
}

/// Orders patterns from the least specific to the most, by the page's own five rules.
fn specificity(pattern: &str) -> (usize, bool, Reverse<usize>, usize, &str) {
    (
        pattern.find(['+', '*']).unwrap_or(usize::MAX),
        !pattern.ends_with('*'),
        Reverse(pattern.split('/').filter(|part| *part == "+").count()),
        pattern.len(),
        pattern,
    )
}

/// developer.hashicorp.com/vault/docs/concepts/policies#policy-syntax
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, open) = pattern
        .strip_suffix('*')
        .map_or((pattern, false), |rest| (rest, true));
    let mut rest = path.split('/');
    let mut parts = pattern.split('/').peekable();
    while let Some(part) = parts.next() {
        let Some(actual) = rest.next() else { return false };
        let is_last = parts.peek().is_none();
        let fits = part == "+"
            || if is_last && open {
                actual.starts_with(part)
            } else {
                actual == part
            };
        if !fits {
            return false;
        }
    }
    open || rest.next().is_none()
}

fn hour() -> i64 {
    3600
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_policies_match_as_documented() {
        for (pattern, path, expected) in [
            ("secret/data/foo", "secret/data/foo", true),
            ("secret/data/foo", "secret/data/foo/bar", false),
            ("secret/data/*", "secret/data/foo/bar", true),
            ("secret/data/zip-*", "secret/data/zip-zap", true),
            ("secret/data/zip-*", "secret/data/zap", false),
            ("secret/+/teamb", "secret/foo/teamb", true),
            ("secret/+/teamb", "secret/foo/bar/teamb", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} and {path}");
        }
    }

    #[test]
    fn the_most_specific_pattern_decides_and_denial_outweighs_within_it() {
        let policy = |path: &str, capability| Policy::from([(path.to_owned(), vec![capability])]);
        let data = Data {
            policies: BTreeMap::from([
                ("all".to_owned(), policy("kv/*", Capability::Read)),
                ("not".to_owned(), policy("kv/x", Capability::Deny)),
                ("none".to_owned(), policy("kv/*", Capability::Deny)),
                ("one".to_owned(), policy("kv/y", Capability::Read)),
                ("list".to_owned(), policy("kv/*", Capability::List)),
                ("any".to_owned(), policy("+/y", Capability::List)),
            ]),
            ..Data::default()
        };
        let rows: [(&[&str], Capability, &str, bool); 9] = [
            (&["all"], Capability::Read, "kv/y", true),
            (&["all"], Capability::List, "kv/y", false),
            (&["all", "not"], Capability::Read, "kv/x", false),
            (&["all", "not"], Capability::Read, "kv/y", true),
            (&["none", "one"], Capability::Read, "kv/y", true),
            (&["none", "one"], Capability::Read, "kv/z", false),
            (&["all", "none"], Capability::Read, "kv/y", false),
            (&["all", "list"], Capability::List, "kv/y", true),
            (&["all", "any"], Capability::List, "kv/y", false),
        ];
        for (policies, capability, path, expected) in rows {
            let names: Vec<String> = policies.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(
                data.may(&names, capability, path),
                expected,
                "{policies:?} {capability:?} {path}"
            );
        }
    }
}
