//! Does the screen look right? Keys in, named frames out, on the scenario `fleet` with a fixed clock.
//!
//! A frame's file holds what is drawn, right-trimmed; where `roles` is in the name, the role of each cell instead, so
//! that a lost highlight shows in review. `cargo insta review` shows what changed.
#![cfg(feature = "tui")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "frames/cluster.rs"]
mod cluster;
#[path = "support/fleet.rs"]
mod fleet;
#[path = "support/picture.rs"]
mod picture;

use fleet::{Screen, id};
use insta::assert_snapshot;
use ratatui::buffer::Buffer;
use supercargo::app::action::{self, Asked, AskedKey, Line, Preset};
use supercargo::app::keymap::Key;
use supercargo::app::layout::Size;
use supercargo::app::message::Msg;
use supercargo::app::pointer::Spot;
use supercargo::app::review::Newer;
use supercargo::app::state::Level;
use supercargo::app::view::{Focus, View};
use supercargo::app::world::Told;
use supercargo::domain::age::{self, Clocks};
use supercargo::domain::branch::{Guard, Guarded};
use supercargo::domain::event::Event;
use supercargo::domain::freeze::{FREEZE, Frozen};
use supercargo::domain::metadata::{Described, Kind, Labels, Metadata, Moved, Signature, Size as ImageSize};
use supercargo::domain::mode::Mode;
use supercargo::domain::plan::Warning;
use supercargo::problem::{Code, Problem};
use supercargo::theme::{Depth, SHIPPED, Theme};

const SIZES: [(u16, u16); 2] = [(100, 30), (80, 24)];
const WIDE: (u16, u16) = (160, 45);
const WIDEST: (u16, u16) = (200, 60);

/// One frame a size: the screen after `keys`.
fn frames(name: &str, sizes: &[(u16, u16)], act: impl Fn(&mut Screen)) {
    for (width, height) in sizes {
        let mut screen = Screen::new(*width, *height);
        quiet(&mut screen);
        act(&mut screen);
        assert_snapshot!(format!("{name}-{width}x{height}"), screen.frame());
    }
}

/// Lets the messages of the start pass, so that the status line says what the view has to say.
fn quiet(screen: &mut Screen) {
    screen.wait().wait().wait().wait().wait();
}

#[test]
fn where_all_columns_are_shown_the_last_of_each_table_is_reached_and_one_is_left() {
    for (keys, last) in
        [("1", "IMAGE"), ("2", "PROVIDER"), ("3", "SITES"), ("4", "PENDING"), ("2 enter", "CREATED")]
    {
        let mut screen = Screen::new(80, 24);
        screen.keys(&format!("{keys} w"));
        // The only row without a small letter.
        let heads = |screen: &Screen| {
            let frame = screen.frame();
            let is_head =
                |line: &&str| line.contains("  ") && **line == line.to_uppercase() && line.contains('E');
            frame.lines().find(is_head).unwrap_or_default().trim_end().to_owned()
        };
        let all: Vec<String> = (0..9)
            .map(|_| {
                screen.keys("l");
                heads(&screen)
            })
            .collect();
        let end = all.last().unwrap();
        assert!(end.ends_with(last) && !end.contains('›'), "{keys}: {all:#?}");
        screen.keys("h");
        assert_ne!(heads(&screen), *end, "{keys}: no key is without effect on the way back");
    }
}

#[test]
fn updates() {
    frames("s1-updates", &[SIZES[0], SIZES[1], WIDE, WIDEST], |_| {});
    frames("s1-updates-wide", &SIZES[..1], |screen| {
        screen.keys("w");
    });
    frames("s1-updates-wide-scrolled", &SIZES[..1], |screen| {
        screen.keys("w l l l");
    });
    frames("s1-updates-held", &SIZES[..1], |screen| {
        screen.keys("j j j j");
    });
    frames("s1-updates-blocked", &SIZES[..1], |screen| {
        screen.keys("G");
    });
    frames("s1-updates-approved", &SIZES, |screen| {
        screen.keys("space j s j");
    });
    frames("s1-updates-preview", &SIZES[1..], |screen| {
        screen.keys("i");
    });
    frames("s1-updates-filter", &SIZES, |screen| {
        screen.keys("/").typed("redis");
    });
    frames("s1-updates-filter-none", &SIZES[..1], |screen| {
        screen.keys("/").typed("zzz").keys("enter");
    });
    frames("s1-updates-filter-kept", &SIZES, |screen| {
        screen.keys("/").typed("redis").keys("enter");
    });
    frames("s1-updates-filter-broken", &SIZES[..1], |screen| {
        screen.keys("/").typed("re:[");
    });
    frames("s1-updates-range", &SIZES[1..], |screen| {
        screen.keys("j v j j f");
    });
    frames("s1-updates-sort", &SIZES[..1], |screen| {
        screen.keys("o");
    });
    frames("s1-updates-copy", &SIZES[..1], |screen| {
        screen.keys("y");
    });
}

#[test]
fn holding_an_update() {
    frames("s1-updates-hold", &SIZES, |screen| {
        screen.keys("j H").typed("crashes");
    });
    frames("s1-updates-hold-made", &SIZES[..1], |screen| {
        screen.keys("j H").typed("crashes").keys("enter");
    });
    frames("s3-tags-held", &SIZES[..1], |screen| {
        screen.keys("j t j H").typed("crashes").keys("enter");
    });
}

#[test]
fn log() {
    let events = || {
        let at = |time: &str| format!("2026-11-22T{time}Z").parse().unwrap();
        let event = |time: &str, kind: &str, subject: &str, detail: &str, result: &str| Event {
            time: at(time),
            event: kind.to_owned(),
            subject: subject.to_owned(),
            detail: detail.to_owned(),
            result: result.to_owned(),
            mode: "write".to_owned(),
            plan: (kind == "push").then(|| "7f3c9a01b2c4".to_owned()),
            user: "rita".to_owned(),
            host: "bastion".to_owned(),
        };
        vec![
            event("14:02:04", "scan", "data/redis", "too many requests, asked again in 480 s", "warn"),
            event("14:02:09", "scan", "shop/checkout-api", "98426 tags in 4.1 s, 99 requests", "ok"),
            event("14:04:41", "decide", "flux-system/podinfo", "approved (3 sites)", "ok"),
            event(
                "14:04:50",
                "hold",
                "data/mysql",
                "held 8.0.40 until 2026-12-01T00:00:00Z by rita: triage",
                "ok",
            ),
            event("14:06:14", "push", "flux-system/apps-main", "pushed 8d2e91b to image-updates", "ok"),
        ]
    };
    let shown = |screen: &mut Screen| {
        screen.keys("6");
        let job = screen.state.log.job.unwrap();
        let folder = Some("/home/rita/.local/state/supercargo/log".to_owned());
        let _ = supercargo::app::update::update(
            &mut screen.state,
            Msg::LogWritten { job, folder, events: events() },
        );
    };
    frames("s10-log", &[SIZES[0], SIZES[1], WIDEST], |screen| shown(screen));
    frames("s10-log-details", &SIZES, |screen| {
        shown(screen);
        screen.keys("j enter");
    });
    frames("s10-log-filter", &SIZES[..1], |screen| {
        shown(screen);
        screen.keys("/").typed("kind:push").keys("enter");
    });
    frames("s10-log-empty", &SIZES[..1], |screen| {
        screen.keys("6");
    });
}

