//! S5: a policy that is tried on the tags that are there.

use ratatui::layout::Rect;

use super::rect;
use super::tags::{role, tag_line};
use super::widgets::canvas::{Canvas, to_cells};
use super::widgets::field;
use super::widgets::frame;
use super::widgets::line::Line;
use super::words;
use crate::app::input::Field;
use crate::app::layout::{Layout, Tier};
use crate::app::rows as app_rows;
use crate::app::state::{Part, Playground, State};
use crate::domain::policy::Counts;
use crate::domain::trial::{self, RuleKind, Tried};
use crate::text::{Shown, spaced};
use crate::theme::Role;

/// Rows above the tags: fields with their rule, the place of an error, result with its rule, heads.
const ABOVE: u16 = 10;
/// Rows below them: the check with its rule.
const BELOW: u16 = 3;

/// How many tags have room.
pub(super) fn rows(layout: &Layout) -> usize {
    usize::from(layout.list.height.saturating_sub(ABOVE + BELOW))
}

/// Draws the view.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    let Some(playground) = &state.playground else { return };
    let area = rect(layout.list);
    let is_beside = layout.tier >= Tier::T2 && playground.kind != RuleKind::Semver;
    fields(canvas, area, playground, is_beside);
    let above = if is_beside { 5 } else { 6 };
    let result = Rect { y: area.y + above, height: area.height.saturating_sub(above), ..area };
    self::result(canvas, state, result, playground);
    let table = Rect { y: area.y + ABOVE - 1, height: area.height.saturating_sub(ABOVE - 1 + BELOW), ..area };
    tags(canvas, layout, table, playground);
    let check = Rect { y: area.bottom().saturating_sub(BELOW), height: BELOW.min(area.height), ..area };
    frame::rule(canvas, check, &frame::title("check"), false);
    let room = Rect { y: check.y + 1, height: check.height.saturating_sub(1), ..frame::inset(check, 2) };
    frame::lines(canvas, room, &self::check(playground).wrap(usize::from(room.width)));
}

/// What is typed and chosen, and where the pattern is wrong.
fn fields(canvas: &mut Canvas<'_>, area: Rect, playground: &Playground, is_beside: bool) {
    let title = frame::title("edit").dim(" (nothing is saved; Ctrl-y copies the YAML)");
    frame::rule(canvas, area, &title, true);
    let row = |n: u16| Rect { x: area.x + 2, y: area.y + n, width: area.width.saturating_sub(3), height: 1 };
    kind_and_rule(canvas, [row(1), row(2)], playground, is_beside);
    // What is refused is said under its field; the fields below give way to it.
    let first = if is_beside { 2 } else { 3 };
    let refused = playground.refused();
    let of_rule = u16::from(refused.is_some_and(|tried| tried.refused.is_none()));
    let of_pattern = u16::from(refused.is_some()) - of_rule;
    text(canvas, row(first + of_rule), "pattern", &playground.pattern, playground.part == Part::Pattern);
    if let Some(tried) = refused {
        error(canvas, row(first + of_pattern), tried);
    }
    let extract = row(first + 1 + of_rule + of_pattern);
    text(canvas, extract, "extract", &playground.extract, playground.part == Part::Extract);
}

/// The kind, and the order beside it where there is room; else that, and a range in any case, in the row below.
fn kind_and_rule(canvas: &mut Canvas<'_>, rows: [Rect; 2], playground: &Playground, is_beside: bool) {
    let [first, second] = rows;
    let (is_kind, is_rule) = (playground.part == Part::Kind, playground.part == Part::Rule);
    let kinds = RuleKind::ALL.map(|kind| (kind.word(), playground.kind == kind));
    let kind_end = choice(canvas, first, ("kind", LABEL), (&kinds, "   "), is_kind);
    let mut ends = [kind_end, second.x];
    if playground.kind == RuleKind::Semver {
        text(canvas, second, "range", &playground.range, is_rule);
    } else {
        let orders = [("asc", !playground.descending), ("desc", playground.descending)];
        let beside = frame::inset(first, kind_end.saturating_sub(first.x) + 8);
        let (row, cells) = if is_beside { (beside, 6) } else { (second, LABEL) };
        let end = choice(canvas, row, ("order", cells), (&orders, "  "), is_rule);
        ends = if is_beside { [end, second.x] } else { [kind_end, end] };
    }
    let is_chosen = is_kind || (is_rule && playground.kind != RuleKind::Semver);
    let [x, y] = if is_kind || is_beside { [ends[0], first.y] } else { [ends[1], second.y] };
    if is_chosen {
        let hint = Line::of(Role::KeyHint, "←→").dim(" choose");
        canvas.line(x + 2, y, first.right().saturating_sub(x + 2), &hint);
    }
}

