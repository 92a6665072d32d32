//! S9 behind its dialogs: what is being done, and what became of it.

use ratatui::layout::Rect;

use super::rect;
use super::widgets::canvas::{Canvas, to_cells};
use super::widgets::frame;
use super::widgets::line::Line;
use super::words;
use crate::app::layout::Layout;
use crate::app::pointer::Spot;
use crate::app::state::{NextStep, PushRun, State, Task};
use crate::app::view::View;
use crate::domain::landing::{Landed, LandingStep, Merge, outrun};
use crate::domain::request::{Request, RequestState};
use crate::problem::Problem;
use crate::text::Shown;
use crate::theme::Role;

/// What Git says of an exchange that needed no credential.
const NO_CREDENTIAL: &str = "none";

/// Draws progress, or the result.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    let Some(run) = &state.push else { return };
    let area = rect(layout.list);
    let y = match &run.result {
        None => section(canvas, area, area.y, &progress_title(state, run), &[]),
        Some(result) => {
            let lines = result_lines(canvas, result, run, area.width);
            let y = section(canvas, area, area.y, &frame::title(result_title(run, result)), &lines);
            next_steps(canvas, state, area, y + 1, run)
        }
    };
    let title = if run.result.is_some() { "what was done" } else { "steps" };
    let steps = steps(state, run, area.width);
    section(canvas, area, y + 1, &frame::title(title), &steps);
}

/// Draws a rule with `title` at row `y` and `lines` below it; returns the first row below them.
fn section(canvas: &mut Canvas<'_>, area: Rect, y: u16, title: &Line, lines: &[Line]) -> u16 {
    let room = area.bottom().saturating_sub(y);
    if room == 0 {
        return y;
    }
    frame::rule(canvas, Rect { y, height: 1, ..area }, title, false);
    let used = frame::lines(canvas, Rect { y: y + 1, height: room - 1, ..area }, lines);
    y + 1 + used
}

fn progress_title(state: &State, run: &PushRun) -> Line {
    let what = match (run.stopping, run.dry_run, &run.task) {
        (true, ..) => " stopping",
        (false, true, _) => " dry run: nothing will be sent",
        (false, false, Task::Push(_)) => " pushing",
        (false, false, Task::Merge(_)) => " merging",
    };
    let seconds = state.at.since(run.since) / 1000;
    let elapsed = if seconds >= 2 { format!("   {seconds} s") } else { String::new() };
    Line::plain(words::spinner(state)).with(Role::Select, what).dim(elapsed)
}

fn result_title(run: &PushRun, result: &Result<Vec<Landed>, Problem>) -> String {
    if run.is_stopped() {
        return "stopped, nothing was pushed".to_owned();
    }
    if matches!(run.task, Task::Merge(_)) {
        return merge_title(run, result).to_owned();
    }
    let Ok(landed) = result else { return "push failed".to_owned() };
    let failed = landed.iter().filter(|landed| landed.error.is_some()).count();
    if run.dry_run && failed == 0 {
        return "DRY RUN, nothing was pushed".to_owned();
    }
    let pushed = landed.iter().filter(|landed| landed.pushed || landed.already).count();
    match failed {
        0 => format!("pushed {}", words::count(pushed, "commit")),
        _ if outrun(landed).is_some() => "the remote moved, nothing was pushed".to_owned(),
        _ if pushed == 0 => "push failed".to_owned(),
        _ => format!("pushed {pushed} of {}", words::count(landed.len(), "commit")),
    }
}

fn merge_title(run: &PushRun, result: &Result<Vec<Landed>, Problem>) -> &'static str {
    match result {
        Err(_) => "merge failed, nothing was merged",
        Ok(_) if run.dry_run => "DRY RUN, nothing was merged",
        Ok(_) => "merged",
    }
}

fn result_lines(
    canvas: &Canvas<'_>,
    result: &Result<Vec<Landed>, Problem>,
    run: &PushRun,
    width: u16,
) -> Vec<Line> {
    match result {
        Err(problem) => problem_lines(problem, width),
        Ok(all) => {
            let lines = |landed| landed_lines(landed, all, run, canvas.arrow(), width);
            all.iter().flat_map(lines).collect()
        }
    }
}

