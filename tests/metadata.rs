//! What a registry tells of tags and digests: as Debian's registry tells it, and as others do; and that what is too young
//! by it waits.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod git;
    pub mod lab;
    pub mod registry;
}

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use supercargo::domain::metadata::{Kind, Metadata, Signature};
use supercargo::domain::reference::ImageName;
use supercargo::problem::Code;
use supercargo::registry::{Client, ClientOptions, Keyring, ListRequest, RegistryError, Resolved};
use support::lab::{Lab, NEWEST};
use support::registry::{Asked, DockerRegistry, INDEX, Liar, MANIFEST, Say, digest, image_manifest};

const REVISION: &str = "4c1f0e2aa0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5";

/// One client and one repository.
struct Asker {
    client: Client,
    image: ImageName,
    keyring: Keyring,
}

impl Asker {
    fn of(host: &str, repository: &str) -> Self {
        let brisk = Duration::from_millis(5);
        let options = ClientOptions { pauses: [brisk, brisk], ..ClientOptions::default() };
        let image = ImageName::parse(&format!("{host}/{repository}"), false).unwrap();
        Self { client: Client::new(options).unwrap(), image, keyring: Keyring::new() }
    }

    fn request(&self) -> ListRequest<'_> {
        ListRequest { image: &self.image, timeout: Duration::from_secs(5), keyring: &self.keyring }
    }

    async fn resolve(&self, tag: &str, known: Option<&str>) -> Result<Resolved, RegistryError> {
        self.client.resolve(&self.request(), tag, known).await
    }

    async fn describe(&self, digest: &str) -> Result<Metadata, RegistryError> {
        self.client.describe(&self.request(), digest).await
    }

    async fn signature(&self, digest: &str, is_tagged: bool) -> Signature {
        self.client.signature(&self.request(), digest, is_tagged).await.unwrap()
    }
}

/// The configuration of an image, built at `created`, with labels of its source.
fn config(created: &str, architecture: &str) -> String {
    format!(
        r#"{{"created":"{created}","os":"linux","architecture":"{architecture}","config":{{"Labels":{{
            "org.opencontainers.image.source":"https://github.com/acme/app","org.opencontainers.image.version":"1.2.0",
            "org.opencontainers.image.revision":"{REVISION}"}}}},"rootfs":{{"type":"layers","diff_ids":[]}}}}"#
    )
}

#[tokio::test]
async fn a_real_registry_tells_what_an_image_is() {
    let Some(registry) = DockerRegistry::start(None) else { return };
    let pushed = registry.push_image("team/app", "1.2.0", &config("2026-11-22T12:02:00.25Z", "arm64"), 4000);
    let asker = Asker::of(&registry.host, "team/app");
    let resolved = asker.resolve("1.2.0", None).await.unwrap();
    assert_eq!(resolved.digest, pushed);
    let found = asker.describe(&pushed).await.unwrap();
    assert_eq!((found.kind, found.platforms), (Kind::Image, vec!["linux/arm64".to_owned()]));
    assert_eq!(found.created.unwrap().to_string(), "2026-11-22T12:02:00Z");
    let size = found.size.unwrap();
    assert_eq!(
        (size.bytes, size.platform),
        (4000 + config("2026-11-22T12:02:00.25Z", "arm64").len() as u64, None)
    );
    assert_eq!(found.labels.source.as_deref(), Some("https://github.com/acme/app"));
    assert_eq!(found.labels.revision.as_deref(), Some(REVISION));
    assert_eq!(found.labels.version.as_deref(), Some("1.2.0"));
    assert_eq!(asker.signature(&pushed, false).await, Signature::Unknown, "this registry lists no referrers");
    let moved = registry.push_image("team/app", "1.2.0", &config("2026-11-23T00:00:00Z", "arm64"), 4000);
    assert_eq!(asker.resolve("1.2.0", Some(&pushed)).await.unwrap().digest, moved);
}

