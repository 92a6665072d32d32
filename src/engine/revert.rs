//! A plan that takes back what an earlier commit did to marked scalars and to fields of objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Engine, World, blocking, short};
use crate::config::Refresh;
use crate::domain::branch::Onto;
use crate::domain::edit::ObjectEdit;
use crate::domain::manifest;
use crate::domain::object::{ImageUpdateAutomation, ObjectId};
use crate::domain::plan::{Changed, Ground, Plan, Selection, revert, revert_edits};
use crate::domain::proposal::{Proposal, Site};
use crate::git::{BareCache, Changes, Remote, redact};
use crate::problem::{Code, Problem};
use crate::source::{edit, files};
use crate::text::count;

/// Files that a sentence names.
const NAMED: usize = 3;

/// A plan, and what it leaves as it is.
#[derive(Debug, Clone)]
pub struct Reverted {
    /// Everything in it is approved.
    pub plan: Plan,
    /// Why a scalar that the commit changed is not set back, one for each; and what else went wrong.
    pub left: Vec<Problem>,
}

/// What a commit did.
struct Done {
    /// Its whole id.
    commit: String,
    /// The first line of its message.
    subject: String,
    /// The commit behind which the first one is that is taken back, where it is not this one alone.
    after: Option<String>,
    /// The marked scalars that it changed.
    changed: Vec<Changed>,
    /// What takes its edits of objects back.
    edits: Vec<ObjectEdit>,
    /// What it changed besides, which stays.
    besides: Option<Problem>,
    /// Of a merge, the commit that the branch was at: what came with the other branch is taken back.
    merged_into: Option<String>,
}

impl Done {
    /// The text of the commit that takes it back, all of it or `in_part`.
    ///
    /// Source: git/git:sequencer.c, "This reverts commit".
    fn message(&self, in_part: bool) -> String {
        let Self { commit, subject, after, merged_into, .. } = self;
        let in_part = if in_part { " in part" } else { "" };
        if let Some(after) = after {
            return format!(
                "Revert \"{subject}\" and what led to it\n\nThis reverts commits {after}..{commit}{in_part}.\n"
            );
        }
        let merge = merged_into.as_ref().map(|into| format!(", reversing\nchanges made to {into}"));
        format!(
            "Revert \"{subject}\"\n\nThis reverts commit {commit}{in_part}{}.\n",
            merge.unwrap_or_default()
        )
    }
}

impl Engine {
    /// The plan that gives the marked scalars their old values that the commit beginning with `commit` changed, or with
    /// `A..B` those behind A up to B together, on the branches that the automations of `remote` (an address without
    /// credentials) push to; where such a branch lacks the commit, on the one that was read.
    ///
    /// # Errors
    /// There is no such commit, it is the first of its history, or the remote cannot be asked.
    pub async fn revert(
        &self,
        world: &Arc<World>,
        (remote, commit): (&str, &str),
        refresh: Refresh,
    ) -> Result<Reverted, Problem> {
        let is_id =
            |id: &str| id.len() >= BareCache::MIN_DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !commit.splitn(2, "..").all(is_id) {
            let message = "a commit's id has hexadecimal digits, of which four or more have to be given";
            return Err(Problem::new(Code::Usage, commit, message));
        }
        let (engine, world) = (self.clone(), Arc::clone(world));
        let (remote, commit) = (remote.to_owned(), commit.to_ascii_lowercase());
        blocking(move || {
            engine.one_git_host(std::iter::once(remote.clone()))?;
            // What was given for one host is shown to no other: only this remote is asked.
            let is_here = |automation: &&ImageUpdateAutomation| {
                let place = engine.settle(&world, automation).ok().flatten();
                place.is_some_and(|place| redact(&place.url) == remote)
            };
            let address = engine.remote_at(&world, world.automations.iter(), &remote)?;
            let find = |refresh| {
                let here = world.automations.iter().filter(is_here);
                let (grounds, mut left) = engine.grounds_of(&world, here, (refresh, &Onto::Push));
                let found = engine.changes(&address, &grounds, &commit, &mut left)?;
                Ok::<_, Problem>((grounds, left, found))
            };
            let (mut grounds, mut left, found) = match find(refresh) {
                // What was pushed a moment ago is not on the branches as they were last seen, and servers do not send what was.
                Err(Problem { code: Code::GitNotFound | Code::BadAnswer, .. })
                    if refresh == Refresh::Auto =>
                {
                    find(Refresh::Always)
                }
                found => found,
            }?;
            engine.turn_to_holders(&world, &mut grounds, (&address, &found.commit), &mut left)?;
            for ground in &mut grounds {
                let paths = found
                    .edits
                    .iter()
                    .map(|edit| edit.file.as_str())
                    .filter(|path| ground.text(path).is_none());
                engine.read_more(&world, ground, &paths.collect::<Vec<_>>())?;
            }
            let selections = engine.unselected(&world);
            let why = Proposal::restoring(&short(&found.commit));
            let (mut proposals, mut not_set_back) = revert(&grounds, &found.changed, &selections, &why);
            let edits = found.edits.clone();
            not_set_back.extend(revert_edits(&grounds, &mut proposals, edits, (&why, edit::check)));
            not_set_back.extend(found.besides.clone());
            let message = found.message(!not_set_back.is_empty());
            let messages: BTreeMap<ObjectId, String> =
                grounds.iter().map(|ground| (ground.automation.clone(), message.clone())).collect();
            left.extend(engine.read_due(&world, &mut grounds, (&proposals, |_: &Site| true)));
            let options = engine.build_options(&world, &messages);
            let (mut plan, _) = Plan::build(proposals, &grounds, &selections, &options);
            // Nobody wrote it.
            plan.groups.iter_mut().for_each(|group| group.message_edited = false);
            left.extend(not_set_back);
            Ok(Reverted { plan, left })
        })
        .await
    }

