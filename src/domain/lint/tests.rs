//! Findings on small worlds: which verdict, which link, which fix.

use std::collections::BTreeMap;

use super::*;
use crate::domain::inventory::{Inventory, Object, implied_automation};
use crate::domain::object::{
    DigestPolicy, GitRef, GitRepository, ImagePolicy, ImageRepository, LabelSelector, Meta, Origin,
    PolicyChoice, SemverChoice,
};
use crate::domain::plan::{Ground, MarkedFile};
use crate::problem::Code;

const FILE: &str = "clusters/prod/a.yaml";

fn meta(namespace: &str, name: &str) -> Meta {
    let origin = Origin { source: "files", file: None, line: None };
    let labels = BTreeMap::from([("app".to_owned(), name.to_owned())]);
    Meta { id: ObjectId::new(namespace, name), version: "v1".into(), labels, origin }
}

fn repository(namespace: &str, name: &str) -> ImageRepository {
    ImageRepository { meta: meta(namespace, name), ..ImageRepository::of_image(&format!("o/{name}")) }
}

fn policy(namespace: &str, name: &str) -> ImagePolicy {
    let semver = Some(SemverChoice { range: "*".into() });
    ImagePolicy {
        meta: meta(namespace, name),
        repository: ObjectId::new(namespace, name),
        choice: PolicyChoice { semver, ..PolicyChoice::default() },
        filter: None,
        digest_policy: DigestPolicy::Never,
        interval: None,
        suspend: false,
    }
}

fn source() -> GitRepository {
    GitRepository {
        meta: meta("apps", "fleet"),
        url: "https://example.com/fleet.git".into(),
        secret_ref: None,
        proxy_secret_ref: None,
        interval: None,
        timeout: None,
        reference: Some(GitRef { branch: Some("main".into()), ..GitRef::default() }),
        provider: "generic".into(),
        service_account: None,
        suspend: false,
    }
}

fn automation() -> crate::domain::object::ImageUpdateAutomation {
    let mut automation = implied_automation("apps", "main");
    automation.meta = meta("apps", "all");
    automation.source = ObjectId::new("apps", "fleet");
    automation.update_path = "./clusters/prod".into();
    automation
}

/// Policies `web` (selects 2), `new` (not scanned) and `bad` (fails) of `apps`, written below clusters/prod by the
/// automation `all`; `api` of `shop`.
struct Fixture {
    inventory: Inventory,
    outcomes: BTreeMap<ObjectId, Outcome>,
    tags: BTreeMap<ObjectId, usize>,
    given: Vec<&'static str>,
    paths: BTreeMap<ObjectId, String>,
}

impl Fixture {
    fn new() -> Self {
        let mut inventory = Inventory::default();
        for (namespace, name) in [("apps", "web"), ("apps", "new"), ("apps", "bad"), ("shop", "api")] {
            inventory.add(Object::Repository(repository(namespace, name)));
            inventory.add(Object::Policy(policy(namespace, name)));
        }
        inventory.add(Object::Automation(Box::new(automation())));
        inventory.add(Object::Git(source()));
        let latest = Reference { image: "o/web".into(), tag: "2".into(), digest: None };
        let web = ObjectId::new("apps", "web");
        let bad = ObjectId::new("apps", "bad");
        let text = "unable to determine latest version from provided list";
        let failure = Problem::new(Code::PolicyFailed, "apps/bad", text);
        let tags = BTreeMap::from([(web.clone(), 3), (bad.clone(), 3)]);
        let outcomes = BTreeMap::from([(web, Ok(latest)), (bad, Err(failure))]);
        Self { inventory, outcomes, tags, given: vec![], paths: BTreeMap::new() }
    }

    fn world(&self) -> World {
        let known = Known {
            outcomes: self.outcomes.iter().collect(),
            tags: self.tags.iter().map(|(id, count)| (id, *count)).collect(),
            scan_problems: BTreeMap::new(),
            given_sources: self.given.clone(),
            paths: self.paths.iter().map(|(id, path)| (id, path.clone())).collect(),
        };
        World::new(&self.inventory, &known)
    }

    fn lint_at(&self, file: &str, text: &str) -> Report {
        lint(&[(file, text.as_bytes())], &self.world(), 1)
    }

    fn lint(&self, text: &str) -> Report {
        self.lint_at(FILE, text)
    }

