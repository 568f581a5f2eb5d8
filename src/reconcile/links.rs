//! What key vaults lead to: addresses with their credentials, made once, and what the vaults there answer.

use super::{Context, Fault};
use crate::api::key_vault::KeyVault;
use crate::api::reference::SecretSource;
use crate::api::{Reason, Refers};
use crate::cluster::secrets::Held;
use crate::cluster::{ObjectKey, Objects};
use crate::governance::vaults::address::{Allowed, Link, is_ca_bundle};
use crate::governance::vaults::{VaultsSeen, answer, in_vault};
use crate::vault::address::{Look, VaultAddress, Wanted};
use crate::vault::connect::check_ca_bundle;
use crate::vault::sight::{Listing, Sight};
use crate::vault::value::SecretText;
use crate::vault::vaults::{Owner, Tally, Vaults};
use jiff::{SignedDuration, Timestamp};
use kube::{Resource, ResourceExt};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;

/// The vaults that key vaults lead to. Cheap to clone.
#[derive(Clone)]
pub struct Links(Arc<Inner>);

struct Inner {
    vaults: Vaults,
    allowed: Arc<Allowed>,
    made: Mutex<HashMap<ObjectKey, (Source, Entry)>>,
}

/// What an address was made of: which key vault at which generation, and which versions of its Secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Source {
    uid: Option<String>,
    generation: Option<i64>,
    secrets: Vec<Option<String>>,
}

/// Shared by all who ask for it at the same time.
type Entry = Arc<OnceCell<Way>>;

/// The way to a vault.
#[derive(Clone)]
enum Way {
    Open(Arc<VaultAddress>),
    Unusable(Reason, String),
    /// A credential is missing, or the key vault says what isn't allowed.
    None,
}

/// What is known of a key vault's own vault.
pub enum Asked {
    /// What it lists.
    Sight(Sight<Listing>),
    /// A credential can't be used as it stands.
    Unusable(Reason, String),
    /// It can't be asked yet.
    Nothing,
}

impl Links {
    /// Asks these vaults, as far as that is allowed.
    #[must_use]
    pub fn new(vaults: Vaults, allowed: Allowed) -> Self {
        Self(Arc::new(Inner {
            vaults,
            allowed: Arc::new(allowed),
            made: Mutex::default(),
        }))
    }

    /// What the installation lets key vaults be.
    #[must_use]
    pub fn allowed(&self) -> Arc<Allowed> {
        Arc::clone(&self.0.allowed)
    }

    /// How all that is followed stands, in numbers.
    #[must_use]
    pub fn tally(&self, now: Timestamp, soon: SignedDuration) -> Tally {
        self.0.vaults.tally(now, soon)
    }

    /// Says that an object follows nothing in a vault any more.
    pub fn leave<K: Resource<DynamicType = ()>>(&self, object: &K) {
        self.0.vaults.leave(&owner(object));
    }

    /// The same of a key vault, whose credentials are let go.
    pub fn forget(&self, vault: &KeyVault) {
        self.leave(vault);
        self.made().remove(&ObjectKey::of(vault));
    }

    fn made(&self) -> MutexGuard<'_, HashMap<ObjectKey, (Source, Entry)>> {
        self.0.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One entry for what the key vault and its Secrets are now.
    fn entry(&self, vault: &KeyVault, source: Source) -> Entry {
        let mut made = self.made();
        match made.get(&ObjectKey::of(vault)) {
            Some((of, entry)) if *of == source => Arc::clone(entry),
            _ => {
                let entry = Entry::default();
                made.insert(ObjectKey::of(vault), (source, Arc::clone(&entry)));
                entry
            }
        }
    }

    /// What was made for the key vault last, whatever has changed since.
    fn last(&self, vault: &KeyVault) -> Way {
        let made = self.made();
        let last = made.get(&ObjectKey::of(vault)).and_then(|(_, entry)| entry.get());
        last.cloned().unwrap_or(Way::None)
    }
}

impl Context {
    /// What the vault lists that a key vault leads to. Whoever asks has seen that it may be asked.
    ///
    /// # Errors
    /// When its credentials can't be read.
    pub async fn surveyed(&self, vault: &KeyVault) -> Result<Asked, Fault> {
        let asked = match self.way(vault).await? {
            Way::Open(address) => Asked::Sight(self.links.0.vaults.survey(&owner(vault), &address)),
            Way::Unusable(reason, text) => Asked::Unusable(reason, text),
            Way::None => Asked::Nothing,
        };
        if !matches!(asked, Asked::Sight(_)) || is_gone(vault, &self.stores.key_vaults) {
            self.links.forget(vault);
        }
        Ok(asked)
    }

