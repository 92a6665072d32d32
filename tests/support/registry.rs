//! Servers for tests of the registry client: Debian's own registry as a process, and one on the loopback that says
//! whatever a test wants said. Both listen on 127.0.0.1 alone and end with their owner.

#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]
#![allow(unreachable_pub, reason = "included as a module by several test files")]
#![allow(missing_docs, reason = "names of helpers that say what they do")]

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

#[allow(clippy::duplicate_mod, reason = "some test files use both kinds of server")]
#[path = "programs.rs"]
mod programs;

/// Debian's package and the program in it.
const PROGRAM: &str = "docker-registry";
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// A CNCF distribution registry, running as a process of its own.
pub struct DockerRegistry {
    process: Child,
    folder: tempfile::TempDir,
    /// Host and port, as images name it.
    pub host: String,
    /// What whoever pushes shows.
    authorization: Option<String>,
}

/// A registry behind TLS, with a certificate of its own making that nobody trusts yet.
pub struct TlsRegistry {
    pub registry: DockerRegistry,
    /// The certificate, in PEM, which is its own authority.
    pub ca: Vec<u8>,
    /// Certificate and key, in PEM, of the one client that is let in, if not everybody is.
    pub client: Option<(String, String)>,
}

impl TlsRegistry {
    /// Starts one; `None`, said loudly, where it is not wanted or a program is not installed.
    pub fn start() -> Option<Self> {
        Self::start_for(false)
    }

    /// Starts one that lets in everybody, or only a client with a certificate.
    pub fn start_for(clients_alone: bool) -> Option<Self> {
        if !programs::are_wanted(&[PROGRAM, "openssl"]) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let (key, certificate) = certificate(folder.path(), "server");
        let mut tls =
            format!("  tls:\n    certificate: {}\n    key: {}\n", certificate.display(), key.display());
        let ca = std::fs::read(&certificate).unwrap();
        let client = clients_alone.then(|| {
            let (key, certificate) = self::certificate(folder.path(), "client");
            writeln!(tls, "    clientcas: [{}]", certificate.display()).unwrap();
            (std::fs::read_to_string(certificate).unwrap(), std::fs::read_to_string(key).unwrap())
        });
        DockerRegistry::start_in(folder, &tls, None).map(|registry| Self { registry, ca, client })
    }
}

/// Makes a key and a certificate that vouches for itself alone; returns where they lie.
pub fn certificate(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let (key, certificate) = (folder.join(format!("{name}.key")), folder.join(format!("{name}.crt")));
    let mut make = Command::new("openssl");
    make.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]);
    make.args(["-subj", "/CN=registry for tests", "-addext", "subjectAltName=IP:127.0.0.1"]);
    // An authority cannot be a server too; this one vouches for itself alone.
    make.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    make.arg("-keyout").arg(&key).arg("-out").arg(&certificate);
    assert!(make.output().unwrap().status.success(), "openssl makes a certificate");
    (key, certificate)
}