    fn policy(&mut self, name: &str) -> &mut ImagePolicy {
        self.inventory.policies.get_mut(&ObjectId::new("apps", name)).unwrap()
    }

    fn automation(&mut self) -> &mut crate::domain::object::ImageUpdateAutomation {
        self.inventory.automations.values_mut().next().unwrap()
    }

    fn standing(&self) -> &'static str {
        let known = Known { given_sources: self.given.clone(), ..Known::default() };
        standings(&self.inventory, &known)[&ObjectId::new("apps", "all")].word
    }

    /// Link, status word and fix of the chain of `apps/NAME`, whose marker stands in the file.
    fn chain(&self, name: &str) -> Option<(Link, &'static str, String)> {
        let report = self.lint(&marked("a: 1", &format!("apps:{name}")));
        let chain = report.broken_chains.into_iter().find(|chain| chain.policy.name == name)?;
        Some((chain.link, chain.status, chain.fix.unwrap_or_default()))
    }
}

fn marked(line: &str, setter: &str) -> String {
    format!("{line} # {{\"$imagepolicy\": \"{setter}\"}}\n")
}

fn one(line: &str, setter: &str) -> &'static str {
    let report = Fixture::new().lint(&marked(line, setter));
    assert_eq!((report.markers.len(), report.files.len()), (1, 0), "{line}");
    report.markers[0].verdict.word()
}

#[test]
fn an_automation_writes_where_its_path_leads() {
    let mut fixture = Fixture::new();
    let text = marked("a: o/web:2", "apps:web");
    let verdict = |fixture: &Fixture, file| fixture.lint_at(file, &text).markers[0].verdict.word();
    assert_eq!(verdict(&fixture, "base/a.yaml"), "outside-path");
    fixture.paths.insert(ObjectId::new("apps", "all"), "base".to_owned());
    assert_eq!((verdict(&fixture, "base/a.yaml"), verdict(&fixture, FILE)), ("ok", "outside-path"));
}

#[test]
fn every_marker_has_its_verdict() {
    assert_eq!(one("a: o/web:2", "apps:web"), "ok");
    assert_eq!(one("a: o/web:1", "apps:web"), "outdated");
    assert_eq!(one("a: 1", "apps:web:digest"), "no-latest");
    assert_eq!(one("a: 1", "apps:web:TAG"), "bad-suffix");
    assert_eq!(one("a: 1", "apps:we"), "unknown-policy");
    assert_eq!(one("a: 1", "web"), "unknown-policy");
    assert_eq!(one("a: 1", "apps:new:tag"), "no-latest");
    assert_eq!(one("a: 1", "apps:bad:tag"), "policy-failed");
    assert_eq!(one("a: 1", "shop:api"), "other-namespace");
    assert_eq!(one("a:", "apps:web"), "no-scalar");
    assert_eq!(one("a: 1\na: 2", "apps:web"), "no-scalar");
    assert_eq!(one("a: 1", "apps: web"), "not-a-marker");
    assert_eq!(one("data: |\n  image: o/web:1", "apps:web"), "block-scalar");
}

#[test]
fn what_keeps_an_automation_from_a_marker_is_told_before_what_became_of_the_policy() {
    let verdict = |fixture: &Fixture, file: &str| {
        fixture.lint_at(file, &marked("a: 1", "apps:new")).markers[0].verdict.word()
    };
    let mut fixture = Fixture::new();
    assert_eq!(verdict(&fixture, FILE), "no-latest");
    for file in ["clusters/production/a.yaml", "a.yaml"] {
        assert_eq!(verdict(&fixture, file), "outside-path", "{file}");
    }
    let match_labels = BTreeMap::from([("app".to_owned(), "web".to_owned())]);
    fixture.automation().policy_selector = Some(LabelSelector { match_labels, ..LabelSelector::default() });
    assert_eq!(verdict(&fixture, FILE), "not-selected");
    let mut git = fixture.automation().git.clone().unwrap_or_default();
    git.message_template = "{{range .Updated.Images}}{{println .}}{{end}}".into();
    let before = fixture.automation().git.replace(git);
    let report = fixture.lint_at(FILE, &marked("a: 1", "apps:new"));
    let message = "the policySelector of apps/all does not admit the policy";
    assert_eq!(report.markers[0].message, message, "the template is not what keeps this one back");
    fixture.automation().git = before;
    fixture.automation().policy_selector = None;
    fixture.automation().source.name = "fleets".into();
    assert_eq!(verdict(&fixture, FILE), "unknown-source");
    fixture.given = vec!["apps/fleets"];
    assert_eq!(verdict(&fixture, FILE), "no-latest");
    fixture.inventory.automations.clear();
    assert_eq!(verdict(&fixture, "a.yaml"), "no-latest", "the implied automation writes everywhere");
}

