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
fn lock<T>(memory: &Mutex<ByObject<T>>) -> MutexGuard<'_, ByObject<T>> {
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

    /// Whether what the watch has brought of an object, which may be nothing, is from before our write.
    pub(super) fn is_pending<K: Resource<DynamicType = ()>>(
        &self,
        key: &ObjectKey,
        seen: Option<&K>,
    ) -> bool {
        let before = |write: &Write| match (write, seen) {
            (Write::Version(_), None) => true,
            (Write::Version(ours), Some(object)) => version(object).is_some_and(|seen| seen < *ours),
            (Write::Removed(uid), Some(object)) => object.meta().uid == *uid,
            (Write::Removed(_), None) => false,
        };
        let mut written = lock(&self.0);
        let key = (K::kind(&()).into_owned(), key.clone());
        let pending = written
            .get(&key)
            .is_some_and(|(write, at)| at.elapsed() < BROUGHT_BACK_WITHIN && before(write));
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
    pub(super) fn note(&self, record: &ConsentRecord) {
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for subject in record.references() {
            recorded.insert(subject, Arc::new(record.clone()));
        }
    }

    /// The decisions that the watch has brought, and ours.
    pub(super) fn with_ours(
        &self,
        subject: &Reference,
        mut seen: Vec<Arc<ConsentRecord>>,
    ) -> Vec<Arc<ConsentRecord>> {
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