impl DockerRegistry {
    /// Starts one, open or with basic authentication; `None`, said loudly, where it is not wanted or a program is not installed.
    pub fn start(login: Option<(&str, &str)>) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        if login.is_some() && !programs::are_wanted(&[PROGRAM, "htpasswd"]) {
            return None;
        }
        let auth = login.map(|(user, password)| {
            let lines = Command::new("htpasswd").args(["-Bbn", user, password]).output().unwrap().stdout;
            let file = folder.path().join("htpasswd");
            std::fs::write(&file, lines).unwrap();
            let auth = format!("  htpasswd:\n    realm: tests\n    path: {}\n", file.display());
            (auth, format!("Basic {}", base64(format!("{user}:{password}"))))
        });
        Self::start_in(folder, "", auth)
    }

    /// Starts one that wants tokens of the service at `realm` for `service`, which the owner of the certificate in the file
    /// `roots` signs; `authorization` is shown by whoever pushes.
    pub fn start_with_tokens(realm: &str, service: &str, roots: &Path, authorization: &str) -> Option<Self> {
        let auth = format!(
            "  token:\n    realm: {realm}\n    service: {service}\n    issuer: {service}\n    rootcertbundle: {}\n",
            roots.display()
        );
        Self::start_in(tempfile::tempdir().unwrap(), "", Some((auth, authorization.to_owned())))
    }

    /// With more lines of configuration for HTTP and for whoever may come in, and what those who push show.
    fn start_in(folder: tempfile::TempDir, http: &str, auth: Option<(String, String)>) -> Option<Self> {
        if !programs::are_wanted(&[PROGRAM]) {
            return None;
        }
        let host = format!("127.0.0.1:{}", free_port());
        let file = folder.path().join("config.yml");
        let (auth, authorization) = auth.unzip();
        let auth = auth.map_or_else(String::new, |lines| format!("auth:\n{lines}"));
        let data = folder.path().join("data");
        let text = format!(
            "version: 0.1\nlog:\n  level: error\nhttp:\n  addr: {host}\n  secret: for tests\n{http}storage:\n  filesystem:\n    rootdirectory: {}\n{auth}",
            data.display()
        );
        std::fs::write(&file, text).unwrap();
        let mut process = Command::new(PROGRAM);
        process.arg("serve").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        let process = process.spawn().expect("the registry starts");
        let registry = Self { process, folder, host, authorization };
        registry.wait();
        Some(registry)
    }

    fn wait(&self) {
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(&self.host).is_err() {
            assert!(Instant::now() < until, "the registry did not come up");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Pushes an image over HTTP, as `docker push` would; returns its digest.
    pub fn push(&self, repository: &str, tag: &str) -> String {
        let blob = self.put_blob(repository, b"{}");
        self.put_manifest(repository, tag, MANIFEST, &manifest(&blob, tag))
    }

    /// Uploads a blob; returns its digest.
    pub fn put_blob(&self, repository: &str, bytes: &[u8]) -> String {
        let blob = digest(bytes);
        let (status, head) = self.request("POST", &format!("/v2/{repository}/blobs/uploads/"), "", b"");
        assert_eq!(status, 202, "{head}");
        let location = header(&head, "location").expect("a place to upload to");
        let path = location.strip_prefix(&format!("http://{}", self.host)).unwrap_or(&location);
        let (status, head) =
            self.request("PUT", &format!("{path}&digest={blob}"), "application/octet-stream", bytes);
        assert_eq!(status, 201, "{head}");
        blob
    }

    /// Uploads a manifest of any type under a tag or its own digest; returns its digest.
    pub fn put_manifest(&self, repository: &str, reference: &str, media_type: &str, text: &str) -> String {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let (status, head) = self.request("PUT", &path, media_type, text.as_bytes());
        assert_eq!(status, 201, "{head}");
        digest(text.as_bytes())
    }

    /// Pushes an image with this configuration (JSON) and one layer of so many bytes; returns its digest.
    pub fn push_image(&self, repository: &str, reference: &str, config: &str, layer: usize) -> String {
        let layers = [self.put_blob(repository, &vec![b'x'; layer])];
        let text = image_manifest((IMAGE_CONFIG, config), &layers, layer, "{}");
        self.put_blob(repository, config.as_bytes());
        let reference = if reference.is_empty() { digest(text.as_bytes()) } else { reference.to_owned() };
        self.put_manifest(repository, &reference, MANIFEST, &text)
    }

    /// Pushes an image for two architectures: an index of two manifests; returns the index's digest.
    pub fn push_index(&self, repository: &str, tag: &str) -> String {
        let of = |architecture: &str| {
            let single = format!("{tag}-{architecture}");
            let digest = self.push(repository, &single);
            let size = manifest(&self::digest(b"{}"), &single).len();
            format!(
                r#"{{"mediaType":"{MANIFEST}","digest":"{digest}","size":{size},"platform":{{"architecture":"{architecture}","os":"linux"}}}}"#
            )
        };
        let index = format!(
            r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{},{}]}}"#,
            of("amd64"),
            of("arm64")
        );
        self.put_manifest(repository, tag, INDEX, &index)
    }

    /// Makes `tag` stand for another image than before; returns its digest.
    pub fn move_tag(&self, repository: &str, tag: &str) -> String {
        let manifest = manifest(&digest(b"{}"), &format!("{tag}, built again"));
        self.put_manifest(repository, tag, MANIFEST, &manifest)
    }

    /// Removes a tag from the registry's storage.
    pub fn remove_tag(&self, repository: &str, tag: &str) {
        let folder = self.folder.path().join("data/docker/registry/v2/repositories").join(repository);
        std::fs::remove_dir_all(folder.join("_manifests/tags").join(tag)).unwrap();
    }

    /// Writes many tags of one image into the registry's storage, where pushing each would take minutes.
    pub fn seed(&self, repository: &str, tags: impl IntoIterator<Item = String>) {
        self.push(repository, "seed");
        let folder = self.folder.path().join("data/docker/registry/v2/repositories").join(repository);
        let tagged = folder.join("_manifests/tags");
        for tag in tags {
            // A short target lies in the link itself; a long one would cost a block, and a slow removal.
            std::os::unix::fs::symlink("seed", tagged.join(tag)).unwrap();
        }
    }

    /// Has another repository of the same parent serve what `repository` has.
    pub fn alias(&self, repository: &str, name: &str) {
        let folder = self.folder.path().join("data/docker/registry/v2/repositories").join(repository);
        std::os::unix::fs::symlink(folder.file_name().unwrap(), folder.with_file_name(name)).unwrap();
    }

    fn request(&self, method: &str, path: &str, media_type: &str, body: &[u8]) -> (u16, String) {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.host);
        if let Some(authorization) = &self.authorization {
            write!(head, "Authorization: {authorization}\r\n").unwrap();
        }
        write!(head, "Content-Type: {media_type}\r\nContent-Length: {}\r\n\r\n", body.len()).unwrap();
        let request = [head.as_bytes(), body].concat();
        let ask = || -> io::Result<Vec<u8>> {
            let mut stream = TcpStream::connect(&self.host)?;
            stream.write_all(&request)?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer)?;
            Ok(answer)
        };
        // A server that answers before it has read a body and closes resets the connection, and its answer may be lost.
        let answer = ask().or_else(|_lost| ask()).or_else(|_lost| ask()).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, answer)
    }
}

