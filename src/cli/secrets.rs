//! `create secret`: the flags of flux's, and the password from standard input.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::objects::CreateCommon;

/// The kinds of keys that ssh knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum KeyAlgorithm {
    /// RSA.
    Rsa,
    /// ECDSA.
    #[default]
    Ecdsa,
    /// Ed25519.
    Ed25519,
}

/// The curves of ECDSA keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    #[default]
    P384,
    /// NIST P-521.
    P521,
}

/// The size of an RSA key, as flux takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bits(pub u32);

impl FromStr for Bits {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bits = text.parse::<u32>().map_err(|error| error.to_string())?;
        match bits {
            ..1024 => Err("must be at least 1024".to_owned()),
            _ if !bits.is_multiple_of(8) => Err("must be a multiple of 8".to_owned()),
            16_385.. => Err("must be at most 16384".to_owned()),
            _ => Ok(Self(bits)),
        }
    }
}

/// `create secret git`.
#[derive(Args)]
pub struct CreateSecretGitArgs {
    /// What every `create` takes.
    #[command(flatten)]
    pub common: CreateCommon,
    /// The remote's address.
    #[arg(long)]
    pub url: Option<String>,
    /// The user name.
    #[arg(short, long)]
    pub username: Option<String>,
    /// The password, token or passphrase; better is --password-stdin.
    #[arg(short, long, conflicts_with = "password_stdin")]
    pub password: Option<String>,
    /// Read the password from standard input.
    #[arg(long, conflicts_with_all = ["git_password_stdin", "registry_password_stdin"])]
    pub password_stdin: bool,
    /// A bearer token instead of user name and password.
    #[arg(long, value_name = "TOKEN")]
    pub bearer_token: Option<String>,
    /// The file of a CA to trust.
    #[arg(long, value_name = "FILE")]
    pub ca_crt_file: Option<PathBuf>,
    /// The private key for ssh; without it, one is made.
    #[arg(long, value_name = "FILE")]
    pub private_key_file: Option<PathBuf>,
    /// What kind of key is made.
    #[arg(long, hide_short_help = true, value_enum, default_value_t, value_name = "ALGORITHM")]
    pub ssh_key_algorithm: KeyAlgorithm,
    /// The curve of an ECDSA key.
    #[arg(long, hide_short_help = true, value_enum, default_value_t, value_name = "CURVE")]
    pub ssh_ecdsa_curve: Curve,
    /// The size of an RSA key, a multiple of 8 and 1024 at least.
    #[arg(long, hide_short_help = true, default_value = "2048", value_name = "BITS")]
    pub ssh_rsa_bits: Bits,
}

/// `create secret oci`.
#[derive(Args)]
pub struct CreateSecretOciArgs {
    /// What every `create` takes.
    #[command(flatten)]
    pub common: CreateCommon,
    /// The registry, or a repository of it.
    #[arg(long)]
    pub url: Option<String>,
    /// The user name and the password.
    #[command(flatten)]
    pub login: LoginArgs,
}

/// `create secret tls`.
#[derive(Debug, Args)]
pub struct CreateSecretTlsArgs {
    /// What every `create` takes.
    #[command(flatten)]
    pub common: CreateCommon,
    /// The file of the client's certificate.
    #[arg(long, value_name = "FILE")]
    pub tls_crt_file: Option<PathBuf>,
    /// The file of its key.
    #[arg(long, value_name = "FILE")]
    pub tls_key_file: Option<PathBuf>,
    /// The file of a CA to trust.
    #[arg(long, value_name = "FILE")]
    pub ca_crt_file: Option<PathBuf>,
}

/// `create secret proxy`.
#[derive(Args)]
pub struct CreateSecretProxyArgs {
    /// What every `create` takes.
    #[command(flatten)]
    pub common: CreateCommon,
    /// The proxy's address.
    #[arg(long, value_name = "URL")]
    pub address: Option<String>,
    /// The user name and the password.
    #[command(flatten)]
    pub login: LoginArgs,
}

/// `create secret githubapp`.
#[derive(Debug, Args)]
pub struct CreateSecretAppArgs {
    /// What every `create` takes.
    #[command(flatten)]
    pub common: CreateCommon,
    /// The app's id.
    #[arg(long, value_name = "ID")]
    pub app_id: Option<String>,
    /// The user or organization it is installed for.
    #[arg(long, value_name = "OWNER")]
    pub app_installation_owner: Option<String>,
    /// The id of its installation.
    #[arg(long, value_name = "ID")]
    pub app_installation_id: Option<String>,
    /// The file of its private key.
    #[arg(long, value_name = "FILE")]
    pub app_private_key: Option<PathBuf>,
    /// GitHub's API, where it is not github.com's.
    #[arg(long, value_name = "URL")]
    pub app_base_url: Option<String>,
}

/// A login with a password.
#[derive(Args)]
pub struct LoginArgs {
    /// The user name.
    #[arg(short, long)]
    pub username: Option<String>,
    /// The password or token; better is --password-stdin.
    #[arg(short, long, conflicts_with = "password_stdin")]
    pub password: Option<String>,
    /// Read the password from standard input.
    #[arg(long, conflicts_with_all = ["git_password_stdin", "registry_password_stdin"])]
    pub password_stdin: bool,
}

/// Shows the name; never the secret.
macro_rules! without_secrets {
    ($($of:ident),*) => {$(
        impl std::fmt::Debug for $of {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($of)).field("common", &self.common).finish_non_exhaustive()
            }
        }
    )*};
}
without_secrets!(CreateSecretGitArgs, CreateSecretOciArgs, CreateSecretProxyArgs);
