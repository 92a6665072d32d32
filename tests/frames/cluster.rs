//! The screens with a cluster behind them: what its controllers say, drift, a connection that is lost, kinds that may not be read.

use std::sync::Arc;

use insta::assert_snapshot;
use jiff::{Timestamp, ToSpan};
use supercargo::app::message::Msg;
use supercargo::app::review::Newer;
use supercargo::app::world::{Around, Live};
use supercargo::domain::controller::{Condition, LastScan, Reported, Reports};
use supercargo::domain::kustomization::{Kustomization, Kustomizations};
use supercargo::domain::object::{Kind, ObjectId};
use supercargo::domain::order::Place;
use supercargo::domain::proposal::Reference;
use supercargo::domain::running::{Running, Workload};
use supercargo::domain::status::{Ready, Status};
use supercargo::problem::{Code, Problem};

use super::fleet::{NOW, Screen, id};
use super::{SIZES, WIDEST, quiet};

const ALL: [(u16, u16); 3] = [SIZES[0], SIZES[1], WIDEST];

fn minutes_ago(minutes: i64) -> Timestamp {
    NOW.parse::<Timestamp>().unwrap() - minutes.minutes()
}

fn ready(message: &str) -> Reported {
    let condition = Condition {
        kind: "Ready".to_owned(),
        status: Ready::True,
        reason: "Succeeded".to_owned(),
        message: message.to_owned(),
        since: Some(minutes_ago(60)),
    };
    Reported {
        generation: 1,
        observed_generation: Some(1),
        conditions: vec![condition],
        ..Reported::default()
    }
}

/// What the controllers say of the scenario: one selects another tag, one repository was not scanned for hours.
fn reports(screen: &Screen) -> Reports {
    let inventory = &screen.state.inventory;
    let mut reports = Reports::default();
    for (at, id) in inventory.repositories.keys().enumerate() {
        let time = minutes_ago(if at == 0 { 600 } else { 4 });
        let last_scan = Some(LastScan { time, tags: 41, revision: None });
        let said = Reported { last_scan, ..ready("successful scan: found 41 tags") };
        reports.insert((Kind::ImageRepository, id.clone()), said);
    }
    let read = &inventory.policies[&id("flux-system/podinfo")].repository;
    let image = inventory.repositories[read].image.clone();
    let latest = Some(Reference { image, tag: "6.5.4".to_owned(), digest: None });
    let said = Reported { latest, ..ready("Latest image tag resolved to 6.5.4") };
    reports.insert((Kind::ImagePolicy, id("flux-system/podinfo")), said);
    for id in inventory.automations.keys() {
        let said = Reported {
            last_run: Some(minutes_ago(3)),
            last_push: Some(("8d2e91b0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6".to_owned(), Some(minutes_ago(90)))),
            ..ready("repository up-to-date")
        };
        reports.insert((Kind::ImageUpdateAutomation, id.clone()), said);
    }
    reports
}

/// Puts a cluster beside the files of the scenario.
fn join(screen: &mut Screen) {
    let reports = Arc::new(reports(screen));
    let drift = ((Kind::ImagePolicy, id("flux-system/podinfo")), vec!["policy.semver.range"]);
    let inventory = Arc::make_mut(&mut screen.state.inventory);
    inventory.repositories.values_mut().for_each(|one| one.meta.origin.source = "cluster");
    inventory.policies.values_mut().for_each(|one| one.meta.origin.source = "cluster");
    inventory.automations.values_mut().for_each(|one| one.meta.origin.source = "cluster");
    "prod-eu+files".clone_into(&mut screen.state.source);
    screen.state.live = Some(Live {
        context: "prod-eu".to_owned(),
        place: Place { context: Some("prod-eu".to_owned()), kubeconfig: None },
        reports,
        drifts: Arc::new([drift].into()),
        read: minutes_ago(0),
    });
    supercargo::app::rows::refresh(&mut screen.state);
}

