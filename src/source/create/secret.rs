//! `create secret git`.

use super::super::export::{Yaml, map};
use super::{Common, CreateError, Made, NewObject, text, usage};
use crate::text::{ExposeSecret, SecretString};

/// Flags of `create secret git`.
#[derive(Debug, Default)]
pub struct SecretFlags {
    /// `--url`
    pub url: Option<String>,
    /// `--username`
    pub username: Option<String>,
    /// `--password`, or from standard input.
    pub password: Option<SecretString>,
    /// `--bearer-token`
    pub bearer_token: Option<SecretString>,
    /// The text of the file of `--ca-crt-file`.
    pub ca_crt: Option<String>,
}

/// The `Secret` that the flags describe.
///
/// # Errors
/// What flux refuses; and ssh addresses, for which keys would have to be made.
pub fn secret_git(common: &Common, flags: &SecretFlags) -> Result<NewObject, CreateError> {
    common.id()?;
    let Some(url) = flags.url.as_deref().filter(|url| !url.is_empty()) else {
        return usage("url is required");
    };
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    match scheme {
        "http" | "https" => {}
        "ssh" => return usage("secrets for ssh are not supported yet; give an http or https URL"),
        _ => return usage(format!("git URL scheme '{scheme}' not supported, can be: ssh, http and https")),
    }
    let given = |secret: &Option<SecretString>| {
        secret.as_ref().map(|secret| secret.expose_secret().to_owned()).filter(|secret| !secret.is_empty())
    };
    let (username, password) = (text(flags.username.as_ref()), given(&flags.password));
    let bearer = given(&flags.bearer_token);
    if bearer.is_none() && (username.is_none() || password.is_none()) {
        return usage("for Git over HTTP/S the username and password, or a bearer token is required");
    }
    if bearer.is_some() && (username.is_some() || password.is_some()) {
        return usage("user credentials and bearer token cannot be used together");
    }
    let data = map([
        ("username", username),
        ("password", password.map(Yaml::Text)),
        ("bearerToken", bearer.map(Yaml::Text)),
        ("ca.crt", text(flags.ca_crt.as_ref())),
    ]);
    common.object(Made::Secret, ("stringData", data))
}
