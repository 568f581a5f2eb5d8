//! What a new connection is to be, before it is one.

use crate::api::connection::{Access, Audience, Parameters};
use crate::api::connection_type::{SecretKind, SecretSlot, UsedFor};
use crate::api::reference::SecretSource;
use crate::api::{Connection, ConnectionSpec};
use crate::governance::parameters::CompiledType;
use crate::plugin::screen::format::yaml;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Map, json};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// A new connection, as far as it's known. It holds what was typed, so it is never printed.
pub struct Draft {
    /// Its type.
    pub type_: CompiledType,
    /// What it's called.
    pub name: Option<String>,
    /// What people call it.
    pub display_name: Option<String>,
    /// Its parameters.
    pub parameters: Parameters,
    /// What exports can't choose.
    pub fixed: Parameters,
    /// Where its secrets come from.
    pub secrets: BTreeMap<String, SecretSource>,
    /// Secrets that are to be written into one of its own.
    pub typed: BTreeMap<String, Zeroizing<String>>,
    /// That one, once it has a name.
    pub secret: Option<NewSecret>,
    /// Whether contributors may use it.
    pub shared: bool,
}

/// A Secret that is made for the connection.
pub struct NewSecret {
    /// What it's called.
    pub name: String,
    /// What it holds. It is shown nowhere.
    pub data: BTreeMap<String, Zeroizing<String>>,
}

impl std::fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSecret")
            .field("name", &self.name)
            .field("keys", &self.data.keys())
            .finish()
    }
}

impl NewSecret {
    /// As it's shown before it is made: what it holds, without a value. Nobody could apply that.
    #[must_use]
    pub fn shown(&self, namespace: &str) -> String {
        let keys = self.data.keys().map(|key| (key.clone(), json!("(not shown)")));
        yaml(&json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": self.name, "namespace": namespace},
            "data": keys.collect::<Map<_, _>>(),
        }))
    }

    /// As an object.
    #[must_use]
    pub fn object(&self) -> Secret {
        let data = self.data.iter();
        let data = data.map(|(key, value)| (key.clone(), ByteString(value.as_bytes().to_vec())));
        Secret {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                ..ObjectMeta::default()
            },
            data: Some(data.collect()),
            ..Secret::default()
        }
    }
}

impl Draft {
    /// Nothing is known but the type.
    #[must_use]
    pub fn of(type_: CompiledType) -> Self {
        Self {
            type_,
            name: None,
            display_name: None,
            parameters: BTreeMap::new(),
            fixed: BTreeMap::new(),
            secrets: BTreeMap::new(),
            typed: BTreeMap::new(),
            secret: None,
            shared: false,
        }
    }

    /// Whether the type has a secret of this name.
    #[must_use]
    pub fn has_slot(&self, name: &str) -> bool {
        self.type_
            .spec
            .secrets
            .iter()
            .any(|slot| slot.name.as_str() == name)
    }

    /// Whether a secret has a source already.
    #[must_use]
    pub fn is_given(&self, slot: &SecretSlot) -> bool {
        let name = slot.name.as_str();
        self.secrets.contains_key(name) || self.typed.contains_key(name)
    }

    /// The secrets without a source that the type can't do without, each with those that may stand in its place.
    #[must_use]
    pub fn wanted(&self) -> Vec<Vec<SecretSlot>> {
        let slots = &self.type_.spec.secrets;
        let groups = slots
            .iter()
            .filter(|slot| slot.required && slot.alternative_to.is_none());
        let groups = groups.map(|slot| {
            let others = slots
                .iter()
                .filter(|other| other.alternative_to.as_ref() == Some(&slot.name));
            std::iter::once(slot).chain(others).cloned().collect::<Vec<_>>()
        });
        groups
            .filter(|group| !group.iter().any(|slot| self.is_given(slot)))
            .collect()
    }

