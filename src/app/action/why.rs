//! Why an action cannot run now, in words for help, palette and status line. `None`: it can.

use crate::app::layout::Tier;
use crate::app::review::{Target, UpdateId};
use crate::app::rows;
use crate::app::state::{HoldDialog, MergeDialog, Node, Overlay, State, TargetDialog, TargetRow};
use crate::app::view::View;
use crate::domain::age;
use crate::domain::branch;
use crate::domain::commit::message_defect;
use crate::domain::keep::{Means, attach};
use crate::domain::landing::Merge;
use crate::domain::object::{Kind, ObjectId};
use crate::domain::plan::Plan;
use crate::domain::proposal::{Proposal, UpdateState};
use crate::text::count;

fn unless(fine: bool, reason: impl Into<String>) -> Option<String> {
    (!fine).then(|| reason.into())
}

/// Nothing ever stands against it.
pub(super) fn always(_: &State) -> Option<String> {
    None
}

/// There has to be a row under the cursor.
pub(super) fn cursor(state: &State) -> Option<String> {
    let has_row = match state.view_below_help() {
        View::Updates => !state.updates.is_empty(),
        View::Repositories => !state.repositories.is_empty(),
        View::Tags => !state.tags.list.is_empty(),
        View::Policies => !state.policies.is_empty(),
        View::Automations => !state.automations.is_empty(),
        View::Plan => !state.plan.is_empty(),
        View::Diff => !state.diff.tree.is_empty(),
        View::Log => !state.log.list.is_empty(),
        View::Errors => !state.errors.is_empty(),
        View::Playground | View::Message | View::Push | View::Help | View::Start => true,
    };
    unless(has_row, "there is no row")
}

/// All columns have to be there to be scrolled.
pub(super) fn wide(state: &State) -> Option<String> {
    let key = super::key_of(state, "list.wide");
    unless(state.preview.wide.is_some(), format!("{key} shows all columns first"))
}

/// There has to be an update to look at.
pub(super) fn reviewed(state: &State) -> Option<String> {
    cursor(state).or_else(|| unless(rows::reviewed(state).is_some(), "nothing of it is to be updated"))
}

/// There has to be a policy. Whatever is known of its tags, its rule and pattern can be written.
pub(super) fn triable(state: &State) -> Option<String> {
    unless(rows::policy_in_front(state).is_some(), "there is no policy")
}

/// What is tried has to be something that Flux takes.
pub(super) fn tried(state: &State) -> Option<String> {
    let refused = state.playground.as_ref().is_some_and(|playground| playground.refused().is_some());
    unless(!refused, "Flux would refuse this policy: the line below its field says why")
}

/// The object under the cursor, or one of the selected ones, has to be in a cluster, and may be changed there.
pub(super) fn in_cluster(state: &State) -> Option<String> {
    let (kind, list) = match state.view_below_help() {
        View::Repositories => (Kind::ImageRepository, &state.repositories),
        View::Policies => (Kind::ImagePolicy, &state.policies),
        _ => (Kind::ImageUpdateAutomation, &state.automations),
    };
    let current = list.current().filter(|_| list.selected.is_empty());
    let objects = current.into_iter().chain(&list.selected);
    let there = objects.filter(|id| state.inventory.is_of_cluster(kind, id));
    let mut refusals = there.map(|id| state.denied.get(&(kind, id.namespace.clone())));
    let Some(first) = refusals.next() else {
        return Some("it is not in a cluster: its file says whether it is suspended".to_owned());
    };
    // One that may be changed is enough: the others are left out, and named in the question.
    first.filter(|_| refusals.all(|refusal| refusal.is_some())).cloned()
}

/// The update under the cursor, or some of the range, has to be one that can be decided, or that waits for nothing but its
/// age.
pub(super) fn approvable(state: &State) -> Option<String> {
    let is_young = |target: &Target| state.review.get(&target.update).is_some_and(age::is_young);
    refusal_of_all(state, |target| undecidable(state, target).filter(|_| !is_young(target)))
}

/// The update under the cursor, or some of the range, has to be one that can be decided.
pub(super) fn decidable(state: &State) -> Option<String> {
    refusal_of_all(state, |target| undecidable(state, target))
}

/// Why the key does nothing, if it does nothing to any of its targets.
fn refusal_of_all(state: &State, refusal: impl Fn(&Target) -> Option<String>) -> Option<String> {
    if let (View::Tags, Err(reason)) = (state.view_below_help(), rows::to_tag(state)) {
        return Some(reason);
    }
    let targets = rows::decided(state);
    let mut refusals = targets.iter().map(refusal);
    let first = refusals.next().unwrap_or_else(|| Some("there is no update".to_owned()))?;
    refusals.all(|refusal| refusal.is_some()).then_some(first)
}

