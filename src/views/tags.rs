//! S3: the tags of one repository against one policy, and why each is what it is.

mod empty;

use std::ops::Range;

use jiff::Timestamp;

use super::policies::{failure, rule, rule_in_short};
use super::widgets::canvas::Canvas;
use super::widgets::columns::{Column, place};
use super::widgets::line::Line;
use super::widgets::table::{Cell, Row};
use super::{Heads, facts, rect, words};
use crate::app::layout::{Layout, Tier};
use crate::app::rows;
use crate::app::state::State;
use crate::app::world::{Glimpse, Verdict};
use crate::domain::controller::Beside;
use crate::domain::hold;
use crate::domain::policy::{TagRow, TagState};
use crate::domain::proposal::Step;
use crate::domain::running::Use;
use crate::text::Shown;
use crate::text::spaced;
use crate::theme::Role;

/// The columns. CREATED goes first, then DIGEST, SEEN and VALUE; the last one, which has no rows but the room of
/// `1204 match of 98 426` beside the heads, goes where a whole status line says the same beside a preview.
fn columns(layout: &Layout) -> [Column; 9] {
    let (count, room) = match layout.tier {
        Tier::T0 | Tier::T1 => (4, 12),
        Tier::T2 => (3, 21),
        Tier::T3 | Tier::T4 => (1, 21),
    };
    let after = |order: u8| if order < count { order } else { order + 1 };
    [
        Column::fixed("", 1),
        Column::fixed("TAG", 30).flex(16, 40),
        Column::fixed("VALUE", 12).flex(8, 14).drop(after(4)).first(),
        Column::fixed("STATE", 8),
        Column::fixed("FLAGS", 6),
        Column::fixed("SEEN", 10).drop(after(3)),
        Column::fixed("DIGEST", 12).drop(after(2)),
        Column::fixed("CREATED", 10).drop(after(1)),
        Column::fixed("", room).drop(count),
    ]
}

/// The column of each order, and whether it descends.
const SORTED: [(&str, bool); 4] = [("policy order", false), ("TAG", true), ("STATE", false), ("SEEN", true)];

/// Draws the view.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    let verdict = state.tags.verdict.as_deref();
    policy_line(canvas, state, layout, verdict);
    if state.tags.list.is_empty() {
        return empty::draw(canvas, state, layout, verdict);
    }
    let marks = Marks::of(state);
    let ascii = canvas.is_ascii();
    let columns = columns(layout);
    // The room of the count is no column to scroll to.
    let all = columns.len() - usize::from(state.preview.wide.is_some());
    let columns = columns.get(..all).unwrap_or_default();
    // With a hundred thousand rows to scroll through, columns that follow them would never stand still.
    let heads = Heads { measured: false, ..Heads::of(columns, &SORTED) };
    super::list(canvas, state, layout, &state.tags.list, heads, |index| {
        row(state, verdict, &marks, *index as usize, ascii)
    });
    match_count(canvas, state, layout, verdict);
    let (Some(verdict), Some(index)) = (verdict, state.preview.row(&state.tags.list)) else { return };
    why(canvas, state, layout, verdict, *index as usize);
}

/// `policy shop/checkout-api   numerical asc   pattern ^main-…   extract $ts`.
fn policy_line(canvas: &mut Canvas<'_>, state: &State, layout: &Layout, verdict: Option<&Verdict>) {
    let area = rect(layout.header);
    let policy = state.tags.policy.as_ref().and_then(|id| state.inventory.policies.get(id));
    let Some(policy) = policy else {
        canvas.text(area.x + 1, area.y, area.width, "no policy reads this repository", Role::TextDim);
        return;
    };
    let line = match layout.tier {
        Tier::T0 | Tier::T1 => Line::default(),
        Tier::T2 | Tier::T3 | Tier::T4 => {
            Line::default().dim("policy ").with(Role::Select, policy.meta.id.to_string()).and("   ")
        }
    };
    let failure = verdict.filter(|verdict| verdict.reference.is_none()).and_then(|verdict| {
        let message = || verdict.problem.as_ref().map(|problem| problem.message.clone());
        failure(state, &policy.meta.id).map(|failure| failure.short).or_else(message)
    });
    let line = failure
        .map_or_else(|| line.clone(), |failure| line.clone().with(Role::StateError, failure).and("   "));
    let room = area.width.saturating_sub(2);
    let whole = line.clone().append(rule(policy));
    let is_short = layout.tier <= Tier::T1 || whole.width() > usize::from(room);
    let line = if is_short { line.append(rule_in_short(policy, canvas.arrow())) } else { whole };
    canvas.line(area.x + 1, area.y, room, &line.cut_end(usize::from(room)));
}

