//! A server, a login or a kubeconfig that goes wrong: what is told, and that what was read stays and comes again.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::support::registry::{Asked, Liar, Say};
use super::*;

/// A kubeconfig with one context `it`, whose user this is.
fn kubeconfig(folder: &Path, server: &str, user: &Value) -> PathBuf {
    let path = folder.join("config");
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "it",
        "clusters": [{ "name": "c", "cluster": { "server": server } }],
        "contexts": [{ "name": "it", "context": { "cluster": "c", "user": "u" } }],
        "users": [{ "name": "u", "user": user }],
    });
    fs::write(&path, config.to_string()).unwrap();
    path
}

fn someone(server: &str, user: &Value) -> Person {
    let mut person = Person::new(Path::new("unused"));
    person.kubeconfig = kubeconfig(person.folder.path(), server, user);
    person
}

/// What says of an API server of Flux's kinds which groups and kinds it serves.
fn discovery(path: &str) -> Option<Say> {
    let groups = ["image", "source"].map(|name| format!("{name}.toolkit.fluxcd.io"));
    if path == "/apis" {
        let all = groups.map(|name| {
            let version = json!({ "groupVersion": format!("{name}/v1"), "version": "v1" });
            json!({ "name": name, "versions": [version], "preferredVersion": version })
        });
        let list = json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": all.to_vec() });
        return Some(Say::json(list.to_string()));
    }
    let group = groups.iter().find(|group| path == format!("/apis/{group}/v1"))?;
    let kinds: &[(&str, &str)] = if group.starts_with("image") {
        &[
            ("imagerepositories", "ImageRepository"),
            ("imagepolicies", "ImagePolicy"),
            ("imageupdateautomations", "ImageUpdateAutomation"),
        ]
    } else {
        &[("gitrepositories", "GitRepository")]
    };
    let resource = |(plural, kind): &(&str, &str)| json!({ "name": plural, "singularName": "", "namespaced": true, "kind": kind, "verbs": ["list", "watch"] });
    let resources: Vec<Value> = kinds.iter().map(resource).collect();
    let list = json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": format!("{group}/v1"), "resources": resources,
    });
    Some(Say::json(list.to_string()))
}

/// A list of image repositories with these names; of no other kind is there any.
fn list_of(path: &str, names: &[&str]) -> Say {
    let item = |name: &&str| {
        json!({
            "apiVersion": IMAGE_V1, "kind": "ImageRepository",
            "metadata": { "name": name, "namespace": "shop", "resourceVersion": "1", "generation": 1 },
            "spec": { "image": "127.0.0.1:1/app", "interval": if *name == "odd" { "soon" } else { "5m" } },
        })
    };
    let items: Vec<Value> =
        if path.contains("/imagerepositories") { names.iter().map(item).collect() } else { Vec::new() };
    let list = json!({ "kind": "List", "apiVersion": IMAGE_V1, "metadata": { "resourceVersion": "7" }, "items": items });
    Say::json(list.to_string())
}

/// A watch on which these bytes come, and then nothing any more.
fn watch_of(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{body}").into_bytes()
}

/// An API server without TLS. `say` is asked for lists and watches, with the path and with how many such requests came before.
fn api(say: impl Fn(&str, usize) -> Say + Send + Sync + 'static) -> Liar {
    Liar::start(move |asked: &Asked, before| {
        let path = asked.line.split(' ').nth(1).unwrap_or_default();
        discovery(path).unwrap_or_else(|| say(path, before))
    })
}

fn is_watch(path: &str) -> bool {
    path.contains("watch=true")
}

const WATCHED: [&str; 6] = ["get", "repositories", "-A", "-w", "--source", "cluster"];

#[test]
fn a_server_that_forgets_every_moment_is_read_again_once_and_not_in_each_round() {
    let server =
        api(|path, _| if is_watch(path) { Say::status("410 Gone") } else { list_of(path, &["app"]) });
    let person = someone(&format!("http://{}", server.host), &json!({}));
    let running = Running::start(person.command(&WATCHED));
    Running::wait(&running.out, "app");
    std::thread::sleep(Duration::from_secs(9));
    let asked = |what: &dyn Fn(&str) -> bool| {
        let all = server.asked();
        all.iter().filter(|asked| asked.line.contains("/imagerepositories?") && what(&asked.line)).count()
    };
    let watches = asked(&is_watch);
    assert!((2..=6).contains(&watches), "{watches} watches");
    let lists = asked(&|line| line.contains("limit=500"));
    assert!((2..=4).contains(&lists), "{lists} lists");
}

