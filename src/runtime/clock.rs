//! What time it is: milliseconds since the start for the machine, a timestamp for people.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::app::moment::Moment;

/// Counts from its making.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that shows zero now.
    pub(super) fn new() -> Self {
        Self { start: Instant::now() }
    }

    /// Milliseconds since the start.
    pub(super) fn moment(&self) -> Moment {
        Moment(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// How long it is until `moment`; zero if that has passed.
    pub(super) fn until(&self, moment: Moment) -> Duration {
        // A day bounds what is far in the future, so that no timer overflows.
        let milliseconds = moment.0.saturating_sub(self.moment().0).min(86_400_000);
        Duration::from_millis(milliseconds)
    }
}

/// The time of day.
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// The operator's time zone: `TZ`, else the system's own file. A search for its name, which is shown nowhere, would
/// look into every folder of the zone database before the first frame.
pub(super) fn zone() -> TimeZone {
    if std::env::var_os("TZ").is_none()
        && let Ok(data) = std::fs::read("/etc/localtime")
        && let Ok(zone) = TimeZone::tzif("/etc/localtime", &data)
    {
        return zone;
    }
    TimeZone::system()
}
