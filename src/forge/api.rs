//! One conversation with one API: the login, limits of time and size, redirects, and what a refusal says.

use std::time::Duration;

use futures::StreamExt;
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;
use url::Url;

use super::dialect::{Ask, Login};
use super::error::{ANONYMOUS, ForgeError};
use super::locate::Token;
use super::text;
use crate::http;
use crate::text::{ExposeSecret, Shown};

/// The largest answer that is read.
const MAX_ANSWER: usize = 8 << 20;
/// Redirects followed before it is called a loop.
const MAX_REDIRECTS: usize = 4;
/// The pause before a question that changes nothing is asked again.
const PAUSE: Duration = Duration::from_millis(500);
/// How many cells of a forge's own words are repeated.
const MAX_SAID: usize = 300;

pub(super) struct Api {
    pub(super) client: Client,
    /// Without a last `/`.
    pub(super) base: Url,
    pub(super) token: Option<Token>,
    pub(super) login: Login,
    /// Bound of one question and its answer.
    pub(super) patience: Duration,
}

/// An answer as it came.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Api {
    /// Asks and reads the JSON of the answer; what changes nothing is asked once more after a failure that may pass.
    pub(super) async fn ask(&self, ask: &Ask) -> Result<Value, ForgeError> {
        match self.once(ask).await {
            Err(error) if ask.method == Method::GET && is_transient(&error) => {
                tracing::debug!(%error, "forge: once more");
                tokio::time::sleep(PAUSE).await;
                self.once(ask).await
            }
            done => done,
        }
    }

    /// An answer that makes no sense.
    pub(super) fn senseless(&self, reason: &str) -> ForgeError {
        ForgeError::BadAnswer { asked: self.base.to_string(), reason: reason.to_owned() }
    }

    /// The label of the token.
    pub(super) fn whom(&self) -> &str {
        self.token.as_ref().map_or(ANONYMOUS, |token| &token.label)
    }

    async fn once(&self, ask: &Ask) -> Result<Value, ForgeError> {
        let url = format!("{}{}", self.base.as_str().trim_end_matches('/'), ask.path);
        let asked = format!("{} {url}", ask.method);
        let url = Url::parse(&url)
            .map_err(|error| ForgeError::BadAnswer { asked: asked.clone(), reason: error.to_string() })?;
        let answer = tokio::time::timeout(self.patience, self.follow(ask, url, &asked)).await;
        let answer = answer.map_err(|_elapsed| ForgeError::Timeout {
            asked: asked.clone(),
            seconds: self.patience.as_secs().max(1),
        })??;
        tracing::debug!(status = answer.status.as_u16(), whom = self.whom(), "forge: {asked}");
        self.judge(&asked, &answer)
    }

    /// Sends, and follows redirects; the token stays with the API's own origin.
    async fn follow(&self, ask: &Ask, mut url: Url, asked: &str) -> Result<Answer, ForgeError> {
        let bad = |reason: &str| ForgeError::BadAnswer { asked: asked.to_owned(), reason: reason.to_owned() };
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(ask.query.iter().map(|(name, value)| (name, value)));
        }
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(ask, &url).await.map_err(|error| network(asked, &error))?;
            if !response.status().is_redirection() {
                return self.read(response, asked).await;
            }
            let told = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let next = told.and_then(|location| url.join(location).ok());
            let next = next.ok_or_else(|| bad("it redirects without saying where to"))?;
            if next.scheme() != "https" && (next.scheme() != "http" || url.scheme() == "https") {
                return Err(bad("it redirects out of HTTPS"));
            }
            // Only these two say that the question goes along as it is.
            let keeps =
                matches!(response.status().as_u16(), 307 | 308) && next.origin() == self.base.origin();
            if ask.method != Method::GET && !keeps {
                return Err(bad(&format!("it redirects a {} ({})", ask.method, response.status())));
            }
            url = next;
        }
        Err(bad("it redirects in circles"))
    }

    async fn send(&self, ask: &Ask, url: &Url) -> reqwest::Result<Response> {
        let mut request = self.client.request(ask.method.clone(), url.clone());
        request = request.header(ACCEPT, "application/json");
        if let Some(login) = self.header().filter(|_| url.origin() == self.base.origin()) {
            request = request.header(login.0, login.1);
        }
        if let Some(body) = &ask.body {
            request = request.json(body);
        }
        request.send().await
    }

    /// The header that shows the token; marked so that nothing prints it.
    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        let token = self.token.as_ref()?;
        let text = format!("{}{}", self.login.before, token.secret.expose_secret());
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::from_static(self.login.header), value))
    }

    async fn read(&self, response: Response, asked: &str) -> Result<Answer, ForgeError> {
        let (status, headers) = (response.status(), response.headers().clone());
        let (mut body, mut stream) = (Vec::new(), response.bytes_stream());
        while let Some(piece) = stream.next().await {
            body.extend_from_slice(&piece.map_err(|error| network(asked, &error))?);
            if body.len() > MAX_ANSWER {
                let reason = format!("the answer is larger than {} MiB", MAX_ANSWER >> 20);
                return Err(ForgeError::BadAnswer { asked: asked.to_owned(), reason });
            }
        }
        Ok(Answer { status, headers, body })
    }

    fn judge(&self, asked: &str, answer: &Answer) -> Result<Value, ForgeError> {
        let asked = asked.to_owned();
        let status = answer.status.as_u16();
        match status {
            200..=299 => read_json(&answer.body).map_err(|reason| ForgeError::BadAnswer { asked, reason }),
            403 | 429 if status == 429 || is_spent(&answer.headers) => Err(ForgeError::RateLimited {
                asked,
                whom: self.whom().to_owned(),
                retry_after: number(&answer.headers, RETRY_AFTER.as_str()),
            }),
            400..=499 => {
                let said = self.said(answer);
                Err(ForgeError::Refused { asked, whom: self.whom().to_owned(), status, said })
            }
            _ => Err(ForgeError::BadAnswer { asked, reason: format!("{status} {}", self.said(answer)) }),
        }
    }

    /// The forge's own words, on one line, without our token in case it repeats that; else the name of the status.
    fn said(&self, answer: &Answer) -> String {
        let words = serde_json::from_slice::<Value>(&answer.body).ok().map(|value| words(&value));
        let mut said = words
            .filter(|words| !words.is_empty())
            .unwrap_or_else(|| answer.status.canonical_reason().unwrap_or("without a word").to_owned());
        if let Some(token) = &self.token {
            said = said.replace(token.secret.expose_secret(), "REDACTED");
        }
        Shown::new(&said.replace(['\n', '\r'], " ")).cut_end(MAX_SAID).to_string()
    }
}

