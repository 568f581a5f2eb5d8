//! How messages quote and list: on one line, bounded, in a fixed order.

use crate::api::condition::MESSAGE_MAX;

/// Most names that a message lists before it only counts.
pub const NAMES_MAX: usize = 5;
/// Most characters of a foreign text that a message repeats.
const QUOTE_MAX: usize = 60;

/// A text that somebody wrote, fit to stand in a message: bounded, on one line, without characters that would change
/// how the rest of the line is shown.
#[must_use]
pub fn quoted(text: &str) -> String {
    let shown: String = text
        .chars()
        .take(QUOTE_MAX)
        .map(|c| if changes_display(c) { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(QUOTE_MAX).is_some() {
        format!("\"{shown}…\"")
    } else {
        format!("\"{shown}\"")
    }
}

/// Control characters, and the marks that override the direction of writing.
fn changes_display(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// The names in order, five at most, then how many more there are.
#[must_use]
pub fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMES_MAX).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(NAMES_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Several problems as sentences, five at most, then how many more there are.
#[must_use]
pub fn sentences(problems: &[String]) -> String {
    let shown = problems
        .iter()
        .take(NAMES_MAX)
        .cloned()
        .collect::<Vec<_>>()
        .join(" ");
    match problems.len().saturating_sub(NAMES_MAX) {
        0 => shown,
        more => format!("{shown} And {more} more."),
    }
}

/// The text, cut to what a condition may carry.
#[must_use]
pub fn bounded(text: String) -> String {
    let max = MESSAGE_MAX as usize;
    if text.chars().count() <= max {
        return text;
    }
    text.chars().take(max - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn five_names_are_listed_and_the_rest_is_counted() {
        assert_eq!(listed(&["a", "b"]), "a, b");
        assert_eq!(listed(&["a", "b", "c", "d", "e"]), "a, b, c, d, e");
        assert_eq!(
            listed(&["a", "b", "c", "d", "e", "f", "g"]),
            "a, b, c, d, e and 2 more"
        );
    }

    #[test]
    fn a_quote_keeps_unicode_but_not_what_changes_the_line() {
        assert_eq!(quoted("größe 名前 שם"), "\"größe 名前 שם\"");
        assert_eq!(quoted("a\nb\u{202e}c"), "\"a\u{fffd}b\u{fffd}c\"");
    }

    proptest! {
        #[test]
        fn a_quote_is_short_and_on_one_line(text in any::<String>()) {
            let quote = quoted(&text);
            prop_assert!(quote.chars().count() <= QUOTE_MAX + 3);
            prop_assert!(!quote.chars().any(char::is_control));
        }

        #[test]
        fn a_bounded_message_fits_the_schema(length in 0usize..10_000) {
            prop_assert!(bounded("é".repeat(length)).chars().count() <= MESSAGE_MAX as usize);
        }
    }
}