#[test]
fn lists_that_fail_for_a_moment_are_told_of_and_read_again_while_the_rows_stay() {
    let server = api(|path, before| match (is_watch(path), before) {
        // What is forgotten once makes everything be read again.
        (true, 0) => Say::status("410 Gone"),
        (true, _) => Say::Stall(watch_of("")),
        (false, _) if path.contains("limit=1&") || path.ends_with("limit=1") => list_of(path, &[]),
        (false, 0) => list_of(path, &["app"]),
        (false, 1) => Say::status("500 Internal Server Error"),
        (false, _) => list_of(path, &["app", "web"]),
    });
    let person = someone(&format!("http://{}", server.host), &json!({}));
    let running = Running::start(person.command(&WATCHED));
    Running::wait(&running.out, "app");
    Running::wait(&running.err, "the API server failed (500)");
    Running::wait(&running.out, "web");
}

#[test]
fn a_watch_whose_bytes_come_one_by_one_is_heard() {
    let event = json!({
        "type": "ADDED",
        "object": { "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
            "metadata": { "name": "web", "namespace": "shop", "resourceVersion": "8" } },
    });
    let server = api(move |path, before| match (is_watch(path), before) {
        (true, 0) if path.contains("/imagerepositories") => Say::Drip(watch_of(&format!("{event}\n"))),
        (true, _) => Say::Stall(watch_of("")),
        (false, 0) => list_of(path, &["app"]),
        (false, _) => list_of(path, &["app", "web"]),
    });
    let person = someone(&format!("http://{}", server.host), &json!({}));
    let running = Running::start(person.command(&WATCHED));
    Running::wait(&running.out, "app");
    Running::wait(&running.out, "web");
}

#[test]
fn a_busy_server_is_no_empty_list_and_an_object_that_does_not_fit_is_named() {
    let server = api(|path, before| {
        // Who waits a moment is answered, but for policies.
        let is_busy = path.contains("/imagepolicies") || (path.contains("/imagerepositories") && before < 2);
        if is_busy { Say::status("429 Too Many Requests") } else { list_of(path, &["app", "odd"]) }
    });
    let person = someone(&format!("http://{}", server.host), &json!({}));
    let list = person.run(&["get", "repositories", "-A", "--source", "cluster", "-o", "json"]).json();
    let passed_over = "ImageRepository shop/odd of the cluster is passed over: ";
    assert!(list["problems"].to_string().contains(passed_over), "{list}");
    let items = list["items"].as_array().unwrap();
    assert_eq!(
        (items.len(), &items[1]["name"], &items[1]["ready"]),
        (2, &json!("odd"), &json!("False")),
        "{list}"
    );
    assert!(items[1]["message"].as_str().unwrap().starts_with(passed_over), "{list}");
    let named = person.run(&["get", "repositories", "odd", "-n", "shop", "--source", "cluster"]);
    assert!(format!("{named:?}").contains(passed_over), "{named:?}");
    let policies = person.run(&["get", "policies", "-A", "--source", "cluster", "-o", "json"]);
    assert_eq!(policies.exit, Some(3), "{policies:?}");
    assert!(policies.err.contains("\"code\":\"rate_limited\""), "{policies:?}");
}

#[test]
fn what_is_no_api_server_is_told_from_a_name_that_is_not_there() {
    for answer in ["404 Not Found", "400 Bad Request"] {
        let server = Liar::start(move |_, _| Say::status(answer));
        let address = format!("http://{}", server.host);
        let said = someone(&address, &json!({})).run(&["get", "repositories", "--source", "cluster"]);
        assert_eq!(said.exit, Some(3), "{said:?}");
        assert!(said.err.contains("what answers is no API server"), "{said:?}");
    }
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let said = someone(&nobody, &json!({})).run(&["get", "repositories", "--source", "cluster"]);
    assert!(said.err.contains(&format!("{nobody} was asked")), "{said:?}");
}

