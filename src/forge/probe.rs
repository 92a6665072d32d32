//! What runs a host, by what it answers to questions that anybody may ask.
//!
//! Sources: docs.gitlab.com, "Version API" (401 for one who shows nothing); Gitea's `GET /version`; docs.github.com,
//! "Get GitHub Enterprise Server meta information".

use std::time::Duration;

use futures::StreamExt;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use url::Url;

use super::text;
use crate::domain::forge::ForgeKind;

/// Bound of all questions to one host.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest answer that is read.
const MAX_ANSWER: usize = 64 << 10;

/// Asks the three at once; `None` if none answers as its kind does.
pub(super) async fn probe(client: &Client, web: &Url) -> Option<ForgeKind> {
    let ask = |path: &'static str| async move {
        tokio::time::timeout(PATIENCE, answer(client, web, path)).await.ok().flatten()
    };
    let (gitlab, gitea, github) =
        tokio::join!(ask("/api/v4/version"), ask("/api/v1/version"), ask("/api/v3/meta"));
    let kind = judge(gitlab.as_ref(), gitea.as_ref(), github.as_ref());
    tracing::debug!(?kind, "forge: {web} was asked what it is");
    kind
}

/// Status and JSON of an answer.
type Answer = (StatusCode, Value);

async fn answer(client: &Client, web: &Url, path: &str) -> Option<Answer> {
    let response = client.get(web.join(path).ok()?).send().await.ok()?;
    let status = response.status();
    let (mut body, mut stream) = (Vec::new(), response.bytes_stream());
    while let Some(piece) = stream.next().await {
        body.extend_from_slice(&piece.ok()?);
        if body.len() > MAX_ANSWER {
            return None;
        }
    }
    Some((status, serde_json::from_slice(&body).ok()?))
}

fn judge(gitlab: Option<&Answer>, gitea: Option<&Answer>, github: Option<&Answer>) -> Option<ForgeKind> {
    let said = |value: &Value| text(value, &["message"]).unwrap_or_default().to_owned();
    let is_gitea = |(status, value): &Answer| match status.as_u16() {
        200 => text(value, &["version"]).is_some() && value.get("revision").is_none(),
        // An instance that shows nothing to strangers still answers in its own way.
        401 | 403 => said(value).contains("Only signed in user is allowed to call APIs"),
        _ => false,
    };
    let is_github = |(status, value): &Answer| match status.as_u16() {
        200 => {
            value.get("installed_version").is_some()
                || value.get("verifiable_password_authentication").is_some()
        }
        401 => text(value, &["documentation_url"]).is_some_and(|page| page.contains("docs.github.com")),
        _ => false,
    };
    let is_gitlab = |(status, value): &Answer| match status.as_u16() {
        200 => text(value, &["version"]).is_some() && value.get("revision").is_some(),
        401 => said(value) == "401 Unauthorized",
        _ => false,
    };
    if gitea.is_some_and(is_gitea) {
        Some(ForgeKind::Gitea)
    } else if github.is_some_and(is_github) {
        Some(ForgeKind::GitHub)
    } else if gitlab.is_some_and(is_gitlab) {
        Some(ForgeKind::GitLab)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn is(status: u16, value: Value) -> Answer {
        (StatusCode::from_u16(status).unwrap(), value)
    }

    #[test]
    fn each_kind_is_known_by_its_own_answer() {
        let gitlab = is(401, json!({"message": "401 Unauthorized"}));
        assert_eq!(judge(Some(&gitlab), None, None), Some(ForgeKind::GitLab));
        let open = is(200, json!({"version": "17.5.1", "revision": "abc"}));
        assert_eq!(judge(Some(&open), None, None), Some(ForgeKind::GitLab));
        let gitea = is(200, json!({"version": "1.22.3"}));
        assert_eq!(judge(None, Some(&gitea), None), Some(ForgeKind::Gitea));
        let closed = is(403, json!({"message": "Only signed in user is allowed to call APIs."}));
        assert_eq!(judge(None, Some(&closed), None), Some(ForgeKind::Gitea));
        let github =
            is(200, json!({"verifiable_password_authentication": true, "installed_version": "3.14.0"}));
        assert_eq!(judge(None, None, Some(&github)), Some(ForgeKind::GitHub));
    }

    #[test]
    fn a_server_that_answers_everything_alike_is_none() {
        let no = is(401, json!({"message": "Unauthorized"}));
        assert_eq!(judge(Some(&no), Some(&no), Some(&no)), None);
        let yes = is(200, json!({}));
        assert_eq!(judge(Some(&yes), Some(&yes), Some(&yes)), None);
        assert_eq!(judge(None, None, None), None);
    }
}
