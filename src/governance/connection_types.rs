//! Whether a connection type can be used, and what those who name one see of it.

use super::Standing;
use super::message::{cut, sentences};
use super::parameters::CompiledType;
use crate::api::connection_type::ConnectionTypeSpec;
use crate::api::{ConnectionType, Reason};
use kube::ResourceExt;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What became of a type's name.
#[derive(Clone, Debug)]
pub enum TypeSeen {
    /// No such type.
    Absent,
    /// It contradicts itself. The places, as sentences.
    Invalid(Arc<Vec<String>>),
    /// It contradicts itself since somebody edited it: the places, and what it said before.
    Kept(Arc<Vec<String>>, Arc<CompiledType>),
    /// It can't be read: the place, and what it said before, if anybody knows.
    Unreadable(Arc<str>, Option<Arc<CompiledType>>),
    /// It is being removed, so that it counts as not there for all that is new: what it says, if it can be used.
    Leaving(Option<Arc<CompiledType>>),
    /// It can be used.
    Usable(Arc<CompiledType>),
}

impl TypeSeen {
    /// The type as it can be used: what it says, or said before an edit made it contradict itself.
    #[must_use]
    pub fn usable(&self) -> Option<&Arc<CompiledType>> {
        match self {
            Self::Usable(type_)
            | Self::Kept(_, type_)
            | Self::Unreadable(_, Some(type_))
            | Self::Leaving(Some(type_)) => Some(type_),
            Self::Absent | Self::Invalid(_) | Self::Unreadable(_, None) | Self::Leaving(None) => None,
        }
    }

    /// Whether it is judged by what it said before, so that what has consent goes on and nothing begins.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        matches!(
            self,
            Self::Kept(..) | Self::Unreadable(_, Some(_)) | Self::Leaving(Some(_))
        )
    }

    /// The same, if it is being removed.
    fn leaving(self) -> Self {
        Self::Leaving(self.usable().cloned())
    }

    /// What those hear who have nothing to go on by while it is judged by what it said before, or by nothing.
    #[must_use]
    pub fn awaited(&self, name: &str) -> Option<Standing> {
        match self {
            Self::Usable(_) | Self::Absent => None,
            Self::Invalid(_) | Self::Kept(..) => Some(contradictory(name)),
            Self::Unreadable(place, _) => Some(unreadable(name, place)),
            Self::Leaving(_) => Some(leaving(name)),
        }
    }

    /// What happened since when it is judged by what it said before, to follow "before".
    #[must_use]
    pub fn edit(&self) -> &'static str {
        match self {
            Self::Unreadable(..) => "an edit that this version of the operator can't read",
            Self::Leaving(_) => "somebody deleted it",
            _ => "an edit made it contradict itself",
        }
    }

    /// What must become of it then, as a clause.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Leaving(_) => {
                "once it is gone, nothing of this type goes on until whoever owns the catalog applies it again"
            }
            _ => "whoever owns it must correct it",
        }
    }

    /// Why it can't be used, for those who name it.
    #[must_use]
    pub fn unusable(&self, name: &str) -> Option<Standing> {
        match self {
            Self::Usable(_) | Self::Kept(..) | Self::Unreadable(_, Some(_)) | Self::Leaving(Some(_)) => None,
            Self::Absent => Some(Standing::unmet(
                Reason::TypeNotFound,
                format!(
                    "There is no connection type {name}. To see those there are: kubectl get connectiontypes. A connection's \
                     type can't be edited: make another connection, or ask who owns the catalog to apply that type."
                ),
            )),
            Self::Invalid(_) | Self::Unreadable(_, None) | Self::Leaving(None) => self.awaited(name),
        }
    }
}

fn unreadable(name: &str, place: &str) -> Standing {
    let text = format!(
        "This version of the operator can't read the connection type {name}, at {}: whoever owns it must correct that, or \
         whoever installed the operator upgrade it.",
        cut(place, PLACE_MAX)
    );
    Standing::unmet(Reason::TypeNotReady, text)
}

/// What those hear who name a type that somebody has deleted, and that something holds.
fn leaving(name: &str) -> Standing {
    let text = format!(
        "The connection type {name} is being removed, so nothing new begins with it: make a connection of another type, \
         or ask who owns the catalog to apply it again once it is gone."
    );
    Standing::unmet(Reason::TypeNotReady, text)
}

/// What those hear who name a type that contradicts itself, and have nothing to go on by.
fn contradictory(name: &str) -> Standing {
    let text = format!(
        "The connection type {name} contradicts itself: whoever owns it must correct it. To see where: kubectl describe connectiontype {name}"
    );
    Standing::unmet(Reason::TypeNotReady, text)
}

/// Types made ready, once per version of each.
#[derive(Debug, Default)]
pub struct CompiledTypes(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Each as it was when it could be read last.
    ready: HashMap<String, (Version, TypeSeen)>,
    /// Those that can't be read, and of which object each is.
    unreadable: HashMap<String, (Option<String>, TypeSeen)>,
}

/// Most characters of a place that a message tells.
const PLACE_MAX: usize = 100;

/// Names one state of a type's spec: the object and its generation.
type Version = (Option<String>, Option<i64>);