#[test]
fn a_marker_whose_source_is_missing_names_it_whatever_else_halts_the_automation() {
    let mut fixture = Fixture::new();
    fixture.automation().source.name = "fleets".into();
    let git = fixture.automation().git.as_mut().unwrap();
    git.message_template = "{{range .Updated.Images}}{{println .}}{{end}}".into();
    for suspend in [false, true] {
        fixture.automation().suspend = suspend;
        let report = fixture.lint_at(FILE, &marked("a: 1", "apps:web"));
        let marker = &report.markers[0];
        let missing = "GitRepository apps/fleets of automation apps/all is nowhere to be found";
        assert_eq!((marker.verdict.word(), marker.message.as_str()), ("unknown-source", missing));
        let fix = "Name apps/fleet in `spec.sourceRef`, or add GitRepository apps/fleets.";
        assert_eq!(marker.fix.as_ref().unwrap().sentence(), fix);
        assert_eq!(fixture.chain("web").unwrap().0, Link::Automation, "which the chain meets first");
    }
}

#[test]
fn a_malformed_marker_is_placed_at_its_comment_and_mended() {
    let text = "kind: X\nimage: o/web:1   # {‘$imagepolicy’: ‘apps:web’}\nb: 1 # {\"$imagepolicy\": \"apps:web \"}\n";
    let report = Fixture::new().lint(text);
    let [first, second] = report.markers.as_slice() else { panic!("{report:?}") };
    assert_eq!((first.line, first.column, first.verdict), (2, 18, Verdict::NotAMarker));
    assert_eq!(first.fix, Some(Fix::Comment("{\"$imagepolicy\": \"apps:web\"}".to_owned())));
    assert_eq!(first.text, "{‘$imagepolicy’: ‘apps:web’}");
    assert_eq!((second.line, second.column, second.verdict), (3, 6, Verdict::NotAMarker));
    let only = "image: o/web:1 # {'$imagepolicy': 'apps:web'}\n";
    assert_eq!(Fixture::new().lint(only).markers.len(), 1, "a file without the token is looked into");
}

#[test]
fn places_count_lines_of_earlier_documents() {
    let block = "a: 1\n---\nb:\n  - |-\n    x\n    # {\"$imagepolicy\": \"apps:web\"}\n---\nc: 1 # {'$imagepolicy': 'apps:web'}\n";
    let report = Fixture::new().lint(block);
    let places: Vec<_> = report.markers.iter().map(|marker| (marker.line, marker.column)).collect();
    assert_eq!(places, [(6, 5), (8, 6)]);
}

#[test]
fn a_key_in_escapes_alone_is_passed_over_by_flux() {
    let report = Fixture::new().lint("a: 1 # {\"\\u0024imagepolicy\": \"apps:web\"}\nimage: x\n");
    assert_eq!(report.markers[0].verdict, Verdict::NotAMarker);
    assert_eq!(report.markers[0].fix, Some(Fix::Comment("{\"$imagepolicy\": \"apps:web\"}".to_owned())));
}

#[test]
fn what_was_meant_is_offered() {
    let fix = |setter: &str| {
        let report = Fixture::new().lint(&marked("a: 1", setter));
        report.markers[0].fix.clone()
    };
    let marker = |setter: &str| Some(Fix::Comment(format!("{{\"$imagepolicy\": \"{setter}\"}}")));
    assert_eq!(fix("apps:wbe:tag"), marker("apps:web:tag"));
    assert_eq!(fix("apps/web"), marker("apps:web"));
    assert_eq!(fix("flux-system:web"), marker("apps:web"), "the only policy of that name");
    assert_eq!(fix("apps:web:TAG"), marker("apps:web:tag"));
    assert_eq!(fix("apps:web:"), marker("apps:web"));
    for (setter, advice) in [("apps:web:version", "Write `:tag`"), ("x:y", "Add an ImagePolicy")] {
        let Some(Fix::Other(sentence)) = fix(setter) else { panic!("{setter} has no advice") };
        assert!(sentence.starts_with(advice), "{sentence}");
    }
}

