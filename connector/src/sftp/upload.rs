//! What one run puts into a folder: files under names of their own, and under their final names once all are whole.

use super::fault::{SftpFault, is_absent};
use super::server::Server;
use super::settings::Settings;
use super::write::OpenFile;
use connection_operator::governance::runs::names::hash;
use russh_sftp::client::error::Error;
use russh_sftp::protocol::{FileAttributes, Packet, StatusCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::warn;

/// How long taking away what was begun may take: less than the grace of a pod that is told to stop.
const UNDO_MAX: Duration = Duration::from_secs(6);
/// What unfinished files end with.
const UNFINISHED: &str = ".part";
/// What the file of before ends with while the new one takes its place: where the connection breaks in that moment, it may be
/// all that there is of it, so a later run takes it away once its own files have their final names.
const ASIDE: &str = "-before.part";
/// Renames over a file that is there.
const REPLACE: &str = "posix-rename@openssh.com";

/// What one run puts into a folder.
pub struct Upload {
    server: Arc<Server>,
    folder: String,
    /// What unfinished files of this export begin with, and those of this run: of one length for all, so that none begins
    /// as another's do.
    marks: (String, String),
    files: Vec<File>,
    /// The file that gets its final name just now. That is asked of the server as a whole, whatever ends the run meanwhile: in
    /// between, the file of before could be lost.
    renaming: Option<(usize, JoinHandle<Result<(), SftpFault>>)>,
}

/// One of its files.
struct File {
    path: String,
    name: String,
    /// What the server calls it while it's open.
    handle: Option<String>,
    published: bool,
}

impl Upload {
    /// Begins a run of the export of this uid, in the folder of these settings, which must be there; folders below it are
    /// made.
    ///
    /// # Errors
    /// When the folder can't be used.
    pub async fn begin(
        server: Server,
        settings: &Settings,
        (uid, run): (&str, &str),
    ) -> Result<Self, SftpFault> {
        let mut folder = settings.folder.clone();
        let found = server.sftp.stat(folder.as_str()).await?;
        if !found.attrs.is_dir() {
            return Err(SftpFault::FolderMissing);
        }
        for subfolder in &settings.subfolders {
            folder = join(&folder, subfolder);
            ensure(&server, &folder).await?;
        }
        let export = format!(".connections-{}-", &hash(uid.as_bytes())[..16]);
        let marks = (export.clone(), format!("{export}{run}-"));
        Ok(Self {
            server: Arc::new(server),
            folder,
            marks,
            files: Vec::new(),
            renaming: None,
        })
    }

    /// Begins a file that will be called so. With the first one, unfinished files of other runs of the export are taken away:
    /// they may be personal data, and fill the account's quota. Of one export one run goes on at a time: should another
    /// still, on a node that is lost, its file gets no final name after ours did.
    ///
    /// # Errors
    /// When it can't be made.
    pub async fn create(&mut self, name: &str) -> Result<OpenFile, SftpFault> {
        let path = join(
            &self.folder,
            &format!("{}{}{UNFINISHED}", self.marks.1, self.files.len()),
        );
        // Before it is made: whatever happens, it's known what is to be taken away.
        self.files.push(File {
            path: path.clone(),
            name: name.to_owned(),
            handle: None,
            published: false,
        });
        let opened = OpenFile::create(Arc::clone(&self.server), &path).await?;
        if let Some(file) = self.files.last_mut() {
            file.handle = Some(opened.handle().to_owned());
        }
        if self.files.len() == 1 {
            self.sweep(|name| !name.ends_with(ASIDE)).await;
        }
        Ok(opened)
    }

    /// Gives one file after the other its final name, and tells of each. Then what stepped aside for earlier runs is taken away.
    ///
    /// # Errors
    /// When a file can't be renamed. Those before it stand.
    pub async fn publish(&mut self, mut published: impl FnMut(usize)) -> Result<(), SftpFault> {
        for number in 0..self.files.len() {
            let Some(file) = self.files.get(number) else { break };
            let (server, from) = (Arc::clone(&self.server), file.path.clone());
            let to = join(&self.folder, &file.name);
            let renaming = tokio::spawn(async move { replace(&server, &from, &to).await });
            self.renaming = Some((number, renaming));
            self.renamed(&mut published).await?;
        }
        self.sweep(|name| name.ends_with(ASIDE)).await;
        Ok(())
    }

    /// Waits for the rename that is under way, if any.
    async fn renamed(&mut self, published: &mut impl FnMut(usize)) -> Result<(), SftpFault> {
        let Some((number, renaming)) = &mut self.renaming else {
            return Ok(());
        };
        let (number, done) = (*number, renaming.await);
        self.renaming = None;
        done.unwrap_or(Err(SftpFault::Broken))?;
        if let Some(file) = self.files.get_mut(number) {
            file.published = true;
        }
        published(number);
        Ok(())
    }

    /// Takes away what was begun and has no final name; true if nothing of it is left. Tells of a file that still got its name.
    pub async fn undo(&mut self, mut published: impl FnMut(usize)) -> bool {
        let undo = async {
            let _ = self.renamed(&mut published).await; // then it has no final name
            let begun = self.files.iter().filter(|file| !file.published);
            let mut gone = true;
            for file in begun {
                // Some servers keep a file that is open. Whether it still is doesn't matter.
                if let Some(handle) = &file.handle {
                    let _ = self.server.sftp.close(handle.as_str()).await;
                }
                let removed = self.server.sftp.remove(file.path.as_str()).await;
                gone &= removed.is_ok() || removed.is_err_and(|error| is_absent(&error));
            }
            gone
        };
        timeout(UNDO_MAX, undo).await.unwrap_or(false)
    }

    /// Takes away files of these names, which an earlier run needed and this one doesn't.
    ///
    /// # Errors
    /// When there is one that can't be taken away.
    pub async fn remove(&self, names: &[String]) -> Result<(), SftpFault> {
        for name in names {
            let path = join(&self.folder, name);
            // Some servers have no word of their own for what isn't there.
            if let Ok(found) = self.server.sftp.stat(path.as_str()).await
                && !found.attrs.is_dir()
            {
                self.server.sftp.remove(path).await?;
            }
        }
        Ok(())
    }

    /// Takes away those of these names that other runs of the export left. What can't be taken away, the next run tries again.
    async fn sweep(&self, wanted: impl Fn(&str) -> bool) {
        let swept = async {
            for name in self.left().await?.iter().filter(|name| wanted(name)) {
                if let Err(error) = self.server.sftp.remove(join(&self.folder, name)).await {
                    warn!(fault = ?SftpFault::from(error), "what an earlier run left can't be taken away");
                }
            }
            Ok::<_, Error>(())
        };
        if !matches!(timeout(UNDO_MAX, swept).await, Ok(Ok(()))) {
            warn!("it can't be looked for what earlier runs left");
        }
    }

    /// The names of unfinished files of other runs of the export.
    async fn left(&self) -> Result<Vec<String>, Error> {
        let folder = self.server.sftp.opendir(self.folder.as_str()).await?.handle;
        let mut left = Vec::new();
        while let Ok(entries) = self.server.sftp.readdir(folder.as_str()).await {
            let names = entries.files.into_iter().map(|entry| entry.filename);
            left.extend(names.filter(|name| {
                let ours = name.starts_with(&self.marks.0) && name.ends_with(UNFINISHED);
                ours && !name.starts_with(&self.marks.1) && !name.contains('/')
            }));
        }
        self.server.sftp.close(folder).await?;
        Ok(left)
    }
}

/// The path of what is called so in a folder.
pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.ends_with('/') {
        format!("{folder}{name}")
    } else {
        format!("{folder}/{name}")
    }
}

