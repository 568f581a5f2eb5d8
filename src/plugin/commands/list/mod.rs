//! `list`: the connections of a namespace, as far as whoever asks may see them.
//!
//! Administrators and auditors read Connections. Contributors read SharedConnections: the same table with the columns
//! that they may know, and no word about what else there is.

mod columns;
mod listed;
#[cfg(test)]
mod tests;
mod watch;

pub use columns::{Column, View};
pub use listed::Listed;

use super::Use;
use crate::api::connection_type::UsedFor;
use crate::api::{Connection, SharedConnection};
use crate::plugin::cluster::{Cluster, ClusterError, Selection};
use crate::plugin::exit::{Exit, Failure, Fault};
use crate::plugin::screen::format::{Put, without_managed_fields};
use crate::plugin::screen::table::{Cell, Layout};
use crate::plugin::screen::{Format, Screen};
use crate::plugin::{Session, cluster};
use jiff::Timestamp;
use kube::Resource;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

/// Which connections, and how they are shown.
#[derive(Clone, Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct List {
    #[command(flatten)]
    used_for: Use,
    /// Sort by this column: name, display-name, type, used-for, access, ready, reason, in-use, age (the oldest first), …
    #[arg(long, value_name = "COLUMN")]
    sort_by: Option<String>,
    /// Sort the other way round.
    #[arg(long)]
    reverse: bool,
    /// The form of the output: wide, json, yaml, name or jsonpath=TEMPLATE.
    #[arg(short, long, value_name = "FORM")]
    output: Option<Format>,
    /// Of all namespaces, whichever is named.
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Only those with these labels.
    #[arg(short = 'l', long, value_name = "LABELS")]
    selector: Option<String>,
    /// Without the line of headings.
    #[arg(long)]
    no_headers: bool,
    /// Go on and show each change, until Ctrl-C.
    #[arg(short, long)]
    watch: bool,
}

/// Why there is no list.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ListError {
    /// Neither connections nor those that are shared.
    #[error(
        "You may not list connections in the namespace {namespace}. Ask whoever administers it to bind you to one of the \
         roles connections-contributor, connections-auditor and connections-admin there; another namespace is named by -n."
    )]
    NoRights {
        /// Where.
        namespace: String,
    },
    /// Not all of them at once.
    #[error("You may not list connections in all namespaces. Name one where you may by -n.")]
    NoRightsEverywhere,
    /// There is no such column.
    #[error("There is no column {asked:?} to sort by here. There are {known}.")]
    ColumnUnknown {
        /// What was asked for.
        asked: String,
        /// Those there are.
        known: String,
    },
    /// The cluster doesn't answer.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

impl Fault for ListError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoRights { .. } | Self::NoRightsEverywhere => Exit::Not,
            Self::ColumnUnknown { .. } => Exit::Unclear,
            Self::Cluster(error) => error.exit(),
        }
    }
}

/// Lists connections.
///
/// # Errors
/// See [`ListError`].
pub async fn run(asked: List, session: &Session) -> Result<Exit, Failure> {
    let cluster = session.cluster().await?;
    let format = asked.output.clone().unwrap_or_default();
    if matches!(format, Format::Text | Format::Wide) {
        let (view, mut listed) = visible::<Listed>(&cluster, &asked).await?;
        asked.sort(view, &mut listed, |listed| listed)?;
        let layout = shown(&asked, session, view, &listed);
        if let Some(told) = told(&asked, &cluster, view, listed.is_empty()) {
            session.note(&told);
        }
        if asked.watch {
            watch::rows(&asked, &cluster, session, view, &layout, listed).await?;
        }
        return Ok(Exit::Done);
    }
    let (view, objects) = visible::<Value>(&cluster, &asked).await?;
    let objects = objects.into_iter().map(without_managed_fields);
    let mut objects: Vec<(Listed, Value)> = objects.map(|object| (Listed::of(&object), object)).collect();
    asked.sort(view, &mut objects, |(listed, _)| listed)?;
    let objects: Vec<Value> = objects.into_iter().map(|(_, object)| object).collect();
    session.show(&format.of(Put::Many(&objects)).unwrap_or_default());
    if asked.watch {
        watch::objects(&asked, &cluster, session, view, &format, &objects).await?;
    }
    Ok(Exit::Done)
}

