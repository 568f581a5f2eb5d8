//! Where a kind is followed: in the whole cluster, or in listed namespaces, each by a watch of its own.

use super::objects::Seen;
use futures::stream::select_all;
use futures::{Stream, StreamExt};
use k8s_openapi::NamespaceResourceScope;
use kube::runtime::watcher::{Config, Error, Event};
use kube::{Api, Client, Resource};
use std::collections::BTreeSet;
use std::future::ready;
use std::time::{Duration, Instant};

/// How long a namespace's first list may be refused before the others go on without it: it's gone, and our rights in
/// it with it. An API server that has only just started refuses for seconds.
const REFUSED_FOR_GOOD: Duration = Duration::from_secs(10);

/// Where a kind is followed, and which of it.
pub struct Places<K> {
    /// Each place with its namespace, or one place without, which is the whole cluster.
    each: Vec<(Option<String>, Api<K>)>,
    which: Config,
}

impl<K> Places<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    /// In these namespaces, or everywhere if there are none.
    #[must_use]
    pub fn of(client: &Client, namespaces: &BTreeSet<String>) -> Self {
        if namespaces.is_empty() {
            return Self::everywhere(client);
        }
        let each = |name: &String| (Some(name.clone()), Api::namespaced(client.clone(), name));
        Self {
            each: namespaces.iter().map(each).collect(),
            which: Config::default(),
        }
    }
}

impl<K: Resource<DynamicType = ()>> Places<K> {
    /// In the whole cluster.
    #[must_use]
    pub fn everywhere(client: &Client) -> Self {
        Self {
            each: vec![(None, Api::all(client.clone()))],
            which: Config::default(),
        }
    }

    /// Only those of this name. The API server sends no other, and the right to this name is enough.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self {
            which: Config::default().fields(&format!("metadata.name={name}")),
            ..self
        }
    }

    /// Only those with this label, whatever its value.
    #[must_use]
    pub fn labelled(self, label: &str) -> Self {
        Self {
            which: Config::default().labels(label),
            ..self
        }
    }

    /// What is seen in all places, as one stream.
    pub(super) fn seen<O, S>(
        self,
        watched: impl Fn(Api<K>, Config) -> S,
    ) -> impl Stream<Item = Result<Seen<O>, Error>>
    where
        O: Send + 'static,
        S: Stream<Item = Result<Seen<O>, Error>> + Send + 'static,
    {
        let Self { each, which } = self;
        select_all(each.into_iter().map(
            |(namespace, api)| match (namespace, watched(api, which.clone())) {
                (None, seen) => seen.boxed(),
                (Some(namespace), seen) => whole_lists(namespace, seen).boxed(),
            },
        ))
    }
}

/// The events of one namespace with each of its lists as one, so that it replaces nothing of another namespace.
fn whole_lists<O>(
    namespace: String,
    events: impl Stream<Item = Result<Seen<O>, Error>>,
) -> impl Stream<Item = Result<Seen<O>, Error>> {
    let began = Instant::now();
    let mut objects = Vec::new();
    let mut listed = false;
    events.filter_map(move |event| {
        ready(match event {
            Ok(Seen::Event(Event::Init)) => {
                objects.clear();
                None
            }
            Ok(Seen::Event(Event::InitApply(object))) => {
                objects.push(object);
                None
            }
            Ok(Seen::Event(Event::InitDone)) => {
                listed = true;
                Some(Ok(Seen::Listed(namespace.clone(), std::mem::take(&mut objects))))
            }
            Err(error) if !listed && refused(&error) && began.elapsed() >= REFUSED_FOR_GOOD => {
                listed = true;
                tracing::warn!(namespace, error = %error, "the namespace can't be read and counts as empty until it can");
                Some(Ok(Seen::Listed(namespace.clone(), Vec::new())))
            }
            other => Some(other),
        })
    })
}

/// Whether we lack the right; an API server that can't be reached has refused nothing.
fn refused(error: &Error) -> bool {
    matches!(error, Error::InitialListFailed(kube::Error::Api(answer)) if answer.code == 403)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use futures::stream;

    type Told = Result<Seen<u8>, Error>;

    fn told(events: Vec<Told>) -> Vec<String> {
        let whole = whole_lists("marketing".to_owned(), stream::iter(events));
        block_on(
            whole
                .map(|told| told.map_or_else(|error| error.to_string(), |seen| format!("{seen:?}")))
                .collect(),
        )
    }

    fn told_of(events: impl IntoIterator<Item = Event<u8>>) -> Vec<Told> {
        events.into_iter().map(|event| Ok(Seen::Event(event))).collect()
    }

    #[test]
    fn a_list_comes_whole_and_changes_come_as_they_are() {
        use Event::{Apply, Init, InitApply, InitDone};
        let events = told_of([Init, InitApply(1), InitApply(2), InitDone, Apply(3)]);
        assert_eq!(told(events), ["Listed(\"marketing\", [1, 2])", "Event(Apply(3))"]);
    }

    #[test]
    fn a_list_that_broke_off_leaves_nothing_in_the_next() {
        use Event::{Init, InitApply, InitDone};
        let mut events = told_of([Init, InitApply(1)]);
        events.push(Err(Error::NoResourceVersion));
        events.extend(told_of([Init, InitApply(2), InitDone]));
        assert_eq!(told(events)[1..], ["Listed(\"marketing\", [2])"]);
    }

    #[test]
    fn a_refusal_at_once_is_an_error_like_any_other() {
        let answer = kube::core::Status::failure("no right", "Forbidden")
            .with_code(403)
            .boxed();
        let told = told(vec![Err(Error::InitialListFailed(kube::Error::Api(answer)))]);
        assert!(told[0].contains("no right"), "{told:?}");
    }
}
