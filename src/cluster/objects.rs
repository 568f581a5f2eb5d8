//! All objects of one kind as last seen, found by name or by what they refer to.

use crate::api::{Reference, Refers};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Debug;
use std::sync::{Arc, PoisonError, RwLock};

#[cfg(test)]
mod tests;

/// Namespace and name; the namespace is empty for cluster-wide kinds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey {
    /// The namespace, or nothing.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl ObjectKey {
    /// The key of an object.
    pub fn of<K: Resource>(object: &K) -> Self {
        let meta = object.meta();
        Self {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
        }
    }

    /// The key of an object by its parts.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// As kube's controllers name objects.
    #[must_use]
    pub fn to_ref<K: Resource<DynamicType = ()>>(&self) -> ObjectRef<K> {
        let reference = ObjectRef::new(&self.name);
        if self.namespace.is_empty() {
            reference
        } else {
            reference.within(&self.namespace)
        }
    }
}

/// One object before and after an event.
#[derive(Clone, Debug)]
pub struct Change<K> {
    /// As it was, unless it's new.
    pub before: Option<Arc<K>>,
    /// As it is, unless it's gone.
    pub after: Option<Arc<K>>,
}

impl<K> Change<K> {
    /// The object, as it is or else as it was.
    pub fn sides(&self) -> impl Iterator<Item = &Arc<K>> {
        self.after.iter().chain(&self.before)
    }
}

type Index = HashMap<Reference, BTreeSet<ObjectKey>>;

/// What a watch has brought.
#[derive(Debug)]
pub enum Seen<K> {
    /// An object that could be read, or the frame of a list.
    Event(Event<K>),
    /// All objects of one namespace, where namespaces are followed one by one.
    Listed(String, Vec<K>),
    /// An object that is gone or can't be read any more.
    Unreadable(ObjectKey),
}

/// All objects of one kind, for reading. Cheap to clone.
pub struct Objects<K: Resource<DynamicType = ()> + Clone + 'static> {
    store: Store<K>,
    index: Arc<RwLock<Index>>,
}

/// None, and none will come.
impl<K> Default for Objects<K>
where
    K: Resource<DynamicType = ()> + Refers + Clone + Debug + 'static,
{
    fn default() -> Self {
        Feed::default().objects()
    }
}

impl<K> Clone for Objects<K>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            index: Arc::clone(&self.index),
        }
    }
}

impl<K> Objects<K>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    /// One object.
    #[must_use]
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<K>> {
        self.store.get(&ObjectKey::new(namespace, name).to_ref())
    }

    /// Those that refer to the target, in order.
    #[must_use]
    pub fn referring(&self, target: &Reference) -> Vec<ObjectKey> {
        self.with_referring(target, |keys| keys.iter().cloned().collect())
    }

    /// How many refer to the target, and the names of the first few in order.
    #[must_use]
    pub fn count_referring(&self, target: &Reference, named: usize) -> (usize, Vec<String>) {
        self.with_referring(target, |keys| {
            (
                keys.len(),
                keys.iter().take(named).map(|key| key.name.clone()).collect(),
            )
        })
    }

    fn with_referring<T: Default>(
        &self,
        target: &Reference,
        read: impl FnOnce(&BTreeSet<ObjectKey>) -> T,
    ) -> T {
        // A poisoned lock only means that another reader died; the index itself is whole between two events.
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        index.get(target).map(read).unwrap_or_default()
    }

    /// All of them, in no particular order.
    #[must_use]
    pub fn keys(&self) -> Vec<ObjectKey> {
        let all = self.store.state();
        all.iter().map(|object| ObjectKey::of(&**object)).collect()
    }

    /// kube's own view of the same objects.
    #[must_use]
    pub fn store(&self) -> Store<K> {
        self.store.clone()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.store.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.store.is_empty()
    }
}

/// The writing side: turns watch events into changes, and keeps the index.
///
/// kube's store forgets without a word what was deleted while a watch was broken; here a new list is compared with the
/// old one, so that every deletion is a change.
pub struct Feed<K: Resource<DynamicType = ()> + Clone + 'static> {
    writer: reflector::store::Writer<K>,
    objects: Objects<K>,
    /// Namespaces that are followed one by one and weren't listed yet.
    awaited: BTreeSet<String>,
}

impl<K> Default for Feed<K>
where
    K: Resource<DynamicType = ()> + Refers + Clone + Debug + 'static,
{
    fn default() -> Self {
        let (store, writer) = reflector::store();
        Self {
            writer,
            objects: Objects {
                store,
                index: Arc::default(),
            },
            awaited: BTreeSet::new(),
        }
    }
}

