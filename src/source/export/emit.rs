//! The emitter: mappings, sequences and scalars as the one that Flux links writes them.
//!
//! Source: kubernetes-sigs/yaml:goyaml.v2/{encode,emitterc,resolve}.go.

use std::sync::LazyLock;

use regex::Regex;

use super::Yaml;

/// The document of an object, from `---` to its last line's end.
pub fn document(object: &Yaml) -> String {
    let mut emitter = Emitter { out: String::from("---\n"), column: 0 };
    emitter.block(object, 0, false);
    let mut text = emitter.out;
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// How wide a line may be before it is folded at the next blank.
const WIDTH: usize = 80;

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

struct Emitter {
    out: String,
    /// Characters on the line under way.
    column: usize,
}

impl Emitter {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        match text.rsplit_once('\n') {
            Some((_, last)) => self.column = last.chars().count(),
            None => self.column += text.chars().count(),
        }
    }

    fn put_char(&mut self, c: char) {
        self.put(c.encode_utf8(&mut [0; 4]));
    }

    fn line(&mut self, indent: usize) {
        if self.column > 0 {
            self.put("\n");
        }
        self.put(&" ".repeat(indent));
    }

    /// A value on lines of its own, or behind a key or dash if it is a scalar or empty.
    fn block(&mut self, value: &Yaml, indent: usize, behind_dash: bool) {
        match value {
            Yaml::Map(entries) if entries.is_empty() => self.put("{}"),
            Yaml::List(items) if items.is_empty() => self.put("[]"),
            Yaml::Map(entries) => {
                for (index, (key, value)) in entries.iter().enumerate() {
                    if index > 0 || !behind_dash {
                        self.line(indent);
                    }
                    self.text(key, indent, true);
                    self.put(":");
                    self.value(value, indent);
                }
            }
            Yaml::List(items) => {
                for item in items {
                    self.line(indent);
                    self.put("- ");
                    self.block(item, indent + 2, true);
                }
            }
            Yaml::Text(text) => self.text(text, indent, false),
            Yaml::Bool(flag) => self.put(if *flag { "true" } else { "false" }),
            Yaml::Plain(text) => self.put(text),
        }
    }

    /// The value of a key that stands at `indent`.
    fn value(&mut self, value: &Yaml, indent: usize) {
        let below = match value {
            Yaml::Map(entries) => !entries.is_empty(),
            Yaml::List(items) => !items.is_empty(),
            _ => false,
        };
        if !below {
            self.put(" ");
        }
        // Sequences are not indented below their key.
        let deeper = if matches!(value, Yaml::List(_)) { indent } else { indent + 2 };
        self.block(value, deeper, false);
    }

    /// A text whose further lines stand at `indent`; a key is never folded.
    fn text(&mut self, text: &str, indent: usize, is_key: bool) {
        match style(text, is_key) {
            Style::Plain => self.folded(text, indent, is_key, false),
            Style::Single => {
                self.put("'");
                self.folded(text, indent, is_key, true);
                self.put("'");
            }
            Style::Double => self.double(text, indent, is_key),
            Style::Literal => self.literal(text, indent),
        }
    }

    /// A plain text or the inside of a single-quoted one.
    fn folded(&mut self, text: &str, indent: usize, is_key: bool, quoted: bool) {
        let mut blanks = false;
        let mut chars = text.chars().peekable();
        let mut first = true;
        while let Some(c) = chars.next() {
            if c == ' ' {
                let last = chars.peek().is_none();
                let fits =
                    is_key || blanks || self.column <= WIDTH || first || last || chars.peek() == Some(&' ');
                if fits {
                    self.put(" ");
                } else {
                    self.line(indent);
                }
                blanks = true;
            } else {
                if quoted && c == '\'' {
                    self.put("'");
                }
                self.put_char(c);
                blanks = false;
            }
            first = false;
        }
    }

    fn double(&mut self, text: &str, indent: usize, is_key: bool) {
        self.put("\"");
        let mut blanks = false;
        let mut chars = text.chars().peekable();
        let mut first = true;
        while let Some(c) = chars.next() {
            if c == ' ' {
                let next = chars.peek().copied();
                if is_key || blanks || self.column <= WIDTH || first || next.is_none() {
                    self.put(" ");
                } else {
                    self.line(indent);
                    if next == Some(' ') {
                        self.put("\\");
                    }
                }
                blanks = true;
            } else {
                self.put(&escaped(c));
                blanks = false;
            }
            first = false;
        }
        self.put("\"");
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with([' ', '\n']) {
            self.put("2");
        }
        match text.strip_suffix('\n') {
            None => self.put("-"),
            Some(rest) if rest.is_empty() || rest.ends_with('\n') => self.put("+"),
            Some(_) => {}
        }
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            self.put("\n");
            if !line.is_empty() {
                self.put(&" ".repeat(indent));
                self.put(line);
            }
        }
        // Nothing else may stand on the last line.
        self.put("\n");
    }
}

