//! Which view is in front, and the way there.

use super::State;
use crate::app::layout::{Front, Layout, Tier};
use crate::app::view::View;

impl State {
    /// The view in front; help counts as one.
    pub fn view(&self) -> View {
        if self.help.is_some() { View::Help } else { self.view_below_help() }
    }

    /// The view in front, help left aside.
    pub fn view_below_help(&self) -> View {
        self.stack.last().copied().unwrap_or(View::Updates)
    }

    /// The panes of the view in front; help counts as one.
    pub fn layout(&self) -> Layout {
        self.layout_of(self.view())
    }

    /// The panes of the view in front, help left aside: what its keys act on.
    pub fn layout_below_help(&self) -> Layout {
        self.layout_of(self.view_below_help())
    }

    fn layout_of(&self, view: View) -> Layout {
        Layout::of(Front {
            size: self.size,
            view,
            focus: self.diff.focus,
            over: self.preview.overlay,
            zoomed: self.preview.zoomed,
            share: self.shares.get(view.title()).copied().unwrap_or_default(),
            single: self.plain || self.profile.is_low(),
        })
    }

    /// Whether a whole preview stands beside or below the list; a low terminal has room for the end of one at most.
    pub fn shows_preview(&self) -> bool {
        let layout = self.layout_below_help();
        layout.preview.is_some() && !layout.overlay && layout.tier > Tier::T1
    }

    /// The views from the first to the one in front, for the crumbs.
    pub fn crumbs(&self) -> &[View] {
        &self.stack
    }

    /// Puts `view` on top, unless it is there.
    pub fn show(&mut self, view: View) {
        if self.view_below_help() != view {
            self.stack.push(view);
            self.preview = self.preview.anew();
        }
    }

    /// Puts `view` in place of everything.
    pub fn switch_to(&mut self, view: View) {
        let root = self.stack.first().copied();
        if root != Some(view) {
            self.previous = root;
        }
        self.stack = vec![view];
        self.filter = None;
        self.preview = self.preview.anew();
    }

    /// Leaves the view in front. Says whether there was another below it.
    pub fn leave_view(&mut self) -> bool {
        self.preview = self.preview.anew();
        self.stack.len() > 1 && self.stack.pop().is_some()
    }
}
