//! `kubectl connections`, the real program, as each kind of user.

mod agreeing;
mod dialogues;
mod listing;
mod making;
mod managing;
mod person;

use person::Person;
