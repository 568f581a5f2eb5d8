//! A bucket or container of an object store, in which objects appear whole or not at all.
//!
//! Flow: [`settings`](Settings) say where, a [`Store`] is the way there, and an [`Upload`] hands over each object in parts
//! and completes all of them at the end. Guarantees: under its final name an object is the one of before or the whole new
//! one; parts of what wasn't completed are taken away, by this run, or by a later one if the connection broke. Nothing
//! goes to another host than the store's, and nothing without TLS; redirects aren't followed.

mod answer;
mod fault;
mod settings;
mod store;
mod transport;
mod unfinished;
mod upload;
mod write;

pub use fault::ObjectsFault;
pub use settings::{AZURE_BLOB, S3, Service, Settings};
pub use store::{Store, Way};
pub use upload::Upload;
pub use write::OpenObject;
