//! A policy as it might be: tried on the tags that are there, and saved nowhere.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::manifest::MarkedScalar;
use super::object::{ImagePolicy, ObjectId, OrderChoice, PolicyChoice, SemverChoice, TagFilter};
use super::plan::{Ground, tags_in_files};
use super::policy::goregex::error_place;
use super::policy::{Evaluation, Evaluator, PolicyError, PolicyErrorKind, TagState};
use super::proposal::{MarkerPart, Reference};
use super::tags::TagList;
use super::{marker, setter};

/// The kind of a policy's rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RuleKind {
    /// The greatest version in a range.
    #[default]
    Semver,
    /// The greatest or smallest number.
    Numerical,
    /// The last or first in the order of bytes.
    Alphabetical,
}

impl RuleKind {
    /// All kinds, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Semver, Self::Numerical, Self::Alphabetical];

    /// The key of `spec.policy`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Semver => "semver",
            Self::Numerical => "numerical",
            Self::Alphabetical => "alphabetical",
        }
    }
}

/// What is tried.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trial {
    /// The kind of rule.
    pub kind: RuleKind,
    /// The range of [`RuleKind::Semver`].
    pub range: String,
    /// Whether the smallest is selected, in the two other kinds.
    pub descending: bool,
    /// `filterTags.pattern`; empty together with [`Self::extract`]: no filter.
    pub pattern: String,
    /// `filterTags.extract`.
    pub extract: String,
}

/// A trial as an edit of the file that its policy stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialEdit {
    /// The remote's address without credentials.
    pub remote: String,
    /// The file, from the repository's root.
    pub file: String,
    /// What changes there, as `git apply` takes it.
    pub patch: String,
}

impl Trial {
    /// The policy as it is.
    pub fn of(policy: &ImagePolicy) -> Self {
        let choice = &policy.choice;
        let order = |choice: &Option<OrderChoice>| choice.as_ref().map(|choice| choice.order.clone());
        let (kind, order) = match (&choice.semver, &choice.alphabetical) {
            (None, Some(_)) => (RuleKind::Alphabetical, order(&choice.alphabetical)),
            (None, None) if choice.numerical.is_some() => (RuleKind::Numerical, order(&choice.numerical)),
            (Some(_), _) | (None, None) => (RuleKind::Semver, None),
        };
        let filter = policy.filter.clone().unwrap_or_default();
        Self {
            kind,
            range: choice.semver.as_ref().map(|semver| semver.range.clone()).unwrap_or_default(),
            descending: order.is_some_and(|order| order.eq_ignore_ascii_case("desc")),
            pattern: filter.pattern,
            extract: filter.extract,
        }
    }

    /// The rule.
    pub fn choice(&self) -> PolicyChoice {
        let order = || OrderChoice { order: self.order().to_owned() };
        let nothing = PolicyChoice::default();
        match self.kind {
            RuleKind::Semver => {
                PolicyChoice { semver: Some(SemverChoice { range: self.range.clone() }), ..nothing }
            }
            RuleKind::Numerical => PolicyChoice { numerical: Some(order()), ..nothing },
            RuleKind::Alphabetical => PolicyChoice { alphabetical: Some(order()), ..nothing },
        }
    }

    /// The filter, if there is one.
    pub fn filter(&self) -> Option<TagFilter> {
        let is_there = !(self.pattern.is_empty() && self.extract.is_empty());
        is_there.then(|| TagFilter { pattern: self.pattern.clone(), extract: self.extract.clone() })
    }

