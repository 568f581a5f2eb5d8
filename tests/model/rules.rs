//! The product's rules, and each of them broken in one way: a model that can't fail shows nothing.

/// One rule broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// A connection is let go although it's used.
    ReleasesWhatIsUsed,
    /// It is let go by what the watches have brought, and nobody asks the API server.
    AsksNobodyBeforeItReleases,
    /// The finalizer stays when the last user is gone.
    NeverReleases,
    /// The finalizer is never set.
    NeverHolds,
    /// The guard lets a run go on without consent.
    GuardIgnoresConsent,
    /// The guard lets a run go on while the connection is suspended.
    GuardIgnoresSuspension,
    /// The guard reads what the operator has seen of the connection, in place of the connection.
    GuardReadsTheCache,
    /// A connection's secrets count as there when they are missing.
    MissingSecretsCount,
    /// An export that rests is Active.
    IgnoresSuspension,
    /// The status is written before the record.
    StatusBeforeRecord,
    /// Nothing is put on record.
    RecordsNothing,
    /// What is no longer shared stays.
    DropsNothing,
    /// A schedule goes on while its export rests.
    SchedulesGoOn,
    /// A status is said to be about the generation before.
    OldGeneration,
    /// A change of a connection wakes nobody who uses it.
    WakesNoUsers,
    /// A Secret that comes or goes wakes nobody.
    WakesNobodyBySecrets,
    /// What failed isn't tried again.
    LosesWhatFailed,
    /// Writes aren't on condition that the object is as it was judged.
    WritesOverWhatChanged,
}

/// Each with the scene that finds it out, and the promise that it breaks first there.
pub const MUTATIONS: [(Mutation, &str, &str); 18] = [
    (Mutation::ReleasesWhatIsUsed, "use and removal", "I2"),
    (Mutation::AsksNobodyBeforeItReleases, "use and removal", "I2"),
    (Mutation::NeverReleases, "use and removal", "I8"),
    (Mutation::NeverHolds, "use and removal", "I2"),
    (Mutation::GuardIgnoresConsent, "consent", "I1"),
    (Mutation::GuardIgnoresSuspension, "consent", "I1"),
    (Mutation::GuardReadsTheCache, "consent", "I1"),
    (Mutation::MissingSecretsCount, "consent", "I3"),
    (Mutation::IgnoresSuspension, "scheduled runs", "I3"),
    (Mutation::StatusBeforeRecord, "consent", "I5"),
    (Mutation::RecordsNothing, "consent", "I5"),
    (Mutation::DropsNothing, "all at once", "I8"),
    (Mutation::SchedulesGoOn, "scheduled runs", "I8"),
    (Mutation::OldGeneration, "consent", "I7"),
    (Mutation::WakesNoUsers, "consent", "I3"),
    (Mutation::WakesNobodyBySecrets, "consent", "I3"),
    (Mutation::LosesWhatFailed, "faults", "I7"),
    (Mutation::WritesOverWhatChanged, "a connection that is new", "I5"),
];
