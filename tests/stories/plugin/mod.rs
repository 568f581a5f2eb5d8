//! `kubectl connections`, the real program, as each kind of user.

mod agreeing;
mod listing;
mod managing;
mod person;

use person::Person;
