//! What lies over a view and takes all keys: confirmations, menus, the palette.

mod edit;
mod keep;
mod merge;
mod push;
mod target;

use jiff::Timestamp;
use ratatui::layout::Rect;

use super::widgets::canvas::{Canvas, to_cells};
use super::widgets::field;
use super::widgets::frame;
use super::widgets::line::Line;
use super::{find, palette, words};
use crate::app::input::Field;
use crate::app::layout::Layout;
use crate::app::list::fit;
use crate::app::pointer::Spot;
use crate::app::state::{BranchDialog, HoldDialog, Menu, OrderDialog, Overlay, PushRun, State, Task};
use crate::domain::freeze::FREEZE;
use crate::domain::mode::Mode;
use crate::domain::order::human;
use crate::text::Shown;
use crate::theme::Role;

/// Draws the overlay, if there is one, over everything between title and status line.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    let Some(overlay) = state.overlay.as_ref().filter(|_| state.help.is_none()) else { return };
    let area = Rect {
        x: 0,
        y: layout.title.y + 1,
        width: layout.title.width,
        height: layout.status.y.saturating_sub(layout.title.y + 1),
    };
    if stands_alone(overlay) {
        canvas.clear(area);
    }
    match overlay {
        Overlay::Push(dialog) => push::draw(canvas, area, state, dialog),
        Overlay::Branch(dialog) => branch(canvas, area, dialog),
        Overlay::Merge(dialog) => merge::draw(canvas, area, state, dialog),
        Overlay::Target(dialog) => target::draw(canvas, area, state, dialog),
        Overlay::Quit(lines) => quit(canvas, area, lines, answers(overlay)),
        Overlay::Pushing { stops } => pushing(canvas, area, *stops, (state, answers(overlay))),
        Overlay::Resume(made) => resume(canvas, area, state, *made),
        Overlay::Mode => mode(canvas, area, answers(overlay)),
        Overlay::Order(dialog) => order(canvas, area, state, (dialog, answers(overlay))),
        Overlay::Hold(dialog) => hold(canvas, area, dialog),
        Overlay::Edit(dialog) => edit::draw(canvas, area, dialog),
        Overlay::Menu(found) => menu(canvas, area, found),
        Overlay::Palette(found) => palette::draw(canvas, area, state, found),
        Overlay::Find(open) => find::draw(canvas, area, open),
    }
}

/// Whether nothing of the view below is needed to answer; menus and short questions keep it in sight.
fn stands_alone(overlay: &Overlay) -> bool {
    matches!(
        overlay,
        Overlay::Push(_) | Overlay::Branch(_) | Overlay::Merge(_) | Overlay::Palette(_) | Overlay::Find(_)
    )
}

/// A row of keys and what they do, as dialogs have it.
fn keys(pairs: &[(&str, &str)]) -> Line {
    spaced_keys(pairs, ("  ", "      "))
}

/// The same with what stands behind each key and behind each word.
fn spaced_keys(pairs: &[(&str, &str)], (behind_key, behind_word): (&str, &str)) -> Line {
    pairs.iter().fold(Line::plain("  "), |line, (key, what)| {
        line.with(Role::KeyHint, *key).and(format!("{behind_key}{what}{behind_word}"))
    })
}

/// The same in a row of `width` cells: closer together where they have no room else.
fn keys_within(pairs: &[(&str, &str)], width: u16) -> Line {
    let wide = keys(pairs);
    let last = "      ".len();
    if wide.width() <= usize::from(width) + last { wide } else { spaced_keys(pairs, (" ", "  ")) }
}

/// What `y` and `n` do in a short question.
fn answers(overlay: &Overlay) -> Line {
    overlay.answers().map_or_else(Line::default, |(yes, no)| keys(&[("y", yes), ("n", no)]))
}

/// What is chosen where only `y` does what is asked.
fn enter_does_nothing() -> Line {
    Line::default().dim("  Enter does nothing here. ").with(Role::Select, "[cancel]").dim(" is selected.")
}

/// Draws a box around `lines`, those wrapped that are wider than the terminal; the cursor stands on its last row.
fn message_box(canvas: &mut Canvas<'_>, area: Rect, title: &str, least: u16, lines: &[Line]) -> Rect {
    let lines: Vec<Line> = lines.iter().flat_map(|line| line.wrap(room_of(area))).collect();
    let (width, height) = frame::size_of(&lines);
    let inside = frame::boxed(canvas, area, &frame::title(title), (width.max(least), height));
    let used = frame::lines(canvas, inside, &lines);
    canvas.put_cursor(inside.x, inside.y + used.saturating_sub(1));
    inside
}

/// The columns that a line of a box has at most.
fn room_of(area: Rect) -> usize {
    usize::from(area.width.saturating_sub(4))
}

