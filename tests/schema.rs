//! The published schema of plans: what is printed, and that it refuses what is no plan.
mod support {
    pub mod desk;
    pub mod git;
    pub mod schema;
}

use serde_json::{Value, json};
use support::desk::Desk;
use support::schema::{defects, of_plans};

#[test]
fn the_schema_is_printed_as_it_is_published() {
    let desk = Desk::reviewing();
    let ran = desk.run(&["schema", "plan"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap(), of_plans());
    assert!(ran.out.ends_with("}\n"));
    assert_eq!(desk.run(&["schema"]).code, Some(2));
}

#[test]
fn a_plan_that_lacks_or_twists_something_is_refused() {
    let desk = Desk::reviewing();
    let plan = desk.plan("plan.json", &["--all"]);
    let schema = of_plans();
    assert_eq!(defects(&schema, &plan), Vec::<String>::new());
    for (pointer, value) in [
        ("/id", json!("XYZ")),
        ("/created", json!("yesterday")),
        ("/bytes_changed_outside_markers", json!(1)),
        ("/groups/0/base/commit", json!("4c1f0e2")),
        ("/groups/0/push/behind", json!(-1)),
        ("/groups/0/push/options", json!({ "ci.skip": 1 })),
        ("/groups/0/message", json!("")),
        ("/groups/0/updates/0/step", json!("sideways")),
        ("/groups/0/updates/0/sites", json!([])),
        ("/groups/0/updates/0/sites/0/line", json!(0)),
        ("/groups/0/files/0", json!({})),
        ("/groups/0/author", json!(null)),
    ] {
        let mut twisted = plan.clone();
        *twisted.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
        assert!(!defects(&schema, &twisted).is_empty(), "{pointer}");
    }
    let mut more = plan;
    more["groups"][0]["surprise"] = json!(true);
    assert_eq!(defects(&schema, &more), [".groups[0].surprise is not described"]);
}
