//! A terminal without a window: a program runs in it, somebody types, and what it shows can be read like a picture.

use super::PATIENCE;
use rexpect::process::{PtyProcess, WaitStatus};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;
use vt100::Parser;

/// How many lines it has.
const ROWS: u16 = 120;
/// A program may ask where the cursor is.
const WHERE: &[u8] = b"\x1b[6n";

/// What was shown so far, and whether there will be more.
struct Shown {
    parser: Parser,
    ended: bool,
}

/// A terminal with a program in it.
pub struct Terminal {
    process: PtyProcess,
    keys: File,
    shown: Arc<(Mutex<Shown>, Condvar)>,
}

/// Keys that are no letters.
#[derive(Clone, Copy)]
pub enum Key {
    Enter,
    Down,
    Escape,
    ControlC,
}

impl Terminal {
    /// Runs a program in a terminal so wide.
    pub fn running(program: &Command, columns: u16) -> Self {
        // Its size is set before the program can ask for it.
        let mut shell = Command::new("sh");
        let script = format!("stty rows {ROWS} cols {columns} && exec \"$@\"");
        shell
            .args(["-c", &script, "sh"])
            .arg(program.get_program())
            .args(program.get_args());
        for (name, value) in program.get_envs() {
            shell.env(name, value.expect("none is taken away"));
        }
        shell.env("TERM", "xterm-256color").env_remove("NO_COLOR");
        let process = PtyProcess::new(shell).expect("it starts");
        let keys = process.get_file_handle().expect("a handle");
        let parser = Parser::new(size(ROWS), size(columns), 1000);
        let shown = Arc::new((Mutex::new(Shown { parser, ended: false }), Condvar::new()));
        let (from, replies) = (
            keys.try_clone().expect("a handle"),
            keys.try_clone().expect("a handle"),
        );
        let to = Arc::clone(&shown);
        thread::spawn(move || follow(from, replies, &to));
        Self { process, keys, shown }
    }

    /// Waits until a text is on the screen, and tells all that is.
    pub fn until(&self, text: &str) -> String {
        self.until_screen(text, |screen| words(screen).contains(&words(text)))
    }

    /// Waits until the screen is as described.
    pub fn until_screen(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        let (shown, more) = &*self.shown;
        let mut shown = shown.lock().expect("it is whole");
        loop {
            let screen = shown.parser.screen().contents();
            if holds(&screen) {
                return screen;
            }
            let left = PATIENCE.saturating_sub(started.elapsed());
            assert!(
                !shown.ended && !left.is_zero(),
                "it never shows {what:?}:\n{screen}"
            );
            shown = more.wait_timeout(shown, left).expect("it is whole").0;
        }
    }

    /// Types letters.
    pub fn types(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).expect("it reads");
    }

    /// Pastes a text as a terminal does that tells programs of it, once this one wants to be told.
    pub fn pastes(&mut self, text: &str) {
        let started = Instant::now();
        let (shown, more) = &*self.shown;
        let mut shown = shown.lock().expect("it is whole");
        while !shown.parser.screen().bracketed_paste() {
            let left = PATIENCE.saturating_sub(started.elapsed());
            assert!(
                !shown.ended && !left.is_zero(),
                "it never wants to be told of pastes"
            );
            shown = more.wait_timeout(shown, left).expect("it is whole").0;
        }
        drop(shown);
        let carried = text.replace('\n', "\r"); // what terminals make of it
        self.types(&format!("\x1b[200~{carried}\x1b[201~"));
    }

    /// Whether the program is told of pastes now.
    pub fn tells_of_pastes(&self) -> bool {
        let shown = self.shown.0.lock().expect("it is whole");
        shown.parser.screen().bracketed_paste()
    }

    /// Presses a key.
    pub fn presses(&mut self, key: Key) {
        self.types(match key {
            Key::Enter => "\r",
            Key::Down => "\x1b[B",
            Key::Escape => "\x1b",
            Key::ControlC => "\x03",
        });
    }

    /// Waits for a question, and answers it.
    pub fn answers(&mut self, question: &str, answer: &str) {
        self.until(question);
        self.types(answer);
        self.presses(Key::Enter);
    }

    /// Waits until a question that refused an answer is asked again with it, and answers otherwise. Keys that come before
    /// are the terminal's own, which takes nothing back.
    pub fn retypes(&mut self, question: &str, refused: &str, answer: &str) {
        self.until_screen(question, |screen| {
            let asked = format!("{question} {refused}");
            let mut lines = screen.lines().filter(|line| line.contains(&asked));
            lines.any(|line| line.starts_with('?'))
        });
        self.types(&"\x7f".repeat(refused.chars().count()));
        self.types(answer);
        self.presses(Key::Enter);
    }

    /// Waits for a choice, and takes the one so far down.
    pub fn chooses(&mut self, question: &str, down: usize) {
        self.until(question);
        for _ in 0..down {
            self.presses(Key::Down);
        }
        self.presses(Key::Enter);
    }

    /// Makes it wider or narrower.
    pub fn resize(&mut self, columns: u16) {
        let wanted = Winsize {
            ws_row: ROWS,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&self.keys, wanted).expect("it is a terminal");
        let mut shown = self.shown.0.lock().expect("it is whole");
        shown.parser.set_size(size(ROWS), size(columns));
    }

    /// Waits until the program ends; tells its exit code, and what is on the screen then.
    pub fn ends(self) -> (i32, String) {
        let (shown, more) = &*self.shown;
        let waited = {
            let shown = shown.lock().expect("it is whole");
            more.wait_timeout_while(shown, PATIENCE, |shown| !shown.ended)
        };
        let shown = waited.expect("it is whole").0;
        let screen = shown.parser.screen().contents();
        assert!(shown.ended, "it never ends:\n{screen}");
        match self.process.wait().expect("it ends") {
            WaitStatus::Exited(_, code) => (code, screen),
            status => panic!("it ends by itself: {status:?}"),
        }
    }
}

/// Takes in what the program shows, until it ends.
fn follow(mut from: File, mut replies: File, shown: &(Mutex<Shown>, Condvar)) {
    let (shown, more) = shown;
    let mut bytes = [0; 4096];
    loop {
        // A terminal that nobody has open any more is an error. The last bytes may come between the kernel's look for bytes and its
        // look for whoever has it open: then the second reading gets them.
        let count = from.read(&mut bytes).or_else(|_| from.read(&mut bytes));
        let count = count.unwrap_or(0);
        let mut shown = shown.lock().expect("it is whole");
        shown.parser.process(&bytes[..count]);
        if bytes[..count].windows(WHERE.len()).any(|part| part == WHERE) {
            let (row, column) = shown.parser.screen().cursor_position();
            let reply = format!("\x1b[{};{}R", row + 1, column + 1);
            replies.write_all(reply.as_bytes()).expect("it reads");
        }
        shown.ended = count == 0;
        more.notify_all();
        if count == 0 {
            return;
        }
    }
}

fn size(of: u16) -> NonZeroU16 {
    NonZeroU16::new(of).expect("more than none")
}

/// The words, however they are broken into lines.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