/// `1204 match of 98 426`, at the right end of the column heads.
fn match_count(canvas: &mut Canvas<'_>, state: &State, layout: &Layout, verdict: Option<&Verdict>) {
    let area = super::table_area(layout);
    let columns = columns(layout);
    if state.preview.wide.is_some() {
        return;
    }
    let heads = place(&columns, area.width);
    let last = heads.iter().find(|placed| placed.index + 1 == columns.len());
    let Some((last, column)) = last.zip(columns.last()) else { return };
    let end = usize::from(last.x) + column.title.len();
    let room = usize::from(area.width).saturating_sub(end + 2);
    let total = state.tags.tags.len();
    let texts = match verdict.map(|verdict| verdict.evaluation.counts.candidates) {
        Some(fit) if layout.tier >= Tier::T2 => {
            [format!("{} match of {}", spaced(fit), spaced(total)), String::new()]
        }
        Some(fit) => [format!("{}/{}", spaced(fit), spaced(total)), format!("{fit}/{total}")],
        None => [words::count(total, "tag"), String::new()],
    };
    // A head of a column is never written over.
    let Some(text) = texts.into_iter().find(|text| text.chars().count() <= room) else { return };
    canvas.line_right(area.x, area.y, area.width.saturating_sub(1), &Line::default().dim(text));
}

/// What rows need beside their tag: which tags the files hold, and which are new.
struct Marks<'a> {
    state: &'a State,
    in_files: Vec<&'a str>,
    /// Who runs the image.
    running: &'a [Use],
    new: Option<&'a crate::domain::tags::TagList>,
}

impl<'a> Marks<'a> {
    fn of(state: &'a State) -> Self {
        let policy = state.tags.policy.as_ref();
        let repository = state.tags.repository.as_ref();
        let scan = repository.and_then(|id| state.scans.get(id)).and_then(|scan| scan.found.as_ref());
        let image = repository.and_then(|id| Some(&state.inventory.repositories.get(id)?.image));
        let running = state.around.running.as_ref();
        Self {
            state,
            running: image.zip(running).map(|(image, running)| running.of_image(image)).unwrap_or_default(),
            in_files: policy.map_or_else(Vec::new, |policy| rows::tags_in_files(state, policy)),
            new: scan.map(|scan| &*scan.new),
        }
    }
}

impl Marks<'_> {
    fn is_running(&self, tag: &str) -> bool {
        self.running.iter().any(|one| one.tag == tag)
    }
}

fn row<'a>(
    state: &'a State,
    verdict: Option<&Verdict>,
    marks: &Marks<'_>,
    index: usize,
    ascii: bool,
) -> Row<'a> {
    let tag = state.tags.tags.get(index).unwrap_or_default();
    let beside = beside(state, tag);
    let Some(verdict) = verdict else {
        let blank = || Cell::plain("");
        let cells = [blank(), Cell::plain(tag), blank(), blank(), blank()];
        return Row::Cells(cells.into_iter().chain(beside).collect());
    };
    let found = verdict.evaluator.row(&verdict.tags, &verdict.evaluation, index);
    let role = role(found.state);
    let glyph = if ascii { found.state.ascii() } else { found.state.glyph() };
    let cells = [
        Cell::of(role, glyph),
        tag_cell(tag, &found),
        Cell::plain(found.value.as_deref().unwrap_or_default()),
        Cell::of(role, found.state.word()),
        Cell::of(Role::StateInfo, flags(verdict, marks, tag, found.state)),
    ];
    Row::Cells(cells.into_iter().chain(beside).collect())
}