impl DockerRegistry {
    /// Ends it, as an outage would.
    pub fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// As in the header of basic authentication.
pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn manifest(config: &str, tag: &str) -> String {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":2}},"layers":[],"annotations":{{"tag":"{tag}"}}}}"#
    )
}

/// A manifest with a configuration of this type and content, layers of so many bytes each, and these annotations.
pub fn image_manifest(
    (media_type, config): (&str, &str),
    layers: &[String],
    size: usize,
    annotations: &str,
) -> String {
    let layer = |digest: &String| {
        let media_type = "application/vnd.oci.image.layer.v1.tar+gzip";
        format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
    };
    let layers: Vec<String> = layers.iter().map(layer).collect();
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"{media_type}","digest":"{}","size":{}}},"layers":[{}],"annotations":{annotations}}}"#,
        digest(config.as_bytes()),
        config.len(),
        layers.join(",")
    )
}

pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{:x}", Sha256::digest(bytes))
}

fn header(head: &str, name: &str) -> Option<String> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().to_owned())
}

/// A request that [`Liar`] got.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Such as `GET /v2/a/tags/list?n=1000`.
    pub line: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The `Accept` header.
    pub accept: Option<String>,
    /// The `If-None-Match` header.
    pub known: Option<String>,
    /// The body.
    pub body: String,
}

