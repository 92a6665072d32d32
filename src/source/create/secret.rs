//! `create secret git|oci|tls|proxy|githubapp`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::super::export::{Yaml, map};
use super::{Common, CreateError, Made, NewObject, text, usage};
use crate::domain::reference::parse_reference;
use crate::problem::Code;
use crate::text::{ExposeSecret, SecretString};

/// Keys for Git over ssh.
#[derive(Debug, Clone)]
pub struct SshKeys {
    /// The private key.
    pub identity: SecretString,
    /// The public key, as a line of `authorized_keys`.
    pub public: String,
    /// The host's keys, as lines of `known_hosts`.
    pub known_hosts: String,
}

/// Flags of `create secret git`.
#[derive(Debug, Default)]
pub struct SecretFlags {
    /// `--url`
    pub url: Option<String>,
    /// `--username`
    pub username: Option<String>,
    /// `--password`, or from standard input; over ssh the passphrase of the private key.
    pub password: Option<SecretString>,
    /// `--bearer-token`
    pub bearer_token: Option<SecretString>,
    /// The text of the file of `--ca-crt-file`.
    pub ca_crt: Option<String>,
    /// The keys for an ssh address, made or read.
    pub ssh: Option<SshKeys>,
}

/// Flags of `create secret oci`.
#[derive(Debug, Default)]
pub struct OciFlags {
    /// `--url`: the registry, or a repository of it.
    pub url: Option<String>,
    /// `--username`
    pub username: Option<String>,
    /// `--password`, or from standard input.
    pub password: Option<SecretString>,
}

/// Texts of the files of `create secret tls`.
#[derive(Debug, Default)]
pub struct TlsFlags {
    /// Of `--tls-crt-file`.
    pub tls_crt: Option<String>,
    /// Of `--tls-key-file`.
    pub tls_key: Option<SecretString>,
    /// Of `--ca-crt-file`.
    pub ca_crt: Option<String>,
}

/// Flags of `create secret proxy`.
#[derive(Debug, Default)]
pub struct ProxyFlags {
    /// `--address`
    pub address: Option<String>,
    /// `--username`
    pub username: Option<String>,
    /// `--password`, or from standard input.
    pub password: Option<SecretString>,
}

/// Flags of `create secret githubapp`.
#[derive(Debug, Default)]
pub struct AppFlags {
    /// `--app-id`
    pub app_id: Option<String>,
    /// `--app-installation-owner`
    pub owner: Option<String>,
    /// `--app-installation-id`
    pub installation_id: Option<String>,
    /// The text of the file of `--app-private-key`.
    pub private_key: Option<SecretString>,
    /// `--app-base-url`
    pub base_url: Option<String>,
}

fn given(secret: Option<&SecretString>) -> Option<Yaml> {
    let secret = secret.map(|secret| secret.expose_secret().to_owned());
    secret.filter(|secret| !secret.is_empty()).map(Yaml::Text)
}

/// The `Secret` for a Git remote that the flags describe.
///
/// # Errors
/// What flux refuses.
pub fn secret_git(common: &Common, flags: &SecretFlags) -> Result<NewObject, CreateError> {
    common.id()?;
    let Some(url) = flags.url.as_deref().filter(|url| !url.is_empty()) else {
        return usage("url is required");
    };
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    let data = match scheme {
        "http" | "https" => over_http(flags)?,
        "ssh" => over_ssh(flags)?,
        _ => return usage(format!("git URL scheme '{scheme}' not supported, can be: ssh, http and https")),
    };
    common.object(Made::Secret, ("stringData", data))
}

fn over_http(flags: &SecretFlags) -> Result<Yaml, CreateError> {
    let (username, password) = (text(flags.username.as_ref()), given(flags.password.as_ref()));
    let bearer = given(flags.bearer_token.as_ref());
    if bearer.is_none() && (username.is_none() || password.is_none()) {
        return usage("for Git over HTTP/S the username and password, or a bearer token is required");
    }
    if bearer.is_some() && (username.is_some() || password.is_some()) {
        return usage("user credentials and bearer token cannot be used together");
    }
    Ok(map([
        ("username", username),
        ("password", password),
        ("bearerToken", bearer),
        ("ca.crt", text(flags.ca_crt.as_ref())),
    ]))
}

