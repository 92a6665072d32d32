//! Lines to read instead of a screen: the same decisions, the same questions, and nothing but text on the terminal.
#![cfg(feature = "tui")]

#[path = "support/pty.rs"]
mod pty;

use std::time::Duration;

use pty::Pty;
use rustix::process::Signal;

/// A demo whose CI pushes nothing while a test runs.
const STILL: [&str; 3] = ["demo", "--interval", "1h"];
/// A dialog drops keys for 300 ms after it was shown.
const GUARD: Duration = Duration::from_millis(400);

/// A demo with its updates read, on a terminal with room for all that is written.
fn demo(arguments: &[&str], variables: &[(&str, &str)]) -> Pty {
    let mut pty = Pty::start_with(130, 400, &[&STILL, arguments].concat(), variables);
    pty.wait("Plain mode.").wait("#1 [ ] flux-system/checkout-api");
    pty.settle(Duration::from_millis(500));
    pty
}

/// Fails if anything but text was written: sequences, boxes, spinners.
fn assert_only_lines(pty: &Pty) {
    let text = String::from_utf8_lossy(&pty.bytes);
    let drawn =
        |c: char| (c.is_control() && !matches!(c, '\r' | '\n')) || ('\u{2500}'..='\u{259f}').contains(&c);
    let found: Vec<char> = text.chars().filter(|c| drawn(*c)).collect();
    assert!(found.is_empty(), "{found:?} in\n{text}");
}

#[test]
fn approved_planned_and_pushed_line_by_line() {
    let mut pty = demo(&["--plain"], &[]);
    pty.send("space\n").wait("> #1 [x] flux-system/checkout-api");
    pty.send("plan\n").wait("› Plan").wait("1 commit");
    pty.send("push\n").wait("Push 1 commit?").wait("Branch   image-updates   (new)");
    std::thread::sleep(GUARD);
    pty.send("y\n").wait("pushed 1 commit").wait("the remote now reports").wait("#1 copy the commit id");
    pty.settle(Duration::from_millis(500));
    pty.send("quit\n");
    assert_eq!(pty.end(), 0);
    assert_only_lines(&pty);
    pty.assert_handed_back();
}

#[test]
fn a_dumb_terminal_and_a_person_who_says_so_get_lines() {
    for variable in [("TERM", "dumb"), ("SUPERCARGO_ACCESSIBLE", "1")] {
        let mut pty = demo(&[], &[variable]);
        pty.send("#3\n").wait("> #3 [ ] flux-system/podinfo");
        pty.send("approve\n").wait("> #3 [x] flux-system/podinfo");
        pty.send("frobnicate\n").wait("no action is called frobnicate");
        // The end of the input is ctrl-c, which asks first.
        pty.send("\x04").wait("Leave?").send("y\n");
        assert_eq!(pty.end(), 0);
        assert_only_lines(&pty);
        pty.assert_handed_back();
    }
}

#[test]
fn a_yes_that_was_typed_ahead_pushes_nothing_and_enter_is_none() {
    let mut pty = demo(&["--plain"], &[]);
    pty.send("space\n").wait("#1 [x]").send("p\ny\n\n").wait("Push 1 commit?");
    pty.settle(Duration::from_millis(700));
    pty.send("\n").wait_until("the question twice", |text| text.matches("Push 1 commit?").count() >= 2);
    pty.settle(Duration::from_millis(300));
    assert!(!pty.text().contains("pushing"), "{}", pty.text());
    pty.send("n\n").wait_until("the list again", |text| text.matches("DEC POLICY").count() >= 2);
    assert_eq!(pty.signal(Signal::TERM).end(), 143);
    pty.assert_handed_back();
}

#[test]
fn ctrl_c_and_stopping_are_what_they_are_on_a_screen() {
    let mut pty = demo(&["--plain"], &[]);
    pty.send("#2\n").wait("> #2 [ ] flux-system/mysql").send("hold\n").wait("Hold flux-system/mysql?");
    pty.send("too new\n").wait("held to").wait("too new");
    pty.send("\x03");
    assert_eq!(pty.end(), 0);
    assert_only_lines(&pty);
    pty.assert_handed_back();
}
