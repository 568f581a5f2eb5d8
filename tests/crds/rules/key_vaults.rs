//! Key vaults.

use super::spec;
use crate::crds::table::Expect::{Accepted, Refused, RefusedByRule};
use crate::crds::table::{Row, creations};
use connection_operator::api::KeyVault;
use serde_json::{Value, json};

const CLIENT: &str = "7b795fb9-09d3-42f4-a494-38864f99ba3c";

fn azure() -> Value {
    json!({
        "apiVersion": "connections.dev/v1alpha1",
        "kind": "KeyVault",
        "metadata": {"name": "good"},
        "spec": {"azureKeyVault": {
            "vaultUrl": "https://sales.vault.azure.net/",
            "tenantId": CLIENT,
            "auth": {"workloadIdentity": {"clientId": CLIENT}},
        }},
    })
}

fn vault() -> Value {
    json!({
        "apiVersion": "connections.dev/v1alpha1",
        "kind": "KeyVault",
        "metadata": {"name": "good"},
        "spec": {"vault": {
            "address": "https://vault.example.com:8200",
            "mount": "secret",
            "auth": {"kubernetes": {"role": "marketing"}},
        }},
    })
}

/// Where a vault may be, as both kinds have it.
fn addresses(address: impl Fn(&str) -> Value) -> Vec<Row> {
    vec![
        (
            "unencrypted",
            address("http://sales.vault.azure.net"),
            RefusedByRule("must begin with https://"),
        ),
        (
            "another scheme",
            address("ldaps://sales.vault.azure.net"),
            RefusedByRule("must begin with https://"),
        ),
        (
            "a user name",
            address("https://ana@sales.vault.azure.net"),
            RefusedByRule("must not hold a user name or password"),
        ),
        (
            "a path",
            address("https://sales.vault.azure.net/secrets"),
            RefusedByRule("nothing after"),
        ),
        (
            "a query",
            address("https://sales.vault.azure.net?a=b"),
            RefusedByRule("nothing after"),
        ),
        (
            "a letter that looks like another",
            address("https://sаles.vault.azure.net"),
            RefusedByRule("in lower case"),
        ),
        (
            "capitals, which no digest should tell apart",
            address("https://Sales.vault.azure.net"),
            RefusedByRule("in lower case"),
        ),
        ("a port", address("https://sales.vault.azure.net:8443"), Accepted),
        (
            "a port that isn't one",
            address("https://sales.vault.azure.net:x"),
            RefusedByRule("nothing after"),
        ),
        (
            "the highest port",
            address("https://sales.vault.azure.net:65535"),
            Accepted,
        ),
        (
            "a port above it",
            address("https://sales.vault.azure.net:65536"),
            RefusedByRule("nothing after"),
        ),
        (
            "no port at all",
            address("https://sales.vault.azure.net:0"),
            RefusedByRule("nothing after"),
        ),
        (
            "two dots in a row",
            address("https://sales..vault.azure.net"),
            RefusedByRule("in lower case"),
        ),
        (
            "a label that ends in a dash",
            address("https://sales.vault-.azure.net"),
            RefusedByRule("in lower case"),
        ),
        (
            "too long",
            address(&format!("https://sales.{}.net", "x".repeat(300))),
            Refused("Too long: may not be more than 300"),
        ),
    ]
}

#[tokio::test]
async fn an_azure_key_vault_is_refused_when_it_contradicts_its_schema() {
    let azure_with = |change: Value| spec(&json!({"azureKeyVault": change}));
    let auth = |auth: Value| azure_with(json!({"auth": auth}));
    let mut rows = addresses(|url| azure_with(json!({"vaultUrl": url})));
    rows.extend([
        ("as it is", json!({}), Accepted),
        (
            "an address in place of a name",
            azure_with(json!({"vaultUrl": "https://10.0.0.1"})),
            RefusedByRule("as the portal shows it"),
        ),
        (
            "no name of a vault",
            azure_with(json!({"vaultUrl": "https://vault.azure.net"})),
            Refused("the vault vault.azure.net is none that this installation lets anybody link"),
        ),
        (
            "too short a name",
            azure_with(json!({"vaultUrl": "https://ab.vault.azure.net"})),
            RefusedByRule("3 to 24 letters"),
        ),
        (
            "two dashes in a row",
            azure_with(json!({"vaultUrl": "https://sales--eu.vault.azure.net"})),
            RefusedByRule("no two dashes"),
        ),
        ("a domain for a tenant", azure_with(json!({"tenantId": "example.com"})), Accepted),
        (
            "any tenant",
            azure_with(json!({"tenantId": "common"})),
            RefusedByRule("must be one tenant"),
        ),
        (
            "no tenant",
            azure_with(json!({"tenantId": null})),
            Refused("tenantId: Required value"),
        ),
        (
            "no way to sign in",
            auth(json!({"workloadIdentity": null})),
            RefusedByRule("name exactly one way to sign in"),
        ),
        (
            "two ways to sign in",
            auth(json!({"managedIdentity": {}})),
            RefusedByRule("name exactly one way to sign in"),
        ),
        (
            "the node's identity",
            auth(json!({"workloadIdentity": null, "managedIdentity": {}})),
            Accepted,
        ),
        (
            "a client that isn't one",
            auth(json!({"workloadIdentity": {"clientId": "sales"}})),
            RefusedByRule("must be the application's ID"),
        ),
        (
            "a value in place of a reference",
            auth(json!({"workloadIdentity": null, "clientSecret": {"clientId": CLIENT, "secret": "not-a-real-one"}})),
            Refused("unknown field"),
        ),
        (
            "both kinds",
            spec(&json!({"vault": vault()["spec"]["vault"]})),
            RefusedByRule("name exactly one vault: azureKeyVault or vault"),
        ),
        (
            "neither kind",
            spec(&json!({"azureKeyVault": null})),
            RefusedByRule("name exactly one vault: azureKeyVault or vault"),
        ),
        (
            "patterns",
            spec(&json!({"allowedSecrets": ["partner-*", "crm"]})),
            Accepted,
        ),
        (
            "a list that allows nothing",
            spec(&json!({"allowedSecrets": []})),
            Refused("should have at least 1 items"),
        ),
        (
            "a pattern that no name has",
            spec(&json!({"allowedSecrets": ["partner password"]})),
            RefusedByRule("must be a pattern of names"),
        ),
        (
            "one pattern twice",
            spec(&json!({"allowedSecrets": ["a", "a"]})),
            Refused("Duplicate value"),
        ),
    ]);
    creations::<KeyVault>(azure(), rows).await;
}

