use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::*;
use crate::domain::object::{DEFAULT_EXCLUSION, DigestPolicy, GitRepository};

fn load(files: &[(&str, &str)]) -> Loaded {
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| SourceFile { path: (*path).to_owned(), bytes: text.as_bytes().to_vec() })
        .collect();
    parse(&files, "flux-system")
}

fn repository(name: &str, image: &str) -> String {
    format!(
        "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata:\n  name: {name}\nspec:\n  \
         image: {image}\n  interval: 5m\n"
    )
}

fn subjects(loaded: &Loaded) -> Vec<String> {
    loaded.inventory.all_problems().iter().map(ToString::to_string).collect()
}

#[test]
fn a_scan_may_take_its_timeout_else_the_interval_and_a_second_at_least() {
    for (spec, seconds) in [
        ("interval: 1m", 60),
        ("interval: 1m, timeout: 30s", 30),
        ("interval: 1m, timeout: 10ms", 1),
        ("interval: 500ms", 1),
    ] {
        let object = format!(
            "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {{name: vote, namespace: shop}}\n\
             spec: {{image: o/vote, {spec}}}\n"
        );
        let loaded = load(&[("vote.yaml", &object)]);
        let repository = &loaded.inventory.repositories[&ObjectId::new("shop", "vote")];
        assert_eq!(repository.scan_timeout().as_secs(), seconds, "{spec}");
    }
}

#[test]
fn the_guides_objects_are_read_with_their_defaults() {
    let loaded = load(&[(
        "vote.yaml",
        "---\napiVersion: image.toolkit.fluxcd.io/v1beta2\nkind: ImageRepository\nmetadata:\n  name: vote\n  \
         namespace: shop\nspec:\n  image: 127.0.0.1:5000/vote\n  interval: 1m0s\n---\napiVersion: \
         image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\nmetadata: {name: vote, namespace: shop}\nspec:\n  \
         imageRepositoryRef: {name: vote}\n  policy:\n    numerical: {order: asc}\n  filterTags:\n    pattern: \
         '^main-(?P<ts>.*)'\n    extract: '$ts'\n---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: \
         ImageUpdateAutomation\nmetadata: {name: all, namespace: shop}\nspec:\n  interval: 1m\n  sourceRef: \
         {kind: GitRepository, name: fleet, namespace: flux-system}\n  git:\n    commit: {author: {email: \
         f@example.com}}\n    push: {branch: auto, options: {a: b}}\n  update: {path: ./deploy}\n",
    )]);
    assert_eq!(subjects(&loaded), [""; 0]);
    let id = ObjectId::new("shop", "vote");
    let repository = &loaded.inventory.repositories[&id];
    assert_eq!((repository.provider.as_str(), repository.meta.version.as_str()), ("generic", "v1beta2"));
    assert_eq!(repository.meta.origin.to_string(), "vote.yaml:1");
    let policy = &loaded.inventory.policies[&id];
    assert_eq!(policy.meta.origin.line, Some(10));
    assert_eq!(policy.repository, id);
    assert_eq!(policy.choice.kind_and_rule(), Some(("numerical", "asc")));
    let automation = &loaded.inventory.automations[&ObjectId::new("shop", "all")];
    assert_eq!(automation.source, ObjectId::new("flux-system", "fleet"));
    assert_eq!((automation.strategy.as_str(), automation.update_path.as_str()), ("Setters", "./deploy"));
    assert_eq!(automation.git.as_ref().unwrap().push_branch.as_deref(), Some("auto"));
    assert_eq!(loaded.inventory.policies_of(automation).unwrap().len(), 1);
}

#[test]
fn the_versions_of_a_kind_are_read_with_the_same_defaults() {
    let read = |group: &str, version: &str, kind: &str, spec: &str| {
        let text = format!(
            "apiVersion: {group}.toolkit.fluxcd.io/{version}\nkind: {kind}\nmetadata: {{name: a, namespace: b}}\n\
             spec: {spec}\n"
        );
        let loaded = load(&[("a.yaml", &text)]);
        assert_eq!(subjects(&loaded), [""; 0], "{version} {kind}");
        loaded.inventory
    };
    let id = ObjectId::new("b", "a");
    for version in ["v1beta1", "v1beta2", "v1"] {
        let found = read("image", version, "ImageRepository", "{image: o/a, interval: 1m}");
        let repository = &found.repositories[&id];
        assert_eq!(repository.exclusions(), [DEFAULT_EXCLUSION], "{version}");
        assert_eq!(
            (repository.provider.as_str(), repository.insecure, repository.suspend),
            ("generic", false, false)
        );
        let found = read(
            "image",
            version,
            "ImagePolicy",
            "{imageRepositoryRef: {name: r}, policy: {alphabetical: {}}}",
        );
        let policy = &found.policies[&id];
        assert_eq!(
            (&policy.repository, policy.digest_policy),
            (&ObjectId::new("b", "r"), DigestPolicy::Never)
        );
        let found = read(
            "image",
            version,
            "ImageUpdateAutomation",
            "{interval: 1m, sourceRef: {name: g}, git: {commit: {}}}",
        );
        let automation = &found.automations[&id];
        assert_eq!((&automation.source, automation.strategy.as_str()), (&ObjectId::new("b", "g"), "Setters"));
        let plain = "{interval: 1m, url: 'https://h/p'}";
        let full = "{interval: 1m, url: 'https://h/p', ignore: x, sparseCheckout: [a], include: [{repository: {name: o}}], \
                    verify: {mode: HEAD, secretRef: {name: k}}}";
        let found = read("source", version, "GitRepository", plain);
        let repository = &found.git_repositories[&id];
        assert_eq!((repository.provider.as_str(), repository.suspend), ("generic", false));
        assert!(repository.reference.is_none() && repository.secret_ref.is_none());
        let same = |other: &GitRepository| {
            GitRepository { meta: repository.meta.clone(), ..other.clone() } == *repository
        };
        assert!(same(&read("source", version, "GitRepository", full).git_repositories[&id]), "{version}");
    }
}

