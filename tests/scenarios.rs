//! The small worlds of `tests/scenarios`: what is read of their files.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;

use supercargo::domain::inventory::{AccessError, LinkError, targets};
use supercargo::domain::manifest;
use supercargo::domain::object::ObjectId;
use supercargo::source::files::{Loaded, parse, read_work_tree};

fn id(text: &str) -> ObjectId {
    let (namespace, name) = text.split_once('/').unwrap();
    ObjectId::new(namespace, name)
}

fn fleet() -> Loaded {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/fleet/files");
    let tree = read_work_tree(&root).unwrap();
    assert_eq!(tree.problems, []);
    parse(&tree.files, "flux-system")
}

#[test]
fn the_fleet_is_read_whole() {
    let loaded = fleet();
    let inventory = &loaded.inventory;
    assert_eq!(inventory.all_problems(), []);
    assert_eq!(inventory.repositories.len(), 12);
    assert_eq!(inventory.policies.len(), 13);
    assert_eq!(inventory.automations.len(), 4);
    assert_eq!(inventory.git_repositories.len(), 2);
    assert_eq!(
        inventory.policies[&id("edge/nginx")].meta.origin.to_string(),
        "clusters/prod-eu/images/edge.yaml:10"
    );
}

#[test]
fn automations_of_the_fleet_read_main_and_write_where_they_say() {
    let inventory = fleet().inventory;
    for (name, push_branch, switching, policies) in [
        ("flux-system/apps-main", "image-updates", true, &["podinfo"][..]),
        ("shop/apps-main", "image-updates", true, &["cart", "checkout-api", "checkout-api-canary", "web"]),
        ("edge/edge", "main", false, &["legacy", "nginx", "proxy"]),
    ] {
        let automation = &inventory.automations[&id(name)];
        let source = &inventory.git_repositories[&automation.source];
        let targets = targets(automation, source.reference.as_ref()).unwrap();
        assert_eq!(targets.checkout.branch(), Some("main"), "{name}");
        assert_eq!((targets.push_branch.as_str(), targets.switching), (push_branch, switching), "{name}");
        let found = inventory.policies_of(automation).unwrap();
        let found: Vec<_> = found.iter().map(|policy| policy.meta.id.name.as_str()).collect();
        assert_eq!(found, policies, "{name}");
    }
}

#[test]
fn a_policy_of_the_fleet_reads_across_namespaces_by_label() {
    let mut inventory = fleet().inventory;
    let policy = inventory.policies[&id("edge/proxy")].clone();
    let (_, image) = inventory.repository_of(&policy).unwrap();
    assert_eq!(image.canonical(), "registry.example.com/platform/proxy");
    inventory.namespaces.clear();
    let error = inventory.repository_of(&policy).unwrap_err();
    assert!(matches!(error, LinkError::Access(AccessError::LabelsUnknown { .. })));
}

#[test]
fn secrets_of_the_fleet_that_can_not_be_used_say_why() {
    let secrets = fleet().secrets;
    assert_eq!(secrets.find(&id("shop/registry-login")).unwrap_err().code(), "secret_encrypted");
    assert_eq!(secrets.find(&id("edge/legacy-pull")).unwrap_err().code(), "secret_not_found");
}

#[test]
fn markers_of_the_fleet_stand_where_the_frames_show_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/fleet/files/apps/podinfo");
    let sites = |file: &str| -> Vec<(usize, String)> {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        manifest::find(&text).unwrap().into_iter().map(|site| (site.line, site.setter)).collect()
    };
    assert_eq!(sites("deploy.yaml"), [(31, "flux-system:podinfo".to_owned())]);
    assert_eq!(
        sites("hr.yaml"),
        [(18, "flux-system:podinfo:tag".to_owned()), (19, "flux-system:podinfo:digest".to_owned())]
    );
}
