//! Which columns of a table fit a width, and how wide each becomes.

/// How a cell that is too wide is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Its end goes.
    End,
    /// Its middle goes: tags.
    Middle,
    /// Its start goes, or the end of its host: names of images, paths.
    Start,
}

/// One column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// The heading.
    pub(crate) title: &'static str,
    /// The least width that still reads well; the columns behind it in the order of dropping go before this shrinks.
    pub(crate) width: u16,
    /// The width below which it never goes.
    pub(crate) floor: u16,
    /// Up to which width it grows.
    pub(crate) grow: u16,
    /// Whether its cells end at its right edge.
    pub(crate) right: bool,
    /// How its cells are cut.
    pub(crate) cut: Cut,
    /// When it is dropped: 1 first; 0 never.
    pub(crate) drop: u8,
    /// Whether it takes what is left over before the others do.
    pub(crate) first: bool,
    /// Whether it is no wider than its rows need where others lack room.
    pub(crate) snug: bool,
    /// Columns that are dropped up to this order go where this one would be cut for them; 0: none.
    pub(crate) over: u8,
}

/// What the rows of a table need of a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Need {
    /// The cells in which nothing that matters is cut.
    pub(crate) whole: u16,
    /// The cells in which nothing is cut.
    pub(crate) full: u16,
}

impl Need {
    /// What is needed for both.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self { whole: self.whole.max(other.whole), full: self.full.max(other.full) }
    }
}

impl Column {
    /// A column of exactly `width` cells that is never dropped.
    pub(crate) const fn fixed(title: &'static str, width: u16) -> Self {
        let (right, cut) = (false, Cut::End);
        Self {
            title,
            width,
            floor: width,
            grow: width,
            right,
            cut,
            drop: 0,
            first: false,
            snug: false,
            over: 0,
        }
    }

    /// The same, never narrower than so many cells.
    #[must_use]
    pub(crate) fn at_least(mut self, width: u16) -> Self {
        self.width = self.width.max(width);
        self.floor = self.floor.max(width);
        self.grow = self.grow.max(width);
        self
    }

    /// The same, growing up to `grow` cells and shrinking down to `floor`.
    #[must_use]
    pub(crate) const fn flex(mut self, floor: u16, grow: u16) -> Self {
        self.floor = floor;
        self.grow = grow;
        self
    }

    /// The same, dropped as the `order`th when there is too little room.
    #[must_use]
    pub(crate) const fn drop(mut self, order: u8) -> Self {
        self.drop = order;
        self
    }

    /// The same, growing before the others.
    #[must_use]
    pub(crate) const fn first(mut self) -> Self {
        self.first = true;
        self
    }

    /// The same, no wider than its rows need where others lack room.
    #[must_use]
    pub(crate) const fn snug(mut self) -> Self {
        self.snug = true;
        self
    }

    /// The same, whole before columns that are dropped up to the `order`th are there at all.
    #[must_use]
    pub(crate) const fn over(mut self, order: u8) -> Self {
        self.over = order;
        self
    }

    /// The same, with its cells at the right edge.
    #[must_use]
    pub(crate) const fn right(mut self) -> Self {
        self.right = true;
        self
    }

    /// The same, cut so.
    #[must_use]
    pub(crate) const fn cut(mut self, cut: Cut) -> Self {
        self.cut = cut;
        self
    }
}

/// A column that fits: its index in the table's list, where it begins and how wide it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    /// Which column.
    pub(crate) index: usize,
    /// The first cell, counted from the table's left edge.
    pub(crate) x: u16,
    /// The cells.
    pub(crate) width: u16,
}

/// Places `columns` behind a gutter of one cell, with one blank between them, whatever their rows hold.
pub(crate) fn place(columns: &[Column], width: u16) -> Vec<Placed> {
    let unknown = |column: &Column| Need { whole: column.width, full: column.grow };
    let needs: Vec<Need> = columns.iter().map(unknown).collect();
    place_for(columns, &needs, width, true)
}

