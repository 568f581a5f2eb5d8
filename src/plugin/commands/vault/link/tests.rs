use super::*;
use crate::plugin::prompt::{Nobody, Scripted};

fn asked(arguments: &[&str]) -> Link {
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        link: Link,
    }
    let line = ["link"].into_iter().chain(arguments.iter().copied());
    <Line as clap::Parser>::try_parse_from(line)
        .expect("a command line")
        .link
}

fn spec(asked: &Link) -> Value {
    serde_json::to_value(asked.key_vault("marketing").expect("a link").spec).expect("JSON")
}

#[test]
fn flags_make_a_link() {
    let id = "00000000-0000-0000-0000-000000000000";
    let azure = [
        "a",
        "--address",
        "https://sales.vault.azure.net",
        "--tenant",
        "t.example",
        "--client-id",
        id,
    ];
    let expected = json!({"azureKeyVault": {"vaultUrl": "https://sales.vault.azure.net", "tenantId": "t.example",
        "auth": {"workloadIdentity": {"clientId": id}}}});
    assert_eq!(spec(&asked(&azure)), expected);
    let vault = [
        "b",
        "--address",
        "https://v.example",
        "--mount",
        "kv",
        "--token",
        "login/token",
        "--allow",
        "crm/*",
    ];
    let expected = json!({"vault": {"address": "https://v.example", "mount": "kv",
        "auth": {"token": {"secretRef": {"name": "login", "key": "token"}}}}, "allowedSecrets": ["crm/*"]});
    assert_eq!(spec(&asked(&vault)), expected);
}

#[test]
fn a_value_in_place_of_a_reference_is_not_repeated() {
    for value in ["hvs.So Secret", "hvs.So/Secret", "aHVzLlNv/U2VjcmV0=="] {
        let vault = [
            "b",
            "--address",
            "https://v.example",
            "--mount",
            "kv",
            "--token",
            value,
        ];
        let told = asked(&vault)
            .key_vault("marketing")
            .expect_err("no reference")
            .told;
        assert!(told.starts_with("--token names a key of a Secret"), "{told}");
        assert!(!told.contains(&value[..4]), "{told}");
    }
}

#[test]
fn what_is_missing_is_asked_for() {
    let mut link = asked(&[]);
    let answers = [
        "company",
        "1",
        "secret",
        "https://vault.example:8200",
        "marketing",
    ];
    missing(&mut link, &Scripted::new(&answers)).expect("answers");
    let expected = json!({"vault": {"address": "https://vault.example:8200", "mount": "secret",
        "auth": {"kubernetes": {"role": "marketing"}}}});
    assert_eq!(spec(&link), expected);
    let told = missing(&mut asked(&["a"]), &Nobody).expect_err("nobody").told;
    assert!(
        told.contains("--tenant for Azure Key Vault, or --mount"),
        "{told}"
    );
}
