//! `vault link`: address, identity, notice, agreement.

use super::{LOOKED, VaultError, agreed, refused};
use crate::api::names::{CONSENT_ANNOTATION, CONSENTED_BY_ANNOTATION};
use crate::api::{Condition, ConditionType, KeyVault, KeyVaultSpec, Reason};
use crate::cli::consent::{Explanation, Manifest};
use crate::governance::conditions;
use crate::governance::message::bounded;
use crate::plugin::Session;
use crate::plugin::cluster::Cluster;
use crate::plugin::commands::add::key_of_secret;
use crate::plugin::commands::consent::AgreeError;
use crate::plugin::commands::made::{Output, put_out};
use crate::plugin::exit::{Exit, Failure};
use crate::plugin::prompt::{Prompt, PromptError, Question};
use crate::plugin::screen::format::yaml;
use kube::ResourceExt;
use serde_json::{Value, json};

/// What a link is told of until the operator has done its part, within moments.
const OPERATOR_IS_AT_IT: [Reason; 2] = [Reason::RunAccountMissing, Reason::VaultNotAsked];

/// Which vault, and as whom it is asked.
#[derive(Clone, Debug, clap::Args)]
pub struct Link {
    /// What it's called in the cluster.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// The address, such as <https://sales.vault.azure.net> or <https://vault.company.example:8200>.
    #[arg(long)]
    address: Option<String>,
    /// Of an Azure Key Vault: the tenant that it belongs to.
    #[arg(long, value_name = "ID", conflicts_with = "mount")]
    tenant: Option<String>,
    /// Of an Azure Key Vault: the application that signs in; by workload identity if no secret is named.
    #[arg(long, value_name = "ID", requires = "tenant")]
    client_id: Option<String>,
    /// Of an Azure Key Vault: the application's client secret, as a key of a Secret.
    #[arg(long, value_name = "SECRET/KEY", requires = "client_id")]
    client_secret: Option<String>,
    /// Of a Vault or OpenBao: where the key-value engine is mounted.
    #[arg(long, value_name = "PATH")]
    mount: Option<String>,
    /// Of a Vault or OpenBao: its namespace.
    #[arg(long, value_name = "PATH", requires = "mount")]
    vault_namespace: Option<String>,
    /// Of a Vault or OpenBao: a role of its Kubernetes method that trusts the namespace's account.
    #[arg(long, value_name = "ROLE", requires = "mount", conflicts_with_all = ["jwt_role", "app_role", "token"])]
    kubernetes_role: Option<String>,
    /// Of a Vault or OpenBao: such a role of its JWT method.
    #[arg(long, value_name = "ROLE", requires = "mount", conflicts_with_all = ["app_role", "token"])]
    jwt_role: Option<String>,
    /// Of a Vault or OpenBao: a role of its AppRole method, by its ID.
    #[arg(long, value_name = "ID", requires = "secret_id", conflicts_with = "token")]
    app_role: Option<String>,
    /// The secret ID of that role, as a key of a Secret.
    #[arg(long, value_name = "SECRET/KEY", requires = "app_role")]
    secret_id: Option<String>,
    /// Of a Vault or OpenBao: a token, as a key of a Secret.
    #[arg(long, value_name = "SECRET/KEY", requires = "mount")]
    token: Option<String>,
    /// Of a Vault or OpenBao: the authorities of its certificate, as a key of a Secret.
    #[arg(long, value_name = "SECRET/KEY", requires = "mount")]
    ca_bundle: Option<String>,
    /// The secrets that may be named, such as `crm/*`; all if absent. May be given several times.
    #[arg(long, value_name = "PATTERN")]
    allow: Vec<String>,
    /// Agree without being asked, if this is the digest that is asked for: for scripts whose author has read the notice.
    #[arg(long, value_name = "DIGEST", conflicts_with = "without_consent")]
    agree_to: Option<String>,
    /// Leave consent to somebody else: nobody asks the vault before.
    #[arg(long)]
    without_consent: bool,
    #[command(flatten)]
    output: Output,
}

