//! What the controllers say, beside what is found here.

use super::widgets::canvas::Canvas;
use super::widgets::line::Line;
use super::words;
use crate::app::layout::Layout;
use crate::app::state::State;
use crate::app::world::Phase;
use crate::domain::controller::{Beside, Cause, Lag, Reported};
use crate::domain::kustomization::{Kustomization, Kustomizations};
use crate::domain::object::{ImageRepository, ImageUpdateAutomation, Kind, ObjectId};
use crate::domain::proposal::{ObjectIdentity, Proposal};
use crate::domain::running::{self, Running, Use};
use crate::domain::status::Ready;
use crate::theme::Role;

/// Draws why a kind could not be read in the place of a list that has no rows; `false` where that is not why.
pub(super) fn unread_page(canvas: &mut Canvas<'_>, state: &State, layout: &Layout, kinds: &[Kind]) -> bool {
    if let Phase::Failed(problem) = &state.phase {
        let lines = words::problem(problem, layout.header.width.saturating_sub(4));
        super::page(canvas, layout, "Nobody knows what there is: the objects could not be read.", &lines);
        return true;
    }
    let unread = &state.inventory.unread;
    let unread = kinds.iter().find_map(|kind| Some((kind, unread.of(*kind)?)));
    let Some((kind, problem)) = unread else { return false };
    let lines = words::problem(problem, layout.header.width.saturating_sub(4));
    super::page(
        canvas,
        layout,
        &format!("Nobody knows whether there is an {kind}: it could not be read."),
        &lines,
    );
    true
}

/// What the controller selected for a policy, for its column: `6.5.4`, or `≠ 6.5.3` where we select something else.
pub(super) fn selected(state: &State, id: &ObjectId) -> (Role, String) {
    let theirs = state.reported(Kind::ImagePolicy, id).and_then(|reported| reported.latest.as_ref());
    let tag = theirs.map_or("-", |latest| latest.tag.as_str());
    let (role, text) = match (state.beside(id), theirs) {
        (Beside::Differs(Cause::Image), Some(theirs)) => {
            (Role::StateWarn, format!("≠ {}:{tag}", theirs.image))
        }
        (Beside::Differs(_), _) => (Role::StateWarn, format!("≠ {tag}")),
        (Beside::Agrees | Beside::Unknown, _) => (Role::TextDim, tag.to_owned()),
    };
    (as_known(state, role), text)
}

/// The role of what was read of a cluster: while that is not reached, nobody knows whether it is still so.
pub(super) fn as_known(state: &State, role: Role) -> Role {
    if state.lost.is_some() { Role::StateStale } else { role }
}

/// That what controllers say is as it was when the cluster was last reached.
fn stale(state: &State, width: u16) -> Vec<Line> {
    let Some(since) = state.lost.filter(|_| state.live.is_some()) else { return Vec::new() };
    let time = words::when(state.now, since, &state.zone);
    let text = format!("the cluster is not reached since {time}: what it says is as it was then");
    words::paragraph("stale", Role::StateStale, &text, width)
}

/// The tags that the workloads of an update run, for its column; `?` where that is not known, `-` where none runs it.
pub(super) fn running(state: &State, update: &Proposal) -> String {
    let Some(running) = &state.around.running else { return String::new() };
    let tags = running::tags(&uses(running, update));
    match tags.is_empty() {
        false => tags,
        true if running.unread.is_empty() => "-".to_owned(),
        true => "?".to_owned(),
    }
}

fn uses<'a>(running: &'a Running, update: &Proposal) -> Vec<&'a Use> {
    let objects: Vec<&ObjectIdentity> = update.sites.iter().map(|site| &site.object).collect();
    running.in_objects(&update.image, &objects)
}

/// How many workloads are named.
const NAMED: usize = 3;

/// What runs of an update's image, and what keeps its files from the cluster.
pub(super) fn update(state: &State, update: &Proposal, width: u16) -> Vec<Line> {
    let mut lines = Vec::new();
    let files = update.sites.iter().map(|site| site.file.as_str());
    let known = state.around.kustomizations.as_ref();
    for obstacle in
        known.into_iter().flat_map(|all| all.in_the_way(&state.inventory, &update.automation, files.clone()))
    {
        lines.extend(words::paragraph("cluster", Role::StateWarn, &obstacle.message, width));
    }
    let Some(running) = &state.around.running else { return lines };
    let uses = uses(running, update);
    if !uses.is_empty() {
        let named: Vec<String> = uses
            .iter()
            .take(NAMED)
            .map(|one| format!("{} in {}", running::tags(&[one]), one.workload))
            .collect();
        let more = uses.len().checked_sub(NAMED).filter(|more| *more > 0);
        let more = more.map_or_else(String::new, |more| format!(" and {more} more"));
        lines.extend(words::paragraph(
            "running",
            Role::TextDim,
            &format!("{}{more}", named.join(", ")),
            width,
        ));
    } else if let Some(problem) = running.unread.first() {
        let text = format!("not known: {}", problem.message);
        lines.extend(words::paragraph("running", Role::StateWarn, &text, width));
    }
    lines
}

