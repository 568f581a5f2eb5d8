//! Whose sights have changed.

use super::Owner;
use futures::Stream;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Tells whose sights have changed since it was last asked, each owner once.
pub struct Changed(pub(super) Arc<Inbox>);

/// Owners that are to be told. There are never more than follow something.
#[derive(Default)]
pub(super) struct Inbox {
    owners: Mutex<BTreeSet<Owner>>,
    wake: Notify,
}

impl Inbox {
    pub fn put<'a>(&self, owners: impl IntoIterator<Item = &'a Owner>) {
        let mut inbox = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        inbox.extend(owners.into_iter().cloned());
        if !inbox.is_empty() {
            self.wake.notify_one();
        }
    }

    pub fn forget(&self, owner: &Owner) {
        self.owners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(owner);
    }

    fn take(&self) -> Option<Owner> {
        self.owners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_first()
    }
}

impl Changed {
    /// The next one, as soon as there is one.
    pub async fn next(&mut self) -> Owner {
        loop {
            if let Some(owner) = self.0.take() {
                return owner;
            }
            self.0.wake.notified().await;
        }
    }

    /// The same as a stream without end.
    pub fn into_stream(self) -> impl Stream<Item = Owner> + Send {
        futures::stream::unfold(self, |mut changed| async move {
            let owner = changed.next().await;
            Some((owner, changed))
        })
    }
}
