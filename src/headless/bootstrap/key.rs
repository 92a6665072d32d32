//! The deploy key of a bootstrap at a forge: made once, kept among our secrets, and known to the forge.

use std::path::PathBuf;

use super::Job;
use super::place::{At, Place};
use crate::engine::Engine;
use crate::engine::bootstrap::KeptKey;
use crate::forge::DeployKey;
use crate::git::{self, GitUrl, KeyKind, KeyPair};
use crate::problem::{Code, Problem};
use crate::source::create::{Common, NewObject, SecretFlags, SshKeys, secret_git};
use crate::source::objects::{self, URL_ANNOTATION};
use crate::store::Dirs;

/// A key for the repository.
pub(super) struct Key {
    /// What the forge calls it.
    title: String,
    /// The public key; `None`: it is still to be made.
    public: Option<String>,
    /// Whether it may write.
    pub(super) is_writing: bool,
    /// Whether the forge knows it.
    pub(super) is_there: bool,
    /// The file of the secret that holds it.
    pub(super) file: PathBuf,
}

impl Key {
    /// `NAME, which may write`.
    pub(super) fn title(&self) -> String {
        let may = if self.is_writing { "write" } else { "only read" };
        format!("{}, which may {may}", self.title)
    }
}

impl Job<'_> {
    /// The key that controllers log in with; `None` where they do so with something else.
    ///
    /// # Errors
    /// The secret's name is another's; whatever keeps the forge from telling its keys.
    pub(super) fn key(&self, place: &Place) -> Result<Option<Key>, Problem> {
        let At::Forge { args, at, .. } = &self.at else { return Ok(None) };
        if args.token_auth {
            return Ok(None);
        }
        let kept = Engine::kept_key(&self.session.world, &self.secret());
        if let Some(other) = kept.as_ref().filter(|kept| !kept.is_for(&place.sync)) {
            let message = format!("the secret {} is kept for {}", self.secret(), other.made_for());
            return Err(
                Problem::new(Code::Usage, "--secret-name", message).hint("Choose another name for this one.")
            );
        }
        let public = kept.and_then(|KeptKey { public, .. }| public);
        let is_there = match (&public, &place.push) {
            (Some(public), Some(_)) => self.session.run(at.has_key(public, args.read_write_key))?,
            _ => false,
        };
        let secret = self.secret();
        let file = folder()?.join(&secret.namespace).join(format!("{}.yaml", secret.name));
        let path = if self.common.path.is_empty() { "./" } else { &self.common.path };
        let title = format!("flux-{}-{path}", self.common.branch);
        Ok(Some(Key { title, public, is_writing: args.read_write_key, is_there, file }))
    }

    /// Makes the key if it is to be made, keeps it, and lets the forge know it.
    ///
    /// # Errors
    /// The host shows no key of its own; the secret cannot be written; the forge refuses.
    pub(super) fn add_key(&self, key: &Key, url: &str) -> Result<(), Problem> {
        let At::Forge { at, .. } = &self.at else { return Ok(()) };
        let public = match &key.public {
            Some(public) => public.clone(),
            None => self.make_key(url)?,
        };
        let Key { title, is_writing, .. } = key;
        let key = DeployKey { title: title.clone(), key: public, is_writing: *is_writing };
        self.session.run(at.add_key(&key))
    }

    /// Makes a key and keeps it; the public one.
    fn make_key(&self, url: &str) -> Result<String, Problem> {
        let place = GitUrl::parse(url).and_then(|url| url.ssh_place()).map_err(Problem::from)?;
        let known_hosts = match &self.settings.git_known_hosts {
            Some(path) => std::fs::read_to_string(path).map_err(|error| {
                Problem::new(Code::Usage, path.display().to_string(), "cannot be read").caused_by(&error)
            })?,
            None => git::scan_host(&place)?,
        };
        // What flux makes.
        let pair = KeyPair::generate(KeyKind::Ecdsa(384))?;
        let public = pair.public.trim().to_owned();
        let ssh = SshKeys { identity: pair.private, public: pair.public, known_hosts };
        let secret = self.secret_of(url, ssh)?;
        objects::write_secret(&secret, &folder()?, false)?;
        Ok(public)
    }

    fn secret_of(&self, url: &str, ssh: SshKeys) -> Result<NewObject, Problem> {
        let id = self.secret();
        let common = Common { name: Some(id.name), namespace: id.namespace, labels: Vec::new() };
        let flags = SecretFlags { url: Some(url.to_owned()), ssh: Some(ssh), ..SecretFlags::default() };
        let mut secret = secret_git(&common, &flags)?;
        secret.annotations.insert(URL_ANNOTATION.to_owned(), url.to_owned());
        Ok(secret)
    }
}

/// Where secrets of ours are kept.
fn folder() -> Result<PathBuf, Problem> {
    let state = Dirs::from_environment(|name| std::env::var_os(name)).state;
    let state = state.ok_or_else(|| {
        Problem::new(Code::Storage, "bootstrap", "there is no state folder to keep the deploy key in")
            .hint("Set HOME or XDG_STATE_HOME, or log in with a token: --token-auth.")
    })?;
    Ok(state.join("secrets"))
}
