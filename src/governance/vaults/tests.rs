use super::*;
use crate::fixtures::company_vault;
use proptest::prelude::*;

#[test]
fn a_pattern_fits_the_whole_name_and_its_stars_any_text() {
    let rows = [
        ("itself", "partner", "partner", true),
        ("not a part of it", "partner-2", "partner", false),
        ("nor more", "part", "partner", false),
        ("the case counts", "Partner", "partner", false),
        ("a start", "partner-password", "partner-*", true),
        ("a start alone", "partner-", "partner-*", true),
        ("another start", "other-password", "partner-*", false),
        ("an end", "partner-password", "*-password", true),
        (
            "in the middle",
            "partner-sftp-password",
            "partner-*-password",
            true,
        ),
        ("the same letter twice", "a", "a*a", false),
        ("the last of several", "aXbXb", "a*b", true),
        ("a folder and what is below", "team/sftp/password", "team/*", true),
        ("all", "anything", "*", true),
        ("several stars", "abcabc", "*b*c", true),
        ("in their order", "acb", "*b*c", false),
        ("a dot is a dot", "axb", "a.b", false),
    ];
    for (case, name, pattern, expected) in rows {
        assert_eq!(fits(name, pattern), expected, "{case}");
    }
}

proptest! {
    #[test]
    fn patterns_fit_what_the_same_regular_expression_fits(name in "[ab/]{0,8}", pattern in "[ab/*]{1,8}") {
        let expression = format!("^(?s){}$", regex::escape(&pattern).replace("\\*", ".*"));
        let expression = regex::Regex::new(&expression).expect("an expression");
        prop_assert_eq!(fits(&name, &pattern), expression.is_match(&name));
    }
}

#[test]
fn a_reference_is_told_what_keeps_it_from_the_key_vault() {
    let ready = company_vault().ready();
    let rows = [
        ("ready", Some(ready.clone()), None),
        ("not linked", None, Some(Reason::VaultNotFound)),
        ("never judged", Some(company_vault()), Some(Reason::VaultNotReady)),
        (
            "being removed",
            Some(ready.clone().deleting()),
            Some(Reason::VaultBeingRemoved),
        ),
        ("allowed", Some(ready.clone().allowing(&["partner-*"])), None),
        (
            "not allowed",
            Some(ready.allowing(&["others-*", "partner-password-*"])),
            Some(Reason::SecretNotAllowed),
        ),
        (
            "not allowed, and not ready either: the author must act first",
            Some(company_vault().allowing(&["others-*"])),
            Some(Reason::SecretNotAllowed),
        ),
    ];
    let named = KeyVaultRef {
        name: "company-vault".into(),
        secret: "partner-password".to_owned(),
        version: None,
        key: None,
    };
    for (case, vault, expected) in rows {
        let vaults = vault.map(|vault| ("company-vault".to_owned(), Arc::new(vault.0)));
        let found = problem(
            "spec.secrets.password",
            "marketing",
            &named,
            &vaults.into_iter().collect(),
        );
        assert_eq!(found.as_ref().map(|(reason, _)| *reason), expected, "{case}");
        let text = found.map_or_else(|| "spec.secrets.password names .".to_owned(), |(_, text)| text);
        assert!(text.starts_with("spec.secrets.password names "), "{case}: {text}");
    }
}
