//! What `create` makes, byte for byte, and what it refuses.

use super::super::export::document;
use super::*;
use crate::text::SecretString;

fn common(name: &str) -> Common {
    Common { name: Some(name.into()), namespace: "flux-system".into(), labels: Vec::new() }
}

#[expect(clippy::unnecessary_wraps, reason = "what flags are")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn seconds(seconds: u64) -> GoDuration {
    GoDuration(std::time::Duration::from_secs(seconds))
}

#[test]
fn a_repository_is_written_as_flux_exports_it() {
    let flags = RepositoryFlags {
        image: some("ghcr.io/stefanprodan/podinfo"),
        interval: seconds(300),
        secret_ref: some("regcred"),
        cert_ref: None,
        scan_timeout: Some(seconds(30)),
    };
    assert_eq!(
        document(&image_repository(&common("podinfo"), &flags).unwrap().yaml()),
        "---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata:\n  name: podinfo\n  namespace: \
         flux-system\nspec:\n  image: ghcr.io/stefanprodan/podinfo\n  interval: 5m0s\n  secretRef:\n    name: regcred\n  \
         timeout: 30s\n"
    );
}

fn spec(object: &NewObject) -> String {
    let document = document(&object.yaml());
    document.split_once("spec:\n").unwrap().1.to_owned()
}

#[test]
fn a_policy_is_written_as_flux_exports_it() {
    let numeric = PolicyFlags {
        image_ref: some("podinfo"),
        numeric: some("asc"),
        filter_regex: some("^main-[a-f0-9]+-(?P<ts>[0-9]+)"),
        filter_extract: some("$ts"),
        ..PolicyFlags::default()
    };
    assert_eq!(
        spec(&image_policy(&common("podinfo"), &numeric).unwrap()),
        "  filterTags:\n    extract: $ts\n    pattern: ^main-[a-f0-9]+-(?P<ts>[0-9]+)\n  imageRepositoryRef:\n    name: \
         podinfo\n  policy:\n    numerical:\n      order: asc\n"
    );
    let digest = PolicyFlags {
        image_ref: some("podinfo"),
        semver: some("5.0.x"),
        reflect_digest: some("Always"),
        interval: Some(seconds(600)),
        ..PolicyFlags::default()
    };
    assert_eq!(
        spec(&image_policy(&common("podinfo"), &digest).unwrap()),
        "  digestReflectionPolicy: Always\n  imageRepositoryRef:\n    name: podinfo\n  interval: 10m0s\n  policy:\n    \
         semver:\n      range: 5.0.x\n"
    );
    let filter = PolicyFlags { filter_extract: None, ..numeric };
    assert!(spec(&image_policy(&common("podinfo"), &filter).unwrap()).contains("    extract: \"\"\n"));
}

#[test]
fn an_automation_is_written_as_flux_exports_it() {
    let flags = AutomationFlags {
        interval: seconds(1800),
        git_repo_ref: some("flux-system"),
        git_repo_path: some("./clusters/my-cluster"),
        checkout_branch: some("main"),
        push_branch: some("flux-image-updates"),
        commit_template: some(
            "{{range .Changed.Changes}}{{print .OldValue}} -> {{println .NewValue}}{{end}}",
        ),
        author_name: some("fluxcdbot"),
        author_email: some("fluxcdbot@users.noreply.github.com"),
        signing_key_secret: some("key"),
        signing_key_type: some("ssh"),
        ..AutomationFlags::default()
    };
    assert_eq!(
        spec(&image_update(&common("flux-system"), &flags).unwrap()),
        "  git:\n    checkout:\n      ref:\n        branch: main\n    commit:\n      author:\n        email: \
         fluxcdbot@users.noreply.github.com\n        name: fluxcdbot\n      messageTemplate: '{{range \
         .Changed.Changes}}{{print .OldValue}} -> {{println\n        .NewValue}}{{end}}'\n      signingKey:\n        \
         secretRef:\n          name: key\n        type: ssh\n    push:\n      branch: flux-image-updates\n  interval: \
         30m0s\n  sourceRef:\n    kind: GitRepository\n    name: flux-system\n  update:\n    path: \
         ./clusters/my-cluster\n    strategy: Setters\n"
    );
}

