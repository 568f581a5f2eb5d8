use super::*;
use crate::vault::budget::Rate;
use async_trait::async_trait;

const NOBODY: &str = include_str!("../azure/certificate/nobody.pem");

/// Every name leads there.
struct Leads(Result<Vec<IpAddr>, NameFault>);

#[async_trait]
impl Names for Leads {
    async fn addresses(&self, _: &str) -> Result<Vec<IpAddr>, NameFault> {
        self.0.clone()
    }
}

fn network(names: Result<Vec<IpAddr>, NameFault>) -> Network {
    let reach = Reach::parse([".example", "127.0.0.1"]).expect("a list");
    Network::new(reach).with_names(Arc::new(Leads(names)))
}

fn transport(network: &Network, vault: &str, others: &[&str]) -> Transport {
    let reach = Reach::parse([".example", "127.0.0.1", "169.254.0.0/16"]).expect("a list");
    let url = |text: &str| VaultUrl::parse(text, &reach).expect("an address");
    let gate = Gate {
        own: None,
        pace: Arc::new(Mutex::new(Pace::new(Rate::default()))),
        clock: Clock::new(),
        counts: Arc::default(),
    };
    let bounds = Bounds {
        timeout: Duration::from_secs(5),
        body: 1024,
    };
    let others = others.iter().copied().map(url).collect();
    Transport::new(network, &url(vault), others, None, bounds, gate).expect("a transport")
}

fn to(address: &str) -> Request<Bytes> {
    Request::get(address).body(Bytes::new()).expect("a request")
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_connected_to() {
    let addresses = |texts: &[&str]| {
        let parsed = texts.iter().map(|text| text.parse().expect("an address"));
        Ok(parsed.collect::<Vec<IpAddr>>())
    };
    let rows = [
        ("metadata", addresses(&["169.254.169.254"]), SendError::NotAllowed),
        (
            "the cluster",
            addresses(&["10.96.0.1", "fd00::1"]),
            SendError::NotAllowed,
        ),
        ("nowhere", addresses(&[]), SendError::NotAllowed),
        ("no such name", Err(NameFault::NoSuchName), SendError::NoSuchHost),
        ("nobody knows", Err(NameFault::NoAnswer), Outage::NoName.into()),
        // Nothing listens on port 1, so the address that is allowed was tried, and it alone.
        (
            "one of them is listed",
            addresses(&["127.0.0.1", "169.254.169.254"]),
            Outage::NoConnection.into(),
        ),
    ];
    for (case, names, expected) in rows {
        let transport = transport(&network(names), "https://vault.example:1", &[]);
        let answer = transport.send(to("https://vault.example:1/v1/x")).await;
        assert_eq!(answer.err(), Some(expected), "{case}");
    }
}

#[tokio::test]
async fn the_systems_resolver_is_asked_for_names() {
    let found = super::names::SystemNames.addresses("localhost").await;
    let found = found.unwrap_or_else(|fault| panic!("{fault:?}"));
    assert!(
        !found.is_empty() && found.iter().all(IpAddr::is_loopback),
        "{found:?}"
    );
}

#[tokio::test]
async fn nothing_goes_to_another_host_than_the_vaults_and_where_it_is_signed_in() {
    let network = network(Err(NameFault::NoSuchName));
    let transport = transport(&network, "https://vault.example:8200", &["https://login.example"]);
    let rows = [
        (
            "the vault",
            "https://vault.example:8200/secrets",
            SendError::NoSuchHost,
        ),
        (
            "in other letters",
            "https://VAULT.example:8200/secrets",
            SendError::NoSuchHost,
        ),
        (
            "where it is signed in",
            "https://login.example/token",
            SendError::NoSuchHost,
        ),
        (
            "another port",
            "https://vault.example/secrets",
            SendError::NotAllowed,
        ),
        (
            "another host",
            "https://evil.example:8200/next",
            SendError::NotAllowed,
        ),
        (
            "unencrypted",
            "http://vault.example:8200/secrets",
            SendError::NotAllowed,
        ),
        ("metadata", "https://169.254.169.254/token", SendError::NotAllowed),
    ];
    for (case, address, expected) in rows {
        assert_eq!(transport.send(to(address)).await.err(), Some(expected), "{case}");
    }
    let inside = super::tests::transport(&network, "https://169.254.169.254", &[]);
    let answer = inside.send(to("https://169.254.169.254/token")).await;
    assert_eq!(
        answer.err(),
        Some(SendError::NotAllowed),
        "an address that isn't listed here"
    );
}

#[tokio::test]
async fn a_vault_that_wants_no_request_gets_none() {
    let transport = transport(
        &network(Err(NameFault::NoSuchName)),
        "https://vault.example",
        &["https://login.example"],
    );
    transport.gate.throttled(Some(Duration::from_mins(1)));
    let answer = transport.send(to("https://vault.example/secrets")).await;
    assert_eq!(answer.err(), Some(SendError::Paused));
    let answer = transport.send(to("https://login.example/token")).await;
    assert_eq!(
        answer.err(),
        Some(SendError::NoSuchHost),
        "that is about the vault only"
    );
}

#[test]
fn how_long_a_vault_wants_to_be_left_alone_is_read_in_both_forms() {
    let told = |text: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::RETRY_AFTER, http::HeaderValue::from_static(text));
        retry_after(&headers)
    };
    assert_eq!(told("30"), Some(Duration::from_secs(30)));
    assert_eq!(
        told("Wed, 21 Oct 2015 07:28:00 GMT"),
        Some(Duration::ZERO),
        "it's over"
    );
    assert_eq!(told("soon"), None);
    assert_eq!(told("-1"), None);
    let later = told("Fri, 21 Oct 2095 07:28:00 GMT").expect("a date");
    assert!(later > Duration::from_hours(24));
    assert_eq!(retry_after(&HeaderMap::new()), None);
}

