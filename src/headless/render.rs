//! `render message`: a commit message from a template and its data, byte for byte.

use serde_json::{Map, Value, json};

use super::{Answer, Document, Text, input};
use crate::cli::RenderMessageArgs;
use crate::domain::template::{MessageData, Rendered, Warning, render};
use crate::problem::{Code, Problem};

/// Runs `render message`.
///
/// # Errors
/// A file that cannot be read, or data that is not the documented JSON.
pub(super) fn message(args: &RenderMessageArgs) -> Result<Answer, Problem> {
    if let Some(plan) = &args.plan {
        return Ok(answer(messages_of(plan)?, (plan, args.strict)));
    }
    let (Some(template), Some(data)) = (&args.template_file, &args.data) else {
        return Err(Problem::new(
            Code::Usage,
            "render message",
            "--template-file and --data, or --plan, are required",
        ));
    };
    let name = template.display().to_string();
    let template = input::text(&name, &name)?;
    let read = input::text(data, data)?;
    let data: MessageData = serde_json::from_str(&read).map_err(|error| {
        let problem = Problem::new(Code::Usage, data, "is no message data").caused_by(&error);
        problem.hint("Give what `eval batch` takes as `data`: automation_object, values and file_changes.")
    })?;
    Ok(answer(render(&template, &data), (&name, args.strict)))
}

/// What the template in the file `name` prints: the message, or the problem and exit 6.
fn answer(rendered: Rendered, (name, strict): (&str, bool)) -> Answer {
    let refused = strict && rendered.removed_field;
    let (message, error) = match (&rendered.message, &rendered.error) {
        (Some(message), _) if !refused => (Some(message.clone()), None),
        (_, error) => (None, error.clone()),
    };
    let problems: Vec<Problem> = if error.is_some() {
        let hint = "Correct the template there: the line and the column stand behind its name.";
        let refusal = rendered.refusal(name).map(|problem| match problem.hint {
            None => problem.hint(hint),
            Some(_) => problem,
        });
        refusal.into_iter().collect()
    } else {
        let failures = rendered.warnings.iter().filter(|warning| !Warning::is_of_removed_field(warning.code));
        failures.map(|warning| warning.problem(name)).collect()
    };
    let notes = if error.is_some() { Vec::new() } else { remarks(&rendered, name) };
    let exit = if error.is_some() { Code::TemplateFailed.exit() } else { 0 };
    let answer = Answer::new(Message { text: message, error, rendered });
    notes.into_iter().fold(answer, Answer::with_note).with_problems(problems).with_exit(exit)
}

/// What people read of the removed fields that a message was made with; the JSON has them as `warnings`.
fn remarks(rendered: &Rendered, name: &str) -> Vec<String> {
    let removed = rendered.warnings.iter().filter(|warning| Warning::is_of_removed_field(warning.code));
    let lines = removed.map(|warning| warning.problem(name)).flat_map(|problem| {
        let hint = problem.hint.as_ref().map(|hint| format!("  hint: {hint}"));
        [format!("⚠ {problem}")].into_iter().chain(hint)
    });
    lines.collect()
}

/// The messages of a plan's groups, one after another, and what the plan says of the templates they were made from.
fn messages_of(plan: &str) -> Result<Rendered, Problem> {
    let read = input::text(plan, plan)?;
    let broken = || {
        let problem = Problem::new(Code::Usage, plan, "is no plan");
        problem.hint("Make one with: supercargo plan --all -o json")
    };
    let value: Value = serde_json::from_str(&read).map_err(|error| broken().caused_by(&error))?;
    let groups = value.get("groups").and_then(Value::as_array).ok_or_else(broken)?;
    let messages: Vec<&str> = groups.iter().filter_map(|group| group.get("message")?.as_str()).collect();
    let mut warnings: Vec<Warning> = groups.iter().flat_map(removed_fields).collect();
    warnings.dedup();
    Ok(Rendered {
        message: Some(messages.concat()),
        error: warnings.first().map(|warning| warning.message.clone()),
        removed_field: !warnings.is_empty(),
        warnings,
    })
}

/// The removed fields that a group's message was made with.
fn removed_fields(group: &Value) -> impl Iterator<Item = Warning> {
    let told = group.get("warnings").and_then(Value::as_array).into_iter().flatten();
    let is_meant = |warning: &&Value| warning["code"].as_str().is_some_and(Warning::is_of_removed_field);
    told.filter(is_meant).filter_map(|warning| warning["message"].as_str()).map(Warning::of_removed_field)
}

/// What `render message` prints.
struct Message {
    text: Option<String>,
    error: Option<String>,
    rendered: Rendered,
}

impl Document for Message {
    fn kind(&self) -> &'static str {
        "Message"
    }

    fn json(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("message".to_owned(), json!(self.text));
        object.insert("error".to_owned(), json!(self.error));
        object.insert("warnings".to_owned(), json!(self.rendered.warnings));
        object
    }

    fn text(&self, _wide: bool) -> Text {
        match &self.text {
            Some(message) => Text::Patch(message.clone()),
            None => Text::Nothing,
        }
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}
