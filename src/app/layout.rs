//! Where every pane of a view lies at a terminal size; used by `update`, which needs heights to scroll, and by `views`,
//! which draw there, so that the two cannot disagree.

use super::view::{Focus, View};

/// A terminal's size in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// A rectangle of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Area {
    /// First column.
    pub x: u16,
    /// First row.
    pub y: u16,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Area {
    /// The first `rows` rows, and what is left below them.
    fn split_top(self, rows: u16) -> (Self, Self) {
        let rows = rows.min(self.height);
        (Self { height: rows, ..self }, Self { y: self.y + rows, height: self.height - rows, ..self })
    }

    /// What is left above the last `rows` rows, and these.
    fn split_bottom(self, rows: u16) -> (Self, Self) {
        let rows = rows.min(self.height);
        self.split_top(self.height - rows)
    }

    /// The first `columns` columns, and what is left right of them.
    fn split_left(self, columns: u16) -> (Self, Self) {
        let columns = columns.min(self.width);
        (Self { width: columns, ..self }, Self { x: self.x + columns, width: self.width - columns, ..self })
    }
}

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Too small for anything but saying so: below 60x16.
    T0,
    /// One pane: below 100 columns or 28 rows.
    T1,
    /// The list over its preview: below 140 columns.
    T2,
    /// The list beside its preview: below 200 columns or 40 rows.
    T3,
    /// S1 beside its sites and their diff.
    T4,
}

impl Tier {
    /// The tier of a terminal of this size.
    pub fn of(size: Size) -> Self {
        match size {
            Size { width: ..60, .. } | Size { height: ..16, .. } => Self::T0,
            Size { width: ..100, .. } | Size { height: ..28, .. } => Self::T1,
            Size { width: ..140, .. } => Self::T2,
            Size { width: ..200, .. } | Size { height: ..40, .. } => Self::T3,
            Size { .. } => Self::T4,
        }
    }
}

/// The panes right of a list and its preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sides {
    /// The sites of the update under the cursor.
    pub sites: Area,
    /// Their diff.
    pub diff: Area,
}

/// The panes of the view that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// How much room there is.
    pub tier: Tier,
    /// The first row.
    pub title: Area,
    /// The row of views; absent at [`Tier::T1`] and in views that put a line of their own there.
    pub tabs: Option<Area>,
    /// Lines above the rows: column heads, in S3 the policy above them, in S7 the summary.
    pub header: Area,
    /// The rows of the view's list (in S7 the tree; no height where the other pane has all the room).
    pub list: Area,
    /// The other pane, its rule or heading line included: preview, why panel, or S7's diff.
    pub preview: Option<Area>,
    /// Whether [`Self::preview`] lies over the list because there is no room beside or below it.
    pub overlay: bool,
    /// What S1 has right of its list at [`Tier::T4`].
    pub sides: Option<Sides>,
    /// The status line.
    pub status: Area,
    /// The footer.
    pub hints: Area,
}

/// What decides where panes lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Front {
    /// The terminal's size.
    pub size: Size,
    /// The view in front.
    pub view: View,
    /// Which pane of S7 has the keys.
    pub focus: Focus,
    /// Whether the preview was laid over its list.
    pub over: bool,
    /// Whether the list was given all the room.
    pub zoomed: bool,
    /// By how many hundredths of the room the list has more than it begins with; less where it is negative.
    pub share: i16,
    /// Whether there is one pane, however large the terminal: what is not shown needs no bytes.
    pub single: bool,
}

impl Layout {
    /// The layout of the view that is in front.
    pub fn of(front: Front) -> Self {
        let Front { size, view, .. } = front;
        let most = if front.single { Tier::T1 } else { Tier::T4 };
        let tier = Tier::of(size).min(most);
        let screen = Area { x: 0, y: 0, width: size.width, height: size.height };
        let (title, rest) = screen.split_top(1);
        let (rest, hints) = rest.split_bottom(1);
        let (rest, status) = rest.split_bottom(1);
        let has_tabs = tier >= Tier::T2 && has_tabs(view);
        let (tabs, rest) = rest.split_top(u16::from(has_tabs));
        let (header, body) = rest.split_top(header_rows(view, tier));
        let (body, sides) = sides(front, tier, body);
        let (list, preview, overlay) = panes(front, tier, body);
        let tabs = has_tabs.then_some(tabs);
        Self { tier, title, tabs, header, list, preview, overlay, sides, status, hints }
    }

