//! A vault that answers: a stand-in, and the link to it.

use super::manifests::secret;
use super::{World, shared};
use connection_operator::api::connection::SecretStatus;
use connection_operator::api::{Connection, KeyVault};
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};
use vault_stand_in::Keys;
use vault_stand_in::hashicorp::{
    Capability, Data, Kv, Login, Method, Mount, Policy, Reviewer, Secret as Held, Vault, Version,
};

/// What the vault accepts the link by.
pub const SECRET_ID: &str = "canary-secret-id";

/// What whoever signs in may do: list, and look at everything.
pub fn policy() -> Policy {
    let read = vec![Capability::Read, Capability::List];
    ["kv/data/*", "kv/metadata/*", "kv/metadata"]
        .map(|path| (path.to_owned(), read.clone()))
        .into()
}

/// One that holds `crm` and `team/sftp`, each in two versions.
pub fn start() -> Vault {
    let held = Held {
        versions: vec![
            Version::of(&[("password", "canary-old")]),
            Version::of(&[("password", "canary-new"), ("user", "canary-user")]),
        ],
        ..Held::default()
    };
    let secrets = ["team/sftp", "crm"].map(|name| (name.to_owned(), held.clone()));
    let mount = Mount {
        version: Kv::Two,
        secrets: secrets.into(),
    };
    let login = Login {
        mount: "approle".to_owned(),
        method: Method::AppRole {
            role_id: "role".to_owned(),
            secret_id: SECRET_ID.to_owned(),
        },
        policies: vec!["connections".to_owned()],
        ttl: 3600,
        renewable: true,
    };
    let data = Data {
        mounts: [("kv".to_owned(), mount)].into(),
        policies: [("connections".to_owned(), policy())].into(),
        logins: vec![login],
        ..Data::default()
    };
    Vault::start(data).expect("a stand-in")
}

/// The Secret that the link refers to.
pub fn login(vault: &Vault, secret_id: &str) -> Value {
    secret(
        "vault-login",
        &[("secret-id", secret_id), ("ca.crt", &vault.ca_pem)],
    )
}

/// The link to it.
pub fn link(name: &str, vault: &Vault) -> Value {
    let reference = |key: &str| json!({"name": "vault-login", "key": key});
    json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "KeyVault", "metadata": {"name": name},
        "spec": {"vault": {
            "address": vault.url(), "mount": "kv", "caBundleRef": reference("ca.crt"),
            "auth": {"appRole": {"roleId": "role", "secretIdRef": reference("secret-id")}},
        }},
    })
}

/// What makes a connection's password one of the vault's: the secret `team/sftp`, if the reference says nothing else.
pub fn in_vault(named: &Value) -> Value {
    let mut reference = json!({"name": "company-vault", "secret": "team/sftp"});
    for (field, value) in named.as_object().into_iter().flatten() {
        reference[field] = value.clone();
    }
    json!({"spec": {"secrets": {"password": {"secretKeyRef": null, "keyVaultRef": reference}}}})
}

/// What is told of a connection's password.
pub fn password(connection: &Connection) -> SecretStatus {
    let mut secrets = connection.status.iter().flat_map(|status| &status.secrets);
    let found = secrets.find(|secret| secret.name == "password");
    found.cloned().unwrap_or_default()
}

/// The secrets that can be chosen.
pub fn listed(vault: &KeyVault) -> Vec<&str> {
    let secrets = vault.status.iter().flat_map(|status| &status.secrets);
    secrets.map(|secret| secret.name.as_str()).collect()
}

/// Who signs the tokens of a cluster's accounts.
#[derive(Clone)]
pub struct Issuer {
    /// What it is called.
    pub name: String,
    /// What it publishes.
    pub keys: Keys,
}

impl World {
    /// Links the vault with consent, and waits until it has answered; tells the digest.
    pub async fn link(&self, vault: &Vault) -> String {
        self.apply(login(vault, SECRET_ID)).await;
        self.apply(link("company-vault", vault)).await;
        let digest = self.consent_to_vault("company-vault").await;
        self.until_ready_says::<KeyVault>("company-vault", "Ready").await;
        digest
    }

    /// What is told of the password of the connection `partner`.
    pub async fn password(&self) -> SecretStatus {
        let connection = self
            .api::<Connection>()
            .get("partner")
            .await
            .expect("it is there");
        password(&connection)
    }

    /// Who signs the tokens of this cluster's accounts.
    pub async fn issuer(&self) -> Issuer {
        let get = async |path: &str| {
            let request = http::Request::get(path).body(Vec::new()).expect("a request");
            self.client.request_text(request).await.expect("an answer")
        };
        let about: Value =
            serde_json::from_str(&get("/.well-known/openid-configuration").await).expect("JSON");
        Issuer {
            name: about["issuer"].as_str().expect("a name").to_owned(),
            keys: serde_json::from_str(&get("/openid/v1/jwks").await).expect("keys"),
        }
    }

    /// An account by which a vault asks the cluster about tokens.
    async fn reviewer(&self) -> Reviewer {
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "vault"}});
        self.apply(account).await;
        let binding: ClusterRoleBinding = serde_json::from_value(json!({
            "metadata": {"name": format!("{}-vault", self.namespace)},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:auth-delegator"},
            "subjects": [{"kind": "ServiceAccount", "name": "vault", "namespace": self.namespace}],
        }))
        .expect("a binding");
        let bindings: Api<ClusterRoleBinding> = Api::all(self.client.clone());
        let made = bindings.create(&PostParams::default(), &binding).await;
        made.expect("the binding is accepted");
        let accounts = self.api::<ServiceAccount>();
        let (params, wanted) = (PostParams::default(), TokenRequest::default());
        let made = accounts.create_token_request("vault", &params, &wanted).await;
        let token = made.expect("a token").status.expect("a token").token;
        let api_server = shared().server();
        let api_server = api_server
            .trim_start_matches("https://")
            .parse()
            .expect("an address");
        Reviewer {
            api_server,
            ca: shared().authority(),
            token,
        }
    }
}

/// The same vault, which the run account of a namespace of the shared cluster signs in to by the role `connections`: it asks
/// the cluster about a token at `kubernetes`, and looks at its signature at `jwt`.
pub async fn start_trusting(world: &World) -> Vault {
    let vault = start();
    let (issuer, reviewer) = (world.issuer().await, world.reviewer().await);
    let login = |mount: &str, method: Method| Login {
        mount: mount.to_owned(),
        method,
        policies: vec!["connections".to_owned()],
        ttl: 3600,
        renewable: true,
    };
    let role = || "connections".to_owned();
    let kubernetes = Method::Kubernetes {
        role: role(),
        namespace: world.namespace.clone(),
        service_account: "connections-run".to_owned(),
        audience: Some("vault".to_owned()),
        reviewer: Some(reviewer),
    };
    let jwt = Method::Jwt {
        role: role(),
        subject: format!("system:serviceaccount:{}:connections-run", world.namespace),
        audience: "vault".to_owned(),
        keys: Some(issuer.keys),
    };
    vault.edit(|data| data.logins = vec![login("kubernetes", kubernetes), login("jwt", jwt)]);
    vault
}

/// The link to it by the run account, by one of these methods.
pub fn link_by_account(name: &str, vault: &Vault, method: &str) -> Value {
    let mut link = link(name, vault);
    link["spec"]["vault"]["auth"] = json!({method: {"role": "connections"}});
    link
}
