//! What runs in a cluster, beside the tags that could: read as far as that is allowed.

use super::*;

fn put_deployment(cluster: &Cluster, namespace: &str, name: &str, (image, replicas): (&str, u32)) {
    let labels = json!({ "app": name });
    cluster.put_json(&json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name, "namespace": namespace },
        "spec": {
            "replicas": replicas, "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": [{ "name": "c", "image": image }] } },
        },
    }));
}

/// The tags that carry the flag.
fn running(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    let flagged = items.filter(|item| item["flags"].as_array().unwrap().contains(&json!("running")));
    flagged.map(|item| item["tag"].as_str().unwrap()).collect()
}

#[test]
fn tags_that_workloads_run_are_flagged_and_who_may_not_read_workloads_is_told_why_none_is() {
    let Some(cluster) = shared() else { return };
    let Some(registry) = DockerRegistry::start(None) else { return };
    for tag in ["1.0.0", "1.1.0", "1.2.0"] {
        registry.push("app", tag);
    }
    let image = format!("{}/app", registry.host);
    put_app(cluster, "runs", &image, "1.2.0");
    put_deployment(cluster, "runs", "app", (&format!("{image}:1.1.0"), 2));
    put_deployment(cluster, "runs", "rests", (&format!("{image}:1.0.0"), 0));
    let person = Person::new(&cluster.kubeconfig());
    let get = |context| {
        let asked =
            ["get", "tags", "app", "-n", "runs", "--source", "cluster", "-o", "json", "--context", context];
        person.run(&asked).json()
    };
    let list = get("admin");
    assert_eq!(running(&list), ["1.1.0"], "{list:#}");
    assert!(!list["problems"].to_string().contains("what runs"), "{list:#}");

    cluster.allow(
        "reader",
        Some("runs"),
        &["list"],
        &["image.toolkit.fluxcd.io/imagerepositories", "image.toolkit.fluxcd.io/imagepolicies"],
    );
    let list = get("reader");
    assert_eq!(running(&list), [""; 0], "{list:#}");
    let problems = list["problems"].to_string();
    assert!(
        problems.contains("what runs is not all known: not allowed to list deployments in namespace runs"),
        "{list:#}"
    );
    cluster.allow("reader", Some("runs"), &["list"], &["apps/deployments"]);
    let list = get("reader");
    assert_eq!(running(&list), ["1.1.0"], "{list:#}");
    assert!(!list["problems"].to_string().contains("deployments"), "{list:#}");
}
