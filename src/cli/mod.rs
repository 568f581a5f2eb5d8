//! Commands for people and pipelines.

pub mod consent;