#[test]
fn every_problem_comes_with_what_to_do() {
    let key = "{\"$imagepolicy\": \"apps:web\"}";
    let texts = [
        format!("a: # {key}\nb: 1 # {{\"$imagepolicy\": 5}}\n"),
        format!("a: |\n  # {key}\nb: 1 # {{\"$imagepolicy\": \"apps:web:digest\"}}\n"),
        marked("a: 1", "apps:new"),
        marked("a: 1", "apps:bad"),
        marked("a: 1", "other:web"),
    ];
    for text in texts {
        let report = Fixture::new().lint(&text);
        let problems = report.markers.iter().filter(|marker| marker.verdict.is_problem());
        assert!(problems.clone().count() > 0, "{text}");
        problems.for_each(|marker| assert!(marker.fix.is_some(), "{marker:?}"));
    }
    let mut fixture = Fixture::new();
    let verdict =
        |fixture: &Fixture, file| fixture.lint_at(file, &marked("a: 1", "apps:web")).markers[0].clone();
    fixture.paths.insert(ObjectId::new("apps", "all"), "base".to_owned());
    assert!(verdict(&fixture, FILE).fix.is_some(), "outside of the path");
    fixture.automation().source.name = "fleets".into();
    assert!(verdict(&fixture, "base/a.yaml").fix.is_some(), "no source");
}

#[test]
fn markers_where_flux_does_not_look_are_told_of() {
    let marker = "image: o/web:1 # {\"$imagepolicy\": \"apps:web\"}\n";
    let behind = format!("a: 1\n...\n{marker}---\n{marker}");
    let report = Fixture::new().lint(&behind);
    let found: Vec<_> = report.markers.iter().map(|marker| (marker.line, marker.verdict.word())).collect();
    assert_eq!(found, [(3, "no-scalar"), (5, "outdated")]);
    for file in ["apps/UP.YAML", "apps/x.json", "apps/k.yaml.tmpl", "apps/kustomization", "a.yml.orig"] {
        let report = Fixture::new().lint_at(file, marker);
        assert_eq!(report.markers[0].verdict, Verdict::NoScalar, "{file}");
        assert!(report.markers[0].message.contains(".yaml"), "{file}");
        assert!(may_mean_markers(file));
    }
    for file in ["docs/guide.md", "a", "deploy.yaml/readme", "kustomization.go"] {
        assert!(!may_mean_markers(file), "{file}");
    }
}

#[test]
fn an_image_without_a_marker_is_told_which_would_do() {
    let text = "spec:\n  containers:\n  - image: o/web:1\n  - image: postgres:16\n";
    let report = Fixture::new().lint(text);
    let fixes: Vec<_> = report.unmarked.iter().map(|image| image.fix.as_str()).collect();
    assert!(fixes[0].contains("\"apps:"), "{fixes:?}");
    assert!(fixes[1].starts_with("Give it an ImageRepository"), "{fixes:?}");
}

#[test]
fn the_first_broken_link_is_named_with_its_fix() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.chain("web"), None);
    let waiting = (Link::Repository, "waiting", "supercargo scan repository apps/new".to_owned());
    assert_eq!(fixture.chain("new"), Some(waiting));
    let (link, status, _) = fixture.chain("bad").unwrap();
    assert_eq!((link, status), (Link::Policy, "selects nothing"));

    fixture.policy("web").repository.name = "wbe".into();
    let (link, _, fix) = fixture.chain("web").unwrap();
    assert_eq!(link, Link::Repository);
    assert!(fix.starts_with("Name apps/web in"), "{fix}");

    let mut fixture = Fixture::new();
    fixture.tags.insert(ObjectId::new("apps", "web"), 0);
    assert_eq!(fixture.chain("web").unwrap().0, Link::Repository);

    let mut fixture = Fixture::new();
    fixture.automation().suspend = true;
    assert_eq!(
        fixture.chain("web").map(|(link, status, _)| (link, status)),
        Some((Link::Automation, "suspended"))
    );
    fixture.automation().suspend = false;
    fixture.inventory.git_repositories.clear();
    assert_eq!(fixture.chain("web").map(|(link, ..)| link), Some(Link::Source));
    fixture.policy("web").suspend = true;
    assert_eq!(
        fixture.chain("web").map(|(link, status, _)| (link, status)),
        Some((Link::Policy, "suspended"))
    );
}

