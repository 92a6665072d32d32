//! `camelcase`, `snakecase` and `kebabcase`.
//!
//! Source: huandu/xstrings v1.5.0, convert.go.

use super::Param::Text;
use super::letter::{Category, is, lower, upper};
use super::text::answer;
use super::{Function, text};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::fixed("camelcase", &[Text], |v| answer(camel(text(v, 0)))),
    Function::fixed("snakecase", &[Text], |v| answer(lowered(text(v, 0), '_'))),
    Function::fixed("kebabcase", &[Text], |v| answer(lowered(text(v, 0), '-'))),
];

fn is_connector(c: char) -> bool {
    c == '-' || c == '_' || c.is_whitespace()
}

/// `ToPascalCase`: connectors at the beginning stay, of several in a row all but one.
fn camel(text: &str) -> String {
    let start = text.find(|c| !is_connector(c));
    let (mut out, rest) = match start.and_then(|start| text.split_at_checked(start)) {
        Some((connectors, rest)) => (connectors.to_owned(), rest),
        // The library writes the last of them twice.
        None => return text.chars().chain(text.chars().next_back()).collect(),
    };
    let mut chars = rest.chars();
    let Some(first) = chars.next() else { return out };
    let (mut was_upper, mut current) = (is(first, Category::Upper), upper(first));
    for next in chars {
        let before = std::mem::replace(&mut current, next);
        if is_connector(current) && is_connector(before) {
            out.push(before);
        } else if is_connector(before) {
            was_upper = is(current, Category::Upper);
            current = upper(current);
        } else {
            if was_upper && is(current, Category::Upper) {
                current = lower(current);
            } else {
                was_upper = false;
            }
            out.push(before);
        }
    }
    out.push(current);
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// There is nothing more.
    Nothing,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punctuation,
    Other,
}

/// Words of a text, one after another, with one word of foresight.
struct Words<'t> {
    rest: &'t str,
    kind: Kind,
    word: &'t str,
    out: String,
    connector: char,
}

impl Words<'_> {
    fn advance(&mut self) {
        let (kind, length) = first_word(self.rest);
        let (word, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        (self.kind, self.word, self.rest) = (kind, word, rest);
    }

    /// Appends a word as it is; upper case becomes lower case, a connector the one that was asked for.
    fn put(&mut self, kind: Kind, word: &str) {
        if !matches!(kind, Kind::Upper | Kind::Connector) {
            self.out.push_str(word);
            return;
        }
        for c in word.chars() {
            self.out.push(match c {
                c if is_connector(c) => self.connector,
                c if is(c, Category::Upper) => lower(c),
                c => c,
            });
        }
    }

    fn put_all(&mut self) {
        while matches!(self.kind, Kind::Alphabet | Kind::Number) {
            let (kind, word) = (self.kind, self.word);
            self.put(kind, word);
            self.advance();
        }
    }

    fn connect_unless(&mut self, kinds: &[Kind]) {
        if !kinds.contains(&self.kind) {
            self.out.push(self.connector);
        }
    }

    /// What stands between `before`, a word that is no number, connector or punctuation, and the next.
    fn join_number(&mut self) {
        if self.kind != Kind::Number {
            self.connect_unless(&[Kind::Connector, Kind::Punctuation]);
            return;
        }
        if self.rest.is_empty() {
            return;
        }
        let number = self.word;
        self.advance();
        if self.kind != Kind::Alphabet {
            // The number counts as a part of the word before: `Bld4Floor`.
            self.put(Kind::Number, number);
            self.connect_unless(&[Kind::Connector, Kind::Punctuation]);
            return;
        }
        self.out.push(self.connector);
        self.put(Kind::Number, number);
        self.put_all();
        self.connect_unless(&[Kind::Nothing, Kind::Connector, Kind::Punctuation]);
    }
}

fn lowered(text: &str, connector: char) -> String {
    let mut words = Words { rest: text, kind: Kind::Nothing, word: "", out: String::new(), connector };
    words.advance();
    while !words.rest.is_empty() {
        let (kind, word) = (words.kind, words.word);
        if kind != Kind::Connector {
            words.put(kind, word);
        }
        words.advance();
        match kind {
            Kind::Number => {
                words.put_all();
                words.connect_unless(&[Kind::Nothing, Kind::Punctuation, Kind::Connector]);
            }
            Kind::Connector => words.put(kind, word),
            Kind::Punctuation => {}
            _ => words.join_number(),
        }
    }
    let (kind, word) = (words.kind, words.word);
    words.put(kind, word);
    words.out
}