fn over_ssh(flags: &SecretFlags) -> Result<Yaml, CreateError> {
    let Some(SshKeys { identity, public, known_hosts }) = &flags.ssh else {
        return usage("for Git over SSH a private key is required");
    };
    Ok(map([
        ("identity", given(Some(identity))),
        ("identity.pub", Some(public.as_str().into())),
        ("known_hosts", Some(known_hosts.trim().into())),
        ("password", given(flags.password.as_ref())),
    ]))
}

/// The `Secret` for a registry that the flags describe.
///
/// # Errors
/// What flux refuses.
pub fn secret_oci(common: &Common, flags: &OciFlags) -> Result<NewObject, CreateError> {
    common.id()?;
    let required = |value: Option<&String>, flag: &str| match value.filter(|value| !value.is_empty()) {
        Some(value) => Ok(value.clone()),
        None => usage(format!("{flag} is required")),
    };
    let url = required(flags.url.as_ref(), "--url")?;
    let username = required(flags.username.as_ref(), "--username")?;
    let password = flags.password.as_ref().map(|password| password.expose_secret().to_owned());
    let password = required(password.as_ref(), "--password")?;
    if let Err(error) = parse_reference(&url) {
        return Err(CreateError { code: Code::ImageInvalid, text: format!("error parsing url: '{error}'") });
    }
    let auth = STANDARD.encode(format!("{username}:{password}"));
    let login = json!({ "auths": { url: { "username": username, "password": password, "auth": auth } } });
    let data = map([(".dockerconfigjson", Some(login.to_string().into()))]);
    let secret = common.object(Made::Secret, ("stringData", data))?;
    Ok(NewObject { secret_type: Some("kubernetes.io/dockerconfigjson"), ..secret })
}

/// The `Secret` with certificates that the files make.
///
/// # Errors
/// What flux refuses; and a secret with nothing in it, or with half of a pair, which it makes.
pub fn secret_tls(common: &Common, flags: &TlsFlags) -> Result<NewObject, CreateError> {
    common.id()?;
    let (crt, key, ca) =
        (text(flags.tls_crt.as_ref()), given(flags.tls_key.as_ref()), text(flags.ca_crt.as_ref()));
    if crt.is_some() != key.is_some() {
        return usage("--tls-crt-file and --tls-key-file belong together");
    }
    if crt.is_none() && ca.is_none() {
        return usage("--ca-crt-file, or --tls-crt-file with --tls-key-file is required");
    }
    common.object(Made::Secret, ("stringData", map([("tls.crt", crt), ("tls.key", key), ("ca.crt", ca)])))
}

/// The `Secret` for a proxy that the flags describe.
///
/// # Errors
/// What flux refuses.
pub fn secret_proxy(common: &Common, flags: &ProxyFlags) -> Result<NewObject, CreateError> {
    common.id()?;
    let Some(address) = text(flags.address.as_ref()) else { return usage("address is required") };
    // flux keeps a login only if it is whole.
    let login = text(flags.username.as_ref()).zip(given(flags.password.as_ref()));
    let (username, password) = login.unzip();
    let data = map([("address", Some(address)), ("username", username), ("password", password)]);
    let secret = common.object(Made::Secret, ("stringData", data))?;
    Ok(NewObject { secret_type: Some("Opaque"), ..secret })
}

/// The `Secret` of a GitHub App that the flags describe.
///
/// # Errors
/// What controllers refuse when they read it: no id, no key, no installation or two.
pub fn secret_github_app(common: &Common, flags: &AppFlags) -> Result<NewObject, CreateError> {
    common.id()?;
    let Some(id) = text(flags.app_id.as_ref()) else { return usage("--app-id is required") };
    let (owner, installation) = (text(flags.owner.as_ref()), text(flags.installation_id.as_ref()));
    if owner.is_some() == installation.is_some() {
        return usage("one of --app-installation-owner and --app-installation-id is required");
    }
    let Some(key) = given(flags.private_key.as_ref()) else { return usage("--app-private-key is required") };
    let data = map([
        ("githubAppID", Some(id)),
        ("githubAppInstallationOwner", owner),
        ("githubAppInstallationID", installation),
        ("githubAppPrivateKey", Some(key)),
        ("githubAppBaseURL", text(flags.base_url.as_ref())),
    ]);
    let secret = common.object(Made::Secret, ("stringData", data))?;
    Ok(NewObject { secret_type: Some("Opaque"), ..secret })
}