fn problem_lines(problem: &Problem, width: u16) -> Vec<Line> {
    let mut lines = words::problem(problem, width);
    if !problem.subject.is_empty() {
        lines.insert(0, words::fact("where", Line::plain(&problem.subject)));
    }
    lines
}

/// One commit: built, sent, verified, or why not.
fn landed_lines(landed: &Landed, all: &[Landed], run: &PushRun, arrow: &str, width: u16) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(commit) = &landed.commit {
        let subject = run.subjects.iter().find(|(automation, _)| *automation == landed.automation);
        let line = outcome(true, "commit").and(words::short(commit)).and("  ");
        lines.push(match subject {
            Some((_, subject)) => line.and(subject),
            None => line.dim(landed.automation.to_string()),
        });
    }
    match &landed.error {
        Some(problem) if landed.is_there() => {
            lines.extend(sent(landed, all, run.dry_run, arrow));
            let (what, place) =
                landed.missed.as_ref().map_or(("request", &landed.branch), |missed| ("push", missed));
            lines.push(outcome(false, what).and(place).dim("  of ").and(&landed.remote));
            lines.extend(problem_lines(problem, width));
        }
        Some(problem) => {
            let line = outcome(false, "push");
            lines.push(if landed.remote.is_empty() {
                line.and("there is no remote")
            } else {
                line.and(&landed.branch).dim("  of ").and(&landed.remote)
            });
            lines.extend(problem_lines(problem, width));
        }
        None => lines.extend(sent(landed, all, run.dry_run, arrow)),
    }
    let credential = landed.credential.as_deref().filter(|credential| *credential != NO_CREDENTIAL);
    if let Some(credential) = credential {
        lines.push(Line::plain("                   ").dim("logged in with ").dim(credential));
    }
    lines.extend(landed.request.as_ref().filter(|_| is_last(landed, all)).map(request));
    lines
}

/// Whether a commit is the last of its push, which is what a request shows.
fn is_last(landed: &Landed, all: &[Landed]) -> bool {
    let last = all.iter().rfind(|other| (&other.remote, &other.branch) == (&landed.remote, &landed.branch));
    last.is_none_or(|last| last.commit == landed.commit)
}

/// `  ok   request    #418  https://git.example.com/ops/fleet/pulls/418`.
fn request(request: &Request) -> Line {
    let page = request.url.as_deref().unwrap_or_default();
    if let (None, Some(warning)) = (&request.url, &request.warning) {
        return outcome(false, "request").and(&warning.message);
    }
    match request.state {
        RequestState::Open => outcome(true, "request").and(request.label()).and("  ").and(page),
        RequestState::Link => outcome(true, "request").and("open it at ").and(page),
        RequestState::Simulated => outcome(true, "request").dim("would be opened  ").dim(page),
    }
}

/// `  ok   pushed     image-updates  4c1f0e2 → 8d2e91b`, and what the remote said when it was asked afterwards.
///
/// Of several commits in one push the first made the branch, and the last is what the remote reports. What no commit of the plan
/// brought has none to show.
fn sent(landed: &Landed, all: &[Landed], dry_run: bool, arrow: &str) -> Vec<Line> {
    if landed.already && landed.commit.is_none() {
        return vec![outcome(true, "there").and(&landed.branch).dim("  has all of it already")];
    }
    let mut push =
        all.iter().filter(|other| (&other.remote, &other.branch) == (&landed.remote, &landed.branch));
    let is_first = push.next().is_none_or(|first| first.commit == landed.commit);
    let tip = push.next_back().and_then(|last| last.commit.as_deref()).map(words::short);
    let commit = landed.commit.as_deref().map(words::short).unwrap_or_default();
    let verb = if dry_run { "would push" } else { "pushed" };
    let line = outcome(true, verb).and(landed.places()).and("  ").and(words::short(&landed.base));
    let line = line.dim(format!(" {arrow} ")).and(&commit);
    let line = if landed.created && is_first { line.dim("  (new branch)") } else { line };
    match (dry_run, landed.already, landed.verified) {
        (true, ..) => vec![line],
        (_, true, _) => vec![line.dim("   (was there already)")],
        (_, _, true) => {
            let verified = outcome(true, "verified");
            let verified = match tip.filter(|tip| *tip != commit) {
                Some(tip) => verified.dim("below ").and(tip).dim(", which the remote now reports"),
                None => verified.dim("the remote now reports ").and(commit),
            };
            vec![line, verified]
        }
        (_, _, false) => vec![line.with(Role::StateWarn, "   (not verified)")],
    }
}

