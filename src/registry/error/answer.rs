//! What a server says with a status other than success.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

/// How much of a body that is no registry error is shown, in bytes.
const SHOWN_BODY: usize = 200;

/// An answer that is not success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Code and message of each registry error in the body, `CODE: message; detail`.
    pub errors: Vec<String>,
    /// The body, if it is no registry error; at most 64 KiB.
    pub body: String,
    /// How long the server asked us to wait.
    pub retry_after: Option<Duration>,
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<OneError>,
}

#[derive(Deserialize)]
struct OneError {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    detail: serde_json::Value,
}

impl Answer {
    /// Reads a body as the distribution API's error document, or keeps it as text.
    ///
    /// Source: opencontainers/distribution-spec:spec.md, "Error Codes".
    pub(in super::super) fn new(status: u16, body: &[u8]) -> Self {
        let errors: Vec<String> = serde_json::from_slice::<Errors>(body)
            .map(|found| found.errors.iter().map(OneError::text).collect())
            .unwrap_or_default();
        let body =
            if errors.is_empty() { String::from_utf8_lossy(body).trim().to_owned() } else { String::new() };
        Self { status, errors, body, retry_after: None }
    }

    /// The same answer with the server's wish to be asked again no sooner.
    pub(in super::super) fn asking_to_wait(self, retry_after: Option<Duration>) -> Self {
        Self { retry_after, ..self }
    }

    /// Whether the server's own words hold `text`.
    pub(super) fn names(&self, text: &str) -> bool {
        self.body.contains(text) || self.errors.iter().any(|error| error.contains(text))
    }

    fn reason(&self) -> &'static str {
        reqwest::StatusCode::from_u16(self.status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("")
    }

    pub(super) fn flux_text(&self, head: bool) -> String {
        let status = format!("unexpected status code {} {}", self.status, self.reason());
        match self.errors.as_slice() {
            [] if head => format!("{status} (HEAD responses have no body, use GET for details)"),
            [] if self.body.is_empty() => status,
            [] => format!("{status}: {}", self.body),
            [one] => one.clone(),
            several => format!("multiple errors returned: {}", several.join("; ")),
        }
    }
}

impl OneError {
    fn text(&self) -> String {
        let head = format!("{}: {}", self.code, self.message);
        match &self.detail {
            serde_json::Value::Null => head,
            serde_json::Value::String(detail) if detail.is_empty() => head,
            serde_json::Value::String(detail) => format!("{head}; {detail}"),
            detail => format!("{head}; {detail}"),
        }
    }
}

impl fmt::Display for Answer {
    /// `401 Unauthorized: UNAUTHORIZED: authentication required`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.reason())?;
        if !self.errors.is_empty() {
            return write!(f, ": {}", self.errors.join("; "));
        }
        match self.body.lines().next() {
            None => Ok(()),
            Some(line) if line.starts_with('<') => match title(&self.body) {
                Some(title) => write!(f, " (an HTML page: {title})"),
                None => f.write_str(" (an HTML page)"),
            },
            Some(line) => {
                let end = line.floor_char_boundary(SHOWN_BODY);
                write!(f, ": {}", line.get(..end).unwrap_or_default())
            }
        }
    }
}

/// The title of a page for people, if it is short.
fn title(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("<title>")?;
    let title = rest.split_once("</title>")?.0.trim();
    (!title.is_empty() && title.len() <= SHOWN_BODY && !title.contains(char::is_control)).then_some(title)
}
