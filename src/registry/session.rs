//! One conversation with one registry: find it, log in, read the list or the digest.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::{Either, select};
use reqwest::header::{HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Method, StatusCode};
use url::Url;

use super::auth::{TokenService, Tokens, basic};
use super::challenge::{Challenge, pick};
use super::error::{RegistryError, Waited};
use super::keyring::{Credential, Login};
use super::page::read_tags;
use super::paging::Trail;
use super::wire::{Ask, Reply, Wire};
use super::{Progress, wire_text};
use crate::domain::reference::ImageName;
use crate::domain::tags::Unsorted;

/// How long HTTPS is waited for before HTTP is tried beside it, where that is allowed.
const HEAD_START: Duration = Duration::from_millis(300);

/// More than this, in bytes, no registry says at its `/v2/`, of which nothing but the headers is looked at.
const GREETING: usize = 1 << 20;

/// What the digest's request accepts, in Flux's order.
///
/// Source: google/go-containerregistry:pkg/v1/remote/descriptor.go.
pub(super) const MANIFEST_TYPES: &str = "application/vnd.docker.distribution.manifest.v1+json,\
    application/vnd.docker.distribution.manifest.v1+prettyjws,application/vnd.docker.distribution.manifest.v2+json,\
    application/vnd.oci.image.manifest.v1+json,application/vnd.docker.distribution.manifest.list.v2+json,\
    application/vnd.oci.image.index.v1+json";

/// What a registry's `/v2/` told us; true of all its repositories and credentials.
#[derive(Debug)]
pub(super) struct Knowledge {
    /// The address of `/v2/`, with the scheme that worked.
    pub(super) root: Url,
    pub(super) access: Access,
    /// Whether `/v2/` is closed to those who show nothing.
    pub(super) closed: bool,
}

/// What is known of a registry, if it answered, and of the last time that it did not.
#[derive(Debug, Default)]
pub(super) struct Acquaintance {
    known: Option<Arc<Knowledge>>,
    failed: Option<(Instant, RegistryError)>,
}

#[derive(Debug, Clone)]
pub(super) enum Access {
    /// User and password if there are any, and only they.
    Basic,
    /// A token of this service.
    Token(TokenService),
}

/// The tags so far, in how many pages they came, and the way on.
#[derive(Default)]
pub(super) struct TagPages {
    pub(super) tags: Unsorted,
    pub(super) pages: u32,
    bytes: usize,
    trail: Trail,
}

/// A conversation about one repository.
pub(super) struct Session<'a> {
    pub(super) wire: Wire<'a>,
    image: &'a ImageName,
    tokens: &'a Tokens,
    wants: Mutex<Wants>,
}

/// What the registry wants to see before it answers about this repository, as far as it has said.
struct Wants {
    /// What a token must allow.
    scopes: Vec<String>,
    /// Where `/v2/` did not say so: a token.
    access: Option<Access>,
}

impl<'a> Session<'a> {
    pub(super) fn new(wire: Wire<'a>, image: &'a ImageName, tokens: &'a Tokens) -> Self {
        let scopes = vec![format!("repository:{}:pull", image.repository)];
        Self { wire, image, tokens, wants: Mutex::new(Wants { scopes, access: None }) }
    }

    /// All pages of the tag list.
    pub(super) async fn list(&self, credential: &Credential) -> Result<TagPages, RegistryError> {
        let registry = self.registry().await?;
        let mut list = TagPages::default();
        let mut next = Some(self.address(&registry, "tags/list?n=1000")?);
        while let Some(url) = next.take() {
            let (pages, tags) = (list.pages, list.tags.len());
            let read = self.read_page(&registry, Ask::get(url), credential, &mut list).await;
            next = read.map_err(|error| if pages > 0 { error.incomplete(pages, tags) } else { error })?;
        }
        Ok(list)
    }

