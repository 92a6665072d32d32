//! Which certificates a remote is trusted by, and what a refused one says.

use std::error::Error;
use std::fs;
use std::io;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Identity};

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
    // Whoever comes first installs it; a second time is no error.
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(remote.timeouts.connect)
        .redirect(Policy::none())
        .tls_certs_merge(authorities(remote).map_err(failed)?);
    if let Some((label, pem)) =
        remote.credentials.iter().find_map(|c| c.identity.as_ref().map(|pem| (&c.label, pem)))
    {
        let identity = Identity::from_pem(pem.expose_secret().as_bytes());
        builder =
            builder.identity(identity.map_err(|error| failed(format!("{label}: {}", innermost(&error))))?);
    }
    builder.build().map_err(|error| failed(innermost(&error)))
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

fn bundle(origin: &str, pem: &[u8]) -> Result<Vec<Certificate>, String> {
    match Certificate::from_pem_bundle(pem) {
        Ok(found) if found.is_empty() => Err(format!("{origin} holds no certificate")),
        Ok(found) => Ok(found),
        Err(error) => Err(format!("{origin}: {}", innermost(&error))),
    }
}

/// All errors below this one, the outermost first.
///
/// What stands inside an I/O error is not its source but hidden in it, and that is where TLS puts its reasons.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| below(*error))
}

fn below<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(hidden) => Some(hidden),
        None => error.source(),
    }
}

/// The words of the innermost error; the outer ones only repeat the address.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

/// What is wrong with the server's certificate; `None` if that is not the trouble.
pub(super) fn certificate_error(error: &(dyn Error + 'static)) -> Option<String> {
    let found = chain(error).find_map(|error| error.downcast_ref::<rustls::Error>())?;
    Some(match found {
        rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer) => {
            "signed by an unknown authority".to_owned()
        }
        rustls::Error::InvalidCertificate(reason) => reason.to_string(),
        other => other.to_string(),
    })
}
