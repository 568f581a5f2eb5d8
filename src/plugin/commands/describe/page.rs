//! The page about a connection.

use crate::api::connection::{Audience, SecretStatus};
use crate::api::{
    Condition, ConditionStatus, ConditionType, Connection, ConnectionType, Reason, SharedConnection,
};
use crate::governance::conditions;
use crate::governance::consent::destination;
use crate::governance::message::{bounded, quoted};
use crate::plugin::screen::age::age;
use crate::plugin::screen::width::{isolated, wrapped};
use crate::plugin::screen::{Screen, Tone};
use crate::plugin::users::{User, counted, tree};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use kube::ResourceExt;
use std::fmt::Write as _;

/// Most events that are shown.
const EVENTS: usize = 8;
/// Where the second column begins.
const INDENT: usize = 14;

/// What is known.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The connection.
    pub connection: Connection,
    /// Its type, if it's there.
    pub type_: Option<ConnectionType>,
    /// Its users, if they may be seen.
    pub users: Option<Vec<User>>,
    /// What happened to it, if that may be seen.
    pub events: Option<Vec<Happening>>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// When it was last seen.
    pub at: Option<Timestamp>,
    /// In one word.
    pub reason: String,
    /// In a sentence.
    pub message: String,
}

impl Happening {
    /// The newest of them, the newest first.
    #[must_use]
    pub fn newest(events: Vec<Event>) -> Vec<Self> {
        let mut all: Vec<Self> = events.into_iter().map(Self::of).collect();
        all.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.reason.cmp(&b.reason)));
        all.truncate(EVENTS);
        all
    }

    fn of(event: Event) -> Self {
        let series = event
            .series
            .and_then(|series| series.last_observed_time)
            .map(|time| time.0);
        let last = event.last_timestamp.map(|time| time.0);
        let first = event.event_time.map(|time| time.0);
        Self {
            at: series.or(last).or(first),
            reason: bounded(event.reason.unwrap_or_default()),
            message: bounded(event.message.unwrap_or_default()),
        }
    }
}

/// Where it's shown, and when.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// How wide, in which colours.
    pub screen: Screen,
    /// The time.
    pub now: Timestamp,
}

impl Page {
    /// The page.
    #[must_use]
    pub fn of(&self, facts: &Facts) -> String {
        let connection = &facts.connection;
        let name = connection.name_any();
        let judged = connection
            .status
            .as_ref()
            .map(|status| &*status.conditions)
            .unwrap_or_default();
        let mut page = self.title(&name, &connection.spec.display_name);
        page.push_str(&self.trouble(&name, judged));
        let used_for = connection.status.as_ref().and_then(|status| status.used_for);
        let used_for = used_for.map_or_else(String::new, |it| {
            format!(", for {}s", it.to_string().to_lowercase())
        });
        page.push_str(&self.fact("Type", &format!("{}{used_for}", connection.spec.type_)));
        page.push_str(&self.facts("Destination", &destinations(facts)));
        page.push_str(&self.facts("Settings", &settings(facts)));
        page.push_str(&self.fact("Access", access(connection)));
        page.push_str(&self.fact("Ready", &self.ready(judged)));
        page.push_str(&self.facts("Consent", &Self::consent(facts)));
        page.push_str(&self.facts("Secrets", &self.secrets(facts)));
        page.push_str(&self.facts("Conditions", &others(judged)));
        page.push_str(&self.used(facts.users.as_deref()));
        page.push_str(&self.events(facts.events.as_deref()));
        page
    }

    fn title(&self, name: &str, display_name: &str) -> String {
        let name = Tone::Heading.paint(name, self.screen.colour);
        format!("{name}  {}\n\n", isolated(&bounded(display_name.to_owned())))
    }

