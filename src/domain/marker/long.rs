//! The long form of a marker, `{"$ref": "#/definitions/io.k8s.cli.setters.NAMESPACE:NAME"}`: Flux's library takes it beside the
//! short one, and Flux's guides do not know it.
//!
//! Source: `kubernetes-sigs/kustomize:kyaml/fieldmeta/fieldmeta.go`.

use memchr::memmem;
use serde_json::{Map, Value};

use super::parse_setter;

/// What stands before the setter's name.
const PREFIX: &str = "#/definitions/io.k8s.cli.setters.";

/// The setter that `comment`, `#` included, names in the long form. Setters of other tools have names that no policy has.
pub(super) fn setter_of(comment: &str) -> Option<String> {
    let object: Map<String, Value> = serde_json::from_str(comment.trim_start_matches('#')).ok()?;
    let name = object.get("$ref")?.as_str()?.strip_prefix(PREFIX)?;
    parse_setter(name).is_ok().then(|| name.to_owned())
}

/// Whether such a name stands somewhere in `text`.
pub(super) fn is_in(text: &[u8]) -> bool {
    memmem::find_iter(text, PREFIX).any(|at| {
        let rest = text.get(at + PREFIX.len()..).unwrap_or_default();
        let name = rest.split(|byte| matches!(byte, b'"' | b'\n')).next().unwrap_or_default();
        std::str::from_utf8(name).is_ok_and(|name| parse_setter(name).is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_to_a_setter_of_a_policy_is_the_long_form() {
        for (comment, setter) in [
            (r##"# {"$ref":"#/definitions/io.k8s.cli.setters.apps:web"}"##, Some("apps:web")),
            (
                r##"# {"$ref": "#/definitions/io.k8s.cli.setters.apps:web:tag", "type": "string"}"##,
                Some("apps:web:tag"),
            ),
            (r##"# {"$ref":"#/definitions/io.k8s.cli.setters.image"}"##, None),
            (r##"# {"$ref":"#/definitions/io.k8s.cli.setters.apps:web:TAG"}"##, None),
            (r##"# {"$ref":"#/definitions/io.k8s.cli.substitutions.apps:web"}"##, None),
            (r#"# {"$ref": "apps:web"}"#, None),
        ] {
            assert_eq!(setter_of(comment).as_deref(), setter, "{comment}");
            assert_eq!(is_in(format!("a: 1 {comment}\n").as_bytes()), setter.is_some(), "{comment}");
        }
    }
}
