//! A token service for tests, as the distribution project specifies it, on the loopback. Debian has a registry that wants
//! tokens and no service that gives them; this one signs with a certificate that the registry is told to trust.
//!
//! `rita` may pull `team/app`, `sam` may pull `edge/app`, anybody may pull what begins with `public/`.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]
#![allow(unreachable_pub, missing_docs, reason = "included as a module; names say what they do")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::base64::Engine as _;
use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::registry::{Asked, DockerRegistry, Liar, Say, base64};

#[allow(clippy::duplicate_mod, reason = "the registry's module has it too")]
#[path = "programs.rs"]
mod programs;

/// What the registry calls itself, and who issues its tokens.
const NAME: &str = "tests";
/// Everybody's password is their name and this.
pub const PASSWORD: &str = "-s3cret-password";

/// How the service behaves.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// How long it says a token lives, in seconds.
    pub lives: u64,
    /// How far its clock is before ours, in seconds, as far as it tells it in its answers.
    pub ahead: i64,
    /// Whether an identity token is replaced when it is used.
    pub rotates: bool,
    /// Whether it takes forms.
    pub forms: bool,
}

impl Default for Manners {
    fn default() -> Self {
        Self { lives: 300, ahead: 0, rotates: false, forms: true }
    }
}

/// A running service.
pub struct TokenService {
    liar: Liar,
    signer: Arc<Signer>,
}

/// The key, and the certificate that goes with it.
struct Signer {
    folder: tempfile::TempDir,
    key: PathBuf,
    certificate: PathBuf,
    /// The identity tokens that are good, and whose they are.
    identities: Mutex<Vec<(String, String)>>,
    manners: Manners,
}

impl TokenService {
    /// Starts one, and a registry that wants its tokens; `None`, said loudly, where a program is not wanted or not installed.
    pub fn start(manners: Manners) -> Option<(Self, DockerRegistry)> {
        if !programs::are_wanted(&["docker-registry", "openssl"]) {
            return None;
        }
        let signer = Arc::new(Signer::new(manners));
        let own = Arc::clone(&signer);
        let liar = Liar::start(move |asked, _| own.answer(asked));
        let realm = format!("http://{}/token", liar.host);
        let push = signer.token("pusher", &["team/app", "edge/app", "public/app"], "pull,push");
        let push = format!("Bearer {push}");
        let registry = DockerRegistry::start_with_tokens(&realm, NAME, &signer.certificate, &push)?;
        Some((Self { liar, signer }, registry))
    }

    /// A new identity token of `user`.
    pub fn identity(&self, user: &str) -> String {
        self.signer.identity(user)
    }

    /// A token that lets `user` pull `repository`, for whoever shows it.
    pub fn token(&self, user: &str, repository: &str) -> String {
        self.signer.token(user, &[repository], "pull")
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.liar.asked()
    }
}

impl Signer {
    fn new(manners: Manners) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (key, certificate) = (folder.path().join("key"), folder.path().join("certificate"));
        let mut make = Command::new("openssl");
        make.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tokens"]);
        make.arg("-keyout").arg(&key).arg("-out").arg(&certificate);
        assert!(make.output().unwrap().status.success(), "openssl makes a certificate");
        Self { folder, key, certificate, identities: Mutex::default(), manners }
    }

    fn identity(&self, user: &str) -> String {
        let mut identities = self.identities.lock().unwrap();
        let token = format!("identity-{}-of-{user}", identities.len());
        identities.push((token.clone(), user.to_owned()));
        token
    }

    fn answer(&self, asked: &Asked) -> Say {
        let (method, target) = asked.line.split_once(' ').unwrap();
        let query = target.split_once('?').map_or("", |(_, query)| query);
        match (method, asked.authorization.as_deref()) {
            ("POST", _) if !self.manners.forms => Say::status("404 Not Found"),
            ("POST", _) => {
                let field = |name: &str| values(&asked.body, name).pop().unwrap_or_default();
                match self.owner(&field("refresh_token")) {
                    Some((user, next)) if field("grant_type") == "refresh_token" => {
                        self.grant(Some(&user), &field("scope"), next)
                    }
                    _ => refused("400 Bad Request"),
                }
            }
            (_, None) => self.grant(None, &values(query, "scope").join(" "), None),
            (_, Some(shown)) => match ["rita", "sam"].into_iter().find(|user| shown == header_of(user)) {
                Some(user) => self.grant(Some(user), &values(query, "scope").join(" "), None),
                None => refused("401 Unauthorized"),
            },
        }
    }

    /// Whose identity token this is, and what replaces it.
    fn owner(&self, token: &str) -> Option<(String, Option<String>)> {
        let user = {
            let mut identities = self.identities.lock().unwrap();
            let place = identities.iter().position(|(known, _)| known == token)?;
            let user = identities[place].1.clone();
            if self.manners.rotates {
                // Its number stays taken, its text is good no longer.
                identities[place].0 = String::new();
            }
            user
        };
        let next = self.manners.rotates.then(|| self.identity(&user));
        Some((user, next))
    }

    fn grant(&self, user: Option<&str>, scopes: &str, refresh: Option<String>) -> Say {
        let may = |repository: &str| {
            repository.starts_with("public/")
                || matches!((user, repository), (Some("rita"), "team/app") | (Some("sam"), "edge/app"))
        };
        let names: Vec<&str> = scopes.split(' ').filter_map(|scope| scope.split(':').nth(1)).collect();
        let names: Vec<&str> = names.into_iter().filter(|name| may(name)).collect();
        let token = self.token(user.unwrap_or_default(), &names, "pull");
        let issued = i64::try_from(now()).unwrap() + self.manners.ahead;
        let issued = jiff::Timestamp::from_second(issued).unwrap().to_string();
        let mut answer = json!({ "token": token, "expires_in": self.manners.lives, "issued_at": issued });
        answer["refresh_token"] = refresh.map_or(Value::Null, Value::from);
        Say::json(answer.to_string())
    }

    /// Source: distribution/distribution:docs/spec/auth/jwt.md.
    fn token(&self, user: &str, repositories: &[&str], actions: &str) -> String {
        let actions: Vec<&str> = actions.split(',').collect();
        let access: Vec<Value> = repositories
            .iter()
            .map(|name| json!({ "type": "repository", "name": name, "actions": actions }))
            .collect();
        let pem = std::fs::read_to_string(&self.certificate).unwrap();
        let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let head = json!({ "typ": "JWT", "alg": "RS256", "x5c": [der] });
        let now = now();
        let claims = json!({
            "iss": NAME, "sub": user, "aud": NAME, "exp": now + 3600, "nbf": now - 60, "iat": now,
            "jti": format!("{user}-{now}"), "access": access,
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&head), part(&claims));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(sign(&self.key, signed.as_bytes())))
    }
}

fn sign(key: &Path, text: &[u8]) -> Vec<u8> {
    let mut command = Command::new("openssl");
    command.args(["dgst", "-sha256", "-sign"]).arg(key).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text).unwrap();
    child.wait_with_output().unwrap().stdout
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

fn header_of(user: &str) -> String {
    format!("Basic {}", base64(format!("{user}:{user}{PASSWORD}")))
}

fn refused(status: &'static str) -> Say {
    let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"no such login"}]}"#;
    Say::Answer(status, "Content-Type: application/json\r\n".into(), body.into())
}

/// The values of a form's or a query's field.
fn values(form: &str, name: &str) -> Vec<String> {
    let pairs = url::form_urlencoded::parse(form.as_bytes());
    pairs.filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
}