#[test]
fn updates_while_scanning_and_with_nothing_pending() {
    for (width, height) in SIZES {
        let mut screen = Screen::loading(width, height, &["shop/checkout-api", "data/redis"]);
        quiet(&mut screen);
        assert_snapshot!(format!("s1-updates-loading-{width}x{height}"), screen.frame());
        let mut screen = Screen::new(width, height);
        quiet(&mut screen);
        screen.state.review.replace(vec![], &Newer::All);
        supercargo::app::rows::refresh(&mut screen.state);
        assert_snapshot!(format!("s1-updates-empty-{width}x{height}"), screen.frame());
    }
    let mut screen = Screen::closed(100, 30);
    let _ = supercargo::app::update::start(&mut screen.state);
    assert_snapshot!("s1-updates-first-frame-100x30", screen.frame());
}

#[test]
fn while_pushes_are_frozen_the_list_of_updates_says_so() {
    let until = "2026-11-23T08:00:00+01:00[+01:00]".parse().unwrap();
    let frozen = Frozen { until, window: "Fri 16:00 - Mon 08:00 Europe/Berlin".to_owned() };
    frames("s1-updates-frozen", &SIZES, |screen| {
        let mut grounds = (*screen.state.review.grounds).clone();
        for ground in &mut grounds {
            ground.warnings.push(Warning::new(FREEZE, frozen.to_string()));
        }
        screen.state.review.grounds = std::sync::Arc::new(grounds);
    });
}

/// The row of S1 that has `policy`.
fn row_of(screen: &Screen, policy: &str) -> String {
    let frame = screen.frame();
    let row = frame.lines().find(|line| line.contains(policy)).unwrap_or_default();
    row.to_owned()
}

#[test]
fn a_newer_tag_that_comes_during_review_is_said_on_the_row_and_changes_nothing_else() {
    for (width, height, short, long) in [
        (100, 30, "6.5.4 → 6.6.1  6.7.0 available", "+newer"),
        (80, 24, "6.5.4 → 6.6.1  6.7.0 available", "+newer"),
    ] {
        let mut screen = Screen::new(width, height);
        screen.keys("a");
        quiet(&mut screen);
        let mut updates = screen.state.review.updates().to_vec();
        for update in &mut updates {
            if let Some(new) = &mut update.new {
                new.tag =
                    if update.policy.name == "podinfo" { "6.7.0".into() } else { format!("{}9", new.tag) };
            }
        }
        screen.state.review.replace(updates, &Newer::None);
        supercargo::app::rows::refresh(&mut screen.state);
        let (podinfo, api) = (row_of(&screen, "flux-system/podinfo"), row_of(&screen, "checkout-api"));
        assert!(podinfo.contains("[x]") && podinfo.contains(short), "{podinfo}");
        assert!(api.contains("[x]") && api.contains(long), "{api}");
    }
}

#[test]
fn a_change_is_shown_whole_where_less_needed_columns_can_make_way() {
    let heading = |width, height| {
        let mut screen = Screen::new(width, height);
        quiet(&mut screen);
        let frame = screen.frame();
        let heading = frame.lines().find(|line| line.contains("DEC")).unwrap().to_owned();
        (heading.split_whitespace().map(str::to_owned).collect::<Vec<_>>(), row_of(&screen, "checkout-api"))
    };
    let whole = "main-4f2a91c-1763769600 → main-9b1d3e7-1763805600";
    let (titles, row) = heading(160, 45);
    assert!(row.contains(whole) && !titles.contains(&"PUSHED".to_owned()), "{titles:?} {row}");
    let (titles, row) = heading(100, 30);
    assert!(row.contains(whole) && titles.contains(&"PUSHED".to_owned()), "{titles:?} {row}");
    let (titles, row) = heading(80, 24);
    assert!(row.contains("main-4f") && row.contains('…'), "STEP and SITE are worth more: {row}");
    assert!(titles.contains(&"STEP".to_owned()) && titles.contains(&"SITE".to_owned()), "{titles:?}");
    let (titles, _) = heading(62, 20);
    assert_eq!(titles, ["DEC", "POLICY", "CURRENT", "→", "NEW"], "then these go, too");
}

#[test]
fn where_objects_are_described_differently_no_page_says_that_there_is_nothing_to_do() {
    let mut screen = Screen::new(100, 30);
    quiet(&mut screen);
    let mut inventory = (*screen.state.inventory).clone();
    let policies: Vec<_> = inventory.policies.keys().cloned().collect();
    for id in policies {
        inventory.policies.remove(&id);
        inventory.ambiguous.insert((supercargo::domain::object::Kind::ImagePolicy, id), Vec::new());
    }
    let count = inventory.ambiguous.len();
    screen.state.inventory = std::sync::Arc::new(inventory);
    screen.state.review.replace(vec![], &Newer::All);
    supercargo::app::rows::refresh(&mut screen.state);
    let frame = screen.frame();
    assert!(frame.contains("No update is known."), "{frame}");
    assert!(frame.contains(&format!("{count} objects described by places that differ")), "{frame}");
    screen.keys("3");
    let frame = screen.frame();
    assert!(frame.contains("Every ImagePolicy is ambiguous, so none is followed."), "{frame}");
}

#[test]
fn where_scans_fail_or_nothing_is_marked_the_empty_page_claims_nothing() {
    let mut screen = Screen::new(100, 30);
    quiet(&mut screen);
    screen.state.review.replace(vec![], &Newer::All);
    supercargo::app::rows::refresh(&mut screen.state);
    assert!(screen.frame().contains("could not be scanned: there may be newer tags."), "{}", screen.frame());
    for (_, scan) in screen.state.scans.iter_mut() {
        scan.error = None;
    }
    assert!(
        screen.frame().contains("Every site already holds its policy's latest tag."),
        "{}",
        screen.frame()
    );
    screen.state.review.grounds = std::sync::Arc::default();
    screen.state.inventory = {
        let mut inventory = (*screen.state.inventory).clone();
        inventory.policies.clear();
        std::sync::Arc::new(inventory)
    };
    assert!(screen.frame().contains("No marked line names a policy"), "{}", screen.frame());
}

