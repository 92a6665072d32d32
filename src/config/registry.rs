//! `[registries."HOST"]`: where a registry is asked, and whom to trust there.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer};
use url::Url;

/// `[registries."HOST"]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RegistryConfig {
    /// Ask here instead: scheme, host and port.
    #[serde(deserialize_with = "endpoint")]
    pub endpoint: Option<String>,
    /// Trust this CA for it.
    pub ca: Option<PathBuf>,
}

/// Reads an `endpoint`, so that what is wrong with it has a line and a column.
fn endpoint<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    check(&text).map_err(serde::de::Error::custom)?;
    Ok(Some(text))
}

/// It is not repeated: it may hold a password.
fn check(text: &str) -> Result<(), String> {
    let url = Url::parse(text).map_err(|error| format!("no address: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("an endpoint begins with https:// or http://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an endpoint holds no login; no credential is ever kept in this file".to_owned());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(
            "an endpoint is scheme, host and port: a registry's API is at the root, at /v2/".to_owned()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::file::parse_file;

    #[test]
    fn an_endpoint_is_a_place_and_nothing_is_dropped_of_it() {
        let parse = |endpoint: &str| {
            let text =
                format!("mode = \"dry-run\"\n[registries.\"r.example.com\"]\nendpoint = \"{endpoint}\"\n");
            parse_file("c.toml", &text, &mut Vec::new()).map(drop)
        };
        assert!(parse("http://127.0.0.1:5000").is_ok() && parse("https://mirror.example.com/").is_ok());
        for (endpoint, says) in [
            ("http://127.0.0.1:5000/mirror", "at the root"),
            ("http://127.0.0.1:5000/?a=b", "at the root"),
            ("ftp://mirror.example.com", "begins with"),
            ("mirror.example.com", "no address"),
            ("https://rita:hunter2@mirror.example.com", "no login"),
        ] {
            let problem = parse(endpoint).unwrap_err();
            assert_eq!(problem.subject, "c.toml:3:12", "{endpoint}");
            let said = problem.to_string();
            assert!(said.contains(says) && !said.contains("hunter2"), "{endpoint}: {said}");
        }
    }
}
