//! Decisions: made, undone, linked, kept across runs, and never about what nobody saw.

use super::*;
use crate::domain::proposal::Proposal;

/// An update that has to wait for another minute.
fn young() -> crate::domain::proposal::Proposal {
    let mut young = update_named("web 1.0 -> 1.1");
    young.clocks.first_seen = Some(epoch());
    age::hold_young(std::slice::from_mut(&mut young), "2m".parse().unwrap(), epoch());
    assert!(age::is_young(&young));
    young
}

#[test]
fn what_is_too_young_is_approved_by_the_second_key_after_the_reason_was_shown() {
    let mut state = review_of(&["api 1.0 -> 1.1"]);
    propose(&mut state, vec![update_named("api 1.0 -> 1.1"), young()]);
    press(&mut state, &["a"]);
    assert_eq!(state.review.approved().count(), 1, "all does not mean what has to wait");
    press(&mut state, &["G", "space"]);
    let said = state.status.clone().unwrap().text;
    assert!(said.contains("has to wait 2 min more") && said.ends_with("Space again approves it"), "{said}");
    assert_eq!(state.review.approved().count(), 1);
    press(&mut state, &["s", "x"]);
    assert_eq!(state.review.tally().held, 1, "nothing else can be done about it");
    let effects = press(&mut state, &["space"]);
    let audit = effects.iter().find_map(|effect| match effect {
        Effect::Audit { detail, .. } => Some(detail.as_str()),
        _ => None,
    });
    assert_eq!(audit, Some("approved although too young 1.0 → 1.1 (1 site)"));
    let planned = |state: &State| {
        let updates = state.review.for_plan();
        let web = updates.into_iter().find(|update| update.policy.name == "web").unwrap();
        (web.state, web.approved().count())
    };
    assert_eq!(state.review.approved().count(), 2);
    assert_eq!(planned(&state), (UpdateState::Held, 1), "the plan says that it was held and approved");
    propose(&mut state, vec![update_named("api 1.0 -> 1.1"), young()]);
    assert_eq!(state.review.approved().count(), 2, "what is compared anew keeps it");
    press(&mut state, &["G", "space"]);
    assert_eq!((state.review.approved().count(), state.review.tally().held), (1, 1), "taken back, it waits");
    let mut decided = young();
    decided.sites[0].decision = Decision::Approved;
    propose(&mut state, vec![decided]);
    assert_eq!(
        planned(&state),
        (UpdateState::Held, 0),
        "what was decided before it had to wait lands nowhere"
    );
}

#[test]
fn the_question_about_earlier_decisions_knows_when_they_were_made() {
    let mut decided = update_named("web 1.0 -> 1.1");
    decided.sites[0].decision = Decision::Approved;
    decided.decision = Decision::Approved;
    let mut state = review_of(&[]);
    super::super::compare::propose(&mut state, false, Newer::None);
    let (job, made) = (state.jobs.propose.unwrap(), Some(epoch()));
    let proposed = Proposed { updates: vec![decided], decided: made, ..Proposed::default() };
    update(&mut state, Msg::Proposed(job, Ok(proposed)));
    assert!(matches!(state.overlay, Some(Overlay::Resume(at)) if at == made), "{:?}", state.overlay);
}

#[test]
fn approving_asks_for_nothing_but_to_keep_the_decision() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let effects = press(&mut state, &["space"]);
    assert_eq!(state.review.tally().approved, 1);
    assert!(effects.iter().all(|effect| matches!(effect, Effect::SaveDecisions(_) | Effect::Audit { .. })));
    press(&mut state, &["space"]);
    assert_eq!(state.review.tally().approved, 0, "Space takes it back");
}

#[test]
fn what_goes_back_is_approved_by_the_second_key_only_and_never_by_all() {
    let mut down = update_named("web 2.0 -> 1.1");
    down.downgrade = true;
    let mut state = review_of(&["api 1.0 -> 1.1"]);
    propose(&mut state, vec![update_named("api 1.0 -> 1.1"), down]);
    press(&mut state, &["a"]);
    assert_eq!(state.review.tally().approved, 1);
    press(&mut state, &["G", "space"]);
    assert_eq!(state.review.tally().approved, 1);
    assert!(state.status.as_ref().is_some_and(|status| status.text.contains("goes back")));
    press(&mut state, &["space"]);
    assert_eq!(state.review.tally().approved, 2);
}

