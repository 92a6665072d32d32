//! Pull and merge requests for what was pushed: by the forge's API where there is a token; without one by what the forge
//! takes from a push itself, else as the page on which a person opens it.

use std::collections::BTreeMap;

use tokio::runtime::Handle;

use super::land::{Run, Steps, timed};
use super::{DryRun, Engine};
use crate::config::Settings;
use crate::domain::forge::{Address, ForgeKind};
use crate::domain::landing::Landed;
use crate::domain::plan::{Group, Plan, Warning};
use crate::domain::push_option::{self, one_line};
use crate::domain::request::{Request, RequestSpec, RequestState, RequestWish, RequestWords};
use crate::forge::{Forge, ForgeError, Forges, Located, Opened, Trouble, printed};
use crate::git::{GitUrl, PushReport, Scheme};
use crate::problem::{Code, Problem};

/// Bytes of a request's text that a push option has room for, beside the option's name.
const LONGEST_TEXT: usize = push_option::LONGEST - 100;

/// How the request of one push is to be opened.
pub(super) struct Opening {
    /// The request; its commit is known once it is built.
    spec: RequestSpec,
    located: Located,
    /// The forge's API, with a token or as a stranger; `None` where we speak none.
    forge: Option<Forge>,
}

/// Remote and branch of a push → how its request is opened.
pub(super) type Openings = BTreeMap<(String, String), Opening>;

/// What finds forges, with the authorities that the settings name.
pub(super) fn forges(settings: &Settings) -> Result<Forges, Problem> {
    let mut authorities = Vec::new();
    for path in &settings.ca_files {
        authorities.push((path.display().to_string(), super::scan::read_ca(path)?));
    }
    Forges::new(settings.forges.clone(), &authorities).map_err(|error| error.problem("forge client"))
}

impl Engine {
    /// How the requests of a plan are opened; finds out which forges the remotes are at.
    ///
    /// # Errors
    /// A push that can have no request: one to its own base, one to a remote that is at no forge.
    pub(super) async fn openings(
        &self,
        plan: &Plan,
        wish: &RequestWish,
        dry_run: DryRun,
    ) -> Result<Openings, Problem> {
        let mut openings = Openings::new();
        for groups in plan.pushes() {
            let Some((remote, head, base)) = groups.first().and_then(|group| places(group)) else {
                return Err(Problem::new(
                    Code::Usage,
                    "--pull-request",
                    "the plan has no Git remote to push to",
                ));
            };
            let base = base.strip_prefix("refs/heads/").filter(|base| *base != head).ok_or_else(|| {
                let message = format!(
                    "{head} is what the plan itself stands on, or that is no branch; a request needs two"
                );
                Problem::new(Code::Usage, "--pull-request", message)
                    .hint("Push to a branch of its own: --branch NAME")
            })?;
            let located = self.locate(remote, dry_run).await?;
            let spec = RequestSpec {
                head: head.to_owned(),
                base: base.to_owned(),
                commit: String::new(),
                words: RequestWords::of(&plan.id, &groups),
                wish: wish.clone(),
            };
            let forge = Forge::of(&located, &self.forges).map_err(|error| error.problem(remote))?;
            let key = (remote.to_owned(), head.to_owned());
            openings.insert(key, Opening { spec, located, forge });
        }
        Ok(openings)
    }

    /// Whether a request can be opened at a remote, an address without credentials; asks its host unless that is known.
    pub async fn has_forge(&self, remote: &str) -> bool {
        self.locate(remote, DryRun::Server).await.is_ok_and(|located| located.project.has_owner())
    }

    async fn locate(&self, remote: &str, dry_run: DryRun) -> Result<Located, Problem> {
        let address = address(remote)?;
        let located = match dry_run {
            DryRun::Client => self.forges.locate_offline(&address),
            DryRun::Server | DryRun::None => {
                self.forges.locate(&address).await.map_err(|error| error.problem(remote))?
            }
        };
        located.filter(|located| located.project.kind != ForgeKind::None).ok_or_else(|| {
            let message = "nobody knows a forge there, so no request can be opened";
            let host = if address.host.is_empty() { "HOST" } else { &address.host };
            Problem::new(Code::Config, remote, message).hint(format!(
                "Name it in the configuration: [forge.\"{host}\"] with kind = \"github\", \"gitlab\" or \"gitea\"."
            ))
        })
    }