#[test]
fn a_server_that_says_nothing_is_given_up_within_the_time_limit_in_a_sentence_of_ours() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let person = someone(&format!("https://{}", listener.local_addr().unwrap()), &json!({}));
    for arguments in [
        &["suspend", "image", "repository", "app", "--write", "--yes"][..],
        &["get", "repositories", "--source", "cluster"],
    ] {
        let begun = Instant::now();
        let said = person.run(arguments);
        assert_eq!(said.exit, Some(3), "{said:?}");
        assert!(said.err.contains("list API groups: no answer within 10 s"), "{said:?}");
        assert!(begun.elapsed() < Duration::from_secs(25), "{said:?}");
    }
}

#[test]
fn a_kubeconfig_that_cannot_be_used_says_why() {
    let person = someone("https://127.0.0.1:1", &json!({}));
    let get = |person: &Person, more: &[&str]| {
        person.run(&[&["get", "repositories", "--source", "cluster", "--timeout", "2s"][..], more].concat())
    };
    let expect = |said: Said, exit: i32, text: &str| {
        assert_eq!(said.exit, Some(exit), "{said:?}");
        assert!(said.err.contains(text), "no {text:?}: {said:?}");
    };
    expect(get(&person, &["--context", "ti"]), 2, "no kube context \"ti\"");
    let plugin = |command: &str, arguments: &[&str]| {
        let exec = json!({ "apiVersion": "client.authentication.k8s.io/v1", "command": command,
            "args": arguments, "interactiveMode": "Always" });
        kubeconfig(person.folder.path(), "https://127.0.0.1:1", &json!({ "exec": exec }));
    };
    plugin("sh", &["-c", "echo the session is over >&2; exit 3"]);
    expect(get(&person, &[]), 2, "the session is over");
    plugin("sleep", &["30"]);
    expect(
        person.run(&["get", "repositories", "--source", "cluster"]),
        3,
        "the plugin sleep took longer than 10 s",
    );
    plugin("sh", &["-c", "read answer < /dev/tty; echo no terminal >&2; exit 1"]);
    expect(get(&person, &[]), 2, "no terminal");
    plugin("no-such-plugin", &[]);
    expect(get(&person, &[]), 2, "cannot be started");
    fs::write(&person.kubeconfig, "users: [hunter2\n").unwrap();
    let broken = get(&person, &[]);
    assert!(!broken.err.contains("hunter2"), "{broken:?}");
    expect(broken, 2, "is no kubeconfig");
    fs::write(&person.kubeconfig, "").unwrap();
    expect(get(&person, &[]), 2, "no kube context is in force");
}

/// The kubeconfig of a cluster, with its own copy of the text.
fn copied(cluster: &Cluster) -> Person {
    let mut person = Person::new(Path::new("unused"));
    person.kubeconfig = person.folder.path().join("config");
    fs::copy(cluster.kubeconfig(), &person.kubeconfig).unwrap();
    person
}

fn put_repository(cluster: &Cluster, name: &str, interval: &str) {
    cluster.put_json(&json!({
        "apiVersion": IMAGE_V1, "kind": "ImageRepository", "metadata": { "name": name, "namespace": "shop" },
        "spec": { "image": "127.0.0.1:1/app", "interval": interval },
    }));
}

const KINDS: [&str; 4] = [
    "image.toolkit.fluxcd.io/imagerepositories",
    "image.toolkit.fluxcd.io/imagepolicies",
    "image.toolkit.fluxcd.io/imageupdateautomations",
    "source.toolkit.fluxcd.io/gitrepositories",
];

#[test]
fn after_a_login_expired_the_cluster_is_read_again_as_soon_as_the_kubeconfig_has_another() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    cluster.namespace("shop");
    put_repository(&cluster, "app", "5m");
    cluster.allow("reader", None, &["list", "watch"], &KINDS);
    let person = copied(&cluster);
    let running = Running::start(person.command(&[&WATCHED[..], &["--context", "reader"]].concat()));
    Running::wait(&running.out, "app");
    cluster.stop();
    Running::wait(&running.err, "the API server was not reached");
    cluster.give_token("reader", "another-token");
    cluster.restart();
    Running::wait(&running.err, "the API server does not accept the login");
    put_repository(&cluster, "web", "5m");
    let text = fs::read_to_string(&person.kubeconfig).unwrap();
    fs::write(&person.kubeconfig, text.replace("reader-token", "another-token")).unwrap();
    Running::wait(&running.out, "web");
}

