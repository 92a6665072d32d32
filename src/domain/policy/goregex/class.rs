//! Character classes: `[a-z]`, `\d`, `[:alpha:]`, `\p{Greek}`, by Go's rules.

use super::RegexError;
use super::parse::{escape, up_to};

/// A set of characters.
#[derive(Debug, Default)]
pub(super) struct Class {
    pub(super) items: Vec<Item>,
    pub(super) negated: bool,
}

/// A part of a class.
#[derive(Debug)]
pub(super) enum Item {
    /// Code points from the first to the second.
    Range(u32, u32),
    /// A named set of ASCII characters, or all others.
    Ascii { ranges: &'static [(u8, u8)], negated: bool },
    /// All of Unicode, or nothing.
    Any { negated: bool },
    /// A category or script, by the name that Rust knows it by, or all others.
    Unicode { name: String, negated: bool },
}

impl From<Item> for Class {
    fn from(item: Item) -> Self {
        Self { items: vec![item], negated: false }
    }
}

impl Class {
    /// Whether the ASCII character `byte` is in the class; `None` if only Unicode's tables know.
    pub(super) fn has_ascii(&self, byte: u8) -> Option<bool> {
        let mut has = false;
        for item in &self.items {
            has |= match item {
                Item::Range(low, high) => (*low..=*high).contains(&u32::from(byte)),
                Item::Ascii { ranges, negated } => {
                    ranges.iter().any(|(low, high)| (*low..=*high).contains(&byte)) != *negated
                }
                Item::Any { negated } => !negated,
                Item::Unicode { .. } => return None,
            };
        }
        Some(has != self.negated)
    }

    /// Whether nothing but ASCII characters is in the class, as far as that is easily told.
    pub(super) fn is_ascii_only(&self) -> bool {
        !self.negated
            && self.items.iter().all(|item| match item {
                Item::Range(_, high) => *high < 0x80,
                Item::Ascii { negated, .. } => !negated,
                Item::Any { negated } => *negated,
                Item::Unicode { .. } => false,
            })
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
const UNICODE_NAMES: &str = "\
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

/// Reads the class that `text` begins with, its opening bracket first, and returns what follows it.
pub(super) fn bracketed(text: &str) -> Result<(Class, &str), RegexError> {
    let unclosed = || RegexError::new("missing closing ]", text);
    let mut rest = text.strip_prefix('[').unwrap_or(text);
    let mut class = Class::default();
    if let Some(after) = rest.strip_prefix('^') {
        (class.negated, rest) = (true, after);
    }
    let mut first = true;
    loop {
        match rest.strip_prefix(']') {
            Some(after) if !first => return Ok((class, after)),
            _ if rest.is_empty() => return Err(unclosed()),
            _ => {}
        }
        first = false;
        let (item, after) = match named(rest)? {
            Some(found) => found,
            None => range(rest, text)?,
        };
        class.items.push(item);
        rest = after;
    }
}

/// Reads a class that has a name: `[:alpha:]`, `\p{Greek}`, `\d`.
fn named(text: &str) -> Result<Option<(Item, &str)>, RegexError> {
    if let Some(found) = posix(text)? {
        return Ok(Some(found));
    }
    if let Some(found) = unicode(text)? {
        return Ok(Some(found));
    }
    Ok(perl(text))
}

/// Reads a single character, or the first and the last of a range.
fn range<'p>(text: &'p str, whole: &str) -> Result<(Item, &'p str), RegexError> {
    let (low, rest) = character(text, whole)?;
    let Some(high) = rest.strip_prefix('-').filter(|after| !after.is_empty() && !after.starts_with(']'))
    else {
        return Ok((Item::Range(low, low), rest));
    };
    let (high, rest) = character(high, whole)?;
    if high < low {
        return Err(RegexError::new(BAD_RANGE, up_to(text, rest)));
    }
    Ok((Item::Range(low, high), rest))
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
fn posix(text: &str) -> Result<Option<(Item, &str)>, RegexError> {
    let Some((name, rest)) = text.strip_prefix("[:").and_then(|after| after.split_once(":]")) else {
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
        "assigned" => Some(Item::Unicode { name: "cn".to_owned(), negated: !negated }),
        "ascii" => Some(Item::Ascii { ranges: &[(0, 0x7f)], negated }),
        // A text of valid UTF-8 has none.
        "cs" | "surrogate" => Some(Item::Any { negated: !negated }),
        _ if UNICODE_NAMES.split_ascii_whitespace().any(|known| known == name) => {
            Some(Item::Unicode { name, negated })
        }
        _ => None,
    }
}
