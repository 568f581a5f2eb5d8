//! The kubectl plugin: `kubectl connections`.

use clap::Parser;
use connection_operator::plugin::{Arguments, Exit, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // One thread is enough for a program that waits for one answer after the other, and starts faster.
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(arguments)).into(),
        Err(error) => {
            eprintln!("This machine has no room for another program: {error}.");
            Exit::Unclear.into()
        }
    }
}