#[test]
fn a_second_look_is_at_the_very_change_that_is_approved() {
    let down = |text: &str| {
        let mut down = update_named(text);
        down.downgrade = true;
        down
    };
    let mut state = review_of(&[]);
    propose(&mut state, vec![down("web 2.0 -> 1.1")]);
    press(&mut state, &["space"]);
    propose(&mut state, vec![down("web 2.0 -> 1.0")]);
    press(&mut state, &["space"]);
    assert_eq!(state.review.tally().approved, 0, "1.0 was not looked at");
    propose(&mut state, vec![down("web 2.0 -> 1.0")]);
    press(&mut state, &["space"]);
    assert_eq!(state.review.tally().approved, 1, "the same again is no other change");
}

#[test]
fn undo_and_redo_walk_decisions() {
    let mut state = review_of(&["api 1.0 -> 1.1", "web 1.0 -> 1.1"]);
    press(&mut state, &["a", "s"]);
    assert_eq!(state.review.tally().skipped, 1);
    press(&mut state, &["u"]);
    assert_eq!(state.review.tally().approved, 2);
    press(&mut state, &["u"]);
    assert_eq!(state.review.tally().approved, 0);
    press(&mut state, &["U", "U"]);
    assert_eq!((state.review.tally().approved, state.review.tally().skipped), (1, 1));
}

#[test]
fn a_range_is_decided_at_once() {
    let mut state = review_of(&["a 1 -> 2", "b 1 -> 2", "c 1 -> 2"]);
    press(&mut state, &["v", "j", "space"]);
    assert_eq!(state.review.tally().approved, 2);
    assert_eq!(state.updates.range(), None);
}

#[test]
fn shift_and_an_arrow_take_rows_into_a_range() {
    let mut state = review_of(&["a 1 -> 2", "b 1 -> 2", "c 1 -> 2"]);
    press(&mut state, &["shift-down", "shift-down", "shift-up", "space"]);
    assert_eq!((state.review.tally().approved, state.updates.range()), (2, None));
}

#[test]
fn a_range_that_begins_at_a_row_without_a_choice_still_decides_the_others() {
    let mut blocked = update_named("a 1 -> 2");
    blocked.state = UpdateState::Blocked;
    let mut state = review_of(&[]);
    propose(&mut state, vec![update_named("b 1 -> 2"), blocked]);
    press(&mut state, &["g", "v", "G", "s"]);
    assert_eq!(state.updates.current().unwrap().policy.name, "a");
    assert_eq!(state.review.tally().skipped, 1);
}

#[test]
fn decisions_of_an_earlier_run_are_asked_for_once_and_no_first_key_takes_them_back() {
    let start = || {
        let mut decided = update_named("web 1.0 -> 1.1");
        decided.sites[0].decision = Decision::Approved;
        decided.decision = Decision::Approved;
        let mut state = review_of(&[]);
        propose(&mut state, vec![decided]);
        assert_eq!(state.context(), Context::ConfirmResume);
        state
    };
    for keep in ["y", "esc"] {
        let mut state = start();
        assert_eq!(press(&mut state, &["space", "enter", "q", keep]), [], "only what is listed acts");
        assert_eq!((state.context(), state.review.tally().approved), (Context::View(View::Updates), 1));
        let again = state.review.updates().to_vec();
        propose(&mut state, again);
        assert!(state.overlay.is_none(), "once");
    }
    let mut state = start();
    let effects = press(&mut state, &["n"]);
    assert!(matches!(effects.as_slice(), [Effect::SaveDecisions(_), Effect::Audit { .. }]), "{effects:?}");
    assert_eq!(state.review.tally().approved, 0);
    press(&mut state, &["u"]);
    assert_eq!(state.review.tally().approved, 1);
}

#[test]
fn linked_sites_are_decided_together() {
    let mut linked = update_named("web 1.0 -> 1.1");
    let mut digest = linked.sites[0].clone();
    linked.sites[0].setter = "shop:web:tag".to_owned();
    linked.sites[0].field = ".spec.values.image.tag".to_owned();
    digest.setter = "shop:web:digest".to_owned();
    digest.field = ".spec.values.image.digest".to_owned();
    digest.line += 1;
    let mut alone = digest.clone();
    alone.setter = "shop:web".to_owned();
    alone.line += 1;
    linked.sites.extend([digest, alone]);
    let mut state = review_of(&[]);
    propose(&mut state, vec![linked]);
    press(&mut state, &["enter", "j", "j", "space"]);
    assert!(matches!(state.diff.tree.current(), Some(Node::Site(_, 0))));
    let decisions: Vec<Decision> = state.review.updates()[0].sites.iter().map(|site| site.decision).collect();
    assert_eq!(decisions, [Decision::Approved, Decision::Approved, Decision::Undecided]);
    assert_eq!(state.review.updates()[0].decision, Decision::Partial);
}