/// The cells of a field's label.
const LABEL: u16 = 9;

fn label(canvas: &mut Canvas<'_>, row: Rect, (label, cells): (&str, u16), focused: bool) -> Rect {
    canvas.text(row.x, row.y, cells, label, if focused { Role::Select } else { Role::TextDim });
    frame::inset(row, cells)
}

/// Draws what can be chosen, with `gap` between; returns the column behind it.
fn choice(
    canvas: &mut Canvas<'_>,
    row: Rect,
    name: (&str, u16),
    (choices, gap): (&[(&str, bool)], &str),
    focused: bool,
) -> u16 {
    let room = label(canvas, row, name, focused);
    let line = choices.iter().enumerate().fold(Line::default(), |line, (at, (word, is_chosen))| {
        let role = if *is_chosen { Role::Select } else { Role::TextDim };
        let line = if at > 0 { line.and(gap) } else { line };
        line.with(role, if *is_chosen { "(•) " } else { "( ) " }).with(role, *word)
    });
    let used = canvas.line(room.x, room.y, room.width, &line);
    if focused {
        canvas.put_cursor(room.x, room.y);
    }
    room.x + used
}

fn text(canvas: &mut Canvas<'_>, row: Rect, name: &str, value: &Field, focused: bool) {
    let room = label(canvas, row, (name, LABEL), focused);
    if focused {
        field::draw(canvas, room, value.text(), value.cursor(), Role::Text);
    } else if value.text().is_empty() {
        canvas.text(room.x, room.y, room.width, "none", Role::TextDim);
    } else {
        canvas.text(room.x, room.y, room.width, value.text(), Role::Text);
    }
}

/// What is wrong with the rule, or `^` under what is wrong with the pattern.
fn error(canvas: &mut Canvas<'_>, row: Rect, tried: &Tried) {
    let Some(place) = &tried.refused else {
        let room = frame::inset(row, LABEL);
        canvas.text(room.x, room.y, room.width, Shown::new(&complaint(tried)), Role::StateError);
        return;
    };
    let column = |at: usize| Shown::new(tried.trial.pattern.get(..at).unwrap_or_default()).width();
    let (start, end) = (column(place.start), column(place.end));
    let room = frame::inset(row, LABEL);
    let start = to_cells(start).min(room.width.saturating_sub(1));
    let width = to_cells(end).saturating_sub(start).clamp(1, room.width - start);
    for x in 0..width {
        canvas.text(room.x + start + x, room.y, 1, "^", Role::StateError);
    }
}

/// What comes of it: counts, now and here.
fn result(canvas: &mut Canvas<'_>, state: &State, area: Rect, playground: &Playground) {
    let Some(tried) = &playground.tried else {
        frame::rule(canvas, area, &frame::title("result"), false);
        canvas.text(area.x + 2, area.y + 1, area.width.saturating_sub(3), "trying …", Role::TextDim);
        return;
    };
    let is_fresh = playground.is_fresh();
    frame::rule(canvas, area, &result_title(tried, is_fresh, area.width), false);
    let room = area.width.saturating_sub(3);
    let lines = [
        Line::default().dim("now    ").append(now(state, playground)),
        Line::default().dim("here   ").append(here(tried)),
    ];
    for (y, line) in (area.y + 1..).zip(lines) {
        let line = if is_fresh { line } else { dimmed(&line) };
        canvas.line(area.x + 2, y, room, &line.cut_end(usize::from(room)));
    }
}

/// `result   88 tags · 61 match · 26 filter · 12 change · evaluated in 0.4 ms`; where that has no room, the time alone, or not
/// even that.
fn result_title(tried: &Tried, is_fresh: bool, width: u16) -> Line {
    let title = frame::title("result");
    let title = if is_fresh { title } else { title.with(Role::StateWarn, " of what stood here before") };
    let took = format!("{:.1} ms", tried.took.as_secs_f64() * 1e3);
    let changed = format!("{} change", spaced(tried.changed));
    let said = |took: &str| {
        let mut parts = counts(&tried.evaluation.counts);
        parts.push(Line::of(Role::Select, changed.as_str()));
        parts.extend(Some(Line::default().dim(took)).filter(|took| !took.is_empty()));
        let first = title.clone().and("   ");
        parts.into_iter().enumerate().fold(first, |line, (at, part)| {
            let line = if at > 0 { line.dim(" · ") } else { line };
            line.append(part)
        })
    };
    let long = format!("evaluated in {took}");
    let mut wider = [long.as_str(), took.as_str()].into_iter().map(said);
    wider.find(|line| line.width() + 6 <= usize::from(width)).unwrap_or_else(|| said(""))
}

