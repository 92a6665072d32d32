//! Which view is in front, and the way there.

use super::State;
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