#[test]
fn a_cluster_that_comes_later_is_found_beside_the_files() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    cluster.namespace("shop");
    put_repository(&cluster, "late", "5m");
    cluster.stop();
    let person = copied(&cluster);
    person.write(
        "app.yaml",
        &format!(
            "apiVersion: {IMAGE_V1}\nkind: ImageRepository\nmetadata: {{name: early, namespace: shop}}\nspec: {{image: \
             \"127.0.0.1:1/app\", interval: 5m}}\n"
        ),
    );
    let running = Running::start(person.command(&["get", "repositories", "-A", "-w"]));
    Running::wait(&running.out, "early");
    cluster.restart();
    Running::wait(&running.out, "late");
}

#[test]
fn a_version_that_is_served_no_longer_and_a_kind_that_comes_later_are_read_and_watched() {
    let Some(cluster) = Cluster::start(&[("    name: v1\n", "    name: v1beta2\n")]) else { return };
    cluster.namespace("shop");
    cluster.put_json(&json!({
        "apiVersion": "image.toolkit.fluxcd.io/v1beta2", "kind": "ImageRepository",
        "metadata": { "name": "app", "namespace": "shop" }, "spec": { "image": "127.0.0.1:1/app", "interval": "5m" },
    }));
    cluster.remove_kind("imagepolicies.image.toolkit.fluxcd.io");
    let person = Person::new(&cluster.kubeconfig());
    let repositories = Running::start(person.command(&WATCHED));
    let policies = Running::start(person.command(&["get", "policies", "-A", "-w", "--source", "cluster"]));
    Running::wait(&repositories.out, "app");
    Running::wait(&policies.err, "the cluster has no ImagePolicy");
    cluster.serve_instead("imagerepositories.image.toolkit.fluxcd.io", "v1");
    cluster.install_kind("imagepolicies");
    put_repository(&cluster, "web", "5m");
    cluster.put_json(&json!({
        "apiVersion": IMAGE_V1, "kind": "ImagePolicy", "metadata": { "name": "newcomer", "namespace": "shop" },
        "spec": { "imageRepositoryRef": { "name": "web" }, "policy": { "semver": { "range": ">=1.0.0" } } },
    }));
    Running::wait(&repositories.out, "web");
    Running::wait(&policies.out, "newcomer");
    // Both are watched from now on: the next change shows soon.
    put_repository(&cluster, "shed", "5m");
    let begun = Instant::now();
    Running::wait(&repositories.out, "shed");
    assert!(begun.elapsed() < Duration::from_secs(10), "it was watched and not asked for");
}

#[test]
fn who_may_list_and_not_watch_sees_changes_a_little_later() {
    let Some(cluster) = shared() else { return };
    let put = |name: &str| {
        cluster.put_json(&json!({
            "apiVersion": IMAGE_V1, "kind": "ImageRepository", "metadata": { "name": name, "namespace": "unwatched" },
            "spec": { "image": "127.0.0.1:1/app", "interval": "5m" },
        }));
    };
    cluster.namespace("unwatched");
    put("app");
    cluster.allow("reader", Some("unwatched"), &["list"], &KINDS);
    let person = Person::new(&cluster.kubeconfig());
    let context =
        ["get", "repositories", "-n", "unwatched", "-w", "--source", "cluster", "--context", "reader"];
    let running = Running::start(person.command(&context));
    Running::wait(&running.out, "app");
    put("web");
    Running::wait(&running.out, "web");
}

#[test]
fn kinds_of_a_version_to_come_are_said_and_stop_nothing() {
    let Some(cluster) = Cluster::start(&[("    name: v1\n", "    name: v3\n")]) else { return };
    let person = Person::new(&cluster.kubeconfig());
    let said = person.run(&["get", "repositories", "-A", "--source", "cluster", "-o", "json"]);
    let text = format!("{}{}", said.out, said.err);
    assert!(
        text.contains("ImageRepository is served as v3 only; versions read are v1, v1beta2, v1beta1"),
        "{said:?}"
    );
    assert_ne!(said.exit, Some(9), "{said:?}");
}

