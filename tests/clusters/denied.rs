//! What may not be read is neither missing nor empty: the verb, the resource and the place are named.

use super::*;

const GUEST_RIGHTS: [&str; 3] = [
    "image.toolkit.fluxcd.io/imagerepositories",
    "image.toolkit.fluxcd.io/imagepolicies",
    "image.toolkit.fluxcd.io/imageupdateautomations",
];

/// A repository in `host` that lets in whom `labels` fit, and a policy in `guest` that reads it.
fn put_shared(cluster: &Cluster, (host, guest): (&str, &str), labels: &Value) {
    for namespace in [host, guest] {
        cluster.namespace(namespace);
    }
    cluster.put_json(&json!({
        "apiVersion": IMAGE_V1, "kind": "ImageRepository", "metadata": { "name": "shared", "namespace": host },
        "spec": { "image": "127.0.0.1:1/app", "interval": "5m",
            "accessFrom": { "namespaceSelectors": [{ "matchLabels": labels }] } },
    }));
    cluster.put_json(&json!({
        "apiVersion": IMAGE_V1, "kind": "ImagePolicy", "metadata": { "name": "shared", "namespace": guest },
        "spec": { "imageRepositoryRef": { "name": "shared", "namespace": host },
            "policy": { "semver": { "range": ">=1.0.0" } } },
    }));
}

/// The same kubeconfig, with another namespace in each context.
fn in_namespace(cluster: &Cluster, namespace: &str) -> Person {
    let text = fs::read_to_string(cluster.kubeconfig()).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    for context in config["contexts"].as_array_mut().unwrap() {
        context["context"]["namespace"] = json!(namespace);
    }
    let mut person = Person::new(Path::new("unused"));
    person.kubeconfig = person.folder.path().join("config");
    fs::write(&person.kubeconfig, config.to_string()).unwrap();
    person
}

#[test]
fn a_repository_of_a_namespace_that_may_not_be_read_is_not_missing_and_one_that_may_be_is_found() {
    let Some(cluster) = shared() else { return };
    put_shared(cluster, ("rights-host", "rights-guest"), &json!({}));
    cluster.allow("reader", Some("rights-guest"), &["list"], &GUEST_RIGHTS);
    let person = Person::new(&cluster.kubeconfig());
    let updates = || {
        let asked = ["get", "updates", "-n", "rights-guest", "--context", "reader", "--source", "cluster"];
        person.run(&asked)
    };
    let said = updates();
    assert_eq!(said.exit, Some(4), "{said:?}");
    let text = "rights-guest/shared: ImageRepository rights-host/shared could not be read: not allowed to list \
                imagerepositories in namespace rights-host";
    assert!(said.err.contains(text) && !said.err.contains("not exist"), "{said:?}");
    cluster.allow("reader", Some("rights-host"), &["list"], &GUEST_RIGHTS[..1]);
    let said = updates();
    assert!(!said.err.contains("not allowed to list imagerepositories"), "{said:?}");
    assert_eq!(said.exit, Some(3), "its registry does not answer: {said:?}");
}

#[test]
fn a_namespace_that_was_not_read_is_no_empty_list() {
    let Some(cluster) = shared() else { return };
    put_app(cluster, "rights-own", "127.0.0.1:1/app", "1.0.0");
    cluster.allow("reader", Some("rights-own"), &["list"], &GUEST_RIGHTS);
    let person = in_namespace(cluster, "rights-own");
    for arguments in [&["get", "image", "policy"][..], &["get", "policies", "-o", "json"]] {
        let said = person.run(&[arguments, &["--context", "reader", "--source", "cluster"]].concat());
        assert_eq!((said.exit, said.out.as_str()), (Some(4), ""), "{said:?}");
        assert!(said.err.contains("not allowed to list imagepolicies in namespace flux-system"), "{said:?}");
    }
    let said = person.run(&["get", "policies", "-A", "--context", "reader", "--source", "cluster"]);
    assert!(said.exit == Some(0) && said.out.contains("rights-own"), "{said:?}");
}

#[test]
fn labels_that_may_not_be_read_name_the_right_that_is_missing_and_check_does() {
    let Some(cluster) = shared() else { return };
    put_shared(cluster, ("rights-labels-host", "rights-labels-guest"), &json!({ "team": "web" }));
    for namespace in ["rights-labels-host", "rights-labels-guest"] {
        cluster.allow("reader", Some(namespace), &["list"], &GUEST_RIGHTS);
    }
    let person = Person::new(&cluster.kubeconfig());
    let reader = ["--context", "reader", "--source", "cluster"];
    let updates = || person.run(&[&["get", "updates", "-n", "rights-labels-guest"][..], &reader].concat());
    let said = updates();
    assert_eq!(said.exit, Some(4), "{said:?}");
    let text =
        "the labels of namespace 'rights-labels-guest' could not be read: not allowed to list namespaces";
    assert!(said.err.contains(text) && !said.err.contains("to the files"), "{said:?}");
    let check = person.run(&[&["check"][..], &reader].concat());
    assert!(check.out.contains("rbac/list/Namespace"), "{check:?}");
    assert!(check.out.contains("not allowed to list namespaces"), "{check:?}");
    // Who may read the policy's own namespace may read its labels.
    cluster.allow("reader", Some("rights-labels-guest"), &["get"], &["namespaces"]);
    let said = updates();
    assert!(said.err.contains("ACL labels mismatch on namespace 'rights-labels-guest'"), "{said:?}");
}

