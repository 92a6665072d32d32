//! What the client's errors mean to a person: which verb on which resource failed, why, and what to do about it.
//!
//! No message takes a text from an error that might quote a credential: of a plugin only what it wrote to its standard
//! error, of a kubeconfig only names and paths.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use kube::Error;
use kube::client::AuthError;
use kube::config::KubeconfigError;
use kube::core::Status;

use crate::http::{certificate_error, innermost};
use crate::problem::{Code, Problem};
use crate::text::Shown;

/// How much of a plugin's complaint is shown, in cells.
const COMPLAINT: usize = 300;

/// What is being done at the API server, in the words of RBAC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// The verb: `list`, `get`, `patch` and so on.
    pub verb: &'static str,
    /// The resource in the plural, such as `imagepolicies`, and perhaps `/NAME`.
    pub resource: String,
    /// The namespace; `None`: all of them, or a resource that has none.
    pub namespace: Option<String>,
    /// Whether the resource stands outside of namespaces.
    pub is_cluster_wide: bool,
}

impl Act {
    /// `verb` on `resource` in `namespace`, or in all of them.
    pub fn new(verb: &'static str, resource: impl Into<String>, namespace: Option<&str>) -> Self {
        let (resource, namespace) = (resource.into(), namespace.map(str::to_owned));
        Self { verb, resource, namespace, is_cluster_wide: false }
    }

    /// `verb` on something that stands outside of namespaces.
    pub fn cluster_wide(verb: &'static str, resource: impl Into<String>) -> Self {
        Self { is_cluster_wide: true, ..Self::new(verb, resource, None) }
    }

    /// What is about an object whose name, or namespace, none can have is never asked: the client puts names into an address as they
    /// are, where `#` cuts off what follows, `dryRun` too, and another object is meant than was named.
    ///
    /// # Errors
    /// [`Code::Usage`] with the name.
    pub(super) fn check(&self) -> Result<(), Problem> {
        if self.is_cluster_wide {
            return Ok(());
        }
        let name = self.resource.split_once('/').map(|(_, name)| name);
        let refused = |what: &str, name: &str| {
            let message = format!("no {what} can be called {name:?}");
            Err(Problem::new(Code::Usage, name, message)
                .hint("A name is lower case letters, digits, `-` and, but for a namespace, `.`."))
        };
        match (name, self.namespace.as_deref()) {
            (Some(name), _) if !is_name(name, 253, true) => refused("object", name),
            (_, Some(namespace)) if !is_name(namespace, 63, false) => refused("namespace", namespace),
            _ => Ok(()),
        }
    }

    /// The problem that `error` is.
    pub(super) fn problem(&self, context: &str, error: &Error) -> Problem {
        if let Error::Api(status) = error {
            return self.refused(context, status);
        }
        if let Some(auth) = auth_error(error) {
            return auth_problem(context, auth);
        }
        if let Some(reason) = certificate_error(error) {
            let message = format!("{self}: the API server's certificate is not trusted");
            return Problem::new(Code::TlsUntrusted, context, message).cause(reason).hint(
                "The kubeconfig's `certificate-authority-data` and `tls-server-name` say what is trusted.",
            );
        }
        if matches!(error, Error::SerdeError(_)) {
            let message = format!("{self}: the API server's answer makes no sense");
            return Problem::new(Code::BadAnswer, context, message).cause(innermost(error));
        }
        Problem::new(Code::Unreachable, context, format!("{self}: the API server was not reached"))
            .cause(innermost(error))
            .hint("Look at the address in the kubeconfig, or choose another context with --context.")
    }

