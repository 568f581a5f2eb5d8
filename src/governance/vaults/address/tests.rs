#![expect(clippy::too_many_lines, reason = "a table is long, not deep")]

use super::*;
use crate::api::key_vault::{
    AppRole, ClientCredential, ClientId, ManagedIdentity, TokenRef, WorkloadIdentity,
};
use crate::api::reference::SecretKeyRef;
use crate::fixtures::{KeyVaultBuilder, NAMESPACE, allowed_vaults, company_vault};

const APPLICATION: &str = "66666666-7777-8888-9999-000000000000";

fn reference() -> SecretKeyRef {
    SecretKeyRef {
        name: "vault-login".into(),
        key: "it".into(),
    }
}

fn credential() -> ClientCredential {
    ClientCredential {
        client_id: ClientId(APPLICATION.to_owned()),
        secret_ref: reference(),
    }
}

fn azure(auth: AzureAuth) -> KeyVaultSpec {
    let mut spec = company_vault().by_the_node().0.spec;
    spec.azure_key_vault.as_mut().expect("Azure's").auth = auth;
    spec
}

fn vault(change: impl FnOnce(&mut HashiCorpVault)) -> KeyVaultSpec {
    let mut spec = company_vault().0.spec;
    change(spec.vault.as_mut().expect("a Vault"));
    spec
}

fn by(auth: VaultAuth) -> KeyVaultSpec {
    vault(|vault| vault.auth = auth)
}

fn role() -> RunAccountRole {
    RunAccountRole {
        mount: None,
        role: "marketing".to_owned(),
        audience: None,
    }
}

/// The address with every credential there, each with its own field as value.
fn whole(spec: &KeyVaultSpec, allowed: &Allowed) -> VaultAddress {
    let link = Link::read(spec, NAMESPACE, allowed).unwrap_or_else(|(_, text)| panic!("{text}"));
    let credentials = spec.credentials().into_iter();
    let values = credentials.map(|(field, _)| (field, SecretText::new(field.to_owned())));
    link.with(values.collect()).expect("every credential is there")
}

fn secret(field: &str) -> SecretText {
    SecretText::new(field.to_owned())
}

#[test]
fn each_way_to_sign_in_is_read_with_its_own_credential() {
    let node: NodeIdentities = format!("{NAMESPACE}=https://sales.vault.azure.net")
        .parse()
        .expect("a pair");
    let allowed = Allowed {
        node,
        ..allowed_vaults()
    };
    let client_id = || APPLICATION.to_owned();
    let namespace = || NAMESPACE.to_owned();
    let account = |mount: &str, audience: &str| Identity::VaultServiceAccount {
        mount: mount.to_owned(),
        role: "marketing".to_owned(),
        audience: audience.to_owned(),
        namespace: namespace(),
    };
    let rows: Vec<(&str, KeyVaultSpec, Identity)> = vec![
        (
            "workload identity",
            azure(AzureAuth {
                workload_identity: Some(WorkloadIdentity {
                    client_id: ClientId(client_id()),
                }),
                ..AzureAuth::default()
            }),
            Identity::AzureWorkload {
                client_id: client_id(),
                namespace: namespace(),
            },
        ),
        (
            "client secret",
            azure(AzureAuth {
                client_secret: Some(credential()),
                ..AzureAuth::default()
            }),
            Identity::AzureClientSecret {
                client_id: client_id(),
                secret: secret(CLIENT_SECRET),
            },
        ),
        (
            "client certificate",
            azure(AzureAuth {
                client_certificate: Some(credential()),
                ..AzureAuth::default()
            }),
            Identity::AzureCertificate {
                client_id: client_id(),
                pem: secret(CLIENT_CERTIFICATE),
            },
        ),
        (
            "the node's identity, where a pair allows it",
            azure(AzureAuth {
                managed_identity: Some(ManagedIdentity::default()),
                ..AzureAuth::default()
            }),
            Identity::AzureManaged { client_id: None },
        ),
        (
            "Kubernetes",
            by(VaultAuth {
                kubernetes: Some(role()),
                ..VaultAuth::default()
            }),
            account("kubernetes", "vault"),
        ),
        (
            "JWT, mounted elsewhere and for another audience",
            by(VaultAuth {
                jwt: Some(RunAccountRole {
                    mount: Some(VaultPath("team/jwt".to_owned())),
                    audience: Some("https://vault.example.com".to_owned()),
                    ..role()
                }),
                ..VaultAuth::default()
            }),
            account("team/jwt", "https://vault.example.com"),
        ),
        (
            "AppRole",
            by(VaultAuth {
                app_role: Some(AppRole {
                    mount: None,
                    role_id: "marketing".to_owned(),
                    secret_id_ref: reference(),
                }),
                ..VaultAuth::default()
            }),
            Identity::VaultAppRole {
                mount: "approle".to_owned(),
                role_id: "marketing".to_owned(),
                secret_id: secret(SECRET_ID),
            },
        ),
        (
            "a token",
            by(VaultAuth {
                token: Some(TokenRef {
                    secret_ref: reference(),
                }),
                ..VaultAuth::default()
            }),
            Identity::VaultToken { token: secret(TOKEN) },
        ),
    ];
    for (case, spec, identity) in rows {
        assert!(whole(&spec, &allowed).identity == identity, "{case}");
    }
}

