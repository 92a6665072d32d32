//! A container registry in this process, and a CI that pushes to it, so that the main job can be tried on any machine.
//!
//! It listens on 127.0.0.1 alone and speaks what the scanner asks for: `/v2/`, `tags/list` with `n`, `last` and `Link`,
//! manifests by tag and digest, the configurations of images. Nothing can be pushed to it over HTTP; tags come through [`DemoRegistry::push`].
//!
//! Source: opencontainers/distribution-spec:spec.md.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, LINK};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use url::form_urlencoded;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// What one repository holds.
#[derive(Debug, Default)]
struct Repository {
    /// Tag → digest.
    tags: BTreeMap<String, String>,
    /// Digest → manifest.
    manifests: BTreeMap<String, Bytes>,
    /// Digest → configuration.
    configs: BTreeMap<String, Bytes>,
}

type Shelves = Mutex<BTreeMap<String, Repository>>;

/// A running registry; it ends when this is dropped.
#[derive(Debug)]
pub struct DemoRegistry {
    address: SocketAddr,
    shelves: Arc<Shelves>,
    server: JoinHandle<()>,
}

impl DemoRegistry {
    /// Starts an empty registry on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// What the system says if it gives no port.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shelves = Arc::new(Shelves::default());
        let server = tokio::spawn(serve(listener, Arc::clone(&shelves)));
        Ok(Self { address, shelves, server })
    }

    /// Host and port, as images name it: `127.0.0.1:41234`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Makes an image that was created at `created` and tags it, moving the tag if it exists; returns the digest.
    pub fn push(&self, repository: &str, tag: &str, created: Timestamp) -> String {
        let config = Bytes::from(
            json!({
                "created": created.to_string(), "architecture": "amd64", "os": "linux",
                "config": {"Labels": {"org.opencontainers.image.version": tag}},
                "rootfs": {"type": "layers", "diff_ids": []},
            })
            .to_string(),
        );
        let config_digest = format!("sha256:{:x}", Sha256::digest(&config));
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": config_digest, "size": config.len()},
            "layers": [],
            "annotations": {
                "org.opencontainers.image.created": created.to_string(),
                "org.opencontainers.image.version": tag,
                "org.opencontainers.image.title": repository,
            },
        });
        let manifest = Bytes::from(manifest.to_string());
        let digest = format!("sha256:{:x}", Sha256::digest(&manifest));
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        let held = shelves.entry(repository.to_owned()).or_default();
        held.tags.insert(tag.to_owned(), digest.clone());
        held.manifests.insert(digest.clone(), manifest);
        held.configs.insert(config_digest, config);
        digest
    }

    /// The tags of a repository, ascending.
    pub fn tags(&self, repository: &str) -> Vec<String> {
        let shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        shelves.get(repository).map(|shelf| shelf.tags.keys().cloned().collect()).unwrap_or_default()
    }
}

impl Drop for DemoRegistry {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, shelves: Arc<Shelves>) {
    // Dropped with this task, and with it every connection.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, Arc::clone(&shelves)));
                }
                // Out of file descriptors: it passes, and a loop without a pause would not help.
                Err(_exhausted) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, shelves: Arc<Shelves>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = answer(&request, &shelves);
        async move { Ok::<_, Infallible>(answer) }
    });
    // A client that goes away in mid-sentence, or speaks TLS, is no concern of ours.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

type Answer = Response<Full<Bytes>>;

