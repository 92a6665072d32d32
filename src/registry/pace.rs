//! How fast a registry is asked that has refused a request as one too many (429): first nobody asks, for longer each time that it
//! refuses again, then one request follows another at the pace at which it answered, and a little faster as long as it goes on
//! answering.
//!
//! Without that, all repositories of a host would ask again at the same moment, and most would be refused again.

use std::time::{Duration, Instant};

/// Of a registry that refused within its first answers, the pace is guessed as if it had given so many.
const FEW: u32 = 8;
/// Between two requests there is no more than this, and where it would be less than [`SHORTEST`] there is nothing.
const LONGEST: Duration = Duration::from_secs(10);
const SHORTEST: Duration = Duration::from_millis(2);
/// A registry that is left alone for so long is asked as if it had never refused.
const FORGOTTEN: Duration = Duration::from_mins(1);
/// Requests that are further apart than this tell nothing of how many a registry takes.
const LULL: Duration = Duration::from_secs(1);

/// The pace of the requests to one registry.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Nobody asks before that.
    quiet_until: Option<Instant>,
    /// When the next may ask, where requests follow one another.
    next: Option<Instant>,
    /// When it refused last, until it has answered a request that was sent later.
    refused: Option<Instant>,
    /// How often it refused since it last answered; requests that were under way together count as one.
    streak: u32,
    /// Between two requests; zero for one that did not refuse.
    space: Duration,
    /// By what part of itself [`Self::space`] shrinks with an answer.
    ease: u32,
    /// Between two requests that find out whether it answers again.
    probe: Duration,
    /// The first and the last of its answers since it refused or was left alone, by when they were asked for, and how many.
    answered: Option<(Instant, Instant, u32)>,
}

impl Pace {
    /// Takes the turn at `now`.
    ///
    /// # Errors
    /// It is not yet: how long to wait before asking again whether it is.
    pub(super) fn take_turn(&mut self, now: Instant) -> Result<(), Duration> {
        let until = self.quiet_until.max(self.next).filter(|until| *until > now);
        if let Some(until) = until {
            return Err(until - now);
        }
        if self.next.is_some_and(|next| now - next > FORGOTTEN) {
            self.space = Duration::ZERO;
        }
        let space = if self.refused.is_some() { self.probe } else { self.space };
        self.next = (!space.is_zero()).then(|| now + space);
        Ok(())
    }