    /// The secrets without a source that may be left out; not those in whose place another one stands, nor a passphrase
    /// without a key.
    #[must_use]
    pub fn optional(&self) -> Vec<SecretSlot> {
        let slots = &self.type_.spec.secrets;
        let is_required = |name: &str| {
            slots
                .iter()
                .any(|slot| slot.name.as_str() == name && slot.required)
        };
        let given: Vec<&SecretSlot> = slots.iter().filter(|slot| self.is_given(slot)).collect();
        let has_key = given.iter().any(|slot| slot.kind == SecretKind::PrivateKey);
        let optional = slots.iter().filter(|slot| {
            let place = place_of(slot);
            let taken = given.iter().any(|given| place_of(given) == place);
            !is_required(place) && !taken && (has_key || slot.kind != SecretKind::Passphrase)
        });
        optional.cloned().collect()
    }

    /// Gives those that were typed a Secret of their own, which is called so.
    pub fn keep_typed(&mut self, name: &str) {
        if self.typed.is_empty() {
            return;
        }
        let data = std::mem::take(&mut self.typed);
        for slot in data.keys() {
            self.secrets
                .insert(slot.clone(), super::sources::of_secret(name, slot));
        }
        self.secret = Some(NewSecret {
            name: name.to_owned(),
            data,
        });
    }

    /// Whether there is a choice of who may use it.
    #[must_use]
    pub fn can_be_shared(&self) -> bool {
        self.type_.spec.used_for == UsedFor::Export
    }

    /// What is wrong with it, as sentences.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.type_.connection_problems(&self.parameters, &self.fixed);
        problems.extend(self.type_.secret_problems(&self.secrets));
        if self.shared && !self.can_be_shared() {
            problems.push(
                "Connections for enrichments are open to all contributors: leave --share out.".to_owned(),
            );
        }
        problems
    }

    /// As an object.
    #[must_use]
    pub fn connection(&self, namespace: &str) -> Connection {
        let spec = ConnectionSpec {
            display_name: self.display_name.clone().unwrap_or_default(),
            type_: self.type_.name.as_str().into(),
            parameters: self.parameters.clone(),
            secrets: self.secrets.clone(),
            access: self.shared.then_some(Access {
                exports: Some(Audience::Contributors),
            }),
            fixed_export_parameters: self.fixed.clone(),
            suspend: false,
        };
        let mut connection = Connection::new(self.name.as_deref().unwrap_or_default(), spec);
        connection.metadata.namespace = Some(namespace.to_owned());
        connection
    }
}

/// A name in the cluster that reads like what people call it.
#[must_use]
pub fn name_for(display_name: &str) -> String {
    let mut name = String::new();
    for letter in display_name.to_lowercase().chars() {
        match letter {
            'a'..='z' | '0'..='9' => name.push(letter),
            _ if name.is_empty() || name.ends_with('-') => {}
            _ => name.push('-'),
        }
        if name.len() >= 50 {
            break;
        }
    }
    name.trim_matches('-').to_owned()
}

/// Whether the cluster takes such a name.
///
/// # Errors
/// What is expected.
pub fn check_name(name: &str) -> Result<(), String> {
    let fits =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '-' | '.');
    let ends = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    let mut letters = name.chars();
    if name.len() <= 253 && name.chars().all(fits) && ends(letters.next()) && ends(name.chars().last()) {
        return Ok(());
    }
    Err("A name has small letters, digits and dashes, such as sftp-partner.".to_owned())
}

/// Whether people may call something so.
///
/// # Errors
/// What is expected.
pub fn check_display_name(text: &str) -> Result<(), String> {
    let most = crate::api::connection::DISPLAY_NAME_MAX as usize;
    if text.trim().is_empty() || text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(format!(
            "It has 1 to {most} characters, such as Nightly partner drop."
        ));
    }
    Ok(())
}

/// The name of the secret in whose place this one may stand; its own if that is none.
fn place_of(slot: &SecretSlot) -> &str {
    slot.alternative_to.as_ref().unwrap_or(&slot.name).as_str()
}
