//! A connection type against itself, beyond what its schema can say.

use crate::api::ConnectionTypeSpec;
use crate::api::connection_type::{Limits, Parameter, ParameterType, SecretKind, SecretSlot, When};
use crate::governance::message::{is_shown, listed, quoted};
use std::net::Ipv4Addr;

/// Each place where the type as a whole contradicts itself, as a sentence.
pub(super) fn contradictions(name: &str, spec: &ConnectionTypeSpec) -> Vec<String> {
    let parameters = named_twice(
        "spec.parameters",
        spec.parameters.iter().map(|one| one.name.as_str()),
    );
    let export_parameters = named_twice(
        "spec.exportParameters",
        spec.export_parameters.iter().map(|one| one.name.as_str()),
    );
    let secrets = named_twice("spec.secrets", spec.secrets.iter().map(|one| one.name.as_str()));
    let slots = spec
        .secrets
        .iter()
        .filter_map(|slot| misplaced(slot, &spec.secrets));
    let limits = spec.limits.as_ref().into_iter().flat_map(contradicting_limits);
    parameters
        .into_iter()
        .chain(export_parameters)
        .chain(secrets)
        .chain(parameters_and_secrets(spec))
        .chain(nowhere(spec))
        .chain(spec.endpoints.iter().filter_map(|host| anywhere(host)))
        .chain(unseen(spec))
        .chain(slots)
        .chain(conditional(spec))
        .chain(limits)
        .chain(old_notice(spec))
        .chain(hidden(spec))
        .chain(own_replacement(name, spec))
        .collect()
}

/// The schema refuses two of one name; a file that nobody has applied yet may have them.
fn named_twice<'a>(place: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    let twice = names.windows(2).find(|pair| pair[0] == pair[1])?;
    Some(format!(
        "{place} declares {} more than once: keep one.",
        quoted(twice[0])
    ))
}

/// Whoever reads a name must know which of the two is meant, and whether its value may be shown.
fn parameters_and_secrets(spec: &ConnectionTypeSpec) -> impl Iterator<Item = String> {
    let lists = [
        ("spec.parameters", &spec.parameters),
        ("spec.exportParameters", &spec.export_parameters),
    ];
    lists.into_iter().flat_map(move |(place, parameters)| {
        let secret =
            move |parameter: &&Parameter| spec.secrets.iter().any(|slot| slot.name == parameter.name);
        parameters.iter().filter(secret).map(move |parameter| {
            let name = quoted(parameter.name.as_str());
            format!("{place} and spec.secrets both declare {name}: give each its own name.")
        })
    })
}

/// Alternatives of the identity whose parameter could never decide whether they count.
fn conditional(spec: &ConnectionTypeSpec) -> impl Iterator<Item = String> {
    let sets = spec.identity.iter().flat_map(|identity| &identity.any_of);
    sets.enumerate().filter_map(move |(index, set)| {
        let problem = undecidable(spec, set.when.as_ref()?)?;
        Some(format!("spec.identity.anyOf[{index}].when {problem}"))
    })
}

fn undecidable(spec: &ConnectionTypeSpec, when: &When) -> Option<String> {
    let all = || spec.export_parameters.iter().chain(&spec.parameters);
    let (name, value) = (quoted(when.parameter.as_str()), quoted(&when.value));
    let named = |list: &[Parameter]| list.iter().any(|one| one.name == when.parameter);
    if named(&spec.parameters) && named(&spec.export_parameters) {
        return Some(format!(
            "names {name}, which spec.parameters and spec.exportParameters both declare: give each its own name."
        ));
    }
    let Some(values) = all().find(|one| one.name == when.parameter).and_then(choices) else {
        let known = all().filter(|parameter| choices(parameter).is_some());
        let known: Vec<&str> = known.map(|parameter| parameter.name.as_str()).collect();
        let next = match known.as_slice() {
            [] => "declare one".to_owned(),
            known => format!("the type has {}", listed(known)),
        };
        return Some(format!(
            "names {name}, which is no parameter of type Enum or Boolean: {next}."
        ));
    };
    (!values.contains(&when.value.as_str())).then(|| {
        let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        format!(
            "has the value {value}, which {name} never has: expected one of {}.",
            listed(&values)
        )
    })
}

/// All values that such a parameter can have, where there are but a few.
fn choices(parameter: &Parameter) -> Option<Vec<&str>> {
    match parameter.type_ {
        ParameterType::Boolean => Some(vec!["true", "false"]),
        ParameterType::Enum => Some(parameter.values.iter().flatten().map(String::as_str).collect()),
        ParameterType::String | ParameterType::Integer => None,
    }
}

/// Consent is to places; a type that names none would have people agree to nothing.
fn nowhere(spec: &ConnectionTypeSpec) -> Option<String> {
    let named = spec.parameters.iter().any(|parameter| parameter.destination);
    (spec.endpoints.is_empty() && !named).then(|| {
        "spec names no place that data goes to: list its hosts in spec.endpoints, or mark the parameter that names it \
         with destination: true."
            .to_owned()
    })
}

/// An address may be anybody's tomorrow, and so may a host below a domain that is open to all.
fn anywhere(host: &str) -> Option<String> {
    let place = format!("spec.endpoints has {}", quoted(host));
    let domain = host.strip_prefix("*.").unwrap_or(host);
    if domain.parse::<Ipv4Addr>().is_ok() {
        return Some(format!("{place}, an address: write the host's name."));
    }
    let written = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let named = |label: &str| {
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.chars().all(written)
    };
    if !domain.split('.').all(named) {
        return Some(format!(
            "{place}, which is no host's name: write one such as api.partner.example, or *. and a domain."
        ));
    }
    (domain.len() < host.len() && !domain.contains('.')).then(|| {
        format!("{place}, which stands for hosts of anybody: write the host, or *. and a domain of at least two parts.")
    })
}

