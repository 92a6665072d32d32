//! Rows, cursor and preview stand still when they have to, and move when they may.

use super::*;

#[test]
fn the_cursor_stays_on_its_update_when_another_appears_above_it() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let before = state.updates.current().cloned();
    propose(&mut state, vec![update_named("api 1.0 -> 2.0"), update_named("web 1.0 -> 1.1")]);
    assert_eq!(state.updates.current().cloned(), before);
    assert_eq!(state.updates.cursor(), 1);
}

#[test]
fn rows_do_not_move_within_400_ms_after_a_key() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    tick(&mut state, 10_000);
    press(&mut state, &["j"]);
    propose(&mut state, vec![update_named("api 1.0 -> 2.0"), update_named("web 1.0 -> 1.1")]);
    assert_eq!(state.updates.len(), 1, "the new row waits");
    assert!(state.wake_at() <= Moment(10_400));
    tick(&mut state, 10_400);
    assert_eq!(state.updates.len(), 2);
}

#[test]
fn the_first_key_holds_the_rows_too() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    (state.at, state.last_key) = (Moment(0), None);
    press(&mut state, &["j"]);
    propose(&mut state, vec![update_named("api 1.0 -> 2.0"), update_named("web 1.0 -> 1.1")]);
    assert_eq!(state.updates.len(), 1, "the new row waits");
    tick(&mut state, 400);
    assert_eq!(state.updates.len(), 2);
}

#[test]
fn rows_that_are_due_wait_for_a_key_that_came_meanwhile() {
    let mut state = review_of(&["api 1.0 -> 2.0", "web 1.0 -> 1.1"]);
    tick(&mut state, 10_000);
    press(&mut state, &["j"]);
    propose(&mut state, vec![update_named("api 1.0 -> 2.0")]);
    tick(&mut state, 10_300);
    press(&mut state, &["k"]);
    tick(&mut state, 10_400);
    assert_eq!(state.updates.len(), 2, "another key was pressed");
    press(&mut state, &["j"]);
    // Space was pressed on `web`, which is still there: it must not approve what would come in its place.
    update(&mut state, Msg::KeysCame(Moment(10_800)));
    tick(&mut state, 10_800);
    press(&mut state, &["space"]);
    assert_eq!(state.updates.current().unwrap().policy.name, "web");
    assert_eq!(state.review.tally().approved, 0);
    tick(&mut state, 11_200);
    assert_eq!(state.updates.len(), 1);
}

#[test]
fn tags_stand_still_after_a_key_as_well() {
    let mut state = State::default();
    ready(&mut state);
    tick(&mut state, 10_000);
    let web = ObjectId::new("shop", "web");
    update(&mut state, Msg::Evaluated(web.clone(), Arc::new(verdict_asking(None, None))));
    super::tags::open(&mut state, web.clone(), Some(web.clone()));
    let first = state.tags.verdict.clone().unwrap();
    press(&mut state, &["j"]);
    update(&mut state, Msg::Evaluated(web, Arc::new(verdict_asking(None, None))));
    assert!(
        Arc::ptr_eq(state.tags.verdict.as_ref().unwrap(), &first),
        "rows and what they say stay together"
    );
    tick(&mut state, 10_400);
    assert!(!Arc::ptr_eq(state.tags.verdict.as_ref().unwrap(), &first));
}

#[test]
fn the_preview_waits_until_a_held_key_is_let_go() {
    let mut state = review_of(&["a 1 -> 2", "b 1 -> 2", "c 1 -> 2", "d 1 -> 2"]);
    let shown = |state: &State| state.preview.row(&state.updates).unwrap().policy.name.clone();
    tick(&mut state, 10_000);
    press(&mut state, &["J"]);
    for (at, key) in [(10_000, "j"), (10_033, "j"), (10_066, "k"), (10_099, "j")] {
        tick(&mut state, at);
        press(&mut state, &[key]);
        assert_eq!((shown(&state).as_str(), state.preview.scroll), ("a", 1), "at {at}");
    }
    assert_eq!(state.updates.current().unwrap().policy.name, "c");
    assert_eq!(state.wake_at(), Moment(10_179));
    tick(&mut state, 10_178);
    assert_eq!(shown(&state), "a");
    tick(&mut state, 10_179);
    assert_eq!((shown(&state).as_str(), state.preview.scroll), ("c", 0));
    assert!(state.wake_at() > Moment(10_400), "and nothing is left to do");
}

