//! Where groups began and ended on the many ways of a run. Ways that split share what they have in common.

/// The mark before the first.
pub(super) const NONE: u32 = u32::MAX;
/// Fewer marks are not tidied up.
const LEAST: usize = 4_096;

/// The end of a group.
#[derive(Debug, Clone, Copy)]
struct Mark {
    slot: u32,
    /// The mark that was set before it on the same way, which is further to the front.
    before: u32,
    at: usize,
}

/// All marks of a run.
#[derive(Debug, Default)]
pub(super) struct Marks {
    all: Vec<Mark>,
    /// How many were left when they were last tidied up.
    left: usize,
    /// One more than the highest slot.
    slots: usize,
}

impl Marks {
    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.left = 0;
    }

    /// Sets a mark behind the mark `before`.
    pub(super) fn push(&mut self, slot: u32, at: usize, before: u32) -> u32 {
        self.slots = self.slots.max(slot as usize + 1);
        self.all.push(Mark { slot, before, at });
        u32::try_from(self.all.len() - 1).unwrap_or(NONE)
    }

    /// Writes the ends of all groups into `slots`, which hold `unset`, for the way whose last mark is `mark` and which ended
    /// at `end`.
    pub(super) fn write(&self, mut mark: u32, end: usize, slots: &mut [usize], unset: usize) {
        if let Some(slot) = slots.get_mut(1) {
            *slot = end;
        }
        while let Some(own) = self.all.get(mark as usize) {
            if let Some(slot) = slots.get_mut(own.slot as usize).filter(|slot| **slot == unset) {
                *slot = own.at;
            }
            mark = own.before;
        }
    }

    /// Drops the marks that matter to none of `ends` any more, if there are many, and renumbers the others.
    pub(super) fn tidy<'e>(&mut self, ends: impl Iterator<Item = &'e mut u32>) {
        if self.all.len() < LEAST.max(self.left * 2) {
            return;
        }
        let ends: Vec<&mut u32> = ends.collect();
        let mut numbers = vec![NONE; self.all.len()];
        let needed: usize = ends.iter().map(|end| self.follow(**end, &mut numbers)).sum();
        if needed / 4 > ends.len().saturating_mul(self.slots) {
            self.keep_last(ends);
        } else {
            self.keep(&mut numbers);
            for end in ends {
                *end = number(&numbers, *end);
            }
        }
        self.left = self.all.len();
    }

    /// Notes the marks that lead to `mark`, and says how many were not noted before.
    fn follow(&self, mut mark: u32, numbers: &mut [u32]) -> usize {
        let mut noted = 0;
        while let Some(number) = numbers.get_mut(mark as usize).filter(|number| **number == NONE) {
            *number = 0;
            noted += 1;
            mark = self.all.get(mark as usize).map_or(NONE, |mark| mark.before);
        }
        noted
    }

    /// Gives each end a row of its own, with the last mark of each slot: a group that is repeated sets many more.
    fn keep_last(&mut self, ends: Vec<&mut u32>) {
        let all = std::mem::take(&mut self.all);
        let mut last_seen_by = vec![usize::MAX; self.slots];
        for (number, end) in ends.into_iter().enumerate() {
            let mut row = Vec::new();
            let mut next = *end;
            while let Some(mark) = all.get(next as usize) {
                if let Some(seen) = last_seen_by.get_mut(mark.slot as usize).filter(|seen| **seen != number) {
                    *seen = number;
                    row.push(*mark);
                }
                next = mark.before;
            }
            *end = row.iter().rev().fold(NONE, |before, mark| self.push(mark.slot, mark.at, before));
        }
    }

    /// Keeps the marks that were noted, and puts down their new numbers.
    fn keep(&mut self, numbers: &mut [u32]) {
        let mut kept = 0;
        for old in 0..self.all.len() {
            let Some(mut mark) = self.all.get(old).copied() else { break };
            if numbers.get(old).is_none_or(|number| *number == NONE) {
                continue;
            }
            mark.before = number(numbers, mark.before);
            if let (Some(place), Some(new)) = (self.all.get_mut(kept), numbers.get_mut(old)) {
                (*place, *new) = (mark, u32::try_from(kept).unwrap_or(NONE));
                kept += 1;
            }
        }
        self.all.truncate(kept);
    }
}

fn number(numbers: &[u32], mark: u32) -> u32 {
    numbers.get(mark as usize).copied().unwrap_or(NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(marks: &Marks, mark: u32) -> Vec<usize> {
        let mut slots = vec![usize::MAX; 6];
        marks.write(mark, 9, &mut slots, usize::MAX);
        slots
    }

    #[test]
    fn marks_of_ways_that_ended_make_room() {
        let mut marks = Marks::default();
        let begin = marks.push(0, 7, NONE);
        let mut kept = marks.push(2, 8, begin);
        for at in 0..2 * LEAST {
            marks.push(4, at, begin);
        }
        marks.tidy([&mut kept].into_iter());
        assert_eq!(marks.all.len(), 2);
        assert_eq!(ends(&marks, kept), [7, 9, 8, usize::MAX, usize::MAX, usize::MAX]);
    }

    #[test]
    fn a_group_that_is_repeated_needs_no_more_room_the_longer_the_text() {
        let mut marks = Marks::default();
        let (mut first, mut second) = (marks.push(0, 0, NONE), NONE);
        for at in 0..100 * LEAST {
            first = marks.push(4, at, first);
            first = marks.push(5, at + 1, first);
            second = if at == LEAST { first } else { second };
            marks.tidy([&mut first, &mut second].into_iter());
            assert!(marks.all.len() <= 3 * LEAST, "{at}");
        }
        let (last, unset) = (100 * LEAST, usize::MAX);
        assert_eq!(ends(&marks, first), [0, 9, unset, unset, last - 1, last]);
        assert_eq!(ends(&marks, second), [0, 9, unset, unset, LEAST, LEAST + 1]);
    }
}