/// SEEN, DIGEST and CREATED of a tag, as far as they are known.
fn beside<'a>(state: &State, tag: &str) -> [Cell<'a>; 3] {
    let when = |time: Timestamp| words::when(state.now, time, &state.zone);
    let seen = state.tags.sightings.as_ref().and_then(|sightings| sightings.get(tag));
    let described = state.tags.repository.as_ref().and_then(|id| state.facts.described(id, tag));
    let glimpse = described.map(Glimpse::of).or_else(|| state.tags.glances.get(tag).cloned());
    let created = glimpse.as_ref().and_then(|glimpse| glimpse.created);
    let digest = glimpse.as_ref().map(|glimpse| digits(&glimpse.digest)).unwrap_or_default();
    let dim = |text: String| Cell::of(Role::TextDim, text);
    [
        dim(seen.map(when).unwrap_or_default()),
        dim(digest.to_owned()),
        dim(created.map(when).unwrap_or_default()),
    ]
}

/// The first twelve digits of a digest, as registries and container engines shorten it.
fn digits(digest: &str) -> &str {
    let digits = digest.split_once(':').map_or(digest, |(_, digits)| digits);
    digits.get(..12).unwrap_or(digits)
}

pub(super) fn role(state: TagState) -> Role {
    match state {
        TagState::Latest => Role::TagLatest,
        TagState::Match => Role::TagMatch,
        TagState::Range => Role::TagRange,
        TagState::Unparsed => Role::TagUnparsed,
        TagState::Collide => Role::TagCollide,
        TagState::Filter => Role::TagFilter,
        TagState::Invalid => Role::TagInvalid,
        TagState::Exclude => Role::TagExclude,
    }
}

/// The tag with what the pattern matched underlined and what is compared in bold; a tag that had to be spelt out gets
/// a `!`. Cut in its middle.
fn tag_cell<'a>(tag: &str, row: &TagRow) -> Cell<'a> {
    let shown = Shown::new(tag);
    let is_hostile = shown.is_hostile();
    let text_role = text_role(row.state);
    let spans = spans(tag, row);
    Cell::fitted(shown.width(), move |max| {
        let room = max.saturating_sub(usize::from(is_hostile) * 2);
        if shown.width() > room {
            return Line::of(text_role, shown.cut_middle(room));
        }
        let line = spanned(&shown, &spans, text_role);
        if is_hostile { line.and(" ").with(Role::TextHostile, "!") } else { line }
    })
}

/// Byte ranges of the shown tag with their roles, in order.
fn spans(tag: &str, row: &TagRow) -> Vec<(Range<usize>, Role)> {
    let shown = |range: &Range<usize>| Shown::offset_of(tag, range.start)..Shown::offset_of(tag, range.end);
    let Some(matched) = row.matched.as_ref().map(shown) else { return Vec::new() };
    let mut spans = Vec::new();
    let mut from = matched.start;
    for extract in row.extracts.iter().map(shown) {
        if extract.start < from {
            continue;
        }
        spans.push((from..extract.start, Role::TagSpanMatch));
        from = extract.end;
        spans.push((extract, Role::TagSpanExtract));
    }
    spans.push((from..matched.end, Role::TagSpanMatch));
    spans
}

fn spanned(shown: &Shown, spans: &[(Range<usize>, Role)], role: Role) -> Line {
    let (mut line, mut from) = (Line::default(), 0);
    for (range, span_role) in spans {
        line = line.with(role, shown.part(from..range.start)).with(*span_role, shown.part(range.clone()));
        from = range.end;
    }
    line.with(role, shown.part(from..shown.as_str().len()))
}

/// The cells of a tag in other previews.
const WIDEST: usize = 40;

/// A policy's tags in its order, best first, each with what the policy makes of it: for previews that have the room.
/// Only the lines that are taken are made.
pub(super) fn in_order(verdict: &Verdict, ascii: bool) -> impl Iterator<Item = Line> + '_ {
    verdict.order.iter().map(move |index| {
        let found = verdict.evaluator.row(&verdict.tags, &verdict.evaluation, *index as usize);
        let tag = verdict.tags.get(*index as usize).unwrap_or_default();
        let role = role(found.state);
        let glyph = if ascii { found.state.ascii() } else { found.state.glyph() };
        let tag = tag_line(tag, &found, WIDEST);
        let pad = " ".repeat(WIDEST.saturating_sub(tag.width()) + 2);
        Line::plain("  ").with(role, glyph).and(" ").append(tag).and(pad).with(role, found.state.word())
    })
}

/// A tag in at most `room` cells, with what the pattern matched and what is compared marked; one that is cut has no marks.
pub(super) fn tag_line(tag: &str, row: &TagRow, room: usize) -> Line {
    let (shown, role) = (Shown::new(tag), text_role(row.state));
    if shown.width() > room {
        return Line::of(role, shown.cut_middle(room));
    }
    spanned(&shown, &spans(tag, row), role)
}