    fn refused(&self, context: &str, status: &Status) -> Problem {
        let said = Shown::new(&status.message).as_str().to_owned();
        if self.is_cluster_wide && matches!(status.code, 400 | 404 | 405 | 422) {
            let message = format!("{self}: what answers is no API server ({})", status.code);
            return Problem::new(Code::BadAnswer, context, message)
                .cause(said)
                .hint("Look at the address in the kubeconfig, its scheme and its path.");
        }
        let (code, message, hint) = match status.code {
            _ if said.starts_with("admission webhook") => {
                (Code::ClusterForbidden, format!("{self}: a rule of the cluster forbids it"), None)
            }
            400 | 422 => {
                (Code::YamlInvalid, format!("{self}: the API server does not take the object"), None)
            }
            401 => (
                Code::ClusterUnauthorized,
                format!("{self}: the API server does not accept the login"),
                Some("Log in again: a token or a certificate may have expired."),
            ),
            403 => (
                Code::ClusterForbidden,
                format!("not allowed to {self}"),
                Some(if self.is_cluster_wide {
                    "Ask for a role with this verb on this resource."
                } else {
                    "Ask for a role with this verb on this resource, or choose a namespace with -n."
                }),
            ),
            404 => (Code::NotFound, format!("{self}: not found"), None),
            429 => (Code::RateLimited, format!("{self}: the API server asks to wait"), None),
            500.. => (Code::Unreachable, format!("{self}: the API server failed ({})", status.code), None),
            _ => (Code::BadAnswer, format!("{self}: refused ({})", status.code), None),
        };
        let problem = Problem::new(code, context, message).cause(said);
        match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }

    pub(super) fn too_slow(&self, context: &str, limit: Duration) -> Problem {
        Problem::new(Code::Timeout, context, format!("{self}: no answer within {} s", limit.as_secs()))
            .hint("Choose another context with --context, or leave the cluster out with --source files.")
    }
}

/// Whether an API server takes this for a name (RFC 1123), which has `dots` or not.
fn is_name(name: &str, longest: usize, dots: bool) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= longest
        && name.starts_with(is_plain)
        && name.ends_with(is_plain)
        && name.chars().all(|c| is_plain(c) || c == '-' || (dots && c == '.'))
}

impl fmt::Display for Act {
    /// `list imagepolicies in all namespaces`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        match &self.namespace {
            Some(namespace) => write!(f, " in namespace {namespace}"),
            None if self.is_cluster_wide => Ok(()),
            None => f.write_str(" in all namespaces"),
        }
    }
}

/// A kubeconfig that names what is not there, or whose files cannot be read.
pub(super) fn kubeconfig_problem(context: &str, error: &KubeconfigError) -> Problem {
    // The parser's message may quote the file.
    let reason = match error {
        KubeconfigError::Parse(_) => "it is no YAML".to_owned(),
        other => other.to_string(),
    };
    Problem::new(Code::Config, context, format!("the kubeconfig cannot be used: {reason}"))
        .hint("Repair the context, or name another with --context.")
}

/// A client that cannot be made: a plugin that fails, a certificate that is none, a proxy we do not speak to.
pub(super) fn config_problem(context: &str, error: &Error) -> Problem {
    match error {
        Error::Auth(auth) => auth_problem(context, auth),
        Error::InferKubeconfig(error) => kubeconfig_problem(context, error),
        Error::ProxyProtocolUnsupported { .. } => {
            Problem::new(Code::Config, context, "the proxy's protocol is none of http, https, socks5")
        }
        other => Problem::new(Code::Config, context, "the kubeconfig cannot be used").cause(innermost(other)),
    }
}

fn auth_error(error: &Error) -> Option<&AuthError> {
    if let Error::Auth(auth) = error {
        return Some(auth);
    }
    std::iter::successors(error.source(), |error| (*error).source())
        .find_map(<dyn std::error::Error>::downcast_ref)
}

