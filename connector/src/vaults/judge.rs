//! Whether a key vault may be asked, by what its link says.

use crate::guard::{annotation, stands};
use connection_operator::api::KeyVault;
use connection_operator::api::names::CONSENT_ANNOTATION;
use connection_operator::governance::consent::{Subject, required_of_vault};
use kube::ResourceExt;

/// The link, if it's there to stay and somebody agreed to this very vault. The digest is computed anew, as the connection's is.
#[must_use]
pub fn judge(found: Option<KeyVault>) -> Option<KeyVault> {
    let link = found.filter(|link| link.metadata.deletion_timestamp.is_none())?;
    let digest = annotation(&link, CONSENT_ANNOTATION)?;
    let (namespace, name) = (link.namespace().unwrap_or_default(), link.name_any());
    let subject = Subject {
        kind: "KeyVault",
        namespace: &namespace,
        name: &name,
    };
    let agreed = required_of_vault(subject, &link.spec).current == digest;
    let consent = link.status.as_ref().and_then(|status| status.consent.as_ref());
    (agreed && stands(&link, consent, digest)).then_some(link)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::key_vault;
    use connection_operator::api::names::CONSENTED_BY_ANNOTATION;
    use serde_json::{Value, json};

    #[test]
    fn a_vault_is_asked_only_by_consent_to_it() {
        let digest = key_vault().annotations()[CONSENT_ANNOTATION].clone();
        let rows: [(&str, Value, bool); 6] = [
            ("as it was agreed to", json!({}), true),
            (
                "withdrawn",
                json!({"metadata": {"annotations": {CONSENT_ANNOTATION: null}}}),
                false,
            ),
            (
                "stamped as withdrawn",
                json!({"metadata": {"annotations": {CONSENTED_BY_ANNOTATION: format!("withdrawn {digest} ada")}}}),
                false,
            ),
            (
                "leading elsewhere since",
                json!({"spec": {"vault": {"address": "https://other.example"}}}),
                false,
            ),
            (
                "unproven",
                json!({"status": {"conditions": [], "consent": {"given": false, "unproven": format!("given {digest} ada")}}}),
                false,
            ),
            (
                "being removed",
                json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}),
                false,
            ),
        ];
        for (case, change, expected) in rows {
            let mut link = serde_json::to_value(key_vault()).expect("JSON");
            merge(&mut link, &change);
            let link = serde_json::from_value(link).expect(case);
            assert_eq!(judge(Some(link)).is_some(), expected, "{case}");
        }
        assert_eq!(judge(None), None);
    }

    /// As a merge patch changes it (RFC 7386).
    fn merge(target: &mut Value, change: &Value) {
        let Value::Object(changes) = change else {
            *target = change.clone();
            return;
        };
        for (name, change) in changes {
            if change.is_null() {
                if let Some(target) = target.as_object_mut() {
                    target.remove(name);
                }
            } else {
                merge(&mut target[name.as_str()], change);
            }
        }
    }
}
