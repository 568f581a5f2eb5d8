//! The notice of a connection type: what its administrator agrees to.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// What the administrator agrees to, in five statements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self == oldSelf || self.version != oldSelf.version || (self.recipient == oldSelf.recipient && self.data == oldSelf.data && self.responsibility == oldSelf.responsibility && self.howToStop == oldSelf.howToStop && self.privacyStatement == oldSelf.privacyStatement)")
    .message("a notice's text changes only with its version: raise notice.version"))]
pub struct Notice {
    /// Names this wording.
    #[schemars(length(min = 1, max = 63))]
    pub version: String,
    /// Who receives the data.
    #[schemars(length(min = 1, max = 2048))]
    pub recipient: String,
    /// That data, personal data included, leaves the boundary.
    #[schemars(length(min = 1, max = 2048))]
    pub data: String,
    /// That the customer answers for the recipient's privacy and security.
    #[schemars(length(min = 1, max = 2048))]
    pub responsibility: String,
    /// How to stop it at any time.
    #[schemars(length(min = 1, max = 2048))]
    pub how_to_stop: String,
    /// A link to the privacy statement.
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^https://"))]
    pub privacy_statement: String,
    /// The notice before this one, while consent to it still counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<PreviousNotice>,
}

/// The notice before, and how long consent to it still counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviousNotice {
    /// Names that wording.
    #[schemars(length(min = 1, max = 63))]
    pub version: String,
    /// Who receives the data.
    #[schemars(length(min = 1, max = 2048))]
    pub recipient: String,
    /// That data leaves the boundary.
    #[schemars(length(min = 1, max = 2048))]
    pub data: String,
    /// Who answers for privacy and security.
    #[schemars(length(min = 1, max = 2048))]
    pub responsibility: String,
    /// How to stop it.
    #[schemars(length(min = 1, max = 2048))]
    pub how_to_stop: String,
    /// A link to the privacy statement.
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^https://"))]
    pub privacy_statement: String,
    /// Until when consent to it counts, unless it has gone stale meanwhile.
    #[x_kube(validation = Rule::new("self < timestamp('9999-01-01T00:00:00Z')").message("until is a time within this age: write the day on which consent to the notice before ends"))]
    pub until: Time,
}
