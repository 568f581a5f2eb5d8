//! What people experience, told from their side.

mod connections;
