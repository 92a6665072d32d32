//! Updates that a person asked for although their policies select something else: they take a commit back, or go to an
//! older tag.

use super::ground::Ground;
use crate::domain::manifest::MarkedScalar;
use crate::domain::proposal::{Proposal, Site};

/// The update as it stands on `grounds`: a site whose scalar is not there any more, or holds another value by now, is left
/// out. `None`: no site is left, or there is no ground of its automation.
pub fn stand(grounds: &[Ground], update: &Proposal) -> Option<Proposal> {
    let ground = grounds.iter().find(|ground| ground.automation == update.automation)?;
    let mut taken: Vec<(&str, usize, usize)> = Vec::new();
    let mut sites = Vec::new();
    for site in &update.sites {
        let file = ground.files.iter().find(|file| file.path == site.file);
        let scalars = file.map_or(&[][..], |file| &file.sites);
        let is_free = |scalar: &&MarkedScalar| {
            is_it(site, scalar) && !taken.contains(&(site.file.as_str(), scalar.line, scalar.column))
        };
        if let Some(scalar) = scalars.iter().find(is_free) {
            taken.push((&site.file, scalar.line, scalar.column));
            sites.push(Site { line: scalar.line, column: scalar.column, ..site.clone() });
        }
    }
    let mut update = Proposal { sites, ..update.clone() };
    update.decision = update.overall();
    (!update.sites.is_empty()).then_some(update)
}

/// Whether a scalar is that of `site`, wherever it stands now, and holds what it held.
fn is_it(site: &Site, scalar: &MarkedScalar) -> bool {
    (&site.setter, &site.field, &site.object, &site.old)
        == (&scalar.setter, &scalar.field, &scalar.object, &scalar.value)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::domain::age::Clocks;
    use crate::domain::object::{ObjectId, Person};
    use crate::domain::plan::MarkedFile;
    use crate::domain::proposal::{Decision, UpdateState};

    fn ground(text: &str) -> Ground {
        Ground {
            automation: ObjectId::new("shop", "apps"),
            policies: vec![ObjectId::new("shop", "web")],
            path: String::new(),
            remote: None,
            base: None,
            push: None,
            author: Person::default(),
            template: String::new(),
            template_values: BTreeMap::new(),
            warnings: Vec::new(),
            files: Arc::new(vec![MarkedFile::read("web.yaml", text.to_owned()).unwrap()]),
            problem_files: Vec::new(),
            committing: crate::domain::plan::Committing::default(),
        }
    }

    const TWO: &str =
        "a: web:2 # {\"$imagepolicy\": \"shop:web\"}\nb: web:2 # {\"$imagepolicy\": \"shop:web\"}\n";

    /// The update of both scalars of [`TWO`] to `web:1`, approved.
    fn back() -> Proposal {
        let ground = ground(TWO);
        let sites = ground.files[0].sites.iter().map(|scalar| Site {
            new: "web:1".to_owned(),
            decision: Decision::Approved,
            ..crate::domain::plan::propose::site("web.yaml", scalar)
        });
        Proposal {
            policy: ObjectId::new("shop", "web"),
            automation: ground.automation.clone(),
            image: "web".to_owned(),
            current: vec!["2".to_owned()],
            new: None,
            step: None,
            downgrade: true,
            name_changed: false,
            state: UpdateState::Pending,
            decision: Decision::Approved,
            hold: None,
            blocked: None,
            why: String::new(),
            first_seen: None,
            clocks: Clocks::default(),
            sites: sites.collect(),
        }
    }

    #[test]
    fn what_moved_to_another_line_is_still_meant() {
        let stands = stand(&[ground(&format!("# new\n{TWO}"))], &back()).unwrap();
        assert_eq!(stands.sites.iter().map(|site| site.line).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(stands.decision, Decision::Approved);
    }

    #[test]
    fn what_has_another_value_by_now_is_left_out() {
        let changed = TWO.replacen("web:2", "web:3", 1);
        let stands = stand(&[ground(&changed)], &back()).unwrap();
        assert_eq!(stands.sites.iter().map(|site| site.line).collect::<Vec<_>>(), [2]);
        assert_eq!(stand(&[ground(&TWO.replace("web:2", "web:3"))], &back()), None);
        assert_eq!(stand(&[], &back()), None);
    }
}
