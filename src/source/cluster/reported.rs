//! The `status` that controllers write, as they spell it, and what becomes of it in the domain.
//!
//! One shape serves all kinds and versions. What does not fit is passed over: a status is no reason not to show an object.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::controller::{Condition, LastScan, Reported};
use crate::domain::proposal::Reference;
use crate::domain::status::Ready;

/// All that is read of any kind's status.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StatusShape {
    observed_generation: Option<i64>,
    conditions: Vec<ConditionShape>,
    /// From v1 on.
    latest_ref: Option<ReferenceShape>,
    /// Before: `IMAGE:TAG`, perhaps with a digest.
    latest_image: String,
    last_scan_result: Option<ScanShape>,
    last_automation_run_time: Option<Timestamp>,
    last_push_commit: String,
    last_push_time: Option<Timestamp>,
    observed_policies: BTreeMap<String, ReferenceShape>,
    last_handled_reconcile_at: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ConditionShape {
    r#type: String,
    status: String,
    reason: String,
    message: String,
    last_transition_time: Option<Timestamp>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ReferenceShape {
    name: String,
    tag: String,
    digest: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScanShape {
    /// Go writes `null` for none.
    scan_time: Option<Timestamp>,
    #[serde(default)]
    tag_count: u64,
    #[serde(default)]
    revision: String,
}

/// What a `status` says of an object whose spec was changed `generation` times.
pub(super) fn read(status: &Value, generation: i64) -> Reported {
    let shape: StatusShape = StatusShape::deserialize(status).unwrap_or_default();
    let latest = shape.latest_ref.map(ReferenceShape::into_domain).or_else(|| of_image(&shape.latest_image));
    let push = Some(shape.last_push_commit).filter(|commit| !commit.is_empty());
    let policies = shape.observed_policies.into_iter();
    Reported {
        generation,
        // -1 stands for "none yet".
        observed_generation: shape.observed_generation.filter(|observed| *observed >= 0),
        conditions: shape.conditions.into_iter().map(ConditionShape::into_domain).collect(),
        latest: latest.filter(|latest| !latest.tag.is_empty()),
        last_scan: shape.last_scan_result.and_then(|scan| {
            Some(LastScan {
                time: scan.scan_time?,
                tags: scan.tag_count,
                revision: Some(scan.revision).filter(|revision| !revision.is_empty()),
            })
        }),
        last_run: shape.last_automation_run_time,
        last_push: push.map(|commit| (commit, shape.last_push_time)),
        observed_policies: policies.map(|(name, reference)| (name, reference.into_domain())).collect(),
        handled: shape.last_handled_reconcile_at.filter(|handled| !handled.is_empty()),
    }
}

impl ReferenceShape {
    fn into_domain(self) -> Reference {
        let digest = Some(self.digest).filter(|digest| !digest.is_empty());
        Reference { image: self.name, tag: self.tag, digest }
    }
}

/// `IMAGE:TAG[@DIGEST]`.
fn of_image(text: &str) -> Option<Reference> {
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest.to_owned())),
        None => (text, None),
    };
    let (image, tag) = rest.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'))?;
    Some(Reference { image: image.to_owned(), tag: tag.to_owned(), digest })
}

impl ConditionShape {
    fn into_domain(self) -> Condition {
        let status = match self.status.as_str() {
            "True" => Ready::True,
            "False" => Ready::False,
            _ => Ready::Unknown,
        };
        let since = self.last_transition_time;
        Condition { kind: self.r#type, status, reason: self.reason, message: self.message, since }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_says_what_it_selected_in_the_words_of_every_version() {
        let v1 =
            json!({ "latestRef": { "name": "ghcr.io/acme/app", "tag": "1.0.0", "digest": "sha256:aa" } });
        let v1beta2 = json!({ "latestImage": "ghcr.io:443/acme/app:1.0.0@sha256:aa" });
        let latest = |status| read(&status, 1).latest.map(|latest| (latest.image, latest.tag, latest.digest));
        let digest = || Some("sha256:aa".to_owned());
        assert_eq!(latest(v1), Some(("ghcr.io/acme/app".to_owned(), "1.0.0".to_owned(), digest())));
        assert_eq!(latest(v1beta2), Some(("ghcr.io:443/acme/app".to_owned(), "1.0.0".to_owned(), digest())));
        assert_eq!(latest(json!({ "latestImage": "localhost:5000/app" })), None);
        assert_eq!(latest(json!({})), None);
    }

    #[test]
    fn scans_runs_and_conditions_are_read_and_what_does_not_fit_is_passed_over() {
        let said = read(
            &json!({
                "observedGeneration": -1,
                "conditions": [{ "type": "Ready", "status": "True", "reason": "Succeeded", "message": "found 3 tags",
                    "lastTransitionTime": "2026-03-01T09:12:44Z" }],
                "lastScanResult": { "scanTime": "2026-03-01T09:12:44Z", "tagCount": 3, "revision": "42" },
                "lastPushCommit": "8d2e91b", "lastPushTime": "2026-03-01T09:12:45Z",
                "observedPolicies": { "app": { "name": "ghcr.io/acme/app", "tag": "1.0.0" } },
            }),
            3,
        );
        assert_eq!((said.observed_generation, said.is_outdated()), (None, true));
        assert_eq!(said.status().message, "found 3 tags");
        assert_eq!(said.last_scan.unwrap().revision.as_deref(), Some("42"));
        assert_eq!(said.last_push.unwrap().0, "8d2e91b");
        assert_eq!(said.observed_policies["app"].tag, "1.0.0");
        assert_eq!(read(&json!({ "conditions": "none" }), 1), read(&Value::Null, 1));
    }

    #[test]
    fn a_scan_without_a_time_takes_nothing_else_away() {
        let status = serde_json::json!({ "lastScanResult": { "scanTime": null, "tagCount": 3 },
            "conditions": [{ "type": "Ready", "status": "True" }] });
        let reported = read(&status, 1);
        assert!(reported.last_scan.is_none() && reported.conditions.len() == 1, "{reported:?}");
    }
}