#[test]
fn an_update_that_is_too_young_counts_down() {
    for (width, height) in SIZES {
        let mut screen = Screen::new(width, height);
        quiet(&mut screen);
        let mut updates = screen.state.review.updates().to_vec();
        for update in updates.iter_mut().filter(|update| update.policy.name == "podinfo") {
            update.clocks.created = Some(screen.state.now - jiff::SignedDuration::from_hours(300));
        }
        age::hold_young(&mut updates, "12h".parse().unwrap(), screen.state.now);
        screen.state.review.replace(updates, &Newer::All);
        supercargo::app::rows::refresh(&mut screen.state);
        screen.keys("g");
        while screen.state.updates.current().is_some_and(|id| id.policy.name != "podinfo") {
            screen.keys("j");
        }
        quiet(&mut screen);
        assert_snapshot!(format!("s1-updates-young-{width}x{height}"), screen.frame());
    }
}

#[test]
fn a_remote_that_does_not_answer_is_not_taken_for_nothing_to_do() {
    let mut screen = Screen::new(100, 30);
    quiet(&mut screen);
    let apps = id("flux-system/apps-main");
    let problem =
        Problem::new(Code::Unreachable, apps.to_string(), "https://git.example.com: connection refused");
    let problem = problem.hint("Check the address and the way to it.");
    screen.state.review.replace(vec![], &Newer::All);
    screen.state.review.grounds = std::sync::Arc::default();
    let now = screen.state.now;
    screen.state.errors.add(now, "flux-system/apps-main checkout", problem, None);
    supercargo::app::rows::refresh(&mut screen.state);
    assert_snapshot!("s1-updates-unread-100x30", screen.frame());
    screen.keys("4 g");
    while screen.state.automations.current() != Some(&apps) {
        screen.keys("j");
    }
    assert_snapshot!("s6-automations-unread-100x30", screen.frame());
}

#[test]
fn repositories() {
    frames("s2-repositories", &[SIZES[0], SIZES[1], WIDE, WIDEST], |screen| {
        screen.keys("2 j");
    });
    frames("s2-repositories-failed", &SIZES[..1], |screen| {
        screen.keys("2 j j j");
    });
    let mut screen = Screen::loading(100, 30, &["shop/checkout-api"]);
    quiet(&mut screen);
    assert_snapshot!("s2-repositories-scanning-100x30", screen.keys("2 G k").frame());
}

/// A screen with the tag of the frames that no terminal may get to see.
fn with_hostile_tags(width: u16, height: u16) -> Screen {
    let mut screen = Screen::closed(width, height);
    let hostile = ["1.0\x1b[31m.0", "main-9b1d3e7-\u{202e}1763805600", "v1\n2", "版本-1.0"];
    screen.add_tags("shop/checkout-api", hostile.map(str::to_owned));
    screen.open();
    quiet(&mut screen);
    screen.keys("2 G k enter");
    screen
}

#[test]
fn tags() {
    for (width, height) in [SIZES[0], SIZES[1], (120, 40), WIDE, WIDEST] {
        let mut screen = with_hostile_tags(width, height);
        screen.keys("j j j j j");
        assert_snapshot!(format!("s3-tags-{width}x{height}"), screen.frame());
    }
    let mut screen = with_hostile_tags(100, 30);
    screen.keys("G");
    assert_snapshot!("s3-tags-hostile-100x30", screen.frame());
    assert_snapshot!("s3-tags-hostile-roles-100x30", screen.roles());
    frames("s3-tags-failing-policy", &SIZES[..1], |screen| {
        screen.keys("3 g enter");
    });
    frames("s3-tags-none-match", &SIZES[..1], |screen| {
        screen.keys("2 j enter M");
    });
}

/// What a registry tells of a tag that was built from `revision`.
fn told(screen: &Screen, tag: &str, revision: &str) -> Told {
    let hours = |hours: i64| screen.state.now - jiff::SignedDuration::from_hours(hours);
    let labels = Labels {
        source: Some("https://github.com/acme/checkout-api".to_owned()),
        revision: Some(revision.to_owned()),
        version: None,
    };
    let metadata = Metadata {
        digest: format!("sha256:0d44c1aa{:056}", 0),
        kind: Kind::Index,
        created: Some(hours(3)),
        platforms: vec!["linux/amd64".to_owned(), "linux/arm64".to_owned()],
        size: Some(ImageSize { bytes: 24_536_678, platform: Some("linux/amd64".to_owned()) }),
        labels,
    };
    let described = Described {
        metadata,
        asked: screen.state.now,
        pushed: None,
        signature: Signature::Tag,
        also: vec!["stable\u{1b}[2J".to_owned()],
        moved: Some(Moved { from: format!("sha256:6129bb94{:056}", 0), seen: hours(1) }),
    };
    let clocks = Clocks::of(Some(&described), Some(hours(2)), false);
    Told {
        tag: tag.to_owned(),
        described: Ok(Some(described)),
        clocks,
        moved: vec!["main-9b1d3e7-1763805600".to_owned()],
    }
}

#[test]
fn what_stands_behind_a_tag() {
    for (width, height) in [SIZES[0], SIZES[1], WIDE] {
        let mut screen = with_hostile_tags(width, height);
        screen.told = vec![
            told(&screen, "main-9b1d3e7-1763805600", "9b1d3e7aa0"),
            told(&screen, "main-4f2a91c-1763769600", "4f2a91caa0"),
        ];
        screen.keys("j").keys("k");
        if height < 30 {
            screen.keys("i");
        }
        assert_snapshot!(format!("s3-tags-facts-{width}x{height}"), screen.frame());
        if (width, height) == SIZES[0] {
            screen.keys("J J J J J J");
            assert_snapshot!("s3-tags-facts-below-100x30", screen.frame());
        }
    }
    let mut screen = with_hostile_tags(100, 30);
    let refused = told(&screen, "main-8e20b11-1763802000", "");
    let text =
        "HEAD https://registry.example.com/v2/shop/checkout-api/manifests/main-8e20b11-1763802000: 401";
    screen.told = vec![Told { described: Err(text.to_owned()), ..refused }];
    screen.keys("j");
    assert_snapshot!("s3-tags-facts-refused-100x30", screen.frame());
}

