//! What lies over a view: questions, menus, palette, help.

use std::sync::Arc;

use jiff::Timestamp;

use super::{BranchDialog, MergeDialog, PushDialog, TargetDialog};
use crate::app::effect::JobId;
use crate::app::find::{Haystack, Hits};
use crate::app::input::Field;
use crate::app::view::Context;
use crate::domain::hold::{self, Until};
use crate::domain::keep::{Means, RollBack};
use crate::domain::object::{Kind, ObjectId};
use crate::domain::order::Order;
use crate::domain::proposal::Hold;
use crate::domain::reference::is_valid_tag;
use crate::domain::trial::TrialEdit;
use crate::problem::Problem;

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
    /// Draws with the theme from now on; while the menu is open, the one under the cursor is drawn with.
    Theme,
}

/// What lies over the view and takes all keys.
#[derive(Debug, Clone)]
pub enum Overlay {
    /// S9a.
    Push(PushDialog),
    /// S9b.
    Branch(BranchDialog),
    /// A merge.
    Merge(MergeDialog),
    /// The target menu.
    Target(TargetDialog),
    /// Leaving with something unfinished; what is unfinished, line by line.
    Quit(Vec<String>),
    /// Leaving the view of a push that is under way.
    Pushing {
        /// Whether it offers to stop the push; what `y` does stays the same while the dialog is open.
        stops: bool,
    },
    /// To WRITE?
    Mode,
    /// An order to the controllers: is it meant?
    Order(OrderDialog),
    /// Decisions of an earlier run came back: are they still meant? With the time of the newest, if that is known.
    Resume(Option<Timestamp>),
    /// What to hold, until when and why.
    Hold(HoldDialog),
    /// What a policy that is tried changes in its file.
    Edit(EditDialog),
    /// A menu.
    Menu(Menu),
    /// S13.
    Palette(Palette),
    /// S14.
    Find(Find),
}

impl Overlay {
    /// What `y` and `n` do in a short question, in the words of the question and of the footer.
    pub fn answers(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Quit(_) => Some(("leave", "stay")),
            Self::Pushing { stops: true } => Some(("stop it", "wait here")),
            Self::Pushing { stops: false } => Some(("leave it running", "wait here")),
            Self::Mode => Some(("switch to WRITE", "stay")),
            Self::Order(dialog) => Some((dialog.order.verb(), "cancel")),
            _ => None,
        }
    }
}

/// An order to the controllers that waits for a yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderDialog {
    /// The order.
    pub order: Order,
    /// The objects' kind.
    pub kind: Kind,
    /// The objects.
    pub objects: Vec<ObjectId>,
    /// Those that were chosen and may not be changed, each with the reason: they are left out.
    pub denied: Vec<(ObjectId, String)>,
}

/// What a policy that is tried changes in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditDialog {
    /// The policy.
    pub policy: ObjectId,
    /// The edit.
    pub edit: TrialEdit,
    /// Lines scrolled.
    pub scroll: usize,
}

impl EditDialog {
    /// The name of the patch.
    pub fn patch_name(&self) -> String {
        format!("{}-{}.patch", self.policy.namespace, self.policy.name)
    }
}

/// `H`: what is held, until when and why.
#[derive(Debug, Clone, PartialEq)]
pub struct HoldDialog {
    /// The policy.
    pub policy: ObjectId,
    /// What is typed: why, until when, which tag; and for `:rollback` the tag to go back to.
    pub fields: Vec<Field>,
    /// The field that takes text.
    pub field: usize,
    /// Whether an automation that is not suspended goes on all the same.
    pub is_active: bool,
    /// How the older tag is kept; only `:rollback` asks.
    pub keep: Keep,
}

/// How `:rollback` keeps the older tag, as far as it is known what that takes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Keep {
    /// The means that is chosen.
    pub means: Means,
    /// The question under way, and the tag that it or the answer is about.
    pub asked: Option<(JobId, String)>,
    /// What going back to that tag takes.
    pub answer: Option<Result<Box<RollBack>, Problem>>,
}

