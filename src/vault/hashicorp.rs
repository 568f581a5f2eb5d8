//! HashiCorp Vault and OpenBao, by the requests of vaultrs.
//!
//! A look at a secret of the version 2 engine reads metadata and never a value, unless a key is asked for: metadata don't
//! hold which keys a secret has. (What does, `subkeys`, takes a right of its own, and older servers lack it.) The version 1
//! engine has no metadata, so there a look always reads the values. They pass through memory that is overwritten, and nothing but "this key is there" is kept.
//!
//! Answers are read by narrow shapes of our own instead of vaultrs's: those copy values into plain strings, and demand
//! fields that not every server of this API sends.

use super::address::{Engine, Provider, VaultAddress, Wanted, vault_secret};
use super::connect::{Answer, Transport};
use super::fault::{Asking, Fault, Lack, Outage};
use super::run_tokens::RunTokens;
use super::sight::{Found, Listed, Listing};
use super::value::Value;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

mod answers;
mod requests;
mod session;

use requests::Ask;
use session::Session;

/// Most requests of one listing: one for each folder.
const FOLDERS_MAX: usize = 20;

/// One Vault, asked by one identity.
pub(super) struct HashiCorp {
    mount: String,
    engine: Engine,
    session: Session,
    asking: Asking,
}

impl HashiCorp {
    /// Prepares; nothing is sent yet.
    pub fn new(
        address: &VaultAddress,
        transport: Arc<Transport>,
        tokens: Arc<dyn RunTokens>,
        remember: Duration,
    ) -> Result<Self, Fault> {
        let asking = Asking::from(address);
        let Provider::Vault {
            mount,
            namespace,
            engine,
        } = &address.provider
        else {
            return Err(asking.away(Outage::Garbage));
        };
        Ok(Self {
            mount: mount.clone(),
            engine: *engine,
            session: Session::new(address, namespace.clone(), transport, tokens, remember),
            asking,
        })
    }

    /// Looks whether the secret may be used.
    pub async fn look(&self, wanted: &Wanted, now: Timestamp) -> Result<Found, Fault> {
        if self.engine == Engine::V1 || wanted.key.is_some() {
            let answer = self.data(wanted).await?;
            return answers::value(&self.asking, self.engine, wanted, &answer.body.0, now)
                .map(|(found, _)| found);
        }
        let ask = Ask::Metadata {
            mount: &self.mount,
            path: &wanted.secret,
        };
        let answer = self.get(&ask).await?;
        if answer.status.as_u16() == 200 {
            return answers::metadata(&self.asking, wanted, &answer.body.0, now);
        }
        // Without metadata there is no secret, whatever version is wanted.
        let any = Wanted {
            version: None,
            ..wanted.clone()
        };
        Err(self.refusal(&ask, &answer, Some(&any)))
    }

    /// The secret's value.
    pub async fn read(&self, wanted: &Wanted, now: Timestamp) -> Result<Value, Fault> {
        let answer = self.data(wanted).await?;
        let (found, text) = answers::value(&self.asking, self.engine, wanted, &answer.body.0, now)?;
        Ok(Value {
            version: found.version,
            text,
        })
    }

    async fn data(&self, wanted: &Wanted) -> Result<Answer, Fault> {
        let ask = Ask::Data {
            mount: &self.mount,
            path: &wanted.secret,
            version: wanted.version.as_deref().and_then(|version| version.parse().ok()),
            engine: self.engine,
        };
        let answer = self.get(&ask).await?;
        match answer.status.as_u16() {
            200 => Ok(answer),
            _ => Err(self.refusal(&ask, &answer, Some(wanted))),
        }
    }

    /// The paths of the secrets below the mount, so many at most. Folders are opened one after the other; one that this
    /// identity may not open is somebody else's, and passed over. If that is the mount itself, no names are told.
    pub async fn list(&self, max: usize) -> Result<Listing, Fault> {
        let mut listing = Listing::default();
        let mut folders = VecDeque::from([String::new()]);
        for _ in 0..FOLDERS_MAX {
            let Some(folder) = folders.pop_front() else { break };
            let ask = Ask::List {
                mount: &self.mount,
                path: &folder,
                engine: self.engine,
            };
            let answer = self.get(&ask).await?;
            let names = match answer.status.as_u16() {
                200 => answers::names(&self.asking, &answer.body.0)?,
                // An empty engine has no list.
                404 if answers::says_nothing(&answer.body.0) => Vec::new(),
                403 if !folder.is_empty() => {
                    listing.truncated = true;
                    continue;
                }
                403 => {
                    listing.denied = Some(self.refusal(&ask, &answer, None).into());
                    break;
                }
                _ => return Err(self.refusal(&ask, &answer, None)),
            };
            for name in names {
                let path = format!("{folder}{name}");
                // Nobody could name it, nor what is below.
                if vault_secret(path.strip_suffix('/').unwrap_or(&path)).is_err() {
                    continue;
                }
                if path.ends_with('/') {
                    if folders.len() < FOLDERS_MAX {
                        folders.push_back(path);
                    } else {
                        listing.truncated = true;
                    }
                } else if listing.secrets.len() < max {
                    listing.secrets.push(Listed {
                        name: path,
                        enabled: true,
                        expires: None,
                    });
                } else {
                    listing.truncated = true;
                }
            }
        }
        listing.truncated |= !folders.is_empty();
        listing.secrets.sort_unstable();
        Ok(listing)
    }

    /// Asks with a token that is good, and once more with a new one if the vault no longer knows it.
    async fn get(&self, ask: &Ask<'_>) -> Result<Answer, Fault> {
        let token = self.session.token().await?;
        let answer = self.session.send(ask, Some(&token)).await?;
        if answer.status.as_u16() != 403 || self.session.knows(&token).await? {
            return Ok(answer);
        }
        let token = self.session.another_than(&token).await?;
        self.session.send(ask, Some(&token)).await
    }

    fn refusal(&self, ask: &Ask<'_>, answer: &Answer, wanted: Option<&Wanted>) -> Fault {
        let status = answer.status.as_u16();
        if status == 403 {
            return self.asking.denied(Lack::VaultPath {
                capability: ask.capability(),
                path: ask.path(),
            });
        }
        answers::refusal(&self.asking, &self.mount, wanted, status, &answer.body.0)
    }
}
