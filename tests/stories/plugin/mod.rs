//! `kubectl connections`, the real program, as each kind of user.

mod listing;
mod person;

use person::Person;
