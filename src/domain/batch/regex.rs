//! `regex`: where a Go pattern matches, and what a template makes of it.

use serde::Serialize;

use super::request::{Fields, RequestError};
use crate::domain::policy::expand::Template;
use crate::domain::policy::goregex::{Pattern, Slots};

#[derive(Serialize)]
struct Verdict<'p> {
    error: Option<String>,
    names: Option<&'p [String]>,
    matches: Option<Vec<Option<Vec<i64>>>>,
    /// Not there at all without a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    expanded: Option<Expanded>,
}

/// `None` if the pattern is none.
#[derive(Serialize)]
struct Expanded(Option<Vec<Option<String>>>);

pub(super) fn answer(fields: &Fields<'_>) -> Result<String, RequestError> {
    let spelled: String = fields.required("pattern")?;
    let haystacks: Vec<String> = fields.required("haystacks")?;
    let template: Option<String> = fields.optional("template")?;
    let pattern = match Pattern::new(&spelled) {
        Ok(pattern) => pattern,
        Err(error) => {
            let error = Some(error.to_string());
            return super::json(&Verdict {
                error,
                names: None,
                matches: None,
                expanded: template.map(|_| Expanded(None)),
            });
        }
    };
    let template = template.map(|template| Template::new(&template, pattern.names()));
    let mut slots = pattern.slots();
    let (mut matches, mut expanded) = (Vec::new(), Vec::new());
    for text in &haystacks {
        let found = pattern.find(text, &mut slots);
        matches.push(found.then(|| offsets(&slots, pattern.names().len())));
        expanded.extend(template.as_ref().map(|template| found.then(|| expand(template, text, &slots))));
    }
    super::json(&Verdict {
        error: None,
        names: Some(pattern.names()),
        matches: Some(matches),
        expanded: template.is_some().then_some(Expanded(Some(expanded))),
    })
}

fn expand(template: &Template, text: &str, slots: &Slots) -> String {
    let mut expanded = String::new();
    template.expand(text, slots, &mut expanded);
    expanded
}

/// Start and end of each group, -1 for one that took no part.
fn offsets(slots: &Slots, groups: usize) -> Vec<i64> {
    let offset = |end: usize| i64::try_from(end).unwrap_or(-1);
    let ends = |group| slots.group(group).map_or([-1, -1], |span| [offset(span.start), offset(span.end)]);
    (0..groups).flat_map(ends).collect()
}

#[cfg(test)]
mod tests {
    fn verdict(request: &str) -> String {
        super::super::answer(request.as_bytes()).text
    }

    #[test]
    fn expanded_is_there_only_with_a_template() {
        let matched = r#"{"op":"regex","pattern":"é","haystacks":["aé"]}"#;
        assert_eq!(verdict(matched), r#"{"error":null,"names":[""],"matches":[[1,3]]}"#);
        let bad = r#"{"op":"regex","pattern":"(","haystacks":["a"]}"#;
        let error = r#"{"error":"error parsing regexp: missing closing ): `(`","names":null,"matches":null"#;
        assert_eq!(verdict(bad), format!("{error}}}"));
        let with_template = bad.replace("]}", r#"],"template":"$0"}"#);
        assert_eq!(verdict(&with_template), format!("{error},\"expanded\":null}}"));
    }
}
