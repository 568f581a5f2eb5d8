#![expect(clippy::too_many_lines, reason = "a table is long, not deep")]

use super::*;
use proptest::prelude::*;

const GUID: &str = "7b795fb9-09d3-42f4-a494-38864f99ba3c";

fn reach() -> Reach {
    let own = [".corp.example", "vault.vault.svc", "10.0.0.0/8", "::1"];
    Reach::parse(crate::vault::reach::AZURE_SUFFIXES.into_iter().chain(own)).expect("a list")
}

#[test]
fn an_address_is_https_a_host_that_is_allowed_and_perhaps_a_port() {
    let taken = [
        ("https://sales.vault.azure.net", "https://sales.vault.azure.net"),
        ("https://sales.vault.azure.net/", "https://sales.vault.azure.net"),
        (
            "HTTPS://Sales.Vault.Azure.NET:443",
            "https://sales.vault.azure.net",
        ),
        (
            "https://vault.corp.example:8200",
            "https://vault.corp.example:8200",
        ),
        ("https://vault.vault.svc:8200/", "https://vault.vault.svc:8200"),
        ("https://10.1.2.3:8200", "https://10.1.2.3:8200"),
        ("https://[0:0::1]:8200", "https://[::1]:8200"),
    ];
    for (text, expected) in taken {
        let url = VaultUrl::parse(text, &reach()).map(|url| url.to_string());
        assert_eq!(url.as_deref(), Ok(expected), "{text}");
    }
    let refused = [
        (
            "unencrypted",
            "http://sales.vault.azure.net",
            AddressError::NotHttps,
        ),
        ("no scheme", "sales.vault.azure.net", AddressError::NotHttps),
        (
            "another scheme",
            "ftp://sales.vault.azure.net",
            AddressError::NotHttps,
        ),
        (
            "one slash",
            "https:/sales.vault.azure.net",
            AddressError::NotHttps,
        ),
        ("nothing", "", AddressError::NotHttps),
        (
            "a user",
            "https://me@sales.vault.azure.net",
            AddressError::UserInfo,
        ),
        (
            "a host that is a user",
            "https://sales.vault.azure.net@evil.com",
            AddressError::UserInfo,
        ),
        (
            "a user with a password",
            "https://me:x@sales.vault.azure.net",
            AddressError::UserInfo,
        ),
        (
            "a path",
            "https://sales.vault.azure.net/secrets",
            AddressError::PathOrQuery,
        ),
        (
            "a question",
            "https://sales.vault.azure.net?x",
            AddressError::PathOrQuery,
        ),
        (
            "a fragment",
            "https://evil.com#.vault.azure.net",
            AddressError::PathOrQuery,
        ),
        (
            "a backslash",
            "https://evil.com\\.vault.azure.net",
            AddressError::PathOrQuery,
        ),
        (
            "two slashes",
            "https://sales.vault.azure.net//",
            AddressError::PathOrQuery,
        ),
        (
            "a letter of another script",
            "https://s\u{430}les.vault.azure.net",
            AddressError::NotAscii,
        ),
        (
            "a wide letter",
            "https://\u{ff53}ales.vault.azure.net",
            AddressError::NotAscii,
        ),
        (
            "a dot of another script",
            "https://sales\u{3002}vault.azure.net",
            AddressError::NotAscii,
        ),
        ("no host", "https://", AddressError::Host),
        ("only a port", "https://:8200", AddressError::Host),
        (
            "a full stop at the end",
            "https://sales.vault.azure.net.",
            AddressError::Host,
        ),
        (
            "an empty label",
            "https://sales..vault.azure.net",
            AddressError::Host,
        ),
        ("a space", "https://sales.vault.azure.net ", AddressError::Host),
        (
            "a line break",
            "https://sales.vault\n.azure.net",
            AddressError::Host,
        ),
        (
            "an underscore",
            "https://sa_les.vault.azure.net",
            AddressError::Host,
        ),
        ("encoded", "https://sales%2evault.azure.net", AddressError::Host),
        (
            "an address as one number",
            "https://2130706433",
            AddressError::Host,
        ),
        (
            "an address in hexadecimal",
            "https://0x7f.0.0.0x1",
            AddressError::Host,
        ),
        ("an address cut short", "https://127.1", AddressError::Host),
        ("an address in octal", "https://0177.0.0.1", AddressError::Host),
        ("version 6 without brackets", "https://::1", AddressError::Host),
        (
            "version 6 with a zone",
            "https://[fe80::1%25eth0]",
            AddressError::Host,
        ),
        (
            "a port that is none",
            "https://sales.vault.azure.net:x",
            AddressError::Port,
        ),
        ("port 0", "https://sales.vault.azure.net:0", AddressError::Port),
        (
            "a port too high",
            "https://sales.vault.azure.net:65536",
            AddressError::Port,
        ),
        (
            "an empty port",
            "https://sales.vault.azure.net:",
            AddressError::Port,
        ),
    ];
    for (case, text, expected) in refused {
        assert_eq!(VaultUrl::parse(text, &reach()), Err(expected), "{case}");
    }
}