#[test]
fn what_changed_is_a_link_where_both_images_say_what_they_were_built_from() {
    let mut screen = Screen::new(100, 30);
    screen.told = vec![told(&screen, "6.6.1", "4c1f0e2aa0"), told(&screen, "6.5.4", "77ab0134bb")];
    quiet(&mut screen);
    screen.keys("g");
    while screen.state.updates.current().is_some_and(|id| id.policy.name != "podinfo") {
        screen.keys("j");
    }
    quiet(&mut screen);
    assert_snapshot!("s1-updates-compare-100x30", screen.frame());
}

#[test]
fn policies() {
    frames("s4-policies", &[SIZES[0], SIZES[1], WIDE, WIDEST], |screen| {
        screen.keys("3");
        screen.state.policies.go_to(&id("edge/nginx"));
    });
}

#[test]
fn playground() {
    let on_nginx = |screen: &mut Screen| {
        screen.keys("3");
        screen.state.policies.go_to(&id("edge/nginx"));
        screen.keys("e").wait();
    };
    frames("s5-playground", &[SIZES[0], SIZES[1], WIDE, WIDEST], |screen| {
        on_nginx(screen);
        screen.keys("ctrl-u").typed("^r(?P<n>[0-9]+)$").wait();
    });
    frames("s5-playground-refused", &SIZES[..1], |screen| {
        on_nginx(screen);
        screen.keys("ctrl-u").typed("^r(?P<n>[0-9]+").wait();
    });
    frames("s5-playground-matching", &SIZES[..1], |screen| {
        on_nginx(screen);
        screen.keys("tab tab ctrl-t");
        screen.keys("space");
    });
    frames("s5-playground-range", &SIZES[1..], |screen| {
        on_nginx(screen);
        screen.keys("tab tab right right tab").typed(">=1.0 <2").wait();
    });
}

#[test]
fn automations() {
    frames("s6-automations", &[SIZES[0], SIZES[1], WIDE, WIDEST], |screen| {
        screen.keys("4");
    });
}

#[test]
fn an_automation_that_is_suspended_and_fails_says_both_and_is_counted_so() {
    let mut screen = Screen::new(160, 45);
    quiet(&mut screen);
    screen.keys("4");
    for standing in screen.state.review.survey.automations.values_mut() {
        if standing.word == "suspended" {
            (standing.word, standing.is_broken) = ("fails", true);
        }
    }
    let frame = screen.frame();
    assert!(frame.contains("4 automations · 3 active · 1 fails, suspended"), "{frame}");
    let row = frame.lines().find(|line| line.contains("edge/edge")).unwrap();
    assert!(row.contains("fails, sus"), "the line below says it whole: {row}");
}

#[test]
fn a_key_that_means_nothing_here_says_where_it_does() {
    let mut screen = Screen::new(100, 30);
    quiet(&mut screen);
    for (keys, says) in [
        ("2 s", "s does nothing in Repositories; in Updates, diff: Pass over it this time"),
        ("4 s", "s does nothing in Automations; in Updates, diff: Pass over it this time"),
        ("1 t s", "s does nothing in tags; in Updates, diff: Pass over it this time"),
    ] {
        let frame = screen.keys(keys).frame();
        assert!(frame.contains(says), "{keys}: {frame}");
    }
}

#[test]
fn while_a_push_runs_no_key_is_promised_for_rows_that_are_not_there() {
    let mut screen = Screen::new(100, 30);
    quiet(&mut screen);
    screen.state.mode = Mode::Write;
    screen.stalled = true;
    screen.keys("j space p").wait().keys("y");
    let frame = screen.frame();
    assert!(!frame.lines().last().unwrap().contains("Enter"), "{frame}");
    let frame = screen.keys("enter").frame();
    assert!(frame.contains("a push is under way"), "{frame}");
}

#[test]
fn advice_after_a_push_names_keys_and_not_the_flags_of_commands() {
    for (hint, says) in [
        ("Push to another branch with `--branch`, and open a pull request.", "another branch with b, and"),
        ("A hook refused the commit: a message by `--message`.", "a message by c."),
    ] {
        let mut screen = Screen::new(100, 30);
        quiet(&mut screen);
        screen.state.mode = Mode::Write;
        screen.stalled = true;
        screen.keys("j space p").wait().keys("y");
        let job = screen.state.push.as_ref().unwrap().job;
        let problem = Problem::new(Code::GitRejected, "image-updates", "declined").hint(hint);
        screen.send(Msg::Pushed(job, Err(problem)));
        let frame = screen.frame();
        assert!(frame.contains(says), "{frame}");
    }
}

#[test]
fn plan() {
    frames("plan", &SIZES, |screen| {
        screen.keys("space j space j space 5");
    });
    frames("plan-empty", &SIZES[..1], |screen| {
        screen.keys("5");
    });
}

#[test]
fn diff() {
    frames("s7-diff", &[SIZES[0], SIZES[1], WIDE, WIDEST], |screen| {
        screen.keys("j space enter j j");
    });
    frames("s7-diff-update", &SIZES[1..], |screen| {
        screen.keys("j enter");
    });
    frames("s7-diff-pane", &SIZES[1..], |screen| {
        screen.keys("j enter tab");
    });
    frames("s7-diff-sides", &SIZES[..1], |screen| {
        screen.keys("j enter |");
    });
    frames("s7-diff-wrapped", &SIZES[..1], |screen| {
        screen.keys("j enter W");
    });
    frames("s7-diff-sides-wrapped", &SIZES[..1], |screen| {
        screen.keys("j enter | W");
    });
}

#[test]
fn the_pane_with_the_keys_is_seen_without_colours() {
    let rule = |keys: &str| {
        let mut screen = Screen::new(100, 30);
        quiet(&mut screen);
        let frame = screen.keys(keys).frame();
        let line = frame.lines().find(|line| line.contains('┬')).unwrap().to_owned();
        let (tree, pane) = line.split_once('┬').unwrap();
        (tree.contains("══"), pane.contains("══"))
    };
    assert_eq!(rule("j enter"), (true, false));
    assert_eq!(rule("j enter tab"), (false, true));
}

#[test]
fn message() {
    frames("s8-message", &SIZES, |screen| {
        screen.keys("space c");
    });
    frames("s8-message-body", &SIZES[..1], |screen| {
        screen.keys("space c tab");
        screen.typed("Checked on staging. {{ .Odd }}");
    });
}

