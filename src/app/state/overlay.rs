//! What lies over a view: questions, menus, palette, help.

use jiff::Timestamp;

use super::{BranchDialog, PushDialog};
use crate::app::input::Field;
use crate::app::view::Context;

/// A small list over the view.
#[derive(Debug, Clone, PartialEq)]
pub struct Menu {
    /// The heading.
    pub title: &'static str,
    /// Its entries: what is shown, and for [`MenuKind::Copy`] what is copied.
    pub entries: Vec<MenuEntry>,
    /// The entry under the cursor.
    pub cursor: usize,
    /// What choosing does.
    pub kind: MenuKind,
}

/// A row of a [`Menu`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuEntry {
    /// What it is, such as `tag`.
    pub label: String,
    /// What is behind it, such as the tag itself.
    pub value: String,
}

/// What choosing from a [`Menu`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MenuKind {
    /// Sets the view's order.
    Sort,
    /// Copies the value.
    Copy,
}

/// What lies over the view and takes all keys.
#[derive(Debug, Clone)]
pub enum Overlay {
    /// S9a.
    Push(PushDialog),
    /// S9b.
    Branch(BranchDialog),
    /// Leaving with something unfinished; what is unfinished, line by line.
    Quit(Vec<String>),
    /// Leaving the view of a push that is under way.
    Pushing {
        /// Whether it offers to stop the push; what `y` does stays the same while the dialog is open.
        stops: bool,
    },
    /// To WRITE?
    Mode,
    /// Decisions of an earlier run came back: are they still meant? With the time of the newest, if that is known.
    Resume(Option<Timestamp>),
    /// A menu.
    Menu(Menu),
    /// S13.
    Palette(Palette),
}

/// S13 while it is open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Palette {
    /// What was typed.
    pub field: Field,
    /// The entry under the cursor.
    pub cursor: usize,
}

/// S12: help for the context it was opened in.
#[derive(Debug, Clone, PartialEq)]
pub struct Help {
    /// Whose keys.
    pub of: Context,
    /// What was typed to search.
    pub field: Field,
    /// The entry under the cursor.
    pub cursor: usize,
}
