//! A folder on an SFTP server, in which files appear whole or not at all, and from which an enrichment fetches one.
//!
//! Flow: [`settings`](Settings) say where, [`Server::connect`] signs in and looks for the folder, an
//! [`Upload`](upload::Upload) writes each file under a name of its own and renames all of them at the end. Guarantees:
//! under its final name a file is the one of before or the whole new one; what was begun and not finished is taken away,
//! by this run, or by a later one if the connection broke. No credential is sent to a server with another host key.

mod fault;
mod fetch;
mod host_key;
mod login;
mod server;
mod settings;
mod upload;
mod window;
mod write;

pub use fault::SftpFault;
pub use fetch::{Fetch, FetchFault};
pub use server::Server;
pub use settings::{CONNECTOR, Import, Settings};
pub use upload::Upload;
pub use write::OpenFile;