    /// For how long nobody asks at `now`.
    pub(super) fn quiet(&self, now: Instant) -> Duration {
        self.quiet_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// How often it refused in a row.
    pub(super) fn streak(&self) -> u32 {
        self.streak
    }

    /// A request that was sent at `sent` was refused at `now`; `pause` says how long to wait after so many refusals in a row.
    pub(super) fn refused(&mut self, sent: Instant, now: Instant, pause: impl FnOnce(u32) -> Duration) {
        let is_another = self.refused.is_none_or(|refused| sent >= refused);
        if is_another {
            self.streak += 1;
            self.refused = Some(now);
        }
        let pause = pause(self.streak);
        if is_another {
            self.probe = pause;
        }
        self.quiet_until = self.quiet_until.max(Some(now + pause));
    }

    /// A request that was sent at `sent` was answered.
    pub(super) fn answered(&mut self, sent: Instant) {
        match self.refused {
            // It was under way when another was refused.
            Some(refused) if sent < refused => self.count(sent),
            Some(_) => self.resume(sent),
            None => {
                self.count(sent);
                self.space -= self.space.checked_div(self.ease).unwrap_or_default();
                if self.space < SHORTEST {
                    self.space = Duration::ZERO;
                }
            }
        }
    }

    /// It answers again: from now on at the pace at which it answered until then.
    fn resume(&mut self, sent: Instant) {
        let (first, _, many) = self.answered.unwrap_or((sent, sent, 0));
        let guessed = sent.saturating_duration_since(first) / many.max(FEW);
        // One that refused at the pace that was found is asked more slowly, and brought nearer to it by smaller steps.
        let is_found = !self.space.is_zero() || many >= FEW;
        self.space = guessed.max(self.space * 3 / 2).clamp(SHORTEST, LONGEST);
        self.ease = if is_found { 50 } else { 10 };
        (self.refused, self.streak) = (None, 0);
        self.next = Some(sent + self.space);
        self.answered = Some((sent, sent, 1));
    }

    fn count(&mut self, sent: Instant) {
        let lull = LULL.max(self.space * 2);
        let known = self.answered.filter(|(_, last, _)| sent.saturating_duration_since(*last) <= lull);
        self.answered =
            Some(known.map_or((sent, sent, 1), |(first, last, many)| (first, last.max(sent), many + 1)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    fn pause(streak: u32) -> Duration {
        MILLI * 1000 * streak
    }

    #[test]
    fn requests_that_are_refused_together_are_one_refusal_and_pauses_grow_until_it_answers() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        for late in 1..5 {
            pace.refused(start, start + MILLI * late, pause);
        }
        assert_eq!((pace.streak(), pace.quiet(start)), (1, MILLI * 1004));
        assert_eq!(pace.take_turn(start + MILLI * 1003), Err(MILLI));
        let again = start + MILLI * 1004;
        assert_eq!(pace.take_turn(again), Ok(()));
        assert_eq!(pace.take_turn(again), Err(MILLI * 1000), "one finds out for all");
        pace.refused(again, again, pause);
        assert_eq!((pace.streak(), pace.quiet(again)), (2, MILLI * 2000));
        pace.answered(again + MILLI * 2000);
        assert_eq!(pace.streak(), 0);
    }

    #[test]
    fn after_a_refusal_requests_follow_one_another_at_the_pace_of_the_answers() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        for n in 0..20 {
            assert_eq!(pace.take_turn(start + MILLI * n), Ok(()), "unhindered as long as none is refused");
            pace.answered(start + MILLI * n);
        }
        pace.refused(start + MILLI * 20, start + MILLI * 20, pause);
        let again = start + MILLI * 1020;
        assert_eq!(pace.take_turn(again), Ok(()));
        pace.answered(again);
        assert_eq!(pace.take_turn(again), Err(MILLI * 51), "twenty in a second and 20 ms");
        pace.refused(again + MILLI * 51, again + MILLI * 51, pause);
        pace.answered(again + MILLI * 1051);
        assert!(pace.space > MILLI * 75, "slower than what was refused: {:?}", pace.space);
    }

    #[test]
    fn one_that_goes_on_answering_is_asked_faster_until_nothing_holds_requests_back() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        pace.refused(start, start, pause);
        let mut now = start + MILLI * 1000;
        for _ in 0..200 {
            while let Err(wait) = pace.take_turn(now) {
                now += wait;
            }
            pace.answered(now);
        }
        assert_eq!(pace.space, Duration::ZERO);
        assert!(now - start < MILLI * 10_000, "{:?}", now - start);
    }

    /// A server that takes `burst` at once and one more each `each`; how long `many` requests take, and how often it refused.
    fn simulate(many: u32, burst: u32, each: Duration) -> (Duration, u32) {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let (mut now, mut full_at, mut refusals, mut done) = (start, start, 0, 0);
        while done < many {
            while let Err(wait) = pace.take_turn(now) {
                now += wait;
            }
            // The time at which the bucket would be full again, as nginx and others count it.
            let then = full_at.max(now) + each;
            if then > now + each * burst {
                pace.refused(now, now, pause);
                refusals += 1;
                assert!(pace.streak() < 4, "it is never refused for long");
            } else {
                full_at = then;
                pace.answered(now);
                done += 1;
            }
            now += MILLI;
        }
        (now - start, refusals)
    }

    #[test]
    fn a_fleet_gets_through_in_not_much_more_than_the_registry_takes_for_it() {
        for (burst, each) in [(10, 100), (1, 100), (50, 20), (4, 500)] {
            let (took, refusals) = simulate(200, burst, MILLI * each);
            let least = MILLI * each * (200 - burst);
            assert!(took < least * 2 + MILLI * 5_000, "{burst} and one each {each} ms: {took:?}");
            assert!(refusals < 40, "{refusals}");
        }
    }
}