/// Exports choose after consent was given, and by others.
fn unseen(spec: &ConnectionTypeSpec) -> impl Iterator<Item = String> {
    let destinations = spec
        .export_parameters
        .iter()
        .filter(|parameter| parameter.destination);
    destinations.map(|parameter| {
        format!(
            "spec.exportParameters[{}] has destination: true, but consent is to what connections say: declare it in \
             spec.parameters, or leave destination out.",
            parameter.name
        )
    })
}

/// What is wrong with a slot's place among the others.
fn misplaced(slot: &SecretSlot, slots: &[SecretSlot]) -> Option<String> {
    let name = &slot.name;
    let key = slots.iter().any(|other| other.kind == SecretKind::PrivateKey);
    if slot.kind == SecretKind::Passphrase && !key {
        return Some(format!(
            "spec.secrets[{name}] is the passphrase of a private key, and there is none: declare one."
        ));
    }
    let base = slot.alternative_to.as_ref()?;
    let found = slots
        .iter()
        .find(|other| &other.name == base && other.name != slot.name && other.alternative_to.is_none());
    let Some(found) = found else {
        return Some(format!(
            "spec.secrets[{name}] is an alternative to {base}, which is no secret of its own: correct it."
        ));
    };
    if slot.required {
        return Some(format!(
            "spec.secrets[{name}] is required and an alternative to {base}: only the latter can be required."
        ));
    }
    (found.destination && !slot.destination).then(|| {
        format!(
            "spec.secrets[{name}] is an alternative to {base}, which has destination: true: it decides where data goes as \
             well, so mark it likewise."
        )
    })
}

fn contradicting_limits(limits: &Limits) -> impl Iterator<Item = String> + use<> {
    let least = limits.min_members > limits.max_members && limits.max_members.is_some();
    let least = least.then(|| "spec.limits has a minMembers above its maxMembers: correct them.".to_owned());
    let per = limits.max_members_per.is_some() && limits.max_members.is_none();
    let per = per.then(|| "spec.limits has maxMembersPer without maxMembers: add it.".to_owned());
    least.into_iter().chain(per)
}

/// Two wordings under one version could not be told apart.
fn old_notice(spec: &ConnectionTypeSpec) -> Option<String> {
    let previous = spec.notice.previous.as_ref()?;
    (previous.version == spec.notice.version)
        .then(|| "spec.notice.previous has the version of the notice itself: give each its own.".to_owned())
}

/// People can't agree to what they can't see, nor to what is shown in another order than it stands.
fn hidden(spec: &ConnectionTypeSpec) -> impl Iterator<Item = String> {
    let notice = &spec.notice;
    let mut texts = vec![
        ("spec.description", &spec.description),
        ("spec.service.vendor", &spec.service.vendor),
        ("spec.service.category", &spec.service.category),
        ("spec.notice.version", &notice.version),
        ("spec.notice.recipient", &notice.recipient),
        ("spec.notice.data", &notice.data),
        ("spec.notice.responsibility", &notice.responsibility),
        ("spec.notice.howToStop", &notice.how_to_stop),
        ("spec.notice.privacyStatement", &notice.privacy_statement),
    ];
    if let Some(previous) = &notice.previous {
        texts.extend([
            ("spec.notice.previous.version", &previous.version),
            ("spec.notice.previous.recipient", &previous.recipient),
            ("spec.notice.previous.data", &previous.data),
            ("spec.notice.previous.responsibility", &previous.responsibility),
            ("spec.notice.previous.howToStop", &previous.how_to_stop),
            (
                "spec.notice.previous.privacyStatement",
                &previous.privacy_statement,
            ),
        ]);
    }
    let hidden = texts.into_iter().filter(|(_, text)| !is_shown(text));
    hidden.map(|(place, _)| {
        format!(
            "{place} has a character that can't be seen, or that changes how others are shown: leave it out."
        )
    })
}

fn own_replacement(name: &str, spec: &ConnectionTypeSpec) -> Option<String> {
    let replacement = spec.deprecated.as_ref()?.replacement.as_ref()?;
    (replacement.as_str() == name)
        .then(|| "spec.deprecated.replacement is the type itself: name another, or leave it out.".to_owned())
}

/// Options that don't go with the parameter's type. The API server refuses them; a file may have them.
pub(super) fn misshapen(parameter: &Parameter) -> Option<&'static str> {
    let is = |type_| parameter.type_ == type_;
    if parameter.values.as_ref().is_some_and(|values| !values.is_empty()) != is(ParameterType::Enum) {
        return Some("has values without being an Enum, or is an Enum without values");
    }
    if parameter.pattern.is_some() && !is(ParameterType::String) {
        return Some("has a pattern, but only a String has one");
    }
    if (parameter.min.is_some() || parameter.max.is_some()) && !is(ParameterType::Integer) {
        return Some("has min or max, but only an Integer has them");
    }
    if parameter.recipient && !parameter.destination {
        return Some(
            "has recipient: true without destination: true, so that consent would leave out who receives the data",
        );
    }
    (parameter.required && parameter.default.is_some()).then_some("is required and has a default")
}
