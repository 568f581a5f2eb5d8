//! Any order, any interruption: the same end.

mod crash;
mod order;
mod settled;
mod steps;