/// Asks for what is missing, shows it, asks for consent, and makes the link.
pub(super) async fn run(mut asked: Link, session: &Session) -> Result<Exit, Failure> {
    let cluster = session.cluster().await?;
    missing(&mut asked, session.prompt.as_ref())?;
    let mut vault = asked.key_vault(&cluster.namespace)?;
    if asked.output.is_tried() {
        cluster.create(&vault, true).await.map_err(refused)?;
    }
    let manifest = Manifest::KeyVault(Box::new(vault.clone()));
    let explanation = Explanation::of(&manifest, &[], None).map_err(agreed)?;
    if !asked.output.is_asked() {
        session.show_asked(&format!("{}\n", yaml(&vault)));
    }
    session.note(&explanation.page());
    let digest = &explanation.required.current;
    if let Some(user) = consented(&asked, session, &cluster, digest).await? {
        vault.annotations_mut().extend([
            (CONSENT_ANNOTATION.to_owned(), digest.clone()),
            (
                CONSENTED_BY_ANNOTATION.to_owned(),
                format!("given {digest} {user}"),
            ),
        ]);
    }
    let made = if asked.output.is_tried() {
        let only_try = asked.output.makes_nothing();
        cluster.create(&vault, only_try).await.map_err(refused)?
    } else {
        vault
    };
    put_out(session, &asked.output, &made);
    if !asked.output.makes_nothing() {
        session.note(&settled(&cluster, &made.name_any()).await);
    }
    Ok(Exit::Done)
}

fn missing(asked: &mut Link, prompt: &dyn Prompt) -> Result<(), Failure> {
    if asked.name.is_none() {
        let ask = "What is it called in the cluster?";
        asked.name = Some(text(prompt, ask, "such as company-vault", "NAME, after link")?);
    }
    place(asked, prompt)?;
    identity(asked, prompt)?;
    Ok(())
}

/// An answer that isn't empty.
fn text(prompt: &dyn Prompt, ask: &str, help: &str, flag: &str) -> Result<String, PromptError> {
    let question = Question {
        text: ask,
        help: Some(help),
        flag,
    };
    let check = |answer: &str| {
        if answer.trim().is_empty() {
            Err("It can't be empty.".to_owned())
        } else {
            Ok(())
        }
    };
    prompt.text(question, &check)
}

/// Whose vault it is, and where.
fn place(asked: &mut Link, prompt: &dyn Prompt) -> Result<(), PromptError> {
    if asked.tenant.is_none() && asked.mount.is_none() {
        let kinds = [
            "Azure Key Vault".to_owned(),
            "HashiCorp Vault or OpenBao".to_owned(),
        ];
        let question = Question {
            text: "Which vault is it?",
            help: None,
            flag: "--tenant for Azure Key Vault, or --mount for Vault and OpenBao",
        };
        if prompt.choose(question, &kinds)? == 0 {
            let help = "the directory's ID, or its domain";
            asked.tenant = Some(text(prompt, "Which tenant?", help, "--tenant ID")?);
        } else {
            let ask = "Where is the key-value engine mounted?";
            asked.mount = Some(text(prompt, ask, "such as secret", "--mount PATH")?);
        }
    }
    if asked.address.is_none() {
        let help = "such as https://sales.vault.azure.net or https://vault.company.example:8200";
        asked.address = Some(text(prompt, "What is its address?", help, "--address URL")?);
    }
    Ok(())
}

/// As whom it is asked; by the namespace's account, if nothing else is said.
fn identity(asked: &mut Link, prompt: &dyn Prompt) -> Result<(), PromptError> {
    if asked.tenant.is_some() && asked.client_id.is_none() {
        let help = "its ID; it must trust the namespace's account connections-run";
        asked.client_id = Some(text(
            prompt,
            "Which application signs in?",
            help,
            "--client-id ID",
        )?);
    }
    let ways = [
        &asked.kubernetes_role,
        &asked.jwt_role,
        &asked.app_role,
        &asked.token,
    ];
    if asked.mount.is_some() && ways.iter().all(|way| way.is_none()) {
        let help = "a role of the Kubernetes method that trusts the namespace's account connections-run";
        let flag = "--kubernetes-role, --jwt-role, --app-role or --token";
        asked.kubernetes_role = Some(text(prompt, "By which role is it asked?", help, flag)?);
    }
    Ok(())
}

impl Link {
    /// As an object.
    fn key_vault(&self, namespace: &str) -> Result<KeyVault, Failure> {
        let mut spec = match &self.tenant {
            Some(tenant) => self.azure(tenant)?,
            None => self.vault()?,
        };
        if !self.allow.is_empty() {
            spec["allowedSecrets"] = json!(self.allow);
        }
        let spec: KeyVaultSpec = serde_json::from_value(spec).map_err(|error| VaultError::Flags {
            told: format!("That is no link to a vault: {error}."),
        })?;
        let mut vault = KeyVault::new(self.name.as_deref().unwrap_or_default(), spec);
        vault.metadata.namespace = Some(namespace.to_owned());
        Ok(vault)
    }

