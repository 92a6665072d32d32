//! From decisions to a plan that fits the remote as it is now.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::around::warn_of_obstacles;
use super::{Engine, Selections, World, blocking};
use crate::config::Refresh;
use crate::domain::branch::{self, Guard, Guarded, Names, Onto};
use crate::domain::freeze::{self, Frozen};
use crate::domain::object::ObjectId;
use crate::domain::plan::{
    BuildOptions, FileEdit, Ground, Plan, PushTarget, Review, Selection, not_as_decided, propose, stand,
    stand_edits, tags_in_files, template_problem,
};
use crate::domain::proposal::{Decision, Proposal, Site, UpdateState};
use crate::domain::refspec::short_name;
use crate::problem::{Code, Problem};
use crate::source::edit;

/// What to make a plan of.
#[derive(Debug, Clone)]
pub struct PrepareRequest {
    /// The proposals with their decisions.
    pub proposals: Vec<Proposal>,
    /// Messages that a person wrote, by automation.
    pub messages: BTreeMap<ObjectId, String>,
    /// Where the commits go.
    pub onto: Onto,
    /// Whether each policy gets a commit of its own.
    pub split: bool,
    /// The policy and automation of each proposal that is not what its policy selects.
    pub wanted: BTreeSet<(ObjectId, ObjectId)>,
    /// When to ask the remotes.
    pub refresh: Refresh,
    /// Whether the contents of the files are wanted with the plan; else no more of them are in memory than are worked on.
    pub contents: bool,
}

impl PrepareRequest {
    /// These proposals with their decisions, and nothing else of a person's; the contents, too.
    pub fn of(proposals: Vec<Proposal>, refresh: Refresh) -> Self {
        let (messages, wanted) = (BTreeMap::new(), BTreeSet::new());
        Self { proposals, messages, onto: Onto::Push, split: false, wanted, refresh, contents: true }
    }
}

/// A plan, and what a person has to know before it lands.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The plan.
    pub plan: Plan,
    /// The content of its files, by group and path; none if they were not wanted.
    pub contents: Vec<BTreeMap<String, FileEdit>>,
    /// Branches whose name has to be typed, in the order of the groups.
    pub protected: Vec<Guarded>,
    /// What moved since the review: one sentence each.
    pub moved: Vec<String>,
}

impl Prepared {
    /// Takes in what was prepared for another branch.
    fn join(&mut self, other: Self) {
        self.plan.join(&mut self.contents, (other.plan, other.contents));
        let is_known = |new: &Guarded| self.protected.iter().any(|known| known.branch == new.branch);
        let new: Vec<Guarded> = other.protected.into_iter().filter(|new| !is_known(new)).collect();
        self.protected.extend(new);
        self.moved.extend(other.moved);
    }
}

impl Engine {
    /// The proposals of the world, all undecided, and the files with every proposal applied; and what kept files from being read
    /// again, whose sites are blocked.
    pub fn review(
        &self,
        world: &World,
        mut grounds: Vec<Ground>,
        selections: &Selections,
    ) -> (Review, Vec<Problem>) {
        let selections = plain(selections);
        let proposals = propose(&grounds, &selections);
        let problems = self.read_due(world, &mut grounds, (&proposals, |site: &Site| site.blocked.is_none()));
        (Review::new(Arc::new(grounds), proposals), problems)
    }

    /// As [`Self::review`], without the texts: those of all files that would change may be more than there is room for.
    pub fn review_updates(
        &self,
        world: &World,
        grounds: Vec<Ground>,
        selections: &Selections,
    ) -> (Review, Vec<Problem>) {
        let proposals = propose(&grounds, &plain(selections));
        let read = |ground: &Ground, paths: &[&str]| self.texts(world, ground, paths);
        Review::reading(Arc::new(grounds), proposals, &read)
    }

    /// The problem of each automation whose template makes no message of all that could be approved now.
    pub fn template_problems(review: &Review, selections: &Selections) -> Vec<Problem> {
        let selections = plain(selections);
        let of_ground = |ground: &Ground| template_problem(ground, &review.proposals, &selections);
        review.grounds.iter().filter_map(of_ground).collect()
    }

    /// Makes the plan of everything approved, on the remotes as they are now.
    ///
    /// Decisions are carried over to sites that still stand where they stood with the same old and new value; others
    /// are undecided again, and `moved` says so.
    ///
    /// # Errors
    /// A branch whose placeholders make no name ([`Code::Usage`]); an automation that has to be left out is in the plan's
    /// problems.
    pub async fn prepare(
        &self,
        world: &Arc<World>,
        selections: &Selections,
        request: PrepareRequest,
    ) -> Result<Prepared, Problem> {
        if let Some(live) = &world.live {
            self.kustomizations(live).await;
        }
        let (engine, world, selections) = (self.clone(), Arc::clone(world), plain(selections));
        blocking(move || engine.prepare_now(&world, &selections, request)).await
    }

