//! RustyVault, a real and independent server of Vault's API: AppRole, tokens, sealing, and version 1 of the
//! key-value engine. It takes no policies (0.2.1 has no route for them), so what a policy forbids is the stand-in's to show.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Error;
use crate::certificate::issue;
use crate::client::{Client, Reply};

/// How long it may take to listen.
const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// A running RustyVault, unsealed, with AppRole enabled and one role. It stops when dropped.
#[derive(Debug)]
pub struct RustyVault {
    /// Where it listens, on loopback.
    pub address: SocketAddr,
    /// The authority that clients must trust, as PEM.
    pub ca_pem: String,
    /// The token that may do everything.
    pub root_token: String,
    /// The id of the role `connections`, which may read every secret.
    pub role_id: String,
    /// Its secret id.
    pub secret_id: String,
    unseal_key: String,
    client: Client,
    process: Process,
}

/// Ends the server with what it kept.
#[derive(Debug)]
struct Process {
    child: Child,
    _folder: TempDir,
}

impl Drop for Process {
    fn drop(&mut self) {
        // By its own id; an error means that it ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl RustyVault {
    /// Starts one on a free port; the first time on a machine it is built, which takes minutes.
    ///
    /// # Errors
    /// When it can't be built or doesn't do what its API promises.
    pub async fn start() -> Result<Self, Error> {
        // Another program may take the port between its choice and its use.
        let mut last = None;
        for _ in 0..3 {
            match Self::try_start().await {
                Ok(started) => return Ok(started),
                Err(why) => last = Some(why),
            }
        }
        Err(last.unwrap_or_else(|| Error::machine("start RustyVault")("it was never tried")))
    }

    /// Its address, such as `https://localhost:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// Asks as the one who may do everything.
    ///
    /// # Errors
    /// When no answer comes, or one that says no.
    pub async fn manage(&self, method: &str, path: &str, body: &Value) -> Result<Value, Error> {
        ask(&self.client, method, path, Some(&self.root_token), body).await
    }

    /// Asks with any token; the answer may be a refusal.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn get(&self, path: &str, token: &str) -> Result<Reply, Error> {
        self.client.get(path, &[("x-vault-token", token)]).await
    }

    /// Writes a secret of version 1 below `secret/`.
    ///
    /// # Errors
    /// As [`Self::manage`].
    pub async fn write(&self, path: &str, data: &Value) -> Result<(), Error> {
        self.manage("POST", &format!("/v1/secret/{path}"), data)
            .await
            .map(drop)
    }

    /// Signs in by AppRole, and gives the token.
    ///
    /// # Errors
    /// When it refuses.
    pub async fn sign_in(&self, role_id: &str, secret_id: &str) -> Result<String, Error> {
        let body = json!({"role_id": role_id, "secret_id": secret_id});
        let answer = ask(&self.client, "POST", "/v1/auth/approle/login", None, &body).await?;
        text(&answer["auth"]["client_token"], "sign in by AppRole")
    }

    /// Seals it: it answers nothing until it is unsealed.
    ///
    /// # Errors
    /// As [`Self::manage`].
    pub async fn seal(&self) -> Result<(), Error> {
        self.manage("PUT", "/v1/sys/seal", &json!({})).await.map(drop)
    }

    /// Unseals it.
    ///
    /// # Errors
    /// As [`Self::manage`].
    pub async fn unseal(&self) -> Result<(), Error> {
        unseal(&self.client, &self.unseal_key).await
    }

    /// The id of its process.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process.child.id()
    }

    async fn try_start() -> Result<Self, Error> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let address = free.map_err(Error::machine("find a free port"))?;
        let (mut process, ca_pem) = spawn(address)?;
        let client = Client::new(address, "localhost", &ca_pem)?;
        wait(&client, &mut process).await?;
        let init = json!({"secret_shares": 1, "secret_threshold": 1});
        let init = ask(&client, "PUT", "/v1/sys/init", None, &init).await?;
        let unseal_key = text(&init["keys"][0], "initialise RustyVault")?;
        let root_token = text(&init["root_token"], "initialise RustyVault")?;
        unseal(&client, &unseal_key).await?;
        let (role_id, secret_id) = set_up(&client, &root_token).await?;
        Ok(Self {
            address,
            ca_pem,
            root_token,
            role_id,
            secret_id,
            unseal_key,
            client,
            process,
        })
    }
}