#[test]
fn each_cloud_signs_in_at_its_own_place() {
    let reach = Reach::parse([
        ".vault.azure.net",
        ".vault.azure.cn",
        ".vault.usgovcloudapi.net",
        ".corp.example",
    ]);
    let reach = reach.expect("a list");
    let url = |text: &str| VaultUrl::parse(text, &reach).expect("an address");
    let own = Cloud {
        suffix: ".corp.example".to_owned(),
        authority: url("https://login.corp.example"),
    };
    let network = Network::new(reach.clone());
    let rows = [
        (
            "https://sales.vault.azure.net",
            "https://login.microsoftonline.com",
        ),
        (
            "https://sales.vault.usgovcloudapi.net",
            "https://login.microsoftonline.us",
        ),
        ("https://sales.vault.azure.cn", "https://login.chinacloudapi.cn"),
        ("https://sales.corp.example", "https://login.microsoftonline.com"),
    ];
    for (vault, expected) in rows {
        let authority = network.authority(&url(vault)).map(ToString::to_string);
        assert_eq!(authority.as_deref(), Some(expected));
    }
    let network = network.with_cloud(own);
    let authority = network
        .authority(&url("https://sales.corp.example"))
        .map(ToString::to_string);
    assert_eq!(authority.as_deref(), Some("https://login.corp.example"));
}

#[test]
fn a_bundle_of_authorities_holds_certificates() {
    let begin = NOBODY.find("-----BEGIN PRIVATE").expect("a key");
    let rows = [
        ("a certificate", NOBODY[..begin].to_owned(), Ok(())),
        ("twice", NOBODY[..begin].repeat(2), Ok(())),
        ("nothing", String::new(), Err(CaBundleError::Empty)),
        (
            "a key alone",
            NOBODY[begin..].to_owned(),
            Err(CaBundleError::Empty),
        ),
        (
            "something else in its clothes",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(),
            Err(CaBundleError::Unreadable),
        ),
    ];
    for (case, pem, expected) in rows {
        assert_eq!(check_ca_bundle(&pem), expected, "{case}");
    }
}