    fn prepare_now(
        &self,
        world: &World,
        selections: &BTreeMap<ObjectId, Selection>,
        mut request: PrepareRequest,
    ) -> Result<Prepared, Problem> {
        let template = match &request.onto {
            Onto::Push => return Ok(self.prepare_once(world, selections, (request, &Onto::Push))),
            Onto::Named(name) if !branch::is_template(name) => {
                let onto = one_branch(request.onto.clone())?;
                return Ok(self.prepare_once(world, selections, (request, &onto)));
            }
            Onto::Named(template) => Some(template.clone()),
            Onto::Checkout => None,
        };
        let plan = match &template {
            Some(template) if template.contains("{plan}") => {
                // The name cannot be part of what it is made from: the id is that of the automations' own branches.
                let own = self.prepare_once(world, selections, (request.clone(), &Onto::Push));
                request.refresh = asked_already(request.refresh);
                own.plan.id
            }
            _ => String::new(),
        };
        let mut of_branches: BTreeMap<String, Vec<Proposal>> = BTreeMap::new();
        for update in std::mem::take(&mut request.proposals) {
            if update.is_approved() {
                let branch = match &template {
                    Some(template) => named(template, &update, &plan)?,
                    None => self.checkout_of(world, &update.automation)?,
                };
                of_branches.entry(branch).or_default().push(update);
            }
        }
        let mut all: Option<Prepared> = None;
        for (branch, proposals) in of_branches {
            let part = PrepareRequest { proposals, ..request.clone() };
            let part = self.prepare_once(world, selections, (part, &Onto::Named(branch)));
            match &mut all {
                Some(all) => all.join(part),
                None => all = Some(part),
            }
            request.refresh = asked_already(request.refresh);
        }
        Ok(all.unwrap_or_else(|| self.prepare_once(world, selections, (request, &Onto::Push))))
    }

    fn prepare_once(
        &self,
        world: &World,
        selections: &BTreeMap<ObjectId, Selection>,
        (mut request, onto): (PrepareRequest, &Onto),
    ) -> Prepared {
        let (mut grounds, mut problems) = self.grounds_now(world, request.refresh, onto);
        problems.extend(self.read_objects(world, &mut grounds, &request.proposals));
        let mut proposals = propose(&grounds, selections);
        put_wanted(&grounds, &request, &mut proposals);
        let mut known = Cow::Borrowed(request.proposals.as_slice());
        if let Onto::Named(branch) = onto {
            let there = already_there(&grounds, &proposals, &known);
            problems.extend(nothing_to_do(&there, branch));
            if !there.is_empty() {
                known = Cow::Owned(known.iter().filter(|update| !there.contains(update)).cloned().collect());
            }
        }
        let elsewhere = match onto {
            Onto::Named(branch) => Some(branch.as_str()),
            Onto::Push | Onto::Checkout => None,
        };
        let mut moved = carry_over(&known, &mut proposals, elsewhere);
        let stand = |ground: &Ground, updates: &mut [Proposal]| {
            stand_edits(ground, updates, (edit::check, elsewhere))
        };
        moved.extend(grounds.iter().flat_map(|ground| stand(ground, &mut proposals)));
        proposals.retain(|update| !update.sites.is_empty() || !update.edits.is_empty());
        carry_states(&request.proposals, &mut proposals);
        // What was decided is as large as what is planned, and is carried over.
        request.proposals = Vec::new();
        if request.contents {
            let is_approved = |site: &Site| site.decision == Decision::Approved;
            problems.extend(self.read_due(world, &mut grounds, (&proposals, is_approved)));
        }
        let (mut plan, contents) = self.build(world, (&grounds, selections), (&request, proposals));
        plan.problems.splice(0..0, problems);
        warn_of_obstacles(world, &mut plan);
        let protected = self.protected(world, &plan);
        Prepared { plan, contents, protected, moved }
    }

    fn build(
        &self,
        world: &World,
        (grounds, selections): (&[Ground], &BTreeMap<ObjectId, Selection>),
        (request, proposals): (&PrepareRequest, Vec<Proposal>),
    ) -> (Plan, Vec<BTreeMap<String, FileEdit>>) {
        let options = BuildOptions { split: request.split, ..self.build_options(world, &request.messages) };
        if request.contents {
            return Plan::build(proposals, grounds, selections, &options);
        }
        let read = |ground: &Ground, paths: &[&str]| self.texts(world, ground, paths);
        Plan::build_reading(proposals, grounds, selections, (&options, &read))
    }

