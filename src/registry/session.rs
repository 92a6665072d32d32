//! One conversation with one registry: find it, log in, read the list or the digest.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{Either, select};
use reqwest::header::WWW_AUTHENTICATE;
use reqwest::{Method, StatusCode};
use url::Url;

use super::auth::{TokenService, Tokens, basic};
use super::challenge::{Challenge, pick};
use super::error::RegistryError;
use super::keyring::Credential;
use super::page::read_tags;
use super::paging::Trail;
use super::wire::{Ask, Reply, Wire};
use super::{Progress, wire_text};
use crate::domain::reference::ImageName;
use crate::domain::tags::Unsorted;

/// How long HTTPS is waited for before HTTP is tried beside it, where that is allowed.
const HEAD_START: Duration = Duration::from_millis(300);

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
    root: Url,
    access: Access,
}

#[derive(Debug)]
enum Access {
    /// User and password if there are any, and only they.
    Basic,
    /// A token of this service.
    Token(TokenService),
}

/// All tags and in how many pages they came.
pub(super) struct TagPages {
    pub(super) tags: Unsorted,
    pub(super) pages: u32,
}

/// A conversation about one repository.
pub(super) struct Session<'a> {
    pub(super) wire: Wire<'a>,
    image: &'a ImageName,
    tokens: &'a Tokens,
}

impl<'a> Session<'a> {
    pub(super) fn new(wire: Wire<'a>, image: &'a ImageName, tokens: &'a Tokens) -> Self {
        Self { wire, image, tokens }
    }

    /// All pages of the tag list.
    pub(super) async fn list(&self, credential: &Credential) -> Result<TagPages, RegistryError> {
        let registry = self.registry().await?;
        let mut list = TagPages { tags: Unsorted::default(), pages: 0 };
        let mut trail = Trail::default();
        let mut next = Some(self.address(&registry, "tags/list?n=1000")?);
        while let Some(url) = next.take() {
            let ask = Ask::get(url);
            let reply = self.authorized(&registry, &ask, credential).await?;
            let bad = |reason| RegistryError::BadAnswer { request: ask.text(), reason };
            read_tags(&reply.body, &mut list.tags).map_err(bad)?;
            list.pages += 1;
            self.wire.report(Progress { pages: list.pages, tags: list.tags.len(), ..Progress::default() });
            next = trail.next(&reply.url, reply.header("link")).map_err(bad)?;
        }
        Ok(list)
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

    /// Makes a request with what the registry wants to see; once more with a fresh token if it is refused. Where
    /// something is known already, that it has not changed is an answer too.
    pub(super) async fn authorized(
        &self,
        registry: &Knowledge,
        ask: &Ask,
        credential: &Credential,
    ) -> Result<Reply, RegistryError> {
        let mut scopes = vec![format!("repository:{}:pull", self.image.repository)];
        let mut ask = ask.clone();
        ask.authorization = self.authorization(registry, &scopes, credential, false).await?;
        let mut reply = self.wire.send(&ask).await?;
        if reply.status.as_u16() == 401
            && let Access::Token(_) = registry.access
            && let Some(Challenge::Bearer { scope, .. }) = challenge(&reply)
        {
            if let Some(scope) = scope.filter(|scope| !scopes.contains(scope)) {
                scopes.insert(0, scope);
            }
            ask.authorization = self.authorization(registry, &scopes, credential, true).await?;
            reply = self.wire.send(&ask).await?;
        }
        let is_unchanged = ask.known.is_some() && reply.status == StatusCode::NOT_MODIFIED;
        if reply.status.is_success() || is_unchanged {
            return Ok(reply);
        }
        Err(reply.error(ask.text(), &self.wire.host.name))
    }

    async fn authorization(
        &self,
        registry: &Knowledge,
        scopes: &[String],
        credential: &Credential,
        renew: bool,
    ) -> Result<Option<reqwest::header::HeaderValue>, RegistryError> {
        match &registry.access {
            Access::Basic => Ok(basic(credential)),
            Access::Token(service) => {
                self.tokens.header(&self.wire, service, scopes, credential, renew).await.map(Some)
            }
        }
    }

    /// What the registry's `/v2/` says; asked once and remembered for all its repositories.
    pub(super) async fn registry(&self) -> Result<Arc<Knowledge>, RegistryError> {
        let mut known = self.wire.host.knowledge.lock().await;
        if let Some(known) = known.as_ref() {
            return Ok(Arc::clone(known));
        }
        let found = Arc::new(self.ping().await?);
        *known = Some(Arc::clone(&found));
        Ok(found)
    }

    /// Forgets what `/v2/` said, after a failure that may have come from relying on it.
    pub(super) async fn forget(&self) {
        *self.wire.host.knowledge.lock().await = None;
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
        let ask = Ask { attempts, ..Ask::get(base.join("/v2/").map_err(wrong)?) };
        let reply = self.wire.send(&ask).await?;
        let access = match reply.status.as_u16() {
            200 => Access::Basic,
            401 => match challenge(&reply) {
                Some(Challenge::Bearer { realm, service, .. }) => {
                    let service = TokenService::new(&ask.url, &realm, service);
                    Access::Token(
                        service.map_err(|reason| RegistryError::BadAnswer { request: ask.text(), reason })?,
                    )
                }
                Some(Challenge::Basic) | None => Access::Basic,
            },
            _ => {
                return Err(match reply.error(ask.text(), &self.wire.host.name) {
                    // Not the repository is unknown here, but the whole API.
                    RegistryError::NotFound { request, answer } => RegistryError::Status { request, answer },
                    other => other,
                });
            }
        };
        Ok(Knowledge { root: ask.url, access })
    }
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