#[test]
fn push() {
    frames("s9a-confirm", &SIZES, |screen| {
        screen.state.mode = Mode::Write;
        screen.keys("j space j space p").wait();
    });
    frames("s9a-confirm-dry-run", &SIZES[1..], |screen| {
        screen.keys("space p").wait();
    });
    frames("s9a-scrolls", &[(80, 18)], |screen| {
        screen.state.mode = Mode::Write;
        screen.keys("a p").wait().keys("j j");
    });
    frames("s9-under-way", &SIZES, |screen| {
        screen.state.mode = Mode::Write;
        screen.stalled = true;
        screen.keys("j space p").wait().keys("y q");
    });
    frames("s1-updates-pushing", &SIZES, |screen| {
        screen.state.mode = Mode::Write;
        screen.stalled = true;
        screen.keys("j space p").wait().keys("y 1");
    });
    frames("s9a-not-reached", &SIZES[1..], |screen| {
        screen.state.mode = Mode::Write;
        screen.unreached = true;
        screen.keys("space p").wait();
    });
    frames("s9b-protected", &SIZES, |screen| {
        screen.state.mode = Mode::Write;
        screen.protected = vec![Guarded { branch: "image-updates".to_owned(), why: Guard::Configured }];
        screen.keys("space p").wait().keys("y").typed("image");
    });
    frames("s9a-protected", &SIZES[1..], |screen| {
        screen.state.mode = Mode::Write;
        screen.protected = vec![Guarded { branch: "image-updates".to_owned(), why: Guard::Configured }];
        screen.keys("space p").wait();
    });
    frames("s9c-result", &SIZES, |screen| {
        screen.state.mode = Mode::Write;
        screen.keys("j space p").wait().keys("y");
    });
    frames("s9a-request", &SIZES, |screen| {
        screen.state.mode = Mode::Write;
        screen.state.requests = true;
        screen.keys("j space p").wait();
    });
    frames("s9c-request", &SIZES, |screen| {
        screen.state.mode = Mode::Write;
        screen.state.requests = true;
        screen.keys("j space p").wait().keys("y");
    });
    frames("s9c-result-dry-run", &SIZES[..1], |screen| {
        screen.keys("j space p").wait().keys("y");
    });
}

#[test]
fn a_message_that_has_no_room_on_its_row_takes_the_rows_above() {
    frames("s1-updates-long-message", &SIZES[1..], |screen| {
        let text = "no request can be opened: nobody knows a forge at https://git.example.com/ops/fleet; \
                    [forge.\"HOST\"] in the configuration names it; the branch is pushed without one";
        screen.state.tell(Level::Warning, text);
    });
}

#[test]
fn target() {
    frames("target", &[SIZES[0], SIZES[1], WIDE], |screen| {
        screen.keys("j space b j");
    });
    frames("target-typed", &SIZES[1..], |screen| {
        screen.keys("j space b 3").typed("updates/{policy}");
    });
    frames("target-review", &SIZES, |screen| {
        screen.keys("j space 5 b 2");
    });
    frames("s9a-target", &SIZES, |screen| {
        screen.state.mode = Mode::Write;
        screen.keys("j space p").wait().keys("b s 2").wait();
    });
}

#[test]
fn merge() {
    let ask = |screen: &mut Screen| {
        screen.state.mode = Mode::Write;
        screen.keys("j space p").wait().keys("y").keys("j j enter").wait();
    };
    frames("merge", &[SIZES[0], SIZES[1], WIDE], ask);
    frames("merge-commit", &SIZES[1..], |screen| {
        ask(screen);
        screen.keys("m").wait();
    });
    frames("merge-typed", &SIZES[1..], |screen| {
        ask(screen);
        screen.keys("y").typed("ma");
    });
    frames("merge-result", &SIZES, |screen| {
        ask(screen);
        screen.keys("y").typed("main").keys("enter");
    });
    frames("merge-conflict", &SIZES, |screen| {
        let problem = Problem::new(Code::MergeConflict, "main", "image-updates and main cannot be merged")
            .cause("both changed apps/podinfo/deploy.yaml")
            .hint("Merge them by hand, or make the updates again on top of main.");
        screen.conflict = Some(problem);
        ask(screen);
    });
}

#[test]
fn rollback() {
    let back = |screen: &mut Screen| {
        screen.keys("j j :").typed("rollback").keys("enter");
    };
    frames("rollback", &[SIZES[0], SIZES[1], WIDE], |screen| {
        back(screen);
        screen.typed("loses keys");
    });
    for (name, downs) in [("suspend", 1), ("exclude", 2), ("narrow", 3)] {
        frames(&format!("rollback-{name}"), &SIZES[1..], |screen| {
            back(screen);
            screen.typed("loses keys");
            screen.keys(&["down"; 3][..downs].join(" "));
        });
    }
    frames("rollback-edit-plan", &SIZES, |screen| {
        back(screen);
        screen.typed("loses keys").keys("down down down enter");
    });
    frames("rollback-edit-diff", &SIZES, |screen| {
        back(screen);
        screen.typed("loses keys").keys("down enter d G");
    });
    frames("rollback-edit-confirm", &SIZES[1..], |screen| {
        screen.state.mode = Mode::Write;
        back(screen);
        screen.typed("loses keys").keys("down enter p").wait();
    });
    frames("rollback-plan", &SIZES[1..], |screen| {
        back(screen);
        screen.typed("loses keys").keys("enter");
    });
    frames("rollback-confirm", &SIZES[1..], |screen| {
        screen.state.mode = Mode::Write;
        back(screen);
        screen.typed("loses keys").keys("enter p").wait();
    });
}

#[test]
fn what_reflects_a_digest_can_be_rolled_back_before_the_digest_is_known() {
    let mut screen = Screen::new(100, 30);
    quiet(&mut screen);
    let mut inventory = (*screen.state.inventory).clone();
    let policy = inventory.policies.get_mut(&id("data/redis")).unwrap();
    policy.digest_policy = supercargo::domain::object::DigestPolicy::Always;
    screen.state.inventory = std::sync::Arc::new(inventory);
    screen.keys("j j :").typed("rollback").keys("enter");
    assert!(screen.frame().contains("Roll back data/redis?"), "{}", screen.frame());
}

#[test]
fn what_was_gone_back_to_a_moment_ago_is_no_decision_of_an_earlier_run() {
    let mut screen = Screen::new(100, 30);
    quiet(&mut screen);
    screen.keys("j j :").typed("rollback").keys("enter").typed("loses keys");
    screen.state.resumed = false;
    screen.keys("enter");
    assert!(!screen.state.review.wanted().is_empty() && screen.state.resumed);
}

