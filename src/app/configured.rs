//! What the configuration says that the screen goes by; it says something else where another kube context is in force.

use std::collections::BTreeMap;

use super::keymap::Bindings;
use super::profile::Profile;
use crate::domain::forge::ForgeKind;
use crate::domain::mode::Mode;
use crate::problem::Problem;

/// What the configuration says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Configured {
    /// The mode to begin with.
    pub mode: Mode,
    /// Whether a section for the kube context says it: then it counts whatever was chosen before.
    pub section_says_mode: bool,
    /// Whether the mode may not be changed here.
    pub mode_locked: bool,
    /// The theme's name; `auto` chooses.
    pub theme: String,
    /// How much is sent to the terminal.
    pub profile: Profile,
    /// Whether the mouse is taken.
    pub mouse: bool,
    /// The keys.
    pub bindings: Bindings,
    /// Patterns of branches whose names have to be typed.
    pub protected_branches: Vec<String>,
    /// How many days a hold lasts.
    pub hold_days: u16,
    /// What runs each forge's host.
    pub forges: BTreeMap<String, ForgeKind>,
    /// What is to be said of it.
    pub problems: Vec<Problem>,
}
