//! S14: updates, objects, files and tags by a few letters of their names.
//!
//! What can be found is gathered once, when the field opens, and searched on a worker at every letter
//! ([`Haystack::search`]): a million tags take longer than a key may.

use std::cmp::Reverse;
use std::sync::Arc;

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::review::UpdateId;
use crate::domain::object::ObjectId;
use crate::domain::tags::TagList;

/// How many of those that fit are kept; nobody walks through more.
pub const KEPT: usize = 100;

/// How many names are looked at before what was found so far is told.
const BATCH: usize = 50_000;

/// Something that can be gone to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A row of S1.
    Update(UpdateId),
    /// A row of S2.
    Repository(ObjectId),
    /// A row of S4.
    Policy(ObjectId),
    /// A row of S6.
    Automation(ObjectId),
    /// A file that an update would change, in S7.
    File(UpdateId, String),
    /// A tag of a repository, in S3.
    Tag(ObjectId, String),
}

impl Place {
    /// What it is, in a word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Update(_) => "update",
            Self::Repository(_) => "repository",
            Self::Policy(_) => "policy",
            Self::Automation(_) => "automation",
            Self::File(..) => "file",
            Self::Tag(..) => "tag",
        }
    }
}

/// One thing and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The thing.
    pub place: Place,
    /// Its name, which is what is searched.
    pub name: String,
    /// What else there is to know it by; empty for tags.
    pub about: String,
}

/// The tags of one repository.
#[derive(Debug, Clone, PartialEq)]
pub struct Shelf {
    /// Whose.
    pub repository: ObjectId,
    /// The last part of the image's name, which stands before each tag.
    pub image: String,
    /// The tags.
    pub tags: Arc<TagList>,
}

/// Everything that can be found, as it was when the field was opened.
#[derive(Debug, Default, PartialEq)]
pub struct Haystack {
    /// All but the tags, by kind, then in the order of their names.
    entries: Vec<Entry>,
    shelves: Vec<Shelf>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hits {
    /// The best, at most [`KEPT`], best first.
    pub entries: Vec<Entry>,
    /// How many fit in all.
    pub matches: usize,
    /// Whether everything was looked at.
    pub done: bool,
}

/// The place of one fitting name among the others: score, kind, length, and where it is.
type Rank = (Reverse<u32>, usize, usize, usize, usize);

impl Haystack {
    /// These entries, in the order of their kinds and then of their names, and these tags.
    pub fn new(entries: Vec<Entry>, shelves: Vec<Shelf>) -> Self {
        Self { entries, shelves }
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.entries.len() + self.shelves.iter().map(|shelf| shelf.tags.len()).sum::<usize>()
    }

    /// Whether there is nothing to find.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Looks for `typed`, words of letters that a name has in this order, and tells what was found, some of it early;
    /// ends when it told everything or `tell` says that nobody listens any more. Without a word everything fits, and
    /// all but the tags is told in its order.
    pub fn search(&self, typed: &str, mut tell: impl FnMut(Hits) -> bool) {
        if typed.trim().is_empty() {
            let entries = self.entries.iter().take(KEPT).cloned().collect();
            tell(Hits { entries, matches: self.len(), done: true });
            return;
        }
        let mut search = Search::new(typed);
        for (at, entry) in self.entries.iter().enumerate() {
            search.look(&entry.name, (kind(&entry.place), 0, at));
        }
        let mut name = String::new();
        let mut untold = self.entries.len();
        for (at, shelf) in self.shelves.iter().enumerate() {
            for (tag_at, tag) in shelf.tags.iter().enumerate() {
                name.clear();
                name.extend([shelf.image.as_str(), ":", tag]);
                search.look(&name, (TAG, at, tag_at));
                untold += 1;
                if untold >= BATCH {
                    untold = 0;
                    if !tell(self.hits(&mut search, false)) {
                        return;
                    }
                }
            }
        }
        tell(self.hits(&mut search, true));
    }

    fn hits(&self, search: &mut Search, done: bool) -> Hits {
        search.keep_best();
        search.best.sort_unstable();
        let entries =
            search.best.iter().filter_map(|(_, kind, _, place, tag)| self.named((*kind, *place, *tag)));
        Hits { entries: entries.collect(), matches: search.matches, done }
    }

