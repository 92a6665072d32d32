//! S4: policies, what each selects here, and why one does not.

use super::widgets::canvas::Canvas;
use super::widgets::columns::{Column, Cut};
use super::widgets::frame;
use super::widgets::line::Line;
use super::widgets::table::{Cell, Row};
use super::{Heads, cluster, tags, words};
use crate::app::action::key_of;
use crate::app::layout::{Layout, Tier};
use crate::app::rows;
use crate::app::state::State;
use crate::app::view::View;
use crate::app::world::{Compared, Phase, Verdict};
use crate::domain::lint::Link;
use crate::domain::object::{ImagePolicy, Kind, ObjectId};
use crate::domain::policy::Failure;
use crate::problem::Problem;
use crate::text::spaced;
use crate::theme::Role;

/// The columns.
const COLUMNS: [Column; 8] = [
    Column::fixed("SEL", 3),
    Column::fixed("POLICY", 24).flex(14, 40).cut(Cut::Start).first(),
    Column::fixed("KIND", 10).snug(),
    Column::fixed("RULE", 14).flex(6, 32).drop(3),
    Column::fixed("LATEST HERE", 15).flex(12, 40).cut(Cut::Middle).first().over(3),
    Column::fixed("STATUS", 15).snug(),
    Column::fixed("REPOSITORY", 18).flex(12, 40).cut(Cut::Start).drop(2),
    Column::fixed("SITES", 5).right().drop(1),
];

/// The columns of the orders that [`crate::app::rows::sorts`] names.
const SORTED: [(&str, bool); 3] = [("STATUS", false), ("POLICY", false), ("KIND", false)];

/// The columns where a cluster has a say.
const COLUMNS_BESIDE: [Column; 9] = [
    COLUMNS[0],
    COLUMNS[1],
    COLUMNS[2],
    COLUMNS[3],
    COLUMNS[4],
    Column::fixed("CONTROLLER", 12).flex(10, 24).cut(Cut::Middle).drop(4),
    COLUMNS[5],
    COLUMNS[6],
    COLUMNS[7],
];

/// Draws the view.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    if state.policies.is_empty() {
        return empty(canvas, state, layout);
    }
    let columns: &[Column] = if state.live.is_some() { &COLUMNS_BESIDE } else { &COLUMNS };
    super::list(canvas, state, layout, &state.policies, Heads::of(columns, &SORTED), |id| row(state, id));
    let Some(policy) = state.preview.row(&state.policies).and_then(|id| state.inventory.policies.get(id))
    else {
        return;
    };
    let width = super::preview_width(layout);
    let (role, word) = status(state, &policy.meta.id);
    let title = frame::title(policy.meta.id.to_string()).and(" ").with(role, word);
    let lines = preview(state, policy, width).into_iter().chain(tags_below(
        state,
        layout,
        &policy.meta.id,
        canvas.is_ascii(),
    ));
    super::preview(canvas, state, layout, &title, lines, &Line::default());
}

fn row<'a>(state: &'a State, id: &ObjectId) -> Row<'a> {
    let Some(policy) = state.inventory.policies.get(id) else { return Row::Line(Line::default()) };
    let mark =
        if state.policies.selected.contains(id) { (Role::DecApproved, "[x]") } else { (Role::Text, "[ ]") };
    let (role, word) = status(state, id);
    let mut cells = vec![
        Cell::of(mark.0, mark.1),
        Cell::plain(id.to_string()),
        Cell::plain(kind(policy)),
        Cell::of(Role::TextDim, short_rule(policy)),
        match rows::latest(state, id) {
            Some(tag) => Cell::of(Role::TagLatest, tag),
            None => Cell::of(Role::TextDim, "-"),
        },
        Cell::of(role, word),
        Cell::of(Role::TextDim, policy.repository.to_string()),
        Cell::of(Role::TextDim, rows::sites_of(state, id).to_string()),
    ];
    if state.live.is_some() {
        let (role, text) = cluster::selected(state, id);
        cells.insert(5, Cell::of(role, text));
    }
    Row::Cells(cells)
}

fn status(state: &State, id: &ObjectId) -> (Role, &'static str) {
    let word = rows::policy_word(state, id);
    let role = match word {
        "ok" => Role::StateOk,
        "fails" | "no access" => Role::StateError,
        "selects nothing" | "stuck" | "differs" | "access unknown" | "no automation" | "no source" => {
            Role::StateWarn
        }
        _ => Role::TextDim,
    };
    (role, word)
}

