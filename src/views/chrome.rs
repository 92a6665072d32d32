//! The rows around every view: title, tabs, status line and hints.

use ratatui::layout::Rect;

use super::widgets::canvas::{Canvas, to_cells};
use super::widgets::frame;
use super::widgets::line::Line;
use crate::app::pointer::Spot;
use crate::app::view::View;
use crate::text::Shown;
use crate::theme::Role;

/// What stands in the title row.
#[derive(Debug)]
pub(super) struct Title {
    /// The program's name, or `DEMO` behind it.
    pub(super) program: Line,
    /// Where the data come from, then the views one came through.
    pub(super) crumbs: Vec<Shown>,
    /// How far the scan is, from the longest to the shortest way to say it.
    pub(super) scan: Vec<Line>,
    /// Problems that nobody looked at yet.
    pub(super) errors: usize,
    /// That the cluster is not reached, and for how long.
    pub(super) lost: Option<String>,
    /// Whether nothing is taken in that is new.
    pub(super) frozen: bool,
    /// The mode.
    pub(super) badge: (Role, &'static str),
}

/// The longest name of a source in the crumbs.
const SOURCE_MOST: usize = 24;

/// Draws the title. The badge and `!n` always fit; then crumbs collapse from the left, then the scan is said shorter.
pub(super) fn title(canvas: &mut Canvas<'_>, area: Rect, title: &Title) {
    let is_narrow = area.width < 100;
    let width = usize::from(area.width);
    let fixed = alarm(title);
    let gap = if is_narrow { 1 } else { 2 };
    let head = Line::plain(" ").append(title.program.clone()).and(" ".repeat(gap));
    let crumbs = title
        .crumbs
        .iter()
        .enumerate()
        .map(|(at, crumb)| if at == 0 { crumb.cut_end(SOURCE_MOST) } else { crumb.clone() });
    let crumbs: Vec<Shown> = crumbs.collect();
    let keep = if is_narrow { 2 } else { crumbs.len() };
    let room = width.saturating_sub(head.width() + fixed.width() + 1);
    // Where there is little room the longest way to say it is not even tried.
    let scans = title.scan.get(usize::from(is_narrow)..).unwrap_or_default();
    let (trail, scan) = fit(&crumbs, keep, scans, room);
    let x = canvas.line(area.x, area.y, area.width, &head);
    canvas.line(area.x + x, area.y, to_cells(room), &trail);
    canvas.line_right(area.x, area.y, area.width, &scan.append(fixed));
}

/// `!2  [DRY-RUN]`.
fn alarm(title: &Title) -> Line {
    let mut alarm = if title.frozen {
        Line::default().and("  ").with(Role::StateInfo, "FROZEN")
    } else {
        Line::default()
    };
    if let Some(lost) = &title.lost {
        alarm = alarm.and("  ").with(Role::StateStale, lost);
    }
    if title.errors > 0 {
        alarm = alarm.and("  ").with(Role::StateError, format!("!{}", title.errors));
    }
    let (role, badge) = title.badge;
    alarm.and("  ").with(role, badge)
}

/// The longest trail of at most `keep` crumbs and the longest scan that fit beside each other.
fn fit(crumbs: &[Shown], keep: usize, scans: &[Line], room: usize) -> (Line, Line) {
    let none = Line::default();
    for kept in (1..=keep.min(crumbs.len()).max(1)).rev() {
        let trail = trail(crumbs, kept);
        let last_chance = kept == 1;
        let fits = |scan: &&Line| trail.width() + scan.width() < room;
        if let Some(scan) = scans.iter().find(fits) {
            return (trail, scan.clone());
        }
        if trail.width() <= room || last_chance {
            return (trail.cut_end(room), none);
        }
    }
    (none.clone(), none)
}

/// `prod-eu › Plan › push`, or `… › push` if only the last ones are kept.
fn trail(crumbs: &[Shown], kept: usize) -> Line {
    let skipped = crumbs.len().saturating_sub(kept);
    let mut trail = if skipped > 0 { Line::of(Role::TextDim, "… › ") } else { Line::default() };
    for (at, crumb) in crumbs.iter().enumerate().skip(skipped) {
        let is_last = at + 1 == crumbs.len();
        trail = trail.with(if is_last { Role::Select } else { Role::Text }, crumb);
        if !is_last {
            trail = trail.dim(" › ");
        }
    }
    trail
}

/// One view in the row of tabs.
#[derive(Debug)]
pub(super) struct Tab {
    /// Its key; empty: it has none.
    pub(super) key: String,
    /// Its name.
    pub(super) name: &'static str,
    /// How many rows it has, where that says anything.
    pub(super) count: Option<usize>,
    /// Whether it is in front.
    pub(super) active: bool,
    /// The view.
    pub(super) view: View,
}

/// Draws the row of tabs.
pub(super) fn tabs(canvas: &mut Canvas<'_>, area: Rect, tabs: &[Tab]) {
    let mut x = area.x;
    for tab in tabs {
        let room = area.right().saturating_sub(x);
        let used = canvas.line(x, area.y, room, &tab_line(tab));
        canvas.spot(Rect { x, width: used, ..area }, Spot::Tab(tab.view));
        x += used + 2;
    }
}

fn tab_line(tab: &Tab) -> Line {
    let count = tab.count.map(|count| format!(" {count}")).unwrap_or_default();
    let between = if tab.key.is_empty() { "" } else { " " };
    if tab.active {
        let text = format!("[{}{between}{}{count}]", tab.key, tab.name);
        return Line::of(Role::BorderFocus, text);
    }
    let name = format!("{between}{}", tab.name);
    Line::plain(" ").with(Role::TextDim, &tab.key).and(name).dim(format!("{count} "))
}

/// A message that is longer than the status line takes this many rows at most.
const MOST_ROWS: usize = 4;

/// Draws a message that has no room on the status line, its last row there and the others above it; says whether it had none.
pub(super) fn long_status(canvas: &mut Canvas<'_>, area: Rect, text: &Line) -> bool {
    let width = area.width.saturating_sub(2);
    if text.width() <= usize::from(width) {
        return false;
    }
    let mut rows = text.wrap(usize::from(width));
    let over = rows.len() > MOST_ROWS;
    rows.truncate(MOST_ROWS);
    if let Some(last) = rows.last_mut().filter(|_| over) {
        *last = last.clone().and(" …").cut_end(usize::from(width));
    }
    let above = to_cells(rows.len().saturating_sub(1)).min(area.y);
    let place = Rect { y: area.y - above, height: above + 1, ..area };
    canvas.clear(place);
    frame::lines(canvas, Rect { x: area.x + 1, width, ..place }, &rows);
    true
}

/// Draws the status line: one message, and at the right end where one is.
pub(super) fn status(canvas: &mut Canvas<'_>, area: Rect, left: &Line, right: &Line) {
    let used = canvas.line(area.x + 1, area.y, area.width.saturating_sub(2), left);
    let room = area.width.saturating_sub(used + 4);
    if !right.is_empty() && to_cells(right.width()) <= room {
        canvas.line_right(area.x, area.y, area.width - 1, right);
    }
}

/// Draws the hints, each a key and what it does, and the way to help at the right end.
pub(super) fn hints<'h>(
    canvas: &mut Canvas<'_>,
    area: Rect,
    hints: impl IntoIterator<Item = (&'h str, &'h str)>,
    help: Option<(&str, &str)>,
) {
    let line_of = |(key, label): (&str, &str)| Line::of(Role::KeyHint, key).and(" ").dim(label);
    let help = help.map(line_of).unwrap_or_default();
    let end = area.right().saturating_sub(to_cells(help.width()) + 2);
    let mut x = area.x + 1;
    for hint in hints {
        let line = line_of(hint);
        if x + to_cells(line.width()) > end {
            break;
        }
        x += canvas.line(x, area.y, area.width, &line) + 2;
    }
    canvas.line_right(area.x, area.y, area.width.saturating_sub(1), &help);
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;

    use super::super::widgets::canvas::Look;
    use super::*;
    use crate::theme::{Depth, Theme};

    fn drawn(width: u16, what: impl FnOnce(&mut Canvas<'_>, Rect)) -> String {
        let theme = Theme::fallback(Depth::True);
        let area = Rect::new(0, 0, width, 1);
        let mut buffer = Buffer::empty(area);
        what(&mut Canvas::new(&mut buffer, Look { theme: &theme, ascii: false }), area);
        let row: String = (0..width).map(|x| buffer[(x, 0)].symbol()).collect();
        row.trim_end().to_owned()
    }

    fn title_of(crumbs: &[&str], width: u16) -> String {
        let scan = ["12/12 scanned 14:02", "12/12 14:02", "14:02"].map(Line::plain);
        let title = Title {
            program: Line::plain("PROG"),
            crumbs: crumbs.iter().map(|crumb| Shown::new(crumb)).collect(),
            scan: scan.into(),
            errors: 2,
            lost: None,
            frozen: false,
            badge: (Role::BadgeDryrun, "[DRY-RUN]"),
        };
        drawn(width, |canvas, area| super::title(canvas, area, &title))
    }

    #[test]
    fn the_title_gives_way_from_the_left_and_never_loses_the_mode() {
        assert_eq!(
            title_of(&["prod-eu", "Updates"], 100),
            " PROG  prod-eu › Updates                                          12/12 scanned 14:02  !2  [DRY-RUN]"
        );
        let tags = ["prod-eu", "Repositories", "shop/checkout-api", "tags"];
        assert_eq!(
            title_of(&tags, 100),
            " PROG  prod-eu › Repositories › shop/checkout-api › tags          12/12 scanned 14:02  !2  [DRY-RUN]"
        );
        assert_eq!(title_of(&tags, 60), " PROG … › shop/checkout-api › tags      14:02  !2  [DRY-RUN]");
        for width in 0..100 {
            let title = title_of(&tags, width);
            assert!(width < 16 || title.ends_with("!2  [DRY-RUN]"), "{width}: {title}");
        }
    }

    #[test]
    fn tabs_and_hints_read_as_in_the_frames() {
        let tab = |key: &str, name, count, active| Tab {
            key: key.to_owned(),
            name,
            count: Some(count),
            active,
            view: View::Updates,
        };
        let tabs = [
            tab("1", "Updates", 3, true),
            tab("", "Repositories", 12, false),
            tab("F3", "Policies", 14, false),
        ];
        assert_eq!(
            drawn(100, |canvas, area| super::tabs(canvas, area, &tabs)),
            "[1 Updates 3]   Repositories 12    F3 Policies 14"
        );
        let hints = [("Space", "approve"), ("s", "skip"), ("Enter", "diff")];
        assert_eq!(
            drawn(40, |canvas, area| super::hints(canvas, area, hints, Some(("?", "help")))),
            " Space approve  s skip           ? help"
                .replace("diff?", "diff ?")
                .replace("  Enter diff ?", "         ?")
        );
    }
}