#[test]
fn control_characters_of_a_pasted_text_are_left_out_and_said() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    update(&mut state, Msg::Paste("\u{1b}[31m".to_owned()));
    assert_eq!(said(&state), None, "nothing takes text here");
    press(&mut state, &["/"]);
    update(&mut state, Msg::Paste("we\u{1b}b\u{7f}".to_owned()));
    assert_eq!(state.filter.as_ref().map(crate::app::input::Field::text), Some("web"));
    assert_eq!(said(&state), Some("2 control characters of the pasted text left out"));
}

#[test]
fn half_of_what_belongs_together_is_not_approved() {
    let mut digest = update_named("web 1.0 -> 1.1");
    digest.sites[0].setter = "shop:web:digest".to_owned();
    digest.sites[0].field = ".spec.values.image.digest".to_owned();
    let mut state = review_of(&[]);
    propose(&mut state, vec![digest.clone()]);
    press(&mut state, &["space"]);
    assert_eq!(state.review.tally().approved, 1);
    let mut both = digest;
    let mut tag = both.sites[0].clone();
    (tag.line, tag.setter) = (tag.line + 1, "shop:web:tag".to_owned());
    tag.field = ".spec.values.image.tag".to_owned();
    both.sites.push(tag);
    propose(&mut state, vec![both]);
    assert_eq!(state.review.tally().approved, 0, "the tag would stay where it is");
    assert_eq!(said(&state), Some("shop/web: 1 site changed upstream; approve again"));
}

#[test]
fn an_approval_is_taken_back_in_the_plan_and_undone_there() {
    let mut state = review_of(&["api 1.0 -> 1.1", "web 1.0 -> 1.1"]);
    press(&mut state, &["a", "5", "x"]);
    assert_eq!((state.review.tally().approved, state.plan.len()), (1, 1));
    press(&mut state, &["u"]);
    assert_eq!((state.review.tally().approved, state.plan.len()), (2, 2));
    press(&mut state, &["space", "space"]);
    assert_eq!((state.review.tally().approved, state.plan.len()), (0, 0));
}

#[test]
fn a_scan_moves_no_row_of_the_diff_that_is_open() {
    let mut state = review_of(&["web 1.0 -> 1.1", "api 1.0 -> 1.1"]);
    let order = |state: &State| {
        let updates = state.diff.tree.rows().iter().filter(|node| matches!(node, Node::Update(_)));
        updates.map(|node| node.update().policy.name.clone()).collect::<Vec<_>>()
    };
    press(&mut state, &["enter"]);
    assert_eq!(order(&state), ["api", "web"]);
    let seen = |text: &str, second: i64| Proposal {
        first_seen: Some(jiff::Timestamp::from_second(second).unwrap()),
        ..update_named(text)
    };
    let newest = || vec![seen("api 1.0 -> 1.1", 1), seen("web 1.0 -> 1.2", 2), seen("job 1.0 -> 1.1", 3)];
    propose(&mut state, newest());
    tick(&mut state, 60_000);
    assert_eq!(order(&state), ["api", "web", "job"], "what came is behind");
    press(&mut state, &["esc", "enter"]);
    assert_eq!(order(&state), ["job", "web", "api"], "opened again it is in the order of the list");
}

fn said(state: &State) -> Option<&str> {
    state.status.as_ref().map(|status| status.text.as_str())
}

#[test]
fn a_newer_tag_does_not_change_what_was_approved() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &["space"]);
    tick(&mut state, 5_000);
    propose(&mut state, vec![update_named("web 1.0 -> 1.2")]);
    let update = &state.review.updates()[0];
    assert_eq!(update.new.as_ref().map(|new| new.tag.as_str()), Some("1.1"));
    assert_eq!(state.review.newer.values().collect::<Vec<_>>(), ["1.2"]);
    let effects = press(&mut state, &["r"]);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Propose { reach: Reach::Remote, .. })));
    tick(&mut state, 6_000);
    world::answer_proposal(&mut state, vec![update_named("web 1.0 -> 1.2")]);
    let update = &state.review.updates()[0];
    assert_eq!(update.new.as_ref().map(|new| new.tag.as_str()), Some("1.2"));
    assert_eq!(update.decision, Decision::Undecided, "nobody approved that tag");
    assert_eq!(said(&state), Some("shop/web: 1.2 is selected now; approve it anew"));
    press(&mut state, &["space", "r"]);
    let mut blocked = update_named("web 1.0 -> 1.2");
    (blocked.state, blocked.sites) = (UpdateState::Blocked, Vec::new());
    world::answer_proposal(&mut state, vec![blocked]);
    assert_eq!(said(&state), Some("shop/web: is blocked now, what was approved is not"));
}

