//! How much is sent to the terminal.

use serde::Deserialize;

/// How much is sent to the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// What a screen needs to look right.
    #[default]
    Normal,
    /// As little as can be: no row background, no spinner, no preview, 16 colours, no mouse, at most ten frames a second.
    LowBandwidth,
}

impl Profile {
    /// The word of the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::LowBandwidth => "low-bandwidth",
        }
    }

    /// Whether it saves bytes.
    pub fn is_low(self) -> bool {
        self == Self::LowBandwidth
    }
}
