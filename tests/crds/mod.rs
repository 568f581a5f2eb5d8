//! The definitions: what they refuse, how they are written, and how they may change.

mod compatibility;
mod current;
mod lint;
mod rules;
mod table;
