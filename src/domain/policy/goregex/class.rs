//! Character classes: `[a-z]`, `\d`, `[:alpha:]`, `\p{Greek}`, by Go's rules.

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

use super::RegexError;
use super::parse::{escape, up_to};

/// A class as it is written, however long, in little room: ranges that touch are one, and a name stands there once.
#[derive(Debug, Default)]
pub(super) struct Class {
    /// Code points from the first to the second.
    ranges: Vec<(u32, u32)>,
    named: BTreeSet<Item>,
    pub(super) negated: bool,
    /// How many ranges there may be before they are merged once more.
    room: usize,
}

/// A part of a class.
#[derive(Debug)]
enum Part {
    Range(u32, u32),
    Named(Item),
}

/// A part of a class that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Item {
    /// A named set of ASCII characters, or all others.
    Ascii { ranges: &'static [(u8, u8)], negated: bool },
    /// All of Unicode, or nothing.
    Any { negated: bool },
    /// A category or script, by the name that Rust knows it by, or all others.
    Unicode { name: &'static str, negated: bool },
}

impl From<Item> for Class {
    fn from(item: Item) -> Self {
        Self { named: BTreeSet::from([item]), ..Self::default() }
    }
}

/// Fewer ranges are not merged before all of them are read.
const LEAST_ROOM: usize = 1_000;

impl Class {
    /// The ranges of code points, in order, none of which touches another.
    pub(super) fn ranges(&self) -> &[(u32, u32)] {
        &self.ranges
    }

    /// The parts that have a name.
    pub(super) fn named(&self) -> impl Iterator<Item = &Item> {
        self.named.iter()
    }

    fn push(&mut self, part: &Part) {
        match part {
            Part::Range(low, high) => self.ranges.push((*low, *high)),
            Part::Named(item) => drop(self.named.insert(*item)),
        }
        if self.ranges.len() > self.room.max(LEAST_ROOM) {
            self.merge();
            self.room = self.ranges.len() * 2;
        }
    }

    fn merge(&mut self) {
        self.ranges.sort_unstable();
        self.ranges.dedup_by(|next, kept| {
            let touches = next.0 <= kept.1.saturating_add(1);
            if touches {
                kept.1 = kept.1.max(next.1);
            }
            touches
        });
    }
}

const DIGIT: &[(u8, u8)] = &[(b'0', b'9')];
const WORD: &[(u8, u8)] = &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')];
/// Unlike `[:space:]` without the vertical tab.
const BLANKS: &[(u8, u8)] = &[(b'\t', b'\n'), (0x0c, b'\r'), (b' ', b' ')];

/// Source: golang/go, `src/regexp/syntax/perl_groups.go`.
const POSIX: &[(&str, &[(u8, u8)])] = &[
    ("alnum", &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')]),
    ("alpha", &[(b'A', b'Z'), (b'a', b'z')]),
    ("ascii", &[(0, 0x7f)]),
    ("blank", &[(b'\t', b'\t'), (b' ', b' ')]),
    ("cntrl", &[(0, 0x1f), (0x7f, 0x7f)]),
    ("digit", DIGIT),
    ("graph", &[(b'!', b'~')]),
    ("lower", &[(b'a', b'z')]),
    ("print", &[(b' ', b'~')]),
    ("punct", &[(b'!', b'/'), (b':', b'@'), (b'[', b'`'), (b'{', b'~')]),
    ("space", &[(b'\t', b'\r'), (b' ', b' ')]),
    ("upper", &[(b'A', b'Z')]),
    ("word", WORD),
    ("xdigit", &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')]),
];

/// Categories, their long names, and scripts, without blanks and in lower case.
///
/// Go's look-up strips underscores from the question but not from its table of scripts, so scripts of several words
/// cannot be named at all; they are missing here too.
///
/// Source: golang/go, `src/unicode/tables.go` and `src/regexp/syntax/parse.go` (unicodeTable).
static UNICODE_NAMES: LazyLock<HashSet<&str>> =
    LazyLock::new(|| ALL_NAMES.split_ascii_whitespace().collect());

const ALL_NAMES: &str = "\
 c cc cf cn co cs l lc ll lm lo lt lu m mc me mn n nd nl no p pc pd pe pf pi po ps s sc sk sm so z zl zp zs \
 casedletter closepunctuation cntrl combiningmark connectorpunctuation control currencysymbol dashpunctuation \
 decimalnumber digit enclosingmark finalpunctuation format initialpunctuation letter letternumber lineseparator \
 lowercaseletter mark mathsymbol modifierletter modifiersymbol nonspacingmark number openpunctuation other otherletter \
 othernumber otherpunctuation othersymbol paragraphseparator privateuse punct punctuation separator spaceseparator \
 spacingmark surrogate symbol titlecaseletter unassigned uppercaseletter \
 adlam ahom arabic armenian avestan balinese bamum batak bengali bhaiksuki bopomofo brahmi braille buginese buhid carian \
 chakma cham cherokee chorasmian common coptic cuneiform cypriot cyrillic deseret devanagari dogra duployan elbasan \
 elymaic ethiopic georgian glagolitic gothic grantha greek gujarati gurmukhi han hangul hanunoo hatran hebrew hiragana \
 inherited javanese kaithi kannada katakana kawi kharoshthi khmer khojki khudawadi lao latin lepcha limbu lisu lycian \
 lydian mahajani makasar malayalam mandaic manichaean marchen medefaidrin miao modi mongolian mro multani myanmar \
 nabataean nandinagari newa nko nushu ogham oriya osage osmanya palmyrene phoenician rejang runic samaritan saurashtra \
 sharada shavian siddham sinhala sogdian soyombo sundanese syriac tagalog tagbanwa takri tamil tangsa tangut telugu \
 thaana thai tibetan tifinagh tirhuta toto ugaritic vai vithkuqi wancho yezidi yi ";

const BAD_RANGE: &str = "invalid character class range";

/// Where the last `:]` of a pattern is, in bytes before its end.
///
/// Where none follows, it need not be looked for behind each `[:`.
pub(super) fn last_posix_end(pattern: &str) -> usize {
    pattern.rfind(":]").map_or(usize::MAX, |at| pattern.len() - at)
}

/// Reads the class that `text` begins with, its opening bracket first, and returns what follows it.
pub(super) fn bracketed(text: &str, last_posix_end: usize) -> Result<(Class, &str), RegexError> {
    let unclosed = || RegexError::new("missing closing ]", text);
    let mut rest = text.strip_prefix('[').unwrap_or(text);
    let mut class = Class::default();
    if let Some(after) = rest.strip_prefix('^') {
        (class.negated, rest) = (true, after);
    }
    let mut first = true;
    loop {
        match rest.strip_prefix(']') {
            Some(after) if !first => {
                class.merge();
                return Ok((class, after));
            }
            _ if rest.is_empty() => return Err(unclosed()),
            _ => {}
        }
        first = false;
        let (part, after) = match named(rest, last_posix_end)? {
            Some((item, after)) => (Part::Named(item), after),
            None => range(rest, text)?,
        };
        class.push(&part);
        rest = after;
    }
}

/// Reads a class that has a name: `[:alpha:]`, `\p{Greek}`, `\d`.
fn named(text: &str, last_posix_end: usize) -> Result<Option<(Item, &str)>, RegexError> {
    if let Some(found) = posix(text, last_posix_end)? {
        return Ok(Some(found));
    }
    if let Some(found) = unicode(text)? {
        return Ok(Some(found));
    }
    Ok(perl(text))
}

/// Reads a single character, or the first and the last of a range.
fn range<'p>(text: &'p str, whole: &str) -> Result<(Part, &'p str), RegexError> {
    let (low, rest) = character(text, whole)?;
    let Some(high) = rest.strip_prefix('-').filter(|after| !after.is_empty() && !after.starts_with(']'))
    else {
        return Ok((Part::Range(low, low), rest));
    };
    let (high, rest) = character(high, whole)?;
    if high < low {
        return Err(RegexError::new(BAD_RANGE, up_to(text, rest)));
    }
    Ok((Part::Range(low, high), rest))
}

fn character<'p>(text: &'p str, whole: &str) -> Result<(u32, &'p str), RegexError> {
    let mut characters = text.chars();
    match characters.next() {
        None => Err(RegexError::new("missing closing ]", whole)),
        Some('\\') => escape(text),
        Some(character) => Ok((u32::from(character), characters.as_str())),
    }
}

/// Reads `[:NAME:]` or `[:^NAME:]`.
fn posix(text: &str, last_posix_end: usize) -> Result<Option<(Item, &str)>, RegexError> {
    let after = text.strip_prefix("[:").filter(|after| after.len() >= last_posix_end);
    let Some((name, rest)) = after.and_then(|after| after.split_once(":]")) else {
        return Ok(None);
    };
    let (plain, negated) = match name.strip_prefix('^') {
        Some(plain) => (plain, true),
        None => (name, false),
    };
    match POSIX.iter().find(|(known, _)| *known == plain) {
        Some((_, ranges)) => Ok(Some((Item::Ascii { ranges, negated }, rest))),
        None => Err(RegexError::new(BAD_RANGE, up_to(text, rest))),
    }
}

/// Reads `\d`, `\s`, `\w` or the opposite of one.
pub(super) fn perl(text: &str) -> Option<(Item, &str)> {
    let mut characters = text.strip_prefix('\\')?.chars();
    let (ranges, negated) = match characters.next()? {
        'd' => (DIGIT, false),
        'D' => (DIGIT, true),
        's' => (BLANKS, false),
        'S' => (BLANKS, true),
        'w' => (WORD, false),
        'W' => (WORD, true),
        _ => return None,
    };
    Some((Item::Ascii { ranges, negated }, characters.as_str()))
}

/// Reads `\pL`, `\p{Greek}`, `\P{^Lu}` and the like.
pub(super) fn unicode(text: &str) -> Result<Option<(Item, &str)>, RegexError> {
    let Some(after) = text.strip_prefix("\\p").or_else(|| text.strip_prefix("\\P")) else {
        return Ok(None);
    };
    let bad = |fragment: &str| RegexError::new(BAD_RANGE, fragment);
    let (name, rest) = if let Some(braced) = after.strip_prefix('{') {
        braced.split_once('}').ok_or_else(|| bad(text))?
    } else {
        let mut characters = after.chars();
        characters.next();
        (up_to(after, characters.as_str()), characters.as_str())
    };
    let (plain, inverted) = match name.strip_prefix('^') {
        Some(plain) => (plain, true),
        None => (name, false),
    };
    let item = unicode_item(plain, text.starts_with("\\P") != inverted);
    item.map(|item| Some((item, rest))).ok_or_else(|| bad(up_to(text, rest)))
}

/// The set with Unicode's name `name`, or all others; Go ignores case, `_`, `-` and blanks in it.
fn unicode_item(name: &str, negated: bool) -> Option<Item> {
    let name: String = name.chars().filter(|c| !"_- ".contains(*c)).map(|c| c.to_ascii_lowercase()).collect();
    match name.as_str() {
        "any" => Some(Item::Any { negated }),
        "assigned" => Some(Item::Unicode { name: "cn", negated: !negated }),
        "ascii" => Some(Item::Ascii { ranges: &[(0, 0x7f)], negated }),
        // A text of valid UTF-8 has none.
        "cs" | "surrogate" => Some(Item::Any { negated: !negated }),
        name => UNICODE_NAMES.get(name).map(|name| Item::Unicode { name, negated }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(class: &str) -> Class {
        bracketed(class, last_posix_end(class)).unwrap().0
    }

    #[test]
    fn a_class_is_small_however_long_it_is_written() {
        let class = read(&format!("[{}]", r"a-zx\pL\d0-9é".repeat(20_000)));
        assert_eq!(class.ranges(), [(0x30, 0x39), (0x61, 0x7a), (0xe9, 0xe9)]);
        assert_eq!(class.named().count(), 2);
        assert!(class.ranges.capacity() <= 4 * LEAST_ROOM, "{}", class.ranges.capacity());
    }

    #[test]
    fn ranges_that_touch_are_one() {
        for (class, ranges) in [
            ("[b-ca]", &[(0x61, 0x63)][..]),
            ("[a-zc-d]", &[(0x61, 0x7a)]),
            ("[ac]", &[(0x61, 0x61), (0x63, 0x63)]),
            (r"[\x{10FFFF}\x{0}-\x{10FFFF}]", &[(0, 0x0010_ffff)]),
        ] {
            assert_eq!(read(class).ranges(), ranges, "{class}");
        }
    }
}