/// Asks for the name of a branch that `changes`, in a field behind `ask`.
fn name_box(canvas: &mut Canvas<'_>, area: Rect, (title, ask): (&str, &str), changes: &Line, field: &Field) {
    let mut lines = changes.wrap(room_of(area));
    let above = to_cells(lines.len());
    lines.extend([
        Line::plain(ask),
        Line::default(),
        keys(&[("Enter", "when the name is typed"), ("Esc", "cancel")]),
    ]);
    let inside = message_box(canvas, area, title, 62, &lines);
    let used = to_cells(ask.len());
    let row =
        Rect { x: inside.x + used, y: inside.y + above, width: inside.width.saturating_sub(used), height: 1 };
    field::draw(canvas, row, field.text(), field.cursor(), Role::Text);
}

/// S9b.
fn branch(canvas: &mut Canvas<'_>, area: Rect, dialog: &BranchDialog) {
    let name = Shown::new(dialog.branch());
    let mut warnings = dialog.prepared.plan.groups.iter().flat_map(|group| &group.warnings);
    let frozen = warnings.any(|warning| warning.code == FREEZE);
    let title = if frozen { "Push during a freeze" } else { "Push to protected branch" };
    let changes = Line::plain("This changes  ").with(Role::StateWarn, name).and("  directly.");
    name_box(canvas, area, (title, "Type the branch name to push:  "), &changes, &dialog.field);
}

/// `H`: why, until when, and which tag.
fn hold(canvas: &mut Canvas<'_>, area: Rect, dialog: &HoldDialog) {
    let label = |at: usize, text: &str| {
        let role = if at == dialog.field { Role::KeyHint } else { Role::TextDim };
        Line::of(role, format!("{text:<8}"))
    };
    let is_rollback = dialog.is_rollback();
    let width = usize::from(area.width.saturating_sub(6)).min(90);
    let tag = Line::default().dim("        empty: whatever the policy selects");
    let mut lines = vec![
        label(HoldDialog::WHY, "Why"),
        label(HoldDialog::UNTIL, "Until").dim(" ".repeat(14)).dim("a date, or how long: 7d, 12h"),
        match (is_rollback, dialog.text(HoldDialog::TAG)) {
            (true, "") => label(HoldDialog::TAG, "Hold").dim("every tag, also one that comes later"),
            (true, _) => label(HoldDialog::TAG, "Hold"),
            (false, _) => label(HoldDialog::TAG, "Tag"),
        },
        if is_rollback { label(HoldDialog::BACK, "Back to") } else { tag },
        Line::default(),
    ];
    if is_rollback {
        keep::lines(&mut lines, dialog, width);
        let text = "The plan opens with what goes back; nothing is sent before you say so.";
        lines.extend([Line::default().dim(text), Line::default()]);
    } else if dialog.is_active {
        let text = "! The controller ignores holds, and the automation is active.";
        lines.extend([Line::of(Role::StateWarn, text), Line::default()]);
    }
    lines.push(if is_rollback {
        keys(&[("Enter", "go back"), ("Tab", "next field"), ("↓", "means"), ("Esc", "cancel")])
    } else {
        keys(&[("Enter", "hold"), ("Tab", "next field"), ("Esc", "cancel")])
    });
    let policy = Shown::from(dialog.policy.to_string()).cut_end(48);
    let title = if is_rollback { format!("Roll back {policy}?") } else { format!("Hold {policy}?") };
    let inside = message_box(canvas, area, &title, 62, &lines);
    for (at, field) in dialog.fields.iter().enumerate() {
        let width = if at == HoldDialog::UNTIL { 12 } else { inside.width.saturating_sub(8) };
        let row = Rect { x: inside.x + 8, y: inside.y + to_cells(at), width, height: 1 };
        if at == dialog.field {
            field::draw(canvas, row, field.text(), field.cursor(), Role::Text);
        } else {
            canvas.text(row.x, row.y, row.width, Shown::new(field.text()), Role::Text);
        }
    }
}

fn quit(canvas: &mut Canvas<'_>, area: Rect, unfinished: &[String], answers: Line) {
    let mut lines: Vec<Line> = unfinished.iter().map(|line| Line::plain(line.as_str())).collect();
    lines.extend([Line::default(), answers]);
    message_box(canvas, area, "Leave?", 40, &lines);
}

fn pushing(canvas: &mut Canvas<'_>, area: Rect, stops: bool, (state, answers): (&State, Line)) {
    let is_sending = state.push.as_ref().is_some_and(PushRun::is_sending);
    let so_far =
        if is_sending { "Commits are being sent, and are not called back." } else { "Nothing was sent yet." };
    let is_merge = state.push.as_ref().is_some_and(|push| matches!(push.task, Task::Merge(_)));
    let title = match (stops, is_merge) {
        (true, false) => "Stop the push?",
        (true, true) => "Stop the merge?",
        (false, false) => "Wait for the push?",
        (false, true) => "Wait for the merge?",
    };
    let lines = [
        Line::plain(so_far),
        Line::plain("It goes on behind any view; the title tells, and p shows it again."),
        Line::default(),
        answers,
    ];
    message_box(canvas, area, title, 40, &lines);
}

