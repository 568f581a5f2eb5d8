//! What one run puts into a store: objects whose parts nobody sees, and which appear under their names once all are whole.

use super::fault::ObjectsFault;
use super::settings::Settings;
use super::store::Store;
use super::write::{OpenObject, Parts};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, MultipartUpload, ObjectStore, ObjectStoreExt, PutMultipartOptions,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::warn;

/// How long taking away what was begun may take: less than the grace of a pod that is told to stop.
const UNDO_MAX: Duration = Duration::from_secs(6);
/// How long it is looked for what earlier runs left.
const SWEEP_MAX: Duration = Duration::from_secs(6);

/// What one run puts into a store.
pub struct Upload {
    store: Store,
    folder: String,
    content_type: &'static str,
    objects: Vec<Object>,
    /// The object that is begun just now. The store is asked that as a whole, whatever ends the run meanwhile: else nobody
    /// knew what to take away.
    beginning: Option<JoinHandle<Result<Box<dyn MultipartUpload>, ObjectsFault>>>,
    /// The object that gets its name just now.
    completing: Option<(usize, JoinHandle<Result<(), ObjectsFault>>)>,
}

/// One of its objects.
struct Object {
    parts: Parts,
    published: bool,
}

impl Upload {
    /// Begins a run.
    #[must_use]
    pub fn begin(store: Store, settings: &Settings) -> Self {
        let mut folder = settings.folders.join("/");
        if !folder.is_empty() {
            folder.push('/');
        }
        let content_type = if settings.form.gzip {
            "application/gzip"
        } else {
            "text/csv; charset=utf-8"
        };
        Self {
            store,
            folder,
            content_type,
            objects: Vec::new(),
            beginning: None,
            completing: None,
        }
    }

    /// Begins an object that will be called so. Parts of the same one that other runs left are taken away: they may be
    /// personal data, and cost its owner money. Of one export one run goes on at a time: should another still, on a node
    /// that is lost, its object is never completed.
    ///
    /// # Errors
    /// When the store doesn't let us.
    pub async fn create(&mut self, name: &str) -> Result<OpenObject, ObjectsFault> {
        let path = self.path(name)?;
        self.sweep(&path).await;
        let objects = Arc::clone(&self.store.objects);
        let options = PutMultipartOptions {
            attributes: Attributes::from_iter([(Attribute::ContentType, self.content_type)]),
            ..PutMultipartOptions::default()
        };
        let begin = async move { Ok(objects.put_multipart_opts(&path, options).await?) };
        self.beginning = Some(tokio::spawn(begin));
        let parts = self.begun().await?.ok_or(ObjectsFault::Broken)?;
        Ok(OpenObject::new(parts))
    }

    /// Waits for the object that is being begun, if any.
    async fn begun(&mut self) -> Result<Option<Parts>, ObjectsFault> {
        let Some(beginning) = &mut self.beginning else {
            return Ok(None);
        };
        let begun = beginning.await;
        self.beginning = None;
        let parts = Arc::new(Mutex::new(begun.unwrap_or(Err(ObjectsFault::Broken))?));
        self.objects.push(Object {
            parts: Arc::clone(&parts),
            published: false,
        });
        Ok(Some(parts))
    }

    /// Gives one object after the other its name, and tells of each.
    ///
    /// # Errors
    /// When the store refuses one. Those before it stand.
    pub async fn publish(&mut self, mut published: impl FnMut(usize)) -> Result<(), ObjectsFault> {
        for number in 0..self.objects.len() {
            let Some(object) = self.objects.get(number) else {
                break;
            };
            let parts = Arc::clone(&object.parts);
            let complete = async move {
                let completed = parts.lock().await.complete().await;
                completed.map_err(|error| ObjectsFault::from(error).in_completion())?;
                Ok(())
            };
            self.completing = Some((number, tokio::spawn(complete)));
            self.completed(&mut published).await?;
        }
        Ok(())
    }

    /// Waits for the object that gets its name just now, if any.
    async fn completed(&mut self, published: &mut impl FnMut(usize)) -> Result<(), ObjectsFault> {
        let Some((number, completing)) = &mut self.completing else {
            return Ok(());
        };
        let (number, done) = (*number, completing.await);
        self.completing = None;
        done.unwrap_or(Err(ObjectsFault::Broken))?;
        if let Some(object) = self.objects.get_mut(number) {
            object.published = true;
        }
        published(number);
        Ok(())
    }

    /// Takes away what was begun and has no name; true if nothing of it is left, as at Azure's it is, unseen, until the object is
    /// completed by another run or a week has passed. Tells of an object that still got its name.
    pub async fn undo(&mut self, mut published: impl FnMut(usize)) -> bool {
        let undo = async {
            let _ = self.begun().await; // then there is nothing of it
            let _ = self.completed(&mut published).await; // then it has no name
            let mut gone = true;
            for object in self.objects.iter().filter(|object| !object.published) {
                let aborted = object.parts.lock().await.abort().await;
                let aborted = aborted.map_err(ObjectsFault::from);
                gone &= self.store.unfinished.is_some(); // else nobody is told to forget the parts
                gone &= matches!(
                    aborted,
                    Ok(()) | Err(ObjectsFault::Superseded | ObjectsFault::Absent)
                );
            }
            gone
        };
        timeout(UNDO_MAX, undo).await.unwrap_or(false)
    }

    /// Takes away objects of these names, which an earlier run needed and this one doesn't. An account that may do nothing
    /// but write is left in peace unless there is such an object.
    ///
    /// # Errors
    /// When there is one that can't be taken away.
    pub async fn remove(&self, names: &[String]) -> Result<(), ObjectsFault> {
        for name in names {
            let path = self.path(name)?;
            self.sweep(&path).await;
            match self.store.objects.delete(&path).await.map_err(ObjectsFault::from) {
                Ok(()) | Err(ObjectsFault::Absent) => {}
                Err(ObjectsFault::NotAllowed) => self.is_not_seen(&path).await?,
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    /// What may not be removed may stay only if it isn't there, or nobody may look.
    async fn is_not_seen(&self, path: &Path) -> Result<(), ObjectsFault> {
        match self.store.objects.head(path).await.map_err(ObjectsFault::from) {
            Ok(_) => Err(ObjectsFault::NotAllowed),
            Err(ObjectsFault::Absent) => Ok(()),
            Err(ObjectsFault::NotAllowed) => {
                warn!(
                    "the account may neither remove objects nor look for them, so those of an earlier, larger run may stay"
                );
                Ok(())
            }
            Err(fault) => Err(fault),
        }
    }

    /// Takes away parts of this object that other runs of the export left. What can't be taken away, the next run tries again.
    async fn sweep(&self, path: &Path) {
        let Some(unfinished) = &self.store.unfinished else {
            return;
        };
        match timeout(SWEEP_MAX, unfinished.sweep(path)).await {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => warn!(?fault, "what earlier runs left can't be taken away"),
            Err(_) => warn!("what earlier runs left can't be taken away in time"),
        }
    }

    /// The name of an object in full.
    fn path(&self, name: &str) -> Result<Path, ObjectsFault> {
        // Neither the folder nor a dataset's name holds what has no place in one.
        Path::parse(format!("{}{name}", self.folder)).map_err(|_| ObjectsFault::Unsupported)
    }
}
