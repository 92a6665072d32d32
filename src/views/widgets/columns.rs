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
    /// Up to which width it takes what is left over.
    pub(crate) grow: u16,
    /// Whether its cells end at its right edge.
    pub(crate) right: bool,
    /// How its cells are cut.
    pub(crate) cut: Cut,
    /// When it is dropped: 1 first; 0 never.
    pub(crate) drop: u8,
    /// Whether it takes what is left over before the others do.
    pub(crate) first: bool,
}

impl Column {
    /// A column of exactly `width` cells that is never dropped.
    pub(crate) const fn fixed(title: &'static str, width: u16) -> Self {
        Self { title, width, floor: width, grow: width, right: false, cut: Cut::End, drop: 0, first: false }
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

/// Places `columns` behind a gutter of one cell, with one blank between them.
///
/// Columns are dropped whole in their stated order and not squeezed below what reads well; only when none is left to
/// drop do the others shrink to their floors. What is left over goes to the columns that grow: those
/// that are `first`, then the others, each from the left.
pub(crate) fn place(columns: &[Column], width: u16) -> Vec<Placed> {
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let needed = |kept: &[usize]| kept.iter().map(|&index| columns[index].width + 1).sum::<u16>();
    while needed(&kept) > width {
        let droppable = kept.iter().copied().filter(|&index| columns[index].drop > 0);
        let Some(first) = droppable.min_by_key(|&index| columns[index].drop) else { break };
        kept.retain(|&index| index != first);
    }
    // The column that is dropped first takes no room that a more important one has use for.
    let start = |column: &Column| if column.drop == 1 { column.floor } else { column.width };
    let mut widths: Vec<u16> = kept.iter().map(|&index| start(&columns[index])).collect();
    let total = widths.iter().map(|width| width + 1).sum::<u16>();
    if total > width {
        shrink(&mut widths, &kept, columns, total - width);
    } else {
        grow(&mut widths, &kept, columns, width - total);
    }
    let mut x = 1;
    let placed = kept.iter().zip(widths).map(|(&index, width)| {
        let placed = Placed { index, x, width };
        x += width + 1;
        placed
    });
    placed.collect()
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

fn grow(widths: &mut [u16], kept: &[usize], columns: &[Column], mut left: u16) {
    for first in [true, false] {
        for (width, column) in widths.iter_mut().zip(kept.iter().map(|&index| &columns[index])) {
            if column.first == first {
                let more = column.grow.saturating_sub(*width).min(left);
                *width += more;
                left -= more;
            }
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
    fn what_is_left_over_goes_to_those_that_grow_and_what_lacks_comes_from_them() {
        assert_eq!(place(&COLUMNS, 40)[1], Placed { index: 1, x: 5, width: 24 });
        assert_eq!(place(&COLUMNS, 20)[1], Placed { index: 1, x: 5, width: 15 });
    }

    proptest! {
        #[test]
        fn placed_columns_never_overlap_nor_leave_the_width(width in 18_u16..300) {
            let placed = place(&COLUMNS, width);
            for pair in placed.windows(2) {
                prop_assert_eq!(pair[0].x + pair[0].width + 1, pair[1].x);
            }
            let last = placed[placed.len() - 1];
            prop_assert!(last.x + last.width <= width);
        }
    }
}
