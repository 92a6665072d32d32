//! The mouse, the profile for bad lines, and the configuration of another kube context.

use super::world::{press, review_of, tick};
use super::*;
use crate::app::configured::Configured;
use crate::app::pointer::Spot;
use crate::app::profile::Profile;
use crate::domain::mode::Mode;

fn click(state: &mut State, spot: Spot) -> Vec<Effect> {
    update(state, Msg::Clicked(spot))
}

#[test]
fn a_click_goes_to_a_row_and_ticks_a_box_and_two_of_them_open_it() {
    let mut state = review_of(&["api 1.0 -> 1.1", "web 1.0 -> 1.1", "zoo 1.0 -> 1.1"]);
    click(&mut state, Spot::Row(2));
    assert_eq!((state.updates.cursor(), state.view()), (2, View::Updates));
    click(&mut state, Spot::Box(1));
    assert_eq!((state.updates.cursor(), state.review.approved().count()), (1, 1));
    click(&mut state, Spot::Row(0));
    tick(&mut state, 10_000);
    click(&mut state, Spot::Row(0));
    assert_eq!(state.view(), View::Updates, "two slow clicks are two clicks");
    click(&mut state, Spot::Row(0));
    assert_eq!(state.view(), View::Diff);
    press(&mut state, &["esc"]);
    click(&mut state, Spot::Tab(View::Plan));
    assert_eq!(state.view(), View::Plan);
    click(&mut state, Spot::Row(99));
    assert_eq!(state.plan.cursor(), 0, "a row that is not there is the last");
}

#[test]
fn a_click_on_a_head_sorts_and_the_second_turns_around() {
    let mut state = review_of(&["api 1.0 -> 1.1", "web 1.0 -> 2.0"]);
    click(&mut state, Spot::Order(1));
    assert_eq!((state.updates.sort, state.updates.reverse), (1, false));
    let first = state.updates.current().cloned();
    click(&mut state, Spot::Order(1));
    assert_eq!((state.updates.sort, state.updates.reverse), (1, true));
    assert_eq!(state.updates.current().cloned(), first, "the cursor stays on its object");
}

#[test]
fn nothing_that_the_mouse_does_confirms_or_pushes() {
    let spots = [
        Spot::Row(0),
        Spot::Box(0),
        Spot::Order(0),
        Spot::Tab(View::Updates),
        Spot::Choice(0),
        Spot::Choice(3),
    ];
    let mut state = review_of(&["api 1.0 -> 1.1"]);
    state.mode = Mode::Write;
    press(&mut state, &["space", "p"]);
    let asked = format!("{:?}", state.overlay);
    assert!(state.overlay.is_some());
    for spot in spots.into_iter().flat_map(|spot| [spot, spot]) {
        assert_eq!(click(&mut state, spot), [], "{spot:?}");
        assert_eq!(format!("{:?}", state.overlay), asked);
    }
    for overlay in [Overlay::Mode, Overlay::Quit(Vec::new())] {
        state.overlay = Some(overlay);
        for spot in spots {
            assert_eq!(click(&mut state, spot), []);
        }
        assert!(state.overlay.is_some() && state.mode == Mode::Write);
    }
}

#[test]
fn the_wheel_moves_by_three_rows_and_over_the_preview_that() {
    let names: Vec<String> = (0..9).map(|n| format!("app{n} 1.0 -> 1.1")).collect();
    let mut state = review_of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let wheel = |state: &mut State, down, spot| update(state, Msg::Wheel { down, spot });
    wheel(&mut state, true, Some(Spot::Pane(Focus::List)));
    assert_eq!(state.updates.cursor(), 3);
    wheel(&mut state, false, None);
    assert_eq!(state.updates.cursor(), 0);
    wheel(&mut state, true, Some(Spot::Pane(Focus::Other)));
    assert_eq!((state.updates.cursor(), state.preview.scroll), (0, 3));
    press(&mut state, &["o"]);
    wheel(&mut state, true, None);
    let Some(Overlay::Menu(menu)) = &state.overlay else { panic!("no menu") };
    assert_eq!(menu.cursor, 1, "a short list moves by one");
}

#[test]
fn a_slow_terminal_is_offered_the_profile_for_bad_lines_and_that_has_one_pane_and_no_mouse() {
    let mut state = review_of(&["api 1.0 -> 1.1"]);
    state.status = None;
    update(&mut state, Msg::TerminalIsSlow(Duration::from_millis(250)));
    assert_eq!(state.status, None);
    update(&mut state, Msg::TerminalIsSlow(Duration::from_millis(320)));
    let said = state.status.clone().unwrap().text;
    assert_eq!(said, "this line takes 320 ms: :profile low-bandwidth sends less");
    assert!(state.layout().preview.is_some());
    press(&mut state, &[":"]);
    update(&mut state, Msg::Paste("profile low-bandwidth".to_owned()));
    press(&mut state, &["enter"]);
    assert_eq!(state.profile, Profile::LowBandwidth);
    assert_eq!(state.layout().preview, None);
    state.status = None;
    update(&mut state, Msg::TerminalIsSlow(Duration::from_secs(1)));
    assert_eq!(state.status, None, "it is in force already");
    state.mouse = true;
    press(&mut state, &["m"]);
    assert!(state.mouse && state.status.clone().unwrap().text.contains(":profile normal"));
}

#[test]
fn what_another_context_says_counts_and_what_it_does_not_say_stays_as_a_person_chose() {
    let mut state = State::default();
    state.offer_themes(["auto", "mono", "ansi16"].map(str::to_owned).to_vec(), "auto");
    let base = Configured { theme: "auto".to_owned(), mouse: true, hold_days: 7, ..Configured::default() };
    state.configure(base.clone());
    (state.mode, state.theme, state.mouse) = (Mode::Write, 1, false);
    state.configure(Configured { hold_days: 3, ..base.clone() });
    assert_eq!((state.mode, state.theme, state.mouse, state.hold_days), (Mode::Write, 1, false, 3));
    let prod =
        Configured { mode: base.mode, section_says_mode: true, theme: "ansi16".to_owned(), ..base.clone() };
    state.configure(prod);
    assert_eq!((state.mode, state.theme), (base.mode, 2), "the section says the mode, so it counts");
    state.mode = Mode::Write;
    state.configure(base.clone());
    assert_eq!(state.mode, base.mode, "what was chosen there is not taken along");
}
