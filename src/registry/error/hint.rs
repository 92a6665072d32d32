//! The next step after each failure, where there is one that we believe.

use super::super::keyring::ANONYMOUS;
use super::super::trial::{Outcome, Trial};
use super::super::wire_text::MAX_REPLY;
use super::{
    CLIENT_CERTIFICATE, CLIENT_REFUSED, CLOSED_AT_ONCE, ENDED_EARLY, EXPIRED, NOT_VALID_YET, RegistryError,
    Shown, UNKNOWN_ISSUER, Waited,
};

/// What nginx and servers in Go say to plain HTTP where they speak TLS.
const SPEAKS_TLS: [&str; 2] = ["HTTPS port", "HTTP request to an HTTPS server"];

impl RegistryError {
    /// The next step.
    pub(super) fn hint(&self) -> Option<String> {
        let Some(proxy) = self.proxy_at_fault() else { return self.own_hint() };
        let check = format!(
            "check the proxy {proxy}, its address and login: the secret that `proxySecretRef` names."
        );
        // Of a refusal nobody can tell whose it is.
        let own = self.own_hint().filter(|_| self.is_denied());
        Some(
            own.map_or_else(
                || format!("First {check}"),
                |own| format!("{own} If the proxy said it, {check}"),
            ),
        )
    }

    fn own_hint(&self) -> Option<String> {
        match self {
            Self::Denied { request, .. } if *request.shown() == Shown::Nothing => Some(
                "It was asked as registries are asked first, without a login, so none is to blame: check the address, and what \
                 stands before the registry and lets nobody in."
                    .into(),
            ),
            Self::Denied { host, tried, answer, .. } => Some(denied_hint(host, tried, answer.status)),
            Self::NotFound { .. } => {
                Some("Check the name; many registries also say this of repositories they hide.".into())
            }
            Self::RateLimited { .. } => Some(match self.retry_after() {
                Some(wait) => format!("The registry asks to wait {wait} s; a login often raises the limit."),
                None => "Wait, or log in: a login often raises the limit.".into(),
            }),
            Self::TlsUntrusted { reason, .. } | Self::Unreachable { reason, .. }
                if reason.starts_with(CLIENT_REFUSED) || reason.ends_with(CLOSED_AT_ONCE) =>
            {
                Some(CLIENT_CERTIFICATE.into())
            }
            Self::TlsUntrusted { reason, .. } => Some(untrusted_hint(reason).into()),
            Self::Timeout { waited: Waited::End | Waited::FirstByte | Waited::NextByte, .. } => {
                Some("If it is only slow, give it longer: `timeout` of the repository, or --timeout.".into())
            }
            Self::Unreachable { reason, .. } if reason.contains("does not speak TLS") => Some(
                "If plain HTTP is meant, set `insecure: true` on the repository, or write http:// in its `endpoint`.".into(),
            ),
            Self::Unreachable { request, .. } if !request.notes.is_empty() => {
                Some("The registry was there a moment ago: scan again.".into())
            }
            Self::Unreachable { .. } | Self::Timeout { .. } => {
                Some("Check the name of the registry and the way to it; `supercargo check` asks each.".into())
            }
            Self::Status { answer, .. } if answer.status >= 500 => Some(match self.retry_after() {
                Some(wait) => format!("The registry itself is in trouble; it asks to wait {wait} s."),
                None => "The registry itself is in trouble; scan again later.".into(),
            }),
            Self::Status { answer, .. }
                if answer.status == 400 && SPEAKS_TLS.into_iter().any(|text| answer.names(text)) =>
            {
                Some("The server speaks TLS: leave `insecure` out, or write https:// in its `endpoint`.".into())
            }
            Self::Status { answer, .. } if answer.status == 400 && answer.names("certificate") => {
                Some(CLIENT_CERTIFICATE.into())
            }
            Self::BadAnswer { reason, .. } if reason.starts_with(ENDED_EARLY) => {
                Some("The connection broke while it answered: scan again; if it goes on, look at what stands between.".into())
            }
            Self::BadAnswer { reason, .. } if reason.ends_with(MAX_REPLY) => {
                Some("Raise `max_reply_mib` in the configuration, if so much is expected of this registry.".into())
            }
            Self::BadAnswer { .. } | Self::Status { .. } => {
                Some("Check that this is a registry, and that no proxy or login page answers for it.".into())
            }
            Self::Provider(_) => Some(
                "Set the provider that runs the registry: aws, azure, gcp, or generic for any other.".into(),
            ),
            Self::Authentication { named, .. } => Some(format!(
                "Controllers stop here too: put right the {named}, or name another in the repository."
            )),
            Self::Setup(_) => None,
        }
    }
}

