//! The client: what all requests of a process share, and the two questions it answers.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::Semaphore;
use url::Url;

use super::auth::Tokens;
use super::error::RegistryError;
use super::helper::Helpers;
use super::http::Http;
use super::session::{Knowledge, Session};
use super::transport::Transport;
use super::wire::Wire;
use super::{Credential, ListRequest, Listing, Offer, Progress};

/// Where to ask for a registry instead of at its own name, and whom to trust there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// The address, such as `http://127.0.0.1:5000`; `None`: the registry's name.
    pub url: Option<Url>,
    /// Certificate authorities in PEM, beside the system's.
    pub ca: Option<Vec<u8>>,
}

/// Settings of a [`Client`]; the default is what the program uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientOptions {
    /// Certificate authorities in PEM, beside the system's, for every registry.
    pub ca: Vec<Vec<u8>>,
    /// Registries that are asked elsewhere, by `host[:port]`.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// Requests under way at once, at one registry.
    pub per_host: usize,
    /// Requests under way at once, in all.
    pub total: usize,
    /// The largest answer that is read, in bytes.
    pub max_reply: usize,
    /// Bound of making a connection.
    pub connect_timeout: Duration,
    /// Bound of waiting for the first byte, and between two.
    pub read_timeout: Duration,
    /// Pauses before the second and the third attempt.
    pub pauses: [Duration; 2],
    /// What we call ourselves.
    pub user_agent: String,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            ca: Vec::new(),
            endpoints: BTreeMap::new(),
            per_host: 4,
            total: 8,
            max_reply: 64 << 20,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            pauses: [Duration::from_secs(1), Duration::from_secs(3)],
            user_agent: concat!("supercargo/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// What is shared by all requests to one registry.
pub(super) struct Host {
    /// Host and port, as images name it.
    pub(super) name: String,
    pub(super) http: Arc<Http>,
    pub(super) permits: Arc<Semaphore>,
    pub(super) endpoint: Option<Url>,
    pub(super) knowledge: tokio::sync::Mutex<Option<Arc<Knowledge>>>,
}

/// A registry's name and the fingerprint of the way there.
type Way = (String, Option<[u8; 32]>);

/// Lists tags and reads digests. One for the whole process: it keeps connections, tokens and the limits.
pub struct Client {
    options: ClientOptions,
    shared: Arc<Http>,
    hosts: Mutex<HashMap<Way, Arc<Host>>>,
    /// Requests under way at a host, whichever way they go.
    limits: Mutex<HashMap<String, Arc<Semaphore>>>,
    total: Semaphore,
    tokens: Tokens,
    helpers: Helpers,
}

impl Client {
    /// A client with these settings.
    ///
    /// # Errors
    /// [`RegistryError::Setup`] if a certificate authority is none.
    pub fn new(options: ClientOptions) -> Result<Self, RegistryError> {
        super::install_tls_provider();
        let shared = Arc::new(Http::new(options.ca.iter(), &Transport::default())?);
        let total = Semaphore::new(options.total.max(1));
        Ok(Self {
            options,
            shared,
            hosts: Mutex::default(),
            limits: Mutex::default(),
            total,
            tokens: Tokens::default(),
            helpers: Helpers::default(),
        })
    }

    /// Lists all tags of a repository, trying the credentials one after another while the registry refuses them.
    ///
    /// `progress` is called after each page and before each pause.
    ///
    /// # Errors
    /// [`RegistryError`]; when every credential was refused, the first refusal, naming all of them. What was read of a
    /// list that then failed is discarded.
    pub async fn list_tags(
        &self,
        request: &ListRequest<'_>,
        progress: impl Fn(Progress) + Send + Sync,
    ) -> Result<Listing, RegistryError> {
        let session = self.session(request, &progress)?;
        let (started, mut attempts) = (Instant::now(), Attempts::of(request, &session, &self.helpers));
        loop {
            let credential = attempts.next().await?;
            let list = match session.list(&credential).await {
                Ok(list) => list,
                Err(error) => {
                    attempts.failed(credential, error).await?;
                    continue;
                }
            };
            return Ok(Listing {
                tags: list.tags.sorted(),
                pages: list.pages,
                requests: session.wire.requests(),
                bytes: session.wire.bytes(),
                wall: started.elapsed().saturating_sub(session.wire.queued()),
                credential: credential.label,
                refused: attempts.refused,
            });
        }
    }

    /// The digest that `tag` has now, such as `sha256:…`, by a `HEAD` request that counts towards no pull limit. A
    /// digest may stand in the place of the tag.
    ///
    /// # Errors
    /// [`RegistryError`], with [`RegistryError::BadAnswer`] for an answer without the digest's header.
    pub async fn digest(&self, request: &ListRequest<'_>, tag: &str) -> Result<String, RegistryError> {
        self.with_credentials(request, tag, |session, credential, tag| {
            session.digest(credential, tag).boxed()
        })
        .await
    }

    /// Asks about `what` with one credential after another while the registry refuses them.
    pub(super) async fn with_credentials<W: ?Sized, T>(
        &self,
        request: &ListRequest<'_>,
        what: &W,
        ask: impl for<'s> Fn(&'s Session<'s>, &'s Credential, &'s W) -> BoxFuture<'s, Result<T, RegistryError>>,
    ) -> Result<T, RegistryError> {
        let progress = |_: Progress| {};
        let session = self.session(request, &progress)?;
        let mut attempts = Attempts::of(request, &session, &self.helpers);
        loop {
            let credential = attempts.next().await?;
            match ask(&session, &credential, what).await {
                Ok(answer) => return Ok(answer),
                Err(error) => attempts.failed(credential, error).await?,
            }
        }
    }

    fn session<'a>(
        &'a self,
        request: &'a ListRequest<'_>,
        progress: &'a (dyn Fn(Progress) + Send + Sync),
    ) -> Result<Session<'a>, RegistryError> {
        let transport = match request.keyring.transport() {
            Some(Ok(transport)) => transport.clone(),
            Some(Err(error)) => return Err(RegistryError::Setup(error.to_string())),
            None => Transport::default(),
        };
        let host = self.host(&request.image.registry, &transport)?;
        let timeout = request.timeout.max(Duration::from_secs(1));
        let wire = Wire::new(host, &self.total, &self.options, timeout, progress);
        Ok(Session::new(wire, request.image, &self.tokens))
    }

    fn host(&self, name: &str, transport: &Transport) -> Result<Arc<Host>, RegistryError> {
        let key = (name.to_owned(), transport.fingerprint());
        // The map is whole between any two statements, so a panic elsewhere leaves nothing to fear.
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get(&key) {
            return Ok(Arc::clone(host));
        }
        let special = self.options.endpoints.get(name);
        let ca = special.and_then(|special| special.ca.as_ref());
        let http = if ca.is_none() && key.1.is_none() {
            Arc::clone(&self.shared)
        } else {
            Arc::new(Http::new(self.options.ca.iter().chain(ca), transport)?)
        };
        let host = Arc::new(Host {
            name: name.to_owned(),
            http,
            permits: self.limit(name),
            endpoint: special.and_then(|special| special.url.clone()),
            knowledge: tokio::sync::Mutex::default(),
        });
        hosts.insert(key, Arc::clone(&host));
        Ok(host)
    }

    fn limit(&self, name: &str) -> Arc<Semaphore> {
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = limits.entry(name.to_owned());
        Arc::clone(limit.or_insert_with(|| Arc::new(Semaphore::new(self.options.per_host.max(1)))))
    }
}

