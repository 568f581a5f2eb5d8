//! The data plane: carries one run's data to its destination, for as long as consent stands.
//!
//! A run is told what to do by its [`plan`]. The [`guard`] reads the connection before anything is opened and goes on
//! reading it: it is the only one who says that data may go. A [`source`] gives batches of rows, [`rows`] chooses among
//! them, [`encode`] writes them as the destination wants them, and [`sftp`] or [`objects`] brings them there whole or not at all, to
//! where the [`settings`] say.
//! For an enrichment, [`sftp`] fetches a file and [`enrich`] joins it to rows of a `source`.
//! [`run`] puts these together, [`progress`] tells how far it is, and [`outcome`] how it ended.
//!
//! The connection's [`credentials`] are mounted, or
//! read from its key [`vaults`].
//!
//! Direction: `run` names everything; the others know [`fault`] and the operator's language, and nothing of each other,
//! but for `enrich`, which reads a `source` and chooses by `rows`, for `rows`, which is given what a `source` has, and `vaults`, which adds to `credentials` what the `guard` would let pass.

pub mod credentials;
pub mod encode;
pub mod enrich;
pub mod fault;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod guard;
pub mod objects;
pub mod outcome;
pub mod places;
pub mod plan;
pub mod progress;
pub mod rows;
pub mod run;
pub mod settings;
pub mod sftp;
pub mod source;
pub mod telemetry;
pub mod vaults;