fn answer<B>(request: &Request<B>, shelves: &Shelves) -> Answer {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return refusal(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "the demo's registry is read only");
    }
    let shelves = shelves.lock().unwrap_or_else(PoisonError::into_inner);
    let path = request.uri().path();
    let Some(rest) = path.strip_prefix("/v2/") else {
        return refusal(StatusCode::NOT_FOUND, "UNSUPPORTED", "this registry answers below /v2/");
    };
    if rest.is_empty() {
        return document(&json!({}));
    }
    if let Some(name) = rest.strip_suffix("/tags/list") {
        return match shelves.get(name) {
            Some(shelf) => tag_page(name, shelf, request.uri().query().unwrap_or_default()),
            None => refusal(StatusCode::NOT_FOUND, "NAME_UNKNOWN", "repository name not known to registry"),
        };
    }
    if let Some((name, digest)) = rest.rsplit_once("/blobs/") {
        return match shelves.get(name).and_then(|shelf| shelf.configs.get(digest)) {
            Some(config) => body(StatusCode::OK, "application/octet-stream", config.clone()),
            None => refusal(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", "blob unknown to registry"),
        };
    }
    match rest.rsplit_once("/manifests/") {
        Some((name, reference)) => match shelves.get(name).and_then(|shelf| find(shelf, reference)) {
            Some((digest, manifest)) => manifest_answer(digest, manifest),
            None => refusal(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", "manifest unknown"),
        },
        None => refusal(StatusCode::NOT_FOUND, "UNSUPPORTED", "the demo's registry has no such address"),
    }
}

/// Tags in ascending order from after `last`, at most `n` of them, with a `Link` if there are more.
fn tag_page(name: &str, shelf: &Repository, query: &str) -> Answer {
    let value = |wanted: &str| {
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == wanted).map(|(_, v)| v)
    };
    let last = value("last").unwrap_or_default();
    let limit = value("n").and_then(|n| n.parse().ok()).filter(|n| *n > 0).unwrap_or(usize::MAX);
    let mut after = shelf.tags.keys().filter(|tag| tag.as_str() > last.as_ref());
    let page: Vec<&String> = after.by_ref().take(limit).collect();
    let mut answer = document(&json!({"name": name, "tags": page}));
    if let (Some(end), Some(_more)) = (page.last(), after.next()) {
        let query: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("last", end)
            .append_pair("n", &limit.to_string())
            .finish();
        if let Ok(link) = HeaderValue::from_str(&format!("</v2/{name}/tags/list?{query}>; rel=\"next\"")) {
            answer.headers_mut().insert(LINK, link);
        }
    }
    answer
}

fn find<'a>(shelf: &'a Repository, reference: &'a str) -> Option<(&'a str, &'a Bytes)> {
    let digest = shelf.tags.get(reference).map_or(reference, String::as_str);
    shelf.manifests.get(digest).map(|manifest| (digest, manifest))
}

fn manifest_answer(digest: &str, manifest: &Bytes) -> Answer {
    let mut answer = body(StatusCode::OK, MANIFEST, manifest.clone());
    if let Ok(digest) = HeaderValue::from_str(digest) {
        answer.headers_mut().insert(HeaderName::from_static("docker-content-digest"), digest);
    }
    answer
}

fn document(value: &Value) -> Answer {
    body(StatusCode::OK, "application/json", value.to_string())
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Answer {
    body(status, "application/json", json!({"errors": [{"code": code, "message": message}]}).to_string())
}

fn body(status: StatusCode, media_type: &'static str, bytes: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(bytes.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    let version = HeaderName::from_static("docker-distribution-api-version");
    answer.headers_mut().insert(version, HeaderValue::from_static("registry/2.0"));
    answer
}

/// A tag that the simulated CI has pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The repository.
    pub repository: String,
    /// The tag, `main-SHA7-UNIXTIME`.
    pub tag: String,
    /// The digest.
    pub digest: String,
    /// When.
    pub time: Timestamp,
}

/// A simulated CI: builds one repository after another and pushes what it built. The same seed makes the same commits.
#[derive(Debug)]
pub struct Ci {
    repositories: Vec<String>,
    seed: u64,
    builds: u64,
    /// The numbers in use, so that no two builds of one second get the same.
    times: BTreeSet<i64>,
}

impl Ci {
    /// A CI for these repositories, which it serves in turn.
    pub fn new(repositories: Vec<String>, seed: u64) -> Self {
        Self { repositories, seed, builds: 0, times: BTreeSet::new() }
    }