/// Whether `c` is a letter of a script that has words.
fn is_alphabet(c: char) -> bool {
    is(c, Category::Letter)
        && !matches!(c, '\u{4e00}'..='\u{9fcc}' | '\u{3400}'..='\u{4d85}' | '\u{20000}'..='\u{2b81d}')
}

/// The first character that is no U+FFFD, and the bytes up to its end; `previous` and all there is if there is none.
fn next_valid(text: &str, previous: char) -> (char, usize) {
    let rest = text.trim_start_matches(char::REPLACEMENT_CHARACTER);
    let skipped = text.len() - rest.len();
    rest.chars().next().map_or((previous, skipped), |c| (c, skipped + c.len_utf8()))
}

/// The kind and the length of the word that `text` begins with.
fn first_word(text: &str) -> (Kind, usize) {
    let (first, size) = next_valid(text, char::REPLACEMENT_CHARACTER);
    let run = |of: fn(char) -> bool| run(text, size, first, of).0;
    if first == char::REPLACEMENT_CHARACTER {
        (Kind::Nothing, size)
    } else if is_connector(first) {
        (Kind::Connector, run(is_connector))
    } else if is(first, Category::Punctuation) {
        (Kind::Punctuation, run(|c| is(c, Category::Punctuation)))
    } else if is_upper(first) {
        (Kind::Upper, upper_word(text, size, first))
    } else if is_alphabet(first) {
        (Kind::Alphabet, run(is_small))
    } else if is(first, Category::Number) {
        (Kind::Number, run(|c| is(c, Category::Number)))
    } else {
        (Kind::Other, run(is_other))
    }
}

fn is_upper(c: char) -> bool {
    is(c, Category::Upper)
}

fn is_small(c: char) -> bool {
    is_alphabet(c) && !is_upper(c)
}

fn is_other(c: char) -> bool {
    !is_connector(c) && !is_alphabet(c) && !is(c, Category::Number) && !is(c, Category::Punctuation)
}

/// Where a run of characters that are `of` a kind ends, from `at` on, behind one of them; the last piece of it, and the
/// character that ended it, which is of the kind at the end of the text.
fn run(text: &str, mut at: usize, mut last: char, of: impl Fn(char) -> bool) -> (usize, usize, char) {
    let mut piece = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (next, size) = next_valid(rest, last);
        last = next;
        if !of(next) {
            break;
        }
        (at, piece) = (at + size, size);
    }
    (at, piece, last)
}

/// The length of a word that begins with an upper-case letter, `first` bytes long: `HTTP` of `HTTPStatus`, or `Status`.
fn upper_word(text: &str, first: usize, letter: char) -> usize {
    let Some(rest) = text.get(first..).filter(|rest| !rest.is_empty()) else { return first };
    let (second, size) = next_valid(rest, letter);
    if is_upper(second) {
        let (end, piece, after) = run(text, first, letter, is_upper);
        // The last capital belongs to the word that follows.
        return if end < text.len() && is_alphabet(after) { end - piece } else { end };
    }
    if is_alphabet(second) { run(text, first + size, second, is_small).0 } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart_as_the_library_tells_them() {
        for (text, snake) in [
            ("FirstName", "first_name"),
            ("HTTPServer", "http_server"),
            ("NoHTTPS", "no_https"),
            ("GO PATH", "go_path"),
            ("http2xx", "http_2xx"),
            ("HTTP20xOK", "http_20x_ok"),
            ("Duration2m3s", "duration_2m3s"),
            ("Bld4Floor3rd", "bld4_floor_3rd"),
            ("\u{130}\u{fffd}", "i\u{fffd}"),
            ("", ""),
        ] {
            assert_eq!(lowered(text, '_'), snake);
        }
        for (text, pascal) in [
            ("some_words", "SomeWords"),
            ("_complex__case_", "_Complex_Case_"),
            ("GOLANG_IS", "GolangIs"),
            ("-", "--"),
            ("_ ", "_  "),
        ] {
            assert_eq!(camel(text), pascal);
        }
    }
}
