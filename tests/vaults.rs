//! What the operator sees of vaults, told by the adapters themselves: against stand-ins that answer as the vendors document.

#![expect(clippy::expect_used, reason = "a test that can't go on fails")]

#[path = "vaults/azure.rs"]
mod azure;
#[path = "vaults/faults.rs"]
mod faults;
#[path = "vaults/hashicorp.rs"]
mod hashicorp;
#[path = "vaults/page.rs"]
mod page;
#[path = "vaults/rusty.rs"]
mod rusty;
#[path = "vaults/seat.rs"]
mod seat;
#[path = "vaults/shared.rs"]
mod shared;
#[path = "vaults/unseen.rs"]
mod unseen;
