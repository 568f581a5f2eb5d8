//! Commands for people and pipelines.

use std::error::Error;

pub mod catalog;
pub mod consent;

/// The error and what caused it, on one line. Some errors repeat their cause themselves.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes
        .map(ToString::to_string)
        .fold(error.to_string(), |text, cause| {
            if text.contains(&cause) {
                text
            } else {
                format!("{text}: {cause}")
            }
        })
}
