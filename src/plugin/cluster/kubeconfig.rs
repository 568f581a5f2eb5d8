//! Which cluster and who asks, out of kubeconfig files or a pod's account: by the rules of kubectl.

use super::{ClusterError, Flags};
use crate::governance::message::bounded;
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use std::io::ErrorKind;
use std::path::PathBuf;

/// How to reach the cluster, and by which context.
pub(super) async fn read(flags: &Flags) -> Result<(Config, Option<String>), ClusterError> {
    let listed = std::env::var_os("KUBECONFIG").map(|list| std::env::split_paths(&list).collect());
    let Some(kubeconfig) = found(flags, listed)? else {
        let config = Config::incluster().map_err(|error| ClusterError::Configuration {
            cause: format!("there is no kubeconfig, and this is no pod ({error})"),
        })?;
        return Ok((config, None));
    };
    let context = flags
        .context
        .clone()
        .or_else(|| kubeconfig.current_context.clone());
    let options = KubeConfigOptions {
        context: flags.context.clone(),
        cluster: flags.cluster.clone(),
        user: flags.user.clone(),
    };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    Ok((config.map_err(ClusterError::configuration)?, context))
}

/// What the files say; nothing where a pod's account may stand in for them.
fn found(flags: &Flags, listed: Option<Vec<PathBuf>>) -> Result<Option<Kubeconfig>, ClusterError> {
    if let Some(file) = &flags.kubeconfig {
        let kubeconfig = Kubeconfig::read_from(file);
        return kubeconfig.map(Some).map_err(ClusterError::configuration);
    }
    let listed: Vec<PathBuf> = listed.into_iter().flatten().collect();
    let named: Vec<PathBuf> = listed
        .into_iter()
        .filter(|file| !file.as_os_str().is_empty())
        .collect();
    if !named.is_empty() {
        return merged(&named).map(Some);
    }
    // Whoever names a context means one of a file.
    let chooses = flags.context.is_some() || flags.cluster.is_some() || flags.user.is_some();
    match Kubeconfig::read() {
        Ok(kubeconfig) => Ok(Some(kubeconfig)),
        Err(error) if is_absent(&error) && !chooses => Ok(None),
        Err(error) => Err(ClusterError::configuration(error)),
    }
}

/// Those of a list that are there: some programs name files that others have yet to write.
fn merged(files: &[PathBuf]) -> Result<Kubeconfig, ClusterError> {
    let mut whole = None;
    for file in files {
        let next = match Kubeconfig::read_from(file) {
            Err(error) if is_absent(&error) => continue,
            next => next.map_err(ClusterError::configuration)?,
        };
        whole = Some(match whole {
            None => next,
            Some(whole) => Kubeconfig::merge(whole, next).map_err(ClusterError::configuration)?,
        });
    }
    whole.ok_or_else(|| {
        let files = files.iter().map(|file| file.display().to_string());
        let files = bounded(files.collect::<Vec<_>>().join(", "));
        ClusterError::Configuration {
            cause: format!("no file that KUBECONFIG names is there ({files})"),
        }
    })
}

fn is_absent(error: &KubeconfigError) -> bool {
    match error {
        KubeconfigError::FindPath => true,
        KubeconfigError::ReadConfig(cause, _) => cause.kind() == ErrorKind::NotFound,
        _ => false,
    }
}

/// Such as `in the namespace marketing (context prod)`.
pub(super) fn place(namespace: &str, context: Option<&str>) -> String {
    let by = context.map_or_else(
        || "by this pod's account".to_owned(),
        |context| format!("context {}", bounded(context.to_owned())),
    );
    format!("in the namespace {} ({by})", bounded(namespace.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubeconfig(folder: &std::path::Path, name: &str, text: &str) -> PathBuf {
        let file = folder.join(name);
        std::fs::write(&file, text).expect("it is written");
        file
    }

    #[test]
    fn of_a_list_those_are_read_that_are_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let none = folder.path().join("none");
        let one = kubeconfig(
            folder.path(),
            "one",
            "{current-context: one, contexts: [{name: one}]}",
        );
        let two = kubeconfig(
            folder.path(),
            "two",
            "{current-context: two, contexts: [{name: two}]}",
        );
        let broken = kubeconfig(folder.path(), "broken", "contexts: [");
        let context = |files: &[&PathBuf]| {
            let files = files.iter().map(|&file| file.clone()).collect();
            let found = found(&Flags::default(), Some(files))?;
            Ok::<_, ClusterError>(found.and_then(|found| found.current_context))
        };
        let rows: [(&str, &[&PathBuf], Option<&str>); 3] = [
            ("both", &[&one, &two], Some("one")),
            ("one is yet to be written", &[&none, &two], Some("two")),
            ("an empty name", &[&PathBuf::new(), &two], Some("two")),
        ];
        for (case, files, expected) in rows {
            let expected = expected.map(str::to_owned);
            assert_eq!(context(files).expect(case), expected, "{case}");
        }
        let told = context(&[&none, &none]).expect_err("none is there").to_string();
        assert!(told.contains("no file that KUBECONFIG names is there"), "{told}");
        assert!(context(&[&one, &broken]).is_err(), "what is there must be whole");
        let flags = Flags {
            kubeconfig: Some(none),
            ..Flags::default()
        };
        assert!(
            found(&flags, Some(vec![one])).is_err(),
            "the flag's file must be there"
        );
    }

    #[test]
    fn a_place_is_told_with_its_context() {
        assert_eq!(
            place("marketing", Some("prod")),
            "in the namespace marketing (context prod)"
        );
        assert_eq!(
            place("marketing", None),
            "in the namespace marketing (by this pod's account)"
        );
    }
}
