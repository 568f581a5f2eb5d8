//! Where the files go or are, and how they are written, by the connection and what was chosen.

use crate::encode::Form;
use crate::settings::{Said, SettingsFault};
use connection_operator::api::connection::ConnectionSpec;
use connection_operator::api::connection_type::UsedFor;
use connection_operator::api::run::Plan;

/// What the catalog calls this connector.
pub const CONNECTOR: &str = "sftp";

/// Where files go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The fingerprint that its host key must have.
    pub host_key: Option<String>,
    /// The connection's folder.
    pub folder: String,
    /// The folders below it, one in the other.
    pub subfolders: Vec<String>,
    /// How files are written.
    pub form: Form,
    /// How many files one dataset may become.
    pub files_max: usize,
}

impl Settings {
    /// The settings of a run, from the connection as it was read.
    ///
    /// # Errors
    /// When something in them doesn't fit the type.
    pub fn of(plan: &Plan, connection: &ConnectionSpec) -> Result<Self, SettingsFault> {
        Self::said(&Said::of(plan, connection, CONNECTOR)?)
    }

    fn said(said: &Said<'_>) -> Result<Self, SettingsFault> {
        let port = said.own("port").unwrap_or("22").parse();
        let folder = said.own("folder").ok_or(SettingsFault::Connection)?;
        Ok(Self {
            host: said.own("hostname").ok_or(SettingsFault::Connection)?.to_owned(),
            port: port.map_err(|_| SettingsFault::Connection)?,
            host_key: said.own("hostKey").map(str::to_owned),
            folder: if folder == "/" {
                folder
            } else {
                folder.trim_end_matches('/')
            }
            .to_owned(),
            subfolders: said.folders("subfolder")?,
            form: said.form()?,
            files_max: said.files_max(),
        })
    }
}

/// What an enrichment fetches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Where it is. Its form has what separates the fields of a line.
    pub place: Settings,
    /// The file's name.
    pub file: String,
}

impl Import {
    /// What a run fetches, by the connection as it was read.
    ///
    /// # Errors
    /// When something in it doesn't fit the type.
    pub fn of(plan: &Plan, connection: &ConnectionSpec) -> Result<Self, SettingsFault> {
        let said = Said::of_use(plan, connection, (CONNECTOR, UsedFor::Enrichment))?;
        let [file] = <[String; 1]>::try_from(said.folders("fileName")?).map_err(|_| SettingsFault::Choice)?;
        Ok(Self {
            place: Settings::said(&said)?,
            file,
        })
    }

    /// Whether its name says that it is packed by gzip.
    #[must_use]
    pub fn gzip(&self) -> bool {
        self.file.to_lowercase().ends_with(".gz")
    }
}

#[cfg(test)]
mod tests;