#[test]
fn enter_on_a_problem_opens_it_and_hides_no_preview_anywhere() {
    for size in [Size { width: 100, height: 30 }, Size { width: 80, height: 24 }] {
        let mut state = review_of(&["a 1 -> 2"]);
        update(&mut state, Msg::Resized(size));
        let problem = Problem::new(Code::Timeout, "x", "too slow");
        state.errors.add(epoch(), "x scan", problem, None);
        let had = state.shows_preview();
        press(&mut state, &["!", "enter"]);
        assert_eq!(state.context(), Context::Overlay, "{size:?}");
        press(&mut state, &["esc"]);
        assert_eq!(state.context(), Context::View(View::Errors));
        press(&mut state, &["enter", "i"]);
        assert_eq!(state.context(), Context::View(View::Errors));
        press(&mut state, &["enter", "1"]);
        assert_eq!((state.context(), state.shows_preview()), (Context::View(View::Updates), had));
    }
}

#[test]
fn the_way_back_from_the_end_of_a_preview_is_as_long_as_what_was_scrolled() {
    let mut state = review_of(&["a 1 -> 2"]);
    press(&mut state, &["J"; 9]);
    update(&mut state, Msg::Scrolled(2));
    press(&mut state, &["K"]);
    assert_eq!(state.preview.scroll, 1);
}

#[test]
fn any_other_key_brings_the_preview_to_the_cursor() {
    for key in ["space", "J", "/", "?", "2", "o"] {
        let mut state = review_of(&["a 1 -> 2", "b 1 -> 2"]);
        press(&mut state, &["j", key]);
        assert_eq!(state.preview.row(&state.updates).unwrap().policy.name, "b", "after {key}");
    }
}

#[test]
fn the_diff_beside_the_tree_follows_it_like_any_preview() {
    let mut state = review_of(&["a 1 -> 2", "b 1 -> 2"]);
    press(&mut state, &["enter", "J", "j"]);
    let shown = |state: &State| state.preview.row(&state.diff.tree).cloned();
    assert!(matches!(shown(&state), Some(Node::Update(_))));
    assert_eq!(state.diff.scroll, 1);
    tick(&mut state, 2_080);
    assert!(matches!(shown(&state), Some(Node::File(..))));
    assert_eq!(state.diff.scroll, 0);
    press(&mut state, &["tab", "J", "j"]);
    assert!(matches!(shown(&state), Some(Node::Site(..))), "with the keys in the diff, that is what moves");
    assert_eq!(state.diff.scroll, 0);
}

#[test]
fn a_pane_without_preview_wakes_nobody_unless_the_footer_changes() {
    let mut state = review_of(&["a 1 -> 2", "b 1 -> 2", "c 1 -> 2"]);
    let mut blocked = update_named("c 1 -> 2");
    blocked.state = crate::domain::proposal::UpdateState::Blocked;
    propose(&mut state, vec![update_named("a 1 -> 2"), update_named("b 1 -> 2"), blocked]);
    update(&mut state, Msg::Resized(Size { width: 80, height: 24 }));
    press(&mut state, &["j"]);
    assert_eq!(state.preview.follows(), None);
    let first = |state: &State| action::footer(state).first().map(|hint| hint.label);
    press(&mut state, &["j"]);
    assert_eq!((first(&state), state.preview.follows().is_some()), (Some("approve"), true));
    let until = state.preview.follows().unwrap();
    tick(&mut state, until.0);
    assert_eq!((first(&state), state.preview.follows()), (Some("diff"), None));
}

