//! The way to a store: its host, its credentials, and how long anything is tried.

use super::fault::ObjectsFault;
use super::settings::{HTTPS, Service, Settings};
use super::transport::Transport;
use super::unfinished::Unfinished;
use crate::credentials::{CredentialFault, Credentials};
use crate::fault::Ended;
use connection_operator::vault::connect::tls_config;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::azure::{MicrosoftAzure, MicrosoftAzureBuilder};
use object_store::{BackoffConfig, ObjectStore, RetryConfig};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The library tries a request so often again, after pauses that double: what lasts longer is for Kubernetes to try again.
const RETRIES: usize = 3;
/// How long it does so.
const RETRY_MAX: Duration = Duration::from_secs(10);
/// Its first pause.
const PAUSE: Duration = Duration::from_millis(250);
/// Its longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// How hosts are reached and known; the default is by their name, and by the authorities that the system trusts.
#[derive(Clone, Debug, Default)]
pub struct Way {
    /// The authorities that are trusted in place of the system's, in PEM.
    pub authorities: Option<String>,
    /// Where the host is, whatever its name says.
    pub address: Option<SocketAddr>,
}

/// A store that objects can be brought to.
pub struct Store {
    /// What brings them there.
    pub(super) objects: Arc<dyn ObjectStore>,
    /// What looks for parts that earlier runs left, where those stay until somebody takes them away.
    pub(super) unfinished: Option<Unfinished>,
}

impl Store {
    /// The store of these settings. Nobody is asked anything yet.
    ///
    /// # Errors
    /// When a credential is missing, or isn't of the form that the store's are.
    pub fn new(settings: &Settings, credentials: &Credentials, way: &Way) -> Result<Self, Ended> {
        // Only authorities that were given can be unfit.
        let tls = tls_config(way.authorities.as_deref()).map_err(|_| ObjectsFault::NotTrusted)?;
        match &settings.service {
            Service::S3 { host, port, .. } => {
                let transport = Transport::new(tls, (host, *port), way.address);
                let objects = Arc::new(s3(&settings.service, credentials, transport.clone())?);
                Ok(Self {
                    objects: Arc::clone(&objects) as _,
                    unfinished: Some(Unfinished::new(objects, transport)),
                })
            }
            Service::AzureBlob { host, .. } => {
                let transport = Transport::new(tls, (host, HTTPS), way.address);
                let objects = azure_blob(&settings.service, credentials, transport)?;
                Ok(Self {
                    objects: Arc::new(objects),
                    unfinished: None,
                })
            }
        }
    }
}

fn s3(service: &Service, credentials: &Credentials, transport: Transport) -> Result<AmazonS3, Ended> {
    let Service::S3 {
        host,
        port,
        region,
        bucket,
    } = service
    else {
        return Err(ObjectsFault::Unsupported.into());
    };
    let endpoint = match *port {
        HTTPS => format!("https://{host}"), // as it stands in what is signed
        port => format!("https://{host}:{port}"),
    };
    let builder = AmazonS3Builder::new()
        .with_endpoint(endpoint)
        .with_region(region)
        .with_bucket_name(bucket)
        .with_virtual_hosted_style_request(false)
        .with_access_key_id(key(credentials, "accessKeyId")?)
        .with_secret_access_key(key(credentials, "secretAccessKey")?)
        .with_disable_bulk_delete(true)
        .with_retry(retries())
        .with_http_connector(transport);
    Ok(builder.build().map_err(ObjectsFault::from)?)
}

fn azure_blob(
    service: &Service,
    credentials: &Credentials,
    transport: Transport,
) -> Result<MicrosoftAzure, Ended> {
    let Service::AzureBlob {
        host,
        account,
        container,
    } = service
    else {
        return Err(ObjectsFault::Unsupported.into());
    };
    let builder = MicrosoftAzureBuilder::new()
        .with_endpoint(format!("https://{host}"))
        .with_account(account)
        .with_container_name(container)
        .with_access_key(key(credentials, "accountKey")?)
        .with_retry(retries())
        .with_http_connector(transport);
    // All else has been looked at.
    let unfit = |_| unfit("accountKey", "isn't an account key, which is text in Base64");
    Ok(builder.build().map_err(unfit)?)
}

fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: PAUSE,
            max_backoff: PAUSE_MAX,
            base: 2.,
        },
        max_retries: RETRIES,
        retry_timeout: RETRY_MAX,
    }
}

/// A key that can stand in a header: the library takes that for granted.
fn key<'a>(credentials: &'a Credentials, name: &str) -> Result<&'a str, CredentialFault> {
    let missing = || CredentialFault::Missing {
        name: name.to_owned(),
    };
    let key = credentials.get(name).ok_or_else(missing)?.expose();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(unfit(
            name,
            "isn't a key: those are letters, digits and signs without a space",
        ));
    }
    Ok(key)
}

fn unfit(name: &str, problem: &'static str) -> CredentialFault {
    CredentialFault::Unfit {
        name: name.to_owned(),
        problem,
    }
}
