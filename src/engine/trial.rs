//! A policy that was tried, as an edit of the file it stands in: shown, copied or written as a patch, and never part of a plan.

use std::sync::Arc;

use super::{Engine, World, blocking};
use crate::config::Refresh;
use crate::domain::branch::Onto;
use crate::domain::diff;
use crate::domain::object::{ImageUpdateAutomation, Kind, ObjectId};
use crate::domain::trial::{Trial, TrialEdit};
use crate::problem::{Code, Problem};
use crate::source::edit;

impl Engine {
    /// What makes the policy `id` say in its file what was tried. The file is looked for in the repositories of the automations
    /// that use the policy, else of all.
    ///
    /// # Errors
    /// It stands in none of them or in several places ([`Code::NotFound`]), says so already ([`Code::Skipped`]), or is written so
    /// that more would have to change ([`Code::YamlInvalid`]).
    pub async fn trial_edit(
        &self,
        world: &Arc<World>,
        (id, trial): (ObjectId, Trial),
        refresh: Refresh,
    ) -> Result<TrialEdit, Problem> {
        let (engine, world) = (self.clone(), Arc::clone(world));
        blocking(move || engine.trial_edit_now(&world, (&id, &trial), refresh)).await
    }

    fn trial_edit_now(
        &self,
        world: &World,
        (id, trial): (&ObjectId, &Trial),
        refresh: Refresh,
    ) -> Result<TrialEdit, Problem> {
        let uses = |automation: &&ImageUpdateAutomation| {
            let policies = world.inventory.policies_of(automation);
            policies.is_ok_and(|all| all.iter().any(|one| one.meta.id == *id))
        };
        let is_used = world.automations.iter().any(|automation| uses(&automation));
        let asked = world.automations.iter().filter(|automation| !is_used || uses(automation));
        let (grounds, problems) = self.grounds_of(world, asked, (refresh, &Onto::Push));
        let problem = |code, message: String| Problem::new(code, id.to_string(), message);
        for tree in self.trees(world, &grounds)? {
            let places =
                edit::places(&tree.files, &self.settings.default_namespace, Kind::ImagePolicy).remove(id);
            let place = match places.as_deref() {
                None | Some([]) => continue,
                Some([place]) => place,
                Some(_) => {
                    let message = format!("the policy stands in several places of {}", tree.remote);
                    return Err(problem(Code::NotFound, message));
                }
            };
            let file = tree.files.iter().find(|file| file.path == place.file);
            let text = file.and_then(|file| std::str::from_utf8(&file.bytes).ok()).unwrap_or_default();
            let at = format!("{}:{}", place.file, place.line);
            let after = edit::with_trial(text, place, trial)
                .map_err(|error| problem(Code::YamlInvalid, format!("{at}: {error}")))?
                .ok_or_else(|| problem(Code::Skipped, format!("{at} says so already")))?;
            let patch = diff::unified(&place.file, text, &after, 3);
            return Ok(TrialEdit { remote: tree.remote, file: place.file.clone(), patch });
        }
        let nowhere = || {
            problem(Code::NotFound, "the policy stands in no file of an automation's repository".to_owned())
        };
        Err(problems.into_iter().next().unwrap_or_else(nowhere))
    }
}
