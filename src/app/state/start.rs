//! What the program is started with.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::app::layout::Size;
use crate::domain::mode::Mode;

/// What the program was started with.
#[derive(Debug, Clone)]
pub struct Start {
    /// What may happen at all.
    pub mode: Mode,
    /// Whether the mode may not be changed here.
    pub mode_locked: bool,
    /// Whether this is the demo.
    pub demo: bool,
    /// The terminal's size.
    pub size: Size,
    /// The time.
    pub now: Timestamp,
    /// The operator's time zone.
    pub zone: TimeZone,
    /// What the title calls the source before it was read.
    pub source: String,
    /// The names of all themes.
    pub themes: Vec<String>,
    /// The name of the one in force.
    pub theme: String,
    /// Whether the program never ran here before.
    pub first_run: bool,
}

impl Default for Start {
    /// DRY-RUN on 100x30 cells, at the beginning of 1970 in UTC.
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            mode_locked: false,
            demo: false,
            size: Size { width: 100, height: 30 },
            now: Timestamp::UNIX_EPOCH,
            zone: TimeZone::UTC,
            source: String::new(),
            themes: Vec::new(),
            theme: String::new(),
            first_run: false,
        }
    }
}
