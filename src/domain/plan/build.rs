//! Approved proposals into a plan.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::ground::{FileEdit, Ground, MarkedFile, Reader, Selection};
use super::making::{Edited, Making};
use super::{Plan, Warning};
use crate::domain::commit::message_defect;
use crate::domain::edit::Check;
use crate::domain::manifest;
use crate::domain::object::{ObjectId, Person};
use crate::domain::proposal::{Decision, ObjectIdentity, Proposal, Site};
use crate::domain::setrun;
use crate::domain::template::{self, Change, MessageData, ObjectChanges};
use crate::problem::{Code, Problem};
use crate::text;

/// What a plan is made with beside the proposals.
#[derive(Debug, Clone)]
pub struct BuildOptions<'a> {
    /// The time of the plan and of its commits; whole seconds, as Git keeps them.
    pub now: Timestamp,
    /// `USER@HOST`.
    pub who: String,
    /// Messages that a person wrote, by automation.
    pub messages: &'a BTreeMap<ObjectId, String>,
    /// The author instead of the automation's.
    pub author: Option<Person>,
    /// Whether each policy gets a commit of its own, instead of each automation.
    pub split: bool,
    /// What holds edits of objects to their fields.
    pub check: Check,
}

impl Plan {
    /// Builds the plan of everything that is approved in `proposals`.
    ///
    /// Returns the plan, whose `problems` name each automation that had to be left out (a template that fails, a file
    /// that cannot be edited safely), and the new content of every file, by group and path.
    pub fn build(
        proposals: Vec<Proposal>,
        grounds: &[Ground],
        selections: &BTreeMap<ObjectId, Selection>,
        options: &BuildOptions<'_>,
    ) -> (Self, Vec<BTreeMap<String, FileEdit>>) {
        Self::built(proposals, grounds, selections, (options, None))
    }

    /// As [`Self::build`], with texts that are read as they are needed and not kept, so that no group has any content: those of
    /// all files may be more than there is room for.
    pub fn build_reading(
        proposals: Vec<Proposal>,
        grounds: &[Ground],
        selections: &BTreeMap<ObjectId, Selection>,
        (options, reader): (&BuildOptions<'_>, Reader<'_>),
    ) -> (Self, Vec<BTreeMap<String, FileEdit>>) {
        Self::built(proposals, grounds, selections, (options, Some(reader)))
    }

    fn built(
        mut proposals: Vec<Proposal>,
        grounds: &[Ground],
        selections: &BTreeMap<ObjectId, Selection>,
        (options, reader): (&BuildOptions<'_>, Option<Reader<'_>>),
    ) -> (Self, Vec<BTreeMap<String, FileEdit>>) {
        let mut plan = Self {
            id: String::new(),
            created: options.now,
            created_by: options.who.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            problems: Vec::new(),
            bytes_changed_outside_markers: 0,
            groups: Vec::new(),
        };
        let mut all: Vec<(&Ground, Vec<Proposal>)> = Vec::new();
        for ground in grounds {
            let updates: Vec<Proposal> =
                proposals.extract_if(.., |update| update.automation == ground.automation).collect();
            all.extend(commits(updates, options.split).into_iter().map(|updates| (ground, updates)));
        }
        let (mut edited, mut contents) = (Edited::of(&all), Vec::new());
        for (ground, updates) in all {
            let group = Making { ground, selections, options, reader };
            match group.build(updates, &mut edited) {
                // What groups before it write to the same branch is no commit once more.
                Ok((group, _)) if group.files.is_empty() => {}
                Ok((group, files)) => {
                    plan.bytes_changed_outside_markers += files.outside;
                    plan.groups.push(group);
                    contents.push(files.contents);
                }
                Err(problem) => plan.problems.push(problem),
            }
        }
        plan.id = plan.computed_id();
        (plan, contents)
    }

    /// Adds the groups of a plan for other branches, made at the same time; `contents` go along with the groups.
    pub fn join(
        &mut self,
        contents: &mut Vec<BTreeMap<String, FileEdit>>,
        (other, others): (Self, Vec<BTreeMap<String, FileEdit>>),
    ) {
        let groups = std::mem::take(&mut self.groups).into_iter().chain(other.groups);
        let mut all: Vec<_> = groups.zip(std::mem::take(contents).into_iter().chain(others)).collect();
        all.sort_by(|(a, _), (b, _)| a.automation.cmp(&b.automation));
        (self.groups, *contents) = all.into_iter().unzip();
        let new = other.problems.into_iter().filter(|problem| !self.problems.contains(problem));
        let new: Vec<Problem> = new.collect();
        self.problems.extend(new);
        self.bytes_changed_outside_markers += other.bytes_changed_outside_markers;
        self.id = self.computed_id();
    }
}

