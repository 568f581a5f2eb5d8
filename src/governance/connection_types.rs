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
    /// It can be used.
    Usable(Arc<CompiledType>),
}

impl TypeSeen {
    /// The type, if it can be used.
    #[must_use]
    pub fn usable(&self) -> Option<&Arc<CompiledType>> {
        match self {
            Self::Usable(type_) => Some(type_),
            Self::Absent | Self::Invalid(_) => None,
        }
    }

    /// Why it can't be used, for those who name it.
    #[must_use]
    pub fn unusable(&self, name: &str) -> Option<Standing> {
        match self {
            Self::Usable(_) => None,
            Self::Absent => Some(Standing::unmet(
                Reason::TypeNotFound,
                format!(
                    "There is no connection type {name}. To see those there are: kubectl get connectiontypes"
                ),
            )),
            Self::Invalid(_) => Some(Standing::unmet(
                Reason::TypeNotReady,
                format!(
                    "The connection type {name} contradicts itself: whoever owns it must correct it. To see where: kubectl describe connectiontype {name}"
                ),
            )),
        }
    }
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
        match compiled.get(&type_.name_any()) {
            Some((known, seen)) if *known == version => seen.clone(),
            _ => {
                let seen = compile(type_);
                compiled.insert(type_.name_any(), (version, seen.clone()));
                seen
            }
        }
    }
}

fn compile(type_: &ConnectionType) -> TypeSeen {
    match CompiledType::compile(&type_.name_any(), &type_.spec) {
        Ok(compiled) => TypeSeen::Usable(Arc::new(compiled)),
        Err(problems) => TypeSeen::Invalid(Arc::new(problems)),
    }
}

/// Judges a type by itself.
#[must_use]
pub fn judge(seen: &TypeSeen) -> Standing {
    match seen {
        TypeSeen::Invalid(problems) => Standing::unmet(Reason::TypeInvalid, sentences(problems)),
        TypeSeen::Absent | TypeSeen::Usable(_) => {
            Standing::met(Reason::AsDeclared, "Its declarations fit together.")
        }
    }
}
