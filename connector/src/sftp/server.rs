//! The server: reached, known by its key, signed in to, and asked for SFTP.

use super::fault::SftpFault;
use super::host_key::{Caller, configs};
use super::login::Login;
use super::settings::Settings;
use crate::credentials::Credentials;
use crate::fault::Ended;
use russh::client::{Handle, connect_stream};
use russh_sftp::client::RawSftpSession;
use russh_sftp::client::rawsession::Limits;
use std::collections::HashMap;
use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// How long the server may take to be reached, and to let us in.
const REACH_MAX: Duration = Duration::from_secs(20);
/// How long it may take for one answer, in seconds.
const ANSWER_SECONDS: u64 = 60;
/// The most that is written or read at once, in bytes.
const AT_ONCE_MAX: u64 = 128 << 10;
/// What every server takes and gives, in bytes.
const PLAIN: u64 = 32 << 10;

/// How an SSH server begins, unless it says something to people first.
const GREETING: &[u8] = b"SSH-";

/// An SFTP server that lets us in.
pub struct Server {
    /// Its SFTP.
    pub sftp: RawSftpSession,
    /// How much it takes at once, in bytes.
    pub write_max: usize,
    /// How much it gives at once, in bytes.
    pub read_max: u32,
    /// What it can beyond the protocol, by name and version.
    extensions: HashMap<String, String>,
    /// The SSH connection, which ends when it is dropped.
    _ssh: Handle<Caller>,
}

impl Server {
    /// Reaches the server and signs in.
    ///
    /// # Errors
    /// When it isn't there, isn't who it should be, or doesn't let us in.
    pub async fn connect(settings: &Settings, credentials: &Credentials) -> Result<Self, Ended> {
        let login = Login::of(credentials).await?; // before anybody is asked anything
        let mut ssh = reached(settings).await?;
        let signed_in = timeout(REACH_MAX, login.sign_in(&mut ssh)).await;
        signed_in.map_err(|_| SftpFault::NotReached)??;
        let asked = timeout(REACH_MAX, Self::ask_for_sftp(ssh)).await;
        Ok(asked.map_err(|_| SftpFault::NoSftp)??)
    }

    async fn ask_for_sftp(ssh: Handle<Caller>) -> Result<Self, SftpFault> {
        let channel = ssh.channel_open_session().await.map_err(|_| SftpFault::NoSftp)?;
        let asked = channel.request_subsystem(true, "sftp").await;
        asked.map_err(|_| SftpFault::NoSftp)?;
        let mut sftp = RawSftpSession::new(channel.into_stream());
        sftp.set_timeout(ANSWER_SECONDS);
        let version = sftp.init().await.map_err(|_| SftpFault::NoSftp)?;
        let (mut write_max, mut read_max) = (PLAIN, PLAIN);
        if version.extensions.contains_key(russh_sftp::extensions::LIMITS) {
            let limits = Limits::from(sftp.limits().await?);
            let bounded = |told: Option<u64>| told.unwrap_or(PLAIN).clamp(1, AT_ONCE_MAX);
            (write_max, read_max) = (bounded(limits.write_len), bounded(limits.read_len));
            sftp.set_limits(limits);
        }
        Ok(Self {
            sftp,
            write_max: usize::try_from(write_max).unwrap_or_default(),
            read_max: u32::try_from(read_max).unwrap_or_default(),
            extensions: version.extensions.into_iter().collect(),
            _ssh: ssh,
        })
    }

    /// Whether it can do this beyond the protocol.
    pub fn can(&self, extension: &str) -> bool {
        self.extensions
            .get(extension)
            .is_some_and(|version| version == "1")
    }
}

/// The SSH connection, once the server has shown the right key. It has several, and shows one of the sort that is asked
/// for.
async fn reached(settings: &Settings) -> Result<Handle<Caller>, SftpFault> {
    let expected = settings.host_key.as_deref();
    let mut fault = SftpFault::NotSsh;
    for config in configs(expected.is_some()) {
        let opened = timeout(REACH_MAX, stream(settings)).await;
        let (stream, is_ssh) = opened.map_err(|_| SftpFault::NotReached)??;
        let (caller, differs) = Caller::new(expected);
        match timeout(REACH_MAX, connect_stream(config, stream, caller)).await {
            Ok(Ok(ssh)) => return Ok(ssh),
            Ok(Err(_)) if differs.load(Ordering::Relaxed) => fault = SftpFault::HostKeyDiffers,
            Ok(Err(russh::Error::NoCommonAlgo { .. })) => {} // it has no key of this sort
            Ok(Err(russh::Error::IO(_) | russh::Error::Disconnect | russh::Error::HUP)) if is_ssh => {
                return Err(SftpFault::NotReached);
            }
            Ok(Err(_)) => return Err(SftpFault::NotSsh),
            Err(_) => return Err(SftpFault::NotReached),
        }
    }
    Err(fault)
}

/// The way to the server, once it has said something, and whether that is how SSH begins.
async fn stream(settings: &Settings) -> Result<(TcpStream, bool), SftpFault> {
    let found = lookup_host((settings.host.as_str(), settings.port)).await;
    let addresses: Vec<_> = found.map_err(|_| SftpFault::HostUnknown)?.collect();
    let opened = async {
        let stream = TcpStream::connect(addresses.as_slice()).await?;
        stream.set_nodelay(true)?;
        let mut greeting = [0; GREETING.len()];
        let length = stream.peek(&mut greeting).await?;
        Ok::<_, io::Error>((stream, greeting, length))
    };
    let (stream, greeting, length) = opened.await.map_err(|_| SftpFault::NotReached)?;
    if length == 0 {
        return Err(SftpFault::NotReached); // it hung up
    }
    Ok((stream, GREETING.starts_with(&greeting[..length])))
}
