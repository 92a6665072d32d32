//! What to do next about what Git says.

use super::{Attempt, GitError, Refusal, credential_words};
use crate::git::credential::SshLogin;

impl GitError {
    /// The next step, where we know one.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::AuthRequired { url, redirected: None } => login_hint(url),
            Self::AuthRequired { redirected: Some(target), .. } => {
                format!(
                    "A login is not sent to another host or port than it is for; use {target} as the repository's URL."
                )
            }
            Self::AuthDenied { url, attempts, .. } => match attempts.last() {
                Some(Attempt { credential, refusal: Refusal::Status(403) | Refusal::Right })
                    if self.is_about_writing() =>
                {
                    write_hint(url, credential)
                }
                // It was given for this call: another way to give it is no help.
                Some(Attempt { credential, .. }) if matches!(credential.as_str(), "flags" | "environment") => {
                    format!("Correct {}: the name, the password or token, or its rights.", credential_words(url, credential))
                }
                _ => login_hint(url),
            },
            Self::HostKey { url, credential, changed, .. } => host_key_hint(url, credential, *changed),
            Self::Unreachable { .. } => "Check the address, the network and the proxy variables.".to_owned(),
            Self::RateLimited { retry_after_seconds: Some(seconds), .. } => {
                format!("Try again in {seconds} s.")
            }
            Self::Tls { .. } => "Pass the authority's certificate with `--ca-file`.".to_owned(),
            Self::Identity { message, .. } if message.starts_with("secret ") => {
                "Correct the certificate and the key in the Secret.".to_owned()
            }
            Self::Identity { .. } => {
                "Correct http.sslCert and http.sslKey in git's configuration: a certificate and its key, in PEM.".to_owned()
            }
            Self::CertificateWanted { .. } => {
                "Name one by http.sslCert and http.sslKey in git's configuration, or as tls.crt and tls.key in the Secret \
                 of the GitRepository."
                    .to_owned()
            }
            Self::NotFound { .. } => {
                "Check the URL; many servers also answer so when the account may not see the repository."
                    .to_owned()
            }
            Self::Rejected { reason, server, .. } => rejected_hint(reason, server),
            Self::RefNotFound { what, .. } if what.starts_with("branch ") => {
                format!(
                    "Correct the {what} in the GitRepository or the automation, or create it on the remote."
                )
            }
            Self::Sign { fix, .. } => return fix.clone(),
            Self::Unseen(_) => {
                "The next start asks the remote what became of it; the same plan, pushed again, lands once."
                    .to_owned()
            }
            Self::Conflicts { from, into, .. } => {
                format!(
                    "Nothing was merged. Merge {into} into {from} in a checkout, settle the files, push, and try again."
                )
            }
            Self::Race { .. } | Self::Missing { .. } => "Make the plan again from the new commit.".to_owned(),
            Self::Checkout { path, foreign: true, .. } => {
                format!("Run `git config --global --add safe.directory {}`.", path.display())
            }
            _ => return None,
        })
    }
}

/// What gets a refused credential to write.
fn write_hint(url: &str, label: &str) -> String {
    let words = credential_words(url, label);
    match label {
        "flags" | "environment" => {
            format!("Give {words} write access to the repository, or pass another.")
        }
        _ => format!("Give the account of {words} write access to the repository."),
    }
}

/// What gets past a server that refused commits: another branch, unless its hook said that it wants other commits.
fn rejected_hint(reason: &str, server: &str) -> String {
    let is_protected = [reason, server].iter().any(|text| text.to_ascii_lowercase().contains("protected"));
    if reason.contains("hook declined") && !is_protected {
        return "A hook of the server refused the commit: make the plan again as the hook asks for it, a message by \
                `--message`."
            .to_owned();
    }
    "Push to another branch with `--branch`, and open a pull request.".to_owned()
}

/// Whom to ask, and where the answer goes; never to trust blindly.
fn host_key_hint(url: &str, credential: &str, changed: bool) -> String {
    let place = if credential.starts_with("secret ") {
        format!("known_hosts of {credential}")
    } else if credential == SshLogin::SYSTEM {
        "~/.ssh/known_hosts".to_owned()
    } else {
        "the file of `--git-known-hosts`, or ~/.ssh/known_hosts".to_owned()
    };
    let host = url.strip_prefix("ssh://").and_then(|rest| rest.split('/').next()).unwrap_or(url);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if changed {
        return format!(
            "Ask whoever runs {host} whether its key was replaced; if so, put the new one into {place}. If not, somebody \
             may be listening in."
        );
    }
    format!(
        "Put the key of {host} into {place}, once it is the one its owner publishes (`ssh-keyscan` shows it)."
    )
}

/// How to give a credential for `url`.
fn login_hint(url: &str) -> String {
    if url.starts_with("ssh://") {
        return "Pass a key with `--git-ssh-key FILE`, or load it into an agent with `ssh-add`, as one with a passphrase has \
                to be."
            .to_owned();
    }
    format!(
        "Pass `--git-username USER --git-password-stdin`, or store a login with `supercargo create secret git NAME \
         --url {url} --username USER --password-stdin`."
    )
}