fn outcome(is_ok: bool, what: &str) -> Line {
    let (role, word) = if is_ok { (Role::StateOk, "ok  ") } else { (Role::StateError, "FAIL") };
    Line::plain("  ").with(role, word).and(format!(" {what:<11}"))
}

/// "what now": a list with a cursor; returns the first row below it.
fn next_steps(canvas: &mut Canvas<'_>, state: &State, area: Rect, y: u16, run: &PushRun) -> u16 {
    let first = section(canvas, area, y, &frame::title("what now"), &[]);
    let rows = run.next.rows();
    for (at, step) in rows.iter().enumerate() {
        let y = first + to_cells(at);
        if y >= area.bottom() {
            break;
        }
        canvas.spot(Rect { y, height: 1, ..area }, Spot::Row(at));
        canvas.line(area.x + 2, y, area.width.saturating_sub(2), &next_step(state, step));
        if at == run.next.cursor() && state.overlay.is_none() {
            canvas.highlight(Rect { y, height: 1, width: area.width.min(56), ..area });
            canvas.mark(area.x, y);
            canvas.put_cursor(area.x, y);
        }
    }
    first + to_cells(rows.len())
}

fn next_step(state: &State, step: &NextStep) -> Line {
    match step {
        NextStep::CopyRequest(_) => Line::plain("copy the link of the request"),
        NextStep::RequestAgain => Line::plain("try the request again, and confirm again"),
        NextStep::CopyCommit(commit) => Line::plain("copy the commit id").dim("  ").dim(words::short(commit)),
        NextStep::Revert { commit, .. } => match commit.split_once("..") {
            Some((after, last)) => {
                let range = format!("{}..{}", words::short(after), words::short(last));
                Line::plain("prepare a revert of these commits").dim("  ").dim(range)
            }
            None => Line::plain("prepare a revert of this commit").dim("  ").dim(words::short(commit)),
        },
        NextStep::Merge(Merge { from, into, .. }) => {
            Line::plain("merge ").and(from).and(" into ").and(into).dim("  (asks again)")
        }
        NextStep::CopyProblem(_) => Line::plain("copy what went wrong"),
        NextStep::Again => Line::plain("ask the remote again, and confirm again"),
        NextStep::WithoutRequest => Line::plain("push without a request, and confirm again"),
        NextStep::Target => Line::plain("choose where the commits go"),
        NextStep::BackToUpdates => match state.review.tally().pending {
            // What was pushed is being compared with what is there now, so the number would change at once.
            _ if state.jobs.propose.is_some() => Line::plain("back to updates"),
            0 => Line::plain("back to updates"),
            left => Line::plain(format!("back to updates ({left} left)")),
        },
    }
}

/// `  14:06:11  git fetch origin main                                        0.4 s`.
fn steps(state: &State, run: &PushRun, width: u16) -> Vec<Line> {
    // What stands before and behind the text: two blanks, the time, how long it took.
    let room = usize::from(width).saturating_sub(22);
    // Where it went stands at its end.
    let text = |step: &LandingStep| Shown::new(&step.text).cut_middle(room);
    let longest = run.steps.iter().map(|(_, step)| text(step).width()).fold(room.min(58), usize::max);
    let line = |(time, step): &(jiff::Timestamp, LandingStep)| {
        let took = match step.millis {
            Some(millis) => words::seconds(std::time::Duration::from_millis(millis)),
            None if run.result.is_none() => words::spinner(state).to_owned(),
            None => String::new(),
        };
        let text = text(step);
        let pad = (longest + 2).saturating_sub(text.width());
        let line = Line::plain("  ").dim(words::clock_seconds(*time, &state.zone)).and("  ").and(text);
        line.and(" ".repeat(pad)).dim(took)
    };
    run.steps.iter().map(line).collect()
}

