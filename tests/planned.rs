//! A plan in which everything is approved against the operation `set`, on files made up at random: the same files, byte for
//! byte, and in the commit message's data the same changes of the same objects. Planned again, there is nothing left.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod generate;
    pub mod set;
}

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use supercargo::domain::age::Clocks;
use supercargo::domain::object::{ObjectId, Person, PolicyChoice};
use supercargo::domain::plan::{
    BuildOptions, Committing, Ground, MarkedFile, Plan, ProblemFile, Review, Selection, message_data, propose,
};
use supercargo::domain::policy::Evaluator;
use supercargo::domain::proposal::{Decision, Proposal, Reference};
use supercargo::domain::setrun::Tree;
use support::{generate, set};

fn ground(asked: &Value) -> Ground {
    let texts =
        |name: &str| -> BTreeMap<String, String> { serde_json::from_value(asked[name].clone()).unwrap() };
    let (files, links) = (texts("files"), texts("symlinks"));
    let tree = Tree::new(files.iter().map(|(path, text)| (path.as_str(), text.as_bytes())))
        .with_links(links.iter().map(|(link, target)| (link.as_str(), target.as_str())));
    let scanned = tree.scan(asked["update_path"].as_str().unwrap()).unwrap();
    let path =
        scanned.first().map_or(String::new(), |file| match file.path.strip_suffix(&file.file).unwrap() {
            "" => String::new(),
            folder => folder.trim_end_matches('/').to_owned(),
        });
    let mut ground = Ground {
        automation: ObjectId::new("apps", "all"),
        policies: policies(asked).into_keys().collect(),
        path,
        remote: None,
        base: None,
        push: None,
        author: Person { name: String::new(), email: "bot@example.com".to_owned() },
        committing: Committing::default(),
        template: "x".to_owned(),
        template_values: None,
        warnings: Vec::new(),
        files: Arc::default(),
        problem_files: Vec::new(),
        texts: BTreeMap::new(),
    };
    let mut files = Vec::new();
    for file in scanned {
        let text = String::from_utf8(file.bytes.to_vec()).unwrap();
        match MarkedFile::read(file.path.clone(), text) {
            Ok(file) => files.push(file),
            Err(error) => ground.problem_files.push(ProblemFile { path: file.path, error }),
        }
    }
    ground.files = files.into();
    ground
}

fn policies(asked: &Value) -> BTreeMap<ObjectId, Reference> {
    asked["policies"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|asked| {
            let (id, latest) = set::policy(asked);
            Some((id, latest?))
        })
        .collect()
}

fn selections(asked: &Value) -> BTreeMap<ObjectId, Selection> {
    let evaluator = Arc::new(Evaluator::new(&PolicyChoice::default(), None, &[]));
    let selection = |reference: Reference| Selection {
        image: reference.image.clone(),
        outcome: Ok(reference),
        why: String::new(),
        clocks: Clocks::default(),
        tie: false,
        evaluator: Arc::clone(&evaluator),
    };
    policies(asked).into_iter().map(|(id, latest)| (id, selection(latest))).collect()
}

fn approved(mut proposals: Vec<Proposal>) -> Vec<Proposal> {
    for site in proposals.iter_mut().flat_map(|proposal| &mut proposal.sites) {
        site.decision = Decision::Approved;
    }
    proposals
}

fn options(messages: &BTreeMap<ObjectId, String>, split: bool) -> BuildOptions<'_> {
    BuildOptions {
        now: Timestamp::UNIX_EPOCH,
        who: String::new(),
        messages,
        author: None,
        split,
        check: supercargo::source::edit::check,
    }
}

/// The plan's answer in the words of the operation `set`.
fn planned(asked: &Value) -> Value {
    let (grounds, selections) = ([ground(asked)], selections(asked));
    let proposals = approved(propose(&grounds, &selections));
    let messages = BTreeMap::new();
    let (plan, contents) = Plan::build(proposals.clone(), &grounds, &selections, &options(&messages, false));
    assert_eq!(plan.problems, [], "{asked}");
    assert_eq!(plan.bytes_changed_outside_markers, 0, "{asked}");
    let files: BTreeMap<_, _> =
        contents.into_iter().flatten().map(|(path, edit)| (path, edit.after())).collect();
    let mut updates = Vec::new();
    for (file, objects) in message_data(&grounds[0], &proposals, &selections).file_changes {
        for changed in objects {
            updates.extend(changed.changes.iter().map(|change| {
                json!({ "file": file, "object": changed.object, "setter": change.setter,
                    "old": change.old_value, "new": change.new_value })
            }));
        }
    }
    let problem_files: Vec<_> = grounds[0].problem_files.iter().map(|problem| &problem.path).collect();
    json!({ "files": files, "updates": updates, "problem_files": problem_files })
}