    /// What is known of the secrets in key vaults that an object names; from now on it is woken when that changes. What
    /// is being removed stays as it is.
    ///
    /// # Errors
    /// When credentials can't be read.
    pub async fn vaults_seen<K>(
        &self,
        object: &K,
        sources: &BTreeMap<String, SecretSource>,
        objects: &Objects<K>,
    ) -> Result<VaultsSeen, Fault>
    where
        K: Resource<DynamicType = ()> + Refers + Clone,
    {
        let linked = self.vaults_of(object);
        let namespace = object.namespace().unwrap_or_default();
        let stays = object.meta().deletion_timestamp.is_none();
        let (mut names, mut looks) = (Vec::new(), Vec::new());
        for (name, source) in sources.iter().filter(|_| stays) {
            let asked = in_vault(source).filter(|asked| answer::may_ask(&namespace, asked, &linked));
            let Some((asked, vault)) =
                asked.and_then(|asked| Some((asked, linked.get(asked.name.as_str())?)))
            else {
                continue;
            };
            if let Way::Open(address) = self.way_for_users(vault).await? {
                names.push(name.clone());
                looks.push(Look {
                    address,
                    wanted: Wanted {
                        secret: asked.secret.clone(),
                        version: asked.version.clone(),
                        key: asked.key.as_ref().map(|key| key.0.clone()),
                    },
                });
            }
        }
        if looks.is_empty() {
            self.links.leave(object);
            return Ok(VaultsSeen {
                linked,
                ..VaultsSeen::default()
            });
        }
        let sights = self.links.0.vaults.follow(&owner(object), &looks);
        if is_gone(object, objects) {
            self.links.leave(object);
        }
        Ok(VaultsSeen {
            linked,
            sights: names.into_iter().zip(sights).collect(),
        })
    }

    /// The way to a vault for those who name its secrets: as the key vault was when it was last judged. What it says
    /// since then, nobody may have agreed to.
    async fn way_for_users(&self, vault: &KeyVault) -> Result<Way, Fault> {
        let status = vault.status.as_ref();
        let judged = status.is_some_and(|status| {
            status.observed_generation == vault.metadata.generation
                && status.consent.as_ref().is_some_and(|consent| consent.given)
        });
        if judged {
            self.way(vault).await
        } else {
            Ok(self.links.last(vault))
        }
    }

    async fn way(&self, vault: &KeyVault) -> Result<Way, Fault> {
        let namespace = vault.namespace().unwrap_or_default();
        let credentials = vault.spec.credentials().into_iter();
        let source = Source {
            uid: vault.uid(),
            generation: vault.metadata.generation,
            secrets: credentials
                .map(|(_, reference)| self.secrets.version(&namespace, reference.name.as_str()))
                .collect(),
        };
        let entry = self.links.entry(vault, source);
        entry
            .get_or_try_init(|| self.open(vault, &namespace))
            .await
            .cloned()
    }

    /// Reads what an address is made of.
    async fn open(&self, vault: &KeyVault, namespace: &str) -> Result<Way, Fault> {
        let Ok(link) = Link::read(&vault.spec, namespace, &self.links.0.allowed) else {
            return Ok(Way::None); // the key vault's own condition says why
        };
        let mut values = BTreeMap::new();
        for (field, reference) in vault.spec.credentials() {
            let (name, key) = (reference.name.as_str(), reference.key.as_str());
            match self.secrets.value(namespace, name, key).await? {
                Held::Text(text) => drop(values.insert(field, trimmed(text))),
                Held::NotText => {
                    let text = format!(
                        "spec.{field} names the key {key} of Secret {name}, which isn't text: put the credential there as text."
                    );
                    return Ok(Way::Unusable(Reason::CredentialInvalid, text));
                }
                Held::Nothing => return Ok(Way::None), // the key vault's own condition says why
            }
            if let Some(bundle) = values.get(field).filter(|_| is_ca_bundle(field))
                && let Err(error) = check_ca_bundle(bundle.expose())
            {
                let text = format!(
                    "spec.{field} names the key {key} of Secret {name}, which {error}: put the authorities that sign the \
                     vault's certificate there, in PEM."
                );
                return Ok(Way::Unusable(Reason::CaBundleInvalid, text));
            }
        }
        let address = link.with(values);
        Ok(address.map_or(Way::None, |address| Way::Open(Arc::new(address))))
    }
}

/// Files end with a line break, credentials don't.
fn trimmed(text: SecretText) -> SecretText {
    let end = text.expose().trim_end_matches(['\r', '\n']).len();
    if end == text.expose().len() {
        return text;
    }
    SecretText::new(text.expose()[..end].to_owned())
}

/// An object as those know it who look at vaults.
fn owner<K: Resource<DynamicType = ()>>(object: &K) -> Owner {
    let key = ObjectKey::of(object);
    Owner {
        kind: K::kind(&()).into_owned(),
        namespace: key.namespace,
        name: key.name,
    }
}

/// Whether an object went while it was visited: then nobody else says that it follows nothing any more.
fn is_gone<K>(object: &K, objects: &Objects<K>) -> bool
where
    K: Resource<DynamicType = ()> + Clone,
{
    let key = ObjectKey::of(object);
    objects.get(&key.namespace, &key.name).is_none()
}