/// What whoever asks may see: connections, or else those that are shared.
async fn visible<T>(cluster: &Cluster, asked: &List) -> Result<(View, Vec<T>), ListError>
where
    T: Clone + DeserializeOwned,
{
    for view in [View::Administrator, View::Contributor] {
        let selection = asked.selection(cluster, view);
        let found = match view {
            View::Administrator => cluster.list::<Connection, T>(&selection).await,
            View::Contributor => cluster.list::<SharedConnection, T>(&selection).await,
        };
        match found {
            Ok(found) => return Ok((view, found)),
            Err(error) if error.is_forbidden() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(if asked.all_namespaces {
        ListError::NoRightsEverywhere
    } else {
        ListError::NoRights {
            namespace: cluster.namespace.clone(),
        }
    })
}

impl List {
    fn selection(&self, cluster: &Cluster, view: View) -> cluster::Selection {
        Selection {
            namespace: (!self.all_namespaces).then(|| cluster.namespace.clone()),
            labels: self.selector.clone(),
            fields: self.used_for.chosen().map(|used_for| used_by(view, used_for)),
        }
    }

    /// Puts them in order; those that are alike stay in that of namespace and name.
    fn sort<T>(&self, view: View, listed: &mut [T], of: impl Fn(&T) -> &Listed) -> Result<(), ListError> {
        let column = self.sort_by.as_deref().map(|asked| column(view, asked));
        let column = column.transpose()?;
        listed.sort_by(|a, b| of(a).place().cmp(&of(b).place()));
        if let Some(column) = column {
            listed.sort_by_cached_key(|one| column.key(of(one)));
        }
        if self.reverse {
            listed.reverse();
        }
        Ok(())
    }

    fn columns(&self, view: View) -> Vec<Column> {
        view.columns(self.is_wide(), self.all_namespaces)
    }

    fn is_wide(&self) -> bool {
        self.output == Some(Format::Wide)
    }
}

/// The field by which the API server chooses.
fn used_by(view: View, used_for: UsedFor) -> String {
    match view {
        View::Administrator => format!("status.usedFor={used_for}"),
        View::Contributor => format!("spec.usedFor={used_for}"),
    }
}

fn column(view: View, asked: &str) -> Result<Column, ListError> {
    let known = view.columns(true, true);
    let found = known.iter().find(|column| column.is_called(asked));
    found.copied().ok_or_else(|| ListError::ColumnUnknown {
        asked: asked.to_owned(),
        known: known
            .iter()
            .map(|column| column.flag())
            .collect::<Vec<_>>()
            .join(", "),
    })
}

/// Shows the table, and tells how its columns stand.
fn shown(asked: &List, session: &Session, view: View, listed: &[Listed]) -> Layout {
    let (page, layout) = table(asked, view, listed, session.screen, Timestamp::now());
    if !listed.is_empty() {
        session.show(&page);
    }
    layout
}

/// The table as text.
fn table(asked: &List, view: View, listed: &[Listed], screen: Screen, now: Timestamp) -> (String, Layout) {
    let columns = asked.columns(view);
    let headings = columns.iter().map(|column| column.heading(asked.is_wide()));
    let headings: Vec<_> = headings.collect();
    let rows: Vec<Vec<Cell>> = listed.iter().map(|listed| row(&columns, listed, now)).collect();
    let layout = Layout::of(&headings, &rows, screen);
    let mut page = if asked.no_headers {
        String::new()
    } else {
        layout.head()
    };
    for row in &rows {
        page.push_str(&layout.row(row));
    }
    (page, layout)
}

fn row(columns: &[Column], listed: &Listed, now: Timestamp) -> Vec<Cell> {
    columns.iter().map(|column| column.cell(listed, now)).collect()
}

/// What is said beside the table.
fn told(asked: &List, cluster: &Cluster, view: View, none: bool) -> Option<String> {
    let place = if asked.all_namespaces {
        "any namespace".to_owned()
    } else {
        format!("the namespace {}", cluster.namespace)
    };
    let what = asked.used_for.chosen().map_or_else(String::new, |used_for| {
        format!(" for {}s", used_for.to_string().to_lowercase())
    });
    let what = match asked.selector {
        Some(_) => format!("{what} with these labels"),
        None => what,
    };
    match (view, none) {
        (View::Administrator, false) => None,
        (View::Administrator, true) => Some(format!(
            "There is no connection{what} in {place}. To see what can be connected: kubectl connections discover"
        )),
        (View::Contributor, true) => Some(format!(
            "No connection{what} is shared with you in {place}. To have one shared, ask an administrator there."
        )),
        (View::Contributor, false) => Some(
            "These are shared with you. To have another one shared, ask an administrator of the namespace."
                .to_owned(),
        ),
    }
}

/// The kind that a view reads.
fn resource(view: View) -> kube::core::ApiResource {
    match view {
        View::Administrator => kube::core::ApiResource::erase::<Connection>(&()),
        View::Contributor => kube::core::ApiResource::erase::<SharedConnection>(&()),
    }
}

/// The plural of the kind that a view reads.
fn plural(view: View) -> std::borrow::Cow<'static, str> {
    match view {
        View::Administrator => Connection::plural(&()),
        View::Contributor => SharedConnection::plural(&()),
    }
}