/// The updates of an automation by commit; one in which nothing is approved is none.
fn commits(updates: Vec<Proposal>, split: bool) -> Vec<Vec<Proposal>> {
    let parts = if split { updates.into_iter().map(|update| vec![update]).collect() } else { vec![updates] };
    let has_approved = |part: &Vec<Proposal>| part.iter().any(Proposal::is_approved);
    parts.into_iter().filter(has_approved).collect()
}

pub(super) fn update_warnings(updates: &[Proposal]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for update in updates.iter().filter(|update| update.is_approved()) {
        let policy = &update.policy;
        if update.downgrade {
            warnings.push(Warning::new("downgrade", format!("{policy} goes back to an older tag")));
        }
        if update.name_changed {
            warnings.push(Warning::new("name_changed", format!("{policy} changes the image's name")));
        }
    }
    warnings
}

/// Why the template of an automation makes no message of all that could be approved now; `None`: it does, or nothing can.
pub fn template_problem(
    ground: &Ground,
    proposals: &[Proposal],
    selections: &BTreeMap<ObjectId, Selection>,
) -> Option<Problem> {
    let own = proposals.iter().filter(|update| update.automation == ground.automation);
    let mut updates: Vec<Proposal> = own.cloned().collect();
    for update in &mut updates {
        update.decide(Decision::Approved);
    }
    if updates.iter().all(|update| update.approved().next().is_none()) {
        return None;
    }
    let messages = BTreeMap::new();
    let options = BuildOptions {
        now: Timestamp::UNIX_EPOCH,
        who: String::new(),
        messages: &messages,
        author: None,
        split: false,
        check: |_, _, _| false,
    };
    message(ground, &updates, selections, &options).err()
}

/// The commit message, whether a person wrote it, and what the template deserves to be said of it.
pub(super) fn message(
    ground: &Ground,
    updates: &[Proposal],
    selections: &BTreeMap<ObjectId, Selection>,
    options: &BuildOptions<'_>,
) -> Result<(String, bool, Vec<Warning>), Problem> {
    let subject = ground.automation.to_string();
    if let Some(message) = options.messages.get(&ground.automation) {
        let (message, edited, warnings) = without_controls(message);
        return match message_defect(&message) {
            Some(defect) => Err(Problem::new(Code::Usage, subject, defect)
                .hint("Write one, or leave it to the automation's template.")),
            None => Ok((message, edited, warnings)),
        };
    }
    let data = message_data(ground, updates, selections);
    let rendered = template::render(&ground.template, &data);
    let warnings =
        rendered.warnings.iter().map(|warning| Warning::new(warning.code, &warning.message)).collect();
    let defect = rendered.message.as_deref().and_then(message_defect);
    match (rendered.message, defect) {
        // A template with a removed field fails in the controller and is rendered here, with a warning.
        (Some(message), None) => Ok((with_edits(message, updates), false, warnings)),
        (_, defect) => Err(Problem::new(
            Code::TemplateFailed,
            subject,
            defect
                .map(|defect| format!("the message template gives none: {defect}"))
                .or(rendered.error)
                .unwrap_or_else(|| "the message template cannot be rendered".to_owned()),
        )
        .hint("Mend spec.git.commit.messageTemplate, or give the message yourself.")),
    }
}

/// A message with what it does not tell: edits of objects, those of each update under why they are made.
pub fn with_edits(message: String, updates: &[Proposal]) -> String {
    let mut told = String::new();
    for update in updates.iter().filter(|update| !update.approved_edits().is_empty()) {
        let why = update.why.replace(char::is_control, " ");
        let edits = update.edits.iter().map(|edit| format!("- {} ({})", edit.words(), edit.file));
        let first = format!("Also changed for {}, {why}:", update.policy);
        let lines: Vec<String> = std::iter::once(first).chain(edits).collect();
        told = format!("{told}\n\n{}", lines.join("\n"));
    }
    if told.is_empty() { message } else { format!("{}{told}\n", message.trim_end()) }
}

/// A message as a person gave it, without control characters: in a log they would act on the terminal of whoever reads it.
fn without_controls(message: &str) -> (String, bool, Vec<Warning>) {
    let is_text = |c: &char| text::may_be_typed(*c) || matches!(c, '\n' | '\t');
    let clean: String = message.chars().filter(is_text).collect();
    let removed = message.chars().count() - clean.chars().count();
    let told = format!("{} removed from the message", text::count(removed, "control character"));
    let warning = (removed > 0).then(|| Warning::new("message_cleaned", told));
    (clean, true, warning.into_iter().collect())
}

