//! `delete`, `suspend`, `resume`, `export` on files: what was meant changes, and no other byte.

use std::fs;

use super::{Place, json, lines};

const VOTE: &str = "\
# who scans what, and why
apiVersion: image.toolkit.fluxcd.io/v1beta2
kind: ImageRepository
metadata:
    name: vote
    namespace: flux-system
spec:
    image: 127.0.0.1:1/vote   # the guide's
    interval: 90s
";

const POLICY: &str = "\
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: {name: vote, namespace: flux-system, labels: {team: x}}
spec:
  imageRepositoryRef: {name: vote}
  policy: {semver: {range: '1.x'}}
";

const OTHER: &str = "---\n# not ours\nkind:   ConfigMap\napiVersion: v1\n";

#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn place() -> Place {
    let place = Place::new();
    fs::write(place.fleet().join("clusters/all.yaml"), format!("{VOTE}{POLICY}{OTHER}")).unwrap();
    place
}

#[test]
fn a_deleted_object_leaves_every_other_byte_of_its_file() {
    let place = place();
    let deleted = place.run(&["delete", "image", "policy", "vote", "-s"]);
    assert_eq!(deleted.status.code(), Some(0), "{}", lines(&deleted));
    let line = VOTE.lines().count() + 1;
    let said = format!(
        "► deleting image policy vote in flux-system namespace\n► took it out of clusters/all.yaml:{line}\n\
         ✔ image policy deleted\n"
    );
    assert_eq!(lines(&deleted), said);
    assert_eq!(place.text("clusters/all.yaml"), format!("{VOTE}{OTHER}"));
    let document = json(&place.run(&["delete", "image", "repository", "vote", "--yes", "-o", "json"]));
    assert_eq!(
        document,
        serde_json::json!({
            "apiVersion": "supercargo/v1", "kind": "ObjectResult", "problems": [], "action": "deleted",
            "object": {"kind": "ImageRepository", "namespace": "flux-system", "name": "vote"}, "target": "files",
            "file": "clusters/all.yaml", "dry_run": false, "message": null,
        })
    );
    assert_eq!(place.text("clusters/all.yaml"), OTHER);
    let audit = place.run(&["events", "-o", "json"]);
    let audit = String::from_utf8_lossy(&audit.stdout).into_owned();
    assert_eq!(
        audit.lines().filter(|line| line.contains("deleted in clusters/all.yaml")).count(),
        2,
        "{audit}"
    );
}

#[test]
fn a_file_in_which_nothing_is_left_goes_and_whoever_still_lists_it_is_named() {
    let place = Place::new();
    fs::write(place.fleet().join("clusters/vote.yaml"), VOTE).unwrap();
    fs::write(place.fleet().join("clusters/kustomization.yaml"), "resources:\n- ./vote.yaml\n").unwrap();
    let deleted = place.run(&["delete", "image", "repository", "vote", "-s"]);
    assert_eq!(deleted.status.code(), Some(0), "{}", lines(&deleted));
    assert!(!place.fleet().join("clusters/vote.yaml").exists());
    assert!(
        lines(&deleted).contains("⚠ clusters/kustomization.yaml: still lists vote.yaml"),
        "{}",
        lines(&deleted)
    );
}

#[test]
fn nothing_is_deleted_without_agreement_in_read_only_or_by_a_wrong_name() {
    let place = place();
    let whole = place.text("clusters/all.yaml");
    for (args, exit, said) in [
        (&["delete", "image", "policy", "vote"][..], 7, "a deletion has to be confirmed"),
        (&["delete", "image", "policy", "vote", "-s", "--read-only"], 7, "the mode is READ-ONLY"),
        (&["suspend", "image", "policy", "vote", "--read-only"], 7, "the mode is READ-ONLY"),
        (&["reconcile", "image", "policy", "vote", "--read-only"], 7, "the mode is READ-ONLY"),
        (&["delete", "image", "policy", "nosuch", "--read-only"], 2, "ImagePolicy nosuch not found"),
        (&["suspend", "image", "policy", "nosuch", "--read-only"], 2, "ImagePolicy nosuch not found"),
        (&["reconcile", "image", "policy", "nosuch", "--read-only"], 2, "ImagePolicy nosuch not found"),
        (&["hold", "nosuch", "--reason", "x", "--read-only"], 2, "no ImagePolicy of this name"),
        (&["hold", "vote", "--reason", "x", "--read-only"], 7, "the mode is READ-ONLY"),
        (&["unhold", "vote", "--read-only"], 7, "the mode is READ-ONLY"),
        (
            &["suspend", "image", "update", "vote"],
            2,
            "✗ ImageUpdateAutomation vote not found in flux-system namespace",
        ),
        (&["delete", "image", "policy", "vot", "-s"], 2, "hint: Did you mean flux-system/vote?"),
        (
            &["delete", "image", "policy", "vote", "-s", "-n", "shop"],
            2,
            "ImagePolicy vote not found in shop namespace",
        ),
        (&["delete", "image", "policy", "-s"], 2, "Give a name, or --all."),
    ] {
        let output = place.run(args);
        assert_eq!(output.status.code(), Some(exit), "{args:?}: {}", lines(&output));
        assert!(lines(&output).contains(said), "{args:?}: {}", lines(&output));
    }
    assert_eq!(place.text("clusters/all.yaml"), whole);
}

