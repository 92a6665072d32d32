//! `regex`: where a Go pattern matches, and what a template makes of it.

use super::request::{Fields, RequestError};
use crate::domain::policy::expand::Template;
use crate::domain::policy::goregex::{Pattern, Slots};

/// The longest answer, in bytes of its two lists: as long as a request may be. A pattern of many groups or a template that
/// repeats itself could make any amount of it.
const MAX_ANSWER: usize = 64 << 20;

pub(super) fn answer(fields: &Fields<'_>) -> Result<String, RequestError> {
    let spelled: String = fields.required("pattern")?;
    let haystacks: Vec<String> = fields.required("haystacks")?;
    let template: Option<String> = fields.optional("template")?;
    let pattern = match Pattern::new(&spelled) {
        Ok(pattern) => pattern,
        Err(error) if error.is_no_verdict() => return Err(fields.error("pattern", error)),
        Err(error) => {
            let expanded = if template.is_some() { ",\"expanded\":null" } else { "" };
            let error = super::json(&error.to_string())?;
            return Ok(format!("{{\"error\":{error},\"names\":null,\"matches\":null{expanded}}}"));
        }
    };
    let template = template.map(|template| Template::new(&template, pattern.names()));
    let lists = Lists::of(&pattern, template.as_ref(), &haystacks)
        .map_err(|reason| reason.unwrap_or_else(|| too_long(fields)))?;
    let names = super::json(&pattern.names())?;
    let expanded = template.map(|_| format!(",\"expanded\":[{}]", lists.expanded)).unwrap_or_default();
    Ok(format!("{{\"error\":null,\"names\":{names},\"matches\":[{}]{expanded}}}", lists.matches))
}

fn too_long(fields: &Fields<'_>) -> RequestError {
    fields.error("haystacks", format!("the answer would be longer than {MAX_ANSWER} bytes"))
}

/// What is said of each haystack, as JSON, without the brackets.
#[derive(Default)]
struct Lists {
    matches: String,
    expanded: String,
}

impl Lists {
    /// An error without a reason: there would be more than [`MAX_ANSWER`].
    fn of(
        pattern: &Pattern,
        template: Option<&Template>,
        haystacks: &[String],
    ) -> Result<Self, Option<RequestError>> {
        let mut lists = Self::default();
        let mut slots = pattern.slots();
        for text in haystacks {
            let found = pattern.find(text, &mut slots);
            let groups = found.then(|| offsets(&slots, pattern.names().len()));
            add(&mut lists.matches, &super::json(&groups)?)?;
            if let Some(template) = template {
                if found && template.expanded_len(&slots) > MAX_ANSWER {
                    return Err(None);
                }
                let expanded = found.then(|| expand(template, text, &slots));
                add(&mut lists.expanded, &super::json(&expanded)?)?;
            }
        }
        Ok(lists)
    }
}

fn add(list: &mut String, item: &str) -> Result<(), Option<RequestError>> {
    if !list.is_empty() {
        list.push(',');
    }
    list.push_str(item);
    if list.len() > MAX_ANSWER { Err(None) } else { Ok(()) }
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

    #[test]
    fn an_answer_that_would_fill_the_memory_is_refused() {
        let refusal = r#"{"request_error":"haystacks: the answer would be longer than 67108864 bytes"}"#;
        let text = "x".repeat(100_000);
        let template = "$0".repeat(1_000);
        let request =
            format!(r#"{{"op":"regex","pattern":"x+","haystacks":["{text}"],"template":"{template}"}}"#);
        assert_eq!(verdict(&request), refusal);
        let (groups, haystacks) = ("()".repeat(10_000), r#""","#.repeat(4_000));
        let request = format!(r#"{{"op":"regex","pattern":"{groups}","haystacks":[{haystacks}""]}}"#);
        assert_eq!(verdict(&request), refusal);
    }
}
