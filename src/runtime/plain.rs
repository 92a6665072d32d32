//! The plain mode: the same state and views for people who hear what is written, and for terminals that only print.
//!
//! A line that is typed is a key of the table of actions, a name of the palette, a row's number, or the text that is asked
//! for. What it changes is written below, line by line, and so is what workers find; nothing that was written is touched
//! again. The terminal stays as it is: it echoes, edits and hands over whole lines.

use std::io::{self, Write};
use std::mem::{Discriminant, discriminant};

use super::input::{Input, Parser};
use crate::app::keymap::{Key, KeyCode};
use crate::app::layout::Size;
use crate::app::message::Msg;
use crate::app::pointer::Spot;
use crate::app::state::{Overlay, State};
use crate::app::view::{Context, View};
use crate::text::Shown;
use crate::views::{self, Look, Text, TextLine};

/// As wide and as high as what is written at once: a line is heard whole, and help is one page.
pub(super) const SIZE: Size = Size { width: 120, height: 100 };

/// What a newcomer is told.
const WELCOME: &str = "Plain mode. Type a key or the name of an action, then Enter; #2 goes to row 2. ? lists keys, an empty line \
                       reads again, <esc> is the key Esc.";

/// What is in front: where it is another, all of it is written.
type Place = (View, Context, Option<Discriminant<Overlay>>);

/// A line that was written.
#[derive(Debug, PartialEq, Eq)]
struct Known {
    /// What makes it another.
    text: String,
    /// Whether it was the one under the cursor.
    here: bool,
    /// Whether it was a row.
    is_row: bool,
}

/// How far the answer to the last line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Turn {
    /// A line came.
    Asked,
    /// What it changed was written.
    #[default]
    Answered,
    /// After that it was told that the list has changed, too; once is enough.
    Told,
}

/// What was written, and what was typed and is no whole line yet.
#[derive(Debug, Default)]
pub(super) struct Plain {
    typed: Vec<u8>,
    place: Option<Place>,
    lines: Vec<Known>,
    status: Option<String>,
    turn: Turn,
    /// Whether all of it is wanted again.
    again: bool,
    /// Whether a prompt stands at the end.
    prompted: bool,
}

impl Plain {
    /// The lines that are whole with these bytes, without their ends.
    pub(super) fn lines(&mut self, bytes: &[u8]) -> Vec<String> {
        self.typed.extend_from_slice(bytes);
        let Some(end) = self.typed.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let rest = self.typed.split_off(end + 1);
        let whole = std::mem::replace(&mut self.typed, rest);
        (self.turn, self.prompted) = (Turn::Asked, false);
        String::from_utf8_lossy(&whole).lines().map(str::to_owned).collect()
    }

    /// Has all of it written again.
    pub(super) fn redraw(&mut self) {
        self.again = true;
    }

    /// Writes one line.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if std::mem::take(&mut self.prompted) {
            writeln!(out)?;
        }
        writeln!(out, "{text}")
    }

    /// Writes what is new in what the state shows.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn show(&mut self, state: &State, look: Look<'_>) -> io::Result<()> {
        let text = views::text(state, look);
        let place = (state.view(), state.context(), state.overlay.as_ref().map(discriminant));
        let is_first = self.place.is_none();
        let is_other = self.place.replace(place) != Some(place) || std::mem::take(&mut self.again);
        let asked = self.turn == Turn::Asked;
        if asked {
            self.turn = Turn::Answered;
        }
        let before = std::mem::replace(&mut self.lines, text.lines.iter().map(known).collect());
        let news = news(state, &text, &before, (is_other, asked), &mut self.turn);
        let said = state.status.as_ref().map(|status| Shown::new(&status.text).as_str().to_owned());
        let status = if self.status == said { None } else { said.clone() };
        self.status = said;
        let mut lines = Vec::new();
        lines.extend(is_first.then(|| WELCOME.to_owned()));
        lines.extend(is_other.then(|| closer(&text.title)));
        lines.extend(news);
        match status {
            Some(status) => lines.push(status),
            None if is_other && !text.status.is_empty() => lines.push(closer(&text.status)),
            None => {}
        }
        lines.extend((is_other && !text.hints.is_empty()).then(|| format!("Keys: {}", closer(&text.hints))));
        if asked && lines.is_empty() {
            lines.push("Nothing changed.".to_owned());
        }
        for line in lines {
            self.say(&line)?;
        }
        self.prompt(state.context().is_input())
    }

    fn prompt(&mut self, takes_text: bool) -> io::Result<()> {
        if std::mem::replace(&mut self.prompted, true) {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        write!(out, "{}", if takes_text { "text> " } else { "> " })?;
        out.flush()
    }
}

