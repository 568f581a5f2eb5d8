//! The closed vocabulary of conditions: their types, and the reasons that they may give.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest message that a condition may carry, in characters.
pub const MESSAGE_MAX: u32 = 4096;

/// Most conditions of one object, those that others wrote included.
pub const CONDITIONS_MAX: u32 = 16;

/// One observation about an object, in the form that kubectl and GitOps tools read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What is judged.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 316))]
    pub type_: String,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// The generation of the object that was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When `status` last changed.
    pub last_transition_time: Time,
    /// Why, in one word of the documented vocabulary.
    #[schemars(length(min = 1, max = 1024))]
    pub reason: String,
    /// Why, in whole sentences: what is wrong, where, and the next step.
    #[schemars(length(max = MESSAGE_MAX))]
    pub message: String,
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It could not be judged yet.
    Unknown,
}

/// Declares an enum whose variants are written as they are named, each with its one sentence.
macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident { $($(#[doc = $doc:literal])+ $variant:ident,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[doc = $doc])+ $variant,)+ }

        impl $name {
            /// All of them, in the order in which they are documented.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word as it stands in YAML.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)+ }
            }

            /// The sentence that explains it.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc,)+).trim(),)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

vocabulary! {
    /// What a condition judges.
    ConditionType {
        /// The object does what it is for, or rests on purpose.
        Ready,
        /// The operator, or what it waits for, is still on the way to the wanted state.
        Reconciling,
        /// Nothing will change until a person acts.
        Stalled,
        /// What the author wrote fits the type and the rules.
        Valid,
        /// The administrator agreed to the notice for this very destination.
        ConsentGiven,
        /// Every secret reference leads to a usable value.
        SecretsResolved,
        /// The namespace's run account is there, as far as the key vault signs in by it.
        RunAccountReady,
        /// The vault answers, and lets its secrets be looked at.
        Reachable,
        /// A connector has tried the destination.
        Verified,
        /// The object is being removed, and something still holds it.
        Deleting,
        /// The connection exists, is of the right kind and may be used.
        Attached,
        /// The schedule can be kept.
        Scheduled,
        /// The newest run ended well.
        LastRunSucceeded,
        /// The newest request for a run was granted.
        RequestGranted,
    }
}

vocabulary! {
    /// Why a condition is as it is.
    Reason {
        /// All is well.
        Ready,
        /// It rests because its `suspend` is true, or that of its connection.
        Suspended,
        /// It names no connection, keeps its whole configuration and does nothing.
        Detached,
        /// An administrator must act before what is on the shared connection can run.
        WaitsForAdministrator,
        /// It is being removed, and nothing runs any more.
        BeingRemoved,

        /// A parameter is unknown, missing or not of the declared form.
        ParametersInvalid,
        /// A secret stands under a name that the type doesn't know, is missing, or doesn't come from exactly one source that the type supports.
        SecretsInvalid,
        /// The schedule's cron text or time zone can't be used, or never comes.
        ScheduleInvalid,
        /// The connection's type is for the other kind of use.
        TypeMismatch,
        /// The type names no connector, or one that this installation doesn't run.
        NoConnector,
        /// The connection or a dataset asks of the connector what it can't do yet.
        ConnectorLacks,
        /// The dataset's role doesn't allow this use, or what is only read lies at its place.
        DatasetIneligible,
        /// Another one already writes to this dataset, or to its place.
        OutputTaken,
        /// More datasets are named than the service takes at once.
        TooManyDatasets,
        /// Columns are missing by which the service recognises people or companies.
        IdentityMissing,
        /// A dataset has fewer members than the service takes.
        TooFewMembers,
        /// There are more members than the service takes.
        TooManyMembers,
        /// An older export sends the same rows to the same place.
        DatasetSentTwice,
        /// The referenced Secret holds a credential of the cluster itself, or the key vault doesn't allow the secret to be named.
        SecretNotAllowed,
        /// The connection type contradicts itself.
        TypeInvalid,
        /// The identity may not be used from this namespace for this vault.
        IdentityNotAllowed,
        /// Somebody else's object has the name of the namespace's run account, or of what belongs to it.
        RunAccountTaken,
        /// The vault's address can't be used, or leads where this installation doesn't let the operator connect to.
        AddressNotAllowed,

        /// Nobody has consented yet.
        ConsentRequired,
        /// Somebody has taken consent back.
        ConsentWithdrawn,
        /// The consent is for another destination or another notice.
        ConsentStale,
        /// There is a consent, but nothing vouches for who gave it.
        ConsentUnproven,

        /// The connection type doesn't exist.
        TypeNotFound,
        /// The connection type can't be used until it is corrected, or is being removed.
        TypeNotReady,
        /// The referenced Secret doesn't exist, or the vault has no such secret.
        SecretNotFound,
        /// The secret exists, but not the key.
        KeyNotFound,
        /// The Secret's key exists, but holds nothing.
        KeyEmpty,
        /// The referenced key vault doesn't exist, or there is no such vault where it leads.
        VaultNotFound,
        /// The key vault can't be used until its own problem is solved.
        VaultNotReady,
        /// The key vault is being removed.
        VaultBeingRemoved,
        /// The vault hasn't answered yet.
        VaultNotAsked,
        /// The namespace's run account isn't there yet.
        RunAccountMissing,
        /// The vault doesn't answer, or not as a vault; what was known of its secrets before still counts.
        VaultUnavailable,
        /// The vault wants fewer requests; what was known of its secrets before still counts.
        Throttled,
        /// The vault knows who asks, but a right is missing.
        AccessDenied,
        /// The vault, or where one signs in to it, doesn't accept who asks.
        CredentialRejected,
        /// The key vault's own credential can't be read as text.
        CredentialInvalid,
        /// The authorities that the vault's certificate may be signed by can't be read.
        CaBundleInvalid,
        /// The vault's secret is switched off, or its time hasn't come.
        SecretDisabled,
        /// The vault's secret is no longer valid.
        SecretExpired,
        /// The vault's secret has no such version.
        VersionNotFound,
        /// The connection doesn't exist.
        ConnectionNotFound,
        /// The connection is being removed.
        ConnectionBeingRemoved,
        /// The connection can't be used yet; its administrator can see why.
        ConnectionNotReady,
        /// The dataset doesn't exist.
        DatasetNotFound,
        /// The dataset is being removed.
        DatasetBeingRemoved,
        /// The dataset can't be used until its own problem is solved.
        DatasetNotReady,

        /// What uses the object must be detached, deactivated or removed first.
        DependentsRemain,
        /// Only finalizers that aren't the operator's still hold the object.
        HeldByOthers,
        /// It isn't being removed.
        NotDeleting,

        /// What was written fits.
        AsDeclared,
        /// What was written fits the type as it was before an edit made the type contradict itself.
        LastGoodType,
        /// What was written fits, but another connection shared with the same contributors is called the same.
        DisplayNameTaken,
        /// Consent stands for this destination and the current notice.
        ConsentCurrent,
        /// Consent stands for the previous notice, which still counts for a while.
        ConsentToPreviousNotice,
        /// Every referenced key holds a value.
        AllResolved,
        /// Every referenced key holds a value, but a secret in a vault ends within 14 days.
        SecretExpiresSoon,
        /// A secret in a vault has a new version, which runs read when they start.
        SecretRotated,
        /// The vault answers, and lets its secrets be looked at.
        VaultAnswers,
        /// The vault answers, but lists no secrets to who asks; they can be named all the same.
        SecretsNotListed,
        /// No secret is referenced.
        NoSecrets,
        /// The namespace's run account is there, and is the operator's.
        RunAccountKept,
        /// It doesn't sign in by the namespace's run account.
        RunAccountNotNeeded,
        /// No connector has tried this connection yet.
        NotVerified,
        /// The connection is there and may be used.
        ConnectionUsable,
        /// The connection may be used, but its type should no longer be chosen.
        TypeDeprecated,
        /// The schedule can be kept.
        ScheduleAccepted,
        /// There is no schedule: it runs on request only.
        Manual,
        /// It has not run yet.
        NeverRan,
        /// The newest run ended well.
        RunSucceeded,
        /// The newest run failed, and the next one may end better.
        RunFailedForNow,
        /// The newest run was told to stop, as it might no longer go on.
        RunStopped,
        /// The newest run failed for good: scheduled runs are held until what it failed by changes, or a run on request ends well.
        RunFailed,
        /// A run was requested, and begun.
        RequestBegun,
        /// A run was requested of what is inactive, so nothing ran.
        RequestedWhileInactive,
        /// A run was requested while another one was under way, so nothing more ran.
        RequestedWhileRunning,
        /// A run was requested for another time than now, so nothing ran.
        RequestNotNow,
        /// A run was requested by what is no time, so nothing ran.
        RequestUnreadable,
        /// A dry run ended well: status.lastDryRun says what a run would send.
        DryRunSucceeded,
        /// A dry run failed or was stopped: status.lastDryRun says why.
        DryRunFailed,
        /// It can't be judged until something else is there.
        NotChecked,
        /// The operator has nothing left to do (`Reconciling`), or no person has to act (`Stalled`).
        Settled,
        /// It is waiting for another object.
        WaitingForOthers,
        /// A person must act.
        WaitingForPerson,
    }
}