#[test]
fn what_goes_back_is_approved_what_is_newer_is_held_and_nothing_else_is_in_the_plan() {
    let mut screen = Screen::new(100, 30);
    quiet(&mut screen);
    screen.keys("space j j :").typed("rollback").keys("enter");
    // Without a reason nothing happens, and no tag is gone back to that does not exist.
    screen.keys("enter");
    assert!(screen.state.review.wanted().is_empty());
    screen.typed("loses keys").keys("tab tab tab ctrl-u").typed("0.0.1").keys("enter");
    assert!(screen.frame().contains("the registry has no tag 0.0.1"), "{}", screen.frame());
    screen.keys("ctrl-u").typed("7.2.4").keys("enter");
    let approved: Vec<String> =
        screen.state.review.approved().map(|update| update.policy.to_string()).collect();
    assert_eq!(approved, ["data/redis"]);
    let update = screen.state.review.approved().next().unwrap();
    assert_eq!((update.current[0].as_str(), update.new.as_ref().unwrap().tag.as_str()), ("7.2.5", "7.2.4"));
    assert!(update.downgrade);
    let held = screen.state.review.holds.iter().find(|hold| hold.policy == id("data/redis")).unwrap();
    assert_eq!((held.tag.as_deref(), held.reason.as_str()), (None, "loses keys"));
    // The policy selects 7.4.1 all the time.
    screen.keys("1 r").wait();
    assert!(row_of(&screen, "data/redis").contains("7.2.5 → 7.2.4"), "{}", screen.frame());
    // Undecided and asked for anew, the policy has the word.
    screen.keys("x r").wait();
    assert!(row_of(&screen, "data/redis").contains("7.2.5 → 7.4.1"), "{}", screen.frame());
}

#[test]
fn a_preview_that_fits_does_not_scroll_away() {
    let mut screen = Screen::new(100, 30);
    quiet(&mut screen);
    screen.keys("j j").wait();
    let before = screen.frame();
    screen.keys(&["J"; 8].join(" ")).wait();
    assert_eq!(screen.frame(), before);
}

#[test]
fn errors() {
    frames("s11-errors", &SIZES, |screen| {
        screen.keys("!");
    });
    frames("s11-errors-details", &SIZES, |screen| {
        screen.keys("! enter");
    });
}

#[test]
fn a_long_name_leaves_every_problem_its_room() {
    let mut screen = Screen::new(100, 30);
    quiet(&mut screen);
    let what = "shop/a-very-long-policy-name-of-a-very-long-service scan";
    let message = "GET http://registry.example.com/v2/team/many: connection refused";
    let problem = Problem::new(Code::Unreachable, "shop/x", message);
    screen.state.errors.add(screen.state.now, what, problem, None);
    screen.keys("!");
    let row = screen.frame().lines().find(|line| line.contains("-service scan")).unwrap().to_owned();
    assert!(row.contains("registry.example.com/v2/team/many: conn"), "{row}");
}

#[test]
fn an_order_to_the_controllers_is_asked_about() {
    frames("s6-order", &SIZES[..1], |screen| {
        let inventory = std::sync::Arc::make_mut(&mut screen.state.inventory);
        for automation in inventory.automations.values_mut() {
            automation.meta.origin.source = "cluster";
        }
        screen.keys("4 g :").typed("suspend").keys("enter");
    });
}

#[test]
fn one_namespace() {
    frames("s4-namespace", &SIZES[..1], |screen| {
        screen.keys("3 :").typed("ns data").keys("enter");
    });
    frames("s4-namespace-without-policies", &SIZES[..1], |screen| {
        screen.state.scope = Some("default".to_owned());
        supercargo::app::rows::refresh(&mut screen.state);
        screen.keys("3");
    });
}

#[test]
fn the_pager_gets_what_has_no_room_on_the_screen() {
    for (keys, first, last) in [
        ("j", "── flux-system/podinfo", "apps/podinfo/hr.yaml"),
        ("t", "why main-9b1d3e7", "held"),
        (
            "j enter",
            "image: ghcr.io/acme/podinfo:6.5.4 # {\"$imagepolicy\": \"flux-system:podinfo\"}",
            "checked",
        ),
        ("!", "what", "next"),
        ("2", "", ""),
    ] {
        let mut screen = Screen::new(80, 24);
        screen.keys(keys);
        let theme = Theme::shipped("mono", Depth::Mono).unwrap();
        let text =
            supercargo::views::whole(&screen.state, supercargo::views::Look { theme: &theme, ascii: false });
        assert!(text.contains(first) && text.contains(last), "{keys}:\n{text}");
        assert!(
            !text.contains("J scrolls") && !text.contains('\u{1b}') && !text.ends_with("\n\n"),
            "{keys}:\n{text}"
        );
    }
}

#[test]
fn help_and_palette() {
    frames("s12-help", &[SIZES[0], SIZES[1], WIDE], |screen| {
        screen.keys("?");
    });
    frames("s12-help-marks", &SIZES[..1], |screen| {
        screen.keys("? pgdn pgdn");
    });
    frames("s12-help-search", &SIZES[..1], |screen| {
        screen.keys("?").typed("scan");
    });
    frames("s13-palette", &SIZES, |screen| {
        screen.keys(":").typed("re");
    });
    frames("s14-find", &SIZES, |screen| {
        screen.keys("ctrl-p").typed("podi");
    });
    frames("s14-find-all", &SIZES[..1], |screen| {
        screen.keys("ctrl-p");
    });
    frames("s14-find-nothing", &SIZES[..1], |screen| {
        screen.keys("ctrl-p").typed("zqx");
    });
    frames("s14-find-tag", &SIZES[..1], |screen| {
        screen.keys("ctrl-p").typed("podinfo:6.6.1").keys("enter");
    });
    frames("mode-write", &SIZES[..1], |screen| {
        screen.keys(":").typed("mode write").keys("enter");
    });
}

/// Gives the screen the keys of a preset and of some lines of the configuration.
fn bind(screen: &mut Screen, preset: Preset, lines: &[(&str, &str)]) {
    let at = "config.toml:2:1".to_owned();
    let key = |text: &str| AskedKey { text: text.to_owned(), at: at.clone() };
    let asked = |keys: &str| match keys {
        "" => Asked::Unbound,
        keys => Asked::Keys(keys.split(' ').map(key).collect()),
    };
    let line = |(id, keys): &(&str, &str)| Line { id: (*id).to_owned(), at: at.clone(), asked: asked(keys) };
    let lines: Vec<Line> = lines.iter().map(line).collect();
    let (bindings, told) = action::bind(preset, &lines);
    assert_eq!(told, []);
    screen.state.bindings = bindings;
}

