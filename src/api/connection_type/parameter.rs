//! One thing that a connection, export or enrichment says as text.

use crate::api::notice::SHOWN;
use crate::api::reference::FieldName;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest value of a parameter, in bytes.
pub const PARAMETER_VALUE_MAX: u32 = 1024;

/// One value that is given as text, and how it must look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.values) == (self.type == 'Enum')").message("a parameter has values exactly if its type is Enum"),
    validation = Rule::new("!has(self.pattern) || self.type == 'String'").message("only a String parameter has a pattern"),
    validation = Rule::new("(!has(self.min) && !has(self.max)) || self.type == 'Integer'").message("only an Integer parameter has min or max"),
    validation = Rule::new("!(has(self.default) && has(self.required) && self.required)").message("a required parameter has no default"),
    validation = Rule::new("!has(self.recipient) || !self.recipient || (has(self.destination) && self.destination)").message("a parameter that names who receives the data is a destination too, or consent would leave the recipient out: add destination: true")
)]
pub struct Parameter {
    /// Its name, in camel case.
    pub name: FieldName,
    /// What its text means.
    #[serde(rename = "type")]
    pub type_: ParameterType,
    /// What it is for.
    #[schemars(length(min = 1, max = 1024), regex(pattern = SHOWN))]
    pub description: String,
    /// A value that would be right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = PARAMETER_VALUE_MAX))]
    pub example: Option<String>,
    /// Whether it must be given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// What holds when it isn't given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = PARAMETER_VALUE_MAX))]
    pub default: Option<String>,
    /// A regular expression that the whole text must match (syntax of the Rust crate `regex`, linear in time).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub pattern: Option<String>,
    /// The texts that an Enum may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), inner(length(min = 1, max = 128)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub values: Option<Vec<String>>,
    /// The least that an Integer may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// The most that an Integer may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
    /// Whether it decides where data goes: changing it asks for consent again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub destination: bool,
    /// Whether it names who receives the data. What does is a `destination` too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recipient: bool,
}

/// What the text of a parameter means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ParameterType {
    /// Any text that matches the pattern.
    String,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// One of the listed values.
    Enum,
}
