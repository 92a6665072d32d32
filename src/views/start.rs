//! The page for "nothing found here": how to go on first, what was tried below.

use super::rect;
use super::widgets::canvas::{Canvas, to_cells};
use super::widgets::frame;
use super::widgets::line::Line;
use super::words;
use crate::app::layout::Layout;
use crate::app::rows::{self, StartChoice};
use crate::app::state::State;
use crate::app::world::Phase;
use crate::problem::Problem;
use crate::text::Shown;
use crate::theme::Role;

/// Draws the page.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    let area = frame::inset(rect(layout.list), 1);
    let area = ratatui::layout::Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let headline = match &state.phase {
        Phase::Failed(_) => "The objects could not be read.",
        Phase::Loading => "Looking for Flux objects …",
        Phase::Nothing(_) | Phase::Ready => "Nothing found here.",
    };
    canvas.text(area.x + 1, area.y, area.width, headline, Role::Select);
    let choices = rows::start_choices(state);
    for (at, choice) in choices.iter().enumerate() {
        let y = area.y + 2 + to_cells(at);
        let is_cursor = at == state.start_cursor;
        choice_row(canvas, area, y, *choice, is_cursor && state.overlay.is_none());
    }
    let below = area.y + 3 + to_cells(choices.len());
    let rest = ratatui::layout::Rect { y: below, height: area.bottom().saturating_sub(below), ..area };
    frame::lines(canvas, rest, &details(state, rest.width));
}

fn choice_row(
    canvas: &mut Canvas<'_>,
    area: ratatui::layout::Rect,
    y: u16,
    choice: StartChoice,
    is_cursor: bool,
) {
    let (name, what) = match choice {
        StartChoice::Demo => ("demo", "practise on this machine; nothing leaves it"),
        StartChoice::Retry => ("look again", "read the objects once more"),
        StartChoice::Quit => ("quit", "back to the shell"),
    };
    canvas.line(area.x, y, area.width, &Line::plain(format!("  {name:<12}")).dim(what));
    if is_cursor {
        canvas.highlight(ratatui::layout::Rect { y, height: 1, width: area.width.min(56), ..area });
        canvas.mark(area.x, y);
        canvas.put_cursor(area.x, y);
    }
}

/// The commands that fix it, then what was tried.
fn details(state: &State, width: u16) -> Vec<Line> {
    let command = |command: &str, what: &str| Line::plain(format!("   {command:<46}")).dim(what);
    let mut lines = vec![
        Line::of(Role::Select, " Or point it at your objects"),
        command("supercargo --files PATH", "a checkout with Flux objects"),
        command("supercargo --files https://HOST/fleet.git", "a remote"),
        command("supercargo create image repository", "write the first one"),
        Line::default(),
    ];
    match &state.phase {
        Phase::Nothing(tried) => {
            lines.push(Line::of(Role::Select, " What was tried"));
            lines.extend(tried.iter().map(|line| Line::plain("   ").and(line)));
            lines.extend(contexts(state));
        }
        Phase::Failed(problem) => {
            lines.push(Line::of(Role::Select, " What went wrong"));
            lines.extend(tried(state, problem));
            lines.extend(words::problem(problem, width));
            lines.extend(retry(state));
            lines.extend(contexts(state));
        }
        Phase::Loading | Phase::Ready => {}
    }
    lines
}

/// Which of the contexts was asked.
fn tried(state: &State, problem: &Problem) -> Option<Line> {
    let context = state.contexts.iter().find(|context| **context == problem.subject)?;
    Some(words::fact("tried", Line::plain("kube context ").and(context)))
}

/// `retry in 5 s`, counted down.
fn retry(state: &State) -> Option<Line> {
    let due = state.retry?;
    let seconds = due.since(state.at).div_ceil(1000);
    Some(words::fact("again", Line::of(Role::StateInfo, format!("retry in {seconds} s"))))
}

/// The other contexts that could be read instead.
fn contexts(state: &State) -> Option<Line> {
    let is_tried = |context: &str| {
        context == state.source
            || matches!(&state.phase, Phase::Failed(problem) if problem.subject == context)
    };
    let others: Vec<&str> =
        state.contexts.iter().map(String::as_str).filter(|context| !is_tried(context)).collect();
    let names = Shown::join(others, "  ");
    let way = Line::of(Role::KeyHint, ":ctx NAME").dim("  reads another kube context: ").and(names.clone());
    (!names.is_empty()).then(|| words::fact("or", way))
}

/// What the status line says.
pub(super) fn summary(state: &State) -> Line {
    match &state.phase {
        Phase::Loading => Line::plain(words::spinner(state)).and(" looking"),
        Phase::Failed(problem) => Line::of(Role::StateError, problem.to_string()),
        Phase::Nothing(_) | Phase::Ready => Line::plain("no Flux objects"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;

    #[test]
    fn the_context_that_was_asked_is_named_and_the_others_are_offered() {
        let problem = Problem::new(Code::Timeout, "dead", "list API groups: no answer within 10 s");
        let mut state = State::default();
        state.contexts = ["dead", "live"].map(str::to_owned).to_vec();
        state.phase = Phase::Failed(problem);
        let text = |line: &Line| line.runs().iter().map(|(text, _)| text.as_str()).collect::<String>();
        let lines: Vec<String> = details(&state, 80).iter().map(text).collect();
        assert!(lines.iter().any(|line| line.ends_with("kube context dead")), "{lines:#?}");
        assert!(lines.iter().any(|line| line.ends_with("reads another kube context: live")), "{lines:#?}");
    }
}