/// Why a target cannot be decided.
fn undecidable(state: &State, target: &Target) -> Option<String> {
    if state.is_being_pushed(&target.update) {
        return Some("a push of it is under way".to_owned());
    }
    let update = state.review.get(&target.update)?;
    standing(update).or_else(|| {
        unless(!state.review.sites_of(target).is_empty(), "blocked: there is no value to write here")
    })
}

/// Why an update cannot be decided.
fn standing(update: &Proposal) -> Option<String> {
    match update.state {
        UpdateState::Pending => None,
        UpdateState::Blocked => Some(match &update.blocked {
            Some(problem) => format!("blocked: {}", problem.message),
            None => "blocked".to_owned(),
        }),
        UpdateState::Held => Some(match &update.hold {
            Some(hold) => format!("held by {}: {}", hold.by, hold.reason),
            None => "held".to_owned(),
        }),
    }
}

/// Some update that is shown has to be pending.
pub(super) fn any_pending(state: &State) -> Option<String> {
    if state.view_below_help() == View::Updates && state.updates.is_empty() {
        return Some("no update is shown".to_owned());
    }
    unless(state.review.tally().pending > 0, "no update is pending")
}

/// Some update has to be undecided.
pub(super) fn undecided(state: &State) -> Option<String> {
    unless(state.review.tally().undecided > 0, "nothing is undecided")
}

/// There is no mouse on a bad line: each movement of its wheel would be drawn.
pub(super) fn mouse(state: &State) -> Option<String> {
    unless(!state.profile.is_low(), "the profile low-bandwidth has no mouse; `:profile normal` has")
}

const PUSHING: &str = "a push is under way";

/// There has to be a decision to take back.
pub(super) fn undoable(state: &State) -> Option<String> {
    unless(!state.is_pushing(), PUSHING).or_else(|| unless(state.review.can_undo(), "nothing to undo"))
}

/// There has to be one that was taken back.
pub(super) fn redoable(state: &State) -> Option<String> {
    unless(!state.is_pushing(), PUSHING).or_else(|| unless(state.review.can_redo(), "nothing to redo"))
}

/// Something has to be approved, with a message and a remote for it; or a push is under way or has ended, which is shown.
pub(super) fn approvals(state: &State) -> Option<String> {
    if state.shows_push() {
        return None;
    }
    let automations = state.review.automations();
    if automations.is_empty() {
        return Some("nothing approved yet: Space approves".to_owned());
    }
    blank_message(state, &automations).or_else(|| no_remote(state, &automations))
}

/// Every commit needs a message.
fn blank_message(state: &State, automations: &[ObjectId]) -> Option<String> {
    automations.iter().find_map(|automation| {
        let defect = message_defect(&state.review.messages.get(automation)?.text())?;
        Some(format!("the message of {automation} is empty: {defect}; c writes it"))
    })
}

/// Some commit needs a remote to go to.
fn no_remote(state: &State, automations: &[ObjectId]) -> Option<String> {
    let has_none = |automation| state.review.ground(automation).is_some_and(|ground| ground.remote.is_none());
    let reason = "there is no Git remote to push to: b 4 writes a patch";
    unless(!automations.iter().all(has_none), reason)
}

/// A message belongs to a commit, and a commit to approved updates.
pub(super) fn editable(state: &State) -> Option<String> {
    unless(state.review.approved().next().is_some(), "nothing approved yet: a message describes what is")
}

/// There has to be a message.
pub(super) fn decided(state: &State) -> Option<String> {
    unless(state.editing.is_some(), "no message is open")
}

/// There has to be a row, and no panel that says why beside or below it.
pub(super) fn reason_hidden(state: &State) -> Option<String> {
    cursor(state).or_else(|| unless(!state.shows_preview(), "the panel of this tag is there already"))
}

/// There has to be another pane.
pub(super) fn pane(state: &State) -> Option<String> {
    let layout = state.layout_below_help();
    let has_pane = layout.preview.is_some() || (state.preview.zoomed && layout.tier >= Tier::T2);
    unless(has_pane, "there is no other pane at this size")
}

/// There have to be two panes on the screen.
pub(super) fn shared(state: &State) -> Option<String> {
    let layout = state.layout_below_help();
    let has_two = layout.preview.is_some() && !layout.overlay && layout.list.height > 0;
    unless(has_two, "there is no other pane at this size")
}

/// A filter has to be in force.
pub(super) fn filtered(state: &State) -> Option<String> {
    let view = state.view_below_help();
    unless(
        !rows::filter(state, view).is_some_and(crate::app::list::Filter::is_empty),
        "no filter: / sets one",
    )
}