    /// What is wrong, and what to do about it.
    fn trouble(&self, name: &str, judged: &[Condition]) -> String {
        let wrong =
            |type_, wrong| conditions::find(judged, type_).filter(|condition| condition.status == wrong);
        let deleting = wrong(ConditionType::Deleting, ConditionStatus::True);
        let Some(trouble) = deleting.or_else(|| wrong(ConditionType::Ready, ConditionStatus::False)) else {
            return String::new();
        };
        let reason = Tone::Bad.paint(&trouble.reason, self.screen.colour);
        let mut told = format!("{reason}\n");
        let step = next_step(name, trouble);
        // The operator's message ends in commands of kubectl's, which this program has in one.
        let message = match &step {
            Some(_) => before_commands(&trouble.message),
            None => &trouble.message,
        };
        for line in wrapped(&bounded(message.to_owned()), self.room(2)) {
            let _ = writeln!(told, "  {line}"); // writing to a String can't fail
        }
        if let Some(step) = step {
            let _ = writeln!(told, "  Next: {step}");
        }
        told.push('\n');
        told
    }

    fn room(&self, used: usize) -> Option<usize> {
        self.screen.width.map(|width| width.saturating_sub(used).max(20))
    }

    fn fact(&self, what: &str, text: &str) -> String {
        self.facts(what, &[text.to_owned()])
    }

    fn facts(&self, what: &str, texts: &[String]) -> String {
        let mut label = Tone::Faint.paint(what, self.screen.colour);
        let mut blanks = " ".repeat(INDENT.saturating_sub(what.len()));
        let mut facts = String::new();
        for text in texts {
            for line in wrapped(&bounded(text.clone()), self.room(INDENT)) {
                let _ = writeln!(facts, "{label}{blanks}{line}");
                (label, blanks) = (String::new(), " ".repeat(INDENT));
            }
        }
        facts
    }

    fn ready(&self, judged: &[Condition]) -> String {
        match conditions::find(judged, ConditionType::Ready) {
            None => {
                "not looked at yet: see whether the operator runs, by kubectl connections doctor".to_owned()
            }
            Some(ready) => {
                let status = format!("{:?}", ready.status);
                let since = age(ready.last_transition_time.0, self.now);
                format!("{status}, {}, since {since}", ready.reason)
            }
        }
    }

    fn consent(facts: &Facts) -> Vec<String> {
        let status = facts.connection.status.as_ref();
        let Some(consent) = status.and_then(|status| status.consent.as_ref()) else {
            return Vec::new();
        };
        let since = consent
            .since
            .as_ref()
            .map(|since| format!(" at {}", since.0))
            .unwrap_or_default();
        let by = consent
            .by
            .clone()
            .map(|by| format!(" by {by}"))
            .unwrap_or_default();
        let via = consent
            .via
            .clone()
            .map(|via| format!(", via {via}"))
            .unwrap_or_default();
        let judged = status.map(|status| &*status.conditions).unwrap_or_default();
        let current = conditions::find(judged, ConditionType::ConsentGiven);
        let how = current.map_or_else(String::new, |current| match conditions::reason_of(current) {
            Some(reason) => format!("; {}", lowered(reason.meaning())),
            None => String::new(),
        });
        let how = how.trim_end_matches('.');
        vec![if consent.given {
            format!("given{by}{via}{since}{how}")
        } else {
            format!("not given{how}")
        }]
    }

    fn secrets(&self, facts: &Facts) -> Vec<String> {
        let status = facts.connection.status.as_ref();
        let secrets = status.map(|status| &*status.secrets).unwrap_or_default();
        secrets.iter().map(|secret| self.secret(secret)).collect()
    }

    fn secret(&self, secret: &SecretStatus) -> String {
        let version = secret
            .version
            .as_ref()
            .map(|version| format!(", version {version}"))
            .unwrap_or_default();
        let since = match &secret.since {
            Some(since) => format!(", since {}", age(since.0, self.now)),
            None => ", not there".to_owned(),
        };
        let unconfirmed = secret.unconfirmed_since.as_ref().map(|since| {
            format!(
                ", which the vault hasn't confirmed for {}",
                age(since.0, self.now)
            )
        });
        format!(
            "{}: {}{version}{since}{}",
            secret.name,
            secret.source,
            unconfirmed.unwrap_or_default()
        )
    }

    fn used(&self, users: Option<&[User]>) -> String {
        match users {
            None => self.fact("In use", "you may not see by what"),
            Some([]) => self.fact("In use", "by nothing"),
            Some(users) => {
                self.fact("In use", &format!("by {}", counted(users))) + &tree(users, self.screen.colour)
            }
        }
    }

