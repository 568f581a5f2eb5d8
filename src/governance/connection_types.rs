//! Whether a connection type can be used, and what those who name one see of it.

use super::Standing;
use super::message::sentences;
use super::parameters::CompiledType;
use crate::api::ConnectionType;
use crate::api::Reason;
use kube::ResourceExt;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What became of a type's name.
#[derive(Clone, Debug)]
pub enum TypeSeen {
    /// No such type.
    Absent,
    /// It contradicts itself. The places, as sentences.
    Invalid(Arc<Vec<String>>),
    /// It contradicts itself since somebody edited it: the places, and what it said before.
    Kept(Arc<Vec<String>>, Arc<CompiledType>),
    /// It can be used.
    Usable(Arc<CompiledType>),
}

impl TypeSeen {
    /// The type as it can be used: what it says, or said before an edit made it contradict itself.
    #[must_use]
    pub fn usable(&self) -> Option<&Arc<CompiledType>> {
        match self {
            Self::Usable(type_) | Self::Kept(_, type_) => Some(type_),
            Self::Absent | Self::Invalid(_) => None,
        }
    }

    /// Whether it is judged by what it said before.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(..))
    }

    /// Why it can't be used, for those who name it.
    #[must_use]
    pub fn unusable(&self, name: &str) -> Option<Standing> {
        match self {
            Self::Usable(_) | Self::Kept(..) => None,
            Self::Absent => Some(Standing::unmet(
                Reason::TypeNotFound,
                format!(
                    "There is no connection type {name}. To see those there are: kubectl get connectiontypes"
                ),
            )),
            Self::Invalid(_) => Some(contradictory(name)),
        }
    }
}

/// What those hear who name a type that contradicts itself, and have nothing to go on by.
#[must_use]
pub fn contradictory(name: &str) -> Standing {
    let text = format!(
        "The connection type {name} contradicts itself: whoever owns it must correct it. To see where: kubectl describe connectiontype {name}"
    );
    Standing::unmet(Reason::TypeNotReady, text)
}

/// Types made ready, once per version of each.
#[derive(Debug, Default)]
pub struct CompiledTypes(Mutex<HashMap<String, (Version, TypeSeen)>>);

/// Names one state of a type's spec: the object and its generation.
type Version = (Option<String>, Option<i64>);

impl CompiledTypes {
    /// What became of the name, given the type as last seen.
    #[must_use]
    pub fn seen(&self, type_: Option<&ConnectionType>) -> TypeSeen {
        let Some(type_) = type_ else {
            return TypeSeen::Absent;
        };
        let version = (type_.uid(), type_.metadata.generation);
        // A poisoned lock only means that another reader died; each entry is whole.
        let mut compiled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = compiled.get(&type_.name_any());
        if let Some((known, seen)) = known
            && *known == version
        {
            return seen.clone();
        }
        // Another object of the same name is another type: what that one said before is nothing to go on by.
        let before = known.filter(|((uid, _), _)| *uid == version.0);
        let seen = compile(type_, before.and_then(|(_, seen)| seen.usable()));
        compiled.insert(type_.name_any(), (version, seen.clone()));
        seen
    }

    /// Keeps nothing of a type that is gone: one made anew under its name is another.
    pub fn forget(&self, name: &str) {
        let mut compiled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        compiled.remove(name);
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
        TypeSeen::Absent | TypeSeen::Usable(_) => {
            Standing::met(Reason::AsDeclared, "Its declarations fit together.")
        }
    }
}

#[cfg(test)]
mod tests;