/// There have to be several files, or several policies.
pub(super) fn parts(state: &State) -> Option<String> {
    match state.view_below_help() {
        View::Diff => {
            let files = state.diff.tree.rows().iter().filter(|node| matches!(node, Node::File(..))).count();
            unless(files > 1, "there is no other file")
        }
        _ => unless(rows::policies_of_tags(state).len() > 1, "no other policy reads this repository"),
    }
}

/// The tags have to be shown against a policy.
pub(super) fn policy(state: &State) -> Option<String> {
    unless(state.tags.policy.is_some(), "no policy reads this repository")
}

/// There have to be repositories.
pub(super) fn repositories(state: &State) -> Option<String> {
    unless(!state.inventory.repositories.is_empty(), "there is no repository")
}

/// There have to be problems.
pub(super) fn errors(state: &State) -> Option<String> {
    unless(!state.errors.is_empty(), "no problems")
}

/// The plan has to be there, and to be whole.
pub(super) fn pushable(state: &State) -> Option<String> {
    let Some(Overlay::Push(dialog)) = &state.overlay else { return Some("nothing to push".to_owned()) };
    let Some(prepared) = &dialog.prepared else { return Some("the remote is still being asked".to_owned()) };
    if prepared.plan.groups.is_empty() {
        let problem =
            prepared.plan.problems.first().map_or("nothing is left to push".to_owned(), ToString::to_string);
        return Some(problem);
    }
    if let Some(touched) = &dialog.touched {
        return Some(touched.clone());
    }
    if let Some(remote) = prepared.plan.not_reached() {
        return Some(format!("{remote} was not reached: nothing can be pushed to it now; p asks again"));
    }
    left_out(state, &prepared.plan)
}

/// What was approved of an automation that the plan has no commit of; it is not left out behind a person's back.
fn left_out(state: &State, plan: &Plan) -> Option<String> {
    let is_planned = |automation: &ObjectId| plan.groups.iter().any(|group| group.automation == *automation);
    let missing = state.review.automations().into_iter().filter(|automation| !is_planned(automation));
    let reasons = missing.filter_map(|automation| {
        let subject = automation.to_string();
        let problem = plan.problems.iter().find(|problem| problem.subject == subject)?;
        let updates = state.review.approved().filter(|update| update.automation == automation).count();
        Some((problem, count(updates, "approved update")))
    });
    reasons.into_iter().next().map(|(problem, updates)| {
        format!("{problem}; {updates} of it cannot be pushed: c writes a message, x takes them back")
    })
}

/// The name that was typed has to be the branch's.
pub(super) fn branch_typed(state: &State) -> Option<String> {
    let (typed, branch, what) = match &state.overlay {
        Some(Overlay::Branch(dialog)) => (dialog.field.text(), dialog.branch(), "push to it"),
        Some(Overlay::Merge(MergeDialog { typed: Some(field), merge, .. })) => {
            (field.text(), merge.into.as_str(), "merge into it")
        }
        _ => return Some("nothing to push".to_owned()),
    };
    unless(typed == branch, format!("type {branch} to {what}"))
}

/// There has to be a branch to merge.
pub(super) fn mergeable(state: &State) -> Option<String> {
    state.mergeable().err()
}

/// What the merge would do has to be known, and to be possible.
pub(super) fn merge_seen(state: &State) -> Option<String> {
    let Some(Overlay::Merge(dialog)) = &state.overlay else { return Some("nothing to merge".to_owned()) };
    match &dialog.ahead {
        None => Some("the remote is still being asked".to_owned()),
        Some(Err(problem)) => Some(problem.message.clone()),
        Some(Ok(ahead)) => {
            let Merge { from, into, .. } = &dialog.merge;
            unless(!ahead.merged.already, format!("{into} has all of {from} already"))
        }
    }
}

/// How it is merged is asked where it can be.
pub(super) fn merge_possible(state: &State) -> Option<String> {
    merge_seen(state)
        .filter(|_| !matches!(&state.overlay, Some(Overlay::Merge(dialog)) if dialog.ahead.is_none()))
}

/// The row has to be a commit that was pushed.
pub(super) fn revertible(state: &State) -> Option<String> {
    not_pushing(state).or_else(|| state.revertible().err())
}

/// While a push runs there is no row to choose from; a menu over it has its own.
pub(super) fn choice(state: &State) -> Option<String> {
    let is_in_front = state.overlay.is_none() && state.view_below_help() == View::Push;
    unless(!(is_in_front && state.is_pushing()), PUSHING)
}

/// What is being pushed is not turned around.
pub(super) fn not_pushing(state: &State) -> Option<String> {
    unless(!state.is_pushing(), PUSHING)
}

