//! What is remembered between visits: our own writes until they come back, and failures in a row.

use crate::api::{ConsentRecord, Reference, Refers};
use crate::cluster::ObjectKey;
use kube::{Resource, ResourceExt};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

type ByObject<T> = HashMap<(String, ObjectKey), T>;

fn key<K: Resource<DynamicType = ()>>(object: &K) -> (String, ObjectKey) {
    (K::kind(&()).into_owned(), ObjectKey::of(object))
}

/// Each entry is whole at any time, so a lock poisoned by a dead task is of no concern.
pub(super) fn lock<T>(memory: &Mutex<T>) -> MutexGuard<'_, T> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long our own write is waited for. A write that is not brought back by then never will be, as after a restored
/// backup of the API server's store.
pub(super) const BROUGHT_BACK_WITHIN: Duration = Duration::from_secs(10);

/// The newest write of ours to each object, until the watch has brought it. A visit to what was there before would only
/// decide the same again.
#[derive(Debug, Default)]
pub struct Written(Mutex<ByObject<(Write, Instant)>>);

#[derive(Debug)]
enum Write {
    /// It got this resource version.
    Version(u64),
    /// The one of this uid was removed.
    Removed(Option<String>),
}

impl Write {
    /// Whether what the watch has brought, which may be nothing, is from before this write.
    fn is_after<K: Resource>(&self, seen: Option<&K>) -> bool {
        match (self, seen) {
            (Self::Version(_), None) => true,
            (Self::Version(ours), Some(object)) => version(object).is_some_and(|seen| seen < *ours),
            (Self::Removed(uid), Some(object)) => object.meta().uid == *uid,
            (Self::Removed(_), None) => false,
        }
    }
}

impl Written {
    /// Remembers what a write was answered with.
    pub(super) fn note<K: Resource<DynamicType = ()>>(&self, object: &K, version: &str) {
        // Resource versions are numbers that grow; where one isn't, the visit is only made once too often.
        if let Ok(version) = version.parse() {
            lock(&self.0).insert(key(object), (Write::Version(version), Instant::now()));
        }
    }

    /// Remembers that an object was removed.
    pub(super) fn note_removed<K: Resource<DynamicType = ()>>(&self, object: &K) {
        lock(&self.0).insert(key(object), (Write::Removed(object.uid()), Instant::now()));
    }

    /// Whether the object is older than what we wrote.
    pub(super) fn is_ahead_of<K: Resource<DynamicType = ()>>(&self, object: &K) -> bool {
        self.is_pending(&ObjectKey::of(object), Some(object))
    }

    /// Whether what the watch has brought of an object, which may be nothing, is from before our newest write.
    pub(super) fn is_pending<K: Resource<DynamicType = ()>>(
        &self,
        key: &ObjectKey,
        seen: Option<&K>,
    ) -> bool {
        let mut written = lock(&self.0);
        let key = (K::kind(&()).into_owned(), key.clone());
        let pending = written
            .get(&key)
            .is_some_and(|(write, at)| at.elapsed() < BROUGHT_BACK_WITHIN && write.is_after(seen));
        if !pending {
            written.remove(&key);
        }
        pending
    }
}

fn version<K: Resource>(object: &K) -> Option<u64> {
    object.meta().resource_version.as_ref()?.parse().ok()
}

/// The newest decision about each subject that we put on record, until the watch has brought it.
#[derive(Debug, Default)]
pub struct Recorded(Mutex<HashMap<Reference, Arc<ConsentRecord>>>);

impl Recorded {
    /// Remembers what was put on record.
    pub(super) fn note(&self, record: ConsentRecord) {
        let record = Arc::new(record);
        let mut recorded = lock(&self.0);
        for subject in record.references() {
            recorded.insert(subject, Arc::clone(&record));
        }
    }

    /// The decisions that the watch has brought, and ours.
    pub(super) fn with_ours(
        &self,
        subject: &Reference,
        mut seen: Vec<Arc<ConsentRecord>>,
    ) -> Vec<Arc<ConsentRecord>> {
        let mut recorded = lock(&self.0);
        if let Some(ours) = recorded.get(subject) {
            if seen
                .iter()
                .any(|record| record.metadata.name == ours.metadata.name)
            {
                recorded.remove(subject);
            } else {
                seen.push(Arc::clone(ours));
            }
        }
        seen
    }
}

/// How often in a row the visit to an object has failed.
#[derive(Debug, Default)]
pub struct Failures(Mutex<ByObject<u32>>);

impl Failures {
    /// Counts one more and tells how many there were before.
    pub(super) fn count<K: Resource<DynamicType = ()>>(&self, object: &K) -> u32 {
        let mut failures = lock(&self.0);
        let failed = failures.entry(key(object)).or_default();
        *failed = failed.saturating_add(1);
        *failed - 1
    }

    /// Begins anew.
    pub(super) fn forget<K: Resource<DynamicType = ()>>(&self, object: &K) {
        lock(&self.0).remove(&key(object));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::sftp_partner;

    #[test]
    fn what_the_watch_has_brought_is_from_before_our_write_or_not() {
        let object = |version: &str, uid: &str| {
            let mut object = sftp_partner().0;
            object.metadata.resource_version = Some(version.to_owned());
            object.metadata.uid = Some(uid.to_owned());
            object
        };
        let nothing: Option<&str> = None;
        let rows = [
            ("written, and not yet there", false, nothing, true),
            ("written, and older", false, Some("6"), true),
            ("written, and brought", false, Some("7"), false),
            ("written, and changed since by somebody", false, Some("8"), false),
            ("removed, and still there", true, Some("5"), true),
            ("removed, and gone", true, nothing, false),
        ];
        for (case, removed, seen, expected) in rows {
            let written = Written::default();
            if removed {
                written.note_removed(&object("5", "a"));
            } else {
                written.note(&object("5", "a"), "7");
            }
            let seen = seen.map(|version| object(version, "a"));
            let key = ObjectKey::of(&object("5", "a"));
            for _ in 0..2 {
                assert_eq!(written.is_pending(&key, seen.as_ref()), expected, "{case}");
            }
        }
        let written = Written::default();
        written.note_removed(&object("5", "a"));
        let anew = object("9", "b");
        assert!(
            !written.is_pending(&ObjectKey::of(&anew), Some(&anew)),
            "made anew by somebody"
        );
    }
}