impl<K> Feed<K>
where
    K: Resource<DynamicType = ()> + Refers + Clone + Debug + 'static,
{
    /// One that is fed by namespaces: it's ready once each of them was listed.
    #[must_use]
    pub fn of(namespaces: &BTreeSet<String>) -> Self {
        Self {
            awaited: namespaces.clone(),
            ..Self::default()
        }
    }

    /// The reading side.
    #[must_use]
    pub fn objects(&self) -> Objects<K> {
        self.objects.clone()
    }

    /// Takes in what was seen and tells what it changed.
    pub fn apply(&mut self, seen: &Seen<K>) -> Vec<Change<K>> {
        let changes = match seen {
            Seen::Event(event @ (Event::Init | Event::InitApply(_))) => {
                self.writer.apply_watcher_event(event);
                Vec::new()
            }
            Seen::Event(event @ Event::InitDone) => self.replace(event),
            Seen::Listed(namespace, objects) => self.replace_in(namespace, objects),
            Seen::Event(event @ (Event::Apply(object) | Event::Delete(object))) => {
                self.change(&ObjectKey::of(object), event)
            }
            Seen::Unreadable(key) => match self.objects.get(&key.namespace, &key.name) {
                Some(old) => self.change(key, &Event::Delete(K::clone(&old))),
                None => Vec::new(),
            },
        };
        self.reindex(&changes);
        changes
    }

    fn change(&mut self, key: &ObjectKey, event: &Event<K>) -> Vec<Change<K>> {
        let before = self.objects.get(&key.namespace, &key.name);
        self.writer.apply_watcher_event(event);
        vec![Change {
            before,
            after: self.objects.get(&key.namespace, &key.name),
        }]
    }

    fn replace(&mut self, event: &Event<K>) -> Vec<Change<K>> {
        let mut before: HashMap<ObjectKey, Arc<K>> = self
            .objects
            .store
            .state()
            .into_iter()
            .map(|object| (ObjectKey::of(&*object), object))
            .collect();
        self.writer.apply_watcher_event(event);
        let arrived = self.objects.store.state().into_iter().map(|after| {
            let before = before.remove(&ObjectKey::of(&*after));
            Change {
                before,
                after: Some(after),
            }
        });
        let mut changes: Vec<Change<K>> = arrived.collect();
        changes.extend(before.into_values().map(|gone| Change {
            before: Some(gone),
            after: None,
        }));
        changes
    }

    /// Replaces the objects of one namespace and leaves the others alone.
    fn replace_in(&mut self, namespace: &str, listed: &[K]) -> Vec<Change<K>> {
        let present: BTreeSet<ObjectKey> = listed.iter().map(ObjectKey::of).collect();
        let gone = |object: &Arc<K>| {
            let key = ObjectKey::of(&**object);
            key.namespace == namespace && !present.contains(&key)
        };
        let gone: Vec<Arc<K>> = self.objects.store.state().into_iter().filter(gone).collect();
        let arrived = listed.iter().cloned().map(Event::Apply);
        let gone = gone.iter().map(|object| Event::Delete(K::clone(object)));
        let events: Vec<Event<K>> = arrived.chain(gone).collect();
        let changes = events.iter().flat_map(|event| match event {
            Event::Apply(object) | Event::Delete(object) => self.change(&ObjectKey::of(object), event),
            Event::Init | Event::InitApply(_) | Event::InitDone => Vec::new(),
        });
        let changes = changes.collect();
        if self.awaited.remove(namespace) && self.awaited.is_empty() {
            self.complete();
        }
        changes
    }

    /// kube's store counts as ready after a whole list, so it's given one of what it has.
    fn complete(&mut self) {
        self.writer.apply_watcher_event(&Event::Init);
        for object in self.objects.store.state() {
            self.writer
                .apply_watcher_event(&Event::InitApply(K::clone(&object)));
        }
        self.writer.apply_watcher_event(&Event::InitDone);
    }

    fn reindex(&self, changes: &[Change<K>]) {
        let mut index = self.objects.index.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            if let Some(old) = &change.before {
                forget(&mut index, &**old);
            }
            if let Some(new) = &change.after {
                let key = ObjectKey::of(&**new);
                for target in new.references() {
                    index.entry(target).or_default().insert(key.clone());
                }
            }
        }
    }
}

fn forget<K: Resource + Refers>(index: &mut Index, old: &K) {
    let key = ObjectKey::of(old);
    for target in old.references() {
        if let Some(keys) = index.get_mut(&target) {
            keys.remove(&key);
            if keys.is_empty() {
                index.remove(&target);
            }
        }
    }
}

/// Drops what no decision reads and what is large: who wrote which field.
pub fn slim<K: Resource>(object: &mut K) {
    object.managed_fields_mut().clear();
}

/// A store that holds these objects, as after a list.
#[cfg(test)]
pub fn holding<K>(all: Vec<K>) -> Objects<K>
where
    K: Resource<DynamicType = ()> + Refers + Clone + Debug + 'static,
{
    let mut feed = Feed::default();
    feed.apply(&Seen::Event(Event::Init));
    for object in all {
        feed.apply(&Seen::Event(Event::InitApply(object)));
    }
    feed.apply(&Seen::Event(Event::InitDone));
    feed.objects()
}