    /// Opens the request of a push that ended well, and tells of it in the results of its commits.
    pub(super) fn open_request(
        &self,
        (plan, opening): (&Plan, &Opening),
        (run, report): (&Run<'_>, &PushReport),
        (dry_run, step): (DryRun, Steps<'_>),
        results: &mut [Landed],
    ) {
        if !opening.located.project.has_owner() {
            let none = Request { warning: Some(ownerless()), ..Request::unopened(None, RequestState::Link) };
            for result in results.iter_mut() {
                result.request = Some(none.clone());
            }
            return;
        }
        let Some(commit) = results.last().and_then(|landed| landed.commit.clone()) else { return };
        let spec = RequestSpec { commit, ..opening.spec.clone() };
        let text = opening.step(dry_run);
        let mut request = None;
        let done = timed(step, &text, || {
            let (opened, problem) = match dry_run {
                DryRun::None => {
                    let (opened, problem) = opening.open(&spec, run, report)?;
                    let warning = opening.undrafted(&opened).filter(|_| problem.is_none());
                    (Request { warning, ..opened }, problem)
                }
                DryRun::Client | DryRun::Server => (opening.simulate(&spec, dry_run)?, None),
            };
            request = Some(opened);
            problem.map_or(Ok(()), Err)
        });
        for result in results.iter_mut() {
            result.request.clone_from(&request);
            if let Err(problem) = &done {
                add_error(result, problem);
            }
        }
        self.audit_request(&plan.id, dry_run, results);
    }
}

impl Opening {
    /// Whether it is the request of this branch.
    pub(super) fn is_from(&self, branch: &str) -> bool {
        self.spec.head == branch
    }

    /// What goes along with the push, so that the forge itself opens the request.
    ///
    /// Source: docs.gitlab.com, "Push options for merge requests".
    pub(super) fn push_options(&self) -> Vec<String> {
        let project = &self.located.project;
        if project.kind != ForgeKind::GitLab || !project.has_owner() || self.located.token.is_some() {
            return Vec::new();
        }
        let RequestSpec { base, words, wish, .. } = &self.spec;
        let mut options = vec![
            "merge_request.create".to_owned(),
            format!("merge_request.target={base}"),
            format!("merge_request.title={}", words.title),
            format!("merge_request.description={}", one_line(&words.body, LONGEST_TEXT)),
        ];
        options.extend(wish.labels.iter().map(|label| format!("merge_request.label={label}")));
        options.extend(wish.draft.then(|| "merge_request.draft".to_owned()));
        options
    }

    /// `open pull request updates → main at GitHub`.
    fn step(&self, dry_run: DryRun) -> String {
        let kind = self.located.project.kind;
        let RequestSpec { head, base, .. } = &self.spec;
        let simulated = if dry_run == DryRun::None { "" } else { " (dry run)" };
        format!("{} {head} → {base} at {}{simulated}", kind.request(), kind.name())
    }

    /// The request, and what went wrong once it was open.
    fn open(
        &self,
        spec: &RequestSpec,
        run: &Run<'_>,
        report: &PushReport,
    ) -> Result<(Request, Option<Problem>), Problem> {
        match &self.forge {
            Some(forge) if self.located.token.is_some() => {
                let opened = wait(forge.request(spec)).map_err(|error| self.failed(&error.problem("")))?;
                let moved = if opened.is_behind { self.proposed(spec, run).map(drop) } else { Ok(()) };
                let Opened { request, trouble, .. } = opened;
                let problem = match (moved, trouble) {
                    (Err(problem), _) => Some(self.undone(&request, "did not get the commit", problem)),
                    (Ok(()), trouble) => trouble.map(|trouble| self.troubled(&request, &trouble)),
                };
                Ok((request, problem))
            }
            _ => self.open_without_token(spec, run, report).map(|request| (request, None)),
        }
    }

    fn open_without_token(
        &self,
        spec: &RequestSpec,
        run: &Run<'_>,
        report: &PushReport,
    ) -> Result<Request, Problem> {
        let project = &self.located.project;
        if let Some((number, page)) = printed::request(&report.server, project) {
            return Ok(Request::open(Some(number), page));
        }
        if let Some(said) = printed::refusal(&report.server) {
            return Err(self.failed(&Problem::new(Code::ForgeDenied, "", said)));
        }
        // What everybody may see, strangers too; a forge that shows nothing is no trouble here.
        let found = self.look(spec);
        if let Some(Opened { request, is_behind: false, .. }) = found {
            return Ok(request);
        }
        let link = || Request::unopened(self.page(), RequestState::Link);
        if project.kind != ForgeKind::Gitea {
            return Ok(link());
        }
        let proposed = self.proposed(spec, run).map_err(|problem| match &found {
            Some(found) => self.undone(&found.request, "did not get the commit", problem),
            None => self.failed(&problem),
        })?;
        Ok(proposed.or(found.map(|found| found.request)).unwrap_or_else(link))
    }

    /// Proposes the commit by `refs/for/…`, which opens a request or moves the one under this topic; `None` where the server
    /// shows no request afterwards.
    fn proposed(&self, spec: &RequestSpec, run: &Run<'_>) -> Result<Option<Request>, Problem> {
        let RequestSpec { words, wish, .. } = spec;
        let title = if wish.draft { format!("WIP: {}", words.title) } else { words.title.clone() };
        let options =
            [format!("title={title}"), format!("description={}", one_line(&words.body, LONGEST_TEXT))];
        let proposed = run.cache.propose(&run.remote, (&spec.base, &spec.head), &spec.commit, &options);
        let proposed = proposed.map_err(Problem::from)?;
        let project = &self.located.project;
        Ok(match (printed::request(&proposed.server, project), proposed.number) {
            (Some((number, page)), _) => Some(Request::open(Some(number), page)),
            (None, Some(number)) => Some(Request::open(Some(number), Forge::page(project, number))),
            (None, None) => None,
        })
    }

    /// What a push would lead to: one that is open, or one that would be opened.
    fn simulate(&self, spec: &RequestSpec, dry_run: DryRun) -> Result<Request, Problem> {
        let simulated = || Request::unopened(self.page(), RequestState::Simulated);
        match &self.forge {
            Some(forge) if dry_run == DryRun::Server && self.located.token.is_some() => {
                let found = wait(forge.open(spec)).map_err(|error| self.failed(&error.problem("")))?;
                Ok(found.map_or_else(simulated, |found| found.request))
            }
            _ if dry_run == DryRun::Server => {
                Ok(self.look(spec).map_or_else(simulated, |found| found.request))
            }
            _ => Ok(simulated()),
        }
    }

    /// The open request, if the forge shows it to strangers.
    fn look(&self, spec: &RequestSpec) -> Option<Opened> {
        let found = wait(self.forge.as_ref()?.open(spec));
        found.inspect_err(|error| tracing::debug!(%error, "forge: nothing is shown without a token")).ok()?
    }

    /// The page to open it on by hand.
    fn page(&self) -> Option<String> {
        self.located.project.compare_link(&self.spec.head, &self.spec.base)
    }

    /// That a request which was open before is no draft, though one is wished for, and what makes it one.
    ///
    /// Source: docs.github.com, "REST API endpoints for pull requests": `draft` is no parameter of an update.
    fn undrafted(&self, request: &Request) -> Option<Warning> {
        let is_wished = self.spec.wish.draft && request.draft == Some(false);
        let kind = self.located.project.kind;
        let way = match (kind, self.located.token.is_some()) {
            (ForgeKind::GitHub, _) => {
                "GitHub's API makes none of what is open: use \"Convert to draft\" on its page".to_owned()
            }
            (_, true) => format!("{} did not make it one", kind.name()),
            (_, false) => "that takes a token".to_owned(),
        };
        let what = (kind.request(), request.label());
        let text = || format!("the {} {} was open already and is no draft: {way}", what.0, what.1);
        is_wished.then(|| Warning::new("not_a_draft", text()))
    }

    /// What a forge refused of a request that is open.
    fn troubled(&self, request: &Request, trouble: &Trouble) -> Problem {
        match trouble {
            Trouble::Words(error) => self.undone(request, "keeps its title and text", error.problem("")),
            Trouble::Labels(error) => self.undone(request, "did not get its labels", error.problem("")),
        }
    }

    /// That a request is open, but what was not done to it.
    fn undone(&self, request: &Request, what: &str, problem: Problem) -> Problem {
        let (kind, label) = (self.located.project.kind.request(), request.label());
        let message = format!("the {kind} {label} is open, but {what}: {}", problem.message);
        Problem { message, ..problem }
    }

    /// A refusal with the page as the way out.
    fn failed(&self, problem: &Problem) -> Problem {
        let mut problem = problem.clone();
        problem.message =
            format!("the {} was not opened: {}", self.located.project.kind.request(), problem.message);
        if let Some(page) = self.page() {
            problem.causes.push(format!("it can be opened by hand: {page}"));
        }
        problem
    }
}

/// What is said instead of a request, where the remote's address names no owner and nobody else does.
fn ownerless() -> Warning {
    Warning::new("no_owner", "a repository without an owner: no requests there, the branch is all there is")
}

/// Tells of a problem in a result, after the one that is there.
fn add_error(result: &mut Landed, problem: &Problem) {
    match &mut result.error {
        Some(before) => {
            before.causes.push(problem.message.clone());
            before.causes.extend(problem.causes.iter().cloned());
        }
        None => {
            result.error = Some(Problem { subject: result.automation.to_string(), ..problem.clone() });
        }
    }
}

/// Remote, branch and base of a group.
fn places(group: &Group) -> Option<(&str, &str, &str)> {
    let (base, push) = (group.base.as_ref()?, group.push.as_ref()?);
    Some((group.remote.as_deref()?, &push.branch, &base.reference))
}

/// The address of a remote as forges need it.
pub(super) fn address(remote: &str) -> Result<Address, Problem> {
    let GitUrl { scheme, host, port, path, .. } = GitUrl::parse(remote).map_err(Problem::from)?;
    let port = port.filter(|_| matches!(scheme, Scheme::Http | Scheme::Https));
    Ok(Address { plain: scheme == Scheme::Http, host, port, path })
}

/// Waits for the network on a thread that may.
fn wait<T>(work: impl Future<Output = Result<T, ForgeError>>) -> Result<T, ForgeError> {
    Handle::current().block_on(work)
}
