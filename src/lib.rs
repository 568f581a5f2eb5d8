//! Governs where customer data may go.
