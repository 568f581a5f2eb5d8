//! Patterns that people write, made ready within bounds: of memory while they are kept, and of what a search leaves.

use regex_automata::Input;
use regex_automata::meta::{BuildError, Builder, Config, Regex};
use regex_automata::nfa::thompson::WhichCaptures;

/// Most memory that all patterns of a type may take together, in bytes: whoever may write types can write hundreds.
pub(super) const MEMORY_MAX: usize = 1 << 17;
/// Most that one pattern may take of it, in bytes. A search takes a step for each part of the pattern at each character:
/// with this much, 7 ms for the longest value, 1,000 characters (one core of a small machine, built for release).
const PATTERN_MEMORY_MAX: usize = 1 << 16;

const UNREADABLE: &str = "is no regular expression of the Rust crate regex: correct it";
const TOO_LARGE: &str = "takes too much memory: make its repetitions smaller";
const TOO_MUCH: &str =
    "takes too much memory together with those before it: make the repetitions of some smaller";

/// A pattern made ready to match the whole text and not a part of it.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Regex);

impl Pattern {
    /// Takes its memory from what is left for the type.
    pub fn within(left: &mut usize, pattern: &str) -> Result<Self, &'static str> {
        // By itself first: `a)|(b` would only be readable inside the group, and then match parts.
        regex_syntax::Parser::new()
            .parse(pattern)
            .map_err(|_| UNREADABLE)?;
        let too_large = if *left < PATTERN_MEMORY_MAX {
            TOO_MUCH
        } else {
            TOO_LARGE
        };
        let bounds = Config::new()
            .nfa_size_limit(Some(PATTERN_MEMORY_MAX.min(*left)))
            // Pays off for who keeps what a search has found out about the pattern, and searches long texts.
            .hybrid(false)
            // Each is built for good and apart from the limits above, and no search here asks for groups.
            .onepass(false)
            .dfa(false)
            .which_captures(WhichCaptures::Implicit);
        let built = Builder::new()
            .configure(bounds)
            .build(&format!(r"\A(?:{pattern})\z"));
        let explained = |error: BuildError| error.size_limit().map_or(UNREADABLE, |_| too_large);
        let ready = built.map_err(explained)?;
        *left = left.checked_sub(ready.memory_usage()).ok_or(too_large)?;
        Ok(Self(ready))
    }

    /// Whether it matches the text. What the search remembers on the way goes with it: kept for the next one, as is
    /// usual, it would be held by every pattern that was ever asked, for as long as its type is there.
    pub fn matches(&self, text: &str) -> bool {
        let mut cache = self.0.create_cache();
        let found = self
            .0
            .search_half_with(&mut cache, &Input::new(text).earliest(true));
        found.is_some()
    }

    /// Memory that it takes while it is kept, in bytes.
    #[cfg(test)]
    pub fn memory(&self) -> usize {
        self.0.memory_usage()
    }
}