/// The request with the plan's files in the place of those it was made from.
fn landed(asked: &Value, files: &Value) -> Value {
    let mut landed = asked.clone();
    for (path, text) in files.as_object().unwrap() {
        landed["files"][path] = text.clone();
    }
    landed
}

#[test]
fn a_plan_of_everything_changes_what_set_changes_and_leaves_nothing_to_plan() {
    let mut changed = 0;
    for seed in 0..1_500 {
        let asked = generate::set::request(&mut generate::Random::new(seed));
        let answer = set::answer(&asked);
        let updates = answer["updates"].as_array().unwrap();
        // A plan leaves a digest alone where Flux writes nothing in its place.
        if !answer["error"].is_null() || updates.iter().any(|update| update["new"] == "") {
            continue;
        }
        changed += updates.len();
        let planned = planned(&asked);
        assert_eq!(planned["files"], answer["files"], "{asked}");
        let again = self::planned(&landed(&asked, &planned["files"]));
        assert_eq!((&again["files"], &again["updates"]), (&json!({}), &json!([])), "planned again: {asked}");
        assert_eq!(set::sorted(&planned["updates"]), set::sorted(&answer["updates"]), "{asked}");
        assert_eq!(
            planned["problem_files"].as_array().unwrap().len(),
            answer["problem_files"].as_array().unwrap().len(),
            "{asked}"
        );
    }
    assert!(changed > 1_000, "{changed}");
}

/// The ground without its texts, for somebody who reads them as they are needed.
fn unread(ground: &Ground) -> Ground {
    let files = ground.files.iter().map(|file| MarkedFile { text: Arc::default(), ..file.clone() });
    Ground { files: Arc::new(files.collect()), ..ground.clone() }
}

#[test]
fn a_plan_whose_texts_are_read_as_they_are_needed_is_the_same() {
    let (mut files, mut shared) = (0, 0);
    for seed in 0..1_000 {
        let asked = generate::set::request(&mut generate::Random::new(seed));
        if !set::answer(&asked)["error"].is_null() {
            continue;
        }
        let own = ground(&asked);
        let other = Ground { automation: ObjectId::new("apps", "other"), ..own.clone() };
        let (grounds, selections) = ([own, other], selections(&asked));
        let lean = Arc::new(grounds.iter().map(unread).collect::<Vec<_>>());
        let read = |ground: &Ground, paths: &[&str]| {
            let whole = grounds.iter().find(|whole| whole.automation == ground.automation).unwrap();
            let text = |path: &&str| Some(((*path).to_owned(), whole.text(path)?.clone()));
            Ok(paths.iter().filter_map(text).collect())
        };
        let review = Review::new(Arc::new(grounds.to_vec()), propose(&grounds, &selections));
        let (reading, problems) = Review::reading(Arc::clone(&lean), propose(&lean, &selections), &read);
        assert_eq!((&reading.proposals, &reading.problem_files), (&review.proposals, &review.problem_files));
        assert_eq!((problems, reading.files), (vec![], vec![]), "{asked}");
        let (proposals, messages) = (approved(review.proposals), BTreeMap::new());
        for split in [false, true] {
            let options = options(&messages, split);
            let (plan, contents) = Plan::build(proposals.clone(), &grounds, &selections, &options);
            let (same, none) = Plan::build_reading(proposals.clone(), &lean, &selections, (&options, &read));
            assert_eq!(same, plan, "{asked}");
            assert_eq!(none, vec![BTreeMap::new(); plan.groups.len()]);
            files += contents.iter().map(BTreeMap::len).sum::<usize>();
            shared += usize::from(plan.groups.len() > 1);
        }
        let gone = |_: &Ground, _: &[&str]| Ok(Vec::new());
        let (gone, _) = Review::reading(lean, propose(&grounds, &selections), &gone);
        assert!(gone.proposals.iter().all(|update| update.blocked.is_some()), "{asked}");
    }
    assert!(files > 500 && shared > 50, "{files} {shared}");
}
