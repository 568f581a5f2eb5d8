//! Does nothing until it is told to end. A pod's first process has to ask for the signal: by default it gets none.

use nix::sys::signal::{SigSet, Signal};

fn main() -> nix::Result<()> {
    let mut ends = SigSet::empty();
    ends.add(Signal::SIGTERM);
    ends.add(Signal::SIGINT);
    ends.thread_block()?;
    ends.wait().map(drop)
}