/// Whether asking again may help.
fn is_transient(error: &ForgeError) -> bool {
    matches!(error, ForgeError::Unreachable { .. } | ForgeError::BadAnswer { .. })
}

/// GitHub answers 403 to one who asked too often, and says so in headers.
fn is_spent(headers: &HeaderMap) -> bool {
    number(headers, "x-ratelimit-remaining") == Some(0) || headers.contains_key(RETRY_AFTER)
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// What went wrong before there was an answer.
fn network(asked: &str, error: &reqwest::Error) -> ForgeError {
    let asked = asked.to_owned();
    if let Some(reason) = http::certificate_error(error) {
        return ForgeError::Tls { asked, reason };
    }
    ForgeError::Unreachable { asked, reason: http::innermost(error) }
}

fn read_json(body: &[u8]) -> Result<Value, String> {
    if body.trim_ascii_start().starts_with(b"<") {
        return Err("the answer is an HTML page; this may be no API".to_owned());
    }
    serde_json::from_slice(body).map_err(|error| {
        if error.is_eof() {
            return format!("the answer is cut off after {} bytes", body.len());
        }
        // The library's words could repeat what the server got from us.
        format!("the answer is no JSON (line {}, column {})", error.line(), error.column())
    })
}

/// `message` or `error` as text, as list or as lists by field; then the messages of `errors`.
fn words(value: &Value) -> String {
    let mut all = Vec::new();
    for key in ["message", "error", "error_description"] {
        gather(value.get(key), &mut all);
    }
    for error in value.get("errors").and_then(Value::as_array).into_iter().flatten() {
        match (error.as_str(), text(error, &["message"])) {
            (Some(said), _) | (None, Some(said)) => all.push(said.to_owned()),
            // GitHub names the field and a code where it has no words.
            (None, None) => {
                let part = |key: &str| text(error, &[key]).unwrap_or_default().to_owned();
                all.push(
                    format!("{} {} {}", part("resource"), part("field"), part("code")).trim().to_owned(),
                );
            }
        }
    }
    all.dedup();
    all.join(": ")
}

fn gather(value: Option<&Value>, all: &mut Vec<String>) {
    match value {
        Some(Value::String(text)) => all.push(text.trim().to_owned()),
        Some(Value::Array(items)) => items.iter().for_each(|item| gather(Some(item), all)),
        Some(Value::Object(fields)) => {
            for (field, item) in fields {
                let mut inner = Vec::new();
                gather(Some(item), &mut inner);
                all.push(format!("{field} {}", inner.join(", ")));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_forges_way_of_saying_no_is_understood() {
        let github = json!({"message": "Validation Failed", "errors": [{"resource": "PullRequest", "code": "custom",
            "message": "A pull request already exists for octo:updates."}]});
        assert_eq!(words(&github), "Validation Failed: A pull request already exists for octo:updates.");
        let field = json!({"message": "Validation Failed", "errors": [{"resource": "PullRequest", "field": "head", "code": "invalid"}]});
        assert_eq!(words(&field), "Validation Failed: PullRequest head invalid");
        let gitlab =
            json!({"message": ["Another open merge request already exists for this source branch: !5"]});
        assert_eq!(words(&gitlab), "Another open merge request already exists for this source branch: !5");
        assert_eq!(words(&json!({"message": {"base": ["is too long"]}})), "base is too long");
        assert_eq!(
            words(&json!({"error": "invalid_token", "error_description": "Token was revoked."})),
            "invalid_token: Token was revoked."
        );
        assert_eq!(words(&json!({"message": "401 Unauthorized", "errors": null})), "401 Unauthorized");
        assert_eq!(words(&json!([1, 2])), "");
    }

    #[test]
    fn what_is_no_answer_is_told_apart() {
        assert!(read_json(b"  <!DOCTYPE html>").unwrap_err().contains("HTML"));
        assert!(read_json(b"{\"number\": 1").unwrap_err().contains("cut off after 12 bytes"));
        assert!(read_json(b"").unwrap_err().contains("cut off"));
        assert!(read_json(b"number").unwrap_err().contains("no JSON"));
        assert_eq!(read_json(b"[]").unwrap(), json!([]));
    }
}