#[test]
fn an_address_that_is_not_on_the_list_is_refused_with_what_is() {
    let rows = [
        (
            "another's host",
            "https://vault.evil.com",
            "one of the vaults that this installation allows (vault.vault.svc, *.vault.azure.net",
        ),
        (
            "looks like a vault of Azure",
            "https://xn--sles-5cd.vault.azure.net",
            "which xn--sles-5cd.vault.azure.net isn't",
        ),
        (
            "metadata",
            "https://169.254.169.254",
            "must name a host instead of the address 169.254.169.254",
        ),
        (
            "the machine itself",
            "https://127.0.0.1",
            "instead of the address 127.0.0.1",
        ),
        (
            "of the Internet, but not listed",
            "https://20.42.1.9",
            "instead of the address 20.42.1.9",
        ),
        (
            "version 4 in version 6's clothes",
            "https://[::ffff:127.0.0.1]",
            "instead of the address",
        ),
    ];
    for (case, text, expected) in rows {
        let refusal = VaultUrl::parse(text, &reach()).expect_err(case).to_string();
        assert!(refusal.contains(expected), "{case}: {refusal}");
    }
}

#[test]
fn a_vault_of_azure_has_a_name_by_azures_rule() {
    let rows = [
        (
            "as the portal shows it",
            "https://sales-eu.vault.azure.net/",
            true,
        ),
        (
            "of the US Government's cloud",
            "https://sales.vault.usgovcloudapi.net",
            true,
        ),
        ("of China's cloud", "https://sales.vault.azure.cn", true),
        ("too short", "https://ab.vault.azure.net", false),
        (
            "too long",
            "https://abcdefghijklmnopqrstuvwxy.vault.azure.net",
            false,
        ),
        ("two dashes in a row", "https://sales--eu.vault.azure.net", false),
        ("an address", "https://10.1.2.3", false),
        ("of no cloud", "https://sales.evil.com", false),
    ];
    for (case, text, expected) in rows {
        assert_eq!(VaultUrl::parse_azure(text, &reach()).is_ok(), expected, "{case}");
    }
}

#[test]
fn names_are_taken_by_each_vaults_rule() {
    type Rule = fn(&str) -> Result<(), NameError>;
    let long = "a".repeat(128);
    let rows: [(&str, Rule, &str, bool); 27] = [
        ("letters, digits, dashes", azure_secret, "sftp-Password-2", true),
        ("an underscore", azure_secret, "sftp_password", false),
        ("a slash", azure_secret, "sftp/x", false),
        ("a step up", azure_secret, "..", false),
        ("a question", azure_secret, "sftp?api-version=1", false),
        ("nothing", azure_secret, "", false),
        ("too long", azure_secret, &long, false),
        (
            "a version",
            azure_version,
            "6a0f5d1c8e3b4f2a9d7c6b5a4f3e2d1c",
            true,
        ),
        ("a number", azure_version, "3", false),
        ("a tenant's ID", tenant, GUID, true),
        ("a tenant's domain", tenant, "contoso.onmicrosoft.com", true),
        ("any tenant", tenant, "common", false),
        ("a path", tenant, "contoso.com/x", false),
        ("an application", client_id, GUID, true),
        ("no application", client_id, "my-app", false),
        ("a path", vault_secret, "team/sftp.prod_1", true),
        ("a step up", vault_secret, "team/../admin", false),
        ("a step on the spot", vault_secret, "team/./sftp", false),
        ("a folder", vault_secret, "team/", false),
        ("from the root", vault_secret, "/team", false),
        ("an empty step", vault_secret, "team//sftp", false),
        ("an encoded slash", vault_secret, "team%2fsftp", false),
        ("a version", vault_version, "12", true),
        ("version 0", vault_version, "0", false),
        ("a signed version", vault_version, "+1", false),
        ("a mount in a folder", path, "team/kv", true),
        ("no mount", path, "", false),
    ];
    for (case, rule, text, expected) in rows {
        assert_eq!(rule(text).is_ok(), expected, "{case}: {text}");
    }
}

