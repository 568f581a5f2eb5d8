//! For how long policies have been the very ones that they are. The API server goes by an altered policy for up to a
//! second after it was put back, so one that reads as it should doesn't vouch at once.

use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// For how long nothing vouches after a change was noticed.
pub(super) const SETTLING: Duration = Duration::from_secs(5);

/// An object as it was written last: its uid, and how often its spec has changed.
pub(super) type Version = (Option<String>, Option<i64>);

/// What was seen at the last look.
#[derive(Debug, Default)]
pub(super) struct Steady {
    seen: BTreeMap<String, Version>,
    changed: BTreeMap<String, Instant>,
}

impl Steady {
    /// Remembers what is there now, and names the first that was another at some look within the last seconds. A first
    /// look has nothing to compare with.
    pub fn note(&mut self, now: Instant, found: BTreeMap<String, Version>) -> Option<&str> {
        if !self.seen.is_empty() {
            let others = found
                .iter()
                .filter(|(name, version)| self.seen.get(*name) != Some(*version));
            let gone = self.seen.keys().filter(|name| !found.contains_key(*name));
            let changed = others.map(|(name, _)| name).chain(gone);
            self.changed.extend(changed.map(|name| (name.clone(), now)));
        }
        self.changed.retain(|_, at| now.duration_since(*at) < SETTLING);
        self.seen = found;
        self.changed.keys().next().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(versions: &[(&str, &str, i64)]) -> BTreeMap<String, Version> {
        let versions = versions.iter();
        versions
            .map(|(name, uid, generation)| ((*name).to_owned(), (Some((*uid).to_owned()), Some(*generation))))
            .collect()
    }

    #[test]
    fn what_was_altered_is_named_until_it_has_settled() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let installed = || versions(&[("consent", "a", 1), ("status", "b", 1)]);
        let put_back = || versions(&[("consent", "a", 3), ("status", "b", 1)]);
        let made_anew = || versions(&[("consent", "a", 3), ("status", "c", 1)]);
        let steps = [
            ("the first look", 0, installed(), None),
            ("the same", 10, installed(), None),
            ("altered and put back", 20, put_back(), Some("consent")),
            ("too soon", 24, put_back(), Some("consent")),
            ("settled", 25, put_back(), None),
            ("made anew", 30, made_anew(), Some("status")),
            ("removed", 32, versions(&[("consent", "a", 3)]), Some("status")),
            ("there again", 40, made_anew(), Some("status")),
            ("settled again", 45, made_anew(), None),
        ];
        let mut steady = Steady::default();
        for (case, seconds, found, expected) in steps {
            assert_eq!(steady.note(at(seconds), found), expected, "{case}");
        }
    }
}
