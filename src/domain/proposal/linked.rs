//! Sites that hold the parts of one reference: name, tag and digest beside each other in one object.

use super::{Decision, Proposal, Site};

/// Whether two sites belong together: markers of one object under one policy for parts of one reference.
pub fn is_linked(a: &Site, b: &Site) -> bool {
    let policy = |site: &Site| site.setter.splitn(3, ':').take(2).map(str::to_owned).collect::<Vec<_>>();
    let is_part = |site: &Site| site.setter.split(':').count() > 2;
    if (a.line, a.column, &a.file) == (b.line, b.column, &b.file) {
        return true;
    }
    a.file == b.file
        && a.object == b.object
        && is_part(a)
        && is_part(b)
        && policy(a) == policy(b)
        && parent(a) == parent(b)
}

/// The mapping that a site's field is in.
fn parent(site: &Site) -> &str {
    site.field.rsplit_once('.').map_or("", |(parent, _)| parent)
}

impl Proposal {
    /// Puts back to undecided what was approved of sites whose linked ones are not approved, as when one of them came later: half
    /// a reference is none. Returns their places among [`Self::sites`]; [`Self::decision`] is left to the caller.
    pub fn settle_links(&mut self) -> Vec<usize> {
        let is_open = |site: &&Site| site.decision != Decision::Approved && site.blocked.is_none();
        let open: Vec<&Site> = self.sites.iter().filter(is_open).collect();
        let mut places = Vec::new();
        for (place, site) in self.sites.iter().enumerate() {
            let is_approved = site.decision == Decision::Approved;
            if is_approved && open.iter().any(|other| is_linked(site, other)) {
                places.push(place);
            }
        }
        for place in &places {
            if let Some(site) = self.sites.get_mut(*place) {
                site.decision = Decision::Undecided;
            }
        }
        places
    }
}
