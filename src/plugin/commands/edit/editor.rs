//! The editor that somebody prefers, and the file that they write in it.

use super::EditError;
use crate::api::{Connection, ConnectionSpec};
use crate::governance::message::bounded;
use crate::plugin::Session;
use crate::plugin::screen::format::yaml;
use kube::ResourceExt;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;
use tempfile::NamedTempFile;
use tokio::process::Command;

/// What somebody writes. Until it's saved it stays in its file, whatever happens.
pub(super) struct Written {
    file: Option<NamedTempFile>,
    /// What was in it to begin with.
    before: String,
}

impl Written {
    /// The spec of a connection, as a file to edit.
    pub(super) fn of(connection: &Connection) -> Result<Self, EditError> {
        let failed = |error: std::io::Error| editor(format!("There is no room for a file to edit: {error}."));
        let head = format!(
            "# The spec of the connection {}. Save and leave the editor to go on; save nothing to change nothing.\n",
            connection.name_any()
        );
        let before = head + &yaml(&connection.spec);
        let mut file = tempfile::Builder::new()
            .prefix("connection-")
            .suffix(".yaml")
            .tempfile()
            .map_err(failed)?;
        file.write_all(before.as_bytes()).map_err(failed)?;
        Ok(Self {
            file: Some(file),
            before,
        })
    }

    /// Lets somebody edit it, and reads what they have written.
    pub(super) async fn edited(&self, session: &Session) -> Result<ConnectionSpec, EditError> {
        let Some(file) = &self.file else {
            return Err(editor("There is no file to edit.".to_owned()));
        };
        let preferred = preferred(|name| std::env::var_os(name));
        session.lend_terminal(edit(&preferred, file.path())).await?;
        let read = std::fs::read_to_string(file.path());
        let written = read.map_err(|error| editor(format!("What was written can't be read: {error}.")))?;
        serde_saphyr::from_str(&written).map_err(|error| {
            let cause = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
            editor(format!("That is no spec of a connection: {}.", bounded(cause)))
        })
    }

    /// It's in the cluster, or nothing is different.
    pub(super) fn discarded(mut self) {
        self.file = None;
    }

    /// Leaves the file where it is if something was written, and tells where.
    pub(super) fn kept(mut self) -> Option<String> {
        self.keep()
    }

    fn keep(&mut self) -> Option<String> {
        let file = self.file.take()?;
        let written = std::fs::read_to_string(file.path());
        // What can't be read may have been written all the same.
        if written.is_ok_and(|written| written == self.before) {
            return None;
        }
        let (_, path) = file.keep().ok()?;
        Some(format!("What you wrote is in {}.", path.display()))
    }
}

impl Drop for Written {
    /// Somebody has interrupted it.
    fn drop(&mut self) {
        if let Some(told) = self.keep() {
            eprintln!("{told}");
        }
    }
}

fn editor(told: String) -> EditError {
    EditError::Editor { told }
}

/// The one that kubectl would take: what is empty isn't set.
fn preferred(set: impl Fn(&str) -> Option<OsString>) -> OsString {
    let names = ["KUBE_EDITOR", "EDITOR"].into_iter();
    let set = names.filter_map(set).find(|editor| !editor.is_empty());
    set.unwrap_or_else(|| if cfg!(windows) { "notepad" } else { "vi" }.into())
}

/// How it's started, as kubectl does it: by a shell where something in it is quoted, else by its words.
fn command(editor: &OsStr, file: &Path) -> Command {
    let text = editor.to_string_lossy();
    if text.contains(['"', '\'', '\\']) && !cfg!(windows) {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("{text} \"$1\""))
            .arg("sh")
            .arg(file);
        return command;
    }
    let mut words = text.split_whitespace();
    let mut command = match words.next().filter(|_| text.contains(' ')) {
        Some(program) => Command::new(program),
        None => Command::new(editor),
    };
    command.args(words).arg(file);
    command
}

async fn edit(preferred: &OsStr, file: &Path) -> Result<(), EditError> {
    let called = bounded(preferred.to_string_lossy().into_owned());
    match command(preferred, file).status().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(editor(format!("The editor {called} ended with {status}."))),
        Err(error) => Err(editor(format!("The editor {called} can't be started: {error}."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_editor_is_the_one_that_kubectl_takes() {
        let rows: [(&[(&str, &str)], &str); 5] = [
            (&[("KUBE_EDITOR", "nano"), ("EDITOR", "ed")], "nano"),
            (&[("KUBE_EDITOR", ""), ("EDITOR", "ed")], "ed"),
            (&[("EDITOR", "")], "vi"),
            (&[("VISUAL", "code")], "vi"),
            (&[], "vi"),
        ];
        for (set, expected) in rows {
            let value = |name: &str| {
                set.iter()
                    .find(|(one, _)| *one == name)
                    .map(|(_, value)| (*value).into())
            };
            assert_eq!(preferred(value), expected, "{set:?}");
        }
    }

    #[test]
    fn an_editor_may_have_arguments_and_quotes() {
        let rows: [(&str, &[&str]); 3] = [
            ("vi", &["vi", "/tmp/x y"]),
            ("code  --wait", &["code", "--wait", "/tmp/x y"]),
            (
                "'/opt/my editor' -n",
                &["sh", "-c", "'/opt/my editor' -n \"$1\"", "sh", "/tmp/x y"],
            ),
        ];
        for (editor, expected) in rows {
            let command = command(OsStr::new(editor), Path::new("/tmp/x y"));
            let command = command.as_std();
            let words: Vec<_> = std::iter::once(command.get_program())
                .chain(command.get_args())
                .collect();
            assert_eq!(words, expected, "{editor}");
        }
    }

    #[test]
    fn what_was_written_is_kept_and_what_was_not_is_not() {
        let connection: Connection = serde_json::from_value(serde_json::json!({
            "apiVersion": "connections.dev/v1alpha1", "kind": "Connection", "metadata": {"name": "partner"},
            "spec": {"displayName": "Drop", "type": "sftp-export"},
        }))
        .expect("a connection");
        let untouched = Written::of(&connection).expect("a file");
        assert_eq!(untouched.kept(), None);
        let written = Written::of(&connection).expect("a file");
        let path = written.file.as_ref().expect("a file").path().to_owned();
        std::fs::write(&path, "displayName: Other\n").expect("it is written");
        assert_eq!(
            written.kept(),
            Some(format!("What you wrote is in {}.", path.display()))
        );
        std::fs::remove_file(path).expect("it is there");
    }
}
