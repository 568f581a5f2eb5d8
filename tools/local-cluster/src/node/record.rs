//! What is written down about a running node, so that any later run can find and stop it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::Error;

/// Which process holds the node's namespaces, and the number that its interface and addresses carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The process id, as seen from outside.
    pub pid: u32,
    /// When it started: a later process with the same id has another.
    started: String,
    /// Tells the nodes of one machine apart.
    pub number: u8,
    /// The versions that it runs.
    pub versions: String,
}

impl Record {
    /// A record of a process that has just been started; nothing if it has ended already.
    #[must_use]
    pub fn of(pid: u32, number: u8, versions: String) -> Option<Self> {
        let started = start_of(pid)?;
        Some(Self {
            pid,
            started,
            number,
            versions,
        })
    }

    /// Reads it; nothing if there is none, or it is of no use.
    #[must_use]
    pub fn read(file: &Path) -> Option<Self> {
        let value: Value = serde_json::from_str(&fs::read_to_string(file).ok()?).ok()?;
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        Some(Self {
            pid: value["pid"].as_u64()?.try_into().ok()?,
            started: text("started")?,
            number: value["number"].as_u64()?.try_into().ok()?,
            versions: text("versions")?,
        })
    }

    /// Writes it, in one go: it is there whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), Error> {
        let unfinished = file.with_extension("unfinished");
        let value = json!({
            "pid": self.pid,
            "started": self.started,
            "number": self.number,
            "versions": self.versions,
        });
        fs::write(&unfinished, value.to_string()).map_err(Error::file("write", &unfinished))?;
        fs::rename(&unfinished, file).map_err(Error::file("write", file))
    }

    /// Whether that very process still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        start_of(self.pid).is_some_and(|started| started == self.started)
    }

    /// The namespace of the node's processes.
    #[must_use]
    pub fn processes(&self) -> Processes {
        Processes {
            namespace: fs::read_link(format!("/proc/{}/ns/pid_for_children", self.pid)).ok(),
        }
    }
}

/// The processes of one namespace.
#[derive(Debug)]
pub struct Processes {
    namespace: Option<PathBuf>,
}

impl Processes {
    /// Whether all have ended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Some(namespace) = &self.namespace else {
            return true;
        };
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let mut namespaces =
            processes.filter_map(|process| fs::read_link(process.path().join("ns/pid")).ok());
        !namespaces.any(|other| other == *namespace)
    }
}

/// The boot and the moment in it at which a living process started.
fn start_of(pid: u32) -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field, the program's name in parentheses, may hold spaces; counted from behind it, the state is the
    // first field and the start time the 20th.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    if matches!(*fields.first()?, "Z" | "X") {
        return None;
    }
    Some(format!("{} {}", boot.trim(), fields.get(19)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_knows_its_process_again() {
        let file = std::env::temp_dir().join(format!("record-{}.json", std::process::id()));
        let record = Record::of(std::process::id(), 7, "kubernetes-1".to_owned()).unwrap();
        record.write(&file).unwrap();

        assert_eq!(Record::read(&file), Some(record.clone()));
        assert!(record.is_alive());
        fs::remove_file(&file).unwrap();
        assert_eq!(Record::read(&file), None);
    }

    #[test]
    fn a_later_process_with_the_same_id_is_another() {
        let mut record = Record::of(std::process::id(), 0, String::new()).unwrap();
        record.started = "an earlier boot 1".to_owned();
        assert!(!record.is_alive());
    }

    #[test]
    fn a_damaged_record_is_none() {
        let file = std::env::temp_dir().join(format!("damaged-{}.json", std::process::id()));
        fs::write(&file, r#"{"pid": "many"}"#).unwrap();
        assert_eq!(Record::read(&file), None);
        fs::remove_file(&file).unwrap();
    }
}
