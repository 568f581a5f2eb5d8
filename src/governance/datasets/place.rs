//! Where datasets lie on volumes: which files a path means, and whose place a dataset's is.

use crate::api::dataset::{Dataset, Role, Volume};
use glob::{MatchOptions, Pattern};
use kube::ResourceExt;
use std::cmp::Ordering;
use std::sync::Arc;

#[cfg(test)]
mod tests;

const MATCHING: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// Why a dataset can't be written where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceTaken {
    /// It would be among the files of this dataset, which is only read.
    Read(String),
    /// This dataset, the older one, is written there too.
    Written(String),
}

/// The names between the slashes of a path, if it's one that can't step out of its root.
#[must_use]
pub fn segments(path: &str) -> Option<Vec<&str>> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let segments: Vec<&str> = path.split('/').filter(|segment| *segment != ".").collect();
    let fit = |segment: &&str| !segment.is_empty() && *segment != ".." && !segment.contains("**");
    let whole = !segments.iter().any(|segment| segment.contains('\0'));
    (whole && segments.iter().all(fit)).then_some(segments)
}

/// One name of a path, in which * and ? stand for others. What begins with a dot or an underscore is meant only where it's named so.
#[derive(Clone, Debug)]
pub struct Name {
    pattern: Pattern,
    /// Whether it begins with an underscore itself.
    aside: bool,
}

impl Name {
    /// Reads it; nothing if it isn't one.
    #[must_use]
    pub fn new(segment: &str) -> Option<Self> {
        let only_stars = segment.replace('[', "[[]"); // brackets mean themselves
        let pattern = Pattern::new(&only_stars).ok()?;
        let aside = segment.starts_with('_');
        Some(Self { pattern, aside })
    }

    /// Whether it means this one.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        (self.aside || !name.starts_with('_')) && self.pattern.matches_with(name, MATCHING)
    }
}

/// Whether a file of a folder that is named as a whole is meant with it.
#[must_use]
pub fn is_data(name: &str) -> bool {
    !name.starts_with(['.', '_'])
}

/// Whether a path means a file that another one names: the same, one in a folder of that name, or one that a pattern matches.
#[must_use]
pub fn covers(path: &str, file: &str) -> bool {
    let (Some(path), Some(file)) = (segments(path), segments(file)) else {
        return false;
    };
    let is = |(segment, name): (&&str, &&str)| Name::new(segment).is_some_and(|segment| segment.is(name));
    let beyond_is_data = match file.get(path.len()..) {
        Some([]) => true,
        Some([name]) => is_data(name),
        _ => false,
    };
    beyond_is_data && path.iter().zip(&file).all(is)
}

/// Whether what is written as the one would be among the files of the other.
#[must_use]
pub fn is_among(written: &Dataset, other: &Dataset) -> bool {
    let (Some(own), Some(other)) = (volume(written), volume(other)) else {
        return false;
    };
    own.claim_name == other.claim_name && covers(&other.path, &own.path)
}

/// Who has the place of a dataset that is to be written: one that is only read, always; of those that are written, the oldest, by name
/// where two are of one second. `others` may hold the dataset itself.
#[must_use]
pub fn taken(own: &Dataset, others: impl Iterator<Item = Arc<Dataset>>) -> Option<PlaceTaken> {
    let others = others.filter(|other| other.name_any() != own.name_any() && is_among(own, other));
    let (mut read, mut written) = (None::<String>, None::<Arc<Dataset>>);
    for other in others {
        let is_read = other.spec.role.unwrap_or_default() == Role::Source;
        if is_read && read.as_ref().is_none_or(|name| other.name_any() < *name) {
            read = Some(other.name_any());
        }
        let before = written.as_deref().unwrap_or(own);
        if !is_read && age(&other, before) == Ordering::Less {
            written = Some(other);
        }
    }
    let written = written.map(|other| PlaceTaken::Written(other.name_any()));
    read.map(PlaceTaken::Read).or(written)
}

fn volume(dataset: &Dataset) -> Option<&Volume> {
    dataset.spec.location.volume.as_ref()
}

fn age(a: &Dataset, b: &Dataset) -> Ordering {
    let created = |dataset: &Dataset| {
        let time = dataset.creation_timestamp();
        time.map_or(i64::MAX, |time| time.0.as_second())
    };
    (created(a), a.name_any()).cmp(&(created(b), b.name_any()))
}
