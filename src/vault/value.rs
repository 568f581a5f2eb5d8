//! Texts that must not be seen: wiped from memory when they are let go, and never printed.

use zeroize::Zeroizing;

/// A secret text. It has neither `Debug` nor `Display`, so nothing can print it by accident, and its memory is overwritten
/// when the last owner lets it go.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes the text over; the caller keeps no copy.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Zeroizing<String>> for SecretText {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

/// A secret's value, for as long as the call that needs it.
pub struct Value {
    /// The version that was read; empty where the vault keeps none.
    pub version: String,
    /// The value.
    pub text: SecretText,
}
