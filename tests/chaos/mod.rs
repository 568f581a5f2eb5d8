//! Any order, any interruption: the same end.

mod crash;
mod leadership;
mod order;
mod settled;
mod steps;
