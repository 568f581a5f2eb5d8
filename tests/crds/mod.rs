//! The definitions: what they refuse, how they are written, and how they may change.

mod compatibility;
mod current;
mod lint;
mod narrowing;
mod rules;
mod table;