#[tokio::test]
async fn a_vault_is_refused_when_it_contradicts_its_schema() {
    let vault_with = |change: Value| spec(&json!({"vault": change}));
    let auth = |auth: Value| vault_with(json!({"auth": auth}));
    let secret = json!({"name": "login", "key": "secret"});
    let mut rows = addresses(|address| vault_with(json!({"address": address})));
    rows.extend([
        ("as it is", json!({}), Accepted),
        (
            "an address in place of a name: the list of allowed hosts tells",
            vault_with(json!({"address": "https://10.0.0.1:8200"})),
            Accepted,
        ),
        (
            "likewise of six",
            vault_with(json!({"address": "https://[fd00::1]:8200"})),
            Accepted,
        ),
        ("a mount of two names", vault_with(json!({"mount": "team/kv"})), Accepted),
        ("a mount that steps up", vault_with(json!({"mount": "team/../sys"})), RefusedByRule("must be a path")),
        ("a mount that stays", vault_with(json!({"mount": "./sys"})), RefusedByRule("must be a path")),
        ("two slashes", vault_with(json!({"mount": "team//kv"})), RefusedByRule("must be a path")),
        ("a slash before", vault_with(json!({"mount": "/kv"})), RefusedByRule("must be a path")),
        ("names with dots", vault_with(json!({"mount": ".kv/..kv/k.v"})), Accepted),
        ("no mount", vault_with(json!({"mount": null})), Refused("mount: Required value")),
        ("a namespace", vault_with(json!({"namespace": "sales/eu"})), Accepted),
        (
            "a namespace that steps up",
            vault_with(json!({"namespace": ".."})),
            RefusedByRule("must be a path"),
        ),
        ("the older engine", vault_with(json!({"engine": "KV1"})), Accepted),
        ("an engine that isn't one", vault_with(json!({"engine": "KV3"})), Refused("Unsupported value")),
        ("authorities", vault_with(json!({"caBundleRef": secret})), Accepted),
        (
            "no way to sign in",
            auth(json!({"kubernetes": null})),
            RefusedByRule("name exactly one way to sign in"),
        ),
        (
            "two ways to sign in",
            auth(json!({"token": {"secretRef": secret}})),
            RefusedByRule("name exactly one way to sign in"),
        ),
        ("a role that is a path", auth(json!({"kubernetes": {"role": "a/b"}})), RefusedByRule("must be the name of a role")),
        (
            "a token",
            auth(json!({"kubernetes": null, "token": {"secretRef": secret}})),
            Accepted,
        ),
        (
            "an AppRole",
            auth(json!({"kubernetes": null, "appRole": {"roleId": "marketing", "secretIdRef": secret}})),
            Accepted,
        ),
        (
            "by JWT, for Azure",
            auth(json!({"kubernetes": null, "jwt": {"role": "marketing", "audience": "api://AzureADTokenExchange"}})),
            RefusedByRule("audience must not begin with api://, as Azure's do"),
        ),
        (
            "for one of Azure's other clouds",
            auth(json!({"kubernetes": {"role": "marketing", "audience": "API://AzureADTokenExchangeUSGov"}})),
            RefusedByRule("audience must not begin with api://, as Azure's do"),
        ),
        (
            "for the API server",
            auth(json!({"kubernetes": {"role": "marketing", "audience": "https://kubernetes.default.svc.cluster.local"}})),
            RefusedByRule("audience must not be the API server's own"),
        ),
        (
            "for the API server, by a shorter name",
            auth(json!({"kubernetes": null, "jwt": {"role": "marketing", "audience": "HTTPS://kubernetes.default:443"}})),
            RefusedByRule("audience must not be the API server's own"),
        ),
        (
            "for the API server, as some installers name it",
            auth(json!({"kubernetes": {"role": "marketing", "audience": "kubernetes.svc.default"}})),
            RefusedByRule("audience must not be the API server's own"),
        ),
        (
            "for the API server, by its name alone",
            auth(json!({"kubernetes": {"role": "marketing", "audience": "kubernetes"}})),
            RefusedByRule("audience must not be the API server's own"),
        ),
        (
            "for who is only called alike",
            auth(json!({"kubernetes": {"role": "marketing", "audience": "kubernetes-vault"}})),
            Accepted,
        ),
        (
            "for an audience that can't be written",
            auth(json!({"kubernetes": {"role": "marketing", "audience": "vault of sales"}})),
            RefusedByRule("must be printable ASCII without spaces"),
        ),
        (
            "by JWT, for an audience",
            auth(json!({"kubernetes": null, "jwt": {"mount": "jwt/eu", "role": "marketing", "audience": "vault.example.com"}})),
            Accepted,
        ),
    ]);
    creations::<KeyVault>(vault(), rows).await;
}
