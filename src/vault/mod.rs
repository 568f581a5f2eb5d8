//! How the operator looks at secrets that stay in somebody else's vault.
//!
//! Pure: [`address`] (what a vault's address may be, and who is looking), [`reach`] (where the operator may connect to at
//! all), [`fault`] (why a secret can't be used), [`budget`] (when a vault is asked), [`sight`] (what is known of a
//! secret), [`value`] (what must not be seen).
//! I/O: [`connect`] (the one transport, which both clients are given), `azure` and `hashicorp` (what each provider
//! answers), [`run_tokens`] (what vaults need of the cluster), [`counts`], [`vaults`] (who follows what).

pub mod address;
mod azure;
pub mod budget;
pub mod connect;
pub mod counts;
pub mod fault;
mod hashicorp;
pub mod reach;
pub mod run_tokens;
pub mod sight;
pub mod value;
pub mod vaults;
