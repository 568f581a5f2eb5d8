//! The answer for one connection, for people to read.

use super::{ConsentError, line, names, problems};
use crate::api::names::CONSENT_ANNOTATION;
use crate::api::{Connection, ConnectionType};
use crate::governance::consent::{Required, Subject, destination, required};
use crate::governance::message::bounded;
use crate::governance::parameters::CompiledType;
use kube::ResourceExt;
use std::fmt::{Display, Formatter, Result as Written};

/// What somebody agrees to.
pub struct Explanation<'a> {
    connection: &'a Connection,
    namespace: &'a str,
    type_: &'a ConnectionType,
    /// What the annotation must say.
    pub required: Required,
}

impl<'a> Explanation<'a> {
    /// Finds the type and computes the digest.
    pub fn of(
        connection: &'a Connection,
        known: &'a [ConnectionType],
        namespace: Option<&'a str>,
    ) -> Result<Self, ConsentError> {
        let name = connection.name_any();
        let namespace = connection.metadata.namespace.as_deref().or(namespace);
        let namespace = namespace.ok_or_else(|| ConsentError::NoNamespace { name: line(&name) })?;
        let type_ = connection.spec.type_.as_str();
        let found = known.iter().find(|found| found.name_any() == type_);
        let found = found.ok_or_else(|| ConsentError::TypeUnknown {
            name: line(&name),
            type_: line(type_),
            known: names(known.iter().map(ResourceExt::name_any).collect()),
        })?;
        let wrong = mistakes(connection, found);
        if !wrong.is_empty() {
            return Err(ConsentError::Mistaken {
                name: line(&name),
                type_: line(type_),
                problems: problems(&wrong),
            });
        }
        let subject = Subject {
            kind: "Connection",
            namespace,
            name: &name,
        };
        let required = required(subject, &connection.spec, &found.spec);
        Ok(Self {
            connection,
            namespace,
            type_: found,
            required,
        })
    }

    fn next_step(&self) -> &'static str {
        match self.connection.annotations().get(CONSENT_ANNOTATION) {
            None => "To agree, put this under metadata.annotations of the manifest:",
            Some(digest) if *digest == self.required.current => {
                "The manifest carries this agreement already:"
            }
            Some(_) => {
                "The manifest carries another digest, which doesn't count. To agree, put this in its place:"
            }
        }
    }
}

fn mistakes(connection: &Connection, type_: &ConnectionType) -> Vec<String> {
    let spec = &connection.spec;
    match CompiledType::compile(&type_.name_any(), &type_.spec) {
        Err(contradictions) => contradictions,
        Ok(type_) => {
            let mut problems = type_.connection_problems(&spec.parameters, &spec.fixed_export_parameters);
            problems.extend(type_.secret_problems(&spec.secrets));
            problems
        }
    }
}

impl Display for Explanation<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        let spec = &self.type_.spec;
        let notice = &spec.notice;
        writeln!(
            f,
            "Connection {} in namespace {}, of type {}",
            line(&self.connection.name_any()),
            line(self.namespace),
            line(&self.type_.name_any())
        )?;
        writeln!(f, "\nThe notice, version {}:", line(&notice.version))?;
        for statement in [
            &notice.recipient,
            &notice.data,
            &notice.responsibility,
            &notice.how_to_stop,
            &notice.privacy_statement,
        ] {
            writeln!(f, "  - {}", line(statement))?;
        }
        writeln!(f, "\nThe destination:")?;
        for (what, value) in destination(&self.connection.spec, spec) {
            writeln!(f, "  - {}: {}", bounded(what), bounded(value))?;
        }
        for endpoint in &spec.endpoints {
            writeln!(
                f,
                "  - a host of every connection of this type: {}",
                line(endpoint)
            )?;
        }
        writeln!(
            f,
            "\n{}\n  {CONSENT_ANNOTATION}: {}",
            self.next_step(),
            self.required.current
        )
    }
}
