//! The notice of a connection type: what its administrator agrees to.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// A text that people read: without characters that hide others or change how they are shown, but with line ends.
pub const SHOWN: &str = r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f\x{ad}\x{34f}\x{61c}\x{180e}\x{3164}\x{200b}\x{200e}\x{200f}\x{2028}-\x{202e}\x{2060}-\x{2069}\x{feff}\x{e0000}-\x{e0fff}]+$";
/// An https address of characters that everybody sees as what they are.
pub const LINK: &str = r"^https://[!-~]+$";
/// The name of a wording.
const VERSION: &str = "^[!-~]([ -~]*[!-~])?$";
/// A time with fractions that the programs which read it all take.
const UNTIL: &str = r"^[^.]*([.][0-9]{1,9})?([Zz]|[-+][0-9]{2}:[0-9]{2})$";

/// What the administrator agrees to, in five statements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self == oldSelf || self.version != oldSelf.version || (self.recipient == oldSelf.recipient && self.data == oldSelf.data && self.responsibility == oldSelf.responsibility && self.howToStop == oldSelf.howToStop && self.privacyStatement == oldSelf.privacyStatement)")
    .message("a notice's text changes only with its version: raise notice.version"))]
pub struct Notice {
    /// Names this wording.
    #[schemars(length(min = 1, max = 63), regex(pattern = VERSION))]
    pub version: String,
    /// Who receives the data.
    #[schemars(length(min = 1, max = 1024), regex(pattern = SHOWN))]
    pub recipient: String,
    /// That data, personal data included, leaves the boundary.
    #[schemars(length(min = 1, max = 1024), regex(pattern = SHOWN))]
    pub data: String,
    /// That the customer answers for the recipient's privacy and security.
    #[schemars(length(min = 1, max = 1024), regex(pattern = SHOWN))]
    pub responsibility: String,
    /// How to stop it at any time.
    #[schemars(length(min = 1, max = 1024), regex(pattern = SHOWN))]
    pub how_to_stop: String,
    /// A link to the privacy statement.
    #[schemars(length(min = 1, max = 512), regex(pattern = LINK))]
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
    #[schemars(length(min = 1, max = 63), regex(pattern = VERSION))]
    pub version: String,
    /// Who receives the data.
    #[schemars(length(min = 1, max = 1024), regex(pattern = SHOWN))]
    pub recipient: String,
    /// That data leaves the boundary.
    #[schemars(length(min = 1, max = 1024), regex(pattern = SHOWN))]
    pub data: String,
    /// Who answers for privacy and security.
    #[schemars(length(min = 1, max = 1024), regex(pattern = SHOWN))]
    pub responsibility: String,
    /// How to stop it.
    #[schemars(length(min = 1, max = 1024), regex(pattern = SHOWN))]
    pub how_to_stop: String,
    /// A link to the privacy statement.
    #[schemars(length(min = 1, max = 512), regex(pattern = LINK))]
    pub privacy_statement: String,
    /// Until when consent to it counts, unless it has gone stale meanwhile; with at most nine digits of a second's fraction.
    #[schemars(length(max = 64), regex(pattern = UNTIL))]
    #[x_kube(validation = Rule::new("self < timestamp('9999-01-01T00:00:00Z')").message("until is a time within this age: write the day on which consent to the notice before ends"))]
    pub until: Time,
}
