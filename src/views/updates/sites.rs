//! A site in the preview: where it stands, and its line before and after.

use crate::domain::proposal::Site;
use crate::problem::Problem;
use crate::text::Shown;
use crate::theme::Role;
use crate::views::edit::{Edit, in_sight};
use crate::views::widgets::line::Line;

/// `apps/web.yaml:12`.
pub(super) fn place(site: &Site) -> Shown {
    Shown::new(&format!("{}:{}", site.file, site.line))
}

/// A site with its line before and after; `widest` is the width of the longest place, `width` that of the pane.
pub(super) fn site_lines(
    site: &Site,
    blocked: Option<&Problem>,
    (widest, width): (usize, u16),
    text: Option<&str>,
) -> Vec<Line> {
    let at = place(site);
    let pad = " ".repeat(widest.saturating_sub(at.width()) + 3);
    let head = Line::plain("  ").and(at).and(pad);
    let room = usize::from(width).saturating_sub(head.width());
    let head = head.append(site_of(site, room));
    let mut lines = vec![head];
    if let Some(problem) = blocked {
        lines.push(Line::plain("    ").with(Role::StateError, &problem.message));
    }
    if site.blocked.is_some() {
        return lines;
    }
    let edit = text.and_then(|text| Edit::of(text, site));
    let (old, new) = edit.map_or_else(
        || {
            (
                Line::of(Role::DiffDel, "-").with(Role::DiffDel, &site.old),
                Line::of(Role::DiffAdd, "+").with(Role::DiffAdd, &site.new),
            )
        },
        |edit| in_sight(&edit, usize::from(width).saturating_sub(4)),
    );
    lines.extend([old, new].map(|line| Line::plain("    ").append(line)));
    lines
}

/// `Deployment flux-system/podinfo   .spec.containers[0].image` in `room` cells: of a long path its end stays.
pub(in crate::views) fn site_of(site: &Site, room: usize) -> Line {
    let object = if site.object.kind.is_empty() { Line::default() } else { object_of(site).and("   ") };
    let room = room.saturating_sub(object.width());
    object.dim(end_of_field(&site.field, room))
}

/// A path of keys, from its first part with which it fits.
fn end_of_field(field: &str, room: usize) -> Shown {
    let whole = Shown::new(field);
    if whole.width() <= room {
        return whole;
    }
    let ends = field.match_indices('.').filter_map(|(at, _)| field.get(at..).map(Shown::new));
    let end = ends.skip(1).find(|end| end.width() < room);
    end.map_or(whole, |end| Shown::new("…").and(end))
}

/// `Deployment flux-system/podinfo`; without a namespace only the name.
pub(in crate::views) fn object_of(site: &Site) -> Line {
    let object = &site.object;
    let name = match (object.namespace.as_str(), object.name.as_str()) {
        (_, "") => String::new(),
        ("", name) => format!(" {name}"),
        (namespace, name) => format!(" {namespace}/{name}"),
    };
    Line::default().dim(&object.kind).and(name)
}
