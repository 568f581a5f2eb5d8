//! By which columns a service recognises people or companies.

use crate::api::reference::FieldName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which identifying columns the data must have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// At least one of these sets must be there, each whole. Those whose `when` doesn't hold are left out; if none is
    /// left, nothing is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 16))]
    pub any_of: Vec<IdentitySet>,
    /// More that makes matches better.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub optional: Vec<FieldName>,
}

/// Columns that identify together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdentitySet {
    /// What the columns hold, such as `email`.
    #[schemars(length(min = 1, max = 8))]
    pub all: Vec<FieldName>,
    /// Where the service goes by these columns; everywhere if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
}

/// A parameter that has a certain value, be it given or the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct When {
    /// The name of a parameter of type Enum or Boolean, in `exportParameters` or `parameters`.
    pub parameter: FieldName,
    /// The value that it has: one of an Enum's, or `true` or `false`.
    #[schemars(length(min = 1, max = 128))]
    pub value: String,
}