    fn named(&self, (kind, place, at): (usize, usize, usize)) -> Option<Entry> {
        if kind != TAG {
            return self.entries.get(at).cloned();
        }
        let image = self.shelves.get(place)?;
        let tag = image.tags.get(at)?;
        let name = format!("{}:{tag}", image.image);
        Some(entry(Place::Tag(image.repository.clone(), tag.to_owned()), name, image.repository.to_string()))
    }
}

/// One search under way.
struct Search {
    pattern: Pattern,
    matcher: Matcher,
    buffer: Vec<char>,
    best: Vec<Rank>,
    matches: usize,
}

impl Search {
    fn new(typed: &str) -> Self {
        Self {
            pattern: Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart),
            matcher: Matcher::new(Config::DEFAULT.match_paths()),
            buffer: Vec::new(),
            best: Vec::new(),
            matches: 0,
        }
    }

    fn look(&mut self, name: &str, (kind, place, at): (usize, usize, usize)) {
        let text = Utf32Str::new(name, &mut self.buffer);
        let Some(score) = self.pattern.score(text, &mut self.matcher) else { return };
        self.matches += 1;
        self.best.push((Reverse(score), kind, name.len(), place, at));
        if self.best.len() > 32 * KEPT {
            self.keep_best();
        }
    }

    fn keep_best(&mut self) {
        if self.best.len() > KEPT {
            self.best.select_nth_unstable(KEPT);
            self.best.truncate(KEPT);
        }
    }
}

/// Which kind goes first among names that fit alike.
fn kind(place: &Place) -> usize {
    match place {
        Place::Update(_) => 0,
        Place::Repository(_) => 1,
        Place::Policy(_) => 2,
        Place::Automation(_) => 3,
        Place::File(..) => 4,
        Place::Tag(..) => TAG,
    }
}

/// The last kind: there are so many of them.
const TAG: usize = 5;

fn entry(place: Place, name: String, about: String) -> Entry {
    Entry { place, name, about }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn haystack(tags: usize) -> Haystack {
        let id = |name: &str| ObjectId::new("flux-system", name);
        let named = |place: Place, name: &str| entry(place, name.to_owned(), String::new());
        let tags = (0..tags).map(|n| format!("6.{n}.0")).collect::<Vec<_>>();
        Haystack {
            entries: vec![
                named(Place::Repository(id("podinfo")), "flux-system/podinfo"),
                named(Place::Policy(id("podinfo")), "flux-system/podinfo"),
                named(Place::Policy(id("nginx")), "flux-system/nginx"),
            ],
            shelves: vec![Shelf {
                repository: id("podinfo"),
                image: "podinfo".to_owned(),
                tags: Arc::new(TagList::from_unsorted(tags)),
            }],
        }
    }

    fn all(haystack: &Haystack, typed: &str) -> Vec<Hits> {
        let mut told = Vec::new();
        haystack.search(typed, |hits| {
            told.push(hits);
            true
        });
        told
    }

    fn words(hits: &Hits) -> Vec<String> {
        hits.entries.iter().map(|entry| format!("{} {}", entry.place.word(), entry.name)).collect()
    }

    #[test]
    fn names_that_fit_alike_stand_by_kind_and_tags_last() {
        let found = all(&haystack(2), "podi");
        assert_eq!(
            words(&found[0]),
            [
                "repository flux-system/podinfo",
                "policy flux-system/podinfo",
                "tag podinfo:6.1.0",
                "tag podinfo:6.0.0"
            ]
        );
        assert_eq!((found.len(), found[0].matches, found[0].done), (1, 4, true));
    }

    #[test]
    fn each_word_must_fit_and_letters_may_be_left_out() {
        assert_eq!(words(&all(&haystack(3), "podi 6.2")[0]), ["tag podinfo:6.2.0"]);
        assert_eq!(words(&all(&haystack(0), "fsngx")[0]), ["policy flux-system/nginx"]);
        assert_eq!(all(&haystack(3), "zqx")[0].matches, 0);
    }

    #[test]
    fn without_a_word_all_but_tags_stands_in_its_order() {
        let found = all(&haystack(9), " ");
        assert_eq!((found[0].entries.len(), found[0].matches), (3, 12));
    }

    #[test]
    fn of_many_tags_some_are_told_early_the_best_are_kept_and_a_search_ends_where_nobody_listens() {
        let haystack = haystack(120_000);
        let found = all(&haystack, "6.77777.0");
        assert_eq!(found.iter().map(|hits| hits.done).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(words(found.last().unwrap())[0], "tag podinfo:6.77777.0");
        let all_tags = all(&haystack, "podinfo:");
        let last = all_tags.last().unwrap();
        assert_eq!((last.entries.len(), last.matches), (KEPT, 120_000));
        let mut told = 0;
        haystack.search("podinfo", |_| {
            told += 1;
            false
        });
        assert_eq!(told, 1);
    }
}