    /// Puts one page behind the others; returns where the next is.
    async fn read_page(
        &self,
        registry: &Knowledge,
        ask: Ask,
        credential: &Credential,
        list: &mut TagPages,
    ) -> Result<Option<Url>, RegistryError> {
        let reply = self.authorized(registry, &ask, credential).await?;
        let bad = |reason| RegistryError::BadAnswer { request: ask.text(), reason };
        read_tags(&reply.body, &mut list.tags).map_err(bad)?;
        list.bytes += reply.body.len();
        let most = self.wire.options().max_reply;
        if list.bytes > most {
            let size = wire_text::size(most);
            let reason = format!("the pages so far are longer than {size} together{}", wire_text::MAX_REPLY);
            return Err(bad(reason));
        }
        list.pages += 1;
        self.wire.report(Progress { pages: list.pages, tags: list.tags.len(), ..Progress::default() });
        list.trail.next(&reply.url, reply.header("link")).map_err(bad)
    }

    /// The digest of a tag, from the headers alone.
    pub(super) async fn digest(&self, credential: &Credential, tag: &str) -> Result<String, RegistryError> {
        let registry = self.registry().await?;
        let url = self.address(&registry, &format!("manifests/{tag}"))?;
        let ask = Ask { method: Method::HEAD, accept: Some(MANIFEST_TYPES), ..Ask::get(url) };
        let reply = self.authorized(&registry, &ask, credential).await?;
        if reply.status != StatusCode::OK {
            return Err(reply.error(ask.text(), &self.wire.host.name));
        }
        let need = |name: &str, request: &Ask| {
            let reason = format!("response did not include {name} header");
            let value = reply.header(name).filter(|value| !value.is_empty());
            value.ok_or(RegistryError::BadAnswer { request: request.text(), reason })
        };
        need("Content-Type", &ask)?;
        // Flux's library names another method for this header.
        need("Content-Length", &Ask { method: Method::GET, ..ask.clone() })?;
        let digest = need("Docker-Content-Digest", &ask)?;
        let hex = digest.strip_prefix("sha256:").unwrap_or_default();
        if hex.len() != 64 || !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            let reason = "the Docker-Content-Digest header is no SHA-256 digest".to_owned();
            return Err(RegistryError::BadAnswer { request: ask.text(), reason });
        }
        Ok(digest.to_owned())
    }

    pub(super) fn address(&self, registry: &Knowledge, rest: &str) -> Result<Url, RegistryError> {
        let path = format!("{}/{rest}", self.image.repository);
        // `.//a` stays below `/v2/`, where a bare `//a` would name another host.
        registry.root.join(&format!("./{path}")).map_err(|error| {
            RegistryError::Setup(format!("{} makes no address: {error}", self.image.repository))
        })
    }

    /// Asks for as little as shows whether the credential may read the repository: the beginning of its list.
    pub(super) async fn taste(&self, credential: &Credential) -> Result<(), RegistryError> {
        let registry = self.registry().await?;
        let ask = Ask::get(self.address(&registry, "tags/list?n=1")?);
        let reply = self.authorized(&registry, &ask, credential).await?;
        let read = read_tags(&reply.body, &mut Unsorted::default());
        read.map_err(|reason| RegistryError::BadAnswer { request: ask.text(), reason })
    }

    /// Asks for nothing but to be let in.
    pub(super) async fn greet(&self, credential: &Credential) -> Result<(), RegistryError> {
        self.wants().scopes.clear();
        let registry = self.registry().await?;
        self.authorized(&registry, &Ask::get(registry.root.clone()), credential).await.map(drop)
    }

    /// Makes a request with what the registry wants to see; once more with a fresh token if it is refused. Where
    /// something is known already, that it has not changed is an answer too.
    pub(super) async fn authorized(
        &self,
        registry: &Knowledge,
        ask: &Ask,
        credential: &Credential,
    ) -> Result<Reply, RegistryError> {
        let mut ask = ask.clone();
        if ask.url.origin() != registry.root.origin() {
            // The page before this one was found elsewhere, and it is not there that our login is good.
            let mut reply = self.wire.send(&ask).await?;
            let other = ask.url.origin().ascii_serialization();
            reply.elsewhere.get_or_insert(other);
            return self.accepted(&ask, reply);
        }
        let access = self.wants().access.clone().unwrap_or_else(|| registry.access.clone());
        ask.authorization = self.authorization(&access, credential, None).await?;
        let mut reply = self.wire.send(&ask).await?;
        // Another token cannot be had in the place of one that was given as it is.
        if reply.status.as_u16() == 401
            && !matches!(credential.login, Login::Bearer(_))
            && let Some(access) = self.second_chance(registry, &ask, &reply)?
        {
            let refused = ask.authorization.take();
            ask.authorization = self.authorization(&access, credential, refused.as_ref()).await?;
            reply = self.wire.send(&ask).await?;
        }
        self.accepted(&ask, reply)
    }

    /// The whole of what was asked for, or that it is as it was; part of it is no answer.
    fn accepted(&self, ask: &Ask, reply: Reply) -> Result<Reply, RegistryError> {
        let is_unchanged = ask.known.is_some() && reply.status == StatusCode::NOT_MODIFIED;
        if reply.status == StatusCode::OK || is_unchanged {
            return Ok(reply);
        }
        Err(reply.error(ask.text(), &self.wire.host.name))
    }

    /// How to ask once more after a 401: with a token, for the scope that is missing too. A registry whose `/v2/` is open, or
    /// wants a password, may want a token here all the same.
    fn second_chance(
        &self,
        registry: &Knowledge,
        ask: &Ask,
        reply: &Reply,
    ) -> Result<Option<Access>, RegistryError> {
        let Some(Challenge::Bearer { realm, service, scope }) = challenge(reply) else { return Ok(None) };
        // Nobody else may say where our login is to be shown.
        if reply.url.origin() != ask.url.origin() {
            return Ok(None);
        }
        let mut wants = self.wants();
        if let Some(scope) = scope.filter(|scope| !wants.scopes.contains(scope)) {
            wants.scopes.insert(0, scope);
        }
        let access = match &registry.access {
            Access::Token(service) => Access::Token(service.clone()),
            Access::Basic => Access::Token(token_service(ask, &registry.root, &realm, service)?),
        };
        wants.access = Some(access.clone());
        Ok(Some(access))
    }

    fn wants(&self) -> MutexGuard<'_, Wants> {
        self.wants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn authorization(
        &self,
        access: &Access,
        credential: &Credential,
        refused: Option<&HeaderValue>,
    ) -> Result<Option<HeaderValue>, RegistryError> {
        match access {
            Access::Basic => Ok(basic(credential)),
            Access::Token(service) => {
                let scopes = self.wants().scopes.clone();
                self.tokens.header(&self.wire, service, &scopes, credential, refused).await.map(Some)
            }
        }
    }

    /// What the registry's `/v2/` says; asked once and remembered for all its repositories. Whoever waited while another asked
    /// in vain is not left to ask again.
    pub(super) async fn registry(&self) -> Result<Arc<Knowledge>, RegistryError> {
        let (came, acquaintance) = (Instant::now(), &self.wire.host.acquaintance);
        let Ok(mut place) = tokio::time::timeout(self.wire.left(), acquaintance.lock()).await else {
            let request = format!("GET {}v2/", self.root("https")?).into();
            return Err(self.wire.ended(request));
        };
        if let Some(known) = &place.known {
            return Ok(Arc::clone(known));
        }
        if let Some((_, error)) = place.failed.as_ref().filter(|(when, _)| *when > came) {
            return Err(error.clone());
        }
        match self.ping().await {
            Ok(found) => Ok(Arc::clone(place.known.insert(Arc::new(found)))),
            Err(error) => {
                // That one's time was over need not be so of another's.
                if !matches!(error, RegistryError::Timeout { waited: Waited::End, .. }) {
                    place.failed = Some((Instant::now(), error.clone()));
                }
                Err(error)
            }
        }
    }

    /// Forgets what `/v2/` said, after a failure that may have come from relying on it.
    pub(super) async fn forget(&self) {
        self.wire.host.acquaintance.lock().await.known = None;
    }

    /// HTTPS first; where HTTP is allowed, that too, when HTTPS fails or takes its time.
    ///
    /// Source: google/go-containerregistry:pkg/v1/remote/transport/ping.go.
    async fn ping(&self) -> Result<Knowledge, RegistryError> {
        if let Some(endpoint) = &self.wire.host.endpoint {
            return self.knock(endpoint.clone(), 3).await;
        }
        let secure = self.root("https")?;
        if self.image.scheme() == "https" {
            return self.knock(secure, 3).await;
        }
        let plain = self.root("http")?;
        let mut first = Box::pin(self.knock(secure, 1));
        if let Ok(answer) = tokio::time::timeout(HEAD_START, &mut first).await {
            return match answer {
                Ok(found) => Ok(found),
                Err(error) => self.knock(plain, 3).await.map_err(|other| worse(error, other)),
            };
        }
        match select(first, self.knock(plain, 3).boxed()).await {
            Either::Left((Ok(found), _)) | Either::Right((Ok(found), _)) => Ok(found),
            Either::Left((Err(error), second)) => second.await.map_err(|other| worse(error, other)),
            Either::Right((Err(other), first)) => first.await.map_err(|error| worse(error, other)),
        }
    }

    fn root(&self, scheme: &str) -> Result<Url, RegistryError> {
        let text = format!("{scheme}://{}/", self.image.registry);
        Url::parse(&text).map_err(|error| RegistryError::Setup(format!("{text} is no address: {error}")))
    }

    async fn knock(&self, base: Url, attempts: usize) -> Result<Knowledge, RegistryError> {
        let wrong =
            |error| RegistryError::Setup(format!("{} is no address: {error}", wire_text::shown(&base)));
        let address = base.join("/v2/").map_err(wrong)?;
        let ask = Ask { attempts, at_most: Some(GREETING), ..Ask::get(address) };
        let reply = self.wire.send(&ask).await?;
        let closed = reply.status == StatusCode::UNAUTHORIZED;
        let access = match challenge(&reply) {
            Some(Challenge::Bearer { .. }) if closed && reply.url.origin() != ask.url.origin() => {
                return Err(RegistryError::BadAnswer { request: ask.text(), reason: stranger(&reply.url) });
            }
            Some(Challenge::Bearer { realm, service, .. }) if closed => {
                Access::Token(token_service(&ask, &ask.url, &realm, service)?)
            }
            _ if closed || reply.status == StatusCode::OK => Access::Basic,
            _ => {
                return Err(match reply.error(ask.text(), &self.wire.host.name).unasked() {
                    // Not the repository is unknown here, but the whole API.
                    RegistryError::NotFound { request, answer } => RegistryError::Status { request, answer },
                    other => other,
                });
            }
        };
        Ok(Knowledge { root: ask.url, access, closed })
    }
}

