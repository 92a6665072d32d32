//! How far a controller has got with what it was asked for.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::super::Cluster;
use super::Target;
use crate::domain::object::{Kind, ObjectId};
use crate::problem::{Code, Problem};

/// Time between two looks at what a controller has done.
const PAUSE: Duration = Duration::from_millis(500);

/// How far a controller has got with an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Not there yet.
    Waiting,
    /// It is ready; flux's success text.
    Done(String),
    /// It failed; the condition's message.
    Failed(String),
}

/// How far the controller has got with `object`: with a request that was made when it had handled the one of `handled`, or, without
/// one, with its present generation.
///
/// As flux: whatever request it has handled since, it has looked. Who asks later overwrites what was asked before.
pub fn progress(kind: Kind, object: &Value, handled: Option<&str>) -> Progress {
    let number = |path: &str| object.pointer(path).and_then(Value::as_i64);
    if handled.is_some_and(|handled| last_handled(object) == handled) {
        return Progress::Waiting;
    }
    if number("/status/observedGeneration") < number("/metadata/generation") {
        return Progress::Waiting;
    }
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    let field = |condition: &Value, key: &str| {
        condition.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let Some(ready) = conditions.into_iter().find(|condition| field(condition, "type") == "Ready") else {
        return Progress::Waiting;
    };
    match field(ready, "status").as_str() {
        "True" => Progress::Done(success(kind, object).unwrap_or_else(|| field(ready, "message"))),
        "False" => Progress::Failed(field(ready, "message")),
        _ => Progress::Waiting,
    }
}

impl Cluster {
    /// Waits until the controller of an object has done what it was asked for, at most `until`, which was `limit` away when the
    /// waiting began; `handled` as [`progress`] has it. What came of it.
    ///
    /// # Errors
    /// As [`Cluster::call`]; the object is gone, its controller failed, or did nothing in time.
    pub async fn wait_for(
        &self,
        (target, kind, id): (&Target, Kind, &ObjectId),
        handled: Option<&str>,
        (until, limit): (Instant, Duration),
    ) -> Result<String, Problem> {
        loop {
            let object = self.object(target, id).await?;
            let gone = || Problem::new(Code::NotFound, id.to_string(), "it was deleted meanwhile");
            match progress(kind, &object.ok_or_else(gone)?, handled) {
                Progress::Done(text) => return Ok(text),
                Progress::Failed(text) => {
                    let code = if kind == Kind::ImagePolicy { Code::PolicyFailed } else { Code::BadAnswer };
                    let message = format!("{kind} reconciliation failed: '{text}'");
                    return Err(Problem::new(code, id.to_string(), message));
                }
                Progress::Waiting => {}
            }
            if Instant::now() >= until {
                let message = format!("{kind} was not reconciled within {} s", limit.as_secs());
                return Err(Problem::new(Code::Timeout, id.to_string(), message)
                    .hint("Is its controller running? More time gives --timeout."));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// The request that its controller handled last; empty if none.
pub fn last_handled(object: &Value) -> &str {
    object.pointer("/status/lastHandledReconcileAt").and_then(Value::as_str).unwrap_or_default()
}

/// What flux says of an object that is ready; `None`: its condition's message.
fn success(kind: Kind, object: &Value) -> Option<String> {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).filter(|text| !text.is_empty());
    match kind {
        Kind::ImageRepository => {
            let tags =
                object.pointer("/status/lastScanResult/tagCount").and_then(Value::as_i64).unwrap_or_default();
            Some(format!("scan fetched {tags} tags"))
        }
        Kind::ImagePolicy => {
            let digest =
                text("/status/latestRef/digest").map(|digest| format!("@{digest}")).unwrap_or_default();
            let whole = || {
                Some(format!(
                    "{}:{}{digest}",
                    text("/status/latestRef/name")?,
                    text("/status/latestRef/tag")?
                ))
            };
            let selected = whole().or_else(|| text("/status/latestImage").map(str::to_owned))?;
            Some(format!("selected ref {selected}"))
        }
        Kind::ImageUpdateAutomation | Kind::GitRepository => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(status: &Value) -> Value {
        json!({ "metadata": { "generation": 2 }, "status": status })
    }

    #[test]
    fn a_controller_is_waited_for_until_it_has_seen_the_request_and_the_generation() {
        let ready = |status: &str| json!([{ "type": "Ready", "status": status, "message": "m" }]);
        let with = |generation: i64, at: &str, status: &str| {
            object(&json!({
                "observedGeneration": generation, "lastHandledReconcileAt": at, "conditions": ready(status),
                "lastScanResult": { "tagCount": 13 },
            }))
        };
        let of = |object: &Value, at| progress(Kind::ImageRepository, object, at);
        assert_eq!(of(&object(&json!({})), None), Progress::Waiting);
        assert_eq!(of(&object(&json!({})), Some("")), Progress::Waiting);
        assert_eq!(of(&with(2, "then", "True"), Some("then")), Progress::Waiting);
        assert_eq!(of(&with(1, "now", "True"), Some("then")), Progress::Waiting);
        assert_eq!(of(&with(2, "now", "Unknown"), Some("then")), Progress::Waiting);
        // Ours, or that of another who asked meanwhile.
        for since in ["now", "later"] {
            let done = Progress::Done("scan fetched 13 tags".to_owned());
            assert_eq!(of(&with(2, since, "True"), Some("then")), done);
        }
        assert_eq!(of(&with(2, "now", "False"), None), Progress::Failed("m".to_owned()));
        let automation = progress(Kind::ImageUpdateAutomation, &with(2, "", "True"), None);
        assert_eq!(automation, Progress::Done("m".to_owned()));
    }

    #[test]
    fn what_a_policy_selects_is_said_with_its_digest() {
        let latest = json!({ "name": "r/app", "tag": "1.2", "digest": "sha256:ab" });
        let new = success(Kind::ImagePolicy, &object(&json!({ "latestRef": latest })));
        assert_eq!(new.as_deref(), Some("selected ref r/app:1.2@sha256:ab"));
        let old = success(Kind::ImagePolicy, &object(&json!({ "latestImage": "r/app:1.2" })));
        assert_eq!(old.as_deref(), Some("selected ref r/app:1.2"));
    }
}
