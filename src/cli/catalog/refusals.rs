//! What the API server would refuse of a changed type, as far as that hangs on the type as it is.

use crate::api::ConnectionType;
use crate::api::connection_type::ConnectionTypeSpec;
use crate::api::reference::FieldName;

/// What the API server would refuse.
pub(super) fn refusals(before: &ConnectionType, after: &ConnectionType) -> Vec<String> {
    let (before, after) = (&before.spec, &after.spec);
    let mut refusals = Vec::new();
    if before.used_for != after.used_for {
        refusals.push("spec.usedFor can't change: make another connection type.".to_owned());
    }
    let mut same = before.notice.clone();
    same.previous.clone_from(&after.notice.previous);
    if before.notice.version == after.notice.version && same != after.notice {
        refusals
            .push("spec.notice changes its text under the same version: raise notice.version.".to_owned());
    }
    refusals.extend(moved(before, after));
    refusals
}

/// What was left out of consent by an edit could then change without asking anybody. What goes could come back unmarked.
fn moved(before: &ConnectionTypeSpec, after: &ConnectionTypeSpec) -> impl Iterator<Item = String> {
    let lists = [
        ("spec.parameters", destinations(before).0, destinations(after).0),
        ("spec.secrets", destinations(before).1, destinations(after).1),
    ];
    lists.into_iter().flat_map(|(place, before, after)| {
        let lost = before.into_iter().filter(move |old| !after.contains(old));
        lost.map(move |name| {
            format!(
                "{place}[{name}] is gone or loses destination: true, so where data goes could change without consent: keep \
                 it as it was, or make another connection type."
            )
        })
    })
}

/// The names of the parameters and of the secrets that decide where data goes.
fn destinations(spec: &ConnectionTypeSpec) -> (Vec<&FieldName>, Vec<&FieldName>) {
    let parameters = spec.parameters.iter().filter(|parameter| parameter.destination);
    let secrets = spec.secrets.iter().filter(|slot| slot.destination);
    (
        parameters.map(|parameter| &parameter.name).collect(),
        secrets.map(|slot| &slot.name).collect(),
    )
}
