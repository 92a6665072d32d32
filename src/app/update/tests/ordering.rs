//! `:suspend`, `:resume`, `:reconcile`.

use std::sync::Arc;

use super::world::{press, review_of};
use super::*;
use crate::app::effect::Effect;
use crate::app::message::Ordered;
use crate::domain::object::{Kind, ObjectId};
use crate::domain::order::Order;
use crate::problem::{Code, Problem};

/// A state whose policies are of a cluster, on their list.
fn of_cluster() -> State {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let inventory = Arc::make_mut(&mut state.inventory);
    for policy in inventory.policies.values_mut() {
        policy.meta.origin.source = "cluster";
    }
    press(&mut state, &["3"]);
    state
}

/// Types a command.
fn command(state: &mut State, text: &str) -> Vec<Effect> {
    press(state, &[":"]);
    update(state, Msg::Paste(text.to_owned()));
    press(state, &["enter"])
}

fn orders(effects: &[Effect]) -> Vec<(Order, Kind, usize, bool)> {
    let order = |effect: &Effect| match effect {
        Effect::Order { order, kind, objects, dry_run } => Some((*order, *kind, objects.len(), *dry_run)),
        _ => None,
    };
    effects.iter().filter_map(order).collect()
}

#[test]
fn an_order_is_given_after_a_yes_and_only_tried_in_dry_run() {
    for (mode, dry_run) in [(Mode::Write, false), (Mode::DryRun, true)] {
        for (typed, order) in
            [("suspend", Order::Suspend), ("resume", Order::Resume), ("reconcile", Order::Reconcile)]
        {
            let mut state = of_cluster();
            state.mode = mode;
            assert_eq!(orders(&command(&mut state, typed)), []);
            assert_eq!(orders(&press(&mut state, &["enter"])), [], "Enter confirms nothing");
            assert_eq!(orders(&press(&mut state, &["y"])), [(order, Kind::ImagePolicy, 1, dry_run)]);
            assert!(state.overlay.is_none());
        }
    }
}

#[test]
fn an_order_that_was_not_meant_is_not_given() {
    let mut state = of_cluster();
    state.mode = Mode::Write;
    command(&mut state, "suspend");
    assert_eq!(orders(&press(&mut state, &["n"])), []);
    assert!(state.overlay.is_none());
}

#[test]
fn all_selected_rows_get_the_order() {
    let mut state = of_cluster();
    press(&mut state, &["space", "j", "space"]);
    command(&mut state, "suspend");
    assert_eq!(orders(&press(&mut state, &["y"])), [(Order::Suspend, Kind::ImagePolicy, 2, true)]);
}

#[test]
fn no_order_is_begun_in_read_only_or_for_what_is_in_no_cluster() {
    let mut state = of_cluster();
    state.mode = Mode::ReadOnly;
    assert_eq!(command(&mut state, "suspend"), []);
    assert!(state.overlay.is_none());
    assert!(state.status.as_ref().unwrap().text.contains("READ-ONLY: suspend"));
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &["3"]);
    command(&mut state, "suspend");
    assert!(state.overlay.is_none());
    assert!(state.status.as_ref().unwrap().text.contains("not in a cluster"));
}

#[test]
fn what_became_of_an_order_is_said_and_the_source_looked_at() {
    let mut state = of_cluster();
    let id = ObjectId::new("shop", "web");
    let ordered = |result, dry_run| {
        let results = vec![(id.clone(), result)];
        Msg::Ordered(Box::new(Ordered { order: Order::Suspend, kind: Kind::ImagePolicy, dry_run, results }))
    };
    assert_eq!(update(&mut state, ordered(Ok(None), true)), []);
    assert_eq!(state.status.as_ref().unwrap().text, "image policy shop/web suspended (dry run)");
    assert_eq!(update(&mut state, ordered(Ok(None), false)), [Effect::LookAtSource]);
    let refused = Problem::new(Code::ClusterForbidden, "prod", "not allowed to patch imagepolicies/web");
    assert_eq!(update(&mut state, ordered(Err(refused), false)), []);
    assert!(state.status.as_ref().unwrap().text.contains("not allowed to patch"));
}

#[test]
fn what_a_controller_is_asked_for_is_waited_for_and_its_outcome_said() {
    let mut state = of_cluster();
    let id = ObjectId::new("shop", "web");
    let results = vec![(id.clone(), Ok(Some("before".to_owned())))];
    let ordered = Ordered { order: Order::Reconcile, kind: Kind::ImagePolicy, dry_run: false, results };
    let effects = update(&mut state, Msg::Ordered(Box::new(ordered)));
    let waits = Effect::AwaitControllers(Kind::ImagePolicy, vec![(id.clone(), "before".to_owned())]);
    assert_eq!(effects, [Effect::LookAtSource, waits]);
    let said = |state: &mut State, result| {
        update(state, Msg::Reconciled(Kind::ImagePolicy, id.clone(), result));
        state.status.as_ref().unwrap().text.clone()
    };
    let done = said(&mut state, Ok("selected ref r/web:1.1".to_owned()));
    assert_eq!(done, "image policy shop/web reconciled: selected ref r/web:1.1");
    let late = Problem::new(Code::Timeout, "shop/web", "ImagePolicy was not reconciled within 300 s");
    assert!(said(&mut state, Err(late)).contains("was not reconciled"));
}

#[test]
fn an_order_that_the_operator_has_no_right_to_is_refused_with_the_reason() {
    let mut state = of_cluster();
    state.mode = Mode::Write;
    let reason = "not allowed to patch imagepolicies in namespace shop";
    let denied =
        |kind, namespace: &str| Msg::Denied([((kind, namespace.to_owned()), reason.to_owned())].into());
    update(&mut state, denied(Kind::ImagePolicy, "shop"));
    assert_eq!(command(&mut state, "suspend"), []);
    assert!(state.overlay.is_none());
    assert!(state.status.as_ref().unwrap().text.contains(reason));
    let results = vec![
        (ObjectId::new("edge", "web"), Ok(None)),
        (ObjectId::new("shop", "web"), Err(Problem::new(Code::ClusterForbidden, "prod", reason))),
    ];
    let ordered = Ordered { order: Order::Suspend, kind: Kind::ImagePolicy, dry_run: true, results };
    update(&mut state, Msg::Ordered(Box::new(ordered)));
    let said = "1 of 2: image policy edge/web suspended (dry run); ! says why not the others";
    assert_eq!(state.status.as_ref().unwrap().text, said);
    for other in [denied(Kind::ImageRepository, "shop"), denied(Kind::ImagePolicy, "edge")] {
        update(&mut state, other);
        command(&mut state, "suspend");
        assert!(state.overlay.is_some(), "of other kinds and namespaces it says nothing");
        press(&mut state, &["esc"]);
    }
}