fn dimmed(line: &Line) -> Line {
    line.runs().iter().fold(Line::default(), |line, (text, _)| line.with(Role::TextDim, text.clone()))
}

/// `61 match`, and what else there is any of.
fn counts(counts: &Counts) -> Vec<Line> {
    let all = [
        (counts.tags, "tags", true),
        (counts.candidates, "match", true),
        (counts.range, "out of range", false),
        (counts.unparsed, "unparsed", false),
        (counts.collide, "collide", false),
        (counts.filter, "filter", false),
        (counts.exclude, "exclude", false),
        (counts.invalid, "invalid", false),
    ];
    let shown = all.into_iter().filter(|(count, _, always)| *always || *count > 0);
    shown.map(|(count, word, _)| Line::plain(format!("{} {word}", spaced(count)))).collect()
}

/// What the policy selects as it is.
fn now(state: &State, playground: &Playground) -> Line {
    let id = &playground.policy;
    if let Some(tag) = app_rows::latest(state, id) {
        return Line::plain(tag);
    }
    let problem = || state.shown_verdict(id)?.problem.as_ref().map(|problem| problem.message.clone());
    let why = super::policies::failure(state, id).map(|failure| failure.short).or_else(problem);
    Line::of(Role::StateError, why.unwrap_or_else(|| "nothing is known yet".to_owned()))
}

/// What it would select, and what that would change.
fn here(tried: &Tried) -> Line {
    let Some(tag) = tried.latest() else {
        let failure = tried.evaluator.failure(&tried.tags, &tried.evaluation).map(|failure| failure.short);
        let error = || tried.evaluation.error.as_ref().map(ToString::to_string);
        return Line::of(Role::StateError, failure.or_else(error).unwrap_or_default());
    };
    let line = Line::of(Role::TagLatest, tag);
    let reach = &tried.reach;
    if reach.sites == 0 {
        return line.dim("   changes no marked value");
    }
    let what = format!(
        "   would change {} in {}",
        words::count(reach.sites, "site"),
        words::count(reach.files, "file")
    );
    // Commit ids look different from each other; what the same rule admits is of one kind.
    let is_other = |current: &String| shape(current) != shape(tag) && !tried.admits(current);
    let is_other_kind = reach.current.iter().any(is_other);
    let line = if is_other_kind { line.with(Role::StateWarn, "   ! another kind of tag") } else { line };
    let line = line.and(what);
    if reach.current.is_empty() {
        return line;
    }
    line.dim(" from ").dim(Shown::join(&reach.current, ", "))
}

/// What a tag looks like: runs of digits and letters, and what stands between them.
fn shape(tag: &str) -> String {
    let mut shape = String::new();
    for c in tag.chars() {
        let class = match c {
            c if c.is_ascii_digit() => '0',
            c if c.is_alphanumeric() => 'a',
            c => c,
        };
        if !(shape.ends_with(class) && class.is_alphanumeric()) {
            shape.push(class);
        }
    }
    shape
}

/// The cells of VALUE, NOW and HERE.
const VALUE: usize = 16;
const WORD: usize = 10;

