//! How messages quote and list: on one line, bounded, in a fixed order.

use crate::api::condition::MESSAGE_MAX;
use std::borrow::Cow;

/// Most names that a message lists before it only counts.
pub const NAMES_MAX: usize = 5;
/// Most characters of a foreign text that a message repeats.
const QUOTE_MAX: usize = 60;

/// Most characters of a description that a message repeats.
const EXPLANATION_MAX: usize = 300;

/// A text that somebody wrote, fit to stand in a message: bounded, on one line, without characters that would change
/// how the rest of the line is shown, or end the quote early.
#[must_use]
pub fn quoted(text: &str) -> String {
    let text = &*without_password(text);
    let shown: String = text
        .chars()
        .take(QUOTE_MAX)
        .map(|c| match c {
            '"' => '\'',
            c if changes_display(c) => '\u{fffd}',
            c => c,
        })
        .collect();
    if text.chars().nth(QUOTE_MAX).is_some() {
        format!("\"{shown}…\"")
    } else {
        format!("\"{shown}\"")
    }
}

/// Whoever writes an address where a host belongs may write a password with it, as in `user:password@host`.
fn without_password(text: &str) -> Cow<'_, str> {
    let start = text.find("://").map_or(0, |scheme| scheme + 3);
    let rest = &text[start..];
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A password may hold a slash that somebody forgot to encode: up to the last @ of all, then.
    let Some(end) = authority.rfind('@').or_else(|| rest.rfind('@')) else {
        return Cow::Borrowed(text);
    };
    match rest[..end].split_once(':') {
        Some((user, _)) => Cow::Owned(format!("{}{user}:…{}", &text[..start], &rest[end..])),
        None => Cow::Borrowed(text),
    }
}

