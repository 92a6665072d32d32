//! From decisions to a plan that fits the remote as it is now.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Engine, Selections, World, blocking};
use crate::config::Refresh;
use crate::domain::branch;
use crate::domain::freeze::{self, Frozen};
use crate::domain::object::ObjectId;
use crate::domain::plan::{
    BuildOptions, FileEdit, Ground, Plan, PushTarget, Review, Selection, propose, template_problem,
};
use crate::domain::proposal::{Decision, Proposal, Site, UpdateState};
use crate::domain::refspec::short_name;
use crate::problem::{Code, Problem};

/// What to make a plan of.
#[derive(Debug, Clone)]
pub struct PrepareRequest {
    /// The proposals with their decisions.
    pub proposals: Vec<Proposal>,
    /// Messages that a person wrote, by automation.
    pub messages: BTreeMap<ObjectId, String>,
    /// The branch to push to instead of the automations'; may hold `{policy}` and `{tag}`.
    pub branch: Option<String>,
    /// Whether each policy gets a commit of its own.
    pub split: bool,
    /// When to ask the remotes.
    pub refresh: Refresh,
}

impl PrepareRequest {
    /// These proposals with their decisions, and nothing else of a person's.
    pub fn of(proposals: Vec<Proposal>, refresh: Refresh) -> Self {
        Self { proposals, messages: BTreeMap::new(), branch: None, split: false, refresh }
    }
}

/// A plan, and what a person has to know before it lands.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The plan.
    pub plan: Plan,
    /// The content of its files, by group and path.
    pub contents: Vec<BTreeMap<String, FileEdit>>,
    /// Branches whose name has to be typed, in the order of the groups.
    pub protected: Vec<String>,
    /// What moved since the review: one sentence each.
    pub moved: Vec<String>,
}

impl Prepared {
    /// Takes in what was prepared for another branch.
    fn join(&mut self, other: Self) {
        self.plan.join(&mut self.contents, (other.plan, other.contents));
        let new = other.protected.into_iter().filter(|branch| !self.protected.contains(branch));
        let new: Vec<String> = new.collect();
        self.protected.extend(new);
        self.moved.extend(other.moved);
    }
}

impl Engine {
    /// The proposals of the world, all undecided, and the files with every proposal applied.
    pub fn review(&self, grounds: Vec<Ground>, selections: &Selections) -> Review {
        let selections = plain(selections);
        let proposals = propose(&grounds, &selections);
        Review::new(Arc::new(grounds), proposals)
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
        let (engine, world, selections) = (self.clone(), Arc::clone(world), plain(selections));
        blocking(move || engine.prepare_now(&world, &selections, request)).await
    }

    fn prepare_now(
        &self,
        world: &World,
        selections: &BTreeMap<ObjectId, Selection>,
        mut request: PrepareRequest,
    ) -> Result<Prepared, Problem> {
        let no_branch = |defect: String| Problem::new(Code::Usage, "--branch", defect);
        let Some(template) = request.branch.take_if(|branch| branch::is_template(branch)) else {
            if let Some(branch) = &mut request.branch {
                *branch = branch::expand(branch, "", "").map_err(no_branch)?;
            }
            return Ok(self.prepare_once(world, selections, &request));
        };
        let mut of_branches: BTreeMap<String, Vec<Proposal>> = BTreeMap::new();
        for update in std::mem::take(&mut request.proposals) {
            let tag = update.new.as_ref().map_or("", |new| new.tag.as_str());
            if update.approved().next().is_some() {
                let branch = branch::expand(&template, &update.policy.name, tag).map_err(no_branch)?;
                of_branches.entry(branch).or_default().push(update);
            }
        }
        let mut all: Option<Prepared> = None;
        for (branch, proposals) in of_branches {
            let part = PrepareRequest { proposals, branch: Some(branch), ..request.clone() };
            let part = self.prepare_once(world, selections, &part);
            match &mut all {
                Some(all) => all.join(part),
                None => all = Some(part),
            }
            // What was asked a moment ago is not asked again.
            if request.refresh == Refresh::Always {
                request.refresh = Refresh::Auto;
            }
        }
        Ok(all.unwrap_or_else(|| self.prepare_once(world, selections, &request)))
    }