#[test]
fn policies_that_cannot_work_are_told_before_any_scan() {
    let mut fixture = Fixture::new();
    fixture.tags.clear();
    fixture.outcomes.clear();
    fixture.policy("web").choice = PolicyChoice::default();
    assert_eq!(fixture.chain("web").map(|(link, status, _)| (link, status)), Some((Link::Policy, "fails")));
    let report = fixture.lint(&marked("a: 1", "apps:web"));
    assert_eq!(report.markers[0].verdict, Verdict::PolicyFailed);
    assert_eq!(report.markers[0].message, "invalid policy: given ImagePolicyChoice object is invalid");

    let mut fixture = Fixture::new();
    fixture.policy("web").digest_policy = DigestPolicy::Always;
    let found = fixture.chain("web");
    assert_eq!(found, Some((Link::Policy, "fails", "Give the policy a `spec.interval`.".to_owned())));
    fixture.policy("web").repository.namespace = "shop".into();
    fixture.policy("web").repository.name = "api".into();
    let (link, status, fix) = fixture.chain("web").unwrap();
    assert_eq!((link, status), (Link::Repository, "no access"));
    assert!(fix.contains("spec.accessFrom"), "{fix}");
}

#[test]
fn a_chain_whose_markers_are_all_dead_breaks_at_the_marker() {
    let fixture = Fixture::new();
    let report = fixture.lint("a: 1 # {'$imagepolicy': 'apps:web'}\n");
    let chain = report.broken_chains.iter().find(|chain| chain.policy.name == "web").unwrap();
    assert_eq!(chain.link, Link::Marker);
    assert!(chain.message.starts_with("clusters/prod/a.yaml:1: "), "{}", chain.message);
    assert!(!report.unused_policies.contains(&chain.policy), "a marker does name it");
    let both = format!("a: 1 # {{'$imagepolicy': 'apps:web'}}\n{}", marked("b: 1", "apps:web"));
    assert!(fixture.lint(&both).broken_chains.iter().all(|chain| chain.policy.name != "web"));
}

#[test]
fn a_template_that_controllers_refuse_halts_its_automation() {
    let mut fixture = Fixture::new();
    let git = fixture.automation().git.as_mut().unwrap();
    git.message_template = "{{range .Updated.Images}}{{println .}}{{end}}".into();
    let (link, _, fix) = fixture.chain("web").unwrap();
    assert_eq!(link, Link::Automation);
    assert!(fix.contains(".Changed.Changes"), "{fix}");
    assert_eq!(fixture.standing(), "fails");
}

#[test]
fn automations_stand_in_a_word() {
    let word = Fixture::standing;
    let mut fixture = Fixture::new();
    assert_eq!(word(&fixture), "active");
    fixture.automation().suspend = true;
    assert_eq!(word(&fixture), "suspended");
    fixture.automation().suspend = false;
    fixture.inventory.policies.retain(|id, _| id.namespace == "shop");
    assert_eq!(word(&fixture), "no policies");
    fixture.inventory.git_repositories.clear();
    assert_eq!(word(&fixture), "no source");
}

#[test]
fn a_broken_file_is_a_problem_only_if_it_has_markers() {
    let files: [(&str, &[u8]); 4] = [
        ("a.yaml", b"a: [ # {\"$imagepolicy\": \"apps:web\"}\n"),
        ("b.yaml", b"image: {{ }}\n- b\n"),
        ("c.yaml", b"spec: {containers: [{image: 'postgres:16'}]}\n"),
        ("d.yaml", b"a: [ # {'$imagepolicy': 'apps:web'}\n"),
    ];
    let report = lint(&files, &Fixture::new().world(), 1);
    assert_eq!(report.files.iter().map(|file| file.file.as_str()).collect::<Vec<_>>(), ["a.yaml", "d.yaml"]);
    assert_eq!(report.unmarked[0].image, "postgres:16");
    // An image, four policies without a marker, and their four chains.
    assert_eq!((report.problems(false), report.problems(true)), (2, 2 + 1 + 4 + 4));
}