/// A sentence with its capital.
#[must_use]
pub fn capitalized(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// What an author wrote in explanation, fit to follow a sentence: bounded, on one line, with a full stop, without
/// characters that would change how the line is shown.
#[must_use]
pub fn explanation(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = bounded(words.join(" "));
    if text.chars().nth(EXPLANATION_MAX).is_some() {
        return cut(&text, EXPLANATION_MAX);
    }
    if text.ends_with(['.', '!', '?']) {
        text
    } else {
        format!("{text}.")
    }
}

/// A text of which at most so many characters are told.
#[must_use]
pub fn cut(text: &str, max: usize) -> String {
    if text.chars().nth(max).is_none() {
        return text.to_owned();
    }
    let shown: String = text.chars().take(max).collect();
    format!("{}…", shown.trim_end())
}

/// Control characters, line separators, and the invisible marks that override the direction of writing or hide text.
fn changes_display(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{3164}' | '\u{e0000}'..='\u{e0fff}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Whether people see of a text what is in it, line ends apart.
#[must_use]
pub fn is_shown(text: &str) -> bool {
    !text.chars().any(|c| c != '\n' && changes_display(c))
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

/// The text as a condition may carry it: cut to its length, and on one line whatever was woven into it.
#[must_use]
pub fn bounded(text: String) -> String {
    let max = MESSAGE_MAX as usize;
    let text = if text.chars().any(changes_display) {
        text.chars()
            .map(|c| if changes_display(c) { '\u{fffd}' } else { c })
            .collect()
    } else {
        text
    };
    if text.chars().count() <= max {
        return text;
    }
    text.chars().take(max - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::ANY_TEXT;
    use proptest::prelude::*;

    #[test]
    fn five_names_are_listed_and_the_rest_is_counted() {
        let rows: [(&str, &[&str], &str); 4] = [
            ("none", &[], ""),
            ("two", &["a", "b"], "a, b"),
            ("five", &["a", "b", "c", "d", "e"], "a, b, c, d, e"),
            (
                "seven",
                &["a", "b", "c", "d", "e", "f", "g"],
                "a, b, c, d, e and 2 more",
            ),
        ];
        for (case, names, expected) in rows {
            assert_eq!(listed(names), expected, "{case}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_not_repeated() {
        let rows = [
            (
                "postgresql://joe:s3cr3t@db.example/x",
                "\"postgresql://joe:…@db.example/x\"",
            ),
            ("joe:s3cr3t@db.example", "\"joe:…@db.example\""),
            (
                "https://joe:a@b/c@db.example/x",
                "\"https://joe:…@b/c@db.example/x\"",
            ),
            ("https://joe:a/b@db.example", "\"https://joe:…@db.example\""),
            ("joe@db.example:22", "\"joe@db.example:22\""),
            ("db.example:22/in", "\"db.example:22/in\""),
        ];
        for (text, expected) in rows {
            assert_eq!(quoted(text), expected, "{text}");
        }
    }

    #[test]
    fn five_problems_are_told_and_the_rest_is_counted() {
        let problems: Vec<String> = (1..=7).map(|i| format!("Problem {i}.")).collect();
        assert_eq!(sentences(&problems[..2]), "Problem 1. Problem 2.");
        assert_eq!(
            sentences(&problems),
            "Problem 1. Problem 2. Problem 3. Problem 4. Problem 5. And 2 more."
        );
    }

    #[test]
    fn a_quote_keeps_unicode_but_nothing_that_changes_the_line() {
        let rows = [
            ("other scripts", "größe 名前 שם", "\"größe 名前 שם\""),
            ("a line break", "a\nb", "\"a\u{fffd}b\""),
            ("a right-to-left override", "b\u{202e}c", "\"b\u{fffd}c\""),
            (
                "what can't be seen",
                "a\u{feff}\u{200b}b",
                "\"a\u{fffd}\u{fffd}b\"",
            ),
            ("a colour of the terminal", "\u{1b}[31m", "\"\u{fffd}[31m\""),
            (
                "a quote in the quote",
                "x\". All is well.",
                "\"x'. All is well.\"",
            ),
            ("nothing", "", "\"\""),
        ];
        for (case, text, expected) in rows {
            assert_eq!(quoted(text), expected, "{case}");
        }
        assert_eq!(quoted(&"x".repeat(61)), format!("\"{}…\"", "x".repeat(60)));
    }

    #[test]
    fn the_schema_refuses_the_same_texts_that_hide_something() {
        let shown = regex::Regex::new(crate::api::notice::SHOWN).expect("a pattern");
        let odd = ('\0'..='\u{ffff}').chain('\u{dfff0}'..='\u{e1010}');
        for c in odd {
            let text = c.to_string();
            assert_eq!(shown.is_match(&text), is_shown(&text), "{c:?}");
        }
    }

    #[test]
    fn an_explanation_is_one_line_and_ends() {
        let rows = [
            ("as it is", "The host.", "The host."),
            ("without a full stop", "The host", "The host."),
            (
                "over several lines",
                "The host,\n  without port.\n",
                "The host, without port.",
            ),
            (
                "turned around",
                "The \u{202e}tsoh\u{1b}[2J.",
                "The \u{fffd}tsoh\u{fffd}[2J.",
            ),
        ];
        for (case, text, expected) in rows {
            assert_eq!(explanation(text), expected, "{case}");
        }
        assert!(explanation(&"word ".repeat(200)).ends_with("word…"));
    }

    proptest! {
        #[test]
        fn a_quote_is_short_and_on_one_line(text in ANY_TEXT) {
            let quote = quoted(&text);
            prop_assert!(quote.chars().count() <= QUOTE_MAX + 3);
            prop_assert!(!quote.chars().any(changes_display));
            prop_assert_eq!(quote.matches('"').count(), 2);
        }

        #[test]
        fn a_bounded_message_fits_the_schema(text in ANY_TEXT, times in 1usize..600) {
            let message = bounded(text.repeat(times));
            prop_assert!(message.chars().count() <= MESSAGE_MAX as usize);
            prop_assert!(!message.chars().any(changes_display));
            prop_assert_eq!(bounded(message.clone()), message);
        }
    }
}
