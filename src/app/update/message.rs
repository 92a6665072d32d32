//! S8: the commit message of one automation.

use crate::app::action::{self, Action};
use crate::app::effect::Effect;
use crate::app::input::Message;
use crate::app::review::Review;
use crate::app::state::{Editing, Level, State};
use crate::app::view::View;
use crate::domain::lint::Standing;
use crate::domain::object::ObjectId;
use crate::domain::plan::{message_data, template_problem, with_edits};
use crate::domain::proposal::Proposal;
use crate::domain::template;

/// Carries out an action of this module.
pub(super) fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Rerender => render_again(state),
        Action::EditMessage => {
            let text = state.editing.as_ref().map(|editing| editing.message.text());
            text.into_iter().map(Effect::Write).collect()
        }
        _ => open(state),
    }
}

/// The editor has ended. What it left is the message, whatever was typed here; what it could not write changes nothing.
pub(super) fn written(state: &mut State, written: Result<String, String>) -> Vec<Effect> {
    match (written, &mut state.editing) {
        (Ok(text), Some(editing)) => {
            let mut message = Message::default();
            message.insert(text.trim_end());
            editing.message = Message::new(&message.text());
            changed(state)
        }
        (Ok(_), None) => vec![],
        (Err(why), _) => {
            state.tell(Level::Warning, why);
            vec![]
        }
    }
}

/// Opens the message of the automation that the cursor's update belongs to, or of the first with an approval.
fn open(state: &mut State) -> Vec<Effect> {
    let automations = state.review.automations();
    let own = match state.view_below_help() {
        View::Diff => state.diff.tree.current().map(|node| node.update().automation.clone()),
        View::Plan => state.plan.current().map(|id| id.automation.clone()),
        _ => state.updates.current().map(|id| id.automation.clone()),
    };
    let automation = own.filter(|own| automations.contains(own)).or_else(|| automations.first().cloned());
    let Some(automation) = automation else { return vec![] };
    let (rendered, notes) = render(state, &automation);
    let message = match (state.review.messages.get(&automation), &rendered) {
        (Some(edited), _) => edited.clone(),
        (None, Some(rendered)) => Message::new(rendered),
        (None, None) => Message::default(),
    };
    state.editing = Some(Editing { automation, message, rendered, notes, replaces: false });
    state.show(View::Message);
    vec![]
}

/// The automation's template with what is approved, and what is to be said of it.
fn render(state: &State, automation: &ObjectId) -> (Option<String>, Vec<String>) {
    let Some(ground) = state.review.ground(automation) else {
        return (None, vec!["the remote was not read yet".to_owned()]);
    };
    if let Some(message) = state.review.wanted_message(automation) {
        return (Some(Message::new(message).text()), Vec::new());
    }
    let updates: Vec<Proposal> =
        state.review.approved().filter(|update| update.automation == *automation).cloned().collect();
    let data = message_data(ground, &updates, &state.review.selections);
    let rendered = template::render(&ground.template, &data);
    // A field that is used twice is warned of twice, and says the same.
    let mut notes: Vec<String> = Vec::new();
    for note in rendered.warnings.iter().map(|warning| &warning.message).chain(&rendered.error) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    // What the editor would make of it, so that looking at a message is no edit.
    let message = rendered.message.map(|message| with_edits(message, &updates));
    (message.map(|message| Message::new(&message).text()), notes)
}

/// An automation whose template gives no message for what is pending fails, before anybody approves anything.
pub(super) fn mark_failing(review: &mut Review) {
    for ground in review.grounds.iter() {
        let Some(problem) = template_problem(ground, review.updates(), &review.selections) else { continue };
        let (message, fix) = (Some(problem.message), problem.hint);
        let fails = Standing { word: "fails", is_broken: true, message, fix };
        let standings = &mut review.survey.automations;
        if standings.get(&ground.automation).is_none_or(|known| !known.is_broken) {
            standings.insert(ground.automation.clone(), fails);
        }
    }
}

/// The text changed: it is kept, now and across restarts.
pub(super) fn changed(state: &mut State) -> Vec<Effect> {
    let Some(editing) = &mut state.editing else { return vec![] };
    editing.replaces = false;
    let automation = editing.automation.clone();
    if editing.is_edited() {
        state.review.messages.insert(automation.clone(), editing.message.clone());
        vec![Effect::SaveDraft(automation, Some(editing.message.text()))]
    } else {
        state.review.messages.remove(&automation);
        vec![Effect::SaveDraft(automation, None)]
    }
}

/// Between subject and body.
pub(super) fn other_field(state: &mut State) {
    if let Some(editing) = &mut state.editing {
        editing.message.in_body = !editing.message.in_body;
    }
}

/// Replaces the text by what the template gives; an edited one only at the second key.
fn render_again(state: &mut State) -> Vec<Effect> {
    let Some(editing) = &mut state.editing else { return vec![] };
    if editing.is_edited() && !std::mem::replace(&mut editing.replaces, true) {
        let key = action::key_of(state, "message.render");
        state.tell(Level::Refusal, format!("your text would be replaced: {key} again does it"));
        return vec![];
    }
    let automation = editing.automation.clone();
    let (rendered, notes) = render(state, &automation);
    let message = rendered.as_deref().map(Message::new).unwrap_or_default();
    state.editing = Some(Editing { automation, message, rendered, notes, replaces: false });
    changed(state)
}