#[test]
fn a_decision_of_this_run_wins_over_one_of_an_earlier_run() {
    let mut state = review_of(&[]);
    let mut remembered = update_named("web 1.0 -> 1.1");
    remembered.decide(Decision::Approved);
    propose(&mut state, vec![remembered.clone()]);
    assert_eq!(state.review.tally().approved, 1, "what the journal says counts at first");
    press(&mut state, &["y", "space"]);
    tick(&mut state, 5_000);
    propose(&mut state, vec![remembered]);
    assert_eq!(state.review.tally().approved, 0);
}

#[test]
fn the_tag_that_a_policy_selects_is_approved_where_tags_are_listed_and_another_says_why_not() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &["t"]);
    let go_to = |state: &mut State, tag: &str| {
        let at = state.tags.tags.position(tag).and_then(|at| u32::try_from(at).ok()).unwrap();
        assert!(state.tags.list.go_to(&at), "{tag}");
    };
    go_to(&mut state, "1.0");
    assert_eq!(press(&mut state, &["space"]), []);
    assert_eq!(
        said(&state),
        Some("shop/web does not select 1.0: only the tag that it selects can be approved")
    );
    go_to(&mut state, "1.1");
    press(&mut state, &["space"]);
    assert_eq!((state.review.tally().approved, said(&state)), (1, Some("shop/web: approved; 1 lists it")));
    press(&mut state, &["space"]);
    assert_eq!(
        (state.review.tally().approved, said(&state)),
        (0, Some("shop/web: back to undecided; 1 lists it"))
    );
}

#[test]
fn the_diff_is_opened_from_each_list_of_objects() {
    for keys in [["2", "g"], ["3", "g"], ["1", "t"]] {
        let mut state = review_of(&["web 1.0 -> 1.1"]);
        press(&mut state, &keys);
        let web = ObjectId::new("shop", "web");
        let fresh = ObjectId::new("shop", "fresh");
        if state.view() != View::Tags {
            state.repositories.go_to(&fresh);
            state.policies.go_to(&fresh);
            press(&mut state, &["d"]);
            assert_eq!(said(&state), Some("nothing of it is to be updated"), "{keys:?}");
            state.repositories.go_to(&web);
            state.policies.go_to(&web);
        }
        press(&mut state, &["d"]);
        assert_eq!(state.view(), View::Diff, "{keys:?}");
        assert_eq!(state.diff.tree.current().map(|node| node.update().policy.clone()), Some(web), "{keys:?}");
    }
}

#[test]
fn a_rescan_of_one_row_takes_back_nothing_of_the_others() {
    let old = || vec![update_named("api 1.0 -> 1.1"), update_named("web 1.0 -> 1.1")];
    let new = || vec![update_named("api 1.0 -> 1.2"), update_named("web 1.0 -> 1.2")];
    let approved = |state: &State| {
        let tags = state.review.approved().map(|update| update.new.as_ref().map(|new| new.tag.clone()));
        tags.flatten().collect::<Vec<_>>()
    };
    let mut state = review_of(&["api 1.0 -> 1.1", "web 1.0 -> 1.1"]);
    press(&mut state, &["space", "j", "space"]);
    propose(&mut state, new());
    assert_eq!(approved(&state), ["1.1", "1.1"], "what was looked at stays");
    press(&mut state, &["g", "r"]);
    let job = state.jobs.propose.unwrap();
    update(&mut state, Msg::Proposed(job, Ok(Proposed { updates: new(), ..Proposed::default() })));
    assert_eq!(approved(&state), ["1.1"], "the newer tag of the row that was asked for is undecided");
    propose(&mut state, old());
    press(&mut state, &["R"]);
    let job = state.jobs.propose.unwrap();
    update(&mut state, Msg::Proposed(job, Ok(Proposed { updates: new(), ..Proposed::default() })));
    assert_eq!(approved(&state), Vec::<String>::new());
}

#[test]
fn each_reason_for_a_second_look_is_said() {
    let mut both = update_named("web 2.0 -> 1.1");
    (both.downgrade, both.name_changed) = (true, true);
    let mut state = review_of(&[]);
    propose(&mut state, vec![both]);
    press(&mut state, &["space"]);
    let says = state.status.as_ref().map(|status| status.text.clone()).unwrap_or_default();
    assert!(says.contains("changes the image's name") && says.contains("goes back from 2.0"), "{says}");
    assert_eq!(state.review.approved().count(), 0);
}
