//! What may be known of a Secret without its values.

use std::collections::BTreeMap;

/// The type, the version and the keys of one Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretKeys {
    /// Its resource version.
    pub version: String,
    /// Its type.
    pub type_: String,
    /// Its keys, and whether each holds anything.
    pub keys: BTreeMap<String, bool>,
}
