//! Updates that a person asked for although their policies select something else: they take a commit back, or go to an
//! older tag. Edits of objects that go with them are set against the files by [`stand_edits`].

use super::ground::Ground;
use super::stale::not_as_decided;
use crate::domain::edit::{Check, ObjectEdit};
use crate::domain::manifest::MarkedScalar;
use crate::domain::proposal::{Proposal, Site};

/// The update as it stands on `grounds`: a site whose scalar is not there any more, or holds another value by now, is left
/// out. `None`: nothing is left, or there is no ground of its automation.
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
    (!update.sites.is_empty() || !update.edits.is_empty()).then_some(update)
}

/// Sets the edits of the updates of `ground`'s automation against its files; says which of them stand no more, and leaves
/// those out. `branch`: the files are of another branch than the one that the edits were made for.
pub fn stand_edits(
    ground: &Ground,
    updates: &mut [Proposal],
    (check, branch): (Check, Option<&str>),
) -> Vec<String> {
    let mut lost = Vec::new();
    for update in updates.iter_mut().filter(|update| update.automation == ground.automation) {
        let stand = |edit: ObjectEdit| {
            let now = ground.text(&edit.file).and_then(|text| edit.stand(text, check));
            if now.is_none() {
                let place = not_as_decided(&edit.file, edit.line, branch);
                lost.push(format!("{place}; {} is left out", edit.words()));
            }
            now
        };
        update.edits = std::mem::take(&mut update.edits).into_iter().filter_map(stand).collect();
    }
    lost
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
    use crate::domain::edit::EditField;
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
            template_values: None,
            warnings: Vec::new(),
            files: Arc::new(vec![MarkedFile::read("web.yaml", text.to_owned()).unwrap()]),
            problem_files: Vec::new(),
            texts: BTreeMap::new(),
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
            edits: Vec::new(),
        }
    }

    #[test]
    fn what_moved_to_another_line_is_still_meant() {
        let stands = stand(&[ground(&format!("# new\n{TWO}"))], &back()).unwrap();
        assert_eq!(stands.sites.iter().map(|site| site.line).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(stands.decision, Decision::Approved);
    }

    #[test]
    fn an_edit_that_stands_no_more_is_left_out_and_said() {
        let mut ground = ground(TWO);
        ground.texts.insert("auto.yaml".to_owned(), "# new\nspec:\n  x: y\n".into());
        let of = (EditField::Suspend, &ObjectId::new("shop", "apps"));
        let edit = |before: &str, after: &str| ObjectEdit::between(of, "auto.yaml", before, after).unwrap();
        let stands = edit("spec:\n  x: y\n", "spec:\n  suspend: true\n  x: y\n");
        let gone = edit("spec:\n  z: y\n", "spec:\n  z: 1\n");
        let mut updates = vec![Proposal { edits: vec![stands, gone.clone()], ..back() }];
        let check: Check = |_, after, _| after.contains("spec:\n  suspend: true\n");
        let lost = stand_edits(&ground, &mut updates, (check, None));
        assert_eq!(lost.len(), 1);
        assert!(lost[0].starts_with("auto.yaml:2 changed upstream"), "{lost:?}");
        assert_eq!(updates[0].edits.iter().map(|edit| edit.line).collect::<Vec<_>>(), [3], "it moved");
        let mut updates = [Proposal { edits: vec![gone], ..back() }];
        let lost = stand_edits(&ground, &mut updates, (check, Some("release")));
        assert!(lost[0].starts_with("auto.yaml:2 is otherwise on release; "), "{lost:?}");
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
