//! Approved proposals into a plan.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::ground::{FileEdit, Ground, MarkedFile, Selection};
use super::stale::{Changes, Stale};
use super::{Group, Plan, PlannedFile, Warning, sha256_hex};
use crate::domain::commit::message_defect;
use crate::domain::edit::Check;
use crate::domain::manifest::{self, Manifest, MarkedScalar};
use crate::domain::marker::parse_setter;
use crate::domain::object::{ObjectId, Person};
use crate::domain::parallel::on_all_cores;
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

/// Files as the groups before leave them: remote, branch and path → the last edit.
#[derive(Debug, Default)]
pub struct Edited {
    files: BTreeMap<(String, String, String), FileEdit>,
}

impl Edited {
    fn key(ground: &Ground, path: &str) -> (String, String, String) {
        let branch = ground.push.as_ref().map(|push| push.branch.clone());
        (ground.remote.clone().unwrap_or_default(), branch.unwrap_or_default(), path.to_owned())
    }
}

impl Plan {
    /// Builds the plan of everything that is approved in `proposals`.
    ///
    /// Returns the plan, whose `problems` name each automation that had to be left out (a template that fails, a file
    /// that cannot be edited safely), and the new content of every file, by group and path.
    pub fn build(
        mut proposals: Vec<Proposal>,
        grounds: &[Ground],
        selections: &BTreeMap<ObjectId, Selection>,
        options: &BuildOptions<'_>,
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
        let (mut edited, mut contents) = (Edited::default(), Vec::new());
        for ground in grounds {
            let updates: Vec<Proposal> =
                proposals.extract_if(.., |update| update.automation == ground.automation).collect();
            for updates in commits(updates, options.split) {
                match build_group(ground, updates, selections, options, &mut edited) {
                    // What groups before it write to the same branch is no commit once more.
                    Ok(built) if built.group.files.is_empty() => {}
                    Ok(built) => {
                        plan.bytes_changed_outside_markers += built.outside;
                        plan.groups.push(built.group);
                        contents.push(built.contents);
                    }
                    Err(problem) => plan.problems.push(problem),
                }
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

struct Built {
    group: Group,
    contents: BTreeMap<String, FileEdit>,
    outside: u64,
}

fn build_group(
    ground: &Ground,
    updates: Vec<Proposal>,
    selections: &BTreeMap<ObjectId, Selection>,
    options: &BuildOptions<'_>,
    edited: &mut Edited,
) -> Result<Built, Problem> {
    let contents = edit_files(ground, &updates, edited, options.check)?;
    let changes = Changes::of(&updates);
    let (message, message_edited, mut warnings) = message(ground, &updates, selections, options)?;
    warnings.splice(0..0, ground.warnings.iter().cloned());
    warnings.extend(update_warnings(&updates));
    let in_scope: HashSet<&ObjectId> = ground.policies.iter().collect();
    let planned = |(path, edit): &(&String, &FileEdit)| {
        let (before, after) = (&edit.before, edit.after());
        // What a person asked for beside the sites is not to be found among the bytes that changed besides.
        let edited = match changes.get(path.as_str()) {
            Some(changes) => changes.edited(path, before, options.check),
            None => Arc::clone(before),
        };
        let file = PlannedFile {
            path: (*path).clone(),
            sha256_before: sha256_hex(before.as_bytes()),
            sha256_after: sha256_hex(after.as_bytes()),
            controller_reformats: controller_reformats(&in_scope, (&edited, &after), selections),
        };
        (file, bytes_outside_markers(&edited, &after))
    };
    let files = on_all_cores(&contents.iter().collect::<Vec<_>>(), planned);
    let (files, outside): (_, Vec<u64>) = files.into_iter().unzip();
    let group = Group {
        automation: ground.automation.clone(),
        remote: ground.remote.clone(),
        base: ground.base.clone(),
        push: ground.push.clone(),
        author: options.author.as_ref().unwrap_or(&ground.author).written(),
        signing_key: ground.committing.key.clone(),
        message,
        message_edited,
        warnings,
        files,
        updates,
    };
    Ok(Built { group, contents, outside: outside.iter().sum() })
}

/// The new content of every file with an approved site or edit.
fn edit_files(
    ground: &Ground,
    updates: &[Proposal],
    edited: &mut Edited,
    check: Check,
) -> Result<BTreeMap<String, FileEdit>, Problem> {
    let files: HashMap<&str, _> = ground.files.iter().map(|file| (file.path.as_str(), file)).collect();
    let mut contents = BTreeMap::new();
    let edit = |(path, changes): &(&str, Changes<'_>)| {
        let file = files.get(path);
        let known = file.and_then(|file| ground.text_of(file));
        let Some(text) = known.or_else(|| ground.texts.get(*path)) else {
            let is_meant = changes.has_edits() || file.is_some();
            return is_meant.then(|| Err(Stale::FileChanged { path: (*path).to_owned() }.into()));
        };
        let key = Edited::key(ground, path);
        let before = match edited.files.get(&key) {
            Some(edit) => edit.after().into(),
            None => Arc::clone(text),
        };
        let known = file.filter(|_| before == *text).map(|file| file.sites.as_slice());
        let edit = changes.apply(path, before, known, check).map_err(Problem::from);
        Some(edit.map(|edit| (key, edit)))
    };
    let mut changes: Vec<_> = Changes::of(updates).into_iter().collect();
    changes.sort_by_key(|(path, _)| *path);
    for edit in on_all_cores(&changes, edit).into_iter().flatten() {
        let (key, edit) = edit?;
        if !edit.is_empty() {
            contents.insert(key.2.clone(), edit.clone());
            edited.files.insert(key, edit);
        }
    }
    Ok(contents)
}

/// Whether Flux would change other bytes of the file than differ between these two contents.
fn controller_reformats(
    in_scope: &HashSet<&ObjectId>,
    (before, after): (&str, &str),
    selections: &BTreeMap<ObjectId, Selection>,
) -> Option<bool> {
    let is_setter = |setter: &str| {
        let Ok((policy, _)) = parse_setter(setter) else { return false };
        let selection = selections.get(&policy).filter(|_| in_scope.contains(&policy));
        selection.is_some_and(|selection| selection.outcome.is_ok())
    };
    manifest::reformats(&Manifest::parse(before).ok()?, after, &is_setter)
}

fn update_warnings(updates: &[Proposal]) -> Vec<Warning> {
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
fn message(
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
    let is_text = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
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

/// How many bytes differ between two contents once every marked scalar is cut out of both.
///
/// Counted anew from the two texts, so that it is a check on the rewriter and not its own word.
fn bytes_outside_markers(before: &str, after: &str) -> u64 {
    let (Ok(old), Ok(new)) = (manifest::find(before), manifest::find(after)) else {
        return after.len() as u64;
    };
    let (before, after) = (without(before, &old), without(after, &new));
    let common = before.iter().zip(&after).filter(|(a, b)| a == b).count();
    (before.len().max(after.len()) - common) as u64
}

fn without(text: &str, sites: &[MarkedScalar]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    let mut at = 0;
    for site in sites {
        kept.extend_from_slice(text.as_bytes().get(at..site.span.start).unwrap_or_default());
        at = site.span.end.max(at);
    }
    kept.extend_from_slice(text.as_bytes().get(at..).unwrap_or_default());
    kept
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
            files: Arc::default(),
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