#[test]
fn what_is_not_there_is_the_subject_and_flux_s_sentence_stays() {
    for args in [
        &["delete", "image", "policy", "nosuch", "-s"][..],
        &["suspend", "image", "policy", "nosuch"],
        &["export", "image", "policy", "nosuch"],
        &["reconcile", "image", "policy", "nosuch"],
    ] {
        let place = place();
        let said = lines(&place.run(args));
        assert!(said.starts_with("✗ ImagePolicy nosuch not found in flux-system namespace"), "{said}");
        let told = lines(&place.run(&[args, &["-o", "json"]].concat()));
        assert!(told.contains("\"code\":\"not_found\",\"subject\":\"nosuch\""), "{told}");
    }
}

#[test]
fn an_object_that_several_places_describe_is_changed_in_none() {
    let place = place();
    fs::write(place.fleet().join("copy.yaml"), VOTE).unwrap();
    let output = place.run(&["suspend", "image", "repository", "vote"]);
    assert_eq!(output.status.code(), Some(2));
    let said = lines(&output);
    assert!(said.contains("clusters/all.yaml:1, copy.yaml:1") && said.contains("-C"), "{said}");
    assert_eq!(place.text("copy.yaml"), VOTE);
}

#[test]
fn suspending_and_resuming_touch_one_key() {
    let place = place();
    let suspended = place.run(&["suspend", "image", "repository", "vote"]);
    let line = VOTE.lines().count() + 1;
    let said = format!(
        "► suspending image repository vote in flux-system namespace\n► wrote clusters/all.yaml:{line}\n\
         ✔ image repository suspended\n"
    );
    assert_eq!(lines(&suspended), said);
    let with = |value: &str| format!("{VOTE}    suspend: {value}\n{POLICY}{OTHER}");
    assert_eq!(place.text("clusters/all.yaml"), with("true"));
    let again = json(&place.run(&["suspend", "image", "repository", "vote", "-o", "json"]));
    assert_eq!(again["action"], "unchanged");
    let again = lines(&place.run(&["suspend", "image", "repository", "vote"]));
    assert!(again.contains("► clusters/all.yaml:1 says so already\n"), "{again}");
    assert_eq!(place.text("clusters/all.yaml"), with("true"));
    let refused = place.run(&["reconcile", "image", "repository", "vote", "--refresh", "auto"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(lines(&refused).contains("resource is suspended"), "{}", lines(&refused));
    let resumed = json(&place.run(&["resume", "image", "repository", "flux-system/vote", "-o", "json"]));
    assert_eq!(resumed["action"], "resumed");
    assert_eq!(place.text("clusters/all.yaml"), with("false"));
}

#[test]
fn all_of_a_kind_are_changed_in_one_go_and_none_is_no_error() {
    let place = place();
    let second = VOTE.replace("name: vote", "name: web");
    fs::write(place.fleet().join("clusters/all.yaml"), format!("{VOTE}---\n{second}{OTHER}")).unwrap();
    let document = json(&place.run(&["suspend", "image", "repository", "--all", "-o", "json"]));
    assert_eq!(document["kind"], "ObjectResultList");
    assert_eq!(document["items"][1]["object"]["name"], "web");
    let text = format!("{VOTE}    suspend: true\n---\n{second}    suspend: true\n{OTHER}");
    assert_eq!(place.text("clusters/all.yaml"), text);
    let none = place.run(&["suspend", "image", "policy", "--all"]);
    assert_eq!(none.status.code(), Some(0));
    assert_eq!(lines(&none), "⚠ no ImagePolicy objects found in flux-system namespace\n");
    let deleted = place.run(&["delete", "image", "repository", "vote", "web", "-s"]);
    assert_eq!(deleted.status.code(), Some(0), "{}", lines(&deleted));
    assert_eq!(place.text("clusters/all.yaml"), OTHER);
}

#[test]
fn one_object_that_fails_has_the_shape_of_one_that_does_not() {
    let place = place();
    let failed = place.run(&["reconcile", "image", "policy", "vote", "-o", "json"]);
    let document = json(&failed);
    assert!(document["kind"] == "ObjectResult" && document["action"].is_null(), "{document}");
    assert_eq!(document["object"]["name"], "vote");
    assert_eq!((&document["message"], failed.status.success()), (&document["problems"][0]["message"], false));
    let named = place.run(&["reconcile", "image", "policy", "vote", "-o", "name"]);
    assert!(named.stdout.is_empty(), "{named:?}");
}

#[test]
fn an_export_is_what_flux_prints() {
    let place = place();
    let exported = place.run(&["export", "image", "repository", "vote", "--read-only"]);
    assert_eq!(
        String::from_utf8_lossy(&exported.stdout),
        "---\napiVersion: image.toolkit.fluxcd.io/v1beta2\nkind: ImageRepository\nmetadata:\n  name: vote\n  namespace: \
         flux-system\nspec:\n  image: 127.0.0.1:1/vote\n  interval: 1m30s\n"
    );
    let all = place.run(&["export", "image", "policy", "--all", "-A"]);
    assert!(String::from_utf8_lossy(&all.stdout).contains("  labels:\n    team: x\n  name: vote\n"));
    assert_eq!((exported.status.code(), all.status.code()), (Some(0), Some(0)));
}