    /// Builds the next repository and pushes it as of `now`; `None` if there is no repository.
    pub fn build(&mut self, registry: &DemoRegistry, now: Timestamp) -> Option<Pushed> {
        let count = u64::try_from(self.repositories.len()).ok().filter(|count| *count > 0)?;
        let turn = usize::try_from(self.builds % count).ok()?;
        let repository = self.repositories.get(turn)?.clone();
        let mut second = now.as_second();
        while !self.times.insert(second) {
            second += 1;
        }
        let tag = build_tag(self.seed, self.builds, second);
        self.builds += 1;
        let digest = registry.push(&repository, &tag, now);
        Some(Pushed { repository, tag, digest, time: now })
    }

    /// Builds every `interval` until dropped, and tells `pushed` of each.
    pub async fn run(mut self, registry: &DemoRegistry, interval: Duration, pushed: impl Fn(Pushed)) {
        loop {
            tokio::time::sleep(interval).await;
            if let Some(push) = self.build(registry, Timestamp::now()) {
                pushed(push);
            }
        }
    }
}

/// The tag of a build, `main-SHA7-UNIXTIME`, as the guide's CI writes it.
pub fn build_tag(seed: u64, build: u64, unix_seconds: i64) -> String {
    let commit =
        Sha256::digest(format!("{seed}/{build}")).first_chunk().copied().map_or(0, u32::from_be_bytes);
    format!("main-{:07x}-{unix_seconds}", commit >> 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(shelves: &Shelves, path: &str) -> Answer {
        answer(&Request::get(path).body(()).unwrap(), shelves)
    }

    fn shelves(tags: &[&str]) -> Shelves {
        let mut repository = Repository::default();
        for tag in tags {
            repository.tags.insert((*tag).to_owned(), "sha256:x".to_owned());
        }
        repository.manifests.insert("sha256:x".to_owned(), Bytes::from_static(b"{}"));
        Mutex::new(BTreeMap::from([("team/app".to_owned(), repository)]))
    }

    #[test]
    fn pages_follow_one_another_and_end() {
        let shelves = shelves(&["a", "b&c", "d"]);
        let first = get(&shelves, "/v2/team/app/tags/list?n=2");
        assert_eq!(first.headers()[LINK], "</v2/team/app/tags/list?last=b%26c&n=2>; rel=\"next\"");
        let second = get(&shelves, "/v2/team/app/tags/list?last=b%26c&n=2");
        assert!(second.headers().get(LINK).is_none());
        assert!(get(&shelves, "/v2/team/app/tags/list").headers().get(LINK).is_none());
    }

    #[test]
    fn what_is_not_there_and_what_is_not_allowed_say_so() {
        let shelves = shelves(&["a"]);
        assert_eq!(get(&shelves, "/v2/other/tags/list").status(), 404);
        assert_eq!(get(&shelves, "/v2/team/app/manifests/b").status(), 404);
        assert_eq!(get(&shelves, "/").status(), 404);
        assert_eq!(get(&shelves, "/v2/").status(), 200);
        assert_eq!(get(&shelves, "/v2/team/app/manifests/a").headers()["docker-content-digest"], "sha256:x");
        let put = Request::put("/v2/team/app/manifests/a").body(()).unwrap();
        assert_eq!(answer(&put, &shelves).status(), 405);
    }

    #[tokio::test]
    async fn the_ci_takes_turns_and_repeats_itself_for_the_same_seed() {
        let registry = DemoRegistry::start().await.unwrap();
        let now = Timestamp::from_second(1_763_805_600).unwrap();
        let build = || {
            let mut ci = Ci::new(vec!["vote".into(), "result".into()], 7);
            (0..3).map(|_| ci.build(&registry, now).unwrap()).collect::<Vec<_>>()
        };
        let pushes = build();
        assert_eq!(build(), pushes);
        assert_eq!(
            pushes.iter().map(|push| push.repository.as_str()).collect::<Vec<_>>(),
            ["vote", "result", "vote"]
        );
        assert!(
            pushes[2].tag.starts_with("main-") && pushes[2].tag.ends_with("-1763805602"),
            "{}",
            pushes[2].tag
        );
        assert_eq!(pushes[0].tag.len(), "main-9b1d3e7-1763805600".len());
        assert_eq!(registry.tags("vote").len(), 2);
        assert!(Ci::new(Vec::new(), 7).build(&registry, now).is_none());
    }
}
