//! The cluster that the kubeconfig names, asked as its user. The rules are kubectl's.

mod acts;
mod fault;
mod flags;
mod kubeconfig;

pub use acts::{GONE, Kept, Waited};
pub use fault::ClusterError;
pub use flags::Flags;

use k8s_openapi::NamespaceResourceScope;
use kube::api::{ListParams, ObjectList};
use kube::core::{PartialObjectMeta, Request};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Most objects of one answer. Larger ones than kubectl's: an answer takes the API server longer than its objects do.
const PAGE: u32 = 2500;

/// How long the API server may take to be there.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Of this namespace; of all if absent, or where the kind is in none.
    pub namespace: Option<String>,
    /// With these labels.
    pub labels: Option<String>,
    /// With these values in selectable fields.
    pub fields: Option<String>,
}

/// A cluster and who asks.
#[derive(Clone)]
pub struct Cluster {
    /// For what has no method here.
    pub client: Client,
    /// The namespace of the flag, or of the context.
    pub namespace: String,
    /// The context of the kubeconfig; none in a pod.
    context: Option<String>,
    timeout: Option<Duration>,
}

impl Cluster {
    /// Reads the kubeconfig as kubectl does; in a pod without one, its account is who asks.
    ///
    /// # Errors
    /// If there is no cluster to speak to.
    pub async fn connect(flags: &Flags) -> Result<Self, ClusterError> {
        let (mut config, context) = kubeconfig::read(flags).await?;
        let impersonated = &mut config.auth_info;
        if let Some(user) = &flags.as_user {
            impersonated.impersonate = Some(user.clone());
        }
        if !flags.as_group.is_empty() {
            impersonated.impersonate_groups = Some(flags.as_group.clone());
        }
        let timeout = flags.request_timeout.0;
        config.connect_timeout = Some(timeout.map_or(PATIENCE, |timeout| timeout.min(PATIENCE)));
        let namespace = flags.namespace.clone();
        let namespace = namespace.unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config).map_err(ClusterError::configuration)?;
        Ok(Self {
            client,
            namespace,
            context,
            timeout,
        })
    }

    /// Where things are done, for whoever is about to do something that can't be undone.
    #[must_use]
    pub fn place(&self) -> String {
        kubeconfig::place(&self.namespace, self.context.as_deref())
    }

    /// Everything of a kind in the namespace.
    #[must_use]
    pub fn here(&self) -> Selection {
        Selection {
            namespace: Some(self.namespace.clone()),
            ..Selection::default()
        }
    }

    /// Objects of one kind in the namespace.
    #[must_use]
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Waits for an answer, as long as the user wants to.
    ///
    /// # Errors
    /// What the API server says, or that it doesn't.
    pub async fn answer<T>(
        &self,
        asked: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, ClusterError> {
        let answered = match self.timeout {
            None => asked.await,
            Some(timeout) => tokio::time::timeout(timeout, asked)
                .await
                .map_err(|_| ClusterError::TimedOut { after: timeout })?,
        };
        answered.map_err(ClusterError::from)
    }

    /// Everything that is selected of a kind, read as `T`: all of it, or the fields that are needed.
    ///
    /// # Errors
    /// What the API server says, or that it doesn't.
    pub async fn list<K, T>(&self, selection: &Selection) -> Result<Vec<T>, ClusterError>
    where
        K: Resource<DynamicType = ()>,
        T: Clone + DeserializeOwned,
    {
        let (request, parameters) = listed::<K>(selection);
        self.pages::<K, T>(parameters, |parameters| request.list(parameters))
            .await
    }

    /// The metadata of everything that is selected of a kind; what it holds isn't even sent.
    ///
    /// # Errors
    /// What the API server says, or that it doesn't.
    pub async fn metadata<K>(&self, selection: &Selection) -> Result<Vec<PartialObjectMeta<K>>, ClusterError>
    where
        K: Clone + Resource<DynamicType = ()>,
    {
        let (request, parameters) = listed::<K>(selection);
        self.pages::<K, PartialObjectMeta<K>>(parameters, |parameters| request.list_metadata(parameters))
            .await
    }

    async fn pages<K, T>(
        &self,
        mut parameters: ListParams,
        asked: impl Fn(&ListParams) -> Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<Vec<T>, ClusterError>
    where
        K: Resource<DynamicType = ()>,
        T: Clone + DeserializeOwned,
    {
        let mut found = Vec::new();
        loop {
            let request = asked(&parameters).map_err(kube::Error::BuildRequest);
            let request = request.map_err(ClusterError::from)?;
            let page = self.answer(self.client.request::<ObjectList<T>>(request)).await;
            let mut page = page.map_err(|error| error.about_kind(&K::plural(&()), &K::group(&())))?;
            found.append(&mut page.items);
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => parameters.continue_token = Some(token),
                None => return Ok(found),
            }
        }
    }
}

/// The list of a kind.
fn listed<K: Resource<DynamicType = ()>>(selection: &Selection) -> (Request, ListParams) {
    let mut parameters = ListParams::default().limit(PAGE);
    parameters.label_selector.clone_from(&selection.labels);
    parameters.field_selector.clone_from(&selection.fields);
    let request = Request::new(K::url_path(&(), selection.namespace.as_deref()));
    (request, parameters)
}