    fn prepare_once(
        &self,
        world: &World,
        selections: &BTreeMap<ObjectId, Selection>,
        request: &PrepareRequest,
    ) -> Prepared {
        let (grounds, problems) = self.grounds_now(world, request.refresh, request.branch.as_deref());
        let mut proposals = propose(&grounds, selections);
        let moved = carry_over(&request.proposals, &mut proposals);
        carry_holds(&request.proposals, &mut proposals);
        let options = BuildOptions { split: request.split, ..self.build_options(world, &request.messages) };
        let (mut plan, contents) = Plan::build(proposals, &grounds, selections, &options);
        plan.problems.splice(0..0, problems);
        let protected = self.protected(world, &plan);
        Prepared { plan, contents, protected, moved }
    }

    /// What plans are made with here and now.
    pub(super) fn build_options<'a>(
        &self,
        world: &World,
        messages: &'a BTreeMap<ObjectId, String>,
    ) -> BuildOptions<'a> {
        let author = self.settings.author_is_operator.then(|| super::identity::operator(world));
        BuildOptions { now: super::now(), who: super::who(), messages, author, split: false }
    }

    /// The branches of a plan whose name has to be confirmed, those that a refspec leads to among them.
    pub fn protected(&self, world: &World, plan: &Plan) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for name in plan.groups.iter().filter_map(|group| group.push.as_ref()).flat_map(PushTarget::names) {
            if !found.contains(&name) && self.is_protected(world, &name) {
                found.push(name);
            }
        }
        found
    }

    /// The freeze window that is open now.
    pub fn frozen(&self) -> Option<Frozen> {
        freeze::open(&self.settings.freeze, super::now())
    }

    /// Whether the name of a branch has to be confirmed: protected by configuration, or some automation's checkout; while
    /// pushes are frozen, of every branch.
    pub fn is_protected(&self, world: &World, branch: &str) -> bool {
        let is_checkout = |automation| {
            let settled = self.settle(world, automation).ok().flatten();
            settled.is_some_and(|place| place.targets.checkout.branch() == Some(branch))
        };
        self.frozen().is_some()
            || self.settings.protected_branches.iter().any(|pattern| matches(pattern, branch))
            || world.automations.iter().any(is_checkout)
    }
}

/// The selections without the verdicts.
pub(super) fn plain(selections: &Selections) -> BTreeMap<ObjectId, Selection> {
    selections.iter().map(|(id, evaluated)| (id.clone(), evaluated.selection.clone())).collect()
}

/// A pattern of `protected_branches`: a name, or a prefix that ends in `*`.
fn matches(pattern: &str, branch: &str) -> bool {
    let pattern = short_name(pattern);
    match pattern.strip_suffix('*') {
        Some(prefix) => branch.starts_with(prefix),
        None => pattern == branch,
    }
}

/// What was held for the same tag before is held still, and a person who approved it all the same did so.
fn carry_holds(before: &[Proposal], after: &mut [Proposal]) {
    let key = |update: &Proposal| (update.policy.clone(), update.automation.clone(), update.new.clone());
    let before: BTreeMap<_, &Proposal> = before.iter().rev().map(|known| (key(known), known)).collect();
    for update in after {
        let Some(known) = before.get(&key(update)) else { continue };
        update.clocks = known.clocks;
        if update.state == UpdateState::Pending && known.state == UpdateState::Held {
            (update.state, update.hold) = (UpdateState::Held, known.hold.clone());
        }
    }
}

/// Carries decisions over to the sites that are still the same; says which decided ones are not.
pub(crate) fn carry_over(before: &[Proposal], after: &mut [Proposal]) -> Vec<String> {
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
        format!("{file}:{line} changed upstream; {setter} is undecided again")
    });
    let lost = lost.collect();
    for (proposal, found) in after.iter_mut().zip(found) {
        for (site, decision) in proposal.sites.iter_mut().zip(found) {
            if let Some(decision) = decision.filter(|_| site.blocked.is_none()) {
                site.decision = decision;
            }
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
