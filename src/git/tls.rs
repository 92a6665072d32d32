//! Which certificates a remote is trusted by, which one says who we are, and the proxy on the way.

use std::fs;
use std::path::Path;

use reqwest::{Client, NoProxy};

use crate::http::{Authority, Identity, Setup, Way, bundle};
use crate::text::{ExposeSecret, SecretString};

use super::Remote;
use super::config::Proxy;
use super::credential::GitCredential;
use super::error::GitError;

/// Some servers answer with Git's protocol only to what calls itself git.
const USER_AGENT: &str = concat!("git/2.39 (supercargo ", env!("CARGO_PKG_VERSION"), ")");

/// A client that trusts the system's authorities, the remote's files, and those of its secrets.
///
/// # Errors
/// [`GitError::Tls`] or, for what says who we are, [`GitError::Identity`], naming the file or secret that cannot be used; [`GitError::Unreachable`] for a proxy that cannot.
pub(super) fn client(remote: &Remote, shown: &str) -> Result<Client, GitError> {
    let failed = |message: String| GitError::Tls { url: shown.to_owned(), message };
    let ours = |message: String| GitError::Identity { url: shown.to_owned(), message };
    let identity = identity(remote).map_err(ours)?.map(|(label, pem)| {
        Identity::from_pem(pem.expose_secret().as_bytes()).map_err(|error| ours(format!("{label} {error}")))
    });
    let (authorities, identity) = (authorities(remote).map_err(failed)?, identity.transpose()?);
    let proxy = remote.proxy.as_ref().map(proxy).transpose();
    let proxy = proxy.map_err(|message| GitError::Unreachable { url: shown.to_owned(), message })?;
    let setup = Setup {
        user_agent: USER_AGENT,
        connect_timeout: remote.timeouts.connect,
        authorities: &authorities,
        identity: identity.as_ref(),
        idle_per_host: None,
        way: proxy.as_ref().map_or(Way::Environment, Way::Proxy),
        secure: remote.url.starts_with("https:"),
    };
    setup.client().map_err(failed)
}

/// The client certificate with its key, and what it is called: a secret's, else the configuration's.
fn identity(remote: &Remote) -> Result<Option<(String, SecretString)>, String> {
    let own = |credential: &GitCredential| Some((credential.label.clone(), credential.identity.clone()?));
    if let Some(found) = remote.credentials.iter().find_map(own) {
        return Ok(Some(found));
    }
    let Some((certificate, key)) = &remote.certificate else { return Ok(None) };
    let key = key.as_deref().map(read).transpose()?.unwrap_or_default();
    let pem = format!("{}\n{}", read(certificate)?.expose_secret(), key.expose_secret());
    Ok(Some((certificate.display().to_string(), pem.into())))
}

fn read(path: &Path) -> Result<SecretString, String> {
    let text = fs::read_to_string(path);
    text.map(SecretString::from).map_err(|error| format!("could not read {}: {error}", path.display()))
}

fn proxy(settings: &Proxy) -> Result<reqwest::Proxy, String> {
    // The library's words could hold the address's password.
    let made = reqwest::Proxy::all(settings.address.as_str());
    let mut made = made.map_err(|_withheld| "the proxy's address cannot be used".to_owned())?;
    if settings.spares {
        made = made.no_proxy(NoProxy::from_env());
    }
    Ok(match &settings.login {
        Some((username, password)) => made.basic_auth(username, password.expose_secret()),
        None => made,
    })
}

/// The additional authorities, from files and secrets.
fn authorities(remote: &Remote) -> Result<Vec<Authority>, String> {
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
