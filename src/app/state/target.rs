//! `b`: where the commits go, in how many, and whether a request is opened for them.

use super::{PushDialog, State};
use crate::app::input::Field;
use crate::app::review::Review;
use crate::domain::branch::{self, Onto};
use crate::domain::freeze::FREEZE;
use crate::domain::plan::Ground;

/// The target menu.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetDialog {
    /// The row under the cursor.
    pub cursor: usize,
    /// The name of another branch, while it is typed.
    pub field: Option<Field>,
    /// The question that it was opened from; whatever is chosen, that is asked anew.
    pub from: Option<PushDialog>,
}

/// A row of the target menu: one way to choose the branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRow {
    /// What it is called.
    pub label: &'static str,
    /// The branches that it means, or the template of their names.
    pub branches: Vec<String>,
    /// What it means for whoever pushes there.
    pub means: String,
    /// Whether it is the one that is chosen.
    pub chosen: bool,
}

impl State {
    /// The rows of the target menu, in the order of their keys.
    pub fn target_rows(&self) -> Vec<TargetRow> {
        let review = &self.review;
        let onto = &self.destination.onto;
        let row = |label, branches: Vec<String>, means, chosen| TargetRow { label, branches, means, chosen };
        let push = branches(review, |ground| ground.push.as_ref().map(|push| push.branch.as_str()));
        let checkout = branches(review, checkout);
        let (push_means, checkout_means) = (self.means(&push), self.means(&checkout));
        let other = match onto {
            Onto::Named(name) if name != Onto::REVIEW => Some(name),
            _ => None,
        };
        let other_means = match other {
            Some(name) if branch::is_template(name) => "one for each update".to_owned(),
            Some(name) => self.means(std::slice::from_ref(name)),
            None => "{policy} and {tag}: one for each update".to_owned(),
        };
        vec![
            row("push branch", push, push_means, *onto == Onto::Push),
            row(
                "review branch",
                vec![Onto::REVIEW.to_owned()],
                self.means_of_review(),
                *onto == Onto::Named(Onto::REVIEW.to_owned()),
            ),
            row("another branch", other.cloned().into_iter().collect(), other_means, other.is_some()),
            row("checkout branch", checkout, checkout_means, *onto == Onto::Checkout),
        ]
    }

    /// Whether the name of a branch has to be typed before anything is pushed to it, as far as is known here.
    pub fn is_protected(&self, name: &str) -> bool {
        let grounds = &self.review.grounds;
        let is_frozen = grounds.iter().flat_map(|ground| &ground.warnings).any(|found| found.code == FREEZE);
        is_frozen
            || branch::is_protected(&self.protected_branches, name)
            || grounds.iter().any(|ground| checkout(ground) == Some(name))
    }

    fn means(&self, branches: &[String]) -> String {
        if branches.iter().any(|branch| self.is_protected(branch)) {
            "protected: its name is typed".to_owned()
        } else {
            "not protected".to_owned()
        }
    }

    fn means_of_review(&self) -> String {
        let example = Onto::REVIEW.replace(['{', '}'], "");
        if self.is_protected(&example) {
            "a new one, with a request; its name is typed".to_owned()
        } else {
            "a new one, with a request".to_owned()
        }
    }
}

/// The branch that is read; `None`: it is a tag or a commit.
fn checkout(ground: &Ground) -> Option<&str> {
    ground.base.as_ref()?.reference.strip_prefix("refs/heads/")
}

/// The branches of the automations with something approved, each once; of all where nothing is.
fn branches<'a>(review: &'a Review, of: impl Fn(&'a Ground) -> Option<&'a str>) -> Vec<String> {
    let approved = review.automations();
    let counts = |ground: &&Ground| approved.is_empty() || approved.contains(&ground.automation);
    let mut found: Vec<String> = Vec::new();
    for branch in review.grounds.iter().filter(counts).filter_map(of) {
        if !found.iter().any(|known| known == branch) {
            found.push(branch.to_owned());
        }
    }
    found
}