    fn azure(&self, tenant: &str) -> Result<Value, Failure> {
        let auth = match &self.client_secret {
            Some(secret) => json!({"clientSecret": {
                "clientId": self.client_id, "secretRef": reference("--client-secret", secret)?}}),
            None => json!({"workloadIdentity": {"clientId": self.client_id}}),
        };
        Ok(json!({"azureKeyVault": {"vaultUrl": self.address, "tenantId": tenant, "auth": auth}}))
    }

    fn vault(&self) -> Result<Value, Failure> {
        let auth = match (&self.kubernetes_role, &self.jwt_role, &self.app_role, &self.token) {
            (Some(role), ..) => json!({"kubernetes": {"role": role}}),
            (_, Some(role), ..) => json!({"jwt": {"role": role}}),
            (_, _, Some(role), _) => {
                let secret = self.secret_id.as_deref().unwrap_or_default();
                json!({"appRole": {"roleId": role, "secretIdRef": reference("--secret-id", secret)?}})
            }
            (.., Some(token)) => json!({"token": {"secretRef": reference("--token", token)?}}),
            (None, None, None, None) => Value::Null,
        };
        let mut vault = json!({"address": self.address, "mount": self.mount, "auth": auth});
        if let Some(namespace) = &self.vault_namespace {
            vault["namespace"] = json!(namespace);
        }
        if let Some(bundle) = &self.ca_bundle {
            vault["caBundleRef"] = reference("--ca-bundle", bundle)?;
        }
        Ok(json!({ "vault": vault }))
    }
}

/// A key of a Secret. What was given instead is not repeated, nor sent anywhere: it may be a value.
fn reference(flag: &str, given: &str) -> Result<Value, Failure> {
    let (name, key) = key_of_secret(given).ok_or_else(|| VaultError::Flags {
        told: format!(
            "{flag} names a key of a Secret, as SECRET/KEY. The value itself never belongs on a command line."
        ),
    })?;
    Ok(json!({"name": name, "key": key}))
}

async fn consented(
    asked: &Link,
    session: &Session,
    cluster: &Cluster,
    digest: &str,
) -> Result<Option<String>, Failure> {
    if asked.without_consent || (asked.output.makes_nothing() && asked.agree_to.is_none()) {
        return Ok(None);
    }
    let user = cluster.whoami().await?;
    match &asked.agree_to {
        Some(given) if given == digest => return Ok(Some(user)),
        Some(given) => {
            return Err(AgreeError::OtherDigest {
                given: bounded(given.clone()),
                shown: digest.to_owned(),
            }
            .into());
        }
        None => {}
    }
    let question = Question {
        text: &format!("Do you agree, as {}?", bounded(user.clone())),
        help: None,
        flag: &format!(
            "--agree-to {digest}, once you have read what is above, or leave it to somebody else by --without-consent"
        ),
    };
    if session.prompt.agree(question)? {
        Ok(Some(user))
    } else {
        Err(AgreeError::Refused.into())
    }
}

/// How it stands once the vault has answered, or what keeps it from that.
async fn settled(cluster: &Cluster, name: &str) -> String {
    let judged = |vault: &KeyVault| {
        let status = vault.status.as_ref();
        status
            .and_then(|status| conditions::find(&status.conditions, ConditionType::Ready))
            .cloned()
    };
    let looked = |vault: Option<&KeyVault>| {
        let goes_on = |ready: &Condition| {
            OPERATOR_IS_AT_IT
                .iter()
                .any(|reason| ready.reason == reason.as_str())
        };
        vault.is_none_or(|vault| judged(vault).is_some_and(|ready| !goes_on(&ready)))
    };
    let now = cluster.settled::<KeyVault>(name, LOOKED, looked).await;
    match now.as_ref().and_then(judged) {
        Some(ready) if ready.reason == "Ready" => format!("{name} is linked and answers."),
        Some(ready) => format!("{name} is linked. It isn't ready yet: {}", ready.message),
        None => format!("{name} is linked. The operator hasn't looked at it yet."),
    }
}

#[cfg(test)]
mod tests;