/// The token service of a challenge to `ask`, which came from the registry at `root`.
fn token_service(
    ask: &Ask,
    root: &Url,
    realm: &str,
    service: Option<String>,
) -> Result<TokenService, RegistryError> {
    let service = TokenService::new(root, realm, service);
    service.map_err(|reason| RegistryError::BadAnswer { request: ask.text(), reason })
}

/// Why what a server asks for that we were sent to is not given.
fn stranger(url: &Url) -> String {
    let other = url.origin().ascii_serialization();
    format!(
        "it leads to another server ({other}), which wants a login; only the registry itself may say where ours is shown"
    )
}

fn challenge(reply: &Reply) -> Option<Challenge> {
    pick(reply.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok()))
}

/// Which of two failures to show: that of HTTPS if the server was there and not trusted, else that of HTTP.
fn worse(secure: RegistryError, plain: RegistryError) -> RegistryError {
    match (&secure, &plain) {
        (RegistryError::TlsUntrusted { .. }, _) => secure,
        // What calls plain HTTP a bad request is a server that speaks TLS.
        (_, RegistryError::Status { answer, .. }) if answer.status == 400 => secure,
        (RegistryError::Unreachable { .. }, _)
        | (_, RegistryError::Denied { .. } | RegistryError::RateLimited { .. }) => plain,
        (_, RegistryError::Unreachable { .. }) => secure,
        _ => plain,
    }
}
