//! What the screen costs between a key and its frame: `cargo bench --bench screen`.
//!
//! The scenario `fleet` of the tests, whose largest repository gets a hundred thousand tags more; drawn into a buffer and
//! compared with the frame before, as for a terminal. No bytes are made or sent.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

#[path = "../tests/support/fleet.rs"]
mod fleet;

use divan::Bencher;
use fleet::Screen;
use ratatui::buffer::Buffer;
use supercargo::app::keymap::Key;
use supercargo::app::message::Msg;
use supercargo::theme::{Depth, Theme};

const TAGS: u64 = 100_000;

fn main() {
    divan::main();
}

/// A screen, the frame that was drawn last, and what changed for it.
struct Shown {
    screen: Screen,
    frame: Buffer,
    changed: usize,
    theme: Theme,
}

impl Shown {
    fn of(screen: Screen) -> Self {
        let theme = Theme::shipped("default-dark", Depth::True).unwrap();
        let frame = screen.drawn(&theme, false);
        Self { screen, changed: frame.content.len(), frame, theme }
    }

    /// S3 with a hundred thousand tags, the cursor in the middle of the candidates.
    fn tags((width, height): (u16, u16)) -> Self {
        let mut screen = Screen::closed(width, height);
        let tag = |number: u64| {
            format!("main-{:07x}-{}", number * 2_654_435_761 % (1 << 28), 1_700_000_000 + number * 61)
        };
        screen.add_tags("shop/checkout-api", (0..TAGS).map(tag));
        screen.open();
        screen.keys("2 G k enter");
        screen.state.tags.list.go_to_index(50_000);
        Self::of(screen)
    }

    fn draw(&mut self) {
        let frame = self.screen.drawn(&self.theme, false);
        self.changed = divan::black_box(self.frame.diff(&frame).len());
        self.frame = frame;
    }

    fn press(&mut self, key: &str) {
        self.screen.send(Msg::Key(key.parse::<Key>().unwrap()));
        self.draw();
    }
}

/// The frame that is shown before anything was read.
#[divan::bench(args = [(80, 24), (120, 40), (200, 60)])]
fn first_frame(bencher: Bencher, size: (u16, u16)) {
    bencher.with_inputs(|| Screen::closed(size.0, size.1)).bench_local_values(Shown::of);
}

/// A key that moves the cursor: down, a page, to the ends. The preview stands still meanwhile.
#[divan::bench(args = ["down", "pgdn", "G", "g"])]
fn move_to_frame(bencher: Bencher, key: &str) {
    let mut shown = Shown::tags((120, 40));
    bencher.bench_local(|| shown.press(key));
}

/// The preview once it follows the cursor: every step of why a tag is what it is.
#[divan::bench(args = [(80, 24), (120, 40), (200, 60)])]
fn preview_to_frame(bencher: Bencher, size: (u16, u16)) {
    let mut shown = Shown::tags(size);
    bencher.bench_local(|| {
        shown.press("down");
        shown.screen.state.settle_preview();
        shown.draw();
    });
}

/// Keys that look at every tag: matching only and all again, the order turned around, a filter's first letter.
#[divan::bench(args = ["M", "O"])]
fn all_rows_to_frame(bencher: Bencher, key: &str) {
    let mut shown = Shown::tags((120, 40));
    bencher.bench_local(|| shown.press(key));
}

/// A letter typed into the filter, and taken back.
#[divan::bench(args = ["7", "~", "!"])]
fn filter_to_frame(bencher: Bencher, letter: &str) {
    let mut shown = Shown::tags((120, 40));
    shown.press("/");
    shown.press("a");
    bencher.bench_local(|| {
        shown.press(letter);
        shown.press("backspace");
    });
}

/// A letter typed into the field that finds anything, and taken back; the search, which a worker makes, included.
#[divan::bench]
fn find_to_frame(bencher: Bencher) {
    let mut shown = Shown::tags((120, 40));
    for key in ["ctrl-p", "m", "a", "9"] {
        shown.press(key);
    }
    bencher.bench_local(|| {
        shown.press("1");
        shown.press("backspace");
    });
}

/// From S3 to another view and back.
#[divan::bench]
fn view_to_frame(bencher: Bencher) {
    let mut shown = Shown::tags((120, 40));
    bencher.bench_local(|| {
        shown.press("?");
        shown.press("esc");
    });
}
