//! What `create` makes of its flags: an object as Flux would write it, or Flux's complaint.
//!
//! The checks, their order and their words are those of `flux create …`. One is stricter: a version range beside another
//! selector, which flux lets pass and turns into an empty policy.
//!
//! Source: `fluxcd/flux2:cmd/flux/create*.go`, `pkg/manifestgen/sourcesecret`.

use std::collections::BTreeMap;
use std::fmt;

use super::export::{Yaml, map, texts};
use crate::domain::duration::GoDuration;
use crate::domain::object::{Kind, ObjectId};
use crate::domain::policy::goregex::Pattern;
use crate::domain::reference::parse_reference;
use crate::problem::{Code, Problem};
use crate::text::{ExposeSecret, SecretString};

/// Flags that do not make an object; the text is flux's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct CreateError {
    code: Code,
    text: String,
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        Self::new(error.code, "", error.text)
    }
}

fn usage<T>(text: impl Into<String>) -> Result<T, CreateError> {
    Err(CreateError { code: Code::Usage, text: text.into() })
}

/// What can be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// One of Flux's objects.
    Flux(Kind),
    /// A `Secret`.
    Secret,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flux(kind) => write!(f, "{kind}"),
            Self::Secret => f.write_str("Secret"),
        }
    }
}

impl Made {
    /// `apiVersion`.
    pub fn api_version(self) -> &'static str {
        match self {
            Self::Flux(Kind::GitRepository) => "source.toolkit.fluxcd.io/v1",
            Self::Flux(_) => "image.toolkit.fluxcd.io/v1",
            Self::Secret => "v1",
        }
    }

    /// How flux calls it in its progress lines: `git` for a `GitRepository` source.
    pub fn in_words(self) -> String {
        match self {
            Self::Flux(Kind::GitRepository) => "GitRepository source".to_owned(),
            Self::Secret => "secret".to_owned(),
            Self::Flux(kind) => kind.to_string(),
        }
    }

    /// What a new file is called behind the object's name and a dash.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Flux(Kind::ImageRepository) => "registry",
            Self::Flux(Kind::ImagePolicy) => "policy",
            Self::Flux(Kind::ImageUpdateAutomation) => "automation",
            Self::Flux(Kind::GitRepository) => "source",
            Self::Secret => "secret",
        }
    }
}

/// An object to be written.
#[derive(Clone, PartialEq, Eq)]
pub struct NewObject {
    /// Its kind.
    pub made: Made,
    /// Its name.
    pub id: ObjectId,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations; flux makes none.
    pub annotations: BTreeMap<String, String>,
    /// What stands beside `apiVersion`, `kind` and `metadata`: `spec` or `stringData`.
    pub body: (&'static str, Yaml),
}

impl fmt::Debug for NewObject {
    /// Kind and name: the body may be a secret's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.made, self.id)
    }
}

impl NewObject {
    /// The whole object.
    pub fn yaml(&self) -> Yaml {
        let metadata = map([
            ("name", Some(self.id.name.as_str().into())),
            ("namespace", Some(self.id.namespace.as_str().into())),
            ("labels", texts(&self.labels)),
            ("annotations", texts(&self.annotations)),
        ]);
        map([
            ("apiVersion", Some(self.made.api_version().into())),
            ("kind", Some(self.made.to_string().into())),
            ("metadata", Some(metadata)),
            (self.body.0, Some(self.body.1.clone())),
        ])
    }
}

/// What every `create` command takes.
#[derive(Debug, Clone, Default)]
pub struct Common {
    /// The name.
    pub name: Option<String>,
    /// The namespace.
    pub namespace: String,
    /// `KEY=VALUE` each.
    pub labels: Vec<String>,
}

impl Common {
    /// The name, if it may be one.
    fn id(&self) -> Result<ObjectId, CreateError> {
        let Some(name) = self.name.as_deref().filter(|name| !name.is_empty()) else {
            return usage("name is required");
        };
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let fine = name.chars().all(inner) && !name.starts_with('-') && !name.ends_with('-');
        if !fine || !(2..=63).contains(&name.len()) {
            return usage(format!(
                "name '{name}' is invalid, it should adhere to standard defined in RFC 1123, the name can only contain \
                 alphanumeric characters or '-'"
            ));
        }
        Ok(ObjectId::new(&self.namespace, name))
    }