/// The credentials that apply, one after another while the registry refuses them.
struct Attempts<'a> {
    session: &'a Session<'a>,
    helpers: &'a Helpers,
    left: std::vec::IntoIter<Offer>,
    /// The labels of those that were refused.
    refused: Vec<String>,
    first: Option<RegistryError>,
}

impl<'a> Attempts<'a> {
    fn of(request: &ListRequest<'_>, session: &'a Session<'a>, helpers: &'a Helpers) -> Self {
        let image = request.image;
        let left = request.keyring.candidates(&image.registry, &image.repository).into_iter();
        Self { session, helpers, left, refused: Vec::new(), first: None }
    }

    /// The next to try.
    ///
    /// # Errors
    /// All were refused: the first refusal, naming all of them.
    async fn next(&mut self) -> Result<Credential, RegistryError> {
        for next in self.left.by_ref() {
            match next {
                Offer::Ready(credential) => return Ok(credential),
                Offer::Ask(helper) => match self.helpers.ask(&helper, self.session.wire.left()).await {
                    Ok(Some(credential)) => return Ok(credential),
                    Ok(None) => {}
                    Err(reason) => self.refused.push(format!("{}: {reason}", helper.label())),
                },
            }
        }
        self.session.forget().await;
        let nothing = || RegistryError::Setup("no credential to try, not even none".to_owned());
        Err(self.first.take().unwrap_or_else(nothing).tried(std::mem::take(&mut self.refused)))
    }

    /// Takes note of a failure.
    ///
    /// # Errors
    /// The failure, if another credential would fare no better.
    async fn failed(&mut self, credential: Credential, error: RegistryError) -> Result<(), RegistryError> {
        if !error.is_denied() {
            self.session.forget().await;
            return Err(error);
        }
        self.helpers.forget(&credential.label).await;
        self.refused.push(credential.label);
        self.first.get_or_insert(error);
        Ok(())
    }
}
