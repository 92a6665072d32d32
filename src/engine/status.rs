//! What the controllers' conditions would say, from what the engine found; for both front ends.

use serde_json::{Value, json};

use super::{Engine, Evaluated, Selections, World};
use crate::domain::inventory::{self, Inventory, TargetError};
use crate::domain::marker::parse_setter;
use crate::domain::object::{
    DEFAULT_EXCLUSION, GitRepository, ImagePolicy, ImageRepository, ImageUpdateAutomation, ObjectId,
};
use crate::domain::plan::Ground;
use crate::domain::policy::{Exclusions, PolicyErrorKind};
use crate::domain::reference::ImageName;
use crate::domain::scan::revision;
use crate::domain::setter;
use crate::domain::status::{self, Run, Status, Verdict};
use crate::domain::tags::TagList;
use crate::domain::template;
use crate::problem::{Code, Problem};

/// What is left of a list after exclusion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Tags that are kept.
    pub kept: usize,
    /// Tags that are excluded.
    pub excluded: usize,
    /// Flux's checksum of the kept ones.
    pub revision: String,
}

/// The counts of [`Kept`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptCounts {
    /// Tags that are kept.
    pub kept: usize,
    /// Tags that are excluded.
    pub excluded: usize,
}

/// Applies the exclusion list of a repository that gives none.
///
/// # Errors
/// As [`Engine::kept`].
pub fn kept_by_default(tags: &TagList) -> Result<Kept, String> {
    keep(&Exclusions::new(&[DEFAULT_EXCLUSION.to_owned()]), tags)
}

fn keep(exclusions: &Exclusions, tags: &TagList) -> Result<Kept, String> {
    let kept = without_excluded(exclusions, tags)?;
    let revision = revision(kept.iter().copied());
    Ok(Kept { excluded: tags.len() - kept.len(), kept: kept.len(), revision })
}

fn without_excluded<'a>(exclusions: &Exclusions, tags: &'a TagList) -> Result<Vec<&'a str>, String> {
    exclusions.keep(tags).map_err(|error| {
        let text = error.to_string();
        text.strip_prefix("scan failed: ").unwrap_or(&text).to_owned()
    })
}

impl Engine {
    /// Applies a repository's exclusion list, which is compiled once for all that have the same.
    ///
    /// # Errors
    /// Flux's text for a rule that does not compile.
    pub fn kept(&self, repository: &ImageRepository, tags: &TagList) -> Result<Kept, String> {
        keep(&self.exclusions(repository.exclusions()), tags)
    }

    /// The tags that no rule of the repository excludes.
    ///
    /// # Errors
    /// As [`Self::kept`].
    pub(super) fn without_excluded<'a>(
        &self,
        repository: &ImageRepository,
        tags: &'a TagList,
    ) -> Result<Vec<&'a str>, String> {
        without_excluded(&self.exclusions(repository.exclusions()), tags)
    }
}

/// The canonical name of a repository's image; `None` if it is none.
pub fn canonical(repository: &ImageRepository) -> Option<String> {
    ImageName::parse(&repository.image, repository.insecure).ok().map(|name| name.canonical())
}

/// The condition of an `ImageRepository`, and the counts of its last good scan.
pub fn of_repository(
    repository: &ImageRepository,
    kept: Option<&Result<Kept, String>>,
    problem: Option<&Problem>,
) -> (Status, Option<KeptCounts>) {
    let counts = kept.and_then(|kept| kept.as_ref().ok());
    let counts = counts.map(|kept| KeptCounts { kept: kept.kept, excluded: kept.excluded });
    if repository.is_gated() {
        return (status::of_repository(&status::Scan::Gate), counts);
    }
    if let Err(error) = ImageName::parse(&repository.image, repository.insecure) {
        return (status::of_repository(&status::Scan::Image(&error)), None);
    }
    if let Some(problem) = problem {
        let text = problem.in_flux.as_deref().unwrap_or(&problem.message);
        let scan = match problem.code {
            Code::Authentication => status::Scan::Authentication(text),
            _ => status::Scan::Failed(text),
        };
        return (status::of_repository(&scan), counts);
    }
    let scan = match kept {
        None => status::Scan::Never,
        Some(Ok(kept)) => status::Scan::Succeeded { tags: kept.kept, revision: &kept.revision },
        Some(Err(text)) => status::Scan::Failed(text),
    };
    (status::of_repository(&scan), counts)
}

/// The condition of an `ImagePolicy`.
pub fn of_policy(inventory: &Inventory, policy: &ImagePolicy, evaluated: Option<&Evaluated>) -> Status {
    // A controller leaves the status of a suspended object as it was.
    if policy.suspend {
        return status::of_policy(&Verdict::Never);
    }
    if let Err(error) = inventory.repository_of(policy) {
        return status::of_policy(&Verdict::Unlinked(&error));
    }
    let Some(evaluated) = evaluated else { return status::of_policy(&Verdict::Never) };
    if let Some(problem) = &evaluated.undigested {
        return status::of_policy(&Verdict::Digest(&problem.message));
    }
    let previous = evaluated.previous.as_ref();
    let text = match &evaluated.selection.outcome {
        Ok(latest) => return status::of_policy(&Verdict::Selected { latest, previous }),
        Err(problem) => &problem.message,
    };
    let Some(evaluation) = &evaluated.evaluation else { return status::of_policy(&Verdict::Never) };
    match &evaluation.error {
        Some(error) if error.stalled() => status::of_policy(&Verdict::Invalid(&error.text)),
        Some(error) if error.kind == PolicyErrorKind::NoTags => status::of_policy(&Verdict::NoTags),
        Some(error) => status::of_policy(&Verdict::Failed(&error.text)),
        None => status::of_policy(&Verdict::Failed(text)),
    }
}