/// The word in the crumbs: `push` while it runs, `result` when it has ended.
pub(super) fn crumb(state: &State, view: View) -> &'static str {
    let is_over = state.push.as_ref().is_some_and(|run| run.result.is_some());
    if view == View::Push && is_over { "result" } else { view.title() }
}

/// What the status line says.
pub(super) fn summary(state: &State) -> Line {
    let Some(run) = &state.push else { return Line::default() };
    match &run.result {
        None if run.is_sending() => Line::plain("commits are being sent: the push runs to its end"),
        None if run.stopping => Line::plain("stops as soon as it can"),
        None => Line::plain("nothing was sent yet: q or Ctrl-c stops it"),
        Some(_) if run.is_stopped() => Line::of(Role::StateInfo, "stopped: nothing was pushed"),
        Some(Err(problem)) => Line::of(Role::StateError, problem.to_string()),
        Some(Ok(_)) if matches!(run.task, Task::Merge(_)) && !run.dry_run => {
            Line::of(Role::StateOk, "merged, and the remote was asked whether it is")
        }
        Some(Ok(_)) if run.dry_run => {
            Line::of(Role::StateInfo, "nothing was pushed; start with --write, or :mode write, to push")
        }
        Some(Ok(all)) => {
            let pushed = all.iter().filter(|landed| landed.pushed).count();
            let said = format!("{} pushed", words::count(pushed, "commit"));
            let open = |landed: &&Landed| {
                let request = landed.request.as_ref();
                is_last(landed, all) && request.is_some_and(|request| request.state == RequestState::Open)
            };
            match all.iter().filter(open).count() {
                0 => Line::of(Role::StateOk, said),
                open => Line::of(Role::StateOk, format!("{said} · {} open", words::count(open, "request"))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn landed(base: &str, commit: &str) -> Landed {
        Landed {
            automation: crate::domain::object::ObjectId::new("flux-system", "apps"),
            remote: "https://git.example.com/fleet".to_owned(),
            branch: "image-updates".to_owned(),
            also: Vec::new(),
            missed: None,
            created: true,
            base: base.to_owned(),
            commit: Some(commit.to_owned()),
            pushed: true,
            verified: true,
            already: false,
            credential: None,
            request: None,
            error: None,
        }
    }

    #[test]
    fn what_no_commit_of_the_plan_brought_is_there_without_one() {
        let there = Landed { commit: None, already: true, pushed: false, ..landed("", "") };
        let lines = sent(&there, std::slice::from_ref(&there), false, "→");
        let said = lines.iter().flat_map(Line::runs).map(|(text, _)| text.as_str()).collect::<String>();
        assert_eq!(said.trim(), "ok   there      image-updates  has all of it already");
    }

    #[test]
    fn of_two_commits_in_one_push_the_first_makes_the_branch_and_the_last_is_what_the_remote_reports() {
        let all = [landed("4c1f0e2", "8d2e91b"), landed("8d2e91b", "b7f2712")];
        let said: Vec<String> = all
            .iter()
            .flat_map(|landed| sent(landed, &all, false, "→"))
            .map(|line| {
                line.runs().iter().map(|(text, _)| text.as_str()).collect::<String>().trim().to_owned()
            })
            .collect();
        assert_eq!(
            said,
            [
                "ok   pushed     image-updates  4c1f0e2 → 8d2e91b  (new branch)",
                "ok   verified   below b7f2712, which the remote now reports",
                "ok   pushed     image-updates  8d2e91b → b7f2712",
                "ok   verified   the remote now reports b7f2712",
            ]
        );
    }
}