fn ground(automation: &str, files: Vec<MarkedFile>) -> Ground {
    Ground {
        automation: ObjectId::new("apps", automation),
        policies: vec![],
        path: String::new(),
        remote: None,
        base: None,
        push: None,
        author: crate::domain::object::Person::default(),
        committing: crate::domain::plan::Committing::default(),
        template: String::new(),
        template_values: None,
        warnings: vec![],
        files: files.into(),
        problem_files: vec![],
        texts: BTreeMap::new(),
    }
}

#[test]
fn the_screen_gets_the_same_findings_from_the_files_of_a_commit() {
    let text = format!(
        "{}{}b: 1 # {{'$imagepolicy': 'apps:bad'}}\n",
        marked("a: o/web:1", "apps:web"),
        marked("c: 1", "apps:nobody")
    );
    let fixture = Fixture::new();
    let world = fixture.world();
    let grounds = [ground("all", vec![MarkedFile::read(FILE, text.clone()).unwrap()])];
    let survey = survey(&grounds, &[], &world);
    let report = lint(&[(FILE, text.as_bytes())], &world, 1);
    let verdicts: Vec<_> = survey.markers.iter().map(|marker| marker.verdict.word()).collect();
    assert_eq!(verdicts, ["unknown-policy", "not-a-marker"]);
    assert!(survey.markers.iter().all(|marker| report.markers.contains(marker)));
    assert_eq!(survey.chains.values().cloned().collect::<Vec<_>>(), report.broken_chains);
}

#[test]
fn policies_of_files_that_could_not_be_read_are_not_called_unused() {
    let fixture = Fixture::new();
    let survey = survey(&[], &[], &fixture.world());
    assert_eq!(survey.chains.get(&ObjectId::new("apps", "web")), None);
    assert_eq!(survey.chains[&ObjectId::new("shop", "api")].link, Link::Repository);
    let read = super::survey(&[ground("all", vec![])], &[], &fixture.world());
    assert_eq!(read.chains[&ObjectId::new("apps", "web")].status, "unused");
}

#[test]
fn a_reference_that_cannot_be_fails_its_policy_and_stops_the_automation_of_all_others() {
    let mut fixture = Fixture::new();
    let latest = Reference { image: "r.io/w".into(), tag: "1".into(), digest: None };
    fixture.outcomes.insert(ObjectId::new("apps", "new"), Ok(latest));
    fixture.tags.insert(ObjectId::new("apps", "new"), 3);
    let (link, status, fix) = fixture.chain("new").unwrap();
    assert_eq!((link, status), (Link::Policy, "fails"));
    assert!(fix.contains("ImagePolicy apps/new"), "{fix}");
    assert_eq!(fixture.chain("web").unwrap().0, Link::Automation);
}

#[test]
fn a_file_in_utf_16_is_told_of_where_it_has_markers_or_objects() {
    let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let little = [b"\xff\xfe".to_vec(), wide(&marked("a: 1", "apps:web"))].concat();
    let big: Vec<u8> = little.as_chunks::<2>().0.iter().flat_map(|pair| [pair[1], pair[0]]).collect();
    let world = Fixture::new().world();
    for bytes in [&little, &big] {
        let report = lint(&[(FILE, bytes.as_slice())], &world, 1);
        assert!(report.files[0].message.contains("UTF-16"), "{:?}", report.files);
        assert_eq!((report.files[0].fix.as_str(), report.files[0].line), (MEND_FILE, 1));
        assert_eq!(look(FILE, bytes, &world, &[]).map(|report| report.files.len()), Some(1));
    }
    let other = lint(&[("a.json", little.as_slice())], &world, 1);
    assert_eq!((other.markers.len(), other.files.len()), (1, 0));
    let objects = [b"\xff\xfe".to_vec(), wide("apiVersion: image.toolkit.fluxcd.io/v1\n")].concat();
    assert_eq!(lint(&[(FILE, objects.as_slice())], &world, 1).files[0].fix, MEND_OBJECTS);
    assert_eq!(look(FILE, &objects, &world, &[]), None);
    assert_eq!(lint(&[(FILE, &b"\xff\xfea\x00:\x00"[..])], &world, 1).files, []);
}

#[test]
fn a_byte_of_no_text_is_named_with_its_place() {
    let text = b"a: 1 # {\"$imagepolicy\": \"apps:web\"}\nb: 2\n\xc3\xa9c: \xff\n";
    let report = lint(&[(FILE, &text[..])], &Fixture::new().world(), 1);
    assert_eq!((report.files[0].line, report.files[0].column), (3, 5), "{:?}", report.files);
}
