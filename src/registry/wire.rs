//! One HTTP exchange with everything that surrounds it: a place in the queue, the time that is left, redirects,
//! attempts, and a bound on what is read.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use url::Url;

use super::client::{Client, ClientOptions, Host};
use super::error::{Answer, Broken, RegistryError, Request, Waited, broken};
use super::limit::backoff;
use super::{Progress, wire_text, withheld};

/// How often a request is tried.
const ATTEMPTS: usize = 3;
/// How often one is that is refused as one too many: the pauses grow, and others get through meanwhile.
const LIMITED: usize = 4;
/// How many redirects are followed.
const REDIRECTS: usize = 10;
/// How much of an error's body is read.
const ERROR_BODY: usize = 64 << 10;

/// A request to be made.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) accept: Option<&'static str>,
    /// Shown to the server of `url` and to no other.
    pub(super) authorization: Option<HeaderValue>,
    /// The fields of a form to be posted.
    pub(super) form: Option<Vec<(&'static str, String)>>,
    /// The entity tag of what is known already, which need not be sent again.
    pub(super) known: Option<HeaderValue>,
    /// The largest answer that makes sense, in bytes, where that is less than the client's own bound.
    pub(super) at_most: Option<usize>,
    /// How often to try.
    pub(super) attempts: usize,
}

impl Ask {
    pub(super) fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            accept: None,
            authorization: None,
            form: None,
            known: None,
            at_most: None,
            attempts: ATTEMPTS,
        }
    }

    /// `METHOD URL`, fit to be shown.
    pub(super) fn text(&self) -> Request {
        format!("{} {}", self.method, wire_text::shown(&self.url)).into()
    }
}

/// A whole answer.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Where it came from in the end.
    pub(super) url: Url,
    /// That server, if redirects led to another than was asked, to which no login of ours is shown.
    pub(super) elsewhere: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// The first header of that name, if it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The error that a status other than success stands for.
    pub(super) fn error(&self, request: Request, host: &str) -> RegistryError {
        let answer = Answer::new(self.status.as_u16(), &self.body).asking_to_wait(self.retry_after());
        let answer = Box::new(answer);
        let error = match self.status.as_u16() {
            401 | 403 => RegistryError::Denied { request, answer, host: host.to_owned(), tried: Vec::new() },
            404 => RegistryError::NotFound { request, answer },
            429 => RegistryError::RateLimited { request, answer },
            _ => RegistryError::Status { request, answer },
        };
        error.said_by(self.elsewhere.clone())
    }

    /// `Retry-After`, in seconds or as a date, in any of the three forms, by the server's own clock; a date that is past is no wait.
    ///
    /// Source: RFC 9110, sections 5.6.7 and 10.2.3.
    fn retry_after(&self) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = |text: &str| httpdate::parse_http_date(text).ok();
        let until = date(text)?;
        let now = self.header("date").and_then(date).unwrap_or_else(SystemTime::now);
        Some(until.duration_since(now).unwrap_or_default())
    }

    /// Source: google/go-containerregistry:pkg/v1/remote/transport/retry.go, `pkg/v1/remote/options.go`.
    fn is_worth_another_try(&self) -> bool {
        matches!(self.status.as_u16(), 408 | 429 | 499 | 500 | 502 | 503 | 504 | 522)
    }
}

/// The way to one registry, for the time of one scan.
pub(super) struct Wire<'a> {
    pub(super) host: Arc<Host>,
    client: &'a Client,
    timeout: Duration,
    started: Instant,
    /// Time spent waiting for a free place, which is not counted against the timeout.
    queued: Mutex<Duration>,
    requests: AtomicU32,
    bytes: AtomicU64,
    progress: &'a (dyn Fn(Progress) + Send + Sync),
}

impl<'a> Wire<'a> {
    pub(super) fn new(
        client: &'a Client,
        host: Arc<Host>,
        timeout: Duration,
        progress: &'a (dyn Fn(Progress) + Send + Sync),
    ) -> Self {
        Self {
            host,
            client,
            timeout,
            started: Instant::now(),
            queued: Mutex::default(),
            requests: AtomicU32::new(0),
            bytes: AtomicU64::new(0),
            progress,
        }
    }