#[test]
fn a_git_repository_that_may_not_be_read_is_not_guessed() {
    let Some(cluster) = shared() else { return };
    put_app(cluster, "rights-git", "127.0.0.1:1/app", "1.0.0");
    let metadata = json!({ "name": "fleet", "namespace": "rights-git" });
    cluster.put_json(&json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "metadata": metadata,
        "spec": { "url": "https://127.0.0.1:1/fleet.git", "interval": "5m", "ref": { "branch": "main" } },
    }));
    cluster.put_json(&json!({
        "apiVersion": IMAGE_V1, "kind": "ImageUpdateAutomation", "metadata": metadata,
        "spec": { "interval": "5m", "sourceRef": { "kind": "GitRepository", "name": "fleet" },
            "git": { "checkout": { "ref": { "branch": "main" } },
                "commit": { "author": { "name": "a", "email": "a@b" } }, "push": { "branch": "main" } } },
    }));
    cluster.allow("reader", Some("rights-git"), &["list"], &GUEST_RIGHTS);
    let person = Person::new(&cluster.kubeconfig());
    let git = |arguments: &[&str]| {
        let folder = person.folder.path().join("files");
        assert!(Command::new("git").args(arguments).current_dir(folder).status().unwrap().success());
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["remote", "add", "origin", "https://127.0.0.1:1/other.git"]);
    person.write("deploy.yaml", "image: 127.0.0.1:1/app:0.9.0 # {\"$imagepolicy\": \"rights-git:app\"}\n");
    let reader = ["-n", "rights-git", "--context", "reader", "--source", "both", "-C", ".", "-o", "json"];
    let list = person.run(&[&["get", "automations"][..], &reader].concat()).json();
    let item = &list["items"][0];
    let text = "GitRepository rights-git/fleet could not be read: not allowed to list gitrepositories in namespace \
                rights-git";
    assert_eq!((&item["remote"], &item["checkout"]["branch"]), (&Value::Null, &json!("main")), "{list:#}");
    assert!(list["problems"].to_string().contains(text), "{list:#}");
    let plan = person.run(&[&["plan", "--all"][..], &reader].concat());
    assert!(plan.err.contains(text) || plan.out.contains(text), "{plan:?}");
    assert!(!plan.out.contains("other.git") && !plan.err.contains("assumed"), "{plan:?}");
}

/// A remote with one marked file of `namespace`, and its address.
fn put_remote(folder: &Path, namespace: &str, image: &str) -> String {
    let work = folder.join("work");
    fs::create_dir_all(&work).unwrap();
    let text = format!("image: {image}:1.0.0 # {{\"$imagepolicy\": \"{namespace}:app\"}}\n");
    fs::write(work.join("deploy.yaml"), text).unwrap();
    let git = |arguments: &[&str]| {
        let by = ["-c", "user.name=a", "-c", "user.email=a@b"];
        let done = Command::new("git").args(by).args(arguments).current_dir(&work).status();
        assert!(done.unwrap().success(), "{arguments:?}");
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "one"]);
    git(&["clone", "-q", "--bare", ".", "../fleet.git"]);
    folder.join("fleet.git").display().to_string()
}

#[test]
fn where_automations_may_not_be_read_the_branch_of_a_push_is_confirmed_by_name() {
    let Some(cluster) = shared() else { return };
    let Some(registry) = DockerRegistry::start(None) else { return };
    registry.push("app", "1.0.0");
    registry.push("app", "1.1.0");
    let image = format!("{}/app", registry.host);
    put_app(cluster, "rights-push", &image, "1.0.0");
    let metadata = json!({ "name": "fleet", "namespace": "rights-push" });
    cluster.put_json(&json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "metadata": metadata,
        "spec": { "url": "https://127.0.0.1:1/fleet.git", "interval": "5m", "ref": { "branch": "main" } },
    }));
    cluster.put_json(&json!({
        "apiVersion": IMAGE_V1, "kind": "ImageUpdateAutomation", "metadata": metadata,
        "spec": { "interval": "5m", "sourceRef": { "kind": "GitRepository", "name": "fleet" },
            "git": { "checkout": { "ref": { "branch": "main" } },
                "commit": { "author": { "name": "a", "email": "a@b" } }, "push": { "branch": "auto" } } },
    }));
    cluster.allow("reader", Some("rights-push"), &["list"], &GUEST_RIGHTS[..2]);
    let person = in_namespace(cluster, "rights-push");
    let url = put_remote(person.folder.path(), "rights-push", &image);
    let address = format!("rights-push/fleet={url}");
    let plan = person.run(&[
        "plan",
        "rights-push/app",
        "--context",
        "admin",
        "--source",
        "cluster",
        "--git-url",
        &address,
        "-o",
        "json",
    ]);
    assert_eq!(plan.exit, Some(0), "{plan:?}");
    person.write("plan.json", &plan.out);
    let push = |more: &[&str]| {
        let asked = ["push", "--plan", "plan.json", "--source", "cluster", "--write", "--yes"];
        person.run(&[&asked[..], more].concat())
    };
    let active = push(&["--context", "admin"]);
    assert_eq!(active.exit, Some(7), "{active:?}");
    let text = "automation rights-push/fleet, which is active in the cluster, pushes to it";
    assert!(active.err.contains(text), "{active:?}");
    let unknown = push(&["--context", "reader"]);
    assert_eq!(unknown.exit, Some(7), "{unknown:?}");
    let text = "nobody knows whether an automation that is active in the cluster pushes to it: not allowed to list \
                imageupdateautomations";
    assert!(unknown.err.contains(text) && unknown.err.contains("--confirm-branch auto"), "{unknown:?}");
    let named = push(&["--context", "reader", "--confirm-branch", "auto"]);
    assert!(named.err.contains("pushed") || named.out.contains("pushed"), "{named:?}");
}