#[test]
fn keys_of_ones_own_are_the_ones_that_are_shown() {
    let own = [("decide.approve", "f5 space"), ("decide.skip", ""), ("push.open", "ctrl-g")];
    frames("keys-own-updates", &SIZES, |screen| {
        bind(screen, Preset::Vim, &own);
        screen.keys("f5");
    });
    frames("keys-own-help", &SIZES, |screen| {
        bind(screen, Preset::Vim, &own);
        screen.keys("?");
    });
    frames("keys-emacs-help", &SIZES, |screen| {
        bind(screen, Preset::Emacs, &[]);
        screen.keys("?");
    });
    frames("keys-emacs-palette", &SIZES[1..], |screen| {
        bind(screen, Preset::Emacs, &[]);
        screen.keys("alt-x").typed("move").keys("ctrl-n");
    });
    frames("keys-own-plan-empty", &SIZES[1..], |screen| {
        bind(screen, Preset::Arrows, &own);
        screen.keys("5");
    });
}

#[test]
fn a_bad_line_gets_one_pane_and_a_mark_in_the_gutter() {
    let low = |screen: &mut Screen| {
        screen.keys(":").typed("profile low-bandwidth").keys("enter");
        quiet(screen);
        screen.keys("j");
    };
    frames("low-bandwidth-updates", &[SIZES[0], SIZES[1], WIDEST], low);
    frames("low-bandwidth-tags", &SIZES[1..], |screen| {
        low(screen);
        screen.keys("t");
    });
    frames("low-bandwidth-preview", &SIZES[..1], |screen| {
        low(screen);
        screen.keys("i");
    });
    let mut screen = Screen::new(80, 24);
    quiet(&mut screen);
    low(&mut screen);
    let before = screen.drawn(&Theme::default(), false);
    screen.keys("j");
    let after = screen.drawn(&Theme::default(), false);
    let changed: Vec<u16> = before.diff(&after).into_iter().map(|(x, ..)| x).collect();
    assert!(changed.iter().filter(|x| **x == 0).count() == 2, "{changed:?}");
}

#[test]
fn what_is_clicked_is_what_is_seen() {
    let mut screen = Screen::new(100, 30);
    quiet(&mut screen);
    let spot = |screen: &Screen, x, y| {
        let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, 100, 30));
        let look = supercargo::views::Look { theme: &Theme::default(), ascii: false };
        supercargo::views::frame(&mut buffer, &screen.state, look).spot(x, y)
    };
    assert_eq!(spot(&screen, 20, 1), Some(Spot::Tab(View::Repositories)));
    assert_eq!(spot(&screen, 2, 4), Some(Spot::Box(1)));
    assert_eq!(spot(&screen, 30, 4), Some(Spot::Row(1)));
    assert!(matches!(spot(&screen, 6, 2), Some(Spot::Order(_))), "a head");
    assert_eq!(spot(&screen, 30, 20), Some(Spot::Pane(Focus::Other)));
    assert_eq!((spot(&screen, 30, 0), spot(&screen, 3, 29)), (None, None));
    screen.keys("o");
    assert!(
        (0..30).all(|y| !matches!(spot(&screen, 2, y), Some(Spot::Row(_) | Spot::Box(_)))),
        "a menu covers it"
    );
    screen.keys("esc enter");
    assert_eq!(spot(&screen, 5, 4), Some(Spot::Box(1)));
}

#[test]
fn start_page_and_too_small() {
    for (width, height) in SIZES {
        assert_snapshot!(format!("start-nothing-{width}x{height}"), Screen::nothing(width, height).frame());
    }
    for (width, height) in [(48, 12), (40, 10), (40, 6), (20, 5)] {
        assert_snapshot!(format!("s15-too-small-{width}x{height}"), Screen::new(width, height).frame());
    }
}

#[test]
fn the_meaning_of_every_cell() {
    let roles = |keys: &str| {
        let mut screen = Screen::new(100, 30);
        quiet(&mut screen);
        screen.keys(keys).roles()
    };
    assert_snapshot!("s1-updates-roles-100x30", roles("space j"));
    assert_snapshot!("s2-repositories-roles-100x30", roles("2 j"));
    assert_snapshot!("s3-tags-roles-100x30", roles("t j"));
    assert_snapshot!("s7-diff-roles-100x30", roles("j space enter j j"));
}

#[test]
fn ascii_terminals_get_ascii() {
    let mut screen = Screen::new(80, 24);
    quiet(&mut screen);
    assert_snapshot!("s1-updates-ascii-80x24", screen.ascii());
    for keys in ["1", "2", "t", "3", "4", "enter", "?", ":"] {
        let mut screen = Screen::new(100, 30);
        assert!(screen.keys(keys).ascii().is_ascii(), "after {keys}:\n{}", screen.ascii());
    }
}

#[test]
fn at_60_columns_every_view_still_reads() {
    for (name, keys) in
        [("updates", "1"), ("repositories", "2"), ("tags", "t"), ("policies", "3"), ("automations", "4")]
    {
        let mut screen = Screen::new(60, 16);
        quiet(&mut screen);
        assert_snapshot!(format!("narrow-{name}-60x16"), screen.keys(keys).frame());
    }
}

#[test]
fn at_60_columns_what_lies_over_a_view_is_whole() {
    frames("narrow-target", &[(60, 16)], |screen| {
        screen.keys("j space b j");
    });
    frames("narrow-palette", &[(60, 16)], |screen| {
        screen.keys(":");
    });
    let mut screen = Screen::new(60, 16);
    let one = screen.keys("j space b").frame();
    let each = screen.keys("s").frame();
    assert!(one.contains("one for each automation") && each.contains("one for each policy"), "{each}");
}

#[test]
fn the_pager_gets_lines_of_files_whole_and_the_head_in_sight() {
    let theme = Theme::shipped("mono", Depth::Mono).unwrap();
    let whole = |keys: &str| {
        let mut screen = Screen::new(80, 24);
        screen.keys(keys);
        supercargo::views::whole(&screen.state, supercargo::views::Look { theme: &theme, ascii: false })
    };
    let updates = whole("g");
    assert!(updates.contains("main-4f2a91c-1763769600") && !updates.contains("769600…"), "{updates}");
    assert!(updates.lines().filter(|line| line.contains("imagepolicy")).all(|line| !line.contains('…')));
    let diff = whole("j enter");
    let head = diff.lines().next().unwrap();
    assert!(
        head.contains("file 1 of 2") && head.ends_with("3 sites") && head.chars().count() <= 80,
        "{head}"
    );
}

/// Everything that a terminal might obey, or a person might not see.
const HOSTILE: [&str; 6] = [
    "\x1b]0;x\x07",
    "\u{9b}31m",
    "a\u{202e}b\u{2066}c",
    "x\r\ny",
    "\u{200b}\u{ad}",
    "e\u{301}\u{301}\u{301}",
];

