//! Whether this process may write, and a client that asks before each write.
//!
//! Guarantees: a write is only sent while the Lease was renewed recently enough that no other process can hold it. The
//! question is asked again whenever a request that waits goes on, so one that waited for a connection or for a retry
//! while the process was paused is dropped.
//!
//! Assumptions: the clock runs while the process is paused. It need not be right, and need not agree with other nodes'.
//!
//! Caveats: a request that was handed to the socket can't be called back; writes of status and finalizer are refused
//! by the API server then if the object has changed. The clock may stand still while a whole machine is suspended.

use http::{Method, Request};
use kube::Client;
use kube::client::Body;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Instant;
use thiserror::Error;
use tokio::sync::{RwLock, SetOnce};

/// Why a write wasn't sent.
#[derive(Debug, Error)]
#[error("this process isn't the leader, or couldn't renew its Lease in time: it writes nothing")]
pub struct NotLeading;

/// How long this process leads.
#[derive(Clone, Copy, Debug, Default)]
enum Term {
    /// Not at all.
    #[default]
    None,
    /// Until then, unless it's renewed.
    Until(Instant),
    /// Always: nobody else is there.
    Always,
}

impl Term {
    fn holds_at(self, now: Instant) -> bool {
        match self {
            Self::None => false,
            Self::Until(end) => now < end,
            Self::Always => true,
        }
    }
}

#[derive(Default)]
struct State {
    term: Mutex<Term>,
    begun: SetOnce<()>,
    /// Shared by all writes that are on their way.
    sending: RwLock<()>,
}

/// The leadership of this process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Leadership(Arc<State>);