/// Makes a folder unless it's there.
async fn ensure(server: &Server, folder: &str) -> Result<(), SftpFault> {
    let is_there = async || match server.sftp.stat(folder).await {
        Ok(found) => Ok(Some(found.attrs.is_dir())),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(SftpFault::from(error)),
    };
    match is_there().await? {
        Some(true) => return Ok(()),
        Some(false) => return Err(SftpFault::FolderMissing),
        None => {}
    }
    match server.sftp.mkdir(folder, FileAttributes::empty()).await {
        Ok(_) => Ok(()),
        // Another run may have made it meanwhile.
        Err(error) => match is_there().await? {
            Some(true) => Ok(()),
            _ => Err(error.into()),
        },
    }
}

/// Renames over what is there. Where the server can't do that in one step, what is there steps aside, and comes back if
/// the new file can't take its place: for a moment there is no file of that name, and never a half one.
async fn replace(server: &Server, from: &str, to: &str) -> Result<(), SftpFault> {
    if server.can(REPLACE) {
        let packet = server.sftp.extended(REPLACE, two_strings(from, to)).await?;
        return match packet {
            Packet::Status(status) if status.status_code == StatusCode::Ok => Ok(()),
            Packet::Status(status) => Err(Error::Status(status).into()),
            _ => Err(SftpFault::Unsupported),
        };
    }
    let Err(error) = server.sftp.rename(from, to).await else {
        return Ok(());
    };
    if is_absent(&error) {
        return Err(error.into()); // ours isn't there any more: nothing steps aside for it
    }
    let aside = format!("{}{ASIDE}", from.trim_end_matches(UNFINISHED));
    if server.sftp.rename(to, aside.as_str()).await.is_err() {
        return Err(error.into()); // it wasn't in the way
    }
    if let Err(error) = server.sftp.rename(from, to).await {
        let _ = server.sftp.rename(aside, to).await; // a way that broke lets nothing come back
        return Err(error.into());
    }
    server.sftp.remove(aside).await?;
    Ok(())
}

/// Two strings as SSH writes them (RFC 4251, section 5).
fn two_strings(first: &str, second: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + first.len() + second.len());
    for text in [first, second] {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}