    /// Replaces each ground whose push branch is there and lacks `commit`, while the branch that was read has it, by the one
    /// on the branch that was read: nothing could be set back on the other.
    fn turn_to_holders(
        &self,
        world: &World,
        grounds: &mut [Ground],
        (remote, commit): (&Remote, &str),
        problems: &mut Vec<Problem>,
    ) -> Result<(), Problem> {
        let cache = BareCache::open(&self.git_root, &remote.url).map_err(Problem::from)?;
        for ground in grounds {
            let (Some(push), Some(base)) = (&ground.push, &ground.base) else { continue };
            // Where it is not known how far they are apart, a history may end before it comes to the commit.
            let lacks =
                |tip: &String| push.behind.is_some_and(|behind| behind > 0) && !cache.is_landed(commit, tip);
            if !push.commit.as_ref().is_some_and(lacks) || !cache.is_landed(commit, &base.commit) {
                continue;
            }
            let own = world.automations.iter().filter(|automation| automation.meta.id == ground.automation);
            let (found, failed) = self.grounds_of(world, own, (Refresh::Never, &Onto::Checkout));
            problems.extend(failed);
            if let Some(found) = found.into_iter().next() {
                *ground = found;
            }
        }
        Ok(())
    }

    /// The whole id of a commit, its subject, and what it changed; of several, what they changed together.
    fn changes(
        &self,
        remote: &Remote,
        grounds: &[Ground],
        commit: &str,
        problems: &mut Vec<Problem>,
    ) -> Result<Done, Problem> {
        let cache = BareCache::open(&self.git_root, &remote.url).map_err(Problem::from)?;
        let tips = grounds.iter().flat_map(|ground| {
            let tip = ground.push.as_ref().and_then(|push| push.commit.clone());
            tip.into_iter().chain(ground.base.as_ref().map(|base| base.commit.clone()))
        });
        let tips: Vec<String> = tips.collect();
        if tips.is_empty() {
            // Where no branch could be looked at, nobody knows what is on it.
            let unread = problems.iter().find(|problem| problem.exit() != 0).cloned();
            let message = format!("there is no commit {commit} on a branch that is read or written here");
            return Err(
                unread.unwrap_or_else(|| Problem::new(Code::GitNotFound, redact(&remote.url), message))
            );
        }
        let (after, commit) = commit.split_once("..").map_or((None, commit), |(after, it)| (Some(after), it));
        let find = |digits: &str| cache.find(remote, &tips, digits).map_err(Problem::from);
        let commit = find(commit)?;
        let after = after.map(find).transpose()?;
        let message = cache.authorship(&commit).map(|(_, _, message)| message).unwrap_or_default();
        let subject = message.lines().next().unwrap_or_default().to_owned();
        let parents = cache.parents(&commit).unwrap_or_default();
        let Some(first) = parents.first() else {
            let message =
                format!("commit {} is the first of its history: before it there was nothing", short(&commit));
            return Err(Problem::new(Code::Usage, "revert", message));
        };
        let (mut changed, mut edits) = (Vec::new(), Vec::new());
        let Changes { files: changed_files, others: mut besides } =
            cache.changes(after.as_ref().unwrap_or(first), &commit).map_err(Problem::from)?;
        for file in changed_files {
            let texts = (String::from_utf8(file.before), String::from_utf8(file.after));
            let (Ok(before), Ok(after)) = texts else {
                besides.push(file.path);
                continue;
            };
            let edits_before = edits.len();
            if files::is_candidate(&file.path) && files::is_relevant(&file.path, after.as_bytes()) {
                let made = edit::changes(&file.path, &before, &after, &self.settings.default_namespace);
                edits.extend(made.iter().map(ObjectEdit::reversed));
            }
            let mut found = Vec::new();
            if manifest::is_candidate(&file.path, after.as_bytes()) {
                let between = Changed::between(&file.path, &before, &after);
                found = between.unwrap_or_else(|error| {
                    problems.push(error.problem(&file.path));
                    Vec::new()
                });
            }
            if edits.len() == edits_before && !Changed::is_all(&found, &before, &after) {
                besides.push(file.path);
            }
            changed.extend(found);
        }
        if changed.is_empty() && edits.is_empty() && problems.is_empty() {
            let message = format!("commit {} changed no marked value", short(&commit));
            problems.push(Problem::new(Code::Skipped, "revert", message));
            besides.clear();
        }
        let besides = (!besides.is_empty()).then(|| beside_marks(&commit, &besides));
        let merged_into = Some(first).filter(|_| parents.len() > 1).cloned();
        Ok(Done { commit, subject, after, changed, edits, besides, merged_into })
    }

    /// The policies as far as no tag is needed: how they compare one with another.
    fn unselected(&self, world: &World) -> BTreeMap<ObjectId, Selection> {
        let inventory = &world.inventory;
        let of =
            |(id, policy): (&ObjectId, _)| (id.clone(), self.evaluate(inventory, policy, None).selection);
        inventory.policies.iter().map(of).collect()
    }
}

/// That a commit changed more than is taken back.
fn beside_marks(commit: &str, paths: &[String]) -> Problem {
    let named: Vec<&str> = paths.iter().take(NAMED).map(String::as_str).collect();
    let more = match paths.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let what = format!("{}{more}", named.join(", "));
    let message = format!(
        "commit {} changed more than marked values in {}, which stays: {what}",
        short(commit),
        count(paths.len(), "file")
    );
    Problem::new(Code::Skipped, "revert", message)
}