impl Leadership {
    /// Whether this process may write now.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.term().holds_at(Instant::now())
    }

    /// Whether this process has ever led. From then on it must see to every change, also while it can't write: no
    /// change comes twice.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.begun.initialized()
    }

    /// Waits until this process leads.
    pub async fn begun(&self) {
        self.0.begun.wait().await;
    }

    /// Leads, as nobody else is there.
    pub(super) fn begin_for_ever(&self) {
        self.set(Term::Always);
    }

    /// Leads until then.
    pub(super) fn renew(&self, until: Instant) {
        self.set(Term::Until(until));
    }

    /// Leads no more.
    pub(super) fn end(&self) {
        *self.0.term.lock().unwrap_or_else(PoisonError::into_inner) = Term::None;
    }

    /// Leads no more once all writes that are on their way have been answered; new ones are refused meanwhile.
    pub(super) async fn end_in_order(&self) {
        let _all_answered = self.0.sending.write().await;
        self.end();
    }

    fn set(&self, term: Term) {
        *self.0.term.lock().unwrap_or_else(PoisonError::into_inner) = term;
        let _ = self.0.begun.set(()); // it may have begun long ago
    }

    fn term(&self) -> Term {
        // A term is whole at any time, so a lock poisoned by a dead task is of no concern.
        *self.0.term.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A client that reads as this one does, and writes only while this process leads.
    #[must_use]
    pub fn guard(&self, client: Client) -> Client {
        let namespace = client.default_namespace().to_owned();
        let leadership = self.clone();
        let guarded = move |request: Request<Body>| {
            let (client, leadership) = (client.clone(), leadership.clone());
            async move {
                let reads = request.method() == Method::GET;
                let sending = client.send(request);
                if reads {
                    sending.await
                } else {
                    leadership.during(sending).await
                }
            }
        };
        Client::new(tower::service_fn(guarded), namespace)
    }

    /// Goes on with a request only while this process leads.
    async fn during<T>(&self, sending: impl Future<Output = kube::Result<T>>) -> kube::Result<T> {
        let Ok(_on_its_way) = self.0.sending.try_read() else {
            return Err(kube::Error::Service(NotLeading.into()));
        };
        let mut sending = pin!(sending);
        poll_fn(|context| {
            if self.holds() {
                sending.as_mut().poll(context)
            } else {
                Poll::Ready(Err(kube::Error::Service(NotLeading.into())))
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use futures::future::{pending, ready};
    use http::Response;
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::Api;
    use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    const HOUR: Duration = Duration::from_hours(1);

    /// A client of an API server that answers everything with an object, and how often it was asked.
    fn client() -> (Client, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let answer = move |_: Request<Body>| {
            counted.fetch_add(1, Ordering::Relaxed);
            let body = br#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "any"}}"#;
            ready(Ok::<_, kube::Error>(Response::new(Body::from(body.to_vec()))))
        };
        (Client::new(tower::service_fn(answer), "default"), asked)
    }

    async fn writes(client: &Client) -> [bool; 3] {
        let api: Api<ConfigMap> = Api::default_namespaced(client.clone());
        let patch = Patch::Merge(serde_json::json!({}));
        [
            api.create(&PostParams::default(), &ConfigMap::default())
                .await
                .is_ok(),
            api.patch("any", &PatchParams::default(), &patch).await.is_ok(),
            api.delete("any", &DeleteParams::default()).await.is_ok(),
        ]
    }

    #[test]
    fn a_term_ends_at_its_time() {
        let now = Instant::now();
        let rows = [
            ("nobody has begun", Term::None, false),
            ("it was renewed", Term::Until(now + HOUR), true),
            ("its last moment has come", Term::Until(now), false),
            ("there is nobody else", Term::Always, true),
        ];
        for (case, term, holds) in rows {
            assert_eq!(term.holds_at(now), holds, "{case}");
        }
    }

    #[tokio::test]
    async fn who_does_not_lead_reads_and_writes_nothing() {
        let (client, asked) = client();
        let leadership = Leadership::default();
        let guarded = leadership.guard(client);
        assert_eq!(writes(&guarded).await, [false; 3]);
        assert_eq!(asked.load(Ordering::Relaxed), 0, "no request was sent");
        let api: Api<ConfigMap> = Api::default_namespaced(guarded);
        api.get("any").await.expect("reading is for all");
    }

    #[tokio::test]
    async fn who_leads_writes_until_the_term_ends() {
        let (client, asked) = client();
        let leadership = Leadership::default();
        let guarded = leadership.guard(client);
        for lead in [
            |l: &Leadership| l.renew(Instant::now() + HOUR),
            Leadership::begin_for_ever,
        ] {
            lead(&leadership);
            assert_eq!(writes(&guarded).await, [true; 3]);
            leadership.end();
            assert_eq!(writes(&guarded).await, [false; 3]);
        }
        assert_eq!(asked.load(Ordering::Relaxed), 6);
    }

    #[tokio::test]
    async fn a_refused_write_says_why() {
        let (client, _) = client();
        let api: Api<ConfigMap> = Api::default_namespaced(Leadership::default().guard(client));
        let refused = api
            .delete("any", &DeleteParams::default())
            .await
            .expect_err("not leading");
        assert!(refused.to_string().contains("isn't the leader"), "{refused}");
    }

    #[test]
    fn a_request_that_still_waits_when_the_term_ends_is_dropped() {
        let leadership = Leadership::default();
        leadership.renew(Instant::now() + HOUR);
        let mut sending = Box::pin(leadership.during(pending::<kube::Result<()>>()));
        assert!((&mut sending).now_or_never().is_none(), "it waits");
        leadership.end();
        assert!(sending.now_or_never().expect("it waits no more").is_err());
    }

    #[tokio::test]
    async fn an_orderly_end_waits_for_what_is_on_its_way_and_lets_nothing_new_begin() {
        let leadership = Leadership::default();
        leadership.begin_for_ever();
        let (answer, answered) = futures::channel::oneshot::channel();
        let mut sending = Box::pin(leadership.during(answered.map(|_| Ok(()))));
        assert!((&mut sending).now_or_never().is_none(), "it waits");
        let mut ending = Box::pin(leadership.end_in_order());
        assert!((&mut ending).now_or_never().is_none(), "something is on its way");
        let new = leadership.during(ready(Ok(())));
        assert!(new.await.is_err(), "it comes too late");
        answer.send(()).expect("it is waited for");
        assert!(sending.await.is_ok());
        ending.await;
        assert!(!leadership.holds());
    }

    #[tokio::test]
    async fn having_begun_stays_true_when_the_term_ends() {
        let leadership = Leadership::default();
        assert!(!leadership.has_begun() && leadership.begun().now_or_never().is_none());
        leadership.renew(Instant::now());
        leadership.end();
        leadership.begun().await;
        assert!(leadership.has_begun());
    }
}
