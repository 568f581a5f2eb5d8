//! How much room a text takes in a terminal, and how it is made to fit.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Around a text of another direction, so that it doesn't turn what stands beside it.
const ISOLATE: (char, char) = ('\u{2068}', '\u{2069}');

/// How many columns a text takes.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.width()
}

/// The text in at most so many columns, ending in `…` if it was longer. No letter is torn from its accents.
#[must_use]
pub fn fitted(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut room = most.saturating_sub(1);
    for letter in text.graphemes(true) {
        let Some(left) = room.checked_sub(columns(letter)) else {
            break;
        };
        room = left;
        kept.push_str(letter);
    }
    if most > 0 {
        kept.truncate(kept.trim_end().len());
        kept.push('…');
    }
    kept
}

/// A text that goes from right to left is kept apart from what stands beside it.
#[must_use]
pub fn isolated(text: &str) -> String {
    if text.chars().any(is_right_to_left) {
        format!("{}{text}{}", ISOLATE.0, ISOLATE.1)
    } else {
        text.to_owned()
    }
}

/// Hebrew, Arabic and their neighbours.
fn is_right_to_left(letter: char) -> bool {
    matches!(letter, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// Lines of words in at most so many columns each. A word that is longer than a line has one of its own.
#[must_use]
pub fn wrapped(text: &str, most: Option<usize>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if most.is_none_or(|most| columns(line) + 1 + columns(word) <= most) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::ANY_TEXT;
    use proptest::prelude::*;

    #[test]
    fn a_text_takes_the_columns_that_a_terminal_gives_it() {
        let rows = [
            ("plain", "abc", 3),
            ("wide", "名前", 4),
            ("an accent of its own", "e\u{301}", 1),
            ("right to left", "שם", 2),
            ("isolates take none", "\u{2068}שם\u{2069}", 2),
            ("nothing", "", 0),
        ];
        for (case, text, expected) in rows {
            assert_eq!(columns(text), expected, "{case}");
        }
    }

    #[test]
    fn a_text_is_cut_between_letters() {
        let rows = [
            ("it fits", "abc", 3, "abc"),
            ("it doesn't", "abcd", 3, "ab…"),
            ("half of a wide letter is none", "名前名", 4, "名…"),
            ("accents stay", "e\u{301}e\u{301}e", 2, "e\u{301}…"),
            ("no space before the end", "ab cd", 4, "ab…"),
            ("no room", "abc", 0, ""),
            ("room for the sign alone", "abc", 1, "…"),
        ];
        for (case, text, most, expected) in rows {
            assert_eq!(fitted(text, most), expected, "{case}");
        }
    }

    #[test]
    fn only_another_direction_is_kept_apart() {
        assert_eq!(isolated("größe"), "größe");
        assert_eq!(isolated("שם"), "\u{2068}שם\u{2069}");
        assert_eq!(isolated("اسم 1"), "\u{2068}اسم 1\u{2069}");
    }

    #[test]
    fn words_are_wrapped() {
        let rows: [(&str, Option<usize>, &[&str]); 4] = [
            ("one two three", Some(7), &["one two", "three"]),
            ("one two three", None, &["one two three"]),
            (
                "a incomprehensibility b",
                Some(5),
                &["a", "incomprehensibility", "b"],
            ),
            ("", Some(5), &[]),
        ];
        for (text, most, expected) in rows {
            assert_eq!(wrapped(text, most), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_fitted_fits(text in ANY_TEXT, most in 0usize..50) {
            prop_assert!(columns(&fitted(&text, most)) <= most);
        }
    }
}
