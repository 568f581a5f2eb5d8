//! `completion`: what a shell offers for the word that is being typed, live names included.
//!
//! The shells' scripts ask this program, by the hidden command `__complete`. It answers as kubectl's own completion of
//! plugins expects it: one candidate a line, its description after a tab, and in the last line a colon and what to do.

mod candidates;
#[cfg(test)]
mod tests;

use crate::api::{Connection, ConnectionType, Enrichment, Export, KeyVault, SharedConnection};
use crate::plugin::cluster::{Cluster, ClusterError, Flags, Selection};
use crate::plugin::exit::{Exit, Failure};
use crate::plugin::{Arguments, Session};
use candidates::{Live, Offers, offers};
use clap::{CommandFactory, FromArgMatches, ValueEnum};
use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::{Resource, ResourceExt};
use std::time::Duration;

/// How long names may take: a key was pressed, and somebody waits.
const PATIENCE: Duration = Duration::from_secs(3);
/// What a shell does after the candidates: it offers no files.
const NO_FILES: &str = ":4";
/// It offers files, as there is nothing else to offer.
const FILES: &str = ":0";

/// For which shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// Bash, for `kubectl-connections` by its own name.
    Bash,
    /// Zsh, likewise.
    Zsh,
    /// Fish, likewise.
    Fish,
    /// kubectl's own completion, for `kubectl connections`: a program to be saved as kubectl_complete-connections on the
    /// PATH.
    Kubectl,
}

/// Which script.
#[derive(Clone, Debug, clap::Args)]
pub struct Completion {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// The words that were typed, the last one unfinished.
#[derive(Clone, Debug, clap::Args)]
pub struct Words {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

const BASH: &str = r#"# To use it: source <(kubectl-connections completion bash)
_kubectl_connections() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        [[ $line == :* ]] || COMPREPLY+=("${line%%$'\t'*}")
    done < <(kubectl-connections __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _kubectl_connections kubectl-connections
"#;

const ZSH: &str = r#"#compdef kubectl-connections
# To use it: source <(kubectl-connections completion zsh)
_kubectl_connections() {
    local -a found
    local line
    while IFS= read -r line; do
        [[ $line == :* ]] || found+=("${${line//:/\\:}/$'\t'/:}")
    done < <(kubectl-connections __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
    if (( ${#found} )); then _describe connections found; else _files; fi
}
compdef _kubectl_connections kubectl-connections
"#;

const FISH: &str = r"# To use it: kubectl-connections completion fish | source
function __kubectl_connections
    set -l words (commandline -opc) (commandline -ct)
    kubectl-connections __complete -- $words[2..] 2>/dev/null | string match -v ':*'
end
complete -c kubectl-connections -f -a '(__kubectl_connections)'
";

const KUBECTL: &str = r#"#!/bin/sh
# kubectl runs this for `kubectl connections <Tab>`: save it as kubectl_complete-connections on the PATH, executable.
exec kubectl-connections __complete -- "$@"
"#;

/// Prints a script.
#[must_use]
pub fn script(asked: &Completion, session: &Session) -> Exit {
    session.show(match asked.shell {
        Shell::Bash => BASH,
        Shell::Zsh => ZSH,
        Shell::Fish => FISH,
        Shell::Kubectl => KUBECTL,
    });
    Exit::Done
}

/// Answers a shell. Whatever goes wrong, it is never told into somebody's command line.
///
/// # Errors
/// None: what can't be told is left out.
pub async fn complete(asked: Words, session: &Session) -> Result<Exit, Failure> {
    let mut words = asked.words;
    let last = words.pop().unwrap_or_default();
    let command = Arguments::command();
    let mut found = match offers(&command, &words, &last) {
        Offers::Files => {
            session.show(&format!("{FILES}\n"));
            return Ok(Exit::Done);
        }
        Offers::Known(found) => found,
        Offers::Live(live) => {
            let names = tokio::time::timeout(PATIENCE, names(live, &words)).await;
            names.ok().and_then(Result::ok).unwrap_or_default()
        }
    };
    found.retain(|candidate| candidate.starts_with(&last));
    found.sort();
    found.dedup();
    found.push(NO_FILES.to_owned());
    session.show(&(found.join("\n") + "\n"));
    Ok(Exit::Done)
}

/// The flags that were typed so far.
fn flags(words: &[String]) -> Flags {
    let line = std::iter::once("kubectl-connections".to_owned()).chain(words.iter().cloned());
    let command = Arguments::command().ignore_errors(true);
    let matches = command.try_get_matches_from(line).ok();
    matches
        .and_then(|matches| Flags::from_arg_matches(&matches).ok())
        .unwrap_or_default()
}

async fn names(live: Live, words: &[String]) -> Result<Vec<String>, ClusterError> {
    let cluster = Cluster::connect(&flags(words)).await?;
    match live {
        Live::Namespaces => of::<Namespace>(&cluster, None).await,
        Live::Types => of::<ConnectionType>(&cluster, None).await,
        Live::Exports => of::<Export>(&cluster, Some(&cluster.namespace)).await,
        Live::Enrichments => of::<Enrichment>(&cluster, Some(&cluster.namespace)).await,
        Live::KeyVaults => of::<KeyVault>(&cluster, Some(&cluster.namespace)).await,
        Live::Datasets => of::<crate::api::Dataset>(&cluster, Some(&cluster.namespace)).await,
        Live::Connections => match of::<Connection>(&cluster, Some(&cluster.namespace)).await {
            Err(error) if error.is_forbidden() => {
                of::<SharedConnection>(&cluster, Some(&cluster.namespace)).await
            }
            names => names,
        },
    }
}

async fn of<K: Clone + Resource<DynamicType = ()>>(
    cluster: &Cluster,
    namespace: Option<&str>,
) -> Result<Vec<String>, ClusterError> {
    let selection = Selection {
        namespace: namespace.map(str::to_owned),
        ..Selection::default()
    };
    let found = cluster.metadata::<K>(&selection).await?;
    Ok(found.iter().map(PartialObjectMeta::name_any).collect())
}