    /// The branch that an automation reads.
    fn checkout_of(&self, world: &World, automation: &ObjectId) -> Result<String, Problem> {
        let known = world.automations.iter().find(|known| known.meta.id == *automation);
        let place = known.map(|known| self.settle(world, known)).transpose()?.flatten();
        let branch = place.and_then(|place| place.targets.checkout.branch().map(str::to_owned));
        branch.ok_or_else(|| {
            let message = "it reads no branch, so nothing can be pushed to what it reads";
            Problem::new(Code::Usage, automation.to_string(), message).hint("Choose another target.")
        })
    }

    /// What plans are made with here and now.
    pub(super) fn build_options<'a>(
        &self,
        world: &World,
        messages: &'a BTreeMap<ObjectId, String>,
    ) -> BuildOptions<'a> {
        let author = self.settings.author_is_operator.then(|| super::identity::operator(world));
        BuildOptions {
            now: super::now(),
            who: super::who(),
            messages,
            author,
            split: false,
            check: edit::check,
        }
    }

    /// The branches of a plan whose name has to be confirmed, those that a refspec leads to among them. The plan's own word on what
    /// is read counts too: it may be pushed where nobody has its objects.
    pub fn protected(&self, world: &World, plan: &Plan) -> Vec<Guarded> {
        let bases = plan.groups.iter().filter_map(|group| group.base.as_ref());
        let read: BTreeSet<&str> = bases.map(|base| short_name(&base.reference)).collect();
        let mut found: Vec<Guarded> = Vec::new();
        for name in plan.groups.iter().filter_map(|group| group.push.as_ref()).flat_map(PushTarget::names) {
            if found.iter().any(|known| known.branch == name) {
                continue;
            }
            let guard = match self.guard(world, &name) {
                // What is known says more.
                Some(Guard::Unread(_)) | None if read.contains(name.as_str()) => Some(Guard::Read),
                guard => guard,
            };
            found.extend(guard.map(|why| Guarded { branch: name, why }));
        }
        found
    }

    /// The freeze window that is open now.
    pub fn frozen(&self) -> Option<Frozen> {
        freeze::open(&self.settings.freeze, super::now())
    }

    /// Why the name of a branch has to be confirmed: protected by configuration, or as [`Inventory::guard`] has it; while pushes are
    /// frozen, of every branch.
    ///
    /// [`Inventory::guard`]: crate::domain::inventory::Inventory::guard
    ///
    /// Source: cli contract section 1, "Modes and effects".
    pub fn guard(&self, world: &World, branch: &str) -> Option<Guard> {
        if let Some(frozen) = self.frozen() {
            return Some(Guard::Frozen(frozen));
        }
        if branch::is_protected(&self.settings.protected_branches, branch) {
            return Some(Guard::Configured);
        }
        world.inventory.guard(world.all_automations(), branch)
    }
}

/// The selections without the verdicts.
pub(super) fn plain(selections: &Selections) -> BTreeMap<ObjectId, Selection> {
    selections.iter().map(|(id, evaluated)| (id.clone(), evaluated.selection.clone())).collect()
}

/// Puts what a person wants in the place of what policies select.
fn put_wanted(grounds: &[Ground], request: &PrepareRequest, proposals: &mut Vec<Proposal>) {
    let key = |update: &Proposal| (update.policy.clone(), update.automation.clone());
    proposals.retain(|update| !request.wanted.contains(&key(update)));
    let wanted = request.proposals.iter().filter(|update| request.wanted.contains(&key(update)));
    proposals.extend(wanted.filter_map(|update| stand(grounds, update)));
    proposals.sort_by_key(key);
}

/// What was asked a moment ago is not asked again.
fn asked_already(refresh: Refresh) -> Refresh {
    if refresh == Refresh::Always { Refresh::Auto } else { refresh }
}

/// The branch of one update.
fn named(template: &str, update: &Proposal, plan: &str) -> Result<String, Problem> {
    let tag = update.new.as_ref().map_or("", |new| new.tag.as_str());
    let names = Names { policy: &update.policy.name, tag, automation: &update.automation.name, plan };
    branch::expand(template, names).map_err(no_branch)
}

/// The same target, its name as Git has it.
///
/// # Errors
/// A name that can be no branch ([`Code::Usage`]).
pub fn one_branch(onto: Onto) -> Result<Onto, Problem> {
    match onto {
        Onto::Named(name) if !branch::is_template(&name) => {
            branch::expand(&name, Names::default()).map(Onto::Named).map_err(no_branch)
        }
        other => Ok(other),
    }
}

