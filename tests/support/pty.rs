//! The program in a terminal of its own: keys in, the screen and the bytes out.

#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]
#![allow(unreachable_pub, reason = "included as a module by several test files")]
#![allow(missing_docs, reason = "names of helpers that say what they do")]

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long anything may take on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a person waits for before the next key.
#[derive(Debug, Clone, Copy)]
pub enum Shows<'a> {
    /// This text.
    Text(&'a str),
    /// That this text is gone.
    NoMore(&'a str),
    /// The cursor's mark in this row of the screen.
    CursorOn(usize),
}

pub struct Pty {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// Everything the program has written.
    pub bytes: Vec<u8>,
    /// How many keys were pressed, typed text not counted.
    pub keys: usize,
    started: Instant,
    /// From the start of the process to its first byte.
    pub first_byte: Option<Duration>,
    settings: String,
    folder: TempDir,
}

fn cells(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

impl Pty {
    /// Starts `supercargo` with `arguments` in a terminal of this size, with folders of its own.
    pub fn start(columns: u16, rows: u16, arguments: &[&str]) -> Self {
        Self::start_with(columns, rows, arguments, &[])
    }

    pub fn start_with(columns: u16, rows: u16, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_supercargo"));
        command.args(arguments);
        Self::run(columns, rows, command, variables)
    }

    /// Starts a shell with `line`, in which `$SUPERCARGO` is the program: for streams that are no terminal.
    pub fn shell(columns: u16, rows: u16, line: &str, variables: &[(&str, &str)]) -> Self {
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", line]);
        let program = ("SUPERCARGO", env!("CARGO_BIN_EXE_supercargo"));
        Self::run(columns, rows, command, &[variables, &[program]].concat())
    }

    fn run(columns: u16, rows: u16, mut command: CommandBuilder, variables: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        for name in ["tmp", "home"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        command.env_clear();
        command.cwd(folder.path());
        command.env("TMPDIR", folder.path().join("tmp"));
        command.env("HOME", folder.path().join("home"));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let usual = [("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("LANG", "C.UTF-8")];
        for (name, value) in usual.iter().chain(variables) {
            command.env(name, value);
        }
        let settings = settings(pair.master.as_ref());
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (send, output) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if send.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            keyboard: pair.master.take_writer().unwrap(),
            master: pair.master,
            output,
            screen: vt100::Parser::new(cells(rows), cells(columns), 0),
            bytes: Vec::new(),
            keys: 0,
            started,
            first_byte: None,
            settings,
            folder,
        }
    }

    /// The folder for temporary files that the program was given.
    pub fn temporary(&self) -> std::path::PathBuf {
        self.folder.path().join("tmp")
    }

    pub fn screen(&self) -> &vt100::Screen {
        self.screen.screen()
    }

    pub fn text(&self) -> String {
        self.screen().contents()
    }

    fn take(&mut self, bytes: &[u8]) {
        self.first_byte.get_or_insert_with(|| self.started.elapsed());
        self.screen.process(bytes);
        self.bytes.extend_from_slice(bytes);
    }

    /// Waits until the screen shows `wanted`.
    pub fn wait(&mut self, wanted: &str) -> &mut Self {
        self.wait_until(wanted, |text| text.contains(wanted))
    }

    pub fn wait_until(&mut self, what: &str, is_there: impl Fn(&str) -> bool) -> &mut Self {
        let end = Instant::now() + PATIENCE;
        while !is_there(&self.text()) {
            let bytes = self.output.recv_timeout(end.saturating_duration_since(Instant::now()));
            assert!(bytes.is_ok(), "waited for {what:?}; the screen shows\n{}", self.text());
            self.take(&bytes.unwrap());
        }
        self
    }

    /// Takes what the program writes until it has been silent for `silence`; returns how many bytes that was.
    pub fn settle(&mut self, silence: Duration) -> usize {
        let before = self.bytes.len();
        while let Ok(bytes) = self.output.recv_timeout(silence) {
            self.take(&bytes);
        }
        self.bytes.len() - before
    }

    /// The bytes of each frame since the program had written `from` bytes. What stands between two frames with marks
    /// is a frame too: one that is drawn in one go has none.
    pub fn frames(&self, from: usize) -> Vec<usize> {
        const BEGIN: &[u8] = b"\x1b[?2026h";
        const END: &[u8] = b"\x1b[?2026l";
        let bytes = &self.bytes[from..];
        let is_edge = |at: usize| bytes[at..].starts_with(BEGIN) || bytes[..at].ends_with(END);
        let edges: Vec<usize> =
            [0].into_iter().chain((1..bytes.len()).filter(|at| is_edge(*at))).chain([bytes.len()]).collect();
        edges.windows(2).map(|pair| pair[1] - pair[0]).filter(|bytes| *bytes > 0).collect()
    }

    /// Presses a key, waits for what it has to show, and takes what follows until `silence`; returns the bytes of each
    /// frame.
    pub fn frames_of(&mut self, key: &str, shows: &Shows<'_>, silence: Duration) -> Vec<usize> {
        let from = self.bytes.len();
        self.send(key).see(shows).settle(silence);
        self.frames(from)
    }

    /// Waits for what a key has to show.
    pub fn see(&mut self, shows: &Shows<'_>) -> &mut Self {
        match shows {
            Shows::Text(text) => self.wait(text),
            Shows::NoMore(text) => self.wait_until(&format!("no {text}"), |shown| !shown.contains(text)),
            Shows::CursorOn(row) => self.wait_until(&format!("the cursor on row {row}"), |shown| {
                shown.lines().nth(*row).is_some_and(|line| line.starts_with('▌'))
            }),
        }
    }

    /// The row of the screen that the cursor's mark stands in.
    pub fn cursor_row(&self) -> Option<usize> {
        self.text().lines().position(|line| line.starts_with('▌'))
    }

    /// Presses one key, given as the bytes that a terminal sends for it.
    pub fn press(&mut self, key: &str) -> &mut Self {
        self.keys += 1;
        self.send(key)
    }

    /// Sends text, which counts no keys.
    pub fn send(&mut self, text: &str) -> &mut Self {
        self.keyboard.write_all(text.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
        self
    }

    pub fn resize(&mut self, columns: u16, rows: u16) -> &mut Self {
        self.master.resize(size(columns, rows)).unwrap();
        self.screen.screen_mut().set_size(cells(rows), cells(columns));
        self
    }

    pub fn signal(&mut self, signal: Signal) -> &mut Self {
        let id = self.child.process_id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)).unwrap();
        kill_process(id, signal).unwrap();
        self
    }

    /// Waits for the end of the program; returns its exit status.
    pub fn end(&mut self) -> u32 {
        let end = Instant::now() + PATIENCE;
        loop {
            self.settle(Duration::from_millis(1));
            if let Some(status) = self.child.try_wait().unwrap() {
                self.settle(Duration::from_millis(20));
                return status.exit_code();
            }
            assert!(Instant::now() < end, "still running; the screen shows\n{}", self.text());
        }
    }

    /// Fails unless the terminal is as it was and nothing was left behind.
    pub fn assert_handed_back(&self) {
        let screen = self.screen();
        assert!(!screen.alternate_screen(), "alternate screen");
        assert!(!screen.hide_cursor(), "hidden cursor");
        assert!(!screen.bracketed_paste(), "bracketed paste");
        assert_eq!(settings(self.master.as_ref()), self.settings, "terminal settings");
        assert_eq!(entries(&self.temporary()), Vec::<String>::new(), "left in the temporary directory");
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // A test that failed must not leave its program running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn settings(master: &dyn MasterPty) -> String {
    let settings = master.get_termios().unwrap();
    format!("{:?} {:?} {:?}", settings.input_flags, settings.output_flags, settings.local_flags)
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}
