//! Which certificates a remote is trusted by, and what a refused one says.

use std::fs;

use reqwest::{Certificate, Client, Identity};

use crate::http::{Setup, Way, bundle, innermost};
use crate::text::ExposeSecret;

use super::Remote;
use super::error::GitError;

/// Some servers answer with Git's protocol only to what calls itself git.
const USER_AGENT: &str = concat!("git/2.39 (supercargo ", env!("CARGO_PKG_VERSION"), ")");

/// A client that trusts the system's authorities, the remote's files, and those of its secrets.
///
/// # Errors
/// [`GitError::Tls`] naming the file or secret that cannot be used.
pub(super) fn client(remote: &Remote, shown: &str) -> Result<Client, GitError> {
    let failed = |message: String| GitError::Tls { url: shown.to_owned(), message };
    let pem = remote.credentials.iter().find_map(|c| c.identity.as_ref().map(|pem| (&c.label, pem)));
    let identity = pem.map(|(label, pem)| {
        Identity::from_pem(pem.expose_secret().as_bytes())
            .map_err(|error| failed(format!("{label}: {}", innermost(&error))))
    });
    let (authorities, identity) = (authorities(remote).map_err(failed)?, identity.transpose()?);
    let setup = Setup {
        user_agent: USER_AGENT,
        connect_timeout: remote.timeouts.connect,
        authorities: &authorities,
        identity: identity.as_ref(),
        idle_per_host: None,
        way: Way::Environment,
    };
    setup.client().map_err(|error| failed(innermost(&error)))
}

/// The additional authorities, from files and secrets.
fn authorities(remote: &Remote) -> Result<Vec<Certificate>, String> {
    let mut all = Vec::new();
    for path in &remote.ca_files {
        let pem = fs::read(path).map_err(|error| format!("could not read {}: {error}", path.display()))?;
        all.extend(bundle(&path.display().to_string(), &pem)?);
    }
    for credential in &remote.credentials {
        if let Some(pem) = &credential.ca {
            all.extend(bundle(&credential.label, pem)?);
        }
    }
    Ok(all)
}