/// Starts the program with a certificate of its own and an empty store.
fn spawn(address: SocketAddr) -> Result<(Process, String), Error> {
    let folder = tempfile::tempdir().map_err(Error::machine("make a folder"))?;
    let (ca_pem, certificate, key) = issue(&[]).map_err(Error::machine("make a certificate"))?;
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content)
            .map(|()| path)
            .map_err(Error::machine("write what RustyVault reads"))
    };
    let config = json!({
        "listener": {"tcp": {
            "address": address.to_string(),
            "tls_disable": false,
            "tls_disable_client_certs": true,
            "tls_cert_file": write("server.crt", &certificate)?,
            "tls_key_file": write("server.key", &key.serialize_pem())?,
        }},
        "storage": {"file": {"path": folder.path().join("store")}},
        "work_dir": folder.path().join("work"),
        "log_level": "error",
        "daemon": false,
    });
    let config = write("config.json", &config.to_string())?;
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tools/rusty-vault");
    // Built first, so that the wait for its port is short.
    let built = Command::new(&program)
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !built.map_err(Error::machine("run tools/rusty-vault"))?.success() {
        return Err(Error::machine("build RustyVault")("tools/rusty-vault said why"));
    }
    let child = Command::new(&program)
        .args(["server", "--config"])
        .arg(config)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(Error::machine("start RustyVault"))?;
    Ok((
        Process {
            child,
            _folder: folder,
        },
        ca_pem,
    ))
}

/// Waits until it answers, or has ended.
async fn wait(client: &Client, process: &mut Process) -> Result<(), Error> {
    let answers = async {
        while client.get("/v1/sys/init", &[]).await.is_err() {
            if let Ok(Some(status)) = process.child.try_wait() {
                return Err(Error::machine("start RustyVault")(format!(
                    "it ended with {status}"
                )));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    };
    tokio::time::timeout(STARTS_WITHIN, answers)
        .await
        .unwrap_or_else(|_| Err(Error::machine("start RustyVault")("it didn't listen within 30 s")))
}

async fn unseal(client: &Client, key: &str) -> Result<(), Error> {
    ask(client, "PUT", "/v1/sys/unseal", None, &json!({"key": key}))
        .await
        .map(drop)
}

/// AppRole, and a role of it: its id and its secret id.
async fn set_up(client: &Client, root: &str) -> Result<(String, String), Error> {
    let role = "/v1/auth/approle/role/connections";
    for (path, body) in [
        ("/v1/sys/auth/approle", json!({"type": "approle"})),
        (role, json!({"token_policies": "connections", "token_ttl": "1h"})),
    ] {
        ask(client, "POST", path, Some(root), &body).await?;
    }
    let id = ask(
        client,
        "GET",
        &format!("{role}/role-id"),
        Some(root),
        &Value::Null,
    )
    .await?;
    let secret = ask(
        client,
        "POST",
        &format!("{role}/secret-id"),
        Some(root),
        &json!({}),
    )
    .await?;
    let what = "set up AppRole";
    Ok((
        text(&id["data"]["role_id"], what)?,
        text(&secret["data"]["secret_id"], what)?,
    ))
}

async fn ask(
    client: &Client,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: &Value,
) -> Result<Value, Error> {
    let headers: Vec<(&str, &str)> = token.map(|token| ("x-vault-token", token)).into_iter().collect();
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let reply = client.send(method, path, &headers, body).await?;
    if reply.status >= 300 {
        let said = String::from_utf8_lossy(&reply.body);
        return Err(Error::machine("manage RustyVault")(format!(
            "{method} {path}: {} {said}",
            reply.status
        )));
    }
    Ok(reply.json())
}

fn text(value: &Value, what: &'static str) -> Result<String, Error> {
    value
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| Error::machine(what)("the answer lacks what its API promises"))
}
