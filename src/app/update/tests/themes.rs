//! The menu of themes: the screen shows each as the cursor comes to it.

use super::*;

fn themed() -> State {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    state.offer_themes(["auto", "default-dark", "mono", "mine"].map(str::to_owned).into(), "default-dark");
    state
}

#[test]
fn a_theme_is_seen_before_it_is_chosen_and_stays_once_it_is() {
    let mut state = themed();
    assert_eq!(state.theme_shown(), "default-dark");
    press(&mut state, &["T"]);
    assert_eq!(state.theme_shown(), "default-dark", "the menu opens on the one in force");
    press(&mut state, &["j", "j"]);
    assert_eq!(state.theme_shown(), "mine");
    press(&mut state, &["enter"]);
    assert_eq!((state.theme_shown(), state.overlay.is_none()), ("mine", true));
}

#[test]
fn leaving_the_menu_brings_the_theme_back() {
    for way in ["esc", "q"] {
        let mut state = themed();
        press(&mut state, &["T", "g"]);
        assert_eq!(state.theme_shown(), "auto");
        press(&mut state, &[way]);
        assert_eq!((state.theme_shown(), state.overlay.is_none()), ("default-dark", true), "{way}");
    }
}

#[test]
fn a_theme_is_chosen_by_its_name_and_the_menu_by_the_word() {
    let mut state = themed();
    press(&mut state, &[":", "t", "h", "e", "m", "e", "space", "m", "o", "n", "o", "enter"]);
    assert_eq!(state.theme_shown(), "mono");
    press(&mut state, &[":", "t", "h", "e", "m", "e", "enter"]);
    assert!(matches!(&state.overlay, Some(Overlay::Menu(menu)) if menu.title == "theme" && menu.cursor == 2));
}

#[test]
fn without_themes_to_offer_there_is_no_menu() {
    let mut state = review_of(&["web 1.0 -> 1.1"]);
    press(&mut state, &["T"]);
    assert!(state.overlay.is_none());
    assert_eq!(state.theme_shown(), "auto");
}
