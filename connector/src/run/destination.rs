//! The kinds of destination, and what a run needs of each: to begin, to fill files, to give them their final names, and to undo.

use super::feed::Making;
use crate::credentials::Credentials;
use crate::fault::Ended;
use crate::settings::SettingsFault;
use crate::{objects, sftp};
use bytes::Bytes;
use connection_operator::api::connection::ConnectionSpec;
use connection_operator::api::reference::ObjectName;
use connection_operator::api::run::Plan;

/// Where a run's files go.
pub enum Destination {
    /// A folder on an SFTP server.
    Sftp(sftp::Settings),
    /// A bucket or container of an object store.
    Objects(objects::Settings),
}

impl Destination {
    /// That of the plan's connection, as it was read: the type's connector says which kind it is.
    pub fn of(plan: &Plan, connection: &ConnectionSpec) -> Result<Self, SettingsFault> {
        let connector = plan.type_spec.connector.as_ref();
        match connector.map(ObjectName::as_str) {
            Some(sftp::CONNECTOR) => Ok(Self::Sftp(sftp::Settings::of(plan, connection)?)),
            Some(named @ (objects::S3 | objects::AZURE_BLOB)) => {
                Ok(Self::Objects(objects::Settings::of(plan, connection, named)?))
            }
            _ => Err(SettingsFault::NotOurs),
        }
    }

    /// How files are made for it.
    pub fn making(&self) -> Making {
        let (form, files_max) = match self {
            Self::Sftp(settings) => (settings.form, settings.files_max),
            Self::Objects(settings) => (settings.form, settings.files_max),
        };
        Making { form, files_max }
    }

    /// Reaches it with these credentials, which aren't needed any longer then, and begins a run of the export of this uid.
    pub async fn begin(&self, credentials: Credentials, run: (&str, &str)) -> Result<Upload, Ended> {
        match self {
            Self::Sftp(settings) => {
                let server = sftp::Server::connect(settings, &credentials).await?;
                drop(credentials);
                let upload = sftp::Upload::begin(server, settings, run).await?;
                Ok(Upload::Sftp(upload))
            }
            Self::Objects(settings) => {
                let store = objects::Store::new(settings, &credentials, &objects::Way::default())?;
                Ok(Upload::Objects(objects::Upload::begin(store, settings)))
            }
        }
    }
}

/// What one run puts there.
pub enum Upload {
    /// Into a folder on an SFTP server.
    Sftp(sftp::Upload),
    /// Into a bucket or container of an object store.
    Objects(objects::Upload),
}

impl Upload {
    /// Begins a file that will be called so.
    pub async fn create(&mut self, name: &str) -> Result<OpenFile, Ended> {
        match self {
            Self::Sftp(upload) => Ok(OpenFile::Sftp(upload.create(name).await?)),
            Self::Objects(upload) => Ok(OpenFile::Object(upload.create(name).await?)),
        }
    }

    /// Gives one file after the other its final name, and tells of each.
    pub async fn publish(&mut self, published: impl FnMut(usize)) -> Result<(), Ended> {
        match self {
            Self::Sftp(upload) => Ok(upload.publish(published).await?),
            Self::Objects(upload) => Ok(upload.publish(published).await?),
        }
    }

    /// Takes away files of these names, which an earlier run needed and this one doesn't.
    pub async fn remove(&self, names: &[String]) -> Result<(), Ended> {
        match self {
            Self::Sftp(upload) => Ok(upload.remove(names).await?),
            Self::Objects(upload) => Ok(upload.remove(names).await?),
        }
    }

    /// Takes away what was begun and has no final name; true if nothing of it is left. Tells of a file that still got its name.
    pub async fn undo(&mut self, published: impl FnMut(usize)) -> bool {
        match self {
            Self::Sftp(upload) => upload.undo(published).await,
            Self::Objects(upload) => upload.undo(published).await,
        }
    }
}

/// A file that is being filled.
pub enum OpenFile {
    /// On an SFTP server.
    Sftp(sftp::OpenFile),
    /// At an object store.
    Object(objects::OpenObject),
}

impl OpenFile {
    /// Writes at its end.
    pub async fn write(&mut self, bytes: &Bytes) -> Result<(), Ended> {
        match self {
            Self::Sftp(file) => Ok(file.write(bytes).await?),
            Self::Object(object) => Ok(object.write(bytes).await?),
        }
    }

    /// Waits until all of it is at the destination.
    pub async fn finish(self) -> Result<(), Ended> {
        match self {
            Self::Sftp(file) => Ok(file.finish().await?),
            Self::Object(object) => Ok(object.finish().await?),
        }
    }
}
