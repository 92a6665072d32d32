//! `get holds`, `hold` and `unhold`: what people hold back.

use serde_json::{Map, Value, json};

use super::session::Session;
use super::{Answer, Document, Table, Text};
use crate::cli::{HoldArgs, UnholdArgs};
use crate::config::Settings;
use crate::domain::hold::{self, Until};
use crate::domain::object::{Kind, ObjectId};
use crate::domain::proposal::Hold;
use crate::domain::reference::is_valid_tag;
use crate::engine::Engine;
use crate::problem::{Code, Problem};
use crate::text::count;

/// Several holds.
struct HoldList(Vec<Hold>);

/// The one that was just made.
struct Made(Hold);

impl Document for HoldList {
    fn kind(&self) -> &'static str {
        "HoldList"
    }

    fn json(&self) -> Map<String, Value> {
        Map::from_iter([("items".to_owned(), json!(self.0))])
    }

    fn text(&self, _wide: bool) -> Text {
        if self.0.is_empty() {
            return Text::Nothing;
        }
        let mut table = Table::new(["POLICY", "TAG", "UNTIL", "BY", "SINCE", "REASON"]);
        for Hold { policy, tag, until, reason, by, since } in &self.0 {
            let tag = tag.clone().unwrap_or_else(|| "(all)".to_owned());
            let cells =
                [policy.to_string(), tag, until.to_string(), by.clone(), since.to_string(), reason.clone()];
            table.push(cells);
        }
        Text::Table(table)
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|hold| format!("hold/{}", hold.policy)).collect()
    }
}

impl Document for Made {
    fn kind(&self) -> &'static str {
        "Hold"
    }

    fn json(&self) -> Map<String, Value> {
        match json!(self.0) {
            Value::Object(object) => object,
            _ => Map::new(),
        }
    }

    fn text(&self, _wide: bool) -> Text {
        Text::Nothing
    }

    fn names(&self) -> Vec<String> {
        vec![format!("hold/{}", self.0.policy)]
    }
}

/// `get holds`.
pub(super) fn get(settings: &Settings) -> Result<Answer, Problem> {
    let engine = Engine::open(settings.clone())?;
    let mut holds = engine.store().holds().in_force(crate::engine::now());
    let namespace = settings.namespace.as_ref();
    holds.retain(|hold| namespace.is_none_or(|wanted| *wanted == hold.policy.namespace));
    let note = holds.is_empty().then_some("✔ nothing is held");
    let answer = Answer::new(HoldList(holds)).with_problems(engine.store().take_warnings());
    Ok(note.into_iter().fold(answer, Answer::with_note))
}

/// `hold POLICY [--tag T] [--until DATE|7d] --reason R`.
pub(super) fn hold(settings: &Settings, args: &HoldArgs) -> Result<Answer, Problem> {
    if let Some(tag) = args.tag.as_ref().filter(|tag| !is_valid_tag(tag)) {
        return Err(Problem::new(
            Code::Usage,
            "--tag",
            format!("{tag:?} is no tag that anything could have"),
        ));
    }
    let since = crate::engine::now();
    let until = args.until.unwrap_or(Until::days(settings.hold_days)).time(since);
    let until = until.map_err(|error| Problem::new(Code::Usage, "--until", error.to_string()))?;
    let looked = Session::open(settings).and_then(|session| {
        let known = session.world.inventory.policies.keys();
        Ok((session.find(Kind::ImagePolicy, &args.policy, known)?, session))
    });
    let (policy, session) = super::where_writable(settings, "hold", looked)?;
    let who = crate::engine::who();
    let by = who.split_once('@').map_or(who.as_str(), |(user, _)| user).to_owned();
    let hold = Hold { policy, tag: args.tag.clone(), until, reason: args.reason.clone(), by, since };
    session.engine.hold(&hold, settings.mode.word())?;
    let what = hold.tag.as_ref().map(|tag| format!(" {tag}")).unwrap_or_default();
    let note = format!("✔ {}{what} is held {}; controllers ignore holds", hold.policy, hold::text(&hold));
    let unknown = unknown_tag(&session, &hold);
    let answer = Answer::new(Made(hold)).with_problems(session.problems()).with_note(note);
    Ok(unknown.into_iter().fold(answer, Answer::with_note))
}

/// That the repository has no such tag, as far as is known: it may come yet, or be misspelt.
fn unknown_tag(session: &Session, hold: &Hold) -> Option<String> {
    let tag = hold.tag.as_ref()?;
    let repository = &session.world.inventory.policies.get(&hold.policy)?.repository;
    let scans = session.engine.cached(&session.world);
    let scan = scans.get(repository).filter(|scan| scan.tags.position(tag).is_none())?;
    let near = crate::text::nearest(tag, scan.tags.iter().take(2000));
    let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    Some(format!("⚠ {repository} has no tag {tag} as of {}{near}", scan.scanned))
}

/// `unhold POLICY [--tag T]`.
pub(super) fn unhold(settings: &Settings, args: &UnholdArgs) -> Result<Answer, Problem> {
    let session = Session::open_or_empty(settings)?;
    // A hold outlives the policy that it was on.
    let held: Vec<ObjectId> = session
        .engine
        .store()
        .holds()
        .in_force(crate::engine::now())
        .into_iter()
        .map(|hold| hold.policy)
        .collect();
    let mut known: Vec<&ObjectId> = session.world.inventory.policies.keys().chain(&held).collect();
    known.sort_unstable();
    known.dedup();
    let policy = session.find(Kind::ImagePolicy, &args.policy, known);
    let policy = super::where_writable(settings, "unhold", policy)?;
    let ended = session.engine.unhold(&policy, args.tag.as_deref().map(Some), settings.mode.word())?;
    let note = match ended.len() {
        0 => {
            let what = args.tag.as_ref().map(|tag| format!(" {tag}")).unwrap_or_default();
            format!("✔ {policy}{what} was not held")
        }
        ended => format!("✔ {policy}: {} released", count(ended, "hold")),
    };
    Ok(Answer::new(HoldList(ended)).with_problems(session.problems()).with_note(note))
}
