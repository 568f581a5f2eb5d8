//! The columns of a list, by the words of the operator's own columns.

use super::Listed;
use crate::api::ConditionType;
use crate::plugin::screen::Tone;
use crate::plugin::screen::age::age;
use crate::plugin::screen::table::{Cell, Heading};
use jiff::Timestamp;

/// What may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Connections.
    Administrator,
    /// What is shared of them.
    Contributor,
}

/// One column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Where it is.
    Namespace,
    /// What it's called.
    Name,
    /// What people call it.
    DisplayName,
    /// Its connection type.
    Type,
    /// Export or Enrichment.
    UsedFor,
    /// Who may use it.
    Access,
    /// Whether it can be used now.
    Ready,
    /// Why.
    Reason,
    /// How many exports and enrichments name it.
    InUse,
    /// Who consented.
    ConsentedBy,
    /// Whether it is being removed and waits for its users.
    Deleting,
    /// Time since it was created, or shared.
    Age,
}

/// What a column is sorted by; what is missing comes last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// By letters, capitals and small ones alike.
    Text(String),
    /// By number.
    Number(i64),
    /// The oldest first.
    Time(Timestamp),
    /// There is nothing.
    Missing,
}

impl View {
    /// The columns in order.
    #[must_use]
    pub fn columns(self, wide: bool, everywhere: bool) -> Vec<Column> {
        use Column::{
            Access, Age, ConsentedBy, Deleting, DisplayName, InUse, Name, Namespace, Ready, Reason, Type,
            UsedFor,
        };
        let all = match self {
            Self::Administrator => vec![
                Namespace,
                Name,
                DisplayName,
                Type,
                UsedFor,
                Access,
                Ready,
                Reason,
                InUse,
                ConsentedBy,
                Deleting,
                Age,
            ],
            Self::Contributor => vec![Namespace, Name, DisplayName, Type, UsedFor, Ready, Reason, Age],
        };
        let shown = all.into_iter().filter(|column| match column {
            Namespace => everywhere,
            ConsentedBy | Deleting => wide,
            _ => true,
        });
        shown.collect()
    }
}

impl Column {
    const fn title(self) -> &'static str {
        match self {
            Self::Namespace => "NAMESPACE",
            Self::Name => "NAME",
            Self::DisplayName => "DISPLAY NAME",
            Self::Type => "TYPE",
            Self::UsedFor => "USED FOR",
            Self::Access => "ACCESS",
            Self::Ready => "READY",
            Self::Reason => "REASON",
            Self::InUse => "IN USE",
            Self::ConsentedBy => "CONSENTED BY",
            Self::Deleting => "DELETING",
            Self::Age => "AGE",
        }
    }

    /// `wide` says that none is left out.
    pub(super) const fn heading(self, wide: bool) -> Heading {
        let shortens = matches!(self, Self::DisplayName | Self::Reason | Self::ConsentedBy);
        let heading = Heading::new(self.title(), shortens);
        match self {
            Self::UsedFor | Self::Access | Self::InUse | Self::Age if !wide => heading.yielding(),
            _ => heading,
        }
    }

    /// As `--sort-by` has it.
    #[must_use]
    pub fn flag(self) -> String {
        self.title().to_lowercase().replace(' ', "-")
    }

    /// Whether somebody means this column, in whichever way they write it.
    #[must_use]
    pub fn is_called(self, asked: &str) -> bool {
        let asked = letters(asked);
        asked == letters(self.title()) || (self == Self::Age && asked == "created")
    }

    fn text(self, listed: &Listed) -> String {
        let condition = |type_| listed.condition(type_);
        match self {
            Self::Namespace => listed.metadata.namespace.clone(),
            Self::Name => listed.metadata.name.clone(),
            Self::DisplayName => listed.spec.display_name.clone(),
            Self::Type => listed.spec.type_.clone(),
            Self::UsedFor => listed.used_for().to_owned(),
            Self::Access => listed.status.access.clone(),
            Self::Ready => condition(ConditionType::Ready).map_or_else(String::new, |it| it.status.clone()),
            Self::Reason => condition(ConditionType::Ready).map_or_else(String::new, |it| it.reason.clone()),
            Self::InUse => listed
                .status
                .dependents
                .as_ref()
                .map_or_else(String::new, |dependents| dependents.total.to_string()),
            Self::ConsentedBy => listed.status.consent.by.clone(),
            Self::Deleting => {
                condition(ConditionType::Deleting).map_or_else(String::new, |it| it.status.clone())
            }
            Self::Age => String::new(),
        }
    }

    pub(super) fn cell(self, listed: &Listed, now: Timestamp) -> Cell {
        let text = match self {
            Self::Age => listed
                .metadata
                .creation_timestamp
                .map_or_else(String::new, |then| age(then, now)),
            _ => self.text(listed),
        };
        let tone = match (self, text.as_str()) {
            (Self::Ready, "True") => Tone::Good,
            (Self::Ready, "False") => Tone::Bad,
            (Self::Ready, _) => Tone::Faint,
            _ => Tone::Plain,
        };
        Cell::toned(text, tone)
    }

    /// What it's sorted by.
    #[must_use]
    pub fn key(self, listed: &Listed) -> Key {
        match self {
            Self::InUse => {
                let dependents = listed.status.dependents.as_ref();
                dependents.map_or(Key::Missing, |dependents| Key::Number(dependents.total))
            }
            Self::Age => listed.metadata.creation_timestamp.map_or(Key::Missing, Key::Time),
            _ => match self.text(listed).to_lowercase() {
                text if text.is_empty() => Key::Missing,
                text => Key::Text(text),
            },
        }
    }
}

/// A name without what people put between its words.
fn letters(name: &str) -> String {
    name.chars()
        .filter(|letter| letter.is_alphanumeric())
        .collect::<String>()
        .to_lowercase()
}