/// What is under review makes way for something else only where nobody decided anything, and nothing is being pushed.
pub(super) fn nothing_approved(state: &State) -> Option<String> {
    let approved = state.review.approved().next().is_some();
    not_pushing(state).or_else(|| unless(!approved, "updates are approved: push them or undo that first"))
}

/// There has to be something that a patch would change.
pub(super) fn approved(state: &State) -> Option<String> {
    unless(state.review.approved().next().is_some(), "nothing approved yet: Space approves")
}

/// A request needs a forge.
pub(super) fn with_forge(state: &State) -> Option<String> {
    let remote = state.without_forge().filter(|_| !state.requests)?;
    Some(format!("nobody knows a forge at {remote}: [forge.\"HOST\"] in the configuration names it"))
}

/// A request needs another branch than the one that is read, and a forge.
pub(super) fn requestable(state: &State) -> Option<String> {
    if let Some(why) = with_forge(state) {
        return Some(why);
    }
    let rows = state.target_rows();
    let read = rows.last().map_or(&[][..], |row| &row.branches);
    let is_read = |row: &TargetRow| row.chosen && row.branches.iter().any(|branch| read.contains(branch));
    unless(
        state.requests || !rows.iter().any(is_read),
        "a request needs another branch than the one that is read: 2 makes one",
    )
}

/// The name that was typed has to be a branch's.
pub(super) fn target_typed(state: &State) -> Option<String> {
    let Some(Overlay::Target(TargetDialog { field: Some(field), cursor, .. })) = &state.overlay else {
        return Some("nothing was asked".to_owned());
    };
    let typed = field.text().trim();
    if *cursor == TargetDialog::PATCH {
        return unless(!typed.is_empty(), "the file needs a name").or_else(|| approved(state));
    }
    branch::template_defect(typed)
}

/// The row has to be of a policy that says which tag, and must not wait for anything but a person.
pub(super) fn holdable(state: &State) -> Option<String> {
    let Some((policy, tag)) = rows::held_by_h(state) else {
        return Some("there is no tag of a policy to hold".to_owned());
    };
    let is_it =
        |update: &&Proposal| update.policy == policy && update.new.as_ref().is_some_and(|new| new.tag == tag);
    let update = state.review.updates().iter().find(is_it)?;
    unless(!state.is_being_pushed(&UpdateId::of(update)), "a push of it is under way")
}

/// There has to be a tag to go back to.
pub(super) fn rollback(state: &State) -> Option<String> {
    not_pushing(state).or_else(|| {
        let (policy, tag) = match rows::rollback(state) {
            Ok(found) => found,
            Err(why) => return Some(why),
        };
        rows::may_go_back(state, &policy, &tag).err()
    })
}

/// Only what goes back is kept by a means.
pub(super) fn rolls_back(state: &State) -> Option<String> {
    let is_it = matches!(&state.overlay, Some(Overlay::Hold(dialog)) if dialog.is_rollback());
    unless(is_it, "a hold is this program's own")
}

/// What was typed has to make a hold, and what it goes back to has to be there.
pub(super) fn hold_typed(state: &State) -> Option<String> {
    let Some(Overlay::Hold(dialog)) = &state.overlay else { return Some("nothing to hold".to_owned()) };
    dialog.hold(state.now, &state.operator).err().or_else(|| back_typed(state, dialog))
}

fn back_typed(state: &State, dialog: &HoldDialog) -> Option<String> {
    let back = dialog.is_rollback().then(|| dialog.text(HoldDialog::BACK))?;
    if back == dialog.text(HoldDialog::TAG) {
        return Some(format!("{back} cannot be held and gone back to"));
    }
    if let Err(why) = rows::may_go_back(state, &dialog.policy, back) {
        return Some(why);
    }
    // A hold of a tag without a digest needs nobody to be asked.
    if dialog.keep.means == Means::Hold && !rows::wants_digest(state, &dialog.policy) {
        return None;
    }
    let found = match dialog.keep.known(back) {
        Ok(found) => found,
        Err(why) => return Some(why),
    };
    match found.edits(dialog.keep.means) {
        Ok(edits) => {
            let back = rows::back_to(state, &dialog.policy, found.reference.clone());
            back.and_then(|mut back| attach(&mut back, &state.review.grounds, edits.to_vec())).err()
        }
        Err(why) => Some(why.to_owned()),
    }
}

/// The mode may be locked by the system's configuration.
pub(super) fn mode_locked(state: &State) -> Option<String> {
    unless(!state.mode_locked, "the mode is locked by the system's configuration")
}

/// The demo cannot be started twice.
pub(super) fn demo_running(state: &State) -> Option<String> {
    unless(!state.demo, "this is the demo")
}
