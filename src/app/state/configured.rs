//! Going by the configuration: at the start, and where another kube context is in force.

use super::State;
use crate::app::configured::Configured;

impl State {
    /// Goes by `configured` from now on. Where that says the same as what was in force before, what a person chose
    /// meanwhile stays.
    pub fn configure(&mut self, configured: Configured) {
        let before = std::mem::replace(&mut self.configured, configured.clone());
        let says_mode = configured.section_says_mode || before.section_says_mode;
        if says_mode || configured.mode != before.mode {
            self.mode = configured.mode;
        }
        if configured.theme != before.theme {
            self.theme = self.themes.iter().position(|theme| *theme == configured.theme).unwrap_or(0);
        }
        if configured.profile != before.profile {
            self.profile = configured.profile;
        }
        if configured.mouse != before.mouse {
            self.mouse = configured.mouse;
        }
        self.mode_locked = configured.mode_locked;
        self.bindings = configured.bindings;
        self.protected_branches = configured.protected_branches;
        self.hold_days = configured.hold_days;
        self.facts.forges = configured.forges;
        self.remark(configured.problems);
    }
}
