//! The example's repository, synced by two pipelines again and again while people change things.

mod actor;
mod consent;
mod limits;
mod owners;
mod removal;
mod repository;
mod withdrawal;