/// When an automation last ran in the cluster, for its column.
pub(super) fn last_run(state: &State, id: &ObjectId) -> String {
    let ran = state.reported(Kind::ImageUpdateAutomation, id).and_then(|reported| reported.last_run);
    ran.map_or_else(|| "-".to_owned(), |time| words::when(state.now, time, &state.zone))
}

/// What the controller says of a policy.
pub(super) fn policy(state: &State, id: &ObjectId, width: u16) -> Vec<Line> {
    let Some(reported) = state.reported(Kind::ImagePolicy, id) else { return nowhere(state) };
    let mut lines = stale(state, width);
    if let Some(latest) = &reported.latest {
        let digest = latest.digest.as_deref().map(|digest| format!("@{digest}")).unwrap_or_default();
        let tag = match state.beside(id) {
            Beside::Differs(Cause::Image) => format!("{}:{}", latest.image, latest.tag),
            _ => latest.tag.clone(),
        };
        lines.push(words::fact("controller", Line::of(as_known(state, Role::Text), tag).dim(digest)));
    }
    if let Beside::Differs(cause) = state.beside(id) {
        lines.extend(words::paragraph("differs", Role::StateWarn, &format!("≠ {cause}"), width));
    }
    lines.extend(lag(state.lag(Kind::ImagePolicy, id), width));
    lines.extend(condition(state, reported, width));
    lines.extend(drift(state, Kind::ImagePolicy, id, width));
    lines
}

/// What the controller says of a repository.
pub(super) fn repository(state: &State, repository: &ImageRepository, width: u16) -> Vec<Line> {
    let id = &repository.meta.id;
    let Some(reported) = state.reported(Kind::ImageRepository, id) else { return nowhere(state) };
    let mut lines = stale(state, width);
    if let Some(scan) = &reported.last_scan {
        let time = words::when(state.now, scan.time, &state.zone);
        let found = format!(
            "{} tags at {time}",
            crate::text::spaced(usize::try_from(scan.tags).unwrap_or(usize::MAX))
        );
        lines.push(words::fact("controller", Line::of(as_known(state, Role::Text), found)));
    }
    lines.extend(lag(state.lag(Kind::ImageRepository, id), width));
    lines.extend(condition(state, reported, width));
    lines.extend(drift(state, Kind::ImageRepository, id, width));
    lines
}

/// What the controller says of an automation.
pub(super) fn automation(state: &State, automation: &ImageUpdateAutomation, width: u16) -> Vec<Line> {
    let id = &automation.meta.id;
    let Some(reported) = state.reported(Kind::ImageUpdateAutomation, id) else { return nowhere(state) };
    let mut lines = stale(state, width);
    if let Some((commit, time)) = &reported.last_push {
        let when = time.map(|time| format!(" at {}", words::when(state.now, time, &state.zone)));
        let push = Line::of(as_known(state, Role::Text), words::short(commit)).dim(when.unwrap_or_default());
        lines.push(words::fact("last push", push));
    }
    lines.extend(lag(state.lag(Kind::ImageUpdateAutomation, id), width));
    lines.extend(condition(state, reported, width));
    lines.extend(drift(state, Kind::ImageUpdateAutomation, id, width));
    lines
}

/// Where there is a cluster that does not have the object.
fn nowhere(state: &State) -> Vec<Line> {
    let not_there = Line::of(Role::TextDim, "not in the cluster");
    state.live.iter().map(|_| words::fact("controller", not_there.clone())).collect()
}

/// The `Ready` condition: all that is well is said in one line.
fn condition(state: &State, reported: &Reported, width: u16) -> Vec<Line> {
    let Some(ready) = reported.condition("Ready") else { return Vec::new() };
    let role = match ready.status {
        Ready::True => Role::TextDim,
        Ready::False => Role::StateError,
        Ready::Unknown => Role::StateWarn,
    };
    let role = as_known(state, role);
    words::paragraph("says", role, &format!("{}: {}", ready.reason, ready.message), width)
}

fn lag(lag: Option<Lag>, width: u16) -> Vec<Line> {
    // Why one fails its condition says, which follows.
    let lag = lag.filter(|lag| !matches!(lag, Lag::Failing(_)));
    lag.map(|lag| words::paragraph("behind", Role::StateWarn, &lag.to_string(), width)).unwrap_or_default()
}

fn drift(state: &State, kind: Kind, id: &ObjectId, width: u16) -> Vec<Line> {
    let Some(fields) = state.drift(kind, id) else { return Vec::new() };
    let text =
        format!("the file differs from the cluster in {}{}", fields.join(", "), applier(state, kind, id));
    words::paragraph("drift", Role::StateWarn, &text, width)
}

/// `; Kustomization flux-system/apps, which applies it, is suspended`: what applies an object, and what keeps it from that.
fn applier(state: &State, kind: Kind, id: &ObjectId) -> String {
    let labels = state.inventory.meta(kind, id).map(|meta| &meta.labels);
    let Some(by) = labels.and_then(Kustomizations::applier) else { return String::new() };
    let known = state.around.kustomizations.as_ref().and_then(|known| known.all.get(&by));
    match known.and_then(Kustomization::trouble) {
        Some((_, trouble)) => format!("; Kustomization {by}, which applies it, {trouble}"),
        None => format!("; Kustomization {by} applies it"),
    }
}
