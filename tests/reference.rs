//! Our answers against those of the Go libraries that Flux stands on, on requests made up at random.

mod support {
    pub mod generate;
    pub mod programs;
    pub mod reference;
}

use support::{generate, reference};

#[test]
fn ranges_and_versions_are_those_of_masterminds() {
    reference::compare("semver", generate::semver::request);
}

#[test]
fn patterns_are_those_of_go() {
    reference::compare("regex", generate::regex::request);
}

#[test]
fn policies_select_what_flux_selects() {
    reference::compare("policy", generate::policy::request);
}