/// The role of a tag's text: what may be selected is read, not looked for.
fn text_role(state: TagState) -> Role {
    if matches!(state, TagState::Latest | TagState::Match) { Role::Text } else { role(state) }
}

/// `F` in files, `R` running in the cluster, `+` newer, `-` older than those, `N` new since the previous scan, `D` digest moved, `H` held, `≠` the
/// controller selects another.
fn flags(verdict: &Verdict, marks: &Marks<'_>, tag: &str, state: TagState) -> String {
    let is_candidate = matches!(state, TagState::Latest | TagState::Match | TagState::Collide);
    let is_in_files = marks.in_files.contains(&tag);
    let mut flags = String::new();
    if is_in_files {
        flags.push('F');
    }
    if marks.is_running(tag) {
        flags.push('R');
    }
    if let Some(current) = marks.in_files.first().filter(|_| is_candidate && !is_in_files) {
        flags.push(if verdict.evaluator.step(current, tag) == Step::Down { '-' } else { '+' });
    }
    if marks.new.is_some_and(|new| new.position(tag).is_some()) {
        flags.push('N');
    }
    let repository = marks.state.tags.repository.as_ref();
    let is_moved = repository.is_some_and(|repository| marks.state.facts.is_moved(repository, tag));
    if is_moved || marks.state.tags.glances.get(tag).is_some_and(|glimpse| glimpse.is_moved) {
        flags.push('D');
    }
    let holds = &marks.state.review.holds;
    let held = marks.state.tags.policy.as_ref().and_then(|id| hold::of(holds, id, tag, marks.state.now));
    if held.is_some_and(|hold| hold.tag.is_some() || state == TagState::Latest) {
        flags.push('H');
    }
    let differs = |id| matches!(marks.state.beside(id), Beside::Differs(_));
    if state == TagState::Latest && marks.state.tags.policy.as_ref().is_some_and(differs) {
        flags.push('≠');
    }
    flags
}

/// The numbered steps of the evaluation of one tag, up to the one that decides.
fn why(canvas: &mut Canvas<'_>, state: &State, layout: &Layout, verdict: &Verdict, index: usize) {
    let tag = state.tags.tags.get(index).unwrap_or_default();
    let is_selected = verdict.evaluation.latest == Some(index);
    let end = if is_selected { " is selected" } else { " is not selected" };
    let title = Line::of(Role::Select, "why ").with(Role::Select, tag).with(Role::Select, end);
    let width = super::preview_width(layout);
    let mut lines = steps(verdict, index, held(state, tag), width);
    if layout.tier <= Tier::T1 && !layout.overlay {
        // The last steps decide.
        let room = layout.preview.map_or(0, |area| usize::from(area.height.saturating_sub(1)));
        if lines.len() > room {
            let hidden = (lines.len() + 1 - room).min(lines.len());
            let more = Line::default().dim(format!("  … {} above; ", words::count(hidden, "line")));
            let more = more.with(Role::KeyHint, "Enter").dim(" shows all");
            lines.splice(..hidden, [more]);
        }
    } else if let Some(repository) = &state.tags.repository {
        let current =
            state.tags.policy.as_ref().and_then(|policy| rows::tags_in_files(state, policy).first().copied());
        lines.extend(facts::of_tag(state, repository, tag, width));
        lines.extend(facts::compare(state, repository, (current, tag), width));
    }
    super::preview(canvas, state, layout, &title, lines.into_iter(), &Line::default());
}

/// Why the selected tag waits.
fn held(state: &State, tag: &str) -> Option<String> {
    let mut of_policy =
        state.review.updates().iter().filter(|update| state.tags.policy.as_ref() == Some(&update.policy));
    let update = of_policy.find(|update| update.new.as_ref().is_some_and(|new| new.tag == tag));
    let waits = update.and_then(|update| words::held(update, state.now, &state.zone));
    // What is there already can be held, too.
    waits.or_else(|| {
        let policy = state.tags.policy.as_ref()?;
        hold::of(&state.review.holds, policy, tag, state.now).map(hold::text)
    })
}

