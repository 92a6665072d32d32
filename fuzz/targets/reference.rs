//! Any text as an image: one that is read prints as it was, and a canonical name stays what it is.

use supercargo::domain::reference::{ImageName, is_valid_tag, parse_reference, revision};

/// # Panics
/// If a rule is broken.
pub(crate) fn run(text: &str) {
    if let Ok(reference) = parse_reference(text) {
        assert_eq!(reference.to_string(), text);
    }
    for insecure in [false, true] {
        if let Ok(name) = ImageName::parse(text, insecure) {
            let canonical = name.canonical();
            let again = ImageName::parse(&canonical, insecure).expect("a canonical name is a name");
            assert_eq!(again.canonical(), canonical);
            assert!(matches!(name.scheme(), "http" | "https"));
        }
    }
    assert!(!is_valid_tag(text) || parse_reference(&format!("app/app:{text}")).is_ok());
    let _ = revision([text]);
}