#[test]
fn nothing_hostile_reaches_a_cell() {
    let theme = Theme::fallback(Depth::True);
    for hostile in HOSTILE {
        let mut screen = Screen::closed(100, 30);
        screen.add_tags("shop/checkout-api", [hostile.to_owned()]);
        screen.open();
        screen.state.source = format!("ctx {hostile}");
        screen.state.tell(supercargo::app::state::Level::Warning, format!("said {hostile}"));
        for keys in ["1", "2", "3", "4", "5", "!", "2 G k enter G", "1 enter", "1 space c", "1 p", "1 ?"] {
            screen.keys(keys);
            screen.send(Msg::Paste(hostile.to_owned()));
            assert_clean(&screen.drawn(&theme, false), keys);
            screen.keys("esc");
        }
    }
}

fn assert_clean(buffer: &Buffer, keys: &str) {
    let obeyed = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{ad}')
    };
    for cell in buffer.content() {
        assert!(!cell.symbol().contains(obeyed), "after {keys}: {:?}", cell.symbol());
    }
}

#[test]
fn no_size_panics_and_the_old_size_brings_the_old_frame_back() {
    for keys in ["1", "2", "t", "3", "4", "5", "enter", "!", "?", ":", "space p", "space c", "space p y"] {
        let mut screen = Screen::new(100, 30);
        screen.keys(keys);
        let before = screen.frame();
        for (width, height) in
            [(1, 1), (59, 16), (60, 16), (61, 17), (99, 28), (100, 28), (139, 60), (140, 28), (300, 90)]
        {
            screen.send(Msg::Resized(Size { width, height }));
            let _ = screen.frame();
        }
        screen.send(Msg::Resized(Size { width: 100, height: 30 }));
        assert_eq!(screen.frame(), before, "after {keys}");
    }
}

#[test]
fn a_hundred_thousand_tags_cost_no_more_than_the_rows_in_sight() {
    let mut screen = Screen::closed(120, 40);
    let many = (0..100_000).map(|number| format!("main-{number:07x}-{}", 1_700_000_000 + number));
    screen.add_tags("shop/checkout-api", many);
    screen.open();
    screen.keys("2 G k enter G");
    assert_eq!(screen.state.view(), View::Tags);
    let theme = Theme::fallback(Depth::True);
    let began = std::time::Instant::now();
    let _ = screen.drawn(&theme, false);
    let took = began.elapsed();
    // Without optimisation, and with others on the machine: an order of magnitude is what is told apart here.
    assert!(took.as_millis() < 500, "{took:?}");
    screen.send(Msg::Key(Key::char('k')));
    assert!(screen.frame().contains("row 100 010/100 011"), "{}", screen.frame());
}

/// Views build what they draw from `Shown` and roles; ratatui's own text types take any string.
#[test]
fn views_build_text_only_from_shown() {
    let words = [
        "Span::",
        "Paragraph",
        "ratatui::text",
        "set_string",
        "set_symbol",
        "set_line",
        "Block::",
        "List::new(",
        "Text::",
    ];
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![root.join("views.rs")];
    collect(&root.join("views"), &mut files);
    for file in files.iter().filter(|file| !file.ends_with("widgets/canvas.rs")) {
        let text = std::fs::read_to_string(file).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            assert!(!words.iter().any(|word| line.contains(word)), "{}: {line}", file.display());
        }
    }
}

fn collect(folder: &std::path::Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

/// S1, S3, S7 and S9a, by the keys that lead to them.
const SHOWN: [&str; 4] = ["space j", "t j j", "j space enter j j", "space p"];

#[test]
fn every_theme_shows_the_same_text_and_none_of_it_on_its_own_colour() {
    for keys in SHOWN {
        let mut screen = Screen::new(100, 30);
        quiet(&mut screen);
        screen.keys(keys);
        let plain = screen.drawn(&Theme::numbered(), false);
        for (name, depth) in
            SHIPPED.iter().flat_map(|(name, _)| [(name, Depth::True), (name, Depth::Sixteen)])
        {
            let drawn = screen.drawn(&Theme::shipped(name, depth).unwrap(), false);
            for (cell, expected) in drawn.content().iter().zip(plain.content()) {
                assert_eq!(cell.symbol(), expected.symbol(), "{name}, after {keys}");
                let is_hidden = cell.fg == cell.bg && cell.fg != ratatui::style::Color::Reset;
                assert!(!is_hidden || cell.symbol() == " ", "{name} hides {:?}, after {keys}", cell.symbol());
            }
        }
    }
}

#[test]
fn a_menu_that_is_longer_than_the_screen_follows_its_cursor() {
    let mut screen = Screen::new(80, 24);
    screen.state.offer_themes((0..60).map(|number| format!("theme-{number:02}")).collect(), "theme-00");
    assert!(screen.keys("T G").frame().contains("▌ theme-59"), "{}", screen.frame());
    assert!(screen.keys("g").frame().contains("▌ theme-00"), "{}", screen.frame());
}

/// Writes frames in colour into `target/frames`, to be looked at: `cargo test --test frames -- --ignored pictures`.
#[test]
#[ignore = "makes files to look at"]
fn pictures() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/frames");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, _) in SHIPPED {
        let theme = Theme::shipped(name, Depth::True).unwrap();
        for (view, keys) in [
            ("updates", "space j j"),
            ("tags", "t j j"),
            ("diff", "j space enter j j"),
            ("policies", "3"),
            ("push", "space p"),
            ("help", "?"),
        ] {
            for (width, height) in [SIZES[0], SIZES[1], WIDE] {
                let mut screen = Screen::new(width, height);
                quiet(&mut screen);
                let text = screen.keys(keys).ansi(&theme);
                std::fs::write(folder.join(format!("{name}-{view}-{width}x{height}.ansi")), text).unwrap();
            }
        }
    }
}

/// `cargo test --test frames picture` with `SUPERCARGO_PICTURE=1` makes the picture anew.
#[test]
fn the_picture_of_the_readme_is_what_the_program_draws() {
    let mut screen = Screen::new(100, 30);
    quiet(&mut screen);
    screen.keys("space j j");
    let drawn = picture::svg(&screen.drawn(&Theme::shipped("default-dark", Depth::True).unwrap(), false));
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/screen.svg");
    if std::env::var_os("SUPERCARGO_PICTURE").is_some() {
        std::fs::write(&path, &drawn).unwrap();
    }
    assert!(std::fs::read_to_string(&path).is_ok_and(|kept| kept == drawn), "docs/screen.svg is old");
}