impl Keep {
    /// What is known of going back to `tag`.
    ///
    /// # Errors
    /// It is not known yet, or cannot be done; in words.
    pub fn known(&self, tag: &str) -> Result<&RollBack, String> {
        let answer =
            self.answer.as_ref().filter(|_| self.asked.as_ref().is_some_and(|(_, asked)| asked == tag));
        match answer {
            Some(Ok(found)) => Ok(found),
            Some(Err(problem)) => Err(problem.message.clone()),
            None => Err(format!("what going back to {tag} takes is still being looked up")),
        }
    }
}

impl HoldDialog {
    /// The field of the reason.
    pub const WHY: usize = 0;
    /// The field of the end.
    pub const UNTIL: usize = 1;
    /// The field of the tag; empty: whatever the policy selects.
    pub const TAG: usize = 2;
    /// The field of the tag to go back to; only `:rollback` has it.
    pub const BACK: usize = 3;

    /// Whether it goes back to a tag, and holds what is newer.
    pub fn is_rollback(&self) -> bool {
        self.fields.len() > Self::BACK
    }

    /// What was typed into a field, without blanks around it.
    pub fn text(&self, field: usize) -> &str {
        self.fields.get(field).map_or("", |field| field.text().trim())
    }

    /// The hold that was typed.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn hold(&self, now: Timestamp, by: &str) -> Result<Hold, String> {
        if let Some(defect) = hold::reason_defect(self.text(Self::WHY)) {
            return Err(defect.to_owned());
        }
        let until = self.text(Self::UNTIL).parse::<Until>().and_then(|until| until.time(now));
        let tag = Some(self.text(Self::TAG)).filter(|tag| !tag.is_empty());
        if let Some(tag) = tag.filter(|tag| !is_valid_tag(tag)) {
            return Err(format!("{tag:?} is no tag that anything could have"));
        }
        Ok(Hold {
            policy: self.policy.clone(),
            tag: tag.map(str::to_owned),
            until: until.map_err(|error| error.to_string())?,
            reason: self.text(Self::WHY).to_owned(),
            by: by.to_owned(),
            since: now,
        })
    }
}

/// S13 while it is open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Palette {
    /// What was typed, or recalled.
    pub field: Field,
    /// The entry under the cursor.
    pub cursor: usize,
    /// Which of the commands that were run before stands in the field; the newest is 0.
    pub recalled: Option<usize>,
    /// What was typed before one was recalled.
    pub typed: Field,
}

impl Palette {
    /// Puts an earlier or a later one of `commands` into the field: `by` below 0 from the first entry up, and back down to
    /// what was typed. Says whether that is what the arrow means here.
    pub fn recall(&mut self, commands: &[String], by: isize) -> bool {
        let place = match (self.recalled, by < 0) {
            (Some(at), true) => Some(at.saturating_add(1).min(commands.len().saturating_sub(1))),
            (Some(at), false) => at.checked_sub(1),
            (None, true) if self.cursor == 0 && !commands.is_empty() => Some(0),
            (None, _) => return false,
        };
        if self.recalled.is_none() {
            self.typed = std::mem::take(&mut self.field);
        }
        let command = place.and_then(|at| commands.get(at));
        self.field = command.map_or_else(|| std::mem::take(&mut self.typed), Field::new);
        (self.recalled, self.cursor) = (place, 0);
        true
    }
}

/// S14 while it is open.
#[derive(Debug, Clone)]
pub struct Find {
    /// What was typed.
    pub field: Field,
    /// The entry under the cursor.
    pub cursor: usize,
    /// All that can be found.
    pub haystack: Arc<Haystack>,
    /// What was found so far of what was typed last, or of what was typed before, until the first answer.
    pub hits: Hits,
    /// The search under way.
    pub job: Option<JobId>,
    /// Whether Enter was pressed before everything was looked at: the best that will be found is gone to.
    pub goes: bool,
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