#[tokio::test]
async fn a_real_registrys_index_is_described_by_its_most_usual_image() {
    let Some(registry) = DockerRegistry::start(None) else { return };
    let entry = |architecture: &str, size: usize, platform: &str| {
        let text = registry.push_image("team/app", "", &config("2026-11-22T12:02:00Z", architecture), size);
        format!(r#"{{"mediaType":"{MANIFEST}","digest":"{text}","size":1,"platform":{platform}}}"#)
    };
    let list = [
        entry("arm64", 10, r#"{"os":"linux","architecture":"arm64","variant":"v8"}"#),
        entry("amd64", 1000, r#"{"os":"linux","architecture":"amd64"}"#),
        entry("none", 1, r#"{"os":"unknown","architecture":"unknown"}"#),
    ];
    for media_type in [INDEX, "application/vnd.docker.distribution.manifest.list.v2+json"] {
        let text =
            format!(r#"{{"schemaVersion":2,"mediaType":"{media_type}","manifests":[{}]}}"#, list.join(","));
        let pushed = registry.put_manifest("team/app", "1", media_type, &text);
        let asker = Asker::of(&registry.host, "team/app");
        assert_eq!(asker.resolve("1", None).await.unwrap().digest, pushed);
        let found = asker.describe(&pushed).await.unwrap();
        assert_eq!((found.digest, found.kind), (pushed, Kind::Index));
        assert_eq!(found.platforms, ["linux/arm64/v8", "linux/amd64"]);
        let size = found.size.unwrap();
        assert_eq!(size.platform.as_deref(), Some("linux/amd64"));
        assert!(size.bytes > 1000, "{}", size.bytes);
        assert_eq!(found.labels.revision.as_deref(), Some(REVISION));
    }
}

#[tokio::test]
async fn a_real_registrys_chart_has_a_type_and_no_platform() {
    let Some(registry) = DockerRegistry::start(None) else { return };
    let kind = "application/vnd.cncf.helm.config.v1+json";
    let blob = registry.put_blob("charts/app", b"{}");
    let notes = r#"{"org.opencontainers.image.created":"2026-11-20T08:00:00Z","org.opencontainers.image.version":"0.3.1"}"#;
    let layer = registry.put_blob("charts/app", b"a chart");
    let text = image_manifest((kind, "{}"), &[layer], 7, notes);
    assert_eq!(blob, digest(b"{}"));
    let pushed = registry.put_manifest("charts/app", "0.3.1", MANIFEST, &text);
    let found = Asker::of(&registry.host, "charts/app").describe(&pushed).await.unwrap();
    assert_eq!(found.kind, Kind::Artifact(kind.to_owned()));
    assert!(found.platforms.is_empty());
    assert_eq!(found.created.unwrap().to_string(), "2026-11-20T08:00:00Z");
    assert_eq!((found.size.unwrap().bytes, found.labels.version.as_deref()), (9, Some("0.3.1")));
}

#[tokio::test]
async fn where_a_registry_lists_no_referrers_clients_keep_the_list_under_a_tag() {
    let Some(registry) = DockerRegistry::start(None) else { return };
    let image = registry.push("team/app", "1");
    let signature = registry.push("team/app", "signature");
    let kind = "application/vnd.cncf.notary.signature";
    let list = format!(
        r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{{"mediaType":"{MANIFEST}","digest":"{signature}","size":1,"artifactType":"{kind}"}}]}}"#
    );
    registry.put_manifest("team/app", &Signature::list_of(&image), INDEX, &list);
    let asker = Asker::of(&registry.host, "team/app");
    assert_eq!(asker.signature(&image, false).await, Signature::Unknown);
    assert_eq!(asker.signature(&image, true).await, Signature::Referrer(kind.to_owned()));
}

/// A registry that answers below `/v2/team/app/` by the method and the rest of the path.
fn serves(say: impl Fn(&Asked, &str, &str) -> Say + Send + Sync + 'static) -> Liar {
    Liar::start(move |asked, _| {
        let (method, path) = asked.line.split_once(' ').unwrap();
        match path.strip_prefix("/v2/team/app/") {
            Some(rest) => say(asked, method, rest),
            None => Say::json("{}"),
        }
    })
}

/// A manifest without layers and its configuration.
fn plain_image() -> (String, String) {
    let config = config("2026-11-22T12:02:00Z", "amd64");
    (image_manifest((support::registry::IMAGE_CONFIG, &config), &[], 0, "{}"), config)
}

#[tokio::test]
async fn without_head_the_digest_is_that_of_the_bytes_and_known_ones_are_not_sent_again() {
    let (manifest, _) = plain_image();
    let whole = digest(manifest.as_bytes());
    let same = format!("\"{whole}\"");
    for head in ["405 Method Not Allowed", "404 Not Found", "501 Not Implemented", "200 OK"] {
        let (manifest, same) = (manifest.clone(), same.clone());
        let liar = serves(move |asked, method, _| match method {
            // With 200: an answer that leaves the digest out.
            "HEAD" => Say::status(head),
            _ if asked.known.as_ref() == Some(&same) => Say::status("304 Not Modified"),
            _ => Say::json(manifest.clone()).with("Last-Modified: Sun, 22 Nov 2026 14:02:00 GMT"),
        });
        let asker = Asker::of(&liar.host, "team/app");
        let resolved = asker.resolve("1", None).await.unwrap();
        assert_eq!(resolved.digest, whole, "{head}");
        assert_eq!(resolved.pushed.unwrap().to_string(), "2026-11-22T14:02:00Z");
        assert_eq!(asker.resolve("1", Some(&whole)).await.unwrap().digest, whole);
        let requests = liar.asked();
        assert_eq!(requests.last().unwrap().known, Some(format!("\"{whole}\"")));
        assert!(requests.iter().all(|asked| asked.line.ends_with("/v2/") || asked.accept.is_some()));
    }
}

#[tokio::test]
async fn a_tag_that_has_not_moved_costs_one_question_without_a_body() {
    let whole = digest(b"image");
    let same = format!("\"{whole}\"");
    let liar = serves(move |asked, _, _| match asked.known.as_ref() {
        Some(known) if *known == same => Say::status("304 Not Modified"),
        _ => Say::json("").with(&format!("Docker-Content-Digest: {}", digest(b"another"))),
    });
    let asker = Asker::of(&liar.host, "team/app");
    let resolved = asker.resolve("1", Some(&whole)).await.unwrap();
    assert_eq!(resolved, Resolved { digest: whole, pushed: None });
    assert!(liar.asked().iter().all(|asked| asked.line.ends_with("/v2/") || asked.line.starts_with("HEAD ")));
    assert_eq!(asker.resolve("1", Some(&digest(b"old"))).await.unwrap().digest, digest(b"another"));
    let Some(registry) = DockerRegistry::start(None) else { return };
    let pushed = registry.push("team/app", "1");
    let asker = Asker::of(&registry.host, "team/app");
    assert_eq!(asker.resolve("1", Some(&pushed)).await.unwrap().digest, pushed);
}

#[tokio::test]
async fn bytes_that_are_not_what_was_asked_for_are_refused() {
    let (manifest, config) = plain_image();
    let whole = digest(manifest.as_bytes());
    let forged = config.replace("1.2.0", "9.9.9");
    let answer = move |_: &Asked, method: &str, rest: &str| match (method, rest.split('/').next()) {
        ("HEAD", _) => Say::status("405 Method Not Allowed"),
        (_, Some("blobs")) => Say::json(forged.clone()),
        _ if rest.ends_with("/lies") => {
            Say::json(manifest.clone()).with(&format!("Docker-Content-Digest: {}", digest(b"other")))
        }
        _ if rest.ends_with("/page") => Say::json("<html>"),
        _ => Say::json(manifest.clone()),
    };
    let liar = serves(answer);
    let asker = Asker::of(&liar.host, "team/app");
    for (tag, says) in [("lies", "what was asked for as sha256:"), ("page", "the answer is no manifest")] {
        let error = asker.resolve(tag, None).await.unwrap_err();
        assert_eq!(error.code(), Code::BadAnswer);
        assert!(error.to_string().contains(says), "{error}");
    }
    let error = asker.describe(&whole).await.unwrap_err();
    assert!(error.to_string().contains("/blobs/sha256:"), "{error}");
    let error = asker.describe(&digest(b"another")).await.unwrap_err();
    assert!(error.to_string().contains("has the digest"), "{error}");
}

#[tokio::test]
async fn a_manifest_without_end_is_left_at_four_megabytes() {
    let liar = serves(|_, method, _| match method {
        "HEAD" => Say::status("405 Method Not Allowed"),
        _ => Say::Endless,
    });
    let error = Asker::of(&liar.host, "team/app").resolve("1", None).await.unwrap_err();
    assert!(error.to_string().ends_with("the answer is longer than 4 MiB"), "{error}");
}

#[tokio::test]
async fn a_configuration_may_lie_elsewhere_where_our_login_does_not_go() {
    let (manifest, config) = plain_image();
    let whole = digest(manifest.as_bytes());
    let store = Liar::start(move |_, _| Say::json(config.clone()));
    let elsewhere = format!("Location: http://{}/blob?signature=s3cret", store.host);
    let registry = Liar::start(move |asked, _| match asked.line.as_str() {
        _ if asked.authorization.is_none() => {
            Say::status("401 Unauthorized").with("WWW-Authenticate: Basic realm=\"r\"")
        }
        "GET /v2/" => Say::json("{}"),
        line if line.contains("/blobs/") => Say::status("307 Temporary Redirect").with(&elsewhere),
        _ => Say::json(manifest.clone()),
    });
    let mut asker = Asker::of(&registry.host, "team/app");
    asker.keyring.add_login("flags", None, "rita", "s3cret-pass".into());
    let found = asker.describe(&whole).await.unwrap();
    assert_eq!(found.labels.revision.as_deref(), Some(REVISION));
    let there = store.asked();
    assert_eq!((there.len(), there[0].authorization.as_deref()), (1, None));
}

#[tokio::test]
async fn a_signature_that_refers_to_an_image_is_found_and_other_things_are_none() {
    let entry = |kind: &str| format!(r#"{{"digest":"{}","size":1,"artifactType":"{kind}"}}"#, digest(b"x"));
    let list = |entries: &[String]| format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","));
    let bundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let cases = [
        (Say::json as fn(String) -> Say, list(&[entry("application/spdx+json"), entry(bundle)])),
        (Say::json, list(&[entry("application/spdx+json")])),
        (Say::json, list(&[])),
        (Say::json, "<html>".to_owned()),
        (|_| Say::status("404 Not Found"), String::new()),
        (|_| Say::status("405 Method Not Allowed"), String::new()),
    ];
    let wanted = [
        Signature::Referrer(bundle.to_owned()),
        Signature::None,
        Signature::None,
        Signature::Unknown,
        Signature::Unknown,
        Signature::Unknown,
    ];
    for ((say, body), wanted) in cases.into_iter().zip(wanted) {
        let liar = serves(move |_, _, _| say(body.clone()));
        let asker = Asker::of(&liar.host, "team/app");
        assert_eq!(asker.signature(&digest(b"image"), false).await, wanted);
        assert!(liar.asked().last().unwrap().line.ends_with(&format!("/referrers/{}", digest(b"image"))));
    }
}

#[tokio::test]
async fn a_signature_is_found_on_whichever_page_of_the_list_and_a_list_that_is_refused_is_none() {
    let entry = |kind: &str| format!(r#"{{"digest":"{}","size":1,"artifactType":"{kind}"}}"#, digest(b"x"));
    let page = move |kind: &str| Say::json(format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entry(kind)));
    let cosign = "application/vnd.dev.cosign.artifact.sig.v1+json";
    let first = move || page("application/spdx+json").with("Link: <?page=2>; rel=\"next\"");
    let liar = serves(move |asked, _, _| match asked.line.split_once("?page=") {
        None => first(),
        Some(_) => page(cosign),
    });
    let asker = Asker::of(&liar.host, "team/app");
    assert_eq!(asker.signature(&digest(b"image"), false).await, Signature::Referrer(cosign.to_owned()));
    for (is_ring, code) in [(true, Code::BadAnswer), (false, Code::RegistryForbidden)] {
        let liar = serves(move |_, _, _| if is_ring { first() } else { Say::status("403 Forbidden") });
        let asker = Asker::of(&liar.host, "team/app");
        let answer = asker.client.signature(&asker.request(), &digest(b"image"), false).await;
        assert_eq!(answer.unwrap_err().code(), code);
    }
}

#[test]
fn a_tag_that_was_just_moved_is_young_though_nobody_can_read_what_it_was_moved_to() {
    let (manifest, config) = plain_image();
    let moved = Arc::new(AtomicBool::new(false));
    let (is_moved, old) = (Arc::clone(&moved), digest(manifest.as_bytes()));
    let liar = Liar::start(move |asked, _| {
        let is_moved = is_moved.load(Ordering::SeqCst);
        let stands_for = if is_moved { digest(b"another") } else { old.clone() };
        match asked.line.as_str() {
            "GET /v2/" => Say::json("{}"),
            line if line.contains("/tags/list") => Say::tags(&["1.0.0", "1.1.0"]),
            line if line.starts_with("HEAD ") => {
                Say::json("").with(&format!("Docker-Content-Digest: {stands_for}"))
            }
            // Some registries count who reads a manifest, and not who asks for its digest.
            _ if is_moved => Say::status("429 Too Many Requests"),
            line if line.contains("/blobs/") => Say::json(config.clone()),
            _ => Say::json(manifest.clone()),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let objects = format!(
        "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {{name: web, namespace: apps}}\n\
         spec: {{image: {host}/o/web, interval: 1h}}\n---\n\
         apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\nmetadata: {{name: web, namespace: apps}}\n\
         spec: {{imageRepositoryRef: {{name: web}}, policy: {{semver: {{range: '*'}}}}}}\n---\n\
         image: {host}/o/web:1.0.0 # {{\"$imagepolicy\": \"apps:web\"}}\n",
        host = liar.host
    );
    std::fs::write(folder.path().join("objects.yaml"), objects).unwrap();
    let state = || {
        let mut program = assert_cmd::Command::cargo_bin("supercargo").unwrap();
        program.current_dir(folder.path()).env_clear().env("HOME", folder.path().join(".home"));
        program.args([
            "get",
            "updates",
            "--source",
            "files",
            "--min-age",
            "2s",
            "--refresh=always",
            "-o",
            "json",
        ]);
        let output = program.output().unwrap();
        let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        list["items"][0]["state"].clone()
    };
    assert_eq!(state(), "held", "nobody has known it for long");
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(state(), "pending");
    moved.store(true, Ordering::SeqCst);
    assert_eq!(state(), "held");
}

#[test]
fn commands_tell_what_stands_behind_a_tag_and_that_it_moved() {
    let Some(mut lab) = Lab::start() else { return };
    let built = |created: &str, revision: &str| config(created, "amd64").replace(REVISION, revision);
    let old = lab.registry.push_image("vote", "v8", &built("2021-04-01T00:00:00Z", "77ab0134"), 10);
    let first = lab.registry.push_image("vote", NEWEST, &built("2021-04-22T00:00:00Z", REVISION), 10);
    lab.registry.push_image("vote", "latest", &built("2021-04-22T00:00:00Z", REVISION), 10);
    lab.registry.push("vote", &Signature::tag_of(&first));
    lab.automate("image-updates");
    lab.json(0, &["get", "updates"]);
    lab.json(0, &["explain", "tag", "vote", "latest"]);

    let told = lab.json(0, &["explain", "tag", "vote", NEWEST]);
    let metadata = &told["metadata"];
    assert_eq!(told["problems"], json!([]), "{told:#}");
    assert_eq!((&metadata["digest"], &metadata["kind"]), (&json!(first), &json!("image")));
    assert_eq!(metadata["created"], json!("2021-04-22T00:00:00Z"));
    assert_eq!(metadata["platforms"], json!(["linux/amd64"]));
    assert_eq!(metadata["also_tagged"], json!(["latest"]));
    assert_eq!(
        (&metadata["signature"]["found"], &metadata["signature"]["verified"]),
        (&json!(true), &json!(false))
    );
    let link = format!("https://github.com/acme/app/compare/77ab0134...{REVISION}");
    assert_eq!(metadata["compare"], json!(link));
    assert_eq!(metadata["clocks"]["first_look"], json!(true));
    let text = lab.run(&["explain", "tag", "vote", NEWEST]).expect(0).out;
    for line in [format!("digest      {first}"), format!("compare     {link}"), "found, not verified".into()]
    {
        assert!(text.contains(&line), "{line:?} in\n{text}");
    }

    let image = format!("{}/vote", lab.registry.host);
    let of_image = lab.json(0, &["get", "tags", "--image", &image, "--policy", "vote", "--state=latest"]);
    let shown = &of_image["items"][0];
    assert_eq!((&shown["digest"], &shown["created"]), (&json!(first), &json!("2021-04-22T00:00:00Z")));
    let of_image = lab.json(0, &["get", "tags", "--image", &image]);
    let shown = of_image["items"].as_array().unwrap().iter().find(|item| item["tag"] == NEWEST).unwrap();
    assert_eq!((&shown["digest"], &of_image["repository"]), (&json!(first), &json!(null)));
    let moved = lab.registry.push_image("vote", NEWEST, &built("2021-05-01T00:00:00Z", REVISION), 10);
    let row = |refresh: &str| {
        let list = lab.json(0, &["get", "tags", "vote", "--state=latest", refresh]);
        list["items"][0].clone()
    };
    assert_eq!(row("--refresh=auto")["digest"], json!(first), "ten minutes have not passed");
    let shown = row("--refresh=always");
    assert_eq!((&shown["digest"], &shown["created"]), (&json!(moved), &json!("2021-05-01T00:00:00Z")));
    assert!(shown["flags"].as_array().unwrap().contains(&json!("digest-moved")), "{shown:#}");
    let told = lab.json(0, &["explain", "tag", "vote", NEWEST]);
    assert_eq!(told["metadata"]["moved_from"], json!(first));
    assert_eq!(told["metadata"]["signature"]["found"], json!(false), "it has no such tag");

    lab.registry.stop();
    let kept = lab.json(0, &["explain", "tag", "vote", "v8", "--refresh=never"]);
    assert_eq!((&kept["metadata"]["digest"], &kept["problems"]), (&json!(old), &json!([])));
    let silent = lab.json(0, &["explain", "tag", "vote", "main-0fe1b2c3-1619060000"]);
    assert_eq!((&silent["metadata"], &silent["problems"][0]["code"]), (&json!(null), &json!("unreachable")));
}

/// The one update of a lab, as `get updates` shows it.
fn update(lab: &Lab, flags: &[&str]) -> serde_json::Value {
    lab.json(0, &[&["get", "updates"], flags].concat())["items"][0].clone()
}

#[test]
fn what_is_too_young_is_held_with_the_clock_that_says_so_and_zero_lifts_that() {
    let Some(lab) = Lab::start() else { return };
    lab.registry.push_image("vote", NEWEST, &config("2001-01-01T00:00:00Z", "amd64"), 10);
    lab.automate("image-updates");
    assert_eq!(update(&lab, &[])["state"], json!("pending"));
    let young = update(&lab, &["--min-age", "3d"]);
    assert_eq!((&young["state"], &young["hold"]["by"]), (&json!("held"), &json!("min_age")), "{young:#}");
    assert_eq!(young["hold"]["reason"], json!("younger than 3d by the clock \"first seen\""));
    assert_eq!(young["clocks"]["created"], json!("2001-01-01T00:00:00Z"), "a build may claim any time");
    assert_eq!(young["new"]["tag"], json!(NEWEST), "nothing is chosen instead");
    let table = lab.run(&["get", "updates", "--min-age=3d"]).expect(0).out;
    assert!(table.contains("held") && table.contains("by min_age: younger than 3d"), "{table}");
    let none = lab.json(0, &["diff", "updates", "--min-age=3d"]);
    assert_eq!(none["files"], json!([]));

    std::fs::create_dir_all(lab.path("config/supercargo")).unwrap();
    let file = lab.path("config/supercargo/config.toml");
    std::fs::write(&file, "min_age = \"1d\"\n").unwrap();
    assert_eq!(update(&lab, &[])["hold"]["reason"], json!("younger than 1d by the clock \"first seen\""));
    assert_eq!(update(&lab, &["--min-age=0"])["state"], json!("pending"));
    let steps = lab.json(0, &["explain", "tag", "vote", NEWEST])["steps"].clone();
    let held = steps.as_array().unwrap().last().unwrap();
    assert_eq!((&held["step"], &held["answer"]), (&json!("held"), &json!("yes")), "{held:#}");
    assert!(
        held["text"].as_str().unwrap().starts_with("younger than 1d by the clock \"first seen\": 1 d more")
    );
    std::fs::write(&file, "min_age = \"soon\"\n").unwrap();
    lab.run(&["get", "updates"]).expect(2).says(&["\"soon\" is no age", "config.toml:1:11"]);
    std::fs::remove_file(file).unwrap();

    std::thread::sleep(Duration::from_millis(2100));
    let old = update(&lab, &["--min-age=2s"]);
    assert_eq!(old["state"], json!("pending"));
    lab.registry.push_image("vote", NEWEST, &config("2001-01-01T00:00:00Z", "arm64"), 10);
    let moved = update(&lab, &["--min-age=1h", "--refresh=always"]);
    assert!(
        moved["hold"]["since"].as_str() > old["first_seen"].as_str(),
        "the image is new, the tag is not: {moved:#}"
    );
}

#[test]
fn a_push_asks_once_more_what_a_tag_stands_for_before_it_lets_go() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("image-updates");
    lab.log_in(support::git::WRITER).expect(0);
    lab.json(0, &["get", "updates"]);
    std::thread::sleep(Duration::from_millis(3100));
    lab.plan(&["--min-age=3s"]);
    lab.push(&["--min-age=3s", "--dry-run=server"]).expect(0);
    lab.registry.push_image("vote", NEWEST, &config("2001-01-01T00:00:00Z", "arm64"), 10);
    lab.push(&["--min-age=3s"]).expect(7).says(&["too young until"]);
}

#[test]
fn a_plan_leaves_out_what_is_too_young_unless_it_is_named_and_a_push_looks_again() {
    let Some(lab) = Lab::start() else { return };
    lab.automate("image-updates");
    lab.log_in(support::git::WRITER).expect(0);
    let all = lab.json(0, &["plan", "--all", "--min-age=3d"]);
    assert_eq!((&all["groups"], &all["problems"]), (&json!([]), &json!([])));
    let told = [
        "flux-system/vote: left out of --all: ",
        "by min_age: younger than 3d",
        "supercargo plan flux-system/vote",
    ];
    lab.run(&["plan", "--all", "--min-age=3d", "-o", "json"]).expect(0).says(&told);

    lab.plan(&[]);
    lab.push(&["--min-age=3d"]).expect(7).says(&["too young until", "--min-age 0"]);
    lab.push(&["--min-age=3d", "--dry-run=client"]).expect(7);
    let named = lab.run(&["plan", "vote", "--min-age=3d", "-o", "json"]).expect(0);
    let update = named.json()["groups"][0]["updates"][0].clone();
    assert_eq!((&update["state"], &update["decision"]), (&json!("held"), &json!("approved")));
    std::fs::write(lab.plan_file(), &named.out).unwrap();
    lab.push(&["--min-age=3d"]).expect(0);
    lab.instavote.assert_sound();
}