    /// Whether the rows of S3 have room for the digests of their tags; the view places its columns by the same widths.
    pub fn has_digests(&self) -> bool {
        let least = match self.tier {
            Tier::T0 | Tier::T1 => 99,
            Tier::T2 => 108,
            Tier::T3 | Tier::T4 => 86,
        };
        self.list.width >= least
    }

    /// How many rows of the list are shown.
    pub fn rows(&self) -> usize {
        usize::from(self.list.height)
    }
}

fn has_tabs(view: View) -> bool {
    !matches!(
        view,
        View::Diff | View::Message | View::Playground | View::Push | View::Help | View::Errors | View::Start
    )
}

fn header_rows(view: View, tier: Tier) -> u16 {
    match view {
        View::Updates
        | View::Repositories
        | View::Policies
        | View::Automations
        | View::Plan
        | View::Log
        | View::Errors => 1,
        View::Tags => 2,
        View::Diff => {
            if tier >= Tier::T2 {
                2
            } else {
                1
            }
        }
        View::Playground | View::Message | View::Push | View::Help | View::Start => 0,
    }
}

/// The rows that a view's preview has on a terminal of 30 rows; `None`: the view has no preview.
fn preview_rows(view: View) -> Option<u16> {
    match view {
        View::Updates | View::Automations => Some(14),
        View::Repositories => Some(11),
        View::Tags | View::Policies | View::Errors => Some(12),
        View::Log => Some(8),
        View::Playground
        | View::Plan
        | View::Diff
        | View::Message
        | View::Push
        | View::Help
        | View::Start => None,
    }
}

/// The least rows of a pane that a person makes smaller.
const LEAST_ROWS: u16 = 4;
/// The least columns of one.
const LEAST_COLUMNS: u16 = 24;

/// What the first of two panes gets of `whole` cells, which begins with `first` and has its share changed; no pane gets less
/// than `least`, and where there is no room for that nothing changes.
fn shared(first: u16, whole: u16, (share, least): (i16, u16)) -> u16 {
    if share == 0 || whole < 2 * least {
        return first;
    }
    let more = i32::from(whole) * i32::from(share) / 100;
    let wanted = u16::try_from((i32::from(first) + more).max(0)).unwrap_or(whole);
    wanted.clamp(least, whole - least)
}

/// The rows of a list over its other pane, which begins with `rows` of them.
fn above(body: Area, rows: u16, share: i16) -> (Area, Area) {
    body.split_top(shared(body.height.saturating_sub(rows), body.height, (share, LEAST_ROWS)))
}

/// A list that begins with so many columns beside its other pane.
fn beside(body: Area, columns: u16, share: i16) -> (Area, Area) {
    body.split_left(shared(columns, body.width, (share, LEAST_COLUMNS)))
}

/// The rows of the reasons below the list of S1 at [`Tier::T4`].
const WHY_ROWS: u16 = 12;

/// What is left for the list of S1 and its reasons, and the panes right of them: two, one and two parts of the width.
fn sides(front: Front, tier: Tier, body: Area) -> (Area, Option<Sides>) {
    if front.view != View::Updates || tier < Tier::T4 || front.zoomed {
        return (body, None);
    }
    let (left, right) = beside(body, body.width * 2 / 5, front.share);
    let (sites, diff) = right.split_left(right.width / 3);
    (left, Some(Sides { sites, diff }))
}

/// The list, its other pane, and whether that lies over the list.
fn panes(front: Front, tier: Tier, body: Area) -> (Area, Option<Area>, bool) {
    let view = front.view;
    if view == View::Diff {
        return diff_panes(front, tier, body);
    }
    let Some(rows) = preview_rows(view) else { return (body, None, false) };
    match tier {
        Tier::T1 if front.over => (body, Some(body), true),
        Tier::T1 if view == View::Tags && body.height >= 18 && !(front.zoomed || front.single) => {
            let (list, preview) = above(body, 6, front.share);
            (list, Some(preview), false)
        }
        Tier::T0 | Tier::T1 => (body, None, false),
        // What was written down is read whole, and nothing of the list is of use beside it.
        Tier::T2 | Tier::T3 | Tier::T4 if front.over && matches!(view, View::Log | View::Errors) => {
            (body, Some(body), true)
        }
        Tier::T2 | Tier::T3 | Tier::T4 if front.zoomed => (body, None, false),
        Tier::T2 => {
            let extra = i32::from(front.size.height) - 30;
            let rows = u16::try_from(i32::from(rows) + extra.div_euclid(5)).unwrap_or(rows);
            let (list, preview) = above(body, rows, front.share);
            (list, Some(preview), false)
        }
        Tier::T4 if view == View::Updates => {
            let (list, preview) = body.split_bottom(WHY_ROWS);
            (list, Some(preview), false)
        }
        Tier::T3 | Tier::T4 => {
            let (list, preview) = beside(body, body.width * 55 / 100, front.share);
            (list, Some(preview), false)
        }
    }
}

