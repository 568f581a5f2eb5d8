//! What the objects of runs are called.

use crate::api::names::RUN_NAME_PREFIX;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Most characters of a CronJob's name: Kubernetes puts the time after it to name a Job.
pub const CRON_JOB_NAME_MAX: usize = 52;

/// The lower-case hexadecimal SHA-256 of some bytes.
#[must_use]
pub fn hash(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}"); // a String takes everything
    }
    text
}

/// A hash over texts of which none may run into the next.
#[must_use]
pub fn hash_of(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        let _ = write!(text, "{}:{part}", part.len());
    }
    hash(text.as_bytes())
}

/// The name of the CronJob, by the kind and name of what runs.
#[must_use]
pub fn cron_job(kind: &str, name: &str) -> String {
    format!("{RUN_NAME_PREFIX}{}", &hash_of(&[kind, name])[..20])
}

/// The name of the Job that answers a request: the same for the same request, so that it is begun once, and another for
/// what is made again under the same name.
#[must_use]
pub fn requested_job(kind: &str, (name, uid): (&str, &str), request: &str) -> String {
    format!("{}-r{}", cron_job(kind, name), &hash_of(&[uid, request])[..16])
}

/// The name of the Job that answers a request for a dry run.
#[must_use]
pub fn dry_run_job(kind: &str, (name, uid): (&str, &str), request: &str) -> String {
    format!("{}-d{}", cron_job(kind, name), &hash_of(&[uid, request])[..16])
}

/// The name of a plan's ConfigMap.
#[must_use]
pub fn plan(hash: &str) -> String {
    format!("{RUN_NAME_PREFIX}plan-{hash}")
}
