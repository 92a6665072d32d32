//! S8: the commit message of one automation.

use ratatui::layout::Rect;

use super::rect;
use super::widgets::canvas::{Canvas, to_cells};
use super::widgets::field;
use super::widgets::frame;
use super::widgets::line::Line;
use super::words;
use crate::app::action::key_of;
use crate::app::input::Field;
use crate::app::layout::Layout;
use crate::app::list::fit;
use crate::app::state::{Editing, State};
use crate::text::Shown;
use crate::theme::Role;

/// How long a subject may be before it is said to be long.
const SUBJECT_MOST: usize = 72;

/// Draws the editor.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    let Some(editing) = &state.editing else { return };
    let area = rect(layout.list);
    let facts = facts(state, editing, area.width);
    let facts_height = to_cells(facts.len()) + 1;
    subject(canvas, area, editing);
    let body = Rect { y: area.y + 3, height: area.height.saturating_sub(3 + facts_height), ..area };
    self::body(canvas, body, editing);
    let below = Rect { y: body.bottom(), height: facts_height, ..area };
    frame::rule(canvas, below, &frame::title("commit"), false);
    frame::lines(canvas, Rect { y: below.y + 1, height: below.height.saturating_sub(1), ..below }, &facts);
}

fn subject(canvas: &mut Canvas<'_>, area: Rect, editing: &Editing) {
    let subject = &editing.message.subject;
    let length = subject.text().chars().count();
    let role = if length > SUBJECT_MOST { Role::StateWarn } else { Role::TextDim };
    let title =
        heading("subject", !editing.message.in_body).and("  ").with(role, format!("{length}/{SUBJECT_MOST}"));
    frame::rule(canvas, area, &title, !editing.message.in_body);
    let row = Rect { x: area.x + 2, y: area.y + 1, width: area.width.saturating_sub(3), height: 1 };
    text(canvas, row, subject, !editing.message.in_body);
}

fn body(canvas: &mut Canvas<'_>, area: Rect, editing: &Editing) {
    frame::rule(canvas, area, &heading("body", editing.message.in_body), editing.message.in_body);
    let rows = Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: area.width.saturating_sub(3),
        height: area.height.saturating_sub(1),
    };
    let lines = editing.message.body.lines();
    let current = editing.message.body.row();
    let top = fit(0, current, lines.len(), usize::from(rows.height));
    for (y, (at, line)) in (rows.y..rows.bottom()).zip(lines.iter().enumerate().skip(top)) {
        text(canvas, Rect { y, height: 1, ..rows }, line, editing.message.in_body && at == current);
    }
}

/// The heading of the field with the keys is bold.
fn heading(text: &str, focused: bool) -> Line {
    if focused { frame::title(text) } else { Line::plain(text) }
}

fn text(canvas: &mut Canvas<'_>, row: Rect, line: &Field, focused: bool) {
    // What a template could not render stays as it was written and stands out.
    let role = if line.text().contains("{{") { Role::StateWarn } else { Role::Text };
    if focused {
        field::draw(canvas, row, line.text(), line.cursor(), role);
    } else {
        canvas.text(row.x, row.y, row.width, line.text(), role);
    }
}

/// Who and where, and what is to be said of the template.
fn facts(state: &State, editing: &Editing, width: u16) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(ground) = state.review.ground(&editing.automation) {
        let made = &ground.committing;
        let committer = made.committer.as_ref().filter(|committer| **committer != ground.author);
        let committer = committer.map(|committer| ("   ", "committer", Line::plain(committer.to_string())));
        lines.extend(words::facts(("author", Line::plain(ground.author.to_string())), committer, width));
        let signer =
            made.signer.as_deref().map_or_else(|| Line::of(Role::TextDim, "not signed"), Line::plain);
        let trailers = Shown::join(&made.trailers, ", ");
        let trailers = if trailers.is_empty() { Line::plain("none") } else { Line::plain(trailers) };
        lines.extend(words::facts(("sign", signer), [("   ", "trailers", trailers)], width));
    }
    let name = &editing.automation.name;
    let edited = if editing.is_edited() { ", edited by you" } else { "" };
    let has_own = state.review.ground(&editing.automation).is_some_and(|ground| !ground.template.is_empty());
    let source = if has_own {
        format!("spec.git.commit.messageTemplate of {name}{edited}")
    } else {
        format!("Flux's default message for {name}{edited}")
    };
    lines.push(words::fact(
        "source",
        Line::plain(source)
            .dim("   ")
            .with(Role::KeyHint, key_of(state, "message.render"))
            .dim(" renders it again"),
    ));
    for note in &editing.notes {
        lines.extend(words::paragraph("note", Role::StateWarn, note, width));
    }
    lines
}

/// What the status line says; `EDIT` stands before it.
pub(super) fn summary(_state: &State) -> Line {
    Line::default().dim("draft kept automatically; Esc keeps it too")
}