/// What mends a certificate that is not trusted, by the reason.
fn untrusted_hint(reason: &str) -> &'static str {
    let hints = [
        (
            UNKNOWN_ISSUER,
            "Name the registry's certificate authority: `certSecretRef` of the repository, `ca` of the registry in the configuration, or --ca-file.",
        ),
        (
            EXPIRED,
            "Whoever runs the registry has to renew its certificate, if this machine's clock is right.",
        ),
        (
            NOT_VALID_YET,
            "Check this machine's clock; if it is right, the certificate was put in place too early.",
        ),
    ];
    let found = hints.iter().find(|(flaw, _)| reason.ends_with(flaw)).map(|(_, hint)| *hint);
    found.unwrap_or("Whoever runs the registry has to give it a certificate that is good for its name.")
}

fn denied_hint(host: &str, tried: &[Trial], status: u16) -> String {
    // Docker's command has a short form for its own registry, and takes no other name for it.
    let command =
        if host == "index.docker.io" { "docker login".to_owned() } else { format!("docker login {host}") };
    let (mut refused, mut empty) = (Vec::new(), Vec::new());
    let (mut silent, mut withheld) = (String::new(), None);
    for trial in tried {
        match &trial.outcome {
            Outcome::Refused(_) if trial.label != ANONYMOUS => refused.push(trial.text()),
            Outcome::Unavailable(reason) => silent = format!("{silent}{}: {reason}. ", trial.label),
            Outcome::Nothing(place) => empty.push(format!("{} has no login for {place}", trial.label)),
            Outcome::Withheld { by, .. } => withheld = Some(by),
            Outcome::Refused(_) => {}
        }
    }
    if let Some(other) = withheld {
        return format!(
            "{host} leads to {other}, which lets nobody in without a login; ours is for {host} alone and was not shown there. Name \
             the registry that answers in the image, or have whoever runs {host} mend the redirect."
        );
    }
    let has_other = !refused.is_empty() || !silent.is_empty();
    if has_other && !empty.is_empty() {
        silent = format!("{}. {silent}", empty.join(", "));
    }
    match (refused.join(", "), status) {
        (none, _) if none.is_empty() && silent.is_empty() && !empty.is_empty() => {
            format!("{}: give it one, or run `{command}`, then rescan.", empty.join(", "))
        }
        (none, _) if none.is_empty() && silent.is_empty() => {
            format!("No credential for {host} was found; run `{command}` or give a secretRef, then rescan.")
        }
        (none, _) if none.is_empty() => format!("{silent}Mend that, or run `{command}`, then rescan."),
        (tried, 403) => {
            format!("{silent}Tried {tried}: it may log in but not read this repository; ask for pull access.")
        }
        (tried, _) => {
            format!(
                "{silent}Tried {tried}: the login was refused; renew it, or run `{command}`, then rescan."
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Answer;
    use super::*;
    use crate::problem::Code;

    fn trial(label: &str, outcome: Outcome) -> Trial {
        Trial { label: label.to_owned(), who: (label == "flags").then(|| "as rita".to_owned()), outcome }
    }

    #[test]
    fn a_helper_that_failed_is_what_to_mend() {
        let tried = vec![
            trial(
                "docker config (helper x)",
                Outcome::Unavailable("docker-credential-x is not installed".into()),
            ),
            trial("anonymous", Outcome::Refused("401".into())),
        ];
        let hint = denied_hint("r", &tried, 401);
        let says = "docker config (helper x): docker-credential-x is not installed. Mend that, or run `docker login r`";
        assert!(hint.starts_with(says), "{hint}");
        let tried = vec![trial("provider aws (helper ecr-login)", Outcome::Nothing("r".into()))];
        let says = "provider aws (helper ecr-login) has no login for r: give it one, or run `docker login r`, then rescan.";
        assert_eq!(denied_hint("r", &tried, 401), says);
    }

    #[test]
    fn a_refusal_names_what_was_tried() {
        let denied = |status, tried: &[&str]| RegistryError::Denied {
            request: "GET https://r/v2/".into(),
            answer: Box::new(Answer::new(status, b"")),
            host: "r".into(),
            tried: tried.iter().map(|label| trial(label, Outcome::Refused("401".into()))).collect(),
        };
        let problem = denied(401, &["secret edge/legacy", "anonymous"]).problem("edge/legacy");
        assert_eq!(problem.code, Code::RegistryUnauthorized);
        assert!(problem.hint.unwrap_or_default().contains("secret edge/legacy"));
        assert!(denied(401, &["flags"]).hint().unwrap_or_default().starts_with("Tried flags as rita: "));
        assert_eq!(denied(403, &["docker config"]).code(), Code::RegistryForbidden);
        assert!(denied(401, &["anonymous"]).hint().unwrap_or_default().contains("No credential for r"));
    }
}