#[test]
fn a_vault_is_where_its_link_says() {
    let spec = vault(|vault| {
        vault.namespace = Some(VaultPath("eu".to_owned()));
        vault.engine = Some(WrittenEngine::V1);
    });
    let address = whole(&spec, &allowed_vaults());
    assert_eq!(address.url.to_string(), "https://vault.example.com:8200");
    let provider = Provider::Vault {
        mount: "secret".to_owned(),
        namespace: Some("eu".to_owned()),
        engine: Engine::V1,
    };
    assert_eq!(address.provider, provider);
    assert_eq!(address.ca_bundle.as_deref(), Some(CA_BUNDLE));
    assert!(is_ca_bundle(CA_BUNDLE) && !is_ca_bundle(TOKEN));
}

#[test]
fn without_its_credential_there_is_no_address() {
    let link = Link::read(&company_vault().0.spec, NAMESPACE, &allowed_vaults());
    let Ok(link) = link else { panic!("it can be read") };
    assert!(link.with(BTreeMap::new()).is_none());
}

#[test]
fn what_is_not_allowed_is_told_with_the_next_step() {
    let at = |address: &str| {
        let address = address.to_owned();
        vault(move |vault| vault.address = address)
    };
    let node = || company_vault().by_the_node();
    let rows: Vec<(&str, KeyVaultSpec, Reason, &str)> = vec![
        (
            "another host",
            at("https://vault.example.net"),
            Reason::AddressNotAllowed,
            "spec.vault.address must be one of the vaults that this installation allows (*.vault.azure.net, \
             *.vault.usgovcloudapi.net, *.vault.azure.cn, *.example.com, *.elsewhere.example), which vault.example.net \
             isn't: ask the operator's administrator to list it.",
        ),
        (
            "an address that a look-alike name begins with",
            at("https://vault.example.com.evil.net"),
            Reason::AddressNotAllowed,
            "spec.vault.address must be one of the vaults that this installation allows",
        ),
        (
            "the metadata service",
            at("https://169.254.169.254"),
            Reason::AddressNotAllowed,
            "spec.vault.address must name a host instead of the address 169.254.169.254, unless",
        ),
        (
            "not encrypted",
            at("http://vault.example.com"),
            Reason::AddressNotAllowed,
            "spec.vault.address must begin with https://, as secrets never travel unencrypted.",
        ),
        (
            "with a password",
            at("https://joe:secret@vault.example.com"),
            Reason::AddressNotAllowed,
            "spec.vault.address must not hold a user name or password: put credentials into a Secret.",
        ),
        (
            "a mount that steps up",
            vault(|vault| vault.mount = VaultPath("../sys".to_owned())),
            Reason::AddressNotAllowed,
            "spec.vault.mount can't be used: a mount or namespace is a path, such as kv or team/kv:",
        ),
        (
            "Azure's, but of no cloud of Azure",
            moved(node(), "https://sales.vault.azure.example.net"),
            Reason::AddressNotAllowed,
            "spec.azureKeyVault.vaultUrl must be one of the vaults that this installation allows",
        ),
        (
            "the node's identity without a pair",
            node().0.spec,
            Reason::IdentityNotAllowed,
            "spec.azureKeyVault.auth.managedIdentity is the identity of a node, which this installation doesn't allow this \
             namespace to use for https://sales.vault.azure.net: choose another way to sign in, or ask the operator's \
             administrator to allow it.",
        ),
        (
            "nobody, written before the schema refused that",
            by(VaultAuth::default()),
            Reason::IdentityNotAllowed,
            "spec.vault.auth names no way to sign in: name exactly one, kubernetes, jwt, appRole or token.",
        ),
        (
            "two vaults, likewise",
            KeyVaultSpec {
                vault: company_vault().0.spec.vault,
                ..node().0.spec
            },
            Reason::AddressNotAllowed,
            "spec names no vault or more than one: name exactly one, azureKeyVault or vault.",
        ),
    ];
    for (case, spec, reason, text) in rows {
        let Err(told) = Link::read(&spec, NAMESPACE, &allowed_vaults()) else {
            panic!("{case}: it is allowed")
        };
        assert_eq!(told.0, reason, "{case}");
        assert!(
            told.1.starts_with(text) && told.1.ends_with('.'),
            "{case}: {}",
            told.1
        );
        assert!(!told.1.contains("secret@"), "{case}: {}", told.1);
    }
}

fn moved(vault: KeyVaultBuilder, address: &str) -> KeyVaultSpec {
    let mut spec = vault.0.spec;
    spec.azure_key_vault.as_mut().expect("Azure's").vault_url = address.to_owned();
    spec
}

#[test]
fn a_pair_is_of_one_namespace_and_one_vault() {
    let pairs: NodeIdentities =
        " marketing=https://Sales.vault.azure.net/ ,other=https://crm.vault.azure.net:443,"
            .parse()
            .expect("pairs");
    let has = |namespace: &str, address: &str| {
        let url = VaultUrl::read(address).expect("an address");
        pairs.0.contains(&(namespace.to_owned(), url))
    };
    assert!(has("marketing", "https://sales.vault.azure.net"));
    assert!(has("other", "https://crm.vault.azure.net/"));
    assert!(!has("marketing", "https://crm.vault.azure.net"), "not crosswise");
    assert_eq!("".parse::<NodeIdentities>(), Ok(NodeIdentities::default()));
    for wrong in [
        "marketing",
        "=https://sales.vault.azure.net",
        "marketing=http://a.example",
        "a=b",
    ] {
        let error = wrong.parse::<NodeIdentities>().expect_err(wrong);
        assert_eq!(
            error.to_string(),
            format!(
                "{wrong:?} is no namespace and vault: write them as in marketing=https://sales.vault.azure.net, separated by \
                 commas"
            )
        );
    }
}
