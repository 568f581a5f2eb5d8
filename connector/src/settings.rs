//! What a connection says and an export or enrichment chose, looked at by their type: the same for every destination.

use crate::encode::Form;
use crate::fault::Fault;
use connection_operator::api::connection::{ConnectionSpec, Parameters};
use connection_operator::api::connection_type::{ConnectionTypeSpec, Parameter, UsedFor};
use connection_operator::api::run::{FailureClass, Persistence, Plan};
use connection_operator::governance::parameters::{CompiledType, effective};
use thiserror::Error;

/// The connection's settings can't be gone by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SettingsFault {
    /// Another connector runs the type.
    #[error(
        "The connection's type is run by a connector that isn't part of this version, so nothing was sent. Whoever installed the operator can look at its value connectors."
    )]
    NotOurs,
    /// The type contradicts itself.
    #[error(
        "The connection's type contradicts itself, so nothing was sent. A platform engineer can correct it."
    )]
    Type,
    /// What the connection says doesn't fit its type.
    #[error(
        "What the connection says doesn't fit its type, so nothing was sent. Its administrator can see more in its condition Valid."
    )]
    Connection,
    /// What the export or enrichment chose doesn't fit the type.
    #[error(
        "The parameters that were chosen don't fit the connection's type, or one of them is the connection's to choose, so nothing was sent. Correct spec.parameters."
    )]
    Choice,
}

impl Fault for SettingsFault {
    fn class(&self) -> FailureClass {
        match self {
            Self::NotOurs | Self::Type => FailureClass::System,
            Self::Connection => FailureClass::Destination,
            Self::Choice => FailureClass::User,
        }
    }

    fn persistence(&self) -> Persistence {
        Persistence::Permanent
    }
}

/// What was said and chosen, once it fits the type.
pub struct Said<'a> {
    type_: &'a ConnectionTypeSpec,
    own: &'a Parameters,
    chosen: Parameters,
}

impl<'a> Said<'a> {
    /// Of the connection as it was read, for an export on a type that the connector of this name runs.
    ///
    /// # Errors
    /// When something in it doesn't fit the type.
    pub fn of(
        plan: &'a Plan,
        connection: &'a ConnectionSpec,
        connector: &str,
    ) -> Result<Self, SettingsFault> {
        Self::of_use(plan, connection, (connector, UsedFor::Export))
    }

    /// The same for what the type is used for.
    ///
    /// # Errors
    /// When something in it doesn't fit the type.
    pub fn of_use(
        plan: &'a Plan,
        connection: &'a ConnectionSpec,
        (connector, used_for): (&str, UsedFor),
    ) -> Result<Self, SettingsFault> {
        let type_ = &plan.type_spec;
        let named = type_.connector.as_ref();
        let ours = named.is_some_and(|named| named.as_str() == connector);
        if !ours || plan.used_for != used_for || type_.used_for != used_for {
            return Err(SettingsFault::NotOurs);
        }
        let compiled = CompiledType::compile(plan.type_.as_str(), type_).map_err(|_| SettingsFault::Type)?;
        let fixed = &connection.fixed_export_parameters;
        if !compiled
            .connection_problems(&connection.parameters, fixed)
            .is_empty()
        {
            return Err(SettingsFault::Connection);
        }
        if !compiled.choice_problems(&plan.parameters, fixed).is_empty() {
            return Err(SettingsFault::Choice);
        }
        // The connection has the last word.
        let mut chosen = plan.parameters.clone();
        chosen.extend(fixed.clone());
        let own = &connection.parameters;
        Ok(Self { type_, own, chosen })
    }

    /// A parameter of the connection, or the type's default for it.
    #[must_use]
    pub fn own(&self, name: &str) -> Option<&str> {
        value(&self.type_.parameters, self.own, name)
    }

    /// A parameter that exports choose, or the type's default for it.
    #[must_use]
    pub fn chosen(&self, name: &str) -> Option<&str> {
        value(&self.type_.export_parameters, &self.chosen, name)
    }

    /// The folders that exports choose by this parameter, one in the other. The type's pattern lets nothing through that
    /// steps up; a type of somebody else's making may have another.
    ///
    /// # Errors
    /// When they lead elsewhere than down.
    pub fn folders(&self, name: &str) -> Result<Vec<String>, SettingsFault> {
        let parts = self.chosen(name).into_iter();
        let parts: Vec<String> = parts
            .flat_map(|folders| folders.split('/'))
            .map(str::to_owned)
            .collect();
        let steps_out =
            |part: &String| part.is_empty() || part.starts_with('.') || part.contains(['\\', '\0']);
        if parts.iter().any(steps_out) {
            return Err(SettingsFault::Choice);
        }
        Ok(parts)
    }

    /// How files are written.
    ///
    /// # Errors
    /// When the type offers a form that isn't known here.
    pub fn form(&self) -> Result<Form, SettingsFault> {
        Ok(Form {
            delimiter: delimiter(self.chosen("delimiter"))?,
            gzip: match self.chosen("compression") {
                None | Some("None") => false,
                Some("Gzip") => true,
                Some(_) => return Err(SettingsFault::Type),
            },
        })
    }

    /// How many files one dataset may become.
    #[must_use]
    pub fn files_max(&self) -> usize {
        let limits = self.type_.limits.as_ref();
        let most = limits.and_then(|limits| limits.max_files_per_dataset);
        most.and_then(|most| usize::try_from(most).ok())
            .unwrap_or(1)
            .max(1)
    }
}

fn value<'a>(declared: &'a [Parameter], given: &'a Parameters, name: &str) -> Option<&'a str> {
    let parameter = declared
        .iter()
        .find(|parameter| parameter.name.as_str() == name)?;
    effective(parameter, given).filter(|value| !value.is_empty())
}

fn delimiter(given: Option<&str>) -> Result<u8, SettingsFault> {
    match given {
        None | Some("Comma") => Ok(b','),
        Some("Semicolon") => Ok(b';'),
        Some("Tab") => Ok(b'\t'),
        Some("Pipe") => Ok(b'|'),
        Some(_) => Err(SettingsFault::Type),
    }
}
