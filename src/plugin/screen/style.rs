//! How a word is meant, and the colour of that.

/// How a word is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// As any other.
    #[default]
    Plain,
    /// A heading.
    Heading,
    /// In order.
    Good,
    /// Not in order.
    Bad,
    /// Not known, or at rest.
    Faint,
}

impl Tone {
    /// The text in its colour, if colours are wanted.
    #[must_use]
    pub fn paint(self, text: &str, colour: bool) -> String {
        let code = match self {
            Self::Plain => return text.to_owned(),
            Self::Heading => "1",
            Self::Good => "32",
            Self::Bad => "31",
            Self::Faint => "2",
        };
        if colour && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_come_only_where_they_are_wanted() {
        assert_eq!(Tone::Good.paint("True", true), "\u{1b}[32mTrue\u{1b}[0m");
        assert_eq!(Tone::Good.paint("True", false), "True");
        assert_eq!(Tone::Plain.paint("True", true), "True");
        assert_eq!(Tone::Bad.paint("", true), "");
    }
}