    /// `asc` or `desc`.
    pub fn order(&self) -> &'static str {
        if self.descending { "desc" } else { "asc" }
    }

    /// `filterTags` and `policy` as they stand below `spec` of an `ImagePolicy`, two blanks deep, each line ended.
    pub fn yaml(&self) -> String {
        let line = |(key, value): (&str, &String)| match value.as_str() {
            "" => String::new(),
            value => format!("    {key}: {}\n", quoted(value)),
        };
        let filter = self.filter().map(|filter| {
            let lines = [("pattern", &filter.pattern), ("extract", &filter.extract)].map(line);
            format!("  filterTags:\n{}", lines.concat())
        });
        let (key, value) = match self.kind {
            RuleKind::Semver => ("range", quoted(&self.range)),
            RuleKind::Numerical | RuleKind::Alphabetical => ("order", self.order().to_owned()),
        };
        let filter = filter.unwrap_or_default();
        format!("{filter}  policy:\n    {}:\n      {key}: {value}\n", self.kind.word())
    }

    /// Tries it on `tags`, from which `exclusions` takes away; `before` is what the policy makes of the same tags now.
    pub fn run(self, exclusions: &[String], tags: &Arc<TagList>, before: Option<Arc<Evaluation>>) -> Tried {
        let evaluator = Evaluator::new(&self.choice(), self.filter().as_ref(), exclusions);
        let evaluation = evaluator.evaluate(tags);
        let before = before.filter(|before| before.states.len() == evaluation.states.len());
        let (changed, same): (Vec<u32>, Vec<u32>) = evaluator
            .order(tags, &evaluation)
            .into_iter()
            .partition(|index| is_changed(before.as_deref(), &evaluation, *index));
        let count = changed.len();
        let error = evaluation.error.as_ref().filter(|error| error.kind == PolicyErrorKind::Filter);
        let refused = error.map(|_| error_place(&self.pattern));
        let order = changed.into_iter().chain(same).collect();
        Tried {
            trial: self,
            tags: Arc::clone(tags),
            evaluator,
            evaluation,
            before,
            order,
            changed: count,
            refused,
            took: Duration::ZERO,
            reach: Reach::default(),
        }
    }
}

/// `text` as a scalar of YAML, whatever is in it but line breaks.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What an evaluation makes of the tag at `index`, in a word: its state, or `fails` where the policy does, of what it would
/// have chosen among.
pub fn word(evaluation: &Evaluation, index: u32) -> &'static str {
    let Some(state) = evaluation.states.get(index as usize) else { return "" };
    let is_judged = state.is_candidate() || matches!(state, TagState::Unparsed | TagState::Collide);
    if evaluation.error.is_some() && is_judged { "fails" } else { state.word() }
}

/// Whether a tag has another word than before.
fn is_changed(before: Option<&Evaluation>, evaluation: &Evaluation, index: u32) -> bool {
    before.is_some_and(|before| word(before, index) != word(evaluation, index))
}

/// What came of a trial.
#[derive(Debug)]
pub struct Tried {
    /// What was tried.
    pub trial: Trial,
    /// On which tags.
    pub tags: Arc<TagList>,
    /// The trial, compiled.
    pub evaluator: Evaluator,
    /// What it makes of the tags.
    pub evaluation: Evaluation,
    /// What the policy makes of them; `None`: nothing is known of that.
    pub before: Option<Arc<Evaluation>>,
    /// Indices into [`Self::tags`]: those whose verdict changes first, each part best first.
    pub order: Vec<u32>,
    /// How many of them change.
    pub changed: usize,
    /// The bytes of the pattern that Go refuses it for; `None`: it takes the pattern, or does not get to read it.
    pub refused: Option<Range<usize>>,
    /// How long it took.
    pub took: Duration,
    /// The marked scalars that it would change; none before [`Self::look`] has looked for them.
    pub reach: Reach,
}

impl Tried {
    /// Looks what `policy`, whose repository has `image`, would change among `grounds`.
    pub fn look(&mut self, grounds: &[Ground], policy: &ObjectId, image: &str) {
        if let Some(tag) = self.latest() {
            self.reach = reach(grounds, policy, image, tag);
        }
    }

    /// What Flux says of a rule or a pattern that it takes for none; nothing was selected with it.
    pub fn refusal(&self) -> Option<&PolicyError> {
        self.evaluation.error.as_ref().filter(|error| error.stalled())
    }

    /// The tag that would be selected.
    pub fn latest(&self) -> Option<&str> {
        self.tags.get(self.evaluation.latest?)
    }