/// What [`Liar`] is to say.
pub enum Say {
    /// A whole answer: status and reason, further header lines, body.
    Answer(&'static str, String, Vec<u8>),
    /// These bytes, and then the connection ends.
    Raw(Vec<u8>),
    /// The beginning of a list, and tags for ever.
    Endless,
    /// Nothing at all.
    Nothing,
    /// These bytes, and then silence until the client goes away.
    Stall(Vec<u8>),
    /// These bytes, one after another, a hundredth of a second between two.
    Drip(Vec<u8>),
}

impl Say {
    pub fn json(body: impl Into<String>) -> Self {
        Self::Answer("200 OK", "Content-Type: application/json\r\n".into(), body.into().into_bytes())
    }

    pub fn tags(tags: &[&str]) -> Self {
        let quoted: Vec<String> = tags.iter().map(|tag| format!("{tag:?}")).collect();
        Self::json(format!(r#"{{"name":"a","tags":[{}]}}"#, quoted.join(",")))
    }

    pub fn status(status: &'static str) -> Self {
        Self::Answer(status, String::new(), Vec::new())
    }

    pub fn with(self, line: &str) -> Self {
        match self {
            Self::Answer(status, lines, body) => Self::Answer(status, format!("{lines}{line}\r\n"), body),
            other => other,
        }
    }
}

/// A server that says what a test wants said.
pub struct Liar {
    pub host: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    most: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // So that it looks up.
        let _ = TcpStream::connect(&self.host);
    }
}

impl Liar {
    /// Starts one; `say` is asked for each request, and with how many such requests came before it.
    pub fn start(say: impl Fn(&Asked, usize) -> Say + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let liar = Self { host, asked: Arc::default(), most: Arc::default(), ended: Arc::default() };
        let (asked, most) = (Arc::clone(&liar.asked), Arc::clone(&liar.most));
        let ended = Arc::clone(&liar.ended);
        let (say, now) = (Arc::new(say), Arc::new(AtomicUsize::new(0)));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let (asked, most, say, now) = (asked.clone(), most.clone(), say.clone(), now.clone());
                std::thread::spawn(move || {
                    let Some(request) = read_request(&stream) else { return };
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    let before = {
                        let mut asked = asked.lock().unwrap();
                        let before = asked.iter().filter(|other| other.line == request.line).count();
                        asked.push(request.clone());
                        before
                    };
                    let said = say(&request, before);
                    now.fetch_sub(1, Ordering::SeqCst);
                    speak(&stream, said);
                });
            }
        });
        liar
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The most requests that were under way at once.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

/// Reads a request's head; `None` if the client speaks TLS, which a plain server does not understand.
fn read_request(mut stream: &TcpStream) -> Option<Asked> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        if head.is_empty() && byte[0] == 0x16 {
            let _ = stream.write_all(
                b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTPS request to an HTTP server.\n",
            );
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let line = head.lines().next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let (authorization, accept) = (header(&head, "authorization"), header(&head, "accept"));
    let known = header(&head, "if-none-match");
    let length = header(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let body = String::from_utf8_lossy(&body).into_owned();
    Some(Asked { line, authorization, accept, known, body })
}

fn speak(mut stream: &TcpStream, said: Say) {
    match said {
        Say::Answer(status, lines, body) => {
            let head = format!(
                "HTTP/1.1 {status}\r\n{lines}Content-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(&[head.as_bytes(), &body].concat());
        }
        Say::Raw(bytes) => {
            let _ = stream.write_all(&bytes);
        }
        Say::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"tags\":[\"0\"");
            let more = b",\"a-tag-that-never-ends\"".repeat(1000);
            while stream.write_all(&more).is_ok() {}
        }
        Say::Nothing => std::thread::sleep(Duration::from_secs(30)),
        Say::Stall(bytes) => {
            let _ = stream.write_all(&bytes);
            let _ = stream.read(&mut [0]);
        }
        Say::Drip(bytes) => {
            for byte in bytes {
                if stream.write_all(&[byte]).is_err() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}
