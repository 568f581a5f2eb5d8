//! Where the objects go and how they are written, by the connection and what the export chose.

use crate::encode::Form;
use crate::settings::{Said, SettingsFault};
use connection_operator::api::connection::ConnectionSpec;
use connection_operator::api::run::Plan;

/// What the catalog calls the connector of stores that speak S3.
pub const S3: &str = "s3";
/// What it calls the one of Azure's storage accounts.
pub const AZURE_BLOB: &str = "azure-blob";

/// The port on which everybody speaks HTTPS.
pub const HTTPS: u16 = 443;

/// Where objects go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The store.
    pub service: Service,
    /// What the objects' names begin with, part by part.
    pub folders: Vec<String>,
    /// How files are written.
    pub form: Form,
    /// How many files one dataset may become.
    pub files_max: usize,
}

/// A store, by what it speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// S3, with the bucket named in the path.
    S3 {
        /// The host.
        host: String,
        /// Its port.
        port: u16,
        /// The region that requests are signed for.
        region: String,
        /// The bucket.
        bucket: String,
    },
    /// Azure's Blob service.
    AzureBlob {
        /// The account's own host.
        host: String,
        /// The account.
        account: String,
        /// The container.
        container: String,
    },
}

impl Settings {
    /// The settings of a run, from the connection as it was read.
    ///
    /// # Errors
    /// When something in them doesn't fit the type, or isn't a name that can stand in an address.
    pub fn of(plan: &Plan, connection: &ConnectionSpec, connector: &str) -> Result<Self, SettingsFault> {
        let said = Said::of(plan, connection, connector)?;
        let service = match connector {
            S3 => s3(&said)?,
            AZURE_BLOB => azure_blob(&said, plan)?,
            _ => return Err(SettingsFault::NotOurs),
        };
        Ok(Self {
            service,
            folders: said.folders("folder")?,
            form: said.form()?,
            files_max: said.files_max(),
        })
    }
}

fn s3(said: &Said<'_>) -> Result<Service, SettingsFault> {
    let port = match said.own("port") {
        Some(port) => port.parse().map_err(|_| SettingsFault::Connection)?,
        None => HTTPS,
    };
    Ok(Service::S3 {
        host: plain(said.own("hostname"), '.')?,
        port,
        region: plain(said.own("region"), '-')?,
        bucket: plain(said.own("bucket"), '.')?,
    })
}

fn azure_blob(said: &Said<'_>, plan: &Plan) -> Result<Service, SettingsFault> {
    let suffix = match said.own("cloud") {
        None | Some("Public") => "blob.core.windows.net",
        Some("USGovernment") => "blob.core.usgovcloudapi.net",
        Some("China") => "blob.core.chinacloudapi.cn",
        Some(_) => return Err(SettingsFault::Type),
    };
    // Consent is to the hosts that the type names.
    let consented = format!("*.{suffix}");
    let mut endpoints = plan.type_spec.endpoints.iter();
    if !endpoints.any(|endpoint| endpoint.as_str() == consented) {
        return Err(SettingsFault::Type);
    }
    let account = plain(said.own("accountName"), '-')?;
    Ok(Service::AzureBlob {
        host: format!("{account}.{suffix}"),
        account,
        container: plain(said.own("container"), '-')?,
    })
}

/// A name of letters, digits, hyphens, and this: the patterns of types let nothing else through; a type of somebody
/// else's making may have others, by which a name could become another address.
fn plain(given: Option<&str>, also: char) -> Result<String, SettingsFault> {
    let given = given.ok_or(SettingsFault::Connection)?;
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == also;
    let begins = given.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    if begins && given.chars().all(fits) {
        Ok(given.to_owned())
    } else {
        Err(SettingsFault::Connection)
    }
}

#[cfg(test)]
mod tests;
