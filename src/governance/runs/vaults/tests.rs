use super::*;
use crate::fixtures::{KeyVaultBuilder, company_vault, sftp_partner, vault_secret};
use serde_json::json;
use std::sync::Arc;

#[test]
fn what_signs_in_to_the_named_vault_is_mounted_and_nothing_else() {
    let in_vault = sftp_partner()
        .source("password", vault_secret("company-vault", "partner"))
        .visited()
        .0;
    let in_secret = sftp_partner().visited().0;
    let folder = |vault: KeyVaultBuilder| folder("company-vault", &vault.0.spec);
    let secret = |number: u8, key: &str| {
        let folder = folder(company_vault());
        json!({"secret": {"name": "vault-login", "optional": false,
                          "items": [{"key": key, "path": format!("{folder}/{number}")}]}})
    };
    let as_account = folder(company_vault().by_run_account());
    let rows = [
        (
            "by a role and its secret",
            &in_vault,
            company_vault(),
            json!([secret(0, "secret-id"), secret(1, "ca.crt"),]),
        ),
        (
            "as the run account",
            &in_vault,
            company_vault().by_run_account(),
            json!([{"serviceAccountToken": {"audience": "vault", "expirationSeconds": 600, "path": format!("{as_account}/token")}}]),
        ),
        (
            "by the node, which no run is",
            &in_vault,
            company_vault().by_the_node(),
            json!([]),
        ),
        ("not named", &in_secret, company_vault(), json!([])),
    ];
    for (case, connection, vault, expected) in rows {
        let vaults = [("company-vault".to_owned(), Arc::new(vault.0))].into();
        let files = projections(connection, &vaults, 600);
        assert_eq!(serde_json::to_value(files).expect("JSON"), expected, "{case}");
    }
    assert!(takes_from_one(&in_vault) && !takes_from_one(&in_secret));
    let elsewhere = |vault: &str, change: KeyVaultBuilder| super::folder(vault, &change.0.spec);
    let link = folder(company_vault());
    assert_ne!(
        elsewhere("company-vault", company_vault().allowing(&["crm/*"])),
        link,
        "changed"
    );
    assert_ne!(elsewhere("other", company_vault()), link, "another");
}