fn resume(canvas: &mut Canvas<'_>, area: Rect, state: &State, made: Option<Timestamp>) {
    let tally = state.review.tally();
    let from = |made| format!(" from {}", words::moment(state.now, made, &state.zone));
    let from = made.map_or_else(String::new, from);
    let updates = words::count(tally.pending - tally.undecided, "update");
    let how = format!(
        "{updates} decided in an earlier run: {} approved, {} skipped.",
        tally.approved, tally.skipped
    );
    let lines = [
        Line::plain(how),
        Line::plain("What they change is the same as then."),
        Line::default(),
        keys(&[("y", "resume"), ("n", "undecided again"), ("Esc", "resume")]),
    ];
    message_box(canvas, area, &format!("Resume {updates}{from}?"), 40, &lines);
}

fn mode(canvas: &mut Canvas<'_>, area: Rect, answers: Line) {
    let lines = [
        Line::plain("Pushes will be real from now on."),
        Line::plain("Each of them still shows what it would do and asks first."),
        Line::default(),
        answers,
    ];
    message_box(canvas, area, "Switch to WRITE?", 40, &lines);
}

/// How many objects are named in a question, and for how many of them the line of flux is given.
const NAMED: (usize, usize) = (8, 4);

/// An order to the controllers: what, for whom, and how flux would say it.
fn order(canvas: &mut Canvas<'_>, area: Rect, state: &State, (dialog, answers): (&OrderDialog, Line)) {
    let OrderDialog { order, kind, objects, denied } = dialog;
    let most = usize::from(area.width.saturating_sub(10));
    let shown = |text: String| Shown::from(text).cut_middle(most);
    let mut lines: Vec<Line> =
        objects.iter().take(NAMED.0).map(|id| Line::plain(shown(format!("{} {id}", human(*kind))))).collect();
    let beyond = |all: usize, named: usize| all.checked_sub(named).filter(|more| *more > 0);
    let more = |named: usize| beyond(objects.len(), named);
    lines.extend(more(NAMED.0).map(|more| Line::plain(format!("and {more} more"))));
    let left_out = denied.iter().take(NAMED.1).map(|(id, why)| format!("left out: {id}: {why}"));
    let others = beyond(denied.len(), NAMED.1).map(|more| format!("left out: {more} more"));
    lines.extend(left_out.chain(others).map(|text| Line::of(Role::StateWarn, text)));
    lines.push(Line::default());
    let place = state.flux_place();
    let commands = objects.iter().take(NAMED.1).map(|id| Line::default().dim(order.flux(*kind, id, place)));
    lines.extend(commands);
    lines.extend(more(NAMED.1).map(|more| Line::default().dim(format!("and so on for {more} more"))));
    if state.mode != Mode::Write {
        lines.push(Line::plain("DRY-RUN: the API server only tries it."));
    }
    lines.push(Line::default());
    lines.push(answers);
    let cluster = Shown::new(&state.source).cut_end(24);
    let title = format!("{} in {cluster}?", order.title());
    message_box(canvas, area, &title, 40, &lines);
}

/// A small list: what can be chosen, and what each stands for.
fn menu(canvas: &mut Canvas<'_>, area: Rect, menu: &Menu) {
    let label = menu.entries.iter().map(|entry| Shown::new(&entry.label).width()).max().unwrap_or(0);
    let most = usize::from(area.width.saturating_sub(8)).saturating_sub(label + 5);
    let height = usize::from(area.height.saturating_sub(2));
    let top = fit(0, menu.cursor, menu.entries.len(), height);
    let lines: Vec<Line> = menu
        .entries
        .iter()
        .skip(top)
        .take(height)
        .map(|entry| {
            let text = Shown::new(&entry.label);
            let pad = " ".repeat((label + 3).saturating_sub(text.width()));
            let line = Line::plain("  ").and(text);
            if entry.value.is_empty() {
                line
            } else {
                line.and(pad).dim(Shown::new(&entry.value).cut_middle(most))
            }
        })
        .collect();
    let inside = message_box(canvas, area, menu.title, 24, &lines);
    for (y, index) in (inside.y..inside.bottom()).zip(top..menu.entries.len()) {
        canvas.spot(Rect { y, height: 1, ..inside }, Spot::Choice(index));
    }
    let y = inside.y + to_cells(menu.cursor - top);
    if y < inside.bottom() {
        canvas.highlight(Rect { y, height: 1, ..inside });
        canvas.mark(inside.x, y);
        canvas.put_cursor(inside.x, y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_a_dialog_have_one_row_on_a_small_terminal_too() {
        let pairs = [("y", "push"), ("n", "cancel"), ("d", "view diff"), ("b", "change target")];
        assert_eq!(keys_within(&pairs, 70), keys(&pairs));
        assert!(keys_within(&pairs, 52).width() <= 52);
    }
}
