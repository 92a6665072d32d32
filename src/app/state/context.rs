//! Which view is in front and what has the keys.

use super::{Overlay, State};
use crate::app::layout::{Layout, Tier};

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// S1.
    Updates,
    /// S2.
    Repositories,
    /// S3.
    Tags,
    /// S4.
    Policies,
    /// S6.
    Automations,
    /// The plan.
    Plan,
    /// S7.
    Diff,
    /// S8.
    Message,
    /// S9, progress and result.
    Push,
    /// S11.
    Errors,
    /// S12.
    Help,
    /// Nothing was found here.
    Start,
}

impl View {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Updates,
        Self::Repositories,
        Self::Tags,
        Self::Policies,
        Self::Automations,
        Self::Plan,
        Self::Diff,
        Self::Message,
        Self::Push,
        Self::Errors,
        Self::Help,
        Self::Start,
    ];

    /// The word in the crumbs; S3 and S7 stand behind the name of what they show.
    pub fn title(self) -> &'static str {
        match self {
            Self::Updates => "Updates",
            Self::Repositories => "Repositories",
            Self::Tags => "tags",
            Self::Policies => "Policies",
            Self::Automations => "Automations",
            Self::Plan => "Plan",
            Self::Diff => "diff",
            Self::Message => "commit message",
            Self::Push => "push",
            Self::Errors => "Errors",
            Self::Help => "help",
            Self::Start => "Start",
        }
    }

    /// The context in which its keys are looked up.
    pub fn context(self) -> Context {
        match self {
            Self::Updates => Context::Updates,
            Self::Repositories => Context::Repositories,
            Self::Tags => Context::Tags,
            Self::Policies => Context::Policies,
            Self::Automations => Context::Automations,
            Self::Plan => Context::Plan,
            Self::Diff => Context::Diff,
            Self::Message => Context::Message,
            Self::Push => Context::Push,
            Self::Errors => Context::Errors,
            Self::Help => Context::Help,
            Self::Start => Context::Start,
        }
    }
}

/// What has the keys. Exactly one has, so a key means one thing at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// S1.
    Updates,
    /// S2.
    Repositories,
    /// S3.
    Tags,
    /// S4.
    Policies,
    /// S6.
    Automations,
    /// The plan.
    Plan,
    /// S7.
    Diff,
    /// S8: a text input.
    Message,
    /// S9, progress and result.
    Push,
    /// S11.
    Errors,
    /// S12: a text input.
    Help,
    /// Nothing was found here.
    Start,
    /// The filter field.
    Filter,
    /// S13: a text input.
    Palette,
    /// A menu.
    Menu,
    /// The preview over its list.
    Overlay,
    /// S9a.
    ConfirmPush,
    /// S9b: a text input.
    TypeBranch,
    /// Leave?
    ConfirmQuit,
    /// To WRITE?
    ConfirmMode,
    /// S15.
    TooSmall,
}

impl Context {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::Updates,
        Self::Repositories,
        Self::Tags,
        Self::Policies,
        Self::Automations,
        Self::Plan,
        Self::Diff,
        Self::Message,
        Self::Push,
        Self::Errors,
        Self::Help,
        Self::Start,
        Self::Filter,
        Self::Palette,
        Self::Menu,
        Self::Overlay,
        Self::ConfirmPush,
        Self::TypeBranch,
        Self::ConfirmQuit,
        Self::ConfirmMode,
        Self::TooSmall,
    ];

    /// Whether keys type text there.
    pub fn is_input(self) -> bool {
        matches!(self, Self::Message | Self::Help | Self::Filter | Self::Palette | Self::TypeBranch)
    }
}

impl State {
    /// What has the keys: too small, help, dialog, filter, overlay, view, in this order.
    pub fn context(&self) -> Context {
        if Tier::of(self.size) == Tier::T0 {
            return Context::TooSmall;
        }
        if self.help.is_some() {
            return Context::Help;
        }
        self.context_below_help()
    }

    /// What has the keys when help is closed.
    pub fn context_below_help(&self) -> Context {
        match &self.overlay {
            Some(Overlay::Push(_)) => Context::ConfirmPush,
            Some(Overlay::Branch(_)) => Context::TypeBranch,
            Some(Overlay::Quit(_)) => Context::ConfirmQuit,
            Some(Overlay::Mode) => Context::ConfirmMode,
            Some(Overlay::Menu(_)) => Context::Menu,
            Some(Overlay::Palette(_)) => Context::Palette,
            None if self.filter.is_some() => Context::Filter,
            None if Layout::of(self).overlay => Context::Overlay,
            None => self.view_below_help().context(),
        }
    }
}
