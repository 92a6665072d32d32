//! `semver`: which versions are in a range.

use serde::Serialize;

use super::request::{Fields, RequestError};
use crate::domain::policy::constraint::Constraints;
use crate::domain::policy::version::Version;

#[derive(Serialize)]
struct Verdict {
    error: Option<String>,
    results: Option<Vec<Option<bool>>>,
}

pub(super) fn answer(fields: &Fields<'_>) -> Result<String, RequestError> {
    let range: String = fields.required("range")?;
    let versions: Vec<String> = fields.required("versions")?;
    super::json(&match Constraints::parse(&range) {
        Ok(range) => {
            let check = |text: &String| Version::from_tag(text).map(|version| range.check(&version));
            Verdict { error: None, results: Some(versions.iter().map(check).collect()) }
        }
        Err(error) => Verdict { error: Some(error.to_string()), results: None },
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_range_that_is_none_has_the_parser_s_error_alone() {
        let request = br#"{"op":"semver","range":"","versions":["1.0.0"]}"#;
        let expected = r#"{"error":"improper constraint: \"\"","results":null}"#;
        assert_eq!(super::super::answer(request).text, expected);
    }
}
