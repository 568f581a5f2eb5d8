//! The operator's own account, as the chart makes it. Only it may write status, so the bare client is it too: by a token
//! of its own.

use crate::Outcome;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::api::PostParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use local_cluster::ControlPlane;

/// Where the API server says which token a request came with.
pub const CREDENTIAL_ID: &str = "authentication.kubernetes.io/credential-id";

/// One token of the account.
pub struct Token {
    pub kubeconfig: String,
    pub client: Client,
    /// By which the audit log tells it from the account's other tokens.
    pub id: String,
}

impl Token {
    /// A new one.
    pub async fn new(control_plane: &ControlPlane) -> Outcome<Self> {
        let kubeconfig = control_plane.kubeconfig_for_operator()?;
        let client = client(&kubeconfig).await?;
        let reviews: Api<SelfSubjectReview> = Api::all(client.clone());
        let review = reviews
            .create(&PostParams::default(), &SelfSubjectReview::default())
            .await?;
        let user = review.status.and_then(|status| status.user_info);
        let ids = user.and_then(|user| user.extra?.remove(CREDENTIAL_ID));
        let id = ids.and_then(|ids| ids.into_iter().next());
        let id = id.ok_or("the API server doesn't tell tokens apart: it names no credential id")?;
        Ok(Self {
            kubeconfig,
            client,
            id,
        })
    }
}

/// A client by the text of a kubeconfig.
pub async fn client(kubeconfig: &str) -> Outcome<Client> {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}
