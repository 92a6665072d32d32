//! S3 without rows: why there is none, and what came nearest.

use super::{WIDEST, policy_line, role, tag_line};
use crate::app::action::key_of;
use crate::app::layout::Layout;
use crate::app::state::State;
use crate::app::view::View;
use crate::app::world::Verdict;
use crate::problem::Problem;
use crate::text::Shown;
use crate::theme::Role;
use crate::views::widgets::canvas::Canvas;
use crate::views::widgets::line::Line;
use crate::views::{self, words};

/// Says why there is no row.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout, verdict: Option<&Verdict>) {
    let total = state.tags.tags.len();
    let scan = state.tags.repository.as_ref().and_then(|id| state.scans.get(id));
    let (headline, lines) = match (scan, verdict) {
        _ if views::nothing_matches(canvas, state, layout, View::Tags) => return,
        (Some(scan), _) if scan.running.is_some() => ("Listing the tags …", Vec::new()),
        (Some(scan), _) if scan.found.is_none() => unlisted(state, scan.error.as_ref()),
        (_, Some(verdict)) if total > 0 => {
            let lines = misses(state, verdict, canvas.is_ascii(), layout.header.width);
            ("No tag matches.", lines)
        }
        _ => ("Repository has no tags.", Vec::new()),
    };
    views::page(canvas, layout, headline, &lines);
    policy_line(canvas, state, layout, verdict);
}

/// Why nothing is known of a repository.
fn unlisted(state: &State, error: Option<&Problem>) -> (&'static str, Vec<Line>) {
    if let Some(problem) = error {
        return ("The tags could not be listed.", vec![Line::of(Role::StateError, &problem.message)]);
    }
    let key = Line::of(Role::KeyHint, key_of(state, "scan.row"));
    ("Not scanned yet.", vec![key.and(" scans it now")])
}

/// So many tags stand for all that cannot be selected.
const MISSES: usize = 3;

/// How many tags there are, those that got furthest with what each lacks, and how to see all.
fn misses(state: &State, verdict: &Verdict, ascii: bool, width: u16) -> Vec<Line> {
    let (tags, evaluation) = (&verdict.tags, &verdict.evaluation);
    let indent = "    ";
    let room = usize::from(width).saturating_sub(indent.len() + 4);
    let of_tag = |index: usize| {
        let found = verdict.evaluator.row(tags, evaluation, index);
        let role = role(found.state);
        let glyph = if ascii { found.state.ascii() } else { found.state.glyph() };
        let tag = tag_line(tags.get(index).unwrap_or_default(), &found, WIDEST);
        let head = Line::plain("  ").with(role, glyph).and(" ").append(tag).and("   ");
        let reason = Shown::new(&found.reason).wrap(room).into_iter();
        let reason = reason.map(|text| Line::plain(indent).dim(text));
        std::iter::once(head.with(role, found.state.word())).chain(reason).collect::<Vec<_>>()
    };
    let text = format!("0 of {} match; nearest miss:", words::count(tags.len(), "tag"));
    let nearest = verdict.evaluator.nearest(tags, evaluation, MISSES);
    let all = Line::of(Role::KeyHint, key_of(state, "tags.matching"));
    let all = all.and(" shows them all, with the reason of each");
    let mut lines = vec![Line::plain(text)];
    lines.extend(nearest.into_iter().flat_map(of_tag));
    lines.extend([Line::default(), all]);
    lines
}
