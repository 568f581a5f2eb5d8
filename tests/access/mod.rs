//! Who may do what: the whole matrix of rights, and what people try beside it.

mod attempts;
mod markdown;
mod matrix;
mod race;
mod scene;
mod secrecy;
mod words;