#[test]
fn frozen_rows_stay_until_they_are_let_go() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &["f"]);
    tick(&mut state, 10_000);
    propose(&mut state, vec![update_named("api 1.0 -> 2.0"), update_named("web 1.0 -> 1.1")]);
    assert_eq!(state.updates.len(), 1);
    propose(&mut state, vec![update_named("api 1.0 -> 2.0"), update_named("web 1.0 -> 1.2")]);
    let new = |state: &State| state.review.updates().last().unwrap().new.clone().unwrap().tag;
    assert_eq!(new(&state), "1.1", "nor does what they say");
    press(&mut state, &["f"]);
    tick(&mut state, 11_000);
    assert_eq!((state.updates.len(), new(&state)), (2, "1.2".to_owned()));
}

#[test]
fn frozen_rows_keep_their_counts_too() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let web = ObjectId::new("shop", "web");
    let tags = |state: &State| state.shown_tags(&web).map(|found| found.tags.len());
    let before = tags(&state);
    press(&mut state, &["f"]);
    let found = state.scans.entry(&web).found.as_mut().unwrap();
    found.tags = Arc::new(crate::domain::tags::TagList::from_unsorted(["1", "2", "3", "4", "5", "6", "7"]));
    assert_eq!(tags(&state), before);
    press(&mut state, &["f"]);
    assert_eq!(tags(&state), Some(7));
}

#[test]
fn problems_are_opened_at_the_newest_and_a_small_terminal_tells_all_of_one_on_enter() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    state.size = crate::app::layout::Size { width: 80, height: 24 };
    for what in ["older", "newer"] {
        let problem = Problem::new(Code::Config, what, "broken");
        assert!(state.errors.add(state.now, what, problem, None));
    }
    press(&mut state, &["!"]);
    let current = state.errors.list.current().and_then(|id| state.errors.get(*id));
    assert_eq!(current.map(|entry| entry.what.as_str()), Some("newer"));
    assert!(!state.layout().overlay);
    press(&mut state, &["enter"]);
    assert!(state.layout().overlay);
}

#[test]
fn where_a_filter_hides_every_row_nothing_is_offered_that_would_do_something_to_them() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let offered =
        |state: &State| crate::app::action::hints(state, 200).iter().any(|hint| hint.label == "all");
    assert!(offered(&state));
    press(&mut state, &["/", "z", "z", "enter"]);
    assert!(state.updates.is_empty() && !offered(&state));
}

/// What the palette does with `typed`.
fn run_command(state: &mut State, typed: &str) {
    press(state, &[":"]);
    update(state, Msg::Paste(typed.to_owned()));
    press(state, &["enter"]);
}

#[test]
fn a_namespace_narrows_every_list_but_not_what_is_pushed() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &["space"]);
    run_command(&mut state, "ns shop");
    assert_eq!((state.scope.as_deref(), state.updates.len()), (Some("shop"), 1));
    state.scope = Some("data".to_owned());
    press(&mut state, &["1"]);
    rows::refresh(&mut state);
    let lists =
        [state.policies.len(), state.repositories.len(), state.automations.len(), state.updates.len()];
    assert_eq!(lists, [0; 4]);
    assert_eq!(state.plan.len(), 1, "what is approved is pushed wherever one looks");
    press(&mut state, &["a"]);
    run_command(&mut state, "ns all");
    assert_eq!((state.scope.as_deref(), state.updates.len()), (None, 1));
}

#[test]
fn all_that_is_approved_at_once_is_of_the_namespace_that_is_shown() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    state.scope = Some("data".to_owned());
    rows::refresh(&mut state);
    press(&mut state, &["a"]);
    assert_eq!(state.review.approved().count(), 0);
}