/// What an automation came to.
#[derive(Debug, Clone, Copy)]
pub struct Ran<'a> {
    /// What was read for it; `None` if it could not be read.
    pub ground: Option<&'a Ground>,
    /// Why it could not be read.
    pub problem: Option<&'a Problem>,
    /// Whether there is something to write; only then does a controller look at the template.
    pub has_changes: bool,
    /// What the policies select.
    pub selections: &'a Selections,
}

/// The condition of an `ImageUpdateAutomation`.
pub fn of_automation(
    engine: &Engine,
    world: &World,
    automation: &ImageUpdateAutomation,
    ran: &Ran<'_>,
) -> Status {
    if let Err(error) = world.inventory.policies_of(automation) {
        return status::of_automation(&Run::Selector(&error));
    }
    if let Err(error) = world.inventory.targets_of(automation) {
        return status::of_automation(&Run::Target(&error));
    }
    let repository = world.inventory.git_repositories.get(&automation.source);
    if let Some(error) = repository.and_then(|repository| login_refused(world, repository)) {
        return status::of_automation(&Run::Target(&error));
    }
    match (ran.ground, ran.problem, engine.settle(world, automation)) {
        (_, _, Err(problem)) if world.inventory.unread_source(automation).is_some() => {
            status::of_automation(&Run::Unread(&problem.message))
        }
        (_, _, Err(problem)) => status::of_automation(&Run::Source(&problem.message)),
        (None, Some(problem), Ok(_)) => {
            let text = problem.in_flux.as_deref().unwrap_or(&problem.message);
            let is_read = problem.code == Code::UpdatePath;
            status::of_automation(&if is_read { Run::Update(text) } else { Run::Checkout(text) })
        }
        (None, None, Ok(_)) => status::of_automation(&Run::Never),
        (Some(ground), _, Ok(_)) => of_run(automation, ground, ran),
    }
}

/// The key of a secret that makes it one of a GitHub App.
const GITHUB_APP_ID: &str = "githubAppID";

/// Why controllers do not try to log in for a repository as it is written.
fn login_refused(world: &World, repository: &GitRepository) -> Option<TargetError> {
    let secret = repository.secret_ref.as_ref();
    let secret = secret.map(|name| ObjectId::new(&repository.meta.id.namespace, name));
    let has_app_data =
        |id: &ObjectId| world.secret(id).is_ok_and(|secret| secret.data.contains_key(GITHUB_APP_ID));
    match (repository.provider.as_str(), secret) {
        (provider, _) if provider != "generic" && repository.service_account.is_some() => {
            Some(TargetError::Gate)
        }
        ("github", None) => Some(TargetError::NoAppData),
        ("generic", Some(id)) if has_app_data(&id) => Some(TargetError::AppData(id)),
        _ => None,
    }
}

/// What becomes of an automation whose files could be read.
fn of_run(automation: &ImageUpdateAutomation, ground: &Ground, ran: &Ran<'_>) -> Status {
    let selected = ground.policies.iter().filter_map(|id| {
        let latest = ran.selections.get(id)?.selection.outcome.as_ref().ok()?;
        Some((id, latest))
    });
    if let Err(error) = setter::check(selected) {
        return status::of_automation(&Run::Update(&error.to_string()));
    }
    if let Some(problem) = ran.problem.filter(|problem| problem.code == Code::TemplateFailed) {
        return status::of_automation(&Run::Push(&problem.message));
    }
    // A removed field is rendered here as it was before its removal; `template_warnings` tells what controllers think of it.
    let refusal = template::refused(&ground.template, &automation.meta.id)
        .filter(|refusal| ran.has_changes && refusal.code != "removed_field");
    match refusal {
        None => status::of_automation(&Run::Succeeded),
        Some(refusal) => status::of_automation(&Run::Push(&refusal.message)),
    }
}

/// How many marked scalars name a policy in what was read.
pub fn sites_of(grounds: &[Ground], policy: &ObjectId) -> usize {
    let scalars = grounds.iter().flat_map(|ground| &*ground.files).flat_map(|file| &file.sites);
    scalars.filter(|scalar| parse_setter(&scalar.setter).is_ok_and(|(id, _)| id == *policy)).count()
}

/// What an automation checks out, as the JSON has it: `{"branch":"main"}`.
pub fn checkout(world: &World, automation: &ImageUpdateAutomation) -> Value {
    let Ok(targets) = world.inventory.targets_of(automation) else { return Value::Null };
    match targets.checkout {
        inventory::Checkout::Branch(branch) => json!({ "branch": branch }),
        inventory::Checkout::Tag(tag) => json!({ "tag": tag }),
        inventory::Checkout::Semver(range) => json!({ "semver": range }),
        inventory::Checkout::Name(name) => json!({ "name": name }),
        inventory::Checkout::Commit(commit) => json!({ "commit": commit }),
    }
}

/// What is wrong with a message template before there is anything to commit.
pub fn template_warnings(template: &str, automation: &ObjectId) -> Vec<Value> {
    let refusal = template::refused(template, automation);
    refusal.iter().map(|warning| json!({ "code": warning.code, "message": warning.message })).collect()
}