    /// Whether the trial might select this tag, too.
    pub fn admits(&self, tag: &str) -> bool {
        let at = self.tags.position(tag);
        at.and_then(|at| self.evaluation.states.get(at)).is_some_and(|state| state.is_candidate())
    }

    /// Whether the verdict about the tag at `index` changes.
    pub fn is_changed(&self, index: u32) -> bool {
        is_changed(self.before.as_deref(), &self.evaluation, index)
    }
}

/// The marked scalars that a selected tag would change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// How many.
    pub sites: usize,
    /// In how many files.
    pub files: usize,
    /// The tags that the policy's files hold now, but the selected one.
    pub current: Vec<String>,
}

/// What `policy` would change among `grounds` if it selected `image:tag`. A digest is not asked for here: scalars that hold
/// one behind a tag count by image and tag alone, and those that hold nothing else change with the tag of their object.
fn reach(grounds: &[Ground], policy: &ObjectId, image: &str, tag: &str) -> Reach {
    let latest = Reference { image: image.to_owned(), tag: tag.to_owned(), digest: None };
    let current = tags_in_files(grounds, policy);
    let is_other_tag = !current.iter().all(|known| known == tag);
    let changes = |site: &MarkedScalar| match marker::parse_setter(&site.setter) {
        Ok((named, MarkerPart::Digest)) => named == *policy && is_other_tag,
        Ok((named, part)) if named == *policy => {
            site.value.split('@').next() != Some(&*setter::text(&latest, part))
        }
        _ => false,
    };
    let mut places = BTreeSet::new();
    for ground in grounds.iter().filter(|ground| ground.policies.contains(policy)) {
        let sites = ground.files.iter().flat_map(|file| file.sites.iter().map(move |site| (file, site)));
        let changing = sites.filter(|(_, site)| changes(site));
        places.extend(
            changing.map(|(file, site)| ((ground.remote.as_deref(), file.path.as_str()), site.span.start)),
        );
    }
    let files: BTreeSet<_> = places.iter().map(|(file, _)| file).collect();
    let current = current.into_iter().filter(|known| known != tag).collect();
    Reach { sites: places.len(), files: files.len(), current }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numerical(pattern: &str) -> Trial {
        let kind = RuleKind::Numerical;
        Trial { kind, pattern: pattern.to_owned(), extract: "$n".to_owned(), ..Trial::default() }
    }

    #[test]
    fn tags_whose_verdict_changes_come_first() {
        let tags: Arc<TagList> =
            Arc::new(["r12a", "r97", "r96", "rc-2"].map(str::to_owned).into_iter().collect());
        let now = numerical("^r(?P<n>[0-9a-z]+)$").run(&[], &tags, None);
        assert_eq!((now.latest(), now.changed), (None, 0), "12a is no number");
        let tried = numerical("^r(?P<n>[0-9]+)$").run(&[], &tags, Some(Arc::new(now.evaluation)));
        assert_eq!(tried.latest(), Some("r97"));
        let first = tags.get(tried.order[0] as usize);
        assert_eq!((first, tried.is_changed(tried.order[0])), (Some("r97"), true));
        assert_eq!(tried.evaluator.groups(), Some((1, 1)));
        assert_eq!(tried.evaluation.states[tried.order[0] as usize], TagState::Latest);
    }

    #[test]
    fn a_policy_and_its_yaml_say_the_same() {
        let trial =
            Trial { range: ">=1.0 <2".to_owned(), pattern: "^v'(?P<v>.*)".to_owned(), ..Trial::default() };
        let yaml = trial.yaml();
        assert_eq!(
            yaml,
            "  filterTags:\n    pattern: '^v''(?P<v>.*)'\n  policy:\n    semver:\n      range: '>=1.0 <2'\n"
        );
        let descending = Trial { descending: true, ..numerical("") };
        assert!(descending.yaml().ends_with("    numerical:\n      order: desc\n"), "{}", descending.yaml());
    }
}