/// The steps themselves, and what would change their end; the last is why the selected tag is `held`, if it is.
pub(super) fn steps(verdict: &Verdict, index: usize, held: Option<String>, width: u16) -> Vec<Line> {
    let mut explanation = verdict.evaluator.explain(&verdict.tags, &verdict.evaluation, index);
    if let (Some(step), Some(held)) = (explanation.steps.last_mut(), held)
        && step.step == "held"
    {
        "yes".clone_into(&mut step.answer);
        step.text = held;
    }
    let steps = explanation.steps.iter().zip(1..);
    let lines = steps.flat_map(|(step, at)| step_lines(at, step.step, &step.answer, &step.text, width));
    let fix = explanation.fix.iter();
    lines.chain(fix.flat_map(|fix| words::paragraph("fix:", Role::StateInfo, fix, width))).collect()
}

/// `  1 excluded?   no   exclusionList has 1 rule, none matches`.
fn step_lines(number: usize, step: &str, answer: &str, text: &str, width: u16) -> Vec<Line> {
    let label = match step {
        "excluded" => "excluded?",
        "valid" => "valid tag?",
        other => other,
    };
    // These two questions are answered "no" where all is well.
    let role =
        if answer == "no" && !matches!(step, "excluded" | "held") { Role::StateWarn } else { Role::Text };
    let indent = 21;
    let head = Line::default().dim(format!("  {number} {label:<12}")).with(role, format!("{answer:<5}"));
    let head = if answer.len() > 4 { head.and("  ") } else { head };
    let used = head.width().max(indent) + 2;
    let texts = Shown::new(text).wrap(usize::from(width).saturating_sub(used));
    let heads = std::iter::once(head).chain(std::iter::repeat(Line::plain(" ".repeat(indent))));
    heads.zip(texts).map(|(head, text)| head.and(" ").and(text)).collect()
}

/// `98 426 tags · 1204 match · 97 209 filter · 1 collide · 11 exclude · 1 invalid`.
pub(super) fn summary(state: &State, is_narrow: bool) -> Line {
    let Some(verdict) = &state.tags.verdict else {
        return Line::plain(words::count(state.tags.tags.len(), "tag"));
    };
    let counts = &verdict.evaluation.counts;
    let parts = [
        (counts.candidates, "match"),
        (counts.range, "range"),
        (counts.unparsed, "unparsed"),
        (counts.collide, "collide"),
        (counts.filter, "filter"),
        (counts.exclude, "exclude"),
        (counts.invalid, "invalid"),
    ];
    let parts = parts.iter().filter(|(count, word)| *count > 0 || *word == "match");
    let mut texts: Vec<String> = parts.map(|(count, word)| format!("{} {word}", spaced(*count))).collect();
    if !is_narrow {
        texts.insert(0, words::count(counts.tags, "tag"));
    }
    Line::plain(texts.join(" · "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::layout::{Front, Size};
    use crate::app::view::{Focus, View};

    fn titles(width: u16, height: u16) -> (Layout, Vec<&'static str>) {
        let size = Size { width, height };
        let front = Front {
            size,
            view: View::Tags,
            focus: Focus::List,
            over: false,
            zoomed: false,
            share: 0,
            single: false,
        };
        let layout = Layout::of(front);
        let columns = columns(&layout);
        let titles = place(&columns, layout.list.width).into_iter().map(|placed| columns[placed.index].title);
        (layout, titles.collect())
    }

    #[test]
    fn digests_are_asked_for_exactly_where_their_column_is_drawn() {
        for height in [24, 30, 60] {
            for width in 60..320 {
                let (layout, titles) = titles(width, height);
                assert_eq!(layout.has_digests(), titles.contains(&"DIGEST"), "{width}x{height}: {titles:?}");
            }
        }
    }

    #[test]
    fn columns_go_in_the_order_that_the_screen_states() {
        let kept = |width, height| titles(width, height).1[3..].to_vec();
        assert_eq!(kept(80, 24), ["STATE", "FLAGS", ""], "the count stands beside the heads");
        assert_eq!(kept(100, 30), ["STATE", "FLAGS", "SEEN", ""]);
        assert_eq!(kept(120, 40), ["STATE", "FLAGS", "SEEN", "DIGEST", "CREATED", ""]);
        assert_eq!(kept(160, 45), ["STATE", "FLAGS", "SEEN", "DIGEST"]);
        assert_eq!(kept(200, 60), ["STATE", "FLAGS", "SEEN", "DIGEST", "CREATED"]);
    }
}