/// The approved updates whose tag all sites hold already on the branch that `grounds` are of.
fn already_there<'a>(grounds: &[Ground], found: &[Proposal], decided: &'a [Proposal]) -> Vec<&'a Proposal> {
    let due: BTreeSet<_> = found.iter().map(|update| (&update.policy, &update.automation)).collect();
    let holds_new = |update: &Proposal| {
        let ground = grounds.iter().filter(|ground| ground.automation == update.automation);
        let tags = tags_in_files(ground, &update.policy);
        update.new.as_ref().is_some_and(|new| tags == [new.tag.as_str()])
    };
    let is_there = |update: &&Proposal| {
        update.is_approved() && !due.contains(&(&update.policy, &update.automation)) && holds_new(update)
    };
    decided.iter().filter(is_there).collect()
}

/// That a branch has the updates already, in one sentence.
fn nothing_to_do(there: &[&Proposal], branch: &str) -> Option<Problem> {
    let tag = |update: &Proposal| update.new.as_ref().map_or("", |new| new.tag.as_str()).to_owned();
    let (subject, message) = match there {
        [] => return None,
        [update] => (update.policy.to_string(), format!("{branch} has {} already", tag(update))),
        all => {
            let named = |update: &&Proposal| format!("{} {}", update.policy, tag(update));
            let named: Vec<String> = all.iter().map(named).collect();
            let message = format!("{branch} has {} updates already: {}", all.len(), named.join(", "));
            (branch.to_owned(), message)
        }
    };
    Some(Problem::new(Code::Skipped, subject, message))
}

fn no_branch(defect: String) -> Problem {
    Problem::new(Code::Usage, "--branch", defect)
}

/// What was held for the same tag before is held still, and a person who approved it all the same did so; what could not
/// be written was not decided on either.
fn carry_states(before: &[Proposal], after: &mut [Proposal]) {
    let key = |update: &Proposal| (update.policy.clone(), update.automation.clone(), update.new.clone());
    let before: BTreeMap<_, &Proposal> = before.iter().rev().map(|known| (key(known), known)).collect();
    for update in after {
        let Some(known) = before.get(&key(update)) else { continue };
        update.clocks = known.clocks;
        if update.state == UpdateState::Pending && known.state == UpdateState::Held {
            (update.state, update.hold) = (UpdateState::Held, known.hold.clone());
        }
        if update.state == UpdateState::Pending && known.state == UpdateState::Blocked {
            (update.state, update.blocked) = (UpdateState::Blocked, known.blocked.clone());
        }
    }
}

/// Carries decisions over to the sites that are still the same; says which decided ones are not. On another `branch` than
/// the one that was decided about, they are left out; on that one they are undecided again.
fn carry_over(before: &[Proposal], after: &mut [Proposal], branch: Option<&str>) -> Vec<String> {
    let becomes = if branch.is_some() { "is left out" } else { "is undecided again" };
    let mut decided = BTreeMap::new();
    for proposal in before {
        for site in proposal.sites.iter().filter(|site| site.decision != Decision::Undecided) {
            decided.insert(change(proposal, site), site.decision);
        }
    }
    let mut found: Vec<Vec<Option<Decision>>> = Vec::with_capacity(after.len());
    for proposal in &*after {
        found.push(proposal.sites.iter().map(|site| decided.remove(&change(proposal, site))).collect());
    }
    let lost = decided.into_keys().map(|(_, file, line, _, setter, ..)| {
        format!("{}; {setter} {becomes}", not_as_decided(file, line, branch))
    });
    let mut lost: Vec<String> = lost.collect();
    for (proposal, found) in after.iter_mut().zip(found) {
        for (site, decision) in proposal.sites.iter_mut().zip(found) {
            if let Some(decision) = decision.filter(|_| site.blocked.is_none()) {
                site.decision = decision;
            }
        }
        let halves = proposal.settle_links();
        for site in halves.iter().filter_map(|at| proposal.sites.get(*at)) {
            let (place, setter) = (not_as_decided(&site.file, site.line, branch), &site.setter);
            lost.push(format!("{place}; {setter} {becomes}: what belongs to it is new"));
        }
        proposal.decision = proposal.overall();
    }
    lost
}

/// What a decision about a site was about.
fn change<'a>(
    proposal: &'a Proposal,
    site: &'a Site,
) -> (&'a ObjectId, &'a str, usize, usize, &'a str, &'a str, &'a str) {
    (&proposal.automation, &site.file, site.line, site.column, &site.setter, &site.old, &site.new)
}