/// `alphabetical` is longer than its column.
fn kind(policy: &ImagePolicy) -> &'static str {
    match policy.choice.kind_and_rule() {
        Some(("alphabetical", _)) => "alphabet.",
        Some((kind, _)) => kind,
        None => "none",
    }
}

/// `6.x`, or `asc $ts`.
fn short_rule(policy: &ImagePolicy) -> String {
    let rule = policy.choice.kind_and_rule().map_or("", |(_, rule)| rule);
    match &policy.filter {
        Some(filter) if !filter.extract.is_empty() => format!("{rule} {}", filter.extract),
        _ => rule.to_owned(),
    }
}

fn kind_and_rule(policy: &ImagePolicy) -> Line {
    match policy.choice.kind_and_rule() {
        Some((kind, rule)) => Line::plain(format!("{kind} {rule}")),
        None => Line::of(Role::StateError, "no rule"),
    }
}

/// `numerical asc  ^r(?P<n>[0-9]+)$ → $n`.
pub(super) fn rule_in_short(policy: &ImagePolicy, arrow: &str) -> Line {
    let line = kind_and_rule(policy);
    let Some(filter) = &policy.filter else { return line };
    let line = line.and("  ").and(&filter.pattern);
    if filter.extract.is_empty() { line } else { line.dim(format!(" {arrow} ")).and(&filter.extract) }
}

/// `numerical asc   pattern ^r(?P<n>[0-9]+)$   extract $n`.
pub(super) fn rule(policy: &ImagePolicy) -> Line {
    let line = kind_and_rule(policy);
    let Some(filter) = &policy.filter else { return line };
    let line = line.dim("   pattern ").and(&filter.pattern);
    if filter.extract.is_empty() { line } else { line.dim("   extract ").and(&filter.extract) }
}

fn preview(state: &State, policy: &ImagePolicy, width: u16) -> Vec<Line> {
    let id = &policy.meta.id;
    let mut lines = vec![words::fact("policy", rule(policy))];
    lines.push(words::fact("repository", Line::plain(policy.repository.to_string())));
    let chain = state.review.survey.chains.get(id);
    let Some(verdict) = state.shown_verdict(id) else {
        let waiting = "not evaluated yet: its repository was not scanned";
        lines.push(words::fact("latest", Line::of(Role::TextDim, waiting)));
        lines.extend(cluster::policy(state, id, width));
        lines.extend(chain.into_iter().flat_map(|chain| words::chain(chain, width)));
        return lines;
    };
    lines.push(words::fact("tags", counts(verdict)));
    match (&verdict.reference, &verdict.problem) {
        (Some(reference), _) => {
            lines.push(words::fact("latest", Line::of(Role::TagLatest, &reference.tag)));
            let digest = reference.digest.as_deref();
            lines.extend(digest.map(|digest| words::fact("digest", Line::plain(digest))));
            let why = verdict
                .evaluation
                .latest
                .map(|at| verdict.evaluator.row(&verdict.tags, &verdict.evaluation, at).reason);
            lines.extend(why.map(|why| words::fact("why", Line::plain(why))));
        }
        (None, Some(problem)) => lines.extend(whats_wrong(state, (id, problem), "open.playground", width)),
        (None, None) => lines.push(words::fact("latest", Line::of(Role::TextDim, "selects nothing"))),
    }
    lines.extend(cluster::policy(state, id, width));
    let sites = rows::sites_of(state, id);
    if sites > 0 || state.compared != Compared::Never {
        lines.push(words::fact("sites", Line::plain(words::count(sites, "marked scalar"))));
    }
    // What is wrong before the markers is said above already.
    let behind = chain.filter(|chain| chain.link >= Link::Marker);
    lines.extend(behind.into_iter().flat_map(|chain| words::chain(chain, width)));
    if verdict.evaluation.random {
        let tie = "another tag compares equal; which of them Flux keeps is unspecified";
        lines.push(words::fact("tie", Line::of(Role::StateWarn, tie)));
    }
    lines
}

/// The tags of a policy under a heading, for a preview that has the height of the screen.
pub(super) fn tags_below<'a>(
    state: &'a State,
    layout: &Layout,
    id: &ObjectId,
    ascii: bool,
) -> impl Iterator<Item = Line> + use<'a> {
    let verdict = state.shown_verdict(id).filter(|_| layout.tier >= Tier::T3);
    let heading = Line::plain("  ").dim(format!("tags, as {id} orders them"));
    verdict.into_iter().flat_map(move |verdict| {
        [Line::default(), heading.clone()].into_iter().chain(tags::in_order(verdict, ascii))
    })
}