/// Places `columns` by what their rows need.
///
/// Columns are dropped whole in their stated order and not squeezed below what reads well, or what they need if that is
/// less; only when none is left to drop do the others shrink to their floors. What is left over goes to those that
/// lack something, then to those that grow: each time those that are `first`, then the others, from the left.
///
/// Where the table `scrolls`, which columns there are does not depend on their rows: none comes or goes under way.
pub(crate) fn place_for(columns: &[Column], needs: &[Need], width: u16, scrolls: bool) -> Vec<Placed> {
    let need = |index: usize| needs.get(index).copied().unwrap_or_default();
    let mut least: Vec<u16> =
        columns.iter().enumerate().map(|(index, column)| start(column, need(index))).collect();
    // From the right: the narrow columns stand there, and the widest then knows what is left for it.
    for (index, column) in columns.iter().enumerate().rev().filter(|(_, column)| column.over > 0) {
        let stays = |other: &Column| other.drop == 0 || other.drop > column.over;
        let others = columns.iter().enumerate().filter(|(at, other)| *at != index && stays(other));
        let room = width.saturating_sub(1 + others.map(|(at, _)| least[at] + 1).sum::<u16>());
        least[index] = need(index).whole.min(column.grow).min(room).max(least[index]);
    }
    let kept =
        kept(
            columns,
            width,
            |index| {
                if scrolls { least[index].max(columns[index].width) } else { least[index] }
            },
        );
    let mut widths: Vec<u16> = kept.iter().map(|&index| least[index]).collect();
    let total = widths.iter().map(|width| width + 1).sum::<u16>();
    if total > width {
        shrink(&mut widths, &kept, columns, total - width);
    } else {
        let mut left = width - total;
        grow(&mut widths, (kept.as_slice(), columns), &mut left, |index| need(index).whole);
        let roomy = |index: usize| need(index).full.max(columns[index].width);
        grow(&mut widths, (kept.as_slice(), columns), &mut left, roomy);
    }
    let mut x = 1;
    let placed = kept.iter().zip(widths).map(|(&index, width)| {
        let placed = Placed { index, x, width };
        x += width + 1;
        placed
    });
    placed.collect()
}

/// Places all `columns`, each as wide as it needs, the first `standing` of them always and of the others those behind the first
/// `skipped`, as far as there is room; the last has what is left.
pub(crate) fn place_wide(
    columns: &[Column],
    needs: &[Need],
    width: u16,
    (standing, skipped): (usize, usize),
) -> Vec<Placed> {
    let mut x = 1;
    let mut placed = Vec::new();
    let others = columns.len().saturating_sub(standing);
    let skipped = skipped.min(others.saturating_sub(1));
    for (index, column) in columns.iter().enumerate() {
        if (standing..standing + skipped).contains(&index) {
            continue;
        }
        let need = needs.get(index).copied().unwrap_or_default();
        let floor = if column.snug { need.full.min(column.floor) } else { column.floor };
        let width = need.full.min(column.grow).max(floor).min(width.saturating_sub(x));
        if width < floor {
            break;
        }
        placed.push(Placed { index, x, width });
        x += width + 1;
    }
    placed
}

/// The width that a column begins with. The one that is dropped first takes no room that a more important one has use for.
fn start(column: &Column, need: Need) -> u16 {
    let well = if column.drop == 1 { column.floor } else { column.width };
    let floor = if column.snug { 0 } else { column.floor };
    well.min(need.whole.max(floor))
}

/// The columns that stay where each takes `least` cells.
fn kept(columns: &[Column], width: u16, least: impl Fn(usize) -> u16) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let needed = |kept: &[usize]| kept.iter().map(|&index| least(index) + 1).sum::<u16>();
    while needed(&kept) > width {
        let droppable = kept.iter().copied().filter(|&index| columns[index].drop > 0);
        let Some(first) = droppable.min_by_key(|&index| columns[index].drop) else { break };
        kept.retain(|&index| index != first);
    }
    kept
}

fn shrink(widths: &mut [u16], kept: &[usize], columns: &[Column], mut missing: u16) {
    // From the widest to the narrowest, so that no column pays for all.
    while missing > 0 {
        let slack = |at: usize| widths[at].saturating_sub(columns[kept[at]].floor);
        let Some(at) = (0..widths.len()).filter(|&at| slack(at) > 0).max_by_key(|&at| widths[at]) else {
            return;
        };
        widths[at] -= 1;
        missing -= 1;
    }
}