fn frames(name: &str, sizes: &[(u16, u16)], act: impl Fn(&mut Screen)) {
    for (width, height) in sizes {
        let mut screen = Screen::new(*width, *height);
        quiet(&mut screen);
        join(&mut screen);
        act(&mut screen);
        assert_snapshot!(format!("{name}-{width}x{height}"), screen.frame());
    }
}

#[test]
fn an_order_says_how_flux_gives_it_to_the_same_cluster_for_each_object() {
    frames("cluster-order", &SIZES, |screen| {
        screen.keys("4 g space j space :").typed("suspend").keys("enter");
    });
}

#[test]
fn with_a_cluster_each_list_has_what_its_controllers_say() {
    frames("cluster-s1-updates", &ALL, |_| {});
    frames("cluster-s2-repositories", &ALL, |screen| {
        screen.keys("2");
    });
    frames("cluster-s3-tags", &ALL, |screen| {
        screen.keys("t");
    });
    frames("cluster-s4-policies", &ALL, |screen| {
        screen.keys("3");
    });
    frames("cluster-s6-automations", &ALL, |screen| {
        screen.keys("4 g");
    });
}

/// What runs, and a Kustomization that applies everything and does not.
fn around(screen: &mut Screen) {
    let mut running = Running::default();
    let id = |name: &str| ObjectId::new("flux-system", name);
    let workload = |name: &str| Workload { kind: "Deployment", id: id(name) };
    running.add("ghcr.io/acme/podinfo:6.5.4", &workload("podinfo"));
    running.add("ghcr.io/acme/podinfo:6.5.3", &workload("canary"));
    let refused =
        Problem::new(Code::ClusterForbidden, "prod-eu", "not allowed to list cronjobs in all namespaces");
    running.unread.push(refused);
    let automations = screen.state.inventory.automations.values();
    let suspended = automations.map(|automation| Kustomization {
        id: id("apps"),
        source: Some(automation.source.clone()),
        path: String::new(),
        suspend: true,
        status: Status::waiting(),
    });
    let all = suspended.map(|one| (one.id.clone(), one)).collect();
    let kustomizations = Some(Arc::new(Kustomizations { all, unread: Vec::new() }));
    screen.send(Msg::Around(Around { running: Some(Arc::new(running)), kustomizations }));
}

#[test]
fn what_keeps_an_update_from_the_cluster_and_what_runs_is_said_above_its_lines() {
    frames("cluster-running-s1", &SIZES, around);
}

#[test]
fn what_runs_has_a_column_where_the_list_has_all_the_width() {
    frames("cluster-running-s1-zoomed", &[(160, 45)], |screen| {
        around(screen);
        screen.keys("z");
    });
}

#[test]
fn a_lost_cluster_stands_in_the_title_with_its_age() {
    frames("cluster-lost", &SIZES, |screen| {
        let problem =
            Problem::new(Code::Unreachable, "prod-eu", "watch imagepolicies: the API server was not reached");
        screen.send(Msg::ClusterLost(Some((minutes_ago(2), problem))));
        quiet(screen);
    });
}

#[test]
fn a_kind_that_may_not_be_read_is_no_empty_list() {
    for (name, keys, kind) in [
        ("cluster-403-s1", "1", Kind::ImagePolicy),
        ("cluster-403-s2", "2", Kind::ImageRepository),
        ("cluster-403-s4", "3", Kind::ImagePolicy),
        ("cluster-403-s6", "4", Kind::ImageUpdateAutomation),
    ] {
        frames(name, &SIZES, |screen| {
            let state = &mut screen.state;
            let inventory = Arc::make_mut(&mut state.inventory);
            inventory.repositories.clear();
            inventory.policies.clear();
            inventory.automations.clear();
            state.review.replace(Vec::new(), &Newer::None);
            let message =
                format!("not allowed to list {} in all namespaces", kind.to_string().to_lowercase());
            let denied = Problem::new(Code::ClusterForbidden, "prod-eu", message)
                .hint("Ask for a role with this verb on this resource, or choose a namespace with -n.");
            Arc::make_mut(&mut state.inventory).unread.note((kind, None), denied);
            supercargo::app::rows::refresh(state);
            screen.keys(keys);
        });
    }
}
