//! Governs where customer data may go.

pub mod api;