impl CompiledTypes {
    /// What became of the name, given the type as last seen.
    #[must_use]
    pub fn seen(&self, type_: Option<&ConnectionType>) -> TypeSeen {
        match type_ {
            None => TypeSeen::Absent,
            Some(type_) if type_.metadata.deletion_timestamp.is_some() => self.compiled(type_).leaving(),
            Some(type_) => self.compiled(type_),
        }
    }

    /// What one says that is there, made ready once per version.
    fn compiled(&self, type_: &ConnectionType) -> TypeSeen {
        let version = (type_.uid(), type_.metadata.generation);
        let ready = &mut self.known().ready;
        let known = ready.get(&type_.name_any());
        if let Some((known, seen)) = known
            && *known == version
        {
            return seen.clone();
        }
        // Another object of the same name is another type: what that one said before is nothing to go on by.
        let before = known.filter(|((uid, _), _)| *uid == version.0);
        let seen = compile(type_, before.and_then(|(_, seen)| seen.usable()));
        ready.insert(type_.name_any(), (version, seen.clone()));
        seen
    }

    /// What became of the name, given the type of that name as last seen: what can't be read is never seen.
    #[must_use]
    pub fn named(&self, name: &str, type_: Option<&ConnectionType>) -> TypeSeen {
        let unreadable = self.known().unreadable.get(name).map(|(_, seen)| seen.clone());
        unreadable.unwrap_or_else(|| self.seen(type_))
    }

    /// Makes one ready that came or changed, and could be read.
    pub fn arrived(&self, type_: &ConnectionType) {
        let name = type_.name_any();
        let mut known = self.known();
        // It may contradict itself now, and then goes on by what it said before it couldn't be read.
        if let Some((uid, seen)) = known.unreadable.remove(&name)
            && let Some(before) = seen.usable()
        {
            let before = TypeSeen::Usable(Arc::clone(before));
            known.ready.entry(name).or_insert(((uid, None), before));
        }
        drop(known);
        let _ = self.seen(Some(type_));
    }

    /// Takes note of one that can't be read, and keeps what it said before.
    pub fn cannot_read(&self, name: &str, uid: Option<&str>, place: &str) {
        let mut known = self.known();
        let ready = known.ready.get(name).map(|((uid, _), seen)| (uid, seen));
        let noted = known.unreadable.get(name).map(|(uid, seen)| (uid, seen));
        let mut before = ready
            .into_iter()
            .chain(noted)
            .filter(|(of, _)| of.as_deref() == uid);
        let before = before.find_map(|(_, seen)| seen.usable().cloned());
        let seen = TypeSeen::Unreadable(place.into(), before);
        known
            .unreadable
            .insert(name.to_owned(), (uid.map(str::to_owned), seen));
    }

    /// Keeps nothing of what a type said that isn't seen any more, unless it is there and only can't be read.
    pub fn forget(&self, name: &str) {
        self.known().ready.remove(name);
    }

    /// Keeps nothing of one that couldn't be read and is gone.
    pub fn gone(&self, name: &str) {
        let mut known = self.known();
        known.ready.remove(name);
        known.unreadable.remove(name);
    }

    /// A poisoned lock only means that another reader died; each entry is whole.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn compile(type_: &ConnectionType, before: Option<&Arc<CompiledType>>) -> TypeSeen {
    match (CompiledType::compile(&type_.name_any(), &type_.spec), before) {
        (Ok(compiled), _) => TypeSeen::Usable(Arc::new(compiled)),
        (Err(problems), None) => TypeSeen::Invalid(Arc::new(problems)),
        (Err(problems), Some(before)) => TypeSeen::Kept(Arc::new(problems), Arc::clone(before)),
    }
}

/// Judges a type by itself.
#[must_use]
pub fn judge(seen: &TypeSeen) -> Standing {
    match seen {
        TypeSeen::Invalid(problems) => Standing::unmet(Reason::TypeInvalid, sentences(problems)),
        TypeSeen::Kept(problems, _) => {
            let text = format!(
                "{} Until then, connections that have consent go on by what the type said before, and all others wait.",
                sentences(problems)
            );
            Standing::unmet(Reason::TypeInvalid, text)
        }
        // Of one that can't be read no status can be written either.
        TypeSeen::Absent | TypeSeen::Unreadable(..) | TypeSeen::Leaving(_) | TypeSeen::Usable(_) => {
            Standing::met(Reason::AsDeclared, "Its declarations fit together.")
        }
    }
}

/// What is amiss with the type that a deprecated one names in its place, as a sentence. Nobody is led in a circle then, as
/// none of a circle is without the mark.
#[must_use]
pub fn misleading(spec: &ConnectionTypeSpec, replacement: Option<&ConnectionType>) -> Option<String> {
    let name = spec.deprecated.as_ref()?.replacement.as_ref()?;
    let problem = match replacement {
        None => "isn't there, or can't be read".to_owned(),
        Some(other) if other.metadata.deletion_timestamp.is_some() => "is being removed".to_owned(),
        Some(other) if other.spec.deprecated.is_some() => "is deprecated as well".to_owned(),
        Some(other) if other.spec.used_for != spec.used_for => {
            format!("is used for {}, not for {}", other.spec.used_for, spec.used_for)
        }
        Some(_) => return None,
    };
    Some(format!(
        "Its replacement {name} {problem}: whoever owns it should name another in spec.deprecated, or none."
    ))
}

#[cfg(test)]
mod tests;