#[test]
fn flags_are_refused_in_the_words_of_flux() {
    let refused = |result: Result<NewObject, CreateError>| result.unwrap_err().to_string();
    let policy = |flags: PolicyFlags| {
        let image_ref = some("x");
        refused(image_policy(&common("ab"), &PolicyFlags { image_ref, ..flags }))
    };
    let none = PolicyFlags::default;
    assert_eq!(
        refused(image_repository(&Common::default(), &RepositoryFlags::default())),
        "name is required"
    );
    assert!(
        refused(image_repository(&common("A_b"), &RepositoryFlags::default()))
            .starts_with("name 'A_b' is invalid")
    );
    assert_eq!(
        refused(image_repository(&common("ab"), &RepositoryFlags::default())),
        "an image repository (--image) is required"
    );
    assert_eq!(policy(none()), "a policy must be provided with either --select-semver or --select-alpha");
    assert_eq!(
        policy(PolicyFlags { alpha: some("up"), ..none() }),
        "--select-alpha must be one of [\"asc\", \"desc\"]"
    );
    assert_eq!(
        policy(PolicyFlags { alpha: some("asc"), numeric: some("asc"), ..none() }),
        "only one of --select-semver, --select-alpha or --select-numeric can be specified"
    );
    let semver = || PolicyFlags { semver: some("1.x"), ..none() };
    assert_eq!(
        policy(PolicyFlags { filter_regex: some("("), ..semver() }),
        "--filter-regex is an invalid regex pattern"
    );
    assert_eq!(
        policy(PolicyFlags { filter_extract: some("$1"), ..semver() }),
        "cannot specify --filter-extract without specifying --filter-regex"
    );
    assert_eq!(
        policy(PolicyFlags { filter_regex: some("(a)"), filter_extract: some("$ts"), ..semver() }),
        "capture group $ts used in --filter-extract not found in --filter-regex"
    );
    for name in ["01", "00", "1000000000"] {
        let flags = PolicyFlags {
            filter_regex: some("(a)"),
            filter_extract: Some(format!("${{{name}}}")),
            ..semver()
        };
        let text = format!("capture group ${name} used in --filter-extract not found in --filter-regex");
        assert_eq!(policy(flags), text);
    }
    for malformed in ["$", "${", "${a", "x$-"] {
        let flags = PolicyFlags { filter_regex: some("(a)"), filter_extract: some(malformed), ..semver() };
        assert_eq!(policy(flags), "--filter-extract is malformed", "{malformed}");
    }
    assert!(
        policy(PolicyFlags { interval: Some(seconds(1)), ..semver() })
            .starts_with("the --interval flag can only be")
    );
    let secret = |url: &str| {
        refused(secret_git(&common("ab"), &SecretFlags { url: some(url), ..SecretFlags::default() }))
    };
    assert_eq!(
        secret("https://x"),
        "for Git over HTTP/S the username and password, or a bearer token is required"
    );
    assert_eq!(secret("ftp://x"), "git URL scheme 'ftp' not supported, can be: ssh, http and https");
}

#[test]
fn secrets_are_not_in_debug_texts() {
    let flags = SecretFlags {
        url: some("https://x"),
        username: some("u"),
        password: Some(SecretString::from("hunter2".to_owned())),
        ..SecretFlags::default()
    };
    let object = secret_git(&common("ab"), &flags).unwrap();
    assert!(!format!("{object:?}").contains("hunter2"));
    assert!(document(&object.yaml()).ends_with("stringData:\n  password: hunter2\n  username: u\n"));
}

#[test]
fn secrets_are_what_flux_makes_of_the_same_flags() {
    let password = || Some(SecretString::from("password".to_owned()));
    let oci = OciFlags { url: some("ghcr.io"), username: some("stefanprodan"), password: password() };
    let oci = secret_oci(&common("ghcr"), &oci).unwrap();
    assert!(document(&oci.yaml()).ends_with(
        "stringData:\n  .dockerconfigjson: '{\"auths\":{\"ghcr.io\":{\"username\":\"stefanprodan\",\"password\":\"password\",\
         \"auth\":\"c3RlZmFucHJvZGFuOnBhc3N3b3Jk\"}}}'\ntype: kubernetes.io/dockerconfigjson\n"
    ));
    let proxy =
        ProxyFlags { address: some("https://my-proxy.com"), username: some("u"), password: password() };
    assert!(document(&secret_proxy(&common("proxy"), &proxy).unwrap().yaml()).ends_with(
        "stringData:\n  address: https://my-proxy.com\n  password: password\n  username: u\ntype: Opaque\n"
    ));
    let app = AppFlags {
        app_id: some("1"),
        installation_id: some("2"),
        private_key: Some(SecretString::from("PEM".to_owned())),
        ..AppFlags::default()
    };
    assert!(document(&secret_github_app(&common("app"), &app).unwrap().yaml()).ends_with(
        "stringData:\n  githubAppID: \"1\"\n  githubAppInstallationID: \"2\"\n  githubAppPrivateKey: PEM\ntype: Opaque\n"
    ));
    let tls = TlsFlags { ca_crt: some("CA"), ..TlsFlags::default() };
    assert!(
        document(&secret_tls(&common("certs"), &tls).unwrap().yaml())
            .ends_with("stringData:\n  ca.crt: CA\n")
    );
    let keys =
        SshKeys { identity: "KEY".to_owned().into(), public: "p\n".into(), known_hosts: "h k\n".into() };
    let ssh = SecretFlags { url: some("ssh://git@h/p"), ssh: Some(keys), ..SecretFlags::default() };
    assert!(
        document(&secret_git(&common("git"), &ssh).unwrap().yaml())
            .ends_with("stringData:\n  identity: KEY\n  identity.pub: |\n    p\n  known_hosts: h k\n")
    );
}

#[test]
fn a_secret_that_would_serve_nothing_is_refused() {
    let refused = |made: Result<NewObject, CreateError>| made.unwrap_err().to_string();
    let named = common("ab");
    assert_eq!(refused(secret_oci(&named, &OciFlags::default())), "--url is required");
    let oci = OciFlags { url: some("ghcr.io"), username: some("u"), password: None };
    assert_eq!(refused(secret_oci(&named, &oci)), "--password is required");
    assert_eq!(refused(secret_proxy(&named, &ProxyFlags::default())), "address is required");
    let half = TlsFlags { tls_crt: some("C"), ..TlsFlags::default() };
    assert_eq!(refused(secret_tls(&named, &half)), "--tls-crt-file and --tls-key-file belong together");
    assert!(refused(secret_tls(&named, &TlsFlags::default())).ends_with("is required"));
    let both =
        AppFlags { app_id: some("1"), owner: some("o"), installation_id: some("2"), ..AppFlags::default() };
    assert!(refused(secret_github_app(&named, &both)).starts_with("one of --app-installation-owner"));
    let ssh = SecretFlags { url: some("ssh://git@h/p"), ..SecretFlags::default() };
    assert_eq!(refused(secret_git(&named, &ssh)), "for Git over SSH a private key is required");
}