/// Why a policy selects nothing of the tags that are there; `None` if it selects one, or if its error says it all.
pub(super) fn failure(state: &State, id: &ObjectId) -> Option<Failure> {
    let verdict = state.shown_verdict(id).filter(|verdict| verdict.reference.is_none())?;
    verdict.evaluator.failure(&verdict.tags, &verdict.evaluation)
}

/// What is wrong with a policy, as lines of a preview. One that selects nothing of its tags comes with the harm that does and the
/// edit that mends it, to be tried by the action `playground`; all else is said in Flux's own words.
pub(super) fn whats_wrong(
    state: &State,
    (id, problem): (&ObjectId, &Problem),
    playground: &str,
    width: u16,
) -> Vec<Line> {
    let verdicts = state.shown_verdict(id).and_then(|verdict| verdict.problem.as_ref());
    let is_verdicts = verdicts.is_some_and(|of_verdict| of_verdict.message == problem.message);
    let Some(failure) = failure(state, id).filter(|_| is_verdicts) else {
        return words::problem(problem, width);
    };
    let harm = match rows::sites_and_files(state, id) {
        (0, _) => String::new(),
        (sites, files) => {
            let (sites, files) = (words::count(sites, "site"), words::count(files, "file"));
            format!(", so nothing is selected for {sites} in {files}")
        }
    };
    let mut lines = words::paragraph("reason", Role::StateError, &(failure.reason + &harm), width);
    let try_it = format!("{} tries another rule live", key_of(state, playground));
    let mend = state
        .shown_verdict(id)
        .and_then(|verdict| verdict.evaluator.mend(&verdict.tags, &verdict.evaluation));
    let fix = mend.map_or_else(|| try_it.clone(), |fix| format!("{fix}   {try_it}"));
    lines.extend(words::paragraph("fix", Role::Text, &fix, width));
    lines
}

/// `88 tags, 61 match`.
fn counts(verdict: &Verdict) -> Line {
    let counts = &verdict.evaluation.counts;
    Line::plain(format!("{}, {} match", words::count(counts.tags, "tag"), spaced(counts.candidates)))
}

fn empty(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    if super::nothing_matches(canvas, state, layout, View::Policies) {
        return;
    }
    if state.phase == Phase::Loading {
        return super::page(canvas, layout, "Reading the objects …", &[]);
    }
    if cluster::unread_page(canvas, state, layout, &[Kind::ImagePolicy]) {
        return;
    }
    if !state.inventory.has_no_policy() {
        let says = Line::of(Role::KeyHint, key_of(state, "view.errors"))
            .and("  names the places that describe them differently.");
        return super::page(canvas, layout, "Every ImagePolicy is ambiguous, so none is followed.", &[says]);
    }
    let ways = Line::plain("supercargo create image policy").dim("   writes one; ");
    let ways = ways.and("supercargo eval policy").dim("   tries one without saving");
    super::page(canvas, layout, &format!("No ImagePolicy in {}.", state.source), &[ways]);
}

/// How many policies stand where.
pub(super) fn summary(state: &State) -> Line {
    let words = state.inventory.policies.keys().map(|id| rows::policy_word(state, id));
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for word in words.filter(|word| *word != "ok") {
        *counts.entry(word).or_default() += 1;
    }
    let total = words::count(state.inventory.policies.len(), "policy");
    counts.iter().fold(Line::plain(total), |line, (word, count)| line.and(format!(" · {count} {word}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::world::Live;
    use crate::domain::controller::Reported;
    use crate::domain::object::{DigestPolicy, ImageRepository, PolicyChoice};
    use crate::domain::proposal::Reference;

    #[test]
    fn what_the_controller_says_is_shown_before_anything_was_evaluated_here() {
        let meta = ImageRepository::of_image("reg/web").meta;
        let id = meta.id.clone();
        let policy = ImagePolicy {
            repository: id.clone(),
            meta,
            choice: PolicyChoice::default(),
            filter: None,
            digest_policy: DigestPolicy::Never,
            interval: None,
            suspend: false,
        };
        let latest = Some(Reference { image: "reg/web".to_owned(), tag: "1.4.2".to_owned(), digest: None });
        let reports = [((Kind::ImagePolicy, id), Reported { latest, ..Reported::default() })].into();
        let live = Live { reports: std::sync::Arc::new(reports), ..Live::default() };
        let mut state = State::default();
        state.live = Some(live);
        let lines = preview(&state, &policy, 80);
        let says = |line: &Line| line.runs().iter().any(|(text, _)| text.as_str() == "1.4.2");
        assert!(lines.iter().any(says), "{lines:?}");
    }
}
