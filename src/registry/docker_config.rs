//! The files in which docker, podman and Kubernetes keep logins: what they hold, and which helpers they name.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::domain::template::url_refusal;

use super::helper::Helper;
use super::keymatch::{EntryKey, Wanted};
use super::keyring::{Credential, KeyringError, Login, Offer};

/// One entry of an `auths` list.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: EntryKey,
    pub(super) credential: Credential,
}

/// One file of docker or its relatives.
#[derive(Debug, Clone)]
pub(super) struct DockerFile {
    label: String,
    /// Longer keys first.
    entries: Vec<Entry>,
    /// By host, the helper that has its login.
    helpers: BTreeMap<String, String>,
    /// The helper that has all others.
    store: Option<String>,
}

impl DockerFile {
    /// Reads a docker `config.json` or a containers `auth.json`.
    pub(super) fn read(label: &str, text: &str) -> Result<Self, KeyringError> {
        let config: DockerConfig = parse_json(label, text)?;
        let mut entries = read_entries(label, config.auths.unwrap_or_default(), Aliases::DockerHub)?;
        entries.sort_by(|a, b| b.key.text().cmp(a.key.text()));
        Ok(Self {
            label: label.to_owned(),
            entries,
            helpers: config.helpers.unwrap_or_default(),
            store: config.store.filter(|store| !store.is_empty()),
        })
    }

    /// What the file has for a repository of `host`, in order: the host's own helper, the common helper, an entry. What an earlier
    /// login left in one of them does not hide what another has.
    ///
    /// Source: docker/cli:`cli/config/configfile/file.go` (`GetCredentialsStore`), `cli/config/credentials/native_store.go`.
    pub(super) fn offers(&self, host: &str, wanted: &Wanted<'_>) -> impl Iterator<Item = Offer> {
        let server = if host == CANONICAL_HUB { HUB } else { host };
        let own = self.own_helper(host);
        let common = self.store.as_deref().filter(|store| own != Some(*store));
        let helpers = own.into_iter().chain(common);
        let asked = helpers.filter_map(move |program| Helper::new(&self.label, program, server));
        asked.map(Offer::Ask).chain(first(&self.entries, wanted).map(Offer::Ready))
    }

    /// The keys under which helpers are named by what is no name of a program, with those names.
    pub(super) fn unusable_helpers(&self) -> impl Iterator<Item = (String, &str)> {
        let own = self.helpers.iter().map(|(host, name)| (format!("credHelpers.{host:?}"), name.as_str()));
        let common = self.store.iter().map(|name| ("credsStore".to_owned(), name.as_str()));
        // Docker takes an empty name for none.
        own.chain(common).filter(|(_, name)| !name.is_empty() && !Helper::is_name(name))
    }

    /// The helper that is named for `host` alone.
    pub(super) fn own_helper(&self, host: &str) -> Option<&str> {
        let names: &[&str] = if host == CANONICAL_HUB { &[HUB, CANONICAL_HUB, "docker.io"] } else { &[host] };
        names.iter().find_map(|name| self.helpers.get(*name)).map(String::as_str)
    }
}

/// What images call Docker Hub.
const CANONICAL_HUB: &str = "index.docker.io";
/// What docker calls it.
const HUB: &str = "https://index.docker.io/v1/";

/// The credential of the first entry that fits.
pub(super) fn first(entries: &[Entry], wanted: &Wanted<'_>) -> Option<Credential> {
    entries.iter().find(|entry| entry.key.matches(wanted)).map(|entry| entry.credential.clone())
}