    fn object(&self, made: Made, body: (&'static str, Yaml)) -> Result<NewObject, CreateError> {
        let mut labels = BTreeMap::new();
        for label in &self.labels {
            let Some((key, value)) = label.split_once('=').filter(|(key, _)| !key.is_empty()) else {
                return usage(format!("invalid label format '{label}', must be key=value"));
            };
            labels.insert(key.to_owned(), value.to_owned());
        }
        Ok(NewObject { made, id: self.id()?, labels, annotations: BTreeMap::new(), body })
    }
}

/// `{name: NAME}`, of a reference to an object.
fn reference(name: &str) -> Yaml {
    map([("name", Some(name.into()))])
}

fn text(text: Option<&String>) -> Option<Yaml> {
    text.filter(|text| !text.is_empty()).map(|text| text.as_str().into())
}

fn duration(duration: GoDuration) -> Yaml {
    duration.to_string().into()
}

/// Flags of `create image repository`.
#[derive(Debug, Clone, Default)]
pub struct RepositoryFlags {
    /// `--image`
    pub image: Option<String>,
    /// `--interval`
    pub interval: GoDuration,
    /// `--secret-ref`
    pub secret_ref: Option<String>,
    /// `--cert-ref`
    pub cert_ref: Option<String>,
    /// `--scan-timeout`
    pub scan_timeout: Option<GoDuration>,
}

/// The `ImageRepository` that the flags describe.
///
/// # Errors
/// What flux refuses.
pub fn image_repository(common: &Common, flags: &RepositoryFlags) -> Result<NewObject, CreateError> {
    common.id()?;
    let Some(image) = flags.image.as_deref().filter(|image| !image.is_empty()) else {
        return usage("an image repository (--image) is required");
    };
    if let Err(error) = parse_reference(image) {
        let text = format!("unable to parse image value: {error}");
        return Err(CreateError { code: Code::ImageInvalid, text });
    }
    let named = |name: &Option<String>| name.as_deref().filter(|name| !name.is_empty()).map(reference);
    let spec = map([
        ("image", Some(image.into())),
        ("interval", Some(duration(flags.interval))),
        ("secretRef", named(&flags.secret_ref)),
        ("certSecretRef", named(&flags.cert_ref)),
        ("timeout", flags.scan_timeout.filter(|timeout| !timeout.0.is_zero()).map(duration)),
    ]);
    common.object(Made::Flux(Kind::ImageRepository), ("spec", spec))
}

/// Flags of `create image policy`.
#[derive(Debug, Clone, Default)]
pub struct PolicyFlags {
    /// `--image-ref`
    pub image_ref: Option<String>,
    /// `--select-semver`
    pub semver: Option<String>,
    /// `--select-alpha`
    pub alpha: Option<String>,
    /// `--select-numeric`
    pub numeric: Option<String>,
    /// `--filter-regex`
    pub filter_regex: Option<String>,
    /// `--filter-extract`
    pub filter_extract: Option<String>,
    /// `--reflect-digest`
    pub reflect_digest: Option<String>,
    /// `--interval`
    pub interval: Option<GoDuration>,
}

/// The `ImagePolicy` that the flags describe.
///
/// # Errors
/// What flux refuses, and a version range beside another selector.
pub fn image_policy(common: &Common, flags: &PolicyFlags) -> Result<NewObject, CreateError> {
    common.id()?;
    let Some(image_ref) = flags.image_ref.as_deref().filter(|name| !name.is_empty()) else {
        return usage("the name of an ImageRepository in the namespace is required (--image-ref)");
    };
    let policy = policy_choice(flags)?;
    let filter = tag_filter(flags)?;
    let digest = text(flags.reflect_digest.as_ref());
    if let Some(Yaml::Text(digest)) = &digest
        && !["Never", "IfNotPresent", "Always"].contains(&digest.as_str())
    {
        return usage("invalid value for --reflect-digest, must be one of 'Never', 'IfNotPresent', 'Always'");
    }
    let interval = flags.interval.filter(|interval| !interval.0.is_zero());
    if interval.is_some() && digest != Some("Always".into()) {
        return usage(
            "the --interval flag can only be used with the 'Always' digest reflection policy, use \
             --reflect-digest=Always",
        );
    }
    let spec = map([
        ("imageRepositoryRef", Some(reference(image_ref))),
        ("policy", Some(policy)),
        ("filterTags", filter),
        ("digestReflectionPolicy", digest),
        ("interval", interval.map(duration)),
    ]);
    common.object(Made::Flux(Kind::ImagePolicy), ("spec", spec))
}

fn policy_choice(flags: &PolicyFlags) -> Result<Yaml, CreateError> {
    let order = |flag: &str, order: &Yaml| {
        if [Yaml::from("asc"), Yaml::from("desc")].contains(order) {
            Ok(map([("order", Some(order.clone()))]))
        } else {
            usage(format!(r#"{flag} must be one of ["asc", "desc"]"#))
        }
    };
    match (text(flags.semver.as_ref()), text(flags.alpha.as_ref()), text(flags.numeric.as_ref())) {
        (Some(range), None, None) => Ok(map([("semver", Some(map([("range", Some(range))])))])),
        (None, Some(alpha), None) => Ok(map([("alphabetical", Some(order("--select-alpha", &alpha)?))])),
        (None, None, Some(numeric)) => Ok(map([("numerical", Some(order("--select-numeric", &numeric)?))])),
        (None, None, None) => {
            usage("a policy must be provided with either --select-semver or --select-alpha")
        }
        _ => usage("only one of --select-semver, --select-alpha or --select-numeric can be specified"),
    }
}

fn tag_filter(flags: &PolicyFlags) -> Result<Option<Yaml>, CreateError> {
    let extract = flags.filter_extract.clone().unwrap_or_default();
    let Some(regex) = flags.filter_regex.as_deref().filter(|regex| !regex.is_empty()) else {
        if extract.is_empty() {
            return Ok(None);
        }
        return usage("cannot specify --filter-extract without specifying --filter-regex");
    };
    let Ok(pattern) = Pattern::new(regex) else {
        return usage("--filter-regex is an invalid regex pattern");
    };
    check_extract(&extract, pattern.names())?;
    Ok(Some(map([("pattern", Some(regex.into())), ("extract", Some(extract.into()))])))
}

/// Whether every group that the template names is one of the pattern's; numbers are not looked at.
fn check_extract(template: &str, groups: &[String]) -> Result<(), CreateError> {
    let mut rest = template;
    while let Some((_, tail)) = rest.split_once('$') {
        if let Some(tail) = tail.strip_prefix('$') {
            rest = tail;
            continue;
        }
        let part = |c: char| c == '_' || c.is_alphanumeric();
        let (name, behind) = match tail.strip_prefix('{') {
            Some(inner) => inner.split_once('}').unwrap_or_default(),
            None => tail.split_at(tail.find(|c| !part(c)).unwrap_or(tail.len())),
        };
        if name.is_empty() || !name.chars().all(part) {
            return usage("--filter-extract is malformed");
        }
        if !name.bytes().all(|byte| byte.is_ascii_digit()) && !groups.iter().any(|group| group == name) {
            return usage(format!(
                "capture group ${name} used in --filter-extract not found in --filter-regex"
            ));
        }
        rest = behind;
    }
    Ok(())
}

/// Flags of `create image update`.
#[derive(Debug, Clone, Default)]
pub struct AutomationFlags {
    /// `--interval`
    pub interval: GoDuration,
    /// `--git-repo-ref`
    pub git_repo_ref: Option<String>,
    /// `--git-repo-namespace`
    pub git_repo_namespace: Option<String>,
    /// `--git-repo-path`
    pub git_repo_path: Option<String>,
    /// `--checkout-branch`
    pub checkout_branch: Option<String>,
    /// `--push-branch`
    pub push_branch: Option<String>,
    /// `--commit-template`
    pub commit_template: Option<String>,
    /// `--author-name`
    pub author_name: Option<String>,
    /// `--author-email`
    pub author_email: Option<String>,
    /// `--signing-key-secret`
    pub signing_key_secret: Option<String>,
    /// `--signing-key-type`
    pub signing_key_type: Option<String>,
}

/// The `ImageUpdateAutomation` that the flags describe.
///
/// # Errors
/// What flux refuses.
pub fn image_update(common: &Common, flags: &AutomationFlags) -> Result<NewObject, CreateError> {
    common.id()?;
    let required = |value: &Option<String>, complaint: &str| match text(value.as_ref()) {
        Some(value) => Ok(value),
        None => usage(complaint),
    };
    let source =
        required(&flags.git_repo_ref, "a reference to a GitRepository is required (--git-repo-ref)")?;
    let branch =
        required(&flags.checkout_branch, "the Git repository branch is required (--checkout-branch)")?;
    let name = required(&flags.author_name, "the author name is required (--author-name)")?;
    let email = required(&flags.author_email, "the author email is required (--author-email)")?;
    let commit = map([
        ("author", Some(map([("name", Some(name)), ("email", Some(email))]))),
        ("messageTemplate", text(flags.commit_template.as_ref())),
        ("signingKey", signing_key(flags)?),
    ]);
    let git = map([
        ("checkout", Some(map([("ref", Some(map([("branch", Some(branch))])))]))),
        ("commit", Some(commit)),
        ("push", text(flags.push_branch.as_ref()).map(|branch| map([("branch", Some(branch))]))),
    ]);
    let update = text(flags.git_repo_path.as_ref());
    let spec = map([
        ("interval", Some(duration(flags.interval))),
        (
            "sourceRef",
            Some(map([
                ("kind", Some("GitRepository".into())),
                ("name", Some(source)),
                ("namespace", text(flags.git_repo_namespace.as_ref())),
            ])),
        ),
        ("git", Some(git)),
        ("update", update.map(|path| map([("path", Some(path)), ("strategy", Some("Setters".into()))]))),
    ]);
    common.object(Made::Flux(Kind::ImageUpdateAutomation), ("spec", spec))
}

fn signing_key(flags: &AutomationFlags) -> Result<Option<Yaml>, CreateError> {
    let kind = text(flags.signing_key_type.as_ref());
    let Some(secret) = flags.signing_key_secret.as_deref().filter(|name| !name.is_empty()) else {
        return if kind.is_some() {
            usage("--signing-key-type requires --signing-key-secret")
        } else {
            Ok(None)
        };
    };
    if kind.as_ref().is_some_and(|kind| ![Yaml::from("gpg"), Yaml::from("ssh")].contains(kind)) {
        return usage("--signing-key-type must be one of: gpg, ssh");
    }
    Ok(Some(map([("secretRef", Some(reference(secret))), ("type", kind)])))
}

/// Flags of `create source git`.
#[derive(Debug, Clone, Default)]
pub struct SourceFlags {
    /// `--url`
    pub url: Option<String>,
    /// `--branch`
    pub branch: Option<String>,
    /// `--secret-ref`
    pub secret_ref: Option<String>,
    /// `--interval`
    pub interval: GoDuration,
}

/// The `GitRepository` that the flags describe.
///
/// Beside flux's schemes `file` is taken: a remote in a folder is good enough for us, though not for Flux.
///
/// # Errors
/// What flux refuses.
pub fn source_git(common: &Common, flags: &SourceFlags) -> Result<NewObject, CreateError> {
    common.id()?;
    let Some(url) = flags.url.as_deref().filter(|url| !url.is_empty()) else {
        return usage("url is required");
    };
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    if !["ssh", "http", "https", "file"].contains(&scheme) {
        return usage(format!("git URL scheme '{scheme}' not supported, can be: ssh, http and https"));
    }
    let Some(branch) = text(flags.branch.as_ref()) else {
        return usage(
            "a Git ref is required, use one of the following: --branch, --tag, --commit, --ref-name or --tag-semver",
        );
    };
    let spec = map([
        ("url", Some(url.into())),
        ("interval", Some(duration(flags.interval))),
        ("ref", Some(map([("branch", Some(branch))]))),
        ("secretRef", flags.secret_ref.as_deref().filter(|name| !name.is_empty()).map(reference)),
    ]);
    common.object(Made::Flux(Kind::GitRepository), ("spec", spec))
}

/// Flags of `create secret git`.
#[derive(Debug, Default)]
pub struct SecretFlags {
    /// `--url`
    pub url: Option<String>,
    /// `--username`
    pub username: Option<String>,
    /// `--password`, or from standard input.
    pub password: Option<SecretString>,
    /// `--bearer-token`
    pub bearer_token: Option<SecretString>,
    /// The text of the file of `--ca-crt-file`.
    pub ca_crt: Option<String>,
}

/// The `Secret` that the flags describe.
///
/// # Errors
/// What flux refuses; and ssh addresses, for which keys would have to be made.
pub fn secret_git(common: &Common, flags: &SecretFlags) -> Result<NewObject, CreateError> {
    common.id()?;
    let Some(url) = flags.url.as_deref().filter(|url| !url.is_empty()) else {
        return usage("url is required");
    };
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    match scheme {
        "http" | "https" => {}
        "ssh" => return usage("secrets for ssh are not supported yet; give an http or https URL"),
        _ => return usage(format!("git URL scheme '{scheme}' not supported, can be: ssh, http and https")),
    }
    let given = |secret: &Option<SecretString>| {
        secret.as_ref().map(|secret| secret.expose_secret().to_owned()).filter(|secret| !secret.is_empty())
    };
    let (username, password) = (text(flags.username.as_ref()), given(&flags.password));
    let bearer = given(&flags.bearer_token);
    if bearer.is_none() && (username.is_none() || password.is_none()) {
        return usage("for Git over HTTP/S the username and password, or a bearer token is required");
    }
    if bearer.is_some() && (username.is_some() || password.is_some()) {
        return usage("user credentials and bearer token cannot be used together");
    }
    let data = map([
        ("username", username),
        ("password", password.map(Yaml::Text)),
        ("bearerToken", bearer.map(Yaml::Text)),
        ("ca.crt", text(flags.ca_crt.as_ref())),
    ]);
    common.object(Made::Secret, ("stringData", data))
}

#[cfg(test)]
mod tests {
    use super::super::export::document;
    use super::*;

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
        for malformed in ["$", "${", "${a", "x$-"] {
            let flags =
                PolicyFlags { filter_regex: some("(a)"), filter_extract: some(malformed), ..semver() };
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
}
