//! What stands behind a tag, as lines of a preview.

use super::widgets::line::Line;
use super::words;
use crate::app::state::State;
use crate::domain::object::ObjectId;
use crate::theme::Role;

/// Digest, time, platforms, size, source, signature, clocks; nothing until that was told.
pub(super) fn of_tag(state: &State, repository: &ObjectId, tag: &str, width: u16) -> Vec<Line> {
    let Some(fact) = state.facts.get(repository, tag) else { return Vec::new() };
    let described = match &fact.told {
        Ok(Some(described)) => described,
        Ok(None) => return Vec::new(),
        Err(why) => return words::paragraph("not told", Role::StateWarn, why, width),
    };
    let facts = described.facts();
    let mut lines: Vec<Line> =
        facts.iter().flat_map(|(label, text)| words::paragraph(label, Role::Text, text, width)).collect();
    lines.extend(words::paragraph("clocks", Role::Text, &fact.clocks.text(state.now), width));
    lines
}

/// The link to what changed from the tag in the files to another, where both are known to be built from one source.
pub(super) fn compare(
    state: &State,
    repository: &ObjectId,
    (current, tag): (Option<&str>, &str),
    width: u16,
) -> Vec<Line> {
    let link = state.facts.compare(repository, current, tag);
    link.map_or_else(Vec::new, |link| words::paragraph("compare", Role::StateInfo, &link, width))
}
