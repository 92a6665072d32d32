//! What has the keys.

use super::{Overlay, State};
use crate::app::layout::Tier;
use crate::app::view::{Context, View};

impl State {
    /// What has the keys: too small, help, dialog, filter, overlay, view, in this order.
    pub fn context(&self) -> Context {
        if Tier::of(self.size) == Tier::T0 {
            return Context::TooSmall;
        }
        if self.help.is_some() {
            return Context::View(View::Help);
        }
        self.context_below_help()
    }

    /// What has the keys when help is closed.
    pub fn context_below_help(&self) -> Context {
        match &self.overlay {
            Some(Overlay::Push(_)) => Context::ConfirmPush,
            Some(Overlay::Branch(_)) => Context::TypeBranch,
            Some(Overlay::Merge(dialog)) if dialog.typed.is_some() => Context::TypeBranch,
            Some(Overlay::Merge(_)) => Context::ConfirmMerge,
            Some(Overlay::Target(dialog)) if dialog.field.is_some() => Context::TypeTarget,
            Some(Overlay::Target(_)) => Context::Target,
            Some(Overlay::Quit(_) | Overlay::Pushing { .. }) => Context::ConfirmQuit,
            Some(Overlay::Mode) => Context::ConfirmMode,
            Some(Overlay::Order(_)) => Context::ConfirmOrder,
            Some(Overlay::Resume(_)) => Context::ConfirmResume,
            Some(Overlay::Hold(_)) => Context::TypeHold,
            Some(Overlay::Edit(_)) => Context::Edit,
            Some(Overlay::Menu(_)) => Context::Menu,
            Some(Overlay::Palette(_)) => Context::Palette,
            Some(Overlay::Find(_)) => Context::Find,
            None if self.filter.is_some() => Context::Filter,
            None if self.layout_below_help().overlay => Context::Overlay,
            None => Context::View(self.view_below_help()),
        }
    }
}
