//! The tags of one repository, packed: a hundred thousand of them are two allocations.

use std::cmp::Reverse;

/// So few tags are put in order by their texts, which costs less than new keys.
const FEW: usize = 4;
/// No tag is longer; what is longer all the same is no tag and may be slow.
const LONGEST: usize = 128;

/// The tags that a registry listed, in descending byte order, duplicates kept.
///
/// The order is the one in which Flux stores them and in which policies visit them
/// (image-reflection 1.6: stable sort, descending by bytes, no de-duplication). Texts are as the registry sent them and
/// may be no tags at all; [`crate::domain::policy`] says so of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagList {
    /// All tags, one after another, nothing between them.
    text: String,
    /// Where each tag ends in `text`, by index; the next begins there.
    ends: Vec<u32>,
}

impl TagList {
    /// Packs `tags`, sorting them in descending byte order.
    ///
    /// What would take the packed text beyond 4 GiB is left out.
    pub fn from_unsorted<S: AsRef<str>>(tags: impl IntoIterator<Item = S>) -> Self {
        let mut unsorted = Unsorted::default();
        for tag in tags {
            unsorted.push(tag.as_ref());
        }
        unsorted.sorted()
    }

    /// Takes over tags that lie one after another in `text`, sorting them if need be; `lengths` are theirs in bytes.
    ///
    /// `None` if the lengths do not fit the text.
    pub fn from_packed(text: &str, lengths: impl Iterator<Item = u32>) -> Option<Self> {
        let mut ends = Vec::with_capacity(lengths.size_hint().0);
        let mut end = 0_u32;
        for length in lengths {
            end = end.checked_add(length)?;
            if !text.is_char_boundary(end as usize) {
                return None;
            }
            ends.push(end);
        }
        (end as usize == text.len()).then(|| Unsorted(Self { text: text.to_owned(), ends }).sorted())
    }

    fn with_capacity(text: usize, tags: usize) -> Self {
        Self { text: String::with_capacity(text), ends: Vec::with_capacity(tags) }
    }

    /// How many bytes all tags begin with in common.
    fn common_prefix(&self) -> usize {
        let first = self.get(0).unwrap_or_default().as_bytes();
        self.iter().fold(first.len(), |common, tag| {
            let same = first.iter().zip(tag.as_bytes()).take(common);
            same.take_while(|(a, b)| a == b).count()
        })
    }

    fn push(&mut self, tag: &str) {
        if let Ok(end) = u32::try_from(self.text.len() + tag.len()) {
            self.text.push_str(tag);
            self.ends.push(end);
        }
    }

    /// All tags one after another, and where each ends in that, in bytes.
    pub fn packed(&self) -> (&str, &[u32]) {
        (&self.text, &self.ends)
    }

    /// How many tags there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The tag at `index`, counted from 0 in descending byte order.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = if index == 0 { 0 } else { *self.ends.get(index - 1)? as usize };
        self.text.get(start..end)
    }

    /// All tags in descending byte order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator + Clone {
        (0..self.len()).map(|index| self.get(index).unwrap_or_default())
    }

    /// Whether every byte of every tag is `allowed`; one pass over the packed text, cheaper than to ask each tag.
    pub fn consists_of(&self, allowed: impl Fn(u8) -> bool) -> bool {
        // No early exit: so the loop becomes vector instructions.
        self.text.bytes().fold(true, |all, byte| all & allowed(byte))
    }

    /// The tags that `before` lacks.
    #[must_use]
    pub fn without(&self, before: &Self) -> Self {
        // Both are in descending order, so one walk through both is enough.
        let mut before = before.iter().peekable();
        let is_new = |tag: &&str| {
            while before.next_if(|old| old > tag).is_some() {}
            before.peek() != Some(tag)
        };
        self.iter().filter(is_new).collect()
    }

    /// The index of the first tag with exactly this text.
    pub fn position(&self, tag: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle)? > tag { low = middle + 1 } else { high = middle }
        }
        (self.get(low)? == tag).then_some(low)
    }
}

/// Tags in the order in which they come, packed as they come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unsorted(TagList);

impl Unsorted {
    /// Puts a tag behind the others. What would take the packed text beyond 4 GiB is left out.
    pub fn push(&mut self, tag: &str) {
        self.0.push(tag);
    }

    /// Makes room for tags of so many bytes together.
    pub fn reserve(&mut self, bytes: usize) {
        self.0.text.reserve(bytes);
    }

