//! The filter of a list: a substring, a fuzzy match, a regular expression, and fields, each of which may be negated.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// What a filter looks at in a row.
pub trait Searchable {
    /// The text that plain words are looked for in.
    fn text(&self) -> &str;

    /// Words that stand in the row beside that text, each of which a filter finds alone.
    fn words(&self) -> [&str; 2] {
        ["", ""]
    }

    /// The value of the field `name` (such as `ns` or `state`), if rows of this kind have it.
    fn field(&self, name: &str) -> Option<&str>;
}

/// What was typed after `/`, and what it means.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    typed: String,
    terms: Vec<Term>,
    broken: Option<String>,
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.typed == other.typed
    }
}

#[derive(Debug, Clone)]
struct Term {
    negated: bool,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Lower case; found anywhere, whatever the case.
    Substring(String),
    Fuzzy(Box<Pattern>),
    Regex(regex::Regex),
    Field(&'static str, String),
}

/// Words before a colon that are fields, and the field that each means.
const FIELDS: &[(&str, &str)] = &[
    ("ns", "ns"),
    ("namespace", "ns"),
    ("state", "state"),
    ("status", "state"),
    ("result", "state"),
    ("step", "step"),
    ("kind", "kind"),
];

impl Filter {
    /// Reads what was typed: words that must all fit, `~fuzzy`, `re:regex`, `!word`, `ns:shop`, `state:latest`.
    pub fn parse(typed: &str) -> Self {
        let mut filter = Self { typed: typed.to_owned(), ..Self::default() };
        for word in typed.split_whitespace() {
            let (negated, word) = word.strip_prefix('!').map_or((false, word), |rest| (true, rest));
            if word.is_empty() {
                continue;
            }
            match kind(word) {
                Ok(kind) => filter.terms.push(Term { negated, kind }),
                Err(error) => filter.broken = Some(error),
            }
        }
        filter
    }

    /// What was typed.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Why a part of it is passed over: a regular expression that does not parse.
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// The first word that looks like a field and is none, such as `flags:F`; it is looked for as it stands.
    pub fn unknown_field(&self) -> Option<&str> {
        let names = self.typed.split_whitespace().filter_map(|word| {
            let (name, value) = word.trim_start_matches('!').split_once(':')?;
            let is_word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
            // `nginx:1.25` is an image with its tag.
            let is_tag = value.bytes().any(|byte| byte.is_ascii_digit() || byte == b'/');
            (is_word && !value.is_empty() && !is_tag && name != "re").then_some(name)
        });
        names.into_iter().find(|name| !FIELDS.iter().any(|(known, _)| known == name))
    }

    /// The filter as something that can be asked many times.
    pub fn matcher(&self) -> FilterMatcher<'_> {
        FilterMatcher { terms: &self.terms, fuzzy: None, buffer: Vec::new() }
    }
}

fn kind(word: &str) -> Result<Kind, String> {
    if let Some(fuzzy) = word.strip_prefix('~') {
        let pattern = Pattern::parse(fuzzy, CaseMatching::Ignore, Normalization::Smart);
        return Ok(Kind::Fuzzy(Box::new(pattern)));
    }
    if let Some(regex) = word.strip_prefix("re:") {
        return regex::Regex::new(regex).map(Kind::Regex).map_err(|error| error.to_string());
    }
    if let Some((name, value)) = word.split_once(':')
        && let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == name)
    {
        return Ok(Kind::Field(field, value.to_ascii_lowercase()));
    }
    Ok(Kind::Substring(word.to_lowercase()))
}

/// A [`Filter`] with the working memory that matching needs.
#[derive(Debug)]
pub struct FilterMatcher<'a> {
    terms: &'a [Term],
    fuzzy: Option<Box<Matcher>>,
    buffer: Vec<char>,
}

impl FilterMatcher<'_> {
    /// Whether the row is shown.
    pub fn admits(&mut self, row: &impl Searchable) -> bool {
        let terms = self.terms;
        terms.iter().all(|term| self.fits(&term.kind, row) != term.negated)
    }

    fn fits(&mut self, kind: &Kind, row: &impl Searchable) -> bool {
        match kind {
            Kind::Substring(word) => {
                contains(row.text(), word) || row.words().iter().any(|beside| contains(beside, word))
            }
            Kind::Regex(regex) => {
                let found = |beside: &&str| !beside.is_empty() && regex.is_match(beside);
                regex.is_match(row.text()) || row.words().iter().any(found)
            }
            Kind::Field(name, value) => {
                // `fails, suspended` is found by either.
                let begins = |part: &str| part.trim_start().to_ascii_lowercase().starts_with(value.as_str());
                row.field(name).is_some_and(|found| found.split(',').any(begins))
            }
            Kind::Fuzzy(pattern) => {
                let matcher = self.fuzzy.get_or_insert_with(|| Box::new(Matcher::new(Config::DEFAULT)));
                let text = Utf32Str::new(row.text(), &mut self.buffer);
                pattern.score(text, matcher).is_some()
            }
        }
    }
}

/// Whether `word`, which is in lower case, occurs in `text`, whatever the case there.
fn contains(text: &str, word: &str) -> bool {
    if word.is_ascii() && text.is_ascii() {
        let (text, word) = (text.as_bytes(), word.as_bytes());
        return text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    }
    text.to_lowercase().contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Row(&'static str, &'static str);

    impl Searchable for Row {
        fn text(&self) -> &str {
            self.0
        }

        fn field(&self, name: &str) -> Option<&str> {
            (name == "ns").then_some(self.1)
        }
    }

    #[test]
    fn every_word_of_a_filter_must_fit() {
        let row = Row("shop/checkout-api main-9b1", "shop");
        for (typed, shown) in [
            ("", true),
            ("CHECK", true),
            ("check 9b1", true),
            ("check nope", false),
            ("!check", false),
            ("!nope", true),
            ("~shpapi", true),
            ("~zzz", false),
            ("re:main-[0-9]", true),
            ("re:^main", false),
            ("ns:shop", true),
            ("ns:data", false),
            ("!ns:data", true),
            ("state:latest", false),
            ("namespace:shop", true),
        ] {
            assert_eq!(Filter::parse(typed).matcher().admits(&row), shown, "{typed}");
        }
    }

    #[test]
    fn a_broken_regular_expression_is_passed_over_and_told() {
        let filter = Filter::parse("re:( main");
        assert!(filter.broken().is_some());
        assert!(filter.matcher().admits(&Row("main", "")));
    }

    #[test]
    fn a_field_that_is_none_is_told_and_an_image_with_its_tag_is_no_field() {
        let unknown = |typed: &str| Filter::parse(typed).unknown_field().map(str::to_owned);
        assert_eq!(unknown("web flags:F"), Some("flags".to_owned()));
        for typed in ["state:ok", "!status:fails", "re:a:b", "web-1:2", "web:", "nginx:1.25", "git:org/web"] {
            assert_eq!(unknown(typed), None, "{typed}");
        }
    }
}