/// The lines that are to be written: all in another place, else those that were not there; in the background of a list that
/// it has changed.
fn news(
    state: &State,
    text: &Text,
    before: &[Known],
    (is_other, asked): (bool, bool),
    turn: &mut Turn,
) -> Vec<String> {
    // Where the cursor has left a row, only the one it came to is told.
    let is_new = |line: &&TextLine| {
        let new = known(line);
        !before.iter().any(|old| old.text == new.text && (old.here || !new.here))
    };
    let is_list = state.overlay.is_none() && before.iter().any(|line| line.is_row);
    if is_other {
        return text.lines.iter().map(spoken).collect();
    }
    // Until somebody types, rows are told as they come.
    if asked || !is_list || state.last_key.is_none() {
        return text.lines.iter().filter(is_new).map(spoken).collect();
    }
    let has_changed = *turn != Turn::Told && text.lines.iter().any(|line| is_new(&line));
    if has_changed {
        *turn = Turn::Told;
    }
    has_changed.then(|| "The list has changed; an empty line reads it.".to_owned()).into_iter().collect()
}

/// A line as it is written.
fn spoken(line: &TextLine) -> String {
    let mark = match (line.here, line.ranged) {
        (true, true) => ">+",
        (true, false) => ">",
        (false, true) => "+",
        (false, false) => " ",
    };
    match line.index {
        Some(index) => format!("{mark} #{} {}", index + 1, line.text.trim()),
        None => line.text.clone(),
    }
}

/// What makes a line another: times that pass do not.
fn known(line: &TextLine) -> Known {
    let spoken = spoken(&TextLine { here: false, ..line.clone() });
    let words: Vec<&str> = spoken.split_whitespace().collect();
    let is_number =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_time = |at: usize, word: &str| {
        let unit = word.trim_start_matches(|c: char| c.is_ascii_digit());
        let counts = is_number(word) && words.get(at + 1).is_some_and(|next| matches!(*next, "s" | "ms"));
        counts || unit != word && matches!(unit, "s" | "m" | "h" | "d")
    };
    let kept = words.iter().enumerate().filter(|(at, word)| !is_time(*at, word)).map(|(_, word)| *word);
    Known { text: kept.collect::<Vec<_>>().join(" "), here: line.here, is_row: line.index.is_some() }
}

/// A bar's text without the room between its parts.
fn closer(text: &str) -> String {
    text.split("  ").map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
}

/// What a line means where the keys are now; nothing for one that asks to hear it again.
///
/// # Errors
/// A sentence: it means nothing here.
pub(super) fn meaning(state: &State, line: &str) -> Result<Vec<Msg>, String> {
    let context = state.context();
    if line.starts_with(|c: char| c.is_control()) {
        return Ok(keys_of(line.as_bytes()));
    }
    if let Some(key) = line.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).and_then(key) {
        return Ok(vec![Msg::Key(key)]);
    }
    if context.is_input() {
        return Ok(written(context, line));
    }
    if line.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(number) = line.trim().strip_prefix('#') {
        let index = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        return index
            .map(|index| gone_to(context, index))
            .ok_or_else(|| format!("{number} is no number of a row"));
    }
    match key(line) {
        Some(key) => Ok(vec![Msg::Key(key)]),
        None if matches!(context, Context::View(_) | Context::Overlay) => {
            Ok(vec![Msg::Named(line.trim().to_owned())])
        }
        None => Err(format!(
            "no key is called {}; an empty line reads the question again",
            Shown::new(line).as_str()
        )),
    }
}

/// The keys that a terminal sends as these bytes.
fn keys_of(bytes: &[u8]) -> Vec<Msg> {
    let mut parser = Parser::default();
    let mut inputs = parser.feed(bytes);
    inputs.extend(parser.give_up());
    let keys = inputs.into_iter().filter_map(|input| match input {
        Input::Key(key) => Some(Msg::Key(key)),
        Input::Paste(_) | Input::Answer(_) | Input::Mouse(_) => None,
    });
    keys.collect()
}

/// The key of this name, in any case where it is more than a letter; blanks alone are the space bar.
fn key(line: &str) -> Option<Key> {
    if !line.is_empty() && line.trim().is_empty() {
        return Some(Key::char(' '));
    }
    let name = line.trim();
    name.parse().or_else(|_unknown| name.to_lowercase().parse()).ok()
}

