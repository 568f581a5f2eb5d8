//! What changes in a list, row by row as it comes.

use super::{Column, List, Listed, View, plural, resource, row};
use crate::api::names::GROUP;
use crate::plugin::Session;
use crate::plugin::cluster::{Cluster, ClusterError};
use crate::plugin::screen::Format;
use crate::plugin::screen::format::{Put, without_managed_fields};
use crate::plugin::screen::table::Layout;
use futures::TryStreamExt;
use jiff::Timestamp;
use kube::Api;
use kube::core::DynamicObject;
use kube::runtime::watcher::{self, Event, watcher};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

/// Where an object is.
type Place = (String, String);

/// Shows each row that changes, below those of the table.
pub(super) async fn rows(
    asked: &List,
    cluster: &Cluster,
    session: &Session,
    view: View,
    layout: &Layout,
    listed: Vec<Listed>,
) -> Result<(), ClusterError> {
    let columns = asked.columns(view);
    let known = listed.into_iter().map(|listed| (place(&listed), listed));
    let mut known: Known<Listed> = Known::of(known);
    let show = |change: Change<Listed>| session.show(&layout.row(&changed(&columns, change)));
    let mut follow = |event| {
        let event = mapped(event, |object| {
            let listed = Listed::of(&object);
            (place(&listed), listed)
        });
        known.after(event).into_iter().for_each(show);
    };
    followed(asked, cluster, session, view, &mut follow).await
}

/// Puts out each object that changes.
pub(super) async fn objects(
    asked: &List,
    cluster: &Cluster,
    session: &Session,
    view: View,
    format: &Format,
    objects: &[Value],
) -> Result<(), ClusterError> {
    let placed = |object: Value| {
        let object = without_managed_fields(object);
        (place(&Listed::of(&object)), object)
    };
    let mut known = Known::of(objects.iter().cloned().map(placed));
    let mut follow = |event| {
        for change in known.after(mapped(event, placed)) {
            let (Change::Now(object) | Change::Gone(object)) = change;
            session.show(&format.of(Put::One(&object)).unwrap_or_default());
        }
    };
    followed(asked, cluster, session, view, &mut follow).await
}

fn place(listed: &Listed) -> Place {
    let (namespace, name) = listed.place();
    (namespace.to_owned(), name.to_owned())
}

/// The row of a change; what is gone says so in place of its reason.
fn changed(columns: &[Column], change: Change<Listed>) -> Vec<super::Cell> {
    let (listed, gone) = match change {
        Change::Now(listed) => (listed, false),
        Change::Gone(listed) => (listed, true),
    };
    let cells = row(columns, &listed, Timestamp::now());
    let cells = columns.iter().zip(cells).map(|(column, cell)| match column {
        Column::Ready if gone => super::Cell::default(),
        Column::Reason if gone => super::Cell::new("Removed"),
        _ => cell,
    });
    cells.collect()
}

async fn followed(
    asked: &List,
    cluster: &Cluster,
    session: &Session,
    view: View,
    follow: &mut impl FnMut(Event<Value>),
) -> Result<(), ClusterError> {
    let selection = asked.selection(cluster, view);
    let kind = resource(view);
    let api: Api<DynamicObject> = match &selection.namespace {
        Some(namespace) => Api::namespaced_with(cluster.client.clone(), namespace, &kind),
        None => Api::all_with(cluster.client.clone(), &kind),
    };
    let wanted = watcher::Config {
        label_selector: selection.labels,
        field_selector: selection.fields,
        ..watcher::Config::default()
    };
    let events = kube::runtime::WatchStreamExt::default_backoff(watcher(api, wanted));
    let mut events = pin!(events);
    let mut away = false;
    loop {
        match events.try_next().await {
            Ok(Some(event)) => {
                away = false;
                follow(mapped(event, |object| {
                    serde_json::to_value(object).unwrap_or_default()
                }));
            }
            Ok(None) => return Ok(()),
            Err(error) => {
                let error = ClusterError::of_watch(error).about_kind(&plural(view), GROUP);
                if error.is_lasting() {
                    return Err(error);
                }
                if !away {
                    away = true;
                    session.note(&format!("{error} It is tried again until it answers, or Ctrl-C."));
                }
            }
        }
    }
}

fn mapped<A, B>(event: Event<A>, map: impl Fn(A) -> B) -> Event<B> {
    match event {
        Event::Apply(object) => Event::Apply(map(object)),
        Event::Delete(object) => Event::Delete(map(object)),
        Event::Init => Event::Init,
        Event::InitApply(object) => Event::InitApply(map(object)),
        Event::InitDone => Event::InitDone,
    }
}

/// A change that is worth a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change<T> {
    /// It came, or is another than before.
    Now(T),
    /// It went.
    Gone(T),
}

/// What was last shown of each object.
pub(super) struct Known<T> {
    shown: BTreeMap<Place, T>,
    /// Those of a list that isn't complete yet.
    listed: BTreeSet<Place>,
}

impl<T: Clone + PartialEq> Known<T> {
    pub(super) fn of(shown: impl IntoIterator<Item = (Place, T)>) -> Self {
        Self {
            shown: shown.into_iter().collect(),
            listed: BTreeSet::new(),
        }
    }

    /// What an event changes; a list that is read anew tells nothing twice, and doesn't forget what went meanwhile.
    pub(super) fn after(&mut self, event: Event<(Place, T)>) -> Vec<Change<T>> {
        match event {
            Event::Init => {
                self.listed.clear();
                Vec::new()
            }
            Event::InitApply((place, object)) => {
                self.listed.insert(place.clone());
                self.now(place, object)
            }
            Event::Apply((place, object)) => self.now(place, object),
            Event::Delete((place, object)) => {
                let known = self.shown.remove(&place);
                known.map(|_| Change::Gone(object)).into_iter().collect()
            }
            Event::InitDone => {
                let listed = &self.listed;
                let gone = self.shown.extract_if(.., |place, _| !listed.contains(place));
                gone.map(|(_, object)| Change::Gone(object)).collect()
            }
        }
    }

    fn now(&mut self, place: Place, object: T) -> Vec<Change<T>> {
        if self.shown.get(&place) == Some(&object) {
            return Vec::new();
        }
        self.shown.insert(place, object.clone());
        vec![Change::Now(object)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(name: &str) -> Place {
        ("marketing".to_owned(), name.to_owned())
    }

    #[test]
    fn each_change_is_told_once() {
        use Change::{Gone, Now};
        let mut known = Known::of([(at("a"), 1), (at("b"), 1)]);
        let rows = [
            ("the list begins", Event::Init, vec![]),
            ("it's known", Event::InitApply((at("a"), 1)), vec![]),
            ("that one isn't", Event::InitApply((at("c"), 1)), vec![Now(1)]),
            ("b has gone meanwhile", Event::InitDone, vec![Gone(1)]),
            ("another version", Event::Apply((at("a"), 2)), vec![Now(2)]),
            ("nothing that is shown", Event::Apply((at("a"), 2)), vec![]),
            ("it goes", Event::Delete((at("a"), 3)), vec![Gone(3)]),
            ("it has gone", Event::Delete((at("a"), 3)), vec![]),
            ("the watch breaks", Event::Init, vec![]),
            ("c is still there", Event::InitApply((at("c"), 1)), vec![]),
            ("and that is all", Event::InitDone, vec![]),
        ];
        for (case, event, expected) in rows {
            assert_eq!(known.after(event), expected, "{case}");
        }
    }
}