#[test]
fn an_order_is_kept_for_the_next_run() {
    let mut state = review_of(&["a 1 -> 2", "b 1 -> 2"]);
    press(&mut state, &["o", "j", "enter"]);
    let kept = |effects: Vec<Effect>| {
        effects.into_iter().find_map(|effect| match effect {
            Effect::SaveOrders(orders) => Some(orders),
            _ => None,
        })
    };
    let orders = kept(press(&mut state, &["O"])).unwrap();
    assert_eq!(orders.get("Updates"), Some(&("policy".to_owned(), true)));
    assert_eq!(kept(press(&mut state, &["j"])), None, "once");
    let mut next = State::default();
    crate::app::rows::set_orders(&mut next, orders);
    assert_eq!((next.updates.sort, next.updates.reverse, next.policies.sort), (1, true, 0));
}

#[test]
fn the_wall_between_two_panes_is_moved_in_each_view_and_kept() {
    let mut state = review_of(&["a 1 -> 2", "b 1 -> 2"]);
    let rows = state.layout().list.height;
    let effects = press(&mut state, &[">", ">"]);
    assert_eq!(state.layout().list.height, rows + 2);
    let shares = BTreeMap::from([("Updates".to_owned(), 10)]);
    assert_eq!(effects.last(), Some(&Effect::SaveShares(shares)));
    press(&mut state, &["3"]);
    assert!(!state.shares.contains_key("Policies"), "each view has its own");
    press(&mut state, &["1", "<", "<"]);
    assert_eq!((state.layout().list.height, state.shares.len()), (rows, 0));
    let least =
        std::iter::repeat_with(|| press(&mut state, &["<"])).take_while(|effects| !effects.is_empty());
    assert!(least.count() < 15);
    press(&mut state, &[">"]);
    assert!(state.layout().list.height > 4, "no key was lost at the end");
    update(&mut state, Msg::Resized(Size { width: 80, height: 24 }));
    assert_eq!(press(&mut state, &[">"]), []);
    assert!(state.status.unwrap().text.contains("no other pane"));
}

#[test]
fn what_was_run_from_the_palette_comes_back_with_up_and_is_kept_for_the_next_run() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    run_command(&mut state, "ns shop");
    run_command(&mut state, "no such thing");
    press(&mut state, &[":"]);
    update(&mut state, Msg::Paste("ns shop".to_owned()));
    let effects = update(&mut state, Msg::Key("enter".parse().unwrap()));
    let kept = effects.into_iter().find_map(|effect| match effect {
        Effect::SaveCommands(commands) => Some(commands),
        _ => None,
    });
    assert_eq!(kept.unwrap(), ["ns shop", "no such thing"], "each once, the newest first");
    let field = |state: &State| match &state.overlay {
        Some(Overlay::Palette(open)) => open.field.text().to_owned(),
        _ => panic!("no palette"),
    };
    press(&mut state, &[":", "n", "up"]);
    assert_eq!(field(&state), "ns shop");
    press(&mut state, &["up", "up"]);
    assert_eq!(field(&state), "no such thing", "there is none before it");
    press(&mut state, &["down", "down"]);
    assert_eq!(field(&state), "n", "and back to what was typed");
    press(&mut state, &["down"]);
    assert!(matches!(&state.overlay, Some(Overlay::Palette(open)) if open.cursor == 1), "then the choices");
}

#[test]
fn failures_of_one_repository_are_one_problem_and_what_failed_does_not_count_as_scanned() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    let before = state.scan_totals();
    let web = ObjectId::new("shop", "web");
    let fail = |state: &mut State, code, message: &str| {
        let effects = press(state, &["2", "R"]);
        let asked = effects.into_iter().find_map(|effect| match effect {
            Effect::Scan(job, _) => Some(job),
            _ => None,
        });
        let problem = Problem::new(code, "shop/web", message);
        let msg = Msg::ScanFailed { job: asked.expect("a scan"), repository: web.clone(), problem };
        update(state, msg);
    };
    fail(&mut state, Code::Unreachable, "GET http://r/v2/web/tags/list: connection refused");
    fail(&mut state, Code::Unreachable, "GET http://r/v2/: connection refused");
    fail(&mut state, Code::RegistryNotFound, "404");
    let of_web: Vec<_> =
        state.errors.entries().iter().map(|entry| (entry.problem.code, entry.count)).collect();
    assert_eq!(of_web, [(Code::RegistryNotFound, 3)], "the last answer, and how often");
    let after = state.scan_totals();
    assert_eq!((before.done, after.failed, after.done), (1, 1, 0));
}

