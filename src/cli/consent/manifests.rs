//! Reads connections, their types and key vaults out of files that may hold more.

use super::ConsentError;
use crate::api::{Connection, ConnectionType, KeyVault};
use kube::Resource;
use kube::api::ObjectMeta;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What is consented to, and the file that it stands in.
pub struct Placed {
    pub place: String,
    pub manifest: Manifest,
}

/// A kind that asks for consent.
pub enum Manifest {
    /// A connection.
    Connection(Box<Connection>),
    /// A link to a vault.
    KeyVault(Box<KeyVault>),
}

impl Manifest {
    /// What messages call it.
    #[must_use]
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Connection(_) => "connection",
            Self::KeyVault(_) => "key vault",
        }
    }

    /// Its metadata.
    #[must_use]
    pub fn metadata(&self) -> &ObjectMeta {
        match self {
            Self::Connection(connection) => &connection.metadata,
            Self::KeyVault(vault) => &vault.metadata,
        }
    }

    /// What an annotation says.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.metadata()
            .annotations
            .as_ref()?
            .get(name)
            .map(String::as_str)
    }
}

/// What was found; other kinds are left out.
#[derive(Default)]
pub struct Manifests {
    /// Those to agree to, as they come.
    pub subjects: Vec<Placed>,
    /// Those whose notices count.
    pub types: Vec<ConnectionType>,
    /// Those types as they are written, and the fields of each that nothing reads.
    pub written: Vec<(Value, Vec<String>)>,
    /// How many files were read.
    pub files: usize,
}

impl Manifests {
    /// Reads one file, or the standard input if it is called `-`.
    pub fn read(&mut self, file: &Path) -> Result<(), ConsentError> {
        let place = file.display().to_string();
        let text = if place == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        } else {
            std::fs::read_to_string(file)
        };
        let text = text.map_err(|source| ConsentError::Unreadable {
            place: place.clone(),
            source,
        })?;
        self.files += 1;
        self.add(&place, &text)
    }

    /// Reads files, and all YAML files of folders and what is below them; what can't be read keeps nothing else from
    /// being read.
    pub fn read_all(&mut self, places: &[PathBuf]) -> Vec<ConsentError> {
        places.iter().flat_map(|place| self.read_below(place)).collect()
    }

    fn read_below(&mut self, place: &Path) -> Vec<ConsentError> {
        if !place.is_dir() {
            return self.read(place).err().into_iter().collect();
        }
        let inside = match inside(place) {
            Ok(inside) => inside,
            Err(source) => {
                let place = place.display().to_string();
                return vec![ConsentError::Unreadable { place, source }];
            }
        };
        self.read_all(&inside)
    }

    /// Reads the documents of a text that stands there.
    pub fn add(&mut self, place: &str, text: &str) -> Result<(), ConsentError> {
        let documents = serde_saphyr::from_multiple(text);
        let documents: Vec<Value> = documents.map_err(|source| ConsentError::NotYaml {
            place: place.to_owned(),
            source: Box::new(source),
        })?;
        documents
            .into_iter()
            .try_for_each(|document| self.add_one(place, document))
    }

    /// One object, or a list of them as `kubectl get` prints it.
    fn add_one(&mut self, place: &str, mut document: Value) -> Result<(), ConsentError> {
        let list = document["kind"]
            .as_str()
            .is_some_and(|kind| kind.ends_with("List"));
        let items = document.get_mut("items").and_then(Value::as_array_mut);
        if let Some(items) = items.filter(|_| list) {
            return std::mem::take(items)
                .into_iter()
                .try_for_each(|item| self.add_one(place, item));
        }
        if is::<Connection>(&document) {
            let connection = parsed(place, document)?;
            self.place(place, Manifest::Connection(Box::new(connection)));
        } else if is::<KeyVault>(&document) {
            let vault = parsed(place, document)?;
            self.place(place, Manifest::KeyVault(Box::new(vault)));
        } else if is::<ConnectionType>(&document) {
            let mut unknown = Vec::new();
            let written = document.clone();
            let reader = |path: serde_ignored::Path<'_>| unknown.push(path.to_string());
            let mut track = serde_path_to_error::Track::new();
            let tracked = serde_path_to_error::Deserializer::new(document, &mut track);
            let type_ = serde_ignored::deserialize(tracked, reader);
            let type_ = type_.map_err(|source| unfit::<ConnectionType>(place, &track.path(), source))?;
            self.types.push(type_);
            unknown.retain(|field| field != "apiVersion" && field != "kind"); // those say what it is read as
            self.written.push((written, unknown));
        }
        Ok(())
    }

    fn place(&mut self, place: &str, manifest: Manifest) {
        let place = place.to_owned();
        self.subjects.push(Placed { place, manifest });
    }
}

/// The YAML files and the folders of a folder, in order. A folder that is only linked to is left out: it could be the
/// folder itself.
fn inside(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut inside = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        if entry.file_type()?.is_dir() || (yaml && path.is_file()) {
            inside.push(path);
        }
    }
    inside.sort();
    Ok(inside)
}

fn is<K: Resource<DynamicType = ()>>(document: &Value) -> bool {
    document["apiVersion"] == *K::api_version(&()) && document["kind"] == *K::kind(&())
}

fn parsed<K: Resource<DynamicType = ()> + DeserializeOwned>(
    place: &str,
    document: Value,
) -> Result<K, ConsentError> {
    serde_path_to_error::deserialize(document).map_err(|error| {
        let path = error.path().clone();
        unfit::<K>(place, &path, error.into_inner())
    })
}

fn unfit<K: Resource<DynamicType = ()>>(
    place: &str,
    path: &serde_path_to_error::Path,
    source: serde_json::Error,
) -> ConsentError {
    // The path of the object itself is a dot.
    let path = Some(path.to_string()).filter(|path| path != ".");
    ConsentError::Unfit {
        place: place.to_owned(),
        kind: K::kind(&()).to_lowercase(),
        at: path.map(|path| format!(" at {path}")).unwrap_or_default(),
        source,
    }
}
