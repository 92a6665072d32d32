//! `template`: the commit message that a template makes of some changes.

use serde::Serialize;

use super::request::{Fields, RequestError};
use crate::domain::template::{MessageData, Rendered, render};

#[derive(Serialize)]
struct Verdict {
    message: Option<String>,
    error: Option<String>,
    removed_field: bool,
}

pub(super) fn answer(fields: &Fields<'_>) -> Result<String, RequestError> {
    let template: String = fields.required("template")?;
    let data: MessageData = fields.object("data")?;
    let Rendered { message, error, removed_field, .. } = render(&template, &data);
    super::json(&Verdict { message, error, removed_field })
}

#[cfg(test)]
mod tests {
    fn verdict(template: &str, setter: &str) -> String {
        let request = format!(
            r#"{{"op":"template","template":"{template}","data":{{"automation_object":{{"namespace":"a","name":"b"}},"file_changes":{{"f":[{{"kind":"K","name":"n","changes":[{{"old_value":"o:1","new_value":"o:2","setter":"{setter}"}}]}}]}}}}}}"#
        );
        super::super::answer(request.as_bytes()).text
    }

    #[test]
    fn a_removed_field_has_the_refusal_and_what_older_controllers_wrote() {
        let refusal = "\"error\":\"template uses removed '.Updated' field. Please use '.Changed' instead. See: https://fluxcd.io/flux/components/image/imageupdateautomations/#message-template\",\"removed_field\":true}";
        let template = "{{range .Updated.Images}}{{.}}{{end}}";
        assert_eq!(verdict(template, "a:p"), format!("{{\"message\":\"o:2\",{refusal}"));
        assert_eq!(verdict(template, "nonsense"), format!("{{\"message\":null,{refusal}"));
    }

    #[test]
    fn a_template_that_fails_has_an_error_alone() {
        let expected = "{\"message\":null,\"error\":\"unable to create commit message template from spec: template: commit message:1: function \\\"now\\\" not defined\",\"removed_field\":false}";
        assert_eq!(verdict("{{now}}", "a:p"), expected);
    }
}