    /// How many tags there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tags in descending byte order. What comes in that order, as from a cache, is not moved.
    pub fn sorted(self) -> TagList {
        let list = self.0;
        if list.iter().is_sorted_by(|a, b| a >= b) {
            return list;
        }
        // Tags of one repository begin alike; the eight bytes after that decide most comparisons without the texts.
        let common = list.common_prefix();
        let TagList { text, ends } = list;
        let mut start = 0;
        let places = ends.iter().map(|end| {
            let mut place = Place { key: 0, start: std::mem::replace(&mut start, *end), end: *end };
            place.key = key(place.tag(&text).as_bytes(), common);
            place
        });
        let mut places: Vec<Place> = places.collect();
        // Beside the text in its other order nothing is kept twice: a hundred thousand tags are sorted in 7 MB.
        drop(ends);
        arrange(&text, &mut places, common);
        let mut sorted = TagList::with_capacity(text.len(), places.len());
        for place in places {
            sorted.push(place.tag(&text));
        }
        sorted
    }
}

/// Where a tag lies in the text of an [`Unsorted`], and eight of its bytes.
#[derive(Debug, Clone, Copy)]
struct Place {
    key: u64,
    start: u32,
    end: u32,
}

impl Place {
    fn tag(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// Puts tags, of which all bytes before `start` are the same, into descending order by their keys from there on.
fn arrange(text: &str, tags: &mut [Place], start: usize) {
    tags.sort_unstable_by_key(|place| Reverse(place.key));
    let next = start + size_of::<u64>();
    for alike in tags.chunk_by_mut(|a, b| a.key == b.key) {
        if alike.len() <= FEW || next > LONGEST {
            alike.sort_unstable_by(|a, b| b.tag(text).cmp(a.tag(text)));
        } else {
            for place in &mut *alike {
                place.key = key(place.tag(text).as_bytes(), next);
            }
            arrange(text, alike, next);
        }
    }
}

/// The eight bytes of `tag` from `start` on, in the order of texts.
fn key(tag: &[u8], start: usize) -> u64 {
    let rest = tag.get(start..).unwrap_or_default();
    if let Some(eight) = rest.first_chunk() {
        return u64::from_be_bytes(*eight);
    }
    let mut key = [0; 8];
    for (place, byte) in key.iter_mut().zip(rest) {
        *place = *byte;
    }
    u64::from_be_bytes(key)
}

impl<S: AsRef<str>> FromIterator<S> for TagList {
    fn from_iter<I: IntoIterator<Item = S>>(tags: I) -> Self {
        Self::from_unsorted(tags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_kept_in_descending_byte_order_with_duplicates() {
        let list: TagList = ["a", "c", "b", "c", ""].into_iter().collect();
        assert_eq!(list.iter().collect::<Vec<_>>(), ["c", "c", "b", "a", ""]);
        assert_eq!(list.position("b"), Some(2));
        assert_eq!(list.position("c"), Some(0));
        assert_eq!(list.position("x"), None);
    }

    #[test]
    fn lengths_that_do_not_fit_the_text_are_refused() {
        let packed = |text: &str, lengths: &[u32]| TagList::from_packed(text, lengths.iter().copied());
        assert_eq!(packed("bca", &[1, 2]), Some(["b", "ca"].into_iter().collect()));
        assert_eq!(packed("", &[]), Some(TagList::default()));
        for lengths in [[1, 1].as_slice(), &[1, 3], &[u32::MAX, 4]] {
            assert_eq!(packed("bca", lengths), None, "{lengths:?}");
        }
        assert_eq!(packed("é", &[1, 1]), None, "within a character");
    }

    proptest::proptest! {
        #[test]
        fn packed_tags_are_those_that_were_packed(tags: Vec<String>) {
            let lengths = tags.iter().map(|tag| u32::try_from(tag.len()).unwrap());
            let packed = TagList::from_packed(&tags.concat(), lengths);
            proptest::prop_assert_eq!(packed, Some(tags.iter().collect()));
        }

        #[test]
        fn new_is_what_was_not_there_before(now: Vec<String>, before: Vec<String>) {
            let expected: TagList = now.iter().filter(|tag| !before.contains(tag)).collect();
            let found = now.into_iter().collect::<TagList>().without(&before.into_iter().collect());
            proptest::prop_assert_eq!(found, expected);
        }

        #[test]
        fn texts_that_are_alike_for_long_come_in_descending_byte_order(
            mut tags in proptest::collection::vec("x{0,1}(aaaaaaaa){0,18}[ab\u{0}]{0,9}", 0..80),
        ) {
            let list = TagList::from_unsorted(&tags);
            tags.sort_by(|a, b| b.cmp(a));
            proptest::prop_assert_eq!(list.iter().collect::<Vec<_>>(), tags);
        }

        #[test]
        fn any_texts_come_in_descending_byte_order(mut tags in proptest::collection::vec("v1[.]?[0a\u{0}é]{0,12}", 0..40)) {
            let list = TagList::from_unsorted(&tags);
            tags.sort_by(|a, b| b.cmp(a));
            proptest::prop_assert_eq!(list.iter().collect::<Vec<_>>(), tags);
        }
    }
}