/// A character inside double quotes.
fn escaped(c: char) -> String {
    match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\0' => "\\0".to_owned(),
        '\x07' => "\\a".to_owned(),
        '\x08' => "\\b".to_owned(),
        '\t' => "\\t".to_owned(),
        '\n' => "\\n".to_owned(),
        '\x0b' => "\\v".to_owned(),
        '\x0c' => "\\f".to_owned(),
        '\r' => "\\r".to_owned(),
        '\x1b' => "\\e".to_owned(),
        '\u{85}' => "\\N".to_owned(),
        '\u{a0}' => "\\_".to_owned(),
        '\u{2028}' => "\\L".to_owned(),
        '\u{2029}' => "\\P".to_owned(),
        c if is_printable(c) => c.to_string(),
        c if u32::from(c) <= 0xff => format!("\\x{:02X}", u32::from(c)),
        c if u32::from(c) <= 0xffff => format!("\\u{:04X}", u32::from(c)),
        c => format!("\\U{:08X}", u32::from(c)),
    }
}

fn is_printable(c: char) -> bool {
    c == '\n'
        || matches!(c, ' '..='~')
        || ('\u{a0}'..='\u{d7ff}').contains(&c)
        || (c != '\u{feff}' && ('\u{e000}'..='\u{fffd}').contains(&c))
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What the emitter allows for a text.
struct Allowed {
    plain: bool,
    single: bool,
    block: bool,
}

/// The style in which a text is written, by the encoder's wish and the emitter's rules.
fn style(text: &str, is_key: bool) -> Style {
    let allowed = analyze(text);
    let wished = if text.contains('\n') {
        Style::Literal
    } else if is_other_type(text) {
        Style::Double
    } else {
        Style::Plain
    };
    match wished {
        Style::Literal if allowed.block && !is_key => Style::Literal,
        Style::Plain if allowed.plain => Style::Plain,
        Style::Plain if allowed.single => Style::Single,
        _ => Style::Double,
    }
}

fn analyze(text: &str) -> Allowed {
    let mut indicators = text.starts_with("---") || text.starts_with("...");
    let (mut special, mut breaks, mut space_break, mut break_space) = (false, false, false, false);
    let mut before = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let ends = chars.peek().is_none_or(|next| matches!(next, ' ' | '\t') || is_break(*next));
        indicators |= match (before, c) {
            (
                None,
                '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
                | '`',
            ) => true,
            (None, '?' | ':' | '-') | (Some(_), ':') => ends,
            (Some(last), '#') => matches!(last, ' ' | '\t') || is_break(last),
            _ => false,
        };
        special |= !is_printable(c);
        breaks |= is_break(c);
        space_break |= is_break(c) && before == Some(' ');
        break_space |= c == ' ' && before.is_some_and(is_break);
        before = Some(c);
    }
    let edge = |c: char| c == ' ' || is_break(c);
    let edges = text.starts_with(edge) || text.ends_with(edge);
    let broken = space_break || special;
    Allowed {
        plain: !(indicators || breaks || edges || break_space || broken),
        single: !(break_space || broken),
        block: !(broken || text.is_empty() || text.ends_with(' ')),
    }
}

/// Words that YAML 1.1 takes for booleans, nulls, numbers or a merge key.
const WORDS: &[&str] = &[
    "", "~", "null", "Null", "NULL", "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON",
    "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", ".nan", ".NaN", ".NAN",
    ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF",
];

/// Numbers, numbers of base 60, and points in time, of a text without its underscores.
static OTHER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let integer = r"[-+]?(0|[1-9][0-9]*|0[0-7]+|0[oO][0-7]+|0[xX][0-9a-fA-F]+|0[bB][01]+)";
    let float = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?";
    let base_60 = r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?";
    let date = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}";
    let time = r"[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]+)?";
    let moment = format!("{date}([Tt]{time}(Z|[-+][0-9]{{2}}:[0-9]{{2}})| {time})?");
    Regex::new(&format!("^({integer}|{float}|{base_60}|{moment})$")).ok()
});

/// Whether a YAML 1.1 reader would take the plain text for anything but a text.
fn is_other_type(text: &str) -> bool {
    if WORDS.contains(&text) {
        return true;
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return false;
    }
    let plain = text.replace('_', "");
    // A number that no float can hold stays a text.
    let too_large = plain.parse::<f64>().is_ok_and(f64::is_infinite);
    !too_large && OTHER.as_ref().is_some_and(|other| other.is_match(&plain))
}
