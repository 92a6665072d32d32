//! What holds requests to one registry back: places, pauses it asked for, and the budget it says is left.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use tokio::sync::Semaphore;

use super::error::RegistryError;
use super::pace::Pace;
use crate::domain::scan::Budget;

/// For how long the wish of a registry for silence counts at most.
const LONGEST: Duration = Duration::from_hours(1);
/// A registry that refuses so often in a row is not asked by anybody while it wants no request.
const GIVEN_UP: u32 = 4;

/// Shared by all conversations with one registry, whichever way they go.
#[derive(Debug)]
pub(super) struct Limit {
    /// Requests that may be under way at once.
    pub(super) places: Semaphore,
    pace: Mutex<Pace>,
    /// What the registry said when it last refused a request as one too many.
    refusal: Mutex<Option<RegistryError>>,
    budget: Mutex<Option<Budget>>,
}

impl Limit {
    /// A limit of `places` requests at once.
    pub(super) fn new(places: usize) -> Self {
        Self {
            places: Semaphore::new(places.max(1)),
            pace: Mutex::default(),
            refusal: Mutex::default(),
            budget: Mutex::default(),
        }
    }

    /// The registry refused a request that was sent at `sent` as one too many, with `said`. Nobody asks for as long as `pause` says
    /// after so many refusals in a row, or for as long as the registry wishes where that is longer, and never for longer than an hour:
    /// one that wants more is asked again then.
    pub(super) fn refused(
        &self,
        sent: Instant,
        said: RegistryError,
        wish: Option<Duration>,
        pause: impl FnOnce(u32) -> Duration,
    ) {
        let pause = |streak| pause(streak).max(wish.unwrap_or_default()).min(LONGEST);
        self.pace().refused(sent, Instant::now(), pause);
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
    }

    /// The registry answered a request that was sent at `sent`.
    pub(super) fn answered(&self, sent: Instant) {
        self.pace().answered(sent);
    }

    /// Takes the turn of a request to the registry.
    ///
    /// # Errors
    /// It has not come: how long to wait before trying again.
    pub(super) fn take_turn(&self) -> Result<(), Duration> {
        self.pace().take_turn(Instant::now())
    }

    /// For how long the registry wants no request; zero if any may be made.
    pub(super) fn quiet(&self) -> Duration {
        self.pace().quiet(Instant::now())
    }

    /// What the registry said to whoever asked it last, if it wants no request for longer than `patience`, or refused so often in a
    /// row that nobody waits for it; with what is left of its wish.
    pub(super) fn refusal(&self, patience: Duration) -> Option<RegistryError> {
        let (quiet, streak) = {
            let pace = self.pace();
            (pace.quiet(Instant::now()), pace.streak())
        };
        if quiet <= patience && (quiet.is_zero() || streak < GIVEN_UP) {
            return None;
        }
        let said = self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(match said {
            RegistryError::RateLimited { request, answer } if answer.retry_after.is_some() => {
                let answer = Box::new(answer.asking_to_wait(Some(quiet)));
                RegistryError::RateLimited { request, answer }
            }
            other => other,
        })
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the budget from an answer's headers, if they tell it.
    pub(super) fn learn(&self, headers: &HeaderMap) {
        if let Some(budget) = read_budget(headers) {
            *self.budget.lock().unwrap_or_else(PoisonError::into_inner) = Some(budget);
        }
    }

    /// What the registry last said is left.
    pub(super) fn budget(&self) -> Option<Budget> {
        *self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `ratelimit-limit: 100;w=21600` and `ratelimit-remaining: 76;w=21600`, with or without `x-`.
///
/// Source: Docker Hub's documentation, "Pull usage and limits"; draft-ietf-httpapi-ratelimit-headers, version 03.
fn read_budget(headers: &HeaderMap) -> Option<Budget> {
    let field = |name: &str| {
        let value = headers.get(name).or_else(|| headers.get(format!("x-{name}")))?;
        let mut parts = value.to_str().ok()?.split([';', ',']).map(str::trim);
        let number = parts.next()?.parse::<u64>().ok()?;
        let window = parts.find_map(|part| part.strip_prefix("w=")?.parse().ok());
        Some((number, window.map(Duration::from_secs)))
    };
    let (remaining, window) = field("ratelimit-remaining")?;
    let limit = field("ratelimit-limit");
    let window = window.or_else(|| limit.and_then(|(_, window)| window));
    Some(Budget { remaining, limit: limit.map(|(number, _)| number), window })
}

/// The pause before another try: `pause`, up to a tenth longer so that many clients spread out, and at most `longest`.
pub(super) fn backoff(pause: Duration, longest: Duration, random: u64) -> Duration {
    // The remainder of a division by a thousand fits.
    let thousandths = u32::try_from(random % 1000).unwrap_or_default();
    (pause + pause * thousandths / 10_000).min(longest)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn budget(headers: &[(&'static str, &'static str)]) -> Option<Budget> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        read_budget(&headers.collect())
    }

    #[test]
    fn a_budget_is_read_as_docker_hub_and_others_write_it() {
        let hub = [("ratelimit-limit", "100;w=21600"), ("ratelimit-remaining", "76;w=21600")];
        let window = Some(Duration::from_hours(6));
        assert_eq!(budget(&hub), Some(Budget { remaining: 76, limit: Some(100), window }));
        let plain = Some(Budget { remaining: 3, limit: None, window: None });
        assert_eq!(budget(&[("x-ratelimit-remaining", "3")]), plain);
        assert_eq!(budget(&[("ratelimit-limit", "100;w=21600")]), None, "what is left is not told");
        for wrong in ["", "many", "-1", ";w=1"] {
            assert_eq!(budget(&[("ratelimit-remaining", wrong)]), None, "{wrong}");
        }
    }

    #[test]
    fn pauses_are_spread_by_a_tenth_and_capped() {
        let second = Duration::from_secs(1);
        assert_eq!(backoff(second, second * 60, 0), second);
        assert_eq!(backoff(second, second * 60, 999), Duration::from_micros(1_099_900));
        assert_eq!(backoff(second * 100, second * 60, 500), second * 60);
    }

    #[test]
    fn of_two_wishes_for_silence_the_longer_counts() {
        let (limit, now) = (Limit::new(4), Instant::now());
        assert_eq!(limit.quiet(), Duration::ZERO);
        let said = || RegistryError::Setup("429".to_owned());
        for wish in [Duration::from_mins(1), Duration::from_secs(1)] {
            limit.refused(now, said(), Some(wish), |_| Duration::ZERO);
        }
        assert!(limit.quiet() > Duration::from_secs(50));
        assert!(
            limit.refusal(Duration::from_mins(2)).is_none()
                && limit.refusal(Duration::from_secs(9)).is_some()
        );
        limit.refused(now, said(), Some(Duration::MAX), |_| Duration::ZERO);
        assert!(limit.quiet() <= LONGEST, "nobody waits for ever");
    }
}