    pub(super) fn requests(&self) -> u32 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn queued(&self) -> Duration {
        *self.queued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn report(&self, progress: Progress) {
        (self.progress)(Progress { bytes: self.bytes(), ..progress });
    }

    /// Makes a request, and again where that may help; any status is an answer.
    pub(super) async fn send(&self, ask: &Ask) -> Result<Reply, RegistryError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let last = attempt >= ask.attempts;
            let pause = self.jittered(self.pause(attempt));
            let wait = match self.follow(ask).await {
                Ok(reply) if reply.status == StatusCode::TOO_MANY_REQUESTS => {
                    if attempt >= LIMITED || self.is_refused() {
                        return Ok(reply);
                    }
                    // The turn of the next request comes when the pause is over.
                    Duration::ZERO
                }
                Ok(reply) if last || !reply.is_worth_another_try() => return Ok(reply),
                Ok(reply) => {
                    let wait = reply.retry_after().map_or(pause, |asked| asked.max(pause));
                    if wait > self.patience() {
                        return Ok(reply);
                    }
                    wait
                }
                Err(broken) if last || !broken.transient || pause > self.left() => return Err(broken.error),
                Err(_passing) => pause,
            };
            tracing::info!(attempt, wait = ?wait, "registry: again {}", ask.text());
            if !wait.is_zero() {
                self.report(Progress { waiting: Some(wait), ..Progress::default() });
                tokio::time::sleep(wait).await;
            }
        }
    }

    /// How long this conversation would wait before it asks again.
    fn patience(&self) -> Duration {
        self.options().longest_pause.min(self.left())
    }

    /// Whether the registry wants silence for longer than this conversation waits.
    fn is_refused(&self) -> bool {
        self.host.limit.refusal(self.patience()).is_some()
    }

    /// The pause after so many attempts, before it is made a little longer.
    fn pause(&self, attempts: usize) -> Duration {
        let pauses = self.options().pauses;
        let further = u32::try_from(attempts.saturating_sub(pauses.len())).unwrap_or(u32::MAX);
        let pause = pauses.get(attempts.saturating_sub(1)).unwrap_or(&pauses[1]);
        pause.saturating_mul(3_u32.saturating_pow(further)).min(self.options().longest_pause)
    }

    fn jittered(&self, pause: Duration) -> Duration {
        backoff(pause, self.options().longest_pause, self.client.random())
    }

    pub(super) fn options(&self) -> &'a ClientOptions {
        self.client.options()
    }

    /// How much of the conversation's time is left.
    pub(super) fn left(&self) -> Duration {
        (self.timeout + self.queued()).saturating_sub(self.started.elapsed())
    }

    async fn follow(&self, ask: &Ask) -> Result<Reply, Broken> {
        let (asked, mut ask) = (ask.url.origin(), ask.clone());
        for _ in 0..=REDIRECTS {
            let mut reply = self.once(&ask).await?;
            let answered = ask.url.origin();
            reply.elsewhere = (answered != asked).then(|| answered.ascii_serialization());
            let redirected = matches!(reply.status.as_u16(), 301 | 302 | 303 | 307 | 308);
            let Some(location) = reply.header("location").filter(|_| redirected) else { return Ok(reply) };
            let target = wire_text::redirect_target(&ask.url, location)
                .map_err(|reason| RegistryError::BadAnswer { request: ask.text(), reason })?;
            if target.origin() != ask.url.origin() {
                ask.authorization = None;
                ask.form = None;
            }
            ask.url = target;
        }
        let reason = format!("more than {REDIRECTS} redirects");
        Err(RegistryError::BadAnswer { request: ask.text(), reason }.into())
    }

    async fn once(&self, ask: &Ask) -> Result<Reply, Broken> {
        let (queued, patience) = (Instant::now(), self.patience());
        // First the host's place and turn, then the common place: a slow registry must not hold places that others could use.
        let _host = self.host.limit.places.acquire().await.ok();
        self.await_turn(patience).await?;
        let _total = self.client.total().acquire().await.ok();
        *self.queued.lock().unwrap_or_else(PoisonError::into_inner) += queued.elapsed();
        self.requests.fetch_add(1, Ordering::Relaxed);
        let begun = Instant::now();
        let reply = tokio::time::timeout(self.left(), self.exchange(ask)).await;
        let reply = reply.unwrap_or_else(|_elapsed| Err(self.ended(ask.text()).into()));
        let millis = begun.elapsed().as_millis();
        match &reply {
            Ok(reply) => {
                self.take_note(ask, begun, reply);
                let (status, bytes) = (reply.status.as_u16(), reply.body.len());
                tracing::debug!(status, bytes, millis, "registry: {}", ask.text());
            }
            Err(broken) => tracing::debug!(millis, "registry: {}", broken.error),
        }
        reply
    }

    /// Waits until the registry wants requests again, and until it is this one's turn.
    ///
    /// # Errors
    /// That is later than anybody waits for, or it goes on refusing: what it said to whoever asked last.
    async fn await_turn(&self, patience: Duration) -> Result<(), RegistryError> {
        loop {
            if let Some(refusal) = self.host.limit.refusal(patience) {
                return Err(refusal);
            }
            let Err(wait) = self.host.limit.take_turn() else { return Ok(()) };
            if !self.host.limit.quiet().is_zero() {
                self.report(Progress { waiting: Some(wait), ..Progress::default() });
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Tells the pace of the registry what became of a request.
    fn take_note(&self, ask: &Ask, sent: Instant, reply: &Reply) {
        let limit = &self.host.limit;
        if reply.status == StatusCode::TOO_MANY_REQUESTS {
            let pause = |refusals| self.jittered(self.pause(refusals as usize));
            limit.refused(sent, reply.error(ask.text(), &self.host.name), reply.retry_after(), pause);
        } else {
            limit.answered(sent);
        }
    }

    /// The time of the whole conversation is over.
    pub(super) fn ended(&self, request: Request) -> RegistryError {
        RegistryError::Timeout { request, waited: Waited::End, after: self.timeout }
    }

    async fn exchange(&self, ask: &Ask) -> Result<Reply, Broken> {
        let http = self.host.http.client(self.options(), &ask.url)?;
        let mut request = http.request(ask.method.clone(), ask.url.clone());
        if let Some(authorization) = &ask.authorization {
            request = request.header(reqwest::header::AUTHORIZATION, authorization);
        }
        if let Some(accept) = ask.accept {
            request = request.header(reqwest::header::ACCEPT, accept);
        }
        if let Some(known) = &ask.known {
            request = request.header(reqwest::header::IF_NONE_MATCH, known);
        }
        if ask.method == Method::HEAD {
            // A packed body has another length, and the length is asked for.
            request = request.header(reqwest::header::ACCEPT_ENCODING, "identity");
        }
        if let Some(form) = &ask.form {
            request = request.form(form);
        }
        let (connect, first) = (self.options().connect_timeout, self.options().first_byte_timeout);
        let answer = tokio::time::timeout(first, request.send()).await;
        let answer = answer.map_err(|_elapsed| timeout(ask, Waited::FirstByte, first))?;
        let mut response = answer.map_err(|error| broken(ask.text(), &error, connect))?;
        let mut body = self.read(ask, &mut response).await?;
        if !response.status().is_success() {
            withheld::strike(&mut body, ask);
        }
        // Of these we say what is wrong with them.
        withheld::strike_headers(response.headers_mut(), ask);
        if self.host.has(&ask.url) {
            self.host.limit.learn(response.headers());
        }
        Ok(Reply {
            status: response.status(),
            url: response.url().clone(),
            elsewhere: None,
            headers: std::mem::take(response.headers_mut()),
            body,
        })
    }

    /// Reads a body: an error's as far as it is of use, any other whole or not at all.
    async fn read(&self, ask: &Ask, response: &mut reqwest::Response) -> Result<Vec<u8>, Broken> {
        let success = response.status().is_success();
        let most = ask.at_most.unwrap_or(usize::MAX).min(self.options().max_reply);
        let limit = if success { most } else { ERROR_BODY };
        let announced =
            response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        let mut body = Vec::with_capacity(announced.min(limit));
        while let Some(chunk) = self.chunk(ask, response).await? {
            self.bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            let room = limit - body.len();
            if chunk.len() <= room {
                body.extend_from_slice(&chunk);
                continue;
            }
            if success {
                let ours = if limit == self.options().max_reply { wire_text::MAX_REPLY } else { "" };
                let reason = format!("the answer is longer than {}{ours}", wire_text::size(limit));
                return Err(RegistryError::BadAnswer { request: ask.text(), reason }.into());
            }
            body.extend_from_slice(chunk.get(..room).unwrap_or_default());
            break;
        }
        Ok(body)
    }

    async fn chunk(&self, ask: &Ask, response: &mut reqwest::Response) -> Result<Option<Bytes>, Broken> {
        let next = self.options().next_byte_timeout;
        match tokio::time::timeout(next, response.chunk()).await {
            Ok(chunk) => chunk.map_err(|error| broken(ask.text(), &error, self.options().connect_timeout)),
            Err(_elapsed) => Err(timeout(ask, Waited::NextByte, next)),
        }
    }
}

fn timeout(ask: &Ask, waited: Waited, after: Duration) -> Broken {
    RegistryError::Timeout { request: ask.text(), waited, after }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(headers: &[(&'static str, &str)]) -> Option<Duration> {
        let headers = headers.iter().map(|(name, value)| {
            (reqwest::header::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        });
        let url = Url::parse("https://r.example.com/v2/").unwrap();
        let status = StatusCode::TOO_MANY_REQUESTS;
        Reply { status, headers: headers.collect(), url, elsewhere: None, body: Vec::new() }.retry_after()
    }

    #[test]
    fn how_long_to_wait_comes_in_seconds_or_as_a_date_by_the_servers_clock() {
        let noon = ("date", "Sun, 06 Nov 1994 12:00:00 GMT");
        assert_eq!(wait(&[("retry-after", " 7 ")]), Some(Duration::from_secs(7)));
        let later = ("retry-after", "Sun, 06 Nov 1994 12:01:30 GMT");
        assert_eq!(wait(&[later, noon]), Some(Duration::from_secs(90)));
        for later in ["Sunday, 06-Nov-94 12:01:30 GMT", "Sun Nov  6 12:01:30 1994"] {
            assert_eq!(wait(&[("retry-after", later), noon]), Some(Duration::from_secs(90)), "{later}");
        }
        assert_eq!(wait(&[later]), Some(Duration::ZERO), "by our clock that is long past");
        assert_eq!(wait(&[("retry-after", "Sun, 06 Nov 1994 11:59:59 GMT"), noon]), Some(Duration::ZERO));
        for none in ["", "-1", "soon", "1.5", "Sun, 06 Nov"] {
            assert_eq!(wait(&[("retry-after", none), noon]), None, "{none}");
        }
    }
}
