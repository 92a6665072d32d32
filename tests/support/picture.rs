//! A drawn screen as an SVG, for the README: each run of cells is a text that is as wide as its cells.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![allow(unreachable_pub, reason = "included as a module")]

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// What a cell of the fonts below is wide at this size: some renderers know no `textLength`.
const WIDTH: f32 = 8.43;
const HEIGHT: f32 = 18.0;
const MARGIN: f32 = 12.0;
const FOREGROUND: &str = "#d8dee9";
const BACKGROUND: &str = "#15181e";

/// The picture of `buffer`.
pub fn svg(buffer: &Buffer) -> String {
    let (columns, rows) = (f32::from(buffer.area.width), f32::from(buffer.area.height));
    let (width, height) = (columns * WIDTH + 2.0 * MARGIN, rows * HEIGHT + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"14\">\n\
         <title>The dashboard of supercargo</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n"
    );
    for y in 0..buffer.area.height {
        for (x, text, look) in runs(buffer, y) {
            run(&mut svg, (x, y), &text, &look);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// How a run of cells looks.
#[derive(PartialEq, Eq)]
struct Look {
    foreground: String,
    background: String,
    is_bold: bool,
    is_italic: bool,
    is_underlined: bool,
}

impl Look {
    fn of(cell: &Cell) -> Self {
        let mut foreground = colour(cell.fg, FOREGROUND);
        let mut background = colour(cell.bg, BACKGROUND);
        if cell.modifier.contains(Modifier::REVERSED) {
            std::mem::swap(&mut foreground, &mut background);
        }
        Self {
            foreground,
            background,
            is_bold: cell.modifier.contains(Modifier::BOLD),
            is_italic: cell.modifier.contains(Modifier::ITALIC),
            is_underlined: cell.modifier.contains(Modifier::UNDERLINED),
        }
    }
}

/// The shipped themes name colours by value; what they leave to the terminal is the picture's own.
fn colour(colour: Color, own: &str) -> String {
    match colour {
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        _ => own.to_owned(),
    }
}

/// The cells of a row that look alike, with the column each run begins at.
fn runs(buffer: &Buffer, y: u16) -> Vec<(u16, String, Look)> {
    let mut runs: Vec<(u16, String, Look)> = Vec::new();
    for x in 0..buffer.area.width {
        let cell = &buffer[(x, y)];
        let look = Look::of(cell);
        match runs.last_mut() {
            Some((_, text, last)) if *last == look => text.push_str(cell.symbol()),
            _ => runs.push((x, cell.symbol().to_owned(), look)),
        }
    }
    runs
}

fn run(svg: &mut String, (x, y): (u16, u16), text: &str, look: &Look) {
    let cells = f32::from(u16::try_from(text.chars().count()).unwrap());
    let (left, top) = (f32::from(x) * WIDTH + MARGIN, f32::from(y) * HEIGHT + MARGIN);
    if look.background != BACKGROUND {
        let (width, fill) = (cells * WIDTH, &look.background);
        writeln!(
            svg,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{HEIGHT}\" fill=\"{fill}\"/>"
        )
        .unwrap();
    }
    let mut style = String::new();
    for (is_so, attribute) in [
        (look.is_bold, " font-weight=\"bold\""),
        (look.is_italic, " font-style=\"italic\""),
        (look.is_underlined, " text-decoration=\"underline\""),
    ] {
        if is_so {
            style.push_str(attribute);
        }
    }
    for (at, word) in words(text) {
        let cells = f32::from(u16::try_from(word.chars().count()).unwrap());
        let (x, width) = (left + f32::from(at) * WIDTH, cells * WIDTH);
        let (y, fill) = (top + 13.5, &look.foreground);
        let escaped = word.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{width:.1}\" fill=\"{fill}\"{style}>{escaped}</text>"
        )
        .unwrap();
    }
}

/// The parts of a text between two blanks or more, each with the cell it begins at: a renderer that folds blanks, or
/// whose font is narrower, keeps the columns all the same.
fn words(text: &str) -> Vec<(u16, String)> {
    let mut words: Vec<(u16, String)> = Vec::new();
    let mut blanks = 2_usize;
    for (at, c) in (0..).zip(text.chars()) {
        match (c, blanks, words.last_mut()) {
            (' ', ..) => blanks += 1,
            (c, 0..=1, Some((_, word))) => {
                word.extend(std::iter::repeat_n(' ', blanks));
                word.push(c);
                blanks = 0;
            }
            (c, ..) => {
                words.push((at, c.to_string()));
                blanks = 0;
            }
        }
    }
    words
}