fn auth_problem(context: &str, error: &AuthError) -> Problem {
    let login = "Log in with the plugin's own command first, such as `aws sso login` or `gcloud auth login`.";
    match error {
        // Its standard output is a credential, so the error's own text is not to be shown.
        AuthError::AuthExecRun { out, .. } => {
            let complaint = String::from_utf8_lossy(&out.stderr);
            let complaint = complaint.split_whitespace().collect::<Vec<_>>().join(" ");
            let message = format!("the kubeconfig's login plugin failed ({})", out.status);
            let problem = Problem::new(Code::Config, context, message).hint(login);
            if complaint.is_empty() {
                return problem;
            }
            problem.cause(Shown::new(&complaint).cut_end(COMPLAINT).as_str())
        }
        AuthError::AuthExecStart(reason) => {
            Problem::new(Code::Config, context, "the kubeconfig's login plugin cannot be started")
                .cause(reason.to_string())
                .hint("Install it, or choose another context with --context.")
        }
        AuthError::AuthExecParse(_) | AuthError::ExecPluginFailed => {
            Problem::new(Code::Config, context, "the kubeconfig's login plugin answered with no credential")
                .hint(login)
        }
        AuthError::ReadTokenFile(reason, path) => {
            let message = format!("reading the token file {}", path.display());
            Problem::new(Code::Config, context, message).cause(reason.to_string())
        }
        AuthError::AuthExec(said) => {
            Problem::new(Code::Config, context, "logging in as the kubeconfig says does not work").cause(said)
        }
        _ => Problem::new(Code::Config, context, "logging in as the kubeconfig says does not work"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16, message: &str) -> Error {
        Error::Api(Status::failure(message, "x").with_code(code).boxed())
    }

    #[test]
    fn a_refusal_names_the_verb_the_resource_and_the_place() {
        let all = Act::new("list", "imagepolicies", None);
        let problem = all.problem("prod", &status(403, "imagepolicies is forbidden: User \"rita\""));
        assert_eq!(problem.to_string(), "prod: not allowed to list imagepolicies in all namespaces");
        assert_eq!((problem.code, problem.exit()), (Code::ClusterForbidden, 4));
        assert_eq!(problem.causes, ["imagepolicies is forbidden: User \"rita\""]);
        let one = Act::new("get", "secrets/pull", Some("shop"));
        assert_eq!(
            one.problem("prod", &status(403, "")).message,
            "not allowed to get secrets/pull in namespace shop"
        );
    }

    #[test]
    fn what_no_object_can_be_called_is_never_asked_for() {
        let ok = |resource: &str, namespace| Act::new("patch", resource, namespace).check().is_ok();
        assert!(ok("imagepolicies/web-2.x", Some("shop-eu")) && ok("imagepolicies", None));
        for name in [
            "web#x",
            "web?dryRun=",
            "web%23",
            "../web",
            "a/b",
            "",
            ".",
            "web\n",
            "Web",
            "-w",
            &"w".repeat(254),
        ] {
            assert!(!ok(&format!("imagepolicies/{name}"), Some("shop")), "{name}");
        }
        for namespace in ["shop#", "shop/imagepolicies/web", "", "a.b"] {
            assert!(
                !ok("imagepolicies/web", Some(namespace)) && !ok("imagepolicies", Some(namespace)),
                "{namespace}"
            );
        }
        assert!(Act::cluster_wide("list", "the kinds of image.toolkit.fluxcd.io/v1").check().is_ok());
        let problem = Act::new("get", "secrets/a#b", Some("shop")).check().unwrap_err();
        assert_eq!(
            (problem.to_string().as_str(), problem.exit()),
            ("a#b: no object can be called \"a#b\"", 2)
        );
    }

    #[test]
    fn an_expired_login_a_busy_server_and_a_broken_one_are_told_apart() {
        let act = Act::new("get", "imagepolicies/web", Some("shop"));
        let code = |code| act.problem("prod", &status(code, "")).code;
        assert_eq!((code(401), code(403)), (Code::ClusterUnauthorized, Code::ClusterForbidden));
        assert_eq!(code(429), Code::RateLimited);
        assert_eq!(code(503), Code::Unreachable);
        assert_eq!(code(404), Code::NotFound);
        assert_eq!(
            (code(400), code(422), code(418)),
            (Code::YamlInvalid, Code::YamlInvalid, Code::BadAnswer)
        );
        let denied = "admission webhook \"rules\" denied the request: no latest";
        assert_eq!(act.problem("prod", &status(400, denied)).code, Code::ClusterForbidden);
        assert_eq!(
            act.problem("p", &status(401, "")).message,
            "get imagepolicies/web in namespace shop: the API server does not accept the login"
        );
        let discovery = Act::cluster_wide("list", "API groups");
        assert_eq!(discovery.problem("p", &status(404, "")).code, Code::BadAnswer);
    }

    #[test]
    fn of_a_plugin_that_fails_only_its_complaint_is_shown() {
        use std::os::unix::process::ExitStatusExt;
        let out = std::process::Output {
            status: std::process::ExitStatus::from_raw(256),
            stdout: b"{\"token\":\"hunter2\"}".to_vec(),
            stderr: b"session expired\n  run \x1b[1mlogin\x1b[0m\n".to_vec(),
        };
        let auth = AuthError::AuthExecRun { cmd: "aws --token hunter2".to_owned(), out: Box::new(out) };
        let problem = config_problem("prod", &Error::Auth(auth));
        let shown = format!("{problem:?}");
        assert!(shown.contains("session expired run"), "{shown}");
        assert!(!shown.contains("hunter2") && !shown.contains('\x1b'), "{shown}");
    }
}
