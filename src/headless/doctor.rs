//! `doctor`: what `check` says and what the terminal is like; `doctor registry`: what one registry says to whom.

use super::Answer;
use super::check::{self, Check, Outcome, Report};
use super::session::Session;
use crate::cli::{CheckArgs, DoctorArgs, DoctorWhat};
use crate::config::Settings;
use crate::engine::{Examined, Place};
use crate::problem::Problem;
use crate::registry::{Outcome as Came, RegistryError, Trial};
use crate::store::Dirs;

/// `doctor`, `doctor registry HOST|IMAGE`.
pub(super) fn doctor(settings: &Settings, args: &DoctorArgs) -> Result<Answer, Problem> {
    match &args.what {
        Some(DoctorWhat::Registry { place }) => registry(settings, place),
        None => {
            let mut checks = check::all(settings, &CheckArgs { pre: false })?;
            checks.extend(paths());
            #[cfg(feature = "tui")]
            checks.extend(
                crate::runtime::described(settings)
                    .map(|(name, text)| Check::new(name, Outcome::Passed, text)),
            );
            Ok(Report::answer(checks))
        }
    }
}

/// Where our files lie.
fn paths() -> [Check; 2] {
    let dirs = Dirs::from_environment(|name| std::env::var_os(name));
    [("paths/state", dirs.state), ("paths/cache", dirs.cache)].map(|(name, dir)| match dir {
        Some(dir) => Check::new(name, Outcome::Passed, dir.display().to_string()),
        None => Check::new(name, Outcome::Skipped, "there is no home: all is kept in memory"),
    })
}

fn registry(settings: &Settings, place: &str) -> Result<Answer, Problem> {
    super::asks(settings, "doctor registry")?;
    let place = Place::parse(place)?;
    // Objects that cannot be read keep nobody from asking a registry.
    let (session, unread) = match Session::open_or_empty(settings) {
        Ok(session) => (session, None),
        Err(problem) => (Session::empty(settings)?, Some(problem)),
    };
    let examined = session.run(async { Ok(session.engine.examine(&session.world, &place).await) })?;
    let checks = examined.iter().flat_map(checks_of).collect();
    let problems = unread.into_iter().chain(session.problems()).collect();
    Ok(Report::answer(checks).with_problems(problems))
}

/// A line for the registry, and one for each credential, in the order in which they are tried.
fn checks_of(examined: &Examined) -> Vec<Check> {
    let found = &examined.examination;
    let (door, name) = (format!("registry/{}", examined.host), format!("credential/{}", examined.host));
    let as_object =
        examined.repository.as_ref().map(|id| format!(", as ImageRepository {id} asks")).unwrap_or_default();
    let subject = format!("{}{as_object}", examined.subject);
    let mut checks = vec![match &found.door {
        Ok(text) => Check::new(door, Outcome::Passed, format!("{text}; asked for {subject}")),
        Err(error) => return vec![Check::failed(door, &error.problem(subject))],
    }];
    let let_in = found.accepted.is_some();
    checks.extend(found.trials.iter().map(|trial| useless(&name, trial, let_in)));
    if let Some(error) = &found.error {
        let problem = error.problem(subject);
        let mut check = Check::failed(name.clone(), &problem);
        if matches!(error, RegistryError::Denied { .. }) {
            // What it said to each stands above.
            "nobody was let in".clone_into(&mut check.message);
        }
        checks.push(check);
    }
    if let Some(label) = &found.accepted {
        checks.push(Check::new(name.clone(), Outcome::Passed, format!("{label}: let in")));
    }
    let left = found.left.iter().map(|label| format!("{label}: not needed"));
    checks.extend(left.map(|text| Check::new(name.clone(), Outcome::Skipped, text)));
    checks
}

/// A credential that was of no use; that is a failure only if no other was of any.
fn useless(name: &str, trial: &Trial, let_in: bool) -> Check {
    let label = trial.text();
    let (text, fix) = match &trial.outcome {
        Came::Refused(answer) => {
            (format!("{label}: refused, {answer}"), "Renew this login, or take it away.")
        }
        Came::Unavailable(reason) => {
            (format!("{label}: {reason}"), "Mend the helper, or take it out of the configuration.")
        }
        Came::Withheld { by, said } => (
            format!("{label}: not shown to {by}, to which the registry leads and which said {said}"),
            "Name the registry that answers, or have the redirect mended.",
        ),
        Came::Nothing(place) => {
            return Check::new(name, Outcome::Skipped, format!("{label}: has no login for {place}"));
        }
    };
    let outcome = if let_in { Outcome::Skipped } else { Outcome::Failed };
    let check = Check::new(name, outcome, text);
    if trial.who.is_none() && matches!(trial.outcome, Came::Refused(_)) { check } else { check.fix(fix) }
}
