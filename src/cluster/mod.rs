//! The only code that talks to the Kubernetes API. It knows the language, and nothing of the rules.

pub mod events;
pub mod follow;
pub mod guard;
pub mod leadership;
pub mod lease;
pub mod listing;
pub mod objects;
pub mod places;
pub mod policies;
pub mod progress;
pub mod run_tokens;
pub mod secrets;
pub mod trial;
pub mod writes;

pub use follow::follow;
pub use leadership::Leadership;
pub use objects::{Change, Feed, ObjectKey, Objects};
pub use places::Places;
