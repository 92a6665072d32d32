//! Asks one registry with every credential that applies, and tells what it said to each.

use super::client::Client;
use super::error::RegistryError;
use super::session::{Access, Knowledge};
use super::trial::{Attempts, Trial};
use super::{ListRequest, Progress, wire_text};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To be let in; the request's repository does not matter.
    Entry,
    /// The beginning of the repository's tag list.
    Tags,
}

/// What a registry said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// What `/v2/` said, such as `answers at https://r.example.com/v2/ and wants user and password`; or why it did not.
    pub door: Result<String, RegistryError>,
    /// The credentials that were of no use, in the order in which they were tried.
    pub trials: Vec<Trial>,
    /// The label of the one that was let in, and as whom; `None` if none was.
    pub accepted: Option<String>,
    /// The labels of those that were not needed any more.
    pub left: Vec<String>,
    /// Why the wish was not granted, if it was not.
    pub error: Option<RegistryError>,
}

impl Client {
    /// Tries each credential of `request` in its order, as a scan would, until one is let in.
    pub async fn examine(&self, request: &ListRequest<'_>, wish: Wish) -> Examination {
        let progress = |_: Progress| {};
        let session = match self.session(request, &progress) {
            Ok(session) => session,
            Err(error) => return Examination::closed(error),
        };
        let door = match session.registry().await {
            Ok(registry) => Ok(described(&registry)),
            Err(error) => return Examination::closed(error),
        };
        let image = request.image;
        let repository = if wish == Wish::Tags { image.repository.as_str() } else { "" };
        let mut attempts = Attempts::about(self, (request.keyring, &image.registry, repository), &session);
        let ended = loop {
            let credential = match attempts.next().await {
                Ok(credential) => credential,
                Err(error) => break Err(error),
            };
            let answer = match wish {
                Wish::Entry => session.greet(&credential).await,
                Wish::Tags => session.taste(&credential).await,
            };
            let Err(error) = answer else { break Ok(credential.text()) };
            if let Err(error) = attempts.failed(&credential, error).await {
                break Err(error);
            }
        };
        let (trials, left) = attempts.ended();
        let error = ended.as_ref().err().cloned();
        Examination { door, trials, accepted: ended.ok(), left, error }
    }
}

impl Examination {
    fn closed(error: RegistryError) -> Self {
        let door = Err(error.clone());
        Self { door, trials: Vec::new(), accepted: None, left: Vec::new(), error: Some(error) }
    }
}

fn described(registry: &Knowledge) -> String {
    let wants = match &registry.access {
        Access::Token(service) => {
            let of = service.service.as_ref().map_or_else(String::new, |name| format!(" for {name}"));
            format!("wants a token of {}{of}", wire_text::shown(&service.realm))
        }
        Access::Basic if registry.closed => "wants user and password".to_owned(),
        Access::Basic => "is open".to_owned(),
    };
    format!("answers at {} and {wants}", wire_text::shown(&registry.root))
}