/// The data of the message template: the approved sites, files relative to `update.path` as Flux has them.
pub fn message_data(
    ground: &Ground,
    updates: &[Proposal],
    selections: &BTreeMap<ObjectId, Selection>,
) -> MessageData {
    let mut data = MessageData {
        automation: ground.automation.clone(),
        values: ground.template_values.clone(),
        file_changes: BTreeMap::new(),
        references: BTreeMap::new(),
    };
    let mut sites: Vec<&Site> = updates.iter().flat_map(Proposal::approved).collect();
    sites.sort_by_key(|site| (&site.file, site.line, site.column));
    let files: HashMap<&str, _> = ground.files.iter().map(|file| (file.path.as_str(), file)).collect();
    for sites in sites.chunk_by(|a, b| a.file == b.file) {
        let Some(first) = sites.first() else { continue };
        let changes = data.file_changes.entry(setrun::relative(&first.file, &ground.path)).or_default();
        for (site, object) in sites.iter().zip(named(files.get(first.file.as_str()).copied(), sites)) {
            let (old_value, new_value) = (site.old.clone(), site.new.clone());
            let change = Change { old_value, new_value, setter: site.setter.clone() };
            match changes.iter_mut().find(|known: &&mut ObjectChanges| known.object == object) {
                Some(known) => known.changes.push(change),
                None => changes.push(ObjectChanges { object, changes: vec![change] }),
            }
        }
    }
    for update in updates {
        if let Some(Ok(reference)) = selections.get(&update.policy).map(|selection| &selection.outcome) {
            data.references.insert(update.policy.clone(), reference.clone());
        }
    }
    data
}

/// The objects of `sites`, which are of one `file` and in its order, as Flux calls them when it has made the change.
fn named(file: Option<&MarkedFile>, sites: &[&Site]) -> Vec<ObjectIdentity> {
    let scalar = |site: &Site| {
        let mut known = file?.sites.iter();
        known.find(|scalar| (scalar.line, scalar.column) == (site.line, site.column))
    };
    let edits: Option<Vec<_>> =
        sites.iter().map(|site| scalar(site).map(|scalar| (scalar, site.new.as_str()))).collect();
    match edits {
        Some(edits) => manifest::objects(&edits),
        None => sites.iter().map(|site| site.object.clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_lines_and_no_control_characters() {
        let (message, edited, warnings) = without_controls("one\r\n\ttwo \u{1b}[31mred\u{9b}");
        assert_eq!((message.as_str(), edited), ("one\n\ttwo [31mred", true));
        assert_eq!(warnings[0].message, "3 control characters removed from the message");
        assert_eq!(without_controls("one\n").2, []);
    }

    #[test]
    fn no_commit_is_made_without_a_message_whoever_wrote_it() {
        let automation = ObjectId::new("shop", "apps");
        let ground = |template: &str| Ground {
            automation: automation.clone(),
            policies: Vec::new(),
            path: String::new(),
            remote: None,
            base: None,
            push: None,
            author: Person::default(),
            committing: crate::domain::plan::Committing::default(),
            template: template.to_owned(),
            template_values: None,
            warnings: Vec::new(),
            files: std::sync::Arc::default(),
            problem_files: Vec::new(),
            texts: BTreeMap::new(),
        };
        let made = |template: &str, written: Option<&str>| {
            let messages = written.map(|text| (automation.clone(), text.to_owned())).into_iter().collect();
            let options = BuildOptions {
                now: Timestamp::UNIX_EPOCH,
                who: String::new(),
                messages: &messages,
                author: None,
                split: false,
                check: |_, _, _| false,
            };
            message(&ground(template), &[], &BTreeMap::new(), &options).map_err(|problem| problem.code)
        };
        assert_eq!(made("Update", Some(" \n\u{1b}\n")), Err(Code::Usage));
        assert_eq!(made("{{ if false }}x{{ end }} ", None), Err(Code::TemplateFailed));
        assert_eq!(made("Update", None), Ok(("Update".to_owned(), false, vec![])));
        let removed = made("Update{{ range .Updated.Images }} {{ . }}{{ end }}", None).unwrap();
        assert_eq!(
            (removed.0.as_str(), removed.2.len()),
            ("Update", 1),
            "what the controller refuses is rendered"
        );
    }
}