    fn events(&self, events: Option<&[Happening]>) -> String {
        let Some(events) = events.filter(|events| !events.is_empty()) else {
            return String::new();
        };
        let mut text = format!("{}\n", Tone::Faint.paint("Events", self.screen.colour));
        for event in events {
            let age = event.at.map_or_else(String::new, |at| age(at, self.now));
            let line = format!("{}: {}", event.reason, event.message);
            let mut start = format!("  {age:<8}");
            for line in wrapped(&line, self.room(10)) {
                let _ = writeln!(text, "{start}{line}");
                start = " ".repeat(10);
            }
        }
        text
    }
}

/// The page for those who may know its name, its type, and whether it's ready.
#[must_use]
pub fn shared(page: &Page, seen: &SharedConnection, users: &[User]) -> String {
    let judged = seen
        .status
        .as_ref()
        .map(|status| &*status.conditions)
        .unwrap_or_default();
    let mut text = page.title(&seen.name_any(), &seen.spec.display_name);
    let used_for = seen.spec.used_for.to_string().to_lowercase();
    text.push_str(&page.fact("Type", &format!("{}, for {used_for}s", seen.spec.type_)));
    text.push_str(&page.fact("Ready", &page.ready(judged)));
    if let Some(ready) = conditions::find(judged, ConditionType::Ready) {
        text.push_str(&page.fact("", &ready.message));
    }
    text.push_str(&page.used(Some(users)));
    text.push_str("\nThat is what contributors may know of it. Its administrators know the rest.\n");
    text
}

/// The command of this program that ends the trouble, if there is one.
fn next_step(name: &str, trouble: &Condition) -> Option<String> {
    let command = match conditions::reason_of(trouble)? {
        Reason::ConsentRequired
        | Reason::ConsentWithdrawn
        | Reason::ConsentStale
        | Reason::ConsentUnproven => "consent",
        Reason::DependentsRemain => "remove",
        Reason::Suspended => "resume",
        _ => return None,
    };
    Some(format!("kubectl connections {command} {name}"))
}

/// A message without the commands that it ends in.
fn before_commands(message: &str) -> &str {
    let starts = [
        " To read the notice:",
        " To agree:",
        " To give it anew",
        " To detach",
        " To deactivate",
    ];
    let ends = starts.iter().filter_map(|start| message.find(start));
    ends.min().map_or(message, |end| &message[..end])
}

fn destinations(facts: &Facts) -> Vec<String> {
    let Some(type_) = &facts.type_ else {
        return Vec::new();
    };
    let own = destination(&facts.connection.spec, &type_.spec).into_iter();
    let own = own.map(|(what, value)| format!("{what}: {}", bounded(value)));
    let hosts = type_
        .spec
        .endpoints
        .iter()
        .map(|host| format!("{host}, as every connection of this type"));
    own.chain(hosts).collect()
}

/// The parameters that decide no destination, and those that exports can't choose.
fn settings(facts: &Facts) -> Vec<String> {
    let spec = &facts.connection.spec;
    let decides = |name: &str| {
        let parameters = facts.type_.iter().flat_map(|type_| &type_.spec.parameters);
        parameters
            .into_iter()
            .any(|parameter| parameter.destination && parameter.name.as_str() == name)
    };
    let own = spec.parameters.iter().filter(|(name, _)| !decides(name));
    let own = own.map(|(name, value)| format!("{}: {}", bounded(name.clone()), quoted(value)));
    let fixed = spec.fixed_export_parameters.iter();
    let fixed = fixed.map(|(name, value)| {
        format!(
            "{}: {}, fixed for all exports",
            bounded(name.clone()),
            quoted(value)
        )
    });
    own.chain(fixed).collect()
}

fn access(connection: &Connection) -> &'static str {
    let status = connection.status.as_ref().and_then(|status| status.access);
    match status.unwrap_or_default() {
        Audience::Administrators => "administrators",
        Audience::Contributors => "administrators and contributors",
    }
}

/// What else is judged, where it isn't as it should be.
fn others(judged: &[Condition]) -> Vec<String> {
    let told = [
        ConditionType::Valid,
        ConditionType::SecretsResolved,
        ConditionType::Verified,
    ];
    let found = told.iter().filter_map(|type_| conditions::find(judged, *type_));
    found
        .map(|condition| format!("{} {:?}, {}", condition.type_, condition.status, condition.reason))
        .collect()
}

fn lowered(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}
