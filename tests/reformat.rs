//! What we say of Flux's reformatting, against what Flux writes.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support {
    pub mod generate;
    pub mod programs;
    pub mod reference;
}

use std::collections::BTreeMap;

use serde_json::Value;
use supercargo::domain::batch;
use supercargo::domain::manifest::{Manifest, reformats};
use supercargo::domain::object::ObjectId;
use supercargo::domain::proposal::Reference;
use supercargo::domain::setter::{Resolution, Setters};
use support::{generate, reference};

/// A request of the operation `set` for a whole tree without links.
fn request(random: &mut generate::Random) -> Value {
    let mut asked = generate::set::request(random);
    asked["symlinks"] = serde_json::json!({});
    asked["update_path"] = "".into();
    asked
}

fn answer(asked: &Value) -> Value {
    serde_json::from_str(&batch::answer(asked.to_string().as_bytes()).text).unwrap()
}

/// A policy and its latest reference, if it has one.
fn policy(asked: &Value) -> (ObjectId, Option<Reference>) {
    let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
    let digest = asked["digest"].as_str().map(str::to_owned);
    let latest = Reference { image: text("image"), tag: text("tag"), digest };
    (ObjectId::new(text("namespace"), text("name")), (!latest.image.is_empty()).then_some(latest))
}

/// What we say of a file that a request changes.
fn said(asked: &Value, path: &str, after: &str) -> Option<bool> {
    let policies: Vec<_> = asked["policies"].as_array().unwrap().iter().map(policy).collect();
    let setters = Setters::new(policies.iter().map(|(id, latest)| (id, latest.as_ref()))).unwrap();
    let before = Manifest::parse(asked["files"][path].as_str().unwrap()).unwrap();
    reformats(&before, &Manifest::parse(after).unwrap(), &|name| {
        matches!(setters.resolve(name), Resolution::Known { .. })
    })
}

#[test]
fn what_controllers_reformat_is_never_denied_and_seldom_unknown() {
    let requests = reference::requests(request);
    let asked = requests.iter().cloned().map(|mut request| {
        request["op"] = "set-flux".into();
        request
    });
    let Some(theirs) = reference::answers(asked.collect()) else { return };
    // Said and true → how many, and the shortest.
    let mut found: BTreeMap<(Option<bool>, bool), (usize, String)> = BTreeMap::new();
    for (asked, theirs) in requests.iter().zip(theirs) {
        let ours = answer(asked);
        for (path, after) in ours["files"].as_object().unwrap() {
            let (after, Some(written)) = (after.as_str().unwrap(), theirs["files"][path].as_str()) else {
                continue;
            };
            let case = found.entry((said(asked, path, after), written != after)).or_default();
            case.0 += 1;
            if case.1.is_empty() || after.len() < case.1.len() / 2 {
                case.1 = format!("{after}--- Flux\n{written}");
            }
        }
    }
    let count = |said, truth| found.get(&(said, truth)).map_or(0, |(count, _)| *count);
    let all: usize = found.values().map(|(count, _)| count).sum();
    let unknown = count(None, true) + count(None, false);
    reference::say(&format!(
        "reformats: {all} files, {unknown} unknown, {} wrong true",
        count(Some(true), false)
    ));
    let denied = found.get(&(Some(false), true));
    assert_eq!(denied.map(|(_, shortest)| shortest), None);
    assert_eq!(found.get(&(Some(true), false)).map(|(_, shortest)| shortest), None);
    assert!(unknown * 16 <= all, "{unknown} of {all}, such as {:?}", found.get(&(None, false)));
}
