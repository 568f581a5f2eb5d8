//! `kubectl connections`, the real program, as each kind of user.

mod agreeing;
mod dialogues;
mod editing;
mod interrupting;
mod keys;
mod listing;
mod looking;
mod making;
mod managing;
mod person;
mod removing;
mod running;
mod vaulting;

use person::Person;
