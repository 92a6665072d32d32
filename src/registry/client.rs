//! The client: what all requests of a process share, and the questions it answers.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::Semaphore;
use url::Url;

use super::auth::Tokens;
use super::error::RegistryError;
use super::helper::Helpers;
use super::http::Http;
use super::limit::Limit;
use super::session::{Acquaintance, Session};
use super::transport::Transport;
use super::trial::Attempts;
use super::wire::Wire;
use super::{Credential, ListRequest, Listing, Progress};
use crate::domain::reference::ImageName;
use crate::domain::scan::Budget;

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
    /// The largest answer that is read, and the largest list all pages of which are read, in bytes.
    pub max_reply: usize,
    /// Bound of making a connection.
    pub connect_timeout: Duration,
    /// Bound of waiting for the first byte of an answer; making a connection counts in.
    pub first_byte_timeout: Duration,
    /// Bound of waiting for more of an answer that has begun.
    pub next_byte_timeout: Duration,
    /// Pauses before the second and the third attempt; each is made up to a tenth longer.
    pub pauses: [Duration; 2],
    /// The longest pause, also of those that a registry asks for.
    pub longest_pause: Duration,
    /// What the spread of the pauses is drawn from; `None`: the clock.
    pub seed: Option<u64>,
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
            first_byte_timeout: Duration::from_secs(30),
            next_byte_timeout: Duration::from_secs(30),
            pauses: [Duration::from_secs(1), Duration::from_secs(3)],
            longest_pause: Duration::from_mins(1),
            seed: None,
            user_agent: concat!("supercargo/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// What is shared by all requests to one registry.
pub(super) struct Host {
    /// Host and port, as images name it.
    pub(super) name: String,
    pub(super) http: Arc<Http>,
    pub(super) limit: Arc<Limit>,
    pub(super) endpoint: Option<Url>,
    pub(super) acquaintance: tokio::sync::Mutex<Acquaintance>,
}

impl Host {
    /// Whether an address is the registry's own, and not that of a token service or of a store that it sends us to.
    pub(super) fn has(&self, url: &Url) -> bool {
        match &self.endpoint {
            Some(endpoint) => endpoint.origin() == url.origin(),
            None => Url::parse(&format!("{}://{}/", url.scheme(), self.name))
                .is_ok_and(|own| own.origin() == url.origin()),
        }
    }
}

/// A registry's name and the fingerprint of the way there.
type Way = (String, Option<[u8; 32]>);

/// Lists tags and reads digests. One for the whole process: it keeps connections, tokens and the limits.
pub struct Client {
    options: ClientOptions,
    shared: Arc<Http>,
    hosts: Mutex<HashMap<Way, Arc<Host>>>,
    /// What holds requests to a registry back, whichever way they go.
    limits: Mutex<HashMap<String, Arc<Limit>>>,
    total: Semaphore,
    random: AtomicU64,
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
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().subsec_nanos();
        let random = AtomicU64::new(options.seed.unwrap_or_else(|| u64::from(clock())));
        Ok(Self {
            options,
            shared,
            hosts: Mutex::default(),
            limits: Mutex::default(),
            total,
            random,
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
        let (started, mut attempts) = (Instant::now(), Attempts::of(self, request, &session));
        loop {
            let credential = attempts.next().await?;
            let list = match session.list(&credential).await {
                Ok(list) => list,
                Err(error) => {
                    attempts.failed(&credential, error).await?;
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
                refused: attempts.ended().0,
                budget: session.wire.host.limit.budget(),
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
        let mut attempts = Attempts::of(self, request, &session);
        loop {
            let credential = attempts.next().await?;
            match ask(&session, &credential, what).await {
                Ok(answer) => return Ok(answer),
                Err(error) => attempts.failed(&credential, error).await?,
            }
        }
    }

    /// What the registry of `image` last said is left of the requests that it allows.
    pub fn budget(&self, image: &ImageName) -> Option<Budget> {
        let limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        limits.get(&image.registry).and_then(|limit| limit.budget())
    }

    pub(super) fn helpers(&self) -> &Helpers {
        &self.helpers
    }

    /// A conversation about the repository of `request`.
    ///
    /// # Errors
    /// What keeps it from beginning: a way or a provider that cannot be.
    pub(super) fn session<'a>(
        &'a self,
        request: &'a ListRequest<'_>,
        progress: &'a (dyn Fn(Progress) + Send + Sync),
    ) -> Result<Session<'a>, RegistryError> {
        if let Some(obstacle) = request.keyring.obstacle() {
            return Err(obstacle.clone());
        }
        let host = self.host(&request.image.registry, request.keyring.transport())?;
        let timeout = request.timeout.max(Duration::from_secs(1));
        let wire = Wire::new(self, host, timeout, progress);
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
            limit: self.limit(name),
            endpoint: special.and_then(|special| special.url.clone()),
            acquaintance: tokio::sync::Mutex::default(),
        });
        hosts.insert(key, Arc::clone(&host));
        Ok(host)
    }

    fn limit(&self, name: &str) -> Arc<Limit> {
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = limits.entry(name.to_owned());
        Arc::clone(limit.or_insert_with(|| Arc::new(Limit::new(self.options.per_host))))
    }

    pub(super) fn options(&self) -> &ClientOptions {
        &self.options
    }

    /// Requests that may be under way at once, at all registries.
    pub(super) fn total(&self) -> &Semaphore {
        &self.total
    }

    /// The next number of a sequence that the seed determines.
    ///
    /// Source: Steele, Lea, Flood: "Fast splittable pseudorandom number generators" (2014).
    pub(super) fn random(&self) -> u64 {
        let state = self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
