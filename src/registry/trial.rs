//! The credentials whose turn came, one after another, and what became of each.

use super::client::Client;
use super::error::RegistryError;
use super::helper::{Helper, Helpers};
use super::keyring::{Credential, Keyring, Login};
use super::session::Session;
use super::{ListRequest, Offer};

/// A credential whose turn came, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// Such as `secret flux-system/pull` or `anonymous`.
    pub label: String,
    /// As whom, where that is known: `as rita`, `with an identity token`; never a secret.
    pub who: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
}

impl Trial {
    /// Label and person, such as `docker config as rita`.
    pub fn text(&self) -> String {
        self.who.as_ref().map_or_else(|| self.label.clone(), |who| format!("{} {who}", self.label))
    }
}

/// What became of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The registry or its token service refused it, in these words.
    Refused(String),
    /// There was none to show: why the program that should have it did not give it.
    Unavailable(String),
    /// It was not shown to the other server that the registry led to.
    Withheld {
        /// That server, such as `https://cdn.example.com`.
        by: String,
        /// What it said.
        said: String,
    },
    /// The program that was asked, or the secret, has none for this: a host, or a repository of one.
    Nothing(String),
}

/// The credentials that apply, one after another while the registry refuses them.
pub(super) struct Attempts<'a> {
    session: &'a Session<'a>,
    helpers: &'a Helpers,
    left: std::vec::IntoIter<Offer>,
    /// The helper that gave the present one.
    helper: Option<Helper>,
    /// Those that were of no use.
    trials: Vec<Trial>,
    first: Option<RegistryError>,
}

impl<'a> Attempts<'a> {
    /// All that `request` has for its repository.
    pub(super) fn of(client: &'a Client, request: &ListRequest<'_>, session: &'a Session<'a>) -> Self {
        let image = request.image;
        Self::about(client, (request.keyring, &image.registry, &image.repository), session)
    }

    /// All that `keyring` has for a repository of a host.
    pub(super) fn about(
        client: &'a Client,
        (keyring, host, repository): (&Keyring, &str, &str),
        session: &'a Session<'a>,
    ) -> Self {
        // A secret may hold a login for another part of the host.
        let place = format!("{host}/{repository}").trim_end_matches('/').to_owned();
        let nothing = |label| Trial { label, who: None, outcome: Outcome::Nothing(place.clone()) };
        let trials = keyring.secrets_without_login(host, repository).map(nothing).collect();
        let left = keyring.candidates(host, repository).into_iter();
        Self { session, helpers: client.helpers(), left, helper: None, trials, first: None }
    }

    /// The next to try.
    ///
    /// # Errors
    /// All were refused: the first refusal, naming all of them.
    pub(super) async fn next(&mut self) -> Result<Credential, RegistryError> {
        for next in self.left.by_ref() {
            let helper = match next {
                Offer::Ready(credential) => return Ok(credential),
                Offer::Ask(helper) => helper,
            };
            let outcome = match self.helpers.ask(&helper, self.session.wire.left()).await {
                Ok(Some(credential)) => {
                    self.helper = Some(helper);
                    return Ok(credential);
                }
                Ok(None) => Outcome::Nothing(helper.server().to_owned()),
                Err(reason) => Outcome::Unavailable(reason),
            };
            self.trials.push(Trial { label: helper.label().to_owned(), who: None, outcome });
        }
        self.session.forget().await;
        let nothing = || RegistryError::Setup("no credential to try, not even none".to_owned());
        let proxy = self.session.wire.host.http.proxy();
        Err(self.first.take().unwrap_or_else(nothing).tried(self.trials.clone()).through(proxy))
    }

    /// Takes note of a failure.
    ///
    /// # Errors
    /// The failure, if another credential would fare no better.
    pub(super) async fn failed(
        &mut self,
        credential: &Credential,
        error: RegistryError,
    ) -> Result<(), RegistryError> {
        if !error.is_denied() {
            self.session.forget().await;
            return Err(error.asked_as(&credential.text()).through(self.session.wire.host.http.proxy()));
        }
        if let Some(helper) = self.helper.take() {
            self.helpers.forget(&helper).await;
        }
        let outcome = match error.elsewhere() {
            Some(by) if !matches!(credential.login, Login::Anonymous) => {
                Outcome::Withheld { by: by.to_owned(), said: error.said() }
            }
            _ => Outcome::Refused(error.said()),
        };
        self.trials.push(Trial { label: credential.label.clone(), who: credential.who(), outcome });
        self.first.get_or_insert(error);
        Ok(())
    }

    /// Those that were of no use, and the labels of those that were not needed.
    pub(super) fn ended(self) -> (Vec<Trial>, Vec<String>) {
        let left = self.left.map(|offer| offer.label().to_owned()).collect();
        (self.trials, left)
    }
}