#[test]
fn several_refusals_carry_their_advice_once() {
    let Some(cluster) = shared() else { return };
    cluster.namespace("advice");
    cluster.allow("nobody", Some("advice"), &["list"], &KINDS[..1]);
    let person = Person::new(&cluster.kubeconfig());
    let said =
        person.run(&["get", "repositories", "-n", "advice", "--context", "nobody", "--source", "cluster"]);
    assert_eq!(said.err.matches("Ask for a role with this verb").count(), 1, "{said:?}");
}

/// How often a proxy that only counts was connected to, and its address.
fn counting_proxy() -> (Arc<AtomicUsize>, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for _ in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (count, address)
}

#[test]
fn the_environments_proxy_is_used_unless_the_api_server_is_excepted() {
    let Some(cluster) = shared() else { return };
    cluster.namespace("proxied");
    let person = Person::new(&cluster.kubeconfig());
    let by = |variable: &str, proxy: &str, except: &str| {
        let arguments =
            ["get", "repositories", "-n", "proxied", "--source", "cluster", "--timeout", "5s", "-o", "json"];
        let mut command = person.command(&arguments);
        Said::of(&command.env(variable, proxy).env("NO_PROXY", except).output().unwrap())
    };
    let get = |proxy: &str, except: &str| by("HTTPS_PROXY", proxy, except);
    let (asked, proxy) = counting_proxy();
    get(&proxy, "127.0.0.1,localhost").json();
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    // This proxy leads nowhere.
    assert_eq!(get(&proxy, "example.com").exit, Some(3));
    let asked_so_far = asked.load(Ordering::SeqCst);
    assert_ne!(asked_so_far, 0);
    assert_eq!(by("ALL_PROXY", &proxy, "example.com").exit, Some(3));
    assert_ne!(asked.load(Ordering::SeqCst), asked_so_far);
}

/// In a pod, as far as its files and variables go; `None`, said loudly, where no file can be put over those of the system.
fn in_pod(cluster: &Cluster, person: &Person, arguments: &[&str]) -> Option<Said> {
    let server = cluster.server();
    let (host, port) = server.trim_start_matches("https://").split_once(':').unwrap();
    let place = "/var/run/secrets/kubernetes.io/serviceaccount";
    let files = person.folder.path().join("account");
    fs::create_dir_all(&files).unwrap();
    fs::copy(cluster.authority(), files.join("ca.crt")).unwrap();
    fs::write(files.join("token"), "admin-token").unwrap();
    fs::write(files.join("namespace"), "pod").unwrap();
    let script = format!(
        "mount -t tmpfs tmpfs /var/run && mkdir -p {place} && cp '{}'/* {place} && exec \"$0\" \"$@\"",
        files.display()
    );
    let program = env!("CARGO_BIN_EXE_supercargo");
    let try_it = Command::new("unshare").args(["-rm", "sh", "-c", "mount -t tmpfs tmpfs /var/run"]).output();
    if !try_it.is_ok_and(|output| output.status.success()) {
        eprintln!("\nSKIPPED a pod: no file can be put over /var/run here\n");
        return None;
    }
    let outside = person.command(&[]);
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", &script, program]).args(arguments).env_clear();
    command.current_dir(outside.get_current_dir().unwrap());
    command
        .envs(outside.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env_remove("KUBECONFIG");
    command.env("KUBERNETES_SERVICE_HOST", host).env("KUBERNETES_SERVICE_PORT", port);
    Some(Said::of(&command.output().unwrap()))
}

#[test]
fn in_a_pod_its_service_account_reads_the_cluster() {
    let Some(cluster) = shared() else { return };
    cluster.namespace("pod");
    cluster.put_json(&json!({
        "apiVersion": IMAGE_V1, "kind": "ImageRepository", "metadata": { "name": "inside", "namespace": "pod" },
        "spec": { "image": "127.0.0.1:1/app", "interval": "5m" },
    }));
    let person = Person::new(Path::new("unused"));
    let Some(said) =
        in_pod(cluster, &person, &["get", "repositories", "-A", "--source", "cluster", "-o", "json"])
    else {
        return;
    };
    let list = said.json();
    assert_eq!(list["items"][0]["name"], "inside", "{list}");
}