/// The tree and the diff: beside each other, or the one that has the focus.
fn diff_panes(front: Front, tier: Tier, body: Area) -> (Area, Option<Area>, bool) {
    match tier {
        Tier::T0 | Tier::T1 => match front.focus {
            Focus::List => (body, None, false),
            Focus::Other => (Area { height: 0, ..body }, Some(body), false),
        },
        Tier::T2 => {
            let (tree, diff) = beside(body, 34, front.share);
            (tree, Some(diff), false)
        }
        Tier::T3 | Tier::T4 => {
            let (tree, diff) = beside(body, (body.width * 30 / 100).clamp(34, 48), front.share);
            (tree, Some(diff), false)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(width: u16, height: u16, view: View) -> Layout {
        shared_at(width, height, (view, 0))
    }

    fn shared_at(width: u16, height: u16, (view, share): (View, i16)) -> Layout {
        let size = Size { width, height };
        let focus = Focus::List;
        Layout::of(Front { size, view, focus, over: false, zoomed: false, share, single: false })
    }

    #[test]
    fn a_share_moves_the_wall_and_leaves_each_pane_some_room() {
        let rows = |share| shared_at(100, 30, (View::Updates, share)).list.height;
        assert_eq!((rows(-20), rows(0), rows(20)), (6, 11, 16));
        let columns = |view, share| shared_at(160, 45, (view, share)).list.width;
        assert_eq!((columns(View::Policies, 0), columns(View::Policies, -10)), (88, 72));
        assert_eq!(columns(View::Diff, 0) + 16, columns(View::Diff, 10));
        let wide = shared_at(200, 60, (View::Updates, 10));
        assert_eq!((wide.list.width, wide.sides.map(|sides| sides.sites.width)), (100, Some(33)));
        assert_eq!(columns(View::Policies, -90), LEAST_COLUMNS);
    }

    #[test]
    fn at_80x24_at_least_twenty_rows_are_content() {
        for view in [View::Updates, View::Repositories, View::Policies, View::Automations] {
            assert_eq!(at(80, 24, view).rows(), 20, "{view:?}");
        }
    }

    #[test]
    fn the_panes_of_the_frames_lie_where_the_frames_have_them() {
        for (view, rule) in [
            (View::Updates, 14),
            (View::Repositories, 17),
            (View::Tags, 16),
            (View::Policies, 16),
            (View::Automations, 14),
        ] {
            assert_eq!(at(100, 30, view).preview.unwrap().y, rule, "{view:?}");
        }
        let wide = at(200, 60, View::Updates);
        let sides = wide.sides.unwrap();
        assert_eq!((wide.list.width, sides.sites.width, sides.diff.width), (80, 40, 80));
        assert_eq!((sides.sites.height, sides.diff.height), (55, 55));
        assert_eq!((wide.preview.unwrap().y, wide.preview.unwrap().x), (46, 0), "why stands below the list");
        assert!(at(200, 60, View::Policies).sides.is_none() && at(200, 39, View::Updates).sides.is_none());
        assert_eq!(at(80, 24, View::Tags).preview.unwrap().y, 16);
        assert_eq!(at(100, 40, View::Updates).preview.unwrap().height, 16);
    }

    proptest! {
        #[test]
        fn no_size_is_too_small_or_too_large(width in 0u16..400, height in 0u16..200, share in -100i16..=100) {
            for view in View::ALL {
                let layout = shared_at(width, height, (view, share));
                let sides = layout.sides.into_iter().flat_map(|sides| [sides.sites, sides.diff]);
                let bars = [layout.title, layout.header, layout.list, layout.status, layout.hints];
                for area in bars.into_iter().chain(layout.preview).chain(sides) {
                    prop_assert!(area.x + area.width <= width && area.y + area.height <= height);
                }
            }
        }
    }
}