#[test]
fn what_is_suspended_is_not_scanned_whoever_asks() {
    let mut state = State::default();
    ready(&mut state);
    scans_over(&mut state);
    let (web, fresh) = (ObjectId::new("shop", "web"), ObjectId::new("shop", "fresh"));
    let mut inventory = (*state.inventory).clone();
    inventory.repositories.get_mut(&web).unwrap().suspend = true;
    state.inventory = Arc::new(inventory);
    let effects = super::super::scans::scan(&mut state, vec![web, fresh.clone()], Reach::Remote);
    assert!(matches!(effects.as_slice(), [Effect::Scan(_, ids)] if *ids == [fresh]), "{effects:?}");
}

/// What help says against the action called `id`.
fn refused(state: &State, id: &str) -> Option<String> {
    let rows = crate::app::help::rows(state);
    rows.into_iter().find(|row| row.row.id == id).expect("help has it").refusal
}

#[test]
fn help_asks_about_panes_of_the_view_below_it() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &["?"]);
    for id in ["pane.down", "pane.up", "pane.zoom", "pane.widen"] {
        assert_eq!(refused(&state, id), None, "{id}");
    }
    update(&mut state, Msg::Resized(Size { width: 80, height: 24 }));
    assert!(refused(&state, "pane.down").is_some_and(|why| why.contains("no other pane")));
}

#[test]
fn what_lies_over_a_narrow_list_is_copied_like_its_row_and_help_speaks_of_it() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    update(&mut state, Msg::Resized(Size { width: 80, height: 24 }));
    let problem = Problem::new(Code::Config, "config", "broken").hint("mend it");
    assert!(state.errors.add(state.now, "config", problem, None));
    press(&mut state, &["!", "enter", "?"]);
    let rows = crate::app::help::rows(&state);
    let doc = |id: &str| rows.iter().find(|row| row.row.id == id).map(|row| row.doc);
    assert_eq!((doc("open.reason"), doc("copy.open").is_some()), (Some("Close the details"), true));
    press(&mut state, &["esc", "y"]);
    let effects = press(&mut state, &["enter"]);
    let [Effect::Copy(text)] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(text.contains("broken") && text.contains("mend it"), "{text}");
}

#[test]
fn the_panel_that_says_why_is_not_offered_where_it_stands_already() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &["t"]);
    let offered =
        |state: &State| crate::app::action::hints(state, 200).iter().any(|hint| hint.label == "why");
    assert!(state.layout().preview.is_some() && !offered(&state));
    press(&mut state, &["enter"]);
    assert!(state.status.as_ref().is_some_and(|said| said.text.contains("there already")));
    press(&mut state, &["z"]);
    assert!(offered(&state), "the list has all the room");
    update(&mut state, Msg::Resized(Size { width: 80, height: 24 }));
    assert!(offered(&state), "there is room for the end of it only");
}

#[test]
fn a_range_is_told_of_from_its_first_row_on() {
    let mut state = review_of(&["api 1.0 -> 2.0", "web 1.0 -> 1.1"]);
    assert_eq!(rows::ranged(&state), None);
    press(&mut state, &["v"]);
    assert_eq!(rows::ranged(&state), Some(1));
    press(&mut state, &["j"]);
    assert_eq!(rows::ranged(&state), Some(2));
    press(&mut state, &["esc"]);
    assert_eq!(rows::ranged(&state), None);
}
