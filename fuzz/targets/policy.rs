//! Four lines (pattern, extract, range, exclusion), then tags: no policy panics, and a winner is one of its tags.

use supercargo::domain::object::{OrderChoice, PolicyChoice, SemverChoice, TagFilter};
use supercargo::domain::policy::Evaluator;
use supercargo::domain::policy::constraint::Constraints;
use supercargo::domain::tags::TagList;

/// # Panics
/// If a rule is broken.
pub(crate) fn run(text: &str) {
    let mut lines = text.lines();
    let mut next = || lines.next().unwrap_or_default().to_owned();
    let (pattern, extract, range, exclusion) = (next(), next(), next(), next());
    let _ = Constraints::parse(&range);
    let filter = TagFilter { pattern, extract };
    let tags: TagList = lines.collect();
    let semver = PolicyChoice { semver: Some(SemverChoice { range }), ..PolicyChoice::default() };
    let order = Some(OrderChoice { order: "asc".to_owned() });
    let numerical = PolicyChoice { numerical: order.clone(), ..PolicyChoice::default() };
    let alphabetical = PolicyChoice { alphabetical: order, ..PolicyChoice::default() };
    for choice in [semver, numerical, alphabetical] {
        let verdict =
            Evaluator::new(&choice, Some(&filter), std::slice::from_ref(&exclusion)).evaluate(&tags);
        assert!(verdict.latest.is_none_or(|latest| tags.get(latest).is_some()));
    }
}
