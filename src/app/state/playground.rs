//! S5: a policy that is tried on the tags that are there.

use std::sync::Arc;

use crate::app::effect::JobId;
use crate::app::input::Field;
use crate::app::keymap::{Key, KeyCode};
use crate::app::list::List;
use crate::app::moment::Moment;
use crate::domain::object::{ImagePolicy, ObjectId};
use crate::domain::trial::{RuleKind, Trial, Tried};

/// What has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The choice of the kind.
    Kind,
    /// The choice of the order; of a range, its text.
    Rule,
    /// The text of the pattern.
    Pattern,
    /// The text of the extract.
    Extract,
}

impl Part {
    const ALL: [Self; 4] = [Self::Kind, Self::Rule, Self::Pattern, Self::Extract];
}

/// S5.
#[derive(Debug, Clone)]
pub struct Playground {
    /// The policy that is tried.
    pub policy: ObjectId,
    /// The kind of rule.
    pub kind: RuleKind,
    /// Whether the smallest is selected, of numbers and texts.
    pub descending: bool,
    /// The range of versions.
    pub range: Field,
    /// The pattern.
    pub pattern: Field,
    /// The extract.
    pub extract: Field,
    /// What has the keys.
    pub part: Part,
    /// Whether only tags are shown that the trial may select.
    pub matching_only: bool,
    /// When what was typed is tried.
    pub due: Option<Moment>,
    /// The question under way, what it changes in the policy's file.
    pub asked: Option<JobId>,
    /// The trial under way.
    pub job: Option<JobId>,
    /// What the newest trial brought; an older one stays until then, and where a rule or a pattern is refused.
    pub tried: Option<Arc<Tried>>,
    /// The newest trial, if its rule or its pattern was refused.
    pub refused: Option<Arc<Tried>>,
    /// Rows: indices into the tags of [`Self::tried`].
    pub list: List<u32>,
}

impl Playground {
    /// Begins with the policy as it is.
    pub fn of(policy: &ImagePolicy) -> Self {
        let Trial { kind, range, descending, pattern, extract } = Trial::of(policy);
        Self {
            policy: policy.meta.id.clone(),
            kind,
            descending,
            range: Field::new(range),
            pattern: Field::new(pattern),
            extract: Field::new(extract),
            // What people come to change: of versions the range, else what is filtered.
            part: if kind == RuleKind::Semver { Part::Rule } else { Part::Pattern },
            matching_only: false,
            due: None,
            asked: None,
            job: None,
            tried: None,
            refused: None,
            list: List::default(),
        }
    }

    /// What is to be tried.
    pub fn trial(&self) -> Trial {
        Trial {
            kind: self.kind,
            range: self.range.text().to_owned(),
            descending: self.descending,
            pattern: self.pattern.text().to_owned(),
            extract: self.extract.text().to_owned(),
        }
    }

    /// Whether what is shown came of what stands in the fields.
    pub fn is_fresh(&self) -> bool {
        self.tried.as_ref().is_some_and(|tried| tried.trial == self.trial())
    }

    /// Takes in a trial. One that Flux would refuse does not take the place of a result.
    pub fn take(&mut self, tried: Arc<Tried>) {
        let is_refused = tried.refusal().is_some();
        self.refused = is_refused.then(|| Arc::clone(&tried));
        if is_refused && self.tried.as_ref().is_some_and(|last| last.refusal().is_none()) {
            return;
        }
        self.tried = Some(tried);
        self.refresh();
        // The tags whose verdict changes are what one looks for.
        self.list.go_to_index(0);
    }

    /// The newest trial, if what was refused of it still stands in its field.
    pub fn refused(&self) -> Option<&Tried> {
        let tried = self.refused.as_deref()?;
        let (now, then) = (self.trial(), &tried.trial);
        let stands = match tried.refused {
            Some(_) => now.pattern == then.pattern,
            None => (now.kind, &now.range) == (then.kind, &then.range),
        };
        stands.then_some(tried)
    }

    /// To the next part.
    pub fn next_part(&mut self) {
        let at = Part::ALL.iter().position(|part| *part == self.part).unwrap_or(0);
        self.part = Part::ALL.get(at + 1).copied().unwrap_or(Part::Kind);
    }

    /// The text that has the keys, if a text has them.
    pub fn field(&mut self) -> Option<&mut Field> {
        match self.part {
            Part::Rule if self.kind == RuleKind::Semver => Some(&mut self.range),
            Part::Pattern => Some(&mut self.pattern),
            Part::Extract => Some(&mut self.extract),
            Part::Kind | Part::Rule => None,
        }
    }

    /// Does what `key` means for the part that has the keys. Says whether it means anything.
    pub fn key(&mut self, key: Key) -> bool {
        if let Some(field) = self.field() {
            return field.key(key);
        }
        let by = match (key.code, key.typed()) {
            (KeyCode::Right, _) | (_, Some(' ' | 'l')) => 1,
            (KeyCode::Left, _) | (_, Some('h')) => RuleKind::ALL.len() - 1,
            _ => return false,
        };
        match self.part {
            Part::Kind => {
                let at = RuleKind::ALL.iter().position(|kind| *kind == self.kind).unwrap_or(0);
                self.kind = RuleKind::ALL.get((at + by) % RuleKind::ALL.len()).copied().unwrap_or_default();
            }
            _ => self.descending = !self.descending,
        }
        true
    }

    /// Types `text`, where a text has the keys.
    pub fn insert(&mut self, text: &str) {
        if let Some(field) = self.field() {
            field.insert(text);
        }
    }

    /// Makes the rows anew.
    pub fn refresh(&mut self) {
        let Some(tried) = &self.tried else { return };
        let states = &tried.evaluation.states;
        let is_candidate =
            |index: &u32| states.get(*index as usize).is_some_and(|state| state.is_candidate());
        let rows = tried.order.iter().copied().filter(|index| !self.matching_only || is_candidate(index));
        self.list.set_rows(rows.collect());
    }
}