/// A line of text in the place of what stands in the field, and Enter; in help, which is searched, without.
fn written(context: Context, line: &str) -> Vec<Msg> {
    let enter = Msg::Key(Key::plain(KeyCode::Enter));
    let text = [Msg::Key(Key::ctrl('a')), Msg::Key(Key::ctrl('k')), Msg::Paste(line.to_owned())];
    match (line.is_empty(), context) {
        (true, Context::View(View::Help)) => Vec::new(),
        (true, _) => vec![enter],
        (false, Context::View(View::Help)) => text.into(),
        (false, _) => text.into_iter().chain([enter]).collect(),
    }
}

/// To a row of the list; a choice of a menu is taken, too.
fn gone_to(context: Context, index: usize) -> Vec<Msg> {
    match context {
        Context::Menu => vec![Msg::Clicked(Spot::Choice(index)), Msg::Key(Key::plain(KeyCode::Enter))],
        _ => vec![Msg::Clicked(Spot::Row(index))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::action::ACTIONS;
    use crate::app::state::{Menu, MenuKind, Palette};

    /// What `line` means, and what it should, as texts: messages cannot be compared.
    fn assert_means(state: &State, line: &str, messages: &[Msg]) {
        assert_eq!(format!("{:?}", meaning(state, line).unwrap()), format!("{messages:?}"), "{line:?}");
    }

    fn line(text: &str, here: bool) -> TextLine {
        TextLine { index: Some(1), here, ranged: false, text: text.to_owned() }
    }

    #[test]
    fn every_key_of_the_table_is_typed_by_its_name() {
        let (state, mut input) = (State::default(), State::default());
        input.overlay = Some(Overlay::Palette(Palette::default()));
        for key in ACTIONS.iter().flat_map(|row| row.keys).filter_map(|key| key.parse::<Key>().ok()) {
            assert_means(&state, &key.spelled(), &[Msg::Key(key)]);
            assert_means(&input, &format!("<{}>", key.spelled()), &[Msg::Key(key)]);
        }
        assert_means(&state, "PgDn", &[Msg::Key(Key::plain(KeyCode::PageDown))]);
        assert_means(&state, " ", &[Msg::Key(Key::char(' '))]);
        assert_means(&input, "\u{1b}", &[Msg::Key(Key::plain(KeyCode::Esc))]);
    }

    #[test]
    fn what_is_no_key_is_a_name_a_row_or_the_text_that_is_asked_for() {
        let mut state = State::default();
        assert_means(&state, "approve all", &[Msg::Named("approve all".to_owned())]);
        assert_means(&state, "#12", &[Msg::Clicked(Spot::Row(11))]);
        assert!(meaning(&state, "#0").is_err() && meaning(&state, "#x").is_err());
        assert!(meaning(&state, "").unwrap().is_empty(), "reads again");
        let (title, entries, kind) = ("order", Vec::new(), MenuKind::Sort);
        state.overlay = Some(Overlay::Menu(Menu { title, entries, cursor: 0, kind }));
        assert_eq!(meaning(&state, "#2").unwrap().len(), 2, "gone to and taken");
        state.overlay = Some(Overlay::Mode);
        assert!(meaning(&state, "yes please").is_err(), "a question has keys alone");
        state.overlay = Some(Overlay::Palette(Palette::default()));
        let keys = [Key::ctrl('a'), Key::ctrl('k'), Key::plain(KeyCode::Enter)].map(Msg::Key);
        let [start, clear, enter] = keys;
        assert_means(&state, "p", &[start, clear, Msg::Paste("p".to_owned()), enter]);
    }

    #[test]
    fn a_line_is_another_by_what_it_says_and_not_by_the_time_that_passed() {
        assert_eq!(known(&line("checked 2 s ago", false)), known(&line("checked  13 s ago", false)));
        assert_eq!(known(&line("podinfo 14m", false)), known(&line("podinfo   2h", false)));
        assert_ne!(known(&line("podinfo 6.5.4", false)), known(&line("podinfo 6.6.1", false)));
        assert_ne!(known(&line("2 sites", false)), known(&line("3 sites", false)));
        assert_eq!(spoken(&line("[x] podinfo", true)), "> #2 [x] podinfo");
        let ranged = |here| TextLine { ranged: true, ..line("[ ] podinfo", here) };
        assert_eq!(
            [spoken(&ranged(true)), spoken(&ranged(false))],
            [">+ #2 [ ] podinfo", "+ #2 [ ] podinfo"]
        );
        assert_ne!(known(&ranged(false)), known(&line("[ ] podinfo", false)), "taken into a range");
    }

    #[test]
    fn lines_are_whole_and_their_beginnings_wait() {
        let mut plain = Plain::default();
        assert_eq!(plain.lines(b"spa"), Vec::<String>::new());
        assert_eq!(plain.lines(b"ce\np\nrest"), ["space", "p"]);
        assert_eq!(plain.lines(b"\n"), ["rest"]);
    }
}
