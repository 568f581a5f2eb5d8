//! The answer for one connection or key vault, for people to read.

use super::manifests::Manifest;
use super::{ConsentError, line, names, problems};
use crate::api::names::CONSENT_ANNOTATION;
use crate::api::{Connection, ConnectionType, KeyVault};
use crate::governance::consent::{
    NOTICE, NOTICE_VERSION, Required, Subject, destination, place, required, required_of_vault,
};
use crate::governance::message::bounded;
use crate::governance::parameters::CompiledType;
use kube::ResourceExt;
use std::fmt::{Display, Formatter, Result as Written};

/// What somebody agrees to.
pub struct Explanation {
    /// What it is about.
    pub head: String,
    /// That its type should no longer be chosen.
    pub deprecated: Option<String>,
    /// The version of the notice.
    pub version: String,
    /// The notice itself.
    pub statements: Vec<String>,
    /// Where data goes.
    pub destination: Vec<String>,
    next_step: &'static str,
    /// What the annotation must say.
    pub required: Required,
}

impl Explanation {
    /// Finds the notice and computes the digest.
    ///
    /// # Errors
    /// If there is no notice to agree to, or it would be in vain.
    pub fn of(
        manifest: &Manifest,
        known: &[ConnectionType],
        namespace: Option<&str>,
    ) -> Result<Self, ConsentError> {
        let name = manifest.metadata().name.clone().unwrap_or_default();
        let namespace = manifest.metadata().namespace.as_deref().or(namespace);
        let namespace = namespace.ok_or_else(|| ConsentError::NoNamespace {
            noun: manifest.noun(),
            name: line(&name),
        })?;
        match manifest {
            Manifest::Connection(connection) => Self::of_connection(connection, &name, namespace, known),
            Manifest::KeyVault(vault) => Self::of_vault(vault, &name, namespace),
        }
    }

    fn of_connection(
        connection: &Connection,
        name: &str,
        namespace: &str,
        known: &[ConnectionType],
    ) -> Result<Self, ConsentError> {
        let type_ = connection.spec.type_.as_str();
        let found = known.iter().find(|found| found.name_any() == type_);
        let found = found.ok_or_else(|| ConsentError::TypeUnknown {
            name: line(name),
            type_: line(type_),
            known: names(known.iter().map(ResourceExt::name_any).collect()),
        })?;
        let fitting = fitting(connection, found).map_err(|wrong| ConsentError::Mistaken {
            name: line(name),
            type_: line(type_),
            problems: problems(&wrong),
        })?;
        let subject = Subject {
            kind: "Connection",
            namespace,
            name,
        };
        let required = required(subject, &connection.spec, &found.spec);
        let notice = &found.spec.notice;
        let statements = [
            &notice.recipient,
            &notice.data,
            &notice.responsibility,
            &notice.how_to_stop,
            &notice.privacy_statement,
        ];
        let destination = destination(&connection.spec, &found.spec)
            .into_iter()
            .map(|(what, value)| format!("{}: {}", bounded(what), bounded(value)));
        let hosts = found.spec.endpoints.iter();
        let hosts = hosts.map(|host| format!("a host of every connection of this type: {}", line(host)));
        Ok(Self {
            head: format!(
                "Connection {} in namespace {}, of type {}",
                line(name),
                line(namespace),
                line(&found.name_any())
            ),
            deprecated: fitting.deprecated().map(|text| line(&text)),
            version: line(&notice.version),
            statements: statements.into_iter().map(|statement| line(statement)).collect(),
            destination: destination.chain(hosts).collect(),
            next_step: next_step(connection.annotations().get(CONSENT_ANNOTATION), &required),
            required,
        })
    }

    /// The notice of key vaults is one for all. What else of it is wrong, the API server refuses.
    fn of_vault(vault: &KeyVault, name: &str, namespace: &str) -> Result<Self, ConsentError> {
        let whose = match (&vault.spec.azure_key_vault, &vault.spec.vault) {
            (Some(_), None) => "an Azure Key Vault",
            (None, Some(_)) => "a HashiCorp Vault or OpenBao",
            (Some(_), Some(_)) | (None, None) => {
                return Err(ConsentError::NotOneVault { name: line(name) });
            }
        };
        let subject = Subject {
            kind: "KeyVault",
            namespace,
            name,
        };
        let required = required_of_vault(subject, &vault.spec);
        let place = place(&vault.spec).into_iter();
        let place = place.filter(|(_, value)| !value.is_empty());
        Ok(Self {
            head: format!(
                "KeyVault {} in namespace {}, a link to {whose}",
                line(name),
                line(namespace)
            ),
            deprecated: None,
            version: NOTICE_VERSION.to_owned(),
            statements: NOTICE
                .split_inclusive(". ")
                .map(|one| one.trim_end().to_owned())
                .collect(),
            // In full: what is cut can't be agreed to.
            destination: place
                .map(|(what, value)| format!("{what}: {}", bounded(format!("{value:?}"))))
                .collect(),
            next_step: next_step(vault.annotations().get(CONSENT_ANNOTATION), &required),
            required,
        })
    }
}

fn next_step(carried: Option<&String>, required: &Required) -> &'static str {
    match carried {
        None => "To agree, put this under metadata.annotations of the manifest:",
        Some(digest) if *digest == required.current => "The manifest carries this agreement already:",
        Some(_) => {
            "The manifest carries another digest, which doesn't count. To agree, put this in its place:"
        }
    }
}

/// The type, if what the connection says fits it; else what is wrong.
fn fitting(connection: &Connection, type_: &ConnectionType) -> Result<CompiledType, Vec<String>> {
    let spec = &connection.spec;
    let type_ = CompiledType::compile(&type_.name_any(), &type_.spec)?;
    let mut problems = type_.connection_problems(&spec.parameters, &spec.fixed_export_parameters);
    problems.extend(type_.secret_problems(&spec.secrets));
    if problems.is_empty() {
        Ok(type_)
    } else {
        Err(problems)
    }
}

impl Explanation {
    /// What is agreed to, and the digest of it.
    #[must_use]
    pub fn page(&self) -> String {
        format!("{}\nDigest: {}\n", self.agreed(), self.required.current)
    }

    fn agreed(&self) -> String {
        let lines = |lines: &[String]| -> String {
            let lines = lines.iter().map(|line| format!("  - {line}\n"));
            lines.collect()
        };
        let deprecated = self.deprecated.as_deref();
        let deprecated = deprecated.map_or_else(String::new, |text| format!("{text}\n"));
        format!(
            "{}\n{deprecated}\nThe notice, version {}:\n{}\nThe destination:\n{}",
            self.head,
            self.version,
            lines(&self.statements),
            lines(&self.destination)
        )
    }
}

impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        f.write_str(&self.agreed())?;
        let digest = &self.required.current;
        writeln!(f, "\n{}\n  {CONSENT_ANNOTATION}: {digest}", self.next_step)
    }
}
