//! Where the files go and how they are written, by the connection and what the export chose.

use crate::encode::Form;
use crate::settings::{Said, SettingsFault};
use connection_operator::api::connection::ConnectionSpec;
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
        let said = Said::of(plan, connection, CONNECTOR)?;
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

#[cfg(test)]
mod tests;
