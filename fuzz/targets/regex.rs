//! A pattern, a template, then texts, a line each: what Go's syntax allows runs here, and groups lie within their match.

use supercargo::domain::policy::expand::Template;
use supercargo::domain::policy::goregex::Pattern;

/// # Panics
/// If a rule is broken.
pub(crate) fn run(text: &str) {
    let mut lines = text.lines();
    let (spelled, template) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let pattern = match Pattern::new(spelled) {
        Ok(pattern) => pattern,
        Err(error) => {
            assert!(!error.is_no_verdict(), "{error}");
            return;
        }
    };
    let template = Template::new(template, pattern.names());
    let (mut slots, mut expanded) = (pattern.slots(), String::new());
    for text in lines.chain(["", spelled]) {
        let found = pattern.find(text, &mut slots);
        assert_eq!(found, pattern.is_match(text));
        if !found {
            continue;
        }
        let whole = slots.group(0).expect("a match has an extent");
        for group in (0..pattern.names().len()).filter_map(|group| slots.group(group)) {
            assert!(whole.start <= group.start && group.end <= whole.end);
            assert!(text.get(group).is_some(), "a group begins and ends between characters");
        }
        template.expand(text, &slots, &mut expanded);
        assert!(pattern.fits_up_to(text).is_none_or(|end| text.get(..end).is_some()));
    }
}
