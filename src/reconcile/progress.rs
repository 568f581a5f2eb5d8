//! What runs told of how far they are, remembered between visits.

use super::memory::lock;
use crate::api::run::RunProgress;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// What the pods of runs told last, and when they were asked, by their uids.
#[derive(Debug, Default)]
pub struct Progress(Mutex<BTreeMap<String, Told>>);

#[derive(Clone, Copy, Debug)]
struct Told {
    asked: Timestamp,
    answer: Option<RunProgress>,
}

impl Progress {
    /// How far a pod said to be.
    #[must_use]
    pub fn of(&self, pod: &str) -> Option<RunProgress> {
        lock(&self.0).get(pod)?.answer
    }

    /// When a pod was asked last.
    #[must_use]
    pub fn asked(&self, pod: &str) -> Option<Timestamp> {
        lock(&self.0).get(pod).map(|told| told.asked)
    }

    /// Remembers what a pod said when it was asked. One that doesn't answer is still as far as it was. Whether that is news.
    pub fn note(&self, pod: &str, asked: Timestamp, answer: Option<RunProgress>) -> bool {
        let mut all = lock(&self.0);
        let before = all.get(pod).and_then(|told| told.answer);
        let answer = answer.or(before);
        all.insert(pod.to_owned(), Told { asked, answer });
        answer != before
    }

    /// Forgets all pods but these.
    pub fn keep(&self, pods: &BTreeSet<&str>) {
        lock(&self.0).retain(|pod, _| pods.contains(pod.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pod_told_stands_until_it_tells_more_or_goes() {
        let progress = Progress::default();
        let at = |second| Timestamp::from_second(second).expect("a time");
        let far = |rows_read| {
            Some(RunProgress {
                rows_read,
                rows_written: 1,
            })
        };
        assert!(!progress.note("a", at(30), None), "it said nothing");
        assert!(progress.note("a", at(60), far(5)));
        assert!(!progress.note("a", at(90), far(5)));
        assert!(!progress.note("a", at(120), None));
        assert_eq!((progress.of("a"), progress.asked("a")), (far(5), Some(at(120))));
        assert!(progress.note("b", at(120), far(1)));
        progress.keep(&["b"].into());
        assert_eq!((progress.of("a"), progress.asked("a")), (None, None));
        assert_eq!(progress.of("b"), far(1));
    }
}