/// Gives of what is `left` to each column as far as it is `wanted` and the column grows.
fn grow(
    widths: &mut [u16],
    (kept, columns): (&[usize], &[Column]),
    left: &mut u16,
    wanted: impl Fn(usize) -> u16,
) {
    for first in [true, false] {
        for (width, &index) in
            widths.iter_mut().zip(kept).filter(|(_, index)| columns[**index].first == first)
        {
            let more = wanted(index).min(columns[index].grow).saturating_sub(*width).min(*left);
            *width += more;
            *left -= more;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COLUMNS: [Column; 4] = [
        Column::fixed("DEC", 3),
        Column::fixed("POLICY", 19).flex(12, 30),
        Column::fixed("STEP", 5).drop(2),
        Column::fixed("AGE", 4).right().drop(1),
    ];

    #[test]
    fn columns_go_whole_and_in_order() {
        let titles = |width| {
            place(&COLUMNS, width).iter().map(|placed| COLUMNS[placed.index].title).collect::<Vec<_>>()
        };
        assert_eq!(titles(40), ["DEC", "POLICY", "STEP", "AGE"]);
        assert_eq!(titles(34), ["DEC", "POLICY", "STEP"]);
        assert_eq!(titles(29), ["DEC", "POLICY"]);
    }

    #[test]
    fn wide_columns_are_whole_and_scroll_behind_those_that_stand() {
        let needs = [Need { whole: 30, full: 30 }; 4];
        let titles = |width, skipped| {
            let placed = place_wide(&COLUMNS, &needs, width, (2, skipped));
            placed.iter().map(|placed| (COLUMNS[placed.index].title, placed.width)).collect::<Vec<_>>()
        };
        assert_eq!(titles(47, 0), [("DEC", 3), ("POLICY", 30), ("STEP", 5), ("AGE", 4)]);
        assert_eq!(titles(42, 0), [("DEC", 3), ("POLICY", 30), ("STEP", 5)], "none is squeezed");
        assert_eq!(titles(42, 1), [("DEC", 3), ("POLICY", 30), ("AGE", 4)]);
        assert_eq!(titles(42, 9), titles(42, 1), "one is always left");
        assert_eq!(titles(30, 0), [("DEC", 3), ("POLICY", 25)], "the last has what is left");
    }

    #[test]
    fn what_is_left_over_goes_to_those_that_grow_and_what_lacks_comes_from_them() {
        assert_eq!(place(&COLUMNS, 40)[1], Placed { index: 1, x: 5, width: 24 });
        assert_eq!(place(&COLUMNS, 20)[1], Placed { index: 1, x: 5, width: 15 });
    }

    #[test]
    fn a_column_gives_what_its_rows_do_not_need_to_one_that_lacks_it() {
        let columns = [
            Column::fixed("NAME", 20).flex(8, 40),
            Column::fixed("TAG", 10).flex(8, 40).first(),
            Column::fixed("STATUS", 12).snug(),
        ];
        let widths = |needs: [u16; 3]| {
            let needs = needs.map(|cells| Need { whole: cells, full: cells });
            place_for(&columns, &needs, 45, false).iter().map(|placed| placed.width).collect::<Vec<_>>()
        };
        assert_eq!(widths([20, 20, 12]), [20, 10, 12], "each reads well before any is whole");
        assert_eq!(widths([12, 20, 6]), [16, 20, 6], "what is left over then makes room");
    }

    #[test]
    fn what_is_dropped_early_goes_where_a_more_important_column_would_be_cut_for_it() {
        let columns = [
            Column::fixed("POLICY", 10),
            Column::fixed("LATEST", 12).flex(8, 30).over(1),
            Column::fixed("STATUS", 6).drop(2),
            Column::fixed("SITES", 9).drop(1),
        ];
        let titles = |latest: u16| {
            let needs = [10, latest, 6, 9].map(|cells| Need { whole: cells, full: cells });
            let placed = place_for(&columns, &needs, 42, true);
            placed.iter().map(|placed| columns[placed.index].title).collect::<Vec<_>>()
        };
        assert_eq!(titles(12), ["POLICY", "LATEST", "STATUS", "SITES"]);
        assert_eq!(titles(20), ["POLICY", "LATEST", "STATUS"]);
        assert_eq!(titles(60), ["POLICY", "LATEST", "STATUS"], "no more than it takes");
    }

    #[test]
    fn a_word_is_whole_before_a_column_is_there_that_goes_earlier() {
        let columns = [
            Column::fixed("NEW", 20).flex(10, 49).first().over(4),
            Column::fixed("STEP", 5).flex(5, 6).drop(6).over(5),
            Column::fixed("AGE", 4).drop(3),
        ];
        let needs = [30, 6, 2].map(|cells| Need { whole: cells, full: cells });
        for (width, count) in [(39, 2), (42, 2), (44, 3)] {
            let placed = place_for(&columns, &needs, width, true);
            assert_eq!((placed.len(), placed[1].width), (count, 6), "{width}: {placed:?}");
        }
    }

    #[test]
    fn which_columns_there_are_does_not_change_while_a_list_scrolls() {
        let least = COLUMNS.map(|column| Need { whole: column.floor, full: column.floor });
        let titles = |scrolls| place_for(&COLUMNS, &least, 32, scrolls).len();
        assert_eq!((titles(false), titles(true)), (4, 3));
        assert_eq!(place(&COLUMNS, 32).len(), 3);
    }

    proptest! {
        #[test]
        fn placed_columns_never_overlap_nor_leave_the_width(
            width in 18_u16..300,
            needs in proptest::array::uniform4((0_u16..80, 0_u16..40)),
            scrolls: bool,
        ) {
            let needs = needs.map(|(whole, more)| Need { whole, full: whole + more });
            let placed = place_for(&COLUMNS, &needs, width, scrolls);
            for pair in placed.windows(2) {
                prop_assert_eq!(pair[0].x + pair[0].width + 1, pair[1].x);
            }
            let last = placed[placed.len() - 1];
            prop_assert!(last.x + last.width <= width);
        }
    }
}