#[test]
fn no_audience_is_the_api_servers_or_azures() {
    let rows = [
        ("an audience", "vault", true),
        (
            "an audience by its address",
            "https://vault.example.com:8200",
            true,
        ),
        ("one that only begins alike", "kubernetes-vault", true),
        ("likewise a host", "https://kubernetes.example.com", true),
        (
            "the API server's",
            "https://kubernetes.default.svc.cluster.local",
            false,
        ),
        ("without its domain", "https://kubernetes.default.svc", false),
        ("with a port", "https://kubernetes.default.svc:443", false),
        ("with a slash", "https://kubernetes.default/", false),
        ("in another domain", "kubernetes.default.svc.corp.example", false),
        ("as some installers have it", "kubernetes.svc.default", false),
        ("in capitals", "HTTPS://Kubernetes.Default.SVC", false),
        ("by its name alone", "kubernetes", false),
        ("Azure's", "API://AzureADTokenExchange", false),
    ];
    for (case, text, expected) in rows {
        assert_eq!(audience(text).is_ok(), expected, "{case}: {text}");
    }
}

#[test]
fn what_is_wanted_fits_the_kind_of_vault() {
    let azure = Provider::Azure {
        tenant: GUID.to_owned(),
    };
    let vault = |engine| Provider::Vault {
        mount: "kv".to_owned(),
        namespace: None,
        engine,
    };
    let wanted = |secret: &str, version: Option<&str>, key: Option<&str>| Wanted {
        secret: secret.to_owned(),
        version: version.map(str::to_owned),
        key: key.map(str::to_owned),
    };
    let version = "6a0f5d1c8e3b4f2a9d7c6b5a4f3e2d1c";
    let rows = [
        (
            "a secret of Azure",
            &azure,
            wanted("sftp", Some(version), None),
            Ok(()),
        ),
        (
            "a key in Azure",
            &azure,
            wanted("sftp", None, Some("x")),
            Err(NameError::AzureKey),
        ),
        (
            "a path in Azure",
            &azure,
            wanted("a/b", None, None),
            Err(NameError::AzureSecret),
        ),
        (
            "Vault's version in Azure",
            &azure,
            wanted("a", Some("1"), None),
            Err(NameError::AzureVersion),
        ),
        (
            "a secret of Vault",
            &vault(Engine::V2),
            wanted("a/b", Some("1"), Some("x")),
            Ok(()),
        ),
        (
            "Azure's version in Vault",
            &vault(Engine::V2),
            wanted("a", Some(version), None),
            Err(NameError::VaultVersion),
        ),
        (
            "a version where none are kept",
            &vault(Engine::V1),
            wanted("a", Some("1"), None),
            Err(NameError::NoVersions),
        ),
        (
            "the older engine",
            &vault(Engine::V1),
            wanted("a", None, Some("x")),
            Ok(()),
        ),
    ];
    for (case, provider, wanted, expected) in rows {
        assert_eq!(wanted.fits(provider), expected, "{case}");
    }
}

#[test]
fn an_identity_is_called_by_what_is_no_secret() {
    let secret = || SecretText::new("canary".to_owned());
    let id = || GUID.to_owned();
    let text = str::to_owned;
    let identities = [
        Identity::AzureWorkload {
            client_id: id(),
            namespace: text("marketing"),
        },
        Identity::AzureClientSecret {
            client_id: id(),
            secret: secret(),
        },
        Identity::AzureCertificate {
            client_id: id(),
            pem: secret(),
        },
        Identity::AzureManaged { client_id: None },
        Identity::VaultToken { token: secret() },
        Identity::VaultAppRole {
            mount: text("approle"),
            role_id: text("canary"),
            secret_id: secret(),
        },
        Identity::VaultServiceAccount {
            mount: text("kubernetes"),
            role: text("connections"),
            audience: text("vault"),
            namespace: text("marketing"),
        },
    ];
    for identity in identities {
        assert!(!identity.who().contains("canary"), "{}", identity.who());
    }
}

proptest! {
    #[test]
    fn an_address_that_is_taken_is_read_the_same_again(text in "(https://)?[a-z0-9.@:/\\[\\]-]{0,40}(\\.vault\\.azure\\.net)?(:[0-9]{0,6})?/?") {
        if let Ok(url) = VaultUrl::parse(&text, &reach()) {
            prop_assert_eq!(VaultUrl::parse(&url.to_string(), &reach()), Ok(url.clone()));
            let seen: http::Uri = url.to_string().parse().expect("other programs read it");
            prop_assert_eq!(seen.host(), Some(url.host()));
            prop_assert_eq!(seen.port_u16().unwrap_or(443), url.port());
        }
    }
}