#[test]
fn a_missing_namespace_is_that_of_the_nearest_kustomization() {
    let object = repository("a", "x/a");
    let loaded = load(&[
        ("apps/kustomization.yaml", "namespace: apps\n"),
        ("apps/deep/er/a.yaml", &object),
        ("apps/web/Kustomization", "kind: Kustomization\nnamespace: web\n"),
        ("apps/web/a.yaml", &object),
        ("a.yaml", &object),
    ]);
    let namespaces: Vec<_> = loaded.inventory.repositories.keys().map(|id| id.namespace.as_str()).collect();
    assert_eq!(namespaces, ["apps", "flux-system", "web"]);
}

#[test]
fn what_is_broken_is_found_with_its_place_and_stops_nothing_else() {
    let mixed =
        format!("{}---\na: [\n# toolkit.fluxcd.io\n---\n{}", repository("a", "x/a"), repository("b", "x/b"));
    let loaded = load(&[
        ("1.yaml", &mixed),
        ("2.yaml", &repository("c", "{}")),
        ("3.yaml", "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\nmetadata: {}\nspec: {}\n"),
        ("4.yaml", "apiVersion: image.toolkit.fluxcd.io/v1alpha1\nkind: ImagePolicy\n"),
        ("5.yaml", "kind: Secret\nthis: [is not ours to complain about\n"),
        ("6.yaml", &repository("d", "x/d").replace("5m", "often").replace('\n', "\r\n")),
    ]);
    let names: Vec<_> = loaded.inventory.repositories.keys().map(|id| id.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    let found = subjects(&loaded);
    assert!(found[0].starts_with("1.yaml:9:4: "), "{}", found[0]);
    assert_eq!(
        found[1..],
        [
            "2.yaml:6:10: spec.image: expected a text, found a mapping",
            "3.yaml:3:11: metadata.name: is missing",
            "4.yaml:1:1: ImagePolicy of image.toolkit.fluxcd.io/v1alpha1 is passed over: versions read are v1, v1beta2, \
         v1beta1",
            "6.yaml:7:13: spec.interval: time: invalid duration \"often\"",
        ]
    );
}

#[test]
fn the_same_object_twice_is_one_if_the_specs_are_equal_and_blocked_if_not() {
    let loaded = load(&[
        ("clusters/production/a.yaml", &repository("a", "x/a")),
        ("clusters/production/b.yaml", &repository("b", "x/b")),
        ("clusters/staging/a.yaml", &repository("a", "x/a")),
        ("clusters/staging/b.yaml", &repository("b", "x/other")),
    ]);
    assert_eq!(loaded.inventory.repositories.len(), 1);
    let problem =
        loaded.inventory.ambiguity(Kind::ImageRepository, &ObjectId::new("flux-system", "b")).unwrap();
    assert_eq!(problem.code, Code::Ambiguous);
    assert_eq!(
        problem.message,
        "two places describe ImageRepository flux-system/b differently: clusters/production/b.yaml:1, \
         clusters/staging/b.yaml:1"
    );
    let hint = "Give a narrower PATH, such as `supercargo clusters/production`.";
    assert_eq!(problem.hint.as_deref(), Some(hint));
}

#[test]
fn lists_are_opened_and_their_items_have_lines() {
    let list = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: source.toolkit.fluxcd.io/v1\n  kind: GitRepository\n  \
                metadata: {name: fleet}\n  spec: {url: 'https://example.com/x.git', ref: {branch: main}}\n- \
                apiVersion: v1\n  kind: Secret\n  metadata: {name: s}\n  stringData: {username: u, password: 1234}\n";
    let loaded = load(&[("list.yml", list)]);
    let fleet = &loaded.inventory.git_repositories[&ObjectId::new("flux-system", "fleet")];
    assert_eq!(fleet.meta.origin.line, Some(4));
    let secret = loaded.secrets.find(&ObjectId::new("flux-system", "s")).unwrap();
    assert_eq!(secret.data["password"].expose_secret(), "1234");
}

#[test]
fn obsolete_versions_are_kept_with_the_line_to_write() {
    let old = repository("a", "x/a").replace("/v1\n", "/v1beta2 # copied\n");
    let list = format!("kind: List\nitems:\n- {}", repository("b", "x/b").replace('\n', "\n  "));
    let list = list.replace("io/v1\n", "io/v1beta1\n");
    let loaded = load(&[("a.yaml", &format!("# a\n---\n{old}")), ("list.yaml", &list)]);
    let found: Vec<_> = loaded.inventory.obsolete.iter().collect();
    let place = |at: usize| (found[at].file.as_str(), found[at].line, found[at].name.as_str());
    assert_eq!((place(0), place(1)), (("a.yaml", 3, "a"), ("list.yaml", 3, "b")));
    assert_eq!(found[0].fix, "apiVersion: image.toolkit.fluxcd.io/v1 # copied");
    assert_eq!(found[1].fix, "- apiVersion: image.toolkit.fluxcd.io/v1");
    assert_eq!(subjects(&loaded), [""; 0], "they are read all the same");
}

#[test]
fn secrets_accounts_and_namespaces_are_looked_for_in_other_files() {
    let loaded = load(&[
        ("ns.yaml", "kind: Namespace\napiVersion: v1\nmetadata: {name: web, labels: {team: a}}\n"),
        (
            "plain.yaml",
            "{\"kind\": \"Secret\", \"metadata\": {\"name\": \"plain\"}, \"data\": {\"a\": \"YQ==\"}}",
        ),
        ("sops.yaml", "kind: Secret\nmetadata: {name: sops}\ndata: {a: ENC}\nsops: {version: 3}\n"),
        ("sealed.yaml", "kind: SealedSecret\nmetadata: {name: sealed}\n"),
        ("external.yaml", "kind: ExternalSecret\nmetadata: {name: x}\nspec: {target: {name: made}}\n"),
        (
            "account.yaml",
            "kind: ServiceAccount\nmetadata: {name: puller}\nimagePullSecrets: [{name: plain}]\n",
        ),
        ("bad.yaml", "kind: Secret\nmetadata: {name: bad}\ndata:\n  a: '***'\n"),
    ]);
    let id = |name: &str| ObjectId::new("flux-system", name);
    assert_eq!(loaded.inventory.namespaces["web"]["team"], "a");
    assert_eq!(loaded.secrets.find(&id("plain")).unwrap().data["a"].expose_secret(), "a");
    for name in ["sops", "sealed", "made"] {
        assert_eq!(loaded.secrets.find(&id(name)).unwrap_err().code(), "secret_encrypted", "{name}");
    }
    assert_eq!(loaded.secrets.find(&id("nowhere")).unwrap_err().code(), "secret_not_found");
    assert_eq!(loaded.secrets.pull_secrets(&id("puller")), Ok(&["plain".to_owned()][..]));
    assert_eq!(
        subjects(&loaded),
        ["bad.yaml:4:6: data.a: is not base64; plain text belongs into stringData"]
    );
}

#[test]
fn a_secret_of_two_clusters_is_neither_of_them() {
    let secret = |password: &str| {
        format!("kind: Secret\nmetadata: {{name: s}}\nstringData: {{username: u, password: {password}}}\n")
    };
    let id = ObjectId::new("flux-system", "s");
    let same = load(&[("a/s.yaml", &secret("x")), ("b/s.yaml", &secret("x"))]);
    assert!(same.secrets.find(&id).is_ok());
    let error =
        load(&[("a/s.yaml", &secret("x")), ("b/s.yaml", &secret("y"))]).secrets.find(&id).unwrap_err();
    assert_eq!(error.to_string(), "secret 'flux-system/s' has different values in a/s.yaml:1, b/s.yaml:1");
}

#[test]
fn documents_of_other_kinds_are_not_parsed() {
    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {group: \
                      image.toolkit.fluxcd.io, broken: [\n";
    let release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nbroken: [\n";
    let list =
        format!("apiVersion: v1\nkind: List\nitems:\n- {}", repository("a", "x/a").replace('\n', "\n  "));
    let loaded = load(&[("crds.yaml", definition), ("release.yaml", release), ("list.yaml", &list)]);
    assert_eq!(loaded.inventory.repositories.len(), 1);
    assert_eq!(subjects(&loaded), ["release.yaml:3:9: unclosed bracket '['"]);
}

#[test]
fn no_secret_shows_in_debug_output() {
    let loaded = load(&[("s.yaml", "kind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n")]);
    assert!(!format!("{loaded:?}").contains("hunter2"));
}

proptest! {
    #[test]
    fn no_bytes_make_loading_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut with_group = b"# toolkit.fluxcd.io\nkind: Secret\n".to_vec();
        with_group.extend(bytes);
        let _ = parse(&[SourceFile { path: "a.yaml".to_owned(), bytes: with_group }], "x");
    }

    #[test]
    fn no_change_of_a_byte_makes_loading_panic(place in 0_usize..200, byte in any::<u8>()) {
        let mut bytes = repository("a", "x/a").into_bytes();
        let place = place % bytes.len();
        bytes[place] = byte;
        let _ = parse(&[SourceFile { path: "a.yaml".to_owned(), bytes }], "x");
    }
}
