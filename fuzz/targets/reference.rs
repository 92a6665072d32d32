//! Any text as an image: one that is read prints as it was, and a canonical name stays what it is.

use supercargo::domain::reference::{ImageName, is_valid_tag, parse_reference};
use supercargo::domain::scan::revision;

/// Bytes of the longest repository that a registry can have.
const LONGEST_REPOSITORY: usize = 255;

/// # Panics
/// If a rule is broken.
pub(crate) fn run(text: &str) {
    if let Ok(reference) = parse_reference(text) {
        assert_eq!(reference.to_string(), text);
    }
    for insecure in [false, true] {
        if let Ok(name) = ImageName::parse(text, insecure) {
            let canonical = name.canonical();
            // The `library/` of a canonical name may be what makes it longer than a repository can be.
            match ImageName::parse(&canonical, insecure) {
                Ok(again) => assert_eq!(again.canonical(), canonical),
                Err(_) => assert!(name.repository.len() + "library/".len() > LONGEST_REPOSITORY),
            }
            assert!(matches!(name.scheme(), "http" | "https"));
        }
    }
    assert!(!is_valid_tag(text) || parse_reference(&format!("app/app:{text}")).is_ok());
    let _ = revision([text]);
}