/// The files in which docker and its relatives keep logins, with their labels, whether they exist or not.
pub(super) fn docker_files(variable: impl Fn(&str) -> Option<OsString>) -> Vec<(&'static str, PathBuf)> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let docker = set("DOCKER_CONFIG").or_else(|| set("HOME").map(|home| home.join(".docker")));
    [
        docker.map(|folder| ("docker config", folder.join("config.json"))),
        set("REGISTRY_AUTH_FILE").map(|file| ("registry auth file", file)),
        set("XDG_RUNTIME_DIR").map(|folder| ("containers auth file", folder.join("containers/auth.json"))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[derive(Deserialize)]
struct DockerConfig {
    #[serde(default)]
    auths: Option<BTreeMap<String, RawEntry>>,
    #[serde(rename = "credHelpers")]
    helpers: Option<BTreeMap<String, String>>,
    #[serde(rename = "credsStore")]
    store: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawEntry {
    username: Option<String>,
    password: Option<SecretString>,
    auth: Option<SecretString>,
    identitytoken: Option<SecretString>,
    registrytoken: Option<SecretString>,
}

/// Whether `docker.io` is understood as Docker Hub: podman and skopeo write it so; Kubernetes does not read it so.
#[derive(Clone, Copy)]
enum Aliases {
    None,
    DockerHub,
}

fn parse_json<'a, T: Deserialize<'a>>(label: &str, text: &'a str) -> Result<T, KeyringError> {
    // serde's message can quote the value it did not expect, which here may be a password.
    serde_json::from_str(text).map_err(|error| KeyringError::Json {
        label: label.to_owned(),
        reason: format!("line {}, column {}", error.line(), error.column()),
    })
}

/// The entries of a pull secret, whose helpers would be those of another machine.
pub(super) fn read_auths(label: &str, text: &str) -> Result<Vec<Entry>, KeyringError> {
    let config: DockerConfig = parse_json(label, text)?;
    read_entries(label, config.auths.unwrap_or_default(), Aliases::None)
}

/// The entries of a legacy `.dockercfg`, which is the list alone.
pub(super) fn read_dockercfg(label: &str, text: &str) -> Result<Vec<Entry>, KeyringError> {
    read_entries(label, parse_json(label, text)?, Aliases::None)
}

fn read_entries(
    label: &str,
    raw: BTreeMap<String, RawEntry>,
    aliases: Aliases,
) -> Result<Vec<Entry>, KeyringError> {
    let mut entries = Vec::new();
    for (host, entry) in raw {
        // Docker and podman pass over what is no host; Kubernetes does not.
        if matches!(aliases, Aliases::None) {
            check_address(label, &host)?;
        }
        // An entry without content is docker's note that a helper has the login.
        if let Some(login) = read_login(label, &host, entry)? {
            let hub = matches!(aliases, Aliases::DockerHub) && host == "docker.io";
            let key = EntryKey::parse(if hub { "index.docker.io" } else { &host });
            entries.push(Entry { key, credential: Credential { label: label.to_owned(), login } });
        }
    }
    Ok(entries)
}

/// Whether Go takes what an entry is for as an address.
///
/// Source: google/go-containerregistry:pkg/authn/kubernetes/keychain.go (`newKeychain`).
fn check_address(label: &str, host: &str) -> Result<(), KeyringError> {
    let has_scheme = ["https://", "http://"].iter().any(|scheme| host.starts_with(scheme));
    let address = if has_scheme { host.to_owned() } else { format!("https://{host}") };
    let Some(reason) = url_refusal(&address) else { return Ok(()) };
    // Before an `@` there may be a password, which Go's words repeat.
    let (address, reason) = match address.rsplit_once('@') {
        Some((_, rest)) => (rest.to_owned(), "it does not parse".to_owned()),
        None => (address, reason),
    };
    Err(KeyringError::Address { label: label.to_owned(), address, reason })
}

fn read_login(label: &str, host: &str, entry: RawEntry) -> Result<Option<Login>, KeyringError> {
    let given = |secret: Option<SecretString>| secret.filter(|secret| !secret.expose_secret().is_empty());
    if let Some(token) = given(entry.registrytoken) {
        return Ok(Some(Login::Bearer(token)));
    }
    let (username, password) = match given(entry.auth) {
        Some(auth) => decode_auth(auth.expose_secret()).map_err(|reason| KeyringError::Auth {
            label: label.to_owned(),
            entry: host.to_owned(),
            reason,
        })?,
        None => (entry.username.unwrap_or_default(), entry.password.unwrap_or_default()),
    };
    if let Some(token) = given(entry.identitytoken) {
        return Ok(Some(Login::Identity { token, username, password }));
    }
    let empty = username.is_empty() && password.expose_secret().is_empty();
    Ok((!empty).then_some(Login::Basic { username, password }))
}

fn decode_auth(auth: &str) -> Result<(String, SecretString), String> {
    let engine = if auth.ends_with('=') { STANDARD } else { STANDARD_NO_PAD };
    let bytes = engine.decode(auth).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map(zeroize::Zeroizing::new);
    let text = text.map_err(|error| error.utf8_error().to_string())?;
    let (username, password) =
        text.split_once(':').ok_or("must be formatted as base64(username:password)".to_owned())?;
    Ok((username.to_owned(), password.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_for_what_is_no_address_breaks_a_pull_secret_and_no_file_of_dockers() {
        for (host, address, reason) in [
            (
                "ht tp://%zz",
                "https://ht tp://%zz",
                "parse \"https://ht tp://%zz\": invalid character \" \" in host name",
            ),
            ("ghcr.io:x", "https://ghcr.io:x", "parse \"https://ghcr.io:x\": invalid port \":x\" after host"),
            ("[::1", "https://[::1", "parse \"https://[::1\": missing ']' in host"),
            ("rita:hunter2%@r.io", "r.io", "it does not parse"),
        ] {
            let text = format!("{{\"auths\":{{{host:?}:{{\"username\":\"u\",\"password\":\"p\"}}}}}}");
            let error = read_auths("secret a/b", &text).unwrap_err().to_string();
            assert_eq!(error, format!("secret a/b: Entry {address:?} in dockercfg invalid ({reason})"));
            DockerFile::read("docker config", &text).unwrap();
        }
        for host in ["ghcr.io", "*.example.com:5000/team", "http://r/v2/", ""] {
            check_address("secret a/b", host).unwrap();
        }
    }
}