/// The tags, those whose verdict changes first.
fn tags(canvas: &mut Canvas<'_>, layout: &Layout, area: Rect, playground: &Playground) {
    let Some(tried) = &playground.tried else { return };
    if tried.tags.is_empty() {
        let none = "no tags of its repository are known: the rule and the pattern are checked alone";
        canvas.text(area.x + 2, area.y, area.width.saturating_sub(2), none, Role::TextDim);
        return;
    }
    let width = usize::from(area.width);
    let has_values = layout.tier > Tier::T1;
    let fixed = 4 + 2 * (WORD + 1) + if has_values { VALUE + 1 } else { 0 };
    let room = width.saturating_sub(fixed).clamp(10, 34);
    let heads = [("TAG", room), ("VALUE", VALUE), ("NOW", WORD), ("HERE", WORD)];
    let heads = heads.into_iter().filter(|(head, _)| has_values || *head != "VALUE");
    let line = heads.fold(Line::plain("   "), |line, (head, cells)| line.dim(format!("{head:cells$} ")));
    canvas.line(area.x, area.y, area.width, &line);
    let window = playground.list.window(rows(layout));
    let cursor = playground.list.cursor();
    let shown = playground.list.rows().get(window.clone()).unwrap_or_default();
    for ((y, index), at) in (area.y + 1..).zip(shown).zip(window) {
        let line = row(tried, *index, room, has_values, canvas.is_ascii());
        let line = if playground.is_fresh() { line } else { dimmed(&line) };
        canvas.line(area.x, y, area.width, &line);
        if at == cursor && playground.list.len() > usize::from(area.height) {
            canvas.highlight(Rect { y, height: 1, ..area });
        }
    }
}

fn row(tried: &Tried, index: u32, room: usize, has_value: bool, ascii: bool) -> Line {
    let at = index as usize;
    let found = tried.evaluator.row(&tried.tags, &tried.evaluation, at);
    let tag = tried.tags.get(at).unwrap_or_default();
    let glyph = if ascii { found.state.ascii() } else { found.state.glyph() };
    let pad = |line: Line, cells: usize| {
        let blanks = " ".repeat(cells.saturating_sub(line.width()) + 1);
        line.and(blanks)
    };
    let line = Line::plain(" ").with(role(found.state), glyph).and(" ");
    let line = line.append(pad(tag_line(tag, &found, room), room));
    let line = if has_value {
        let value = Shown::new(found.value.as_deref().unwrap_or("-")).cut_middle(VALUE);
        line.append(pad(Line::plain(value), VALUE))
    } else {
        line
    };
    let before = tried.before.as_deref().map(|before| trial::word(before, index));
    let is_changed = tried.is_changed(index);
    let before_role = if is_changed { Role::Text } else { Role::TextDim };
    let line = line.append(pad(Line::of(before_role, before.unwrap_or_default()), WORD));
    let after = trial::word(&tried.evaluation, index);
    line.with(if is_changed { role(found.state) } else { Role::TextDim }, after)
}

/// What is wrong with a rule or a pattern, without the words that lead there.
fn complaint(tried: &Tried) -> String {
    let text = tried.refusal().map(|error| error.text.as_str()).unwrap_or_default();
    let led = text.rsplit_once("error parsing regexp: ").or_else(|| text.split_once("invalid policy: "));
    led.map_or(text, |(_, words)| words).to_owned()
}

/// What is to be said of the pattern: whether it is one, whether values collide, how many groups are used.
fn check(playground: &Playground) -> Line {
    if let Some(tried) = playground.refused() {
        let what =
            if tried.refused.is_some() { "Go refuses the pattern: " } else { "Flux refuses the rule: " };
        return Line::of(Role::StateError, what).and(complaint(tried));
    }
    let Some(tried) = &playground.tried else { return Line::default() };
    let Some((groups, used)) = tried.evaluator.groups() else {
        return Line::default().dim("no pattern: every tag takes part, and is compared as it stands");
    };
    let collisions = match tried.evaluation.counts.collide {
        0 => Line::plain("no collisions"),
        count => Line::of(Role::StateWarn, words::count(count, "tag"))
            .with(Role::StateWarn, " with the value of another"),
    };
    let groups = format!("{}, {used} used", words::count(groups, "group"));
    Line::plain("pattern compiles")
        .dim(" · ")
        .and("same meaning in Go RE2 and here")
        .dim(" · ")
        .append(collisions)
        .dim(" · ")
        .and(groups)
}

/// What the status line says; `EDIT` stands before it.
pub(super) fn summary(_state: &State) -> Line {
    Line::default().dim("typing edits the field; result follows after 30 ms")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::trial::{Reach, Trial};

    #[test]
    fn all_tags_are_named_that_would_be_changed() {
        let trial = Trial { range: "6.x".to_owned(), ..Trial::default() };
        let mut tried = trial.run(&[], &Arc::new(["6.5.4", "6.6.1"].into_iter().collect()), None);
        let current = ["6.5.4", "6.5.3"].map(str::to_owned).to_vec();
        tried.reach = Reach { sites: 2, files: 2, current };
        let text: String = here(&tried).runs().iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(text, "6.6.1   would change 2 sites in 2 files from 6.5.4, 6.5.3");
    }
}
