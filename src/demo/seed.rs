//! What the demo starts with: the files of its repository and the tags of its registry, from `assets/demo`.

use std::collections::BTreeMap;

use crate::domain::duration::GoDuration;
use crate::problem::{Code, Problem};

/// The values that are put into the files.
pub(super) struct Values {
    /// For `@REGISTRY@`: host and port.
    pub(super) registry: String,
    /// For `@REMOTE@`: the remote's address.
    pub(super) remote: String,
    /// For `@INTERVAL@`: how often to scan.
    pub(super) interval: GoDuration,
}

macro_rules! embedded {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../assets/demo/", $path)))),*]
    };
}

/// Path and content of every file of the repository.
const FILES: &[(&str, &str)] = embedded![
    "README.md",
    "apps/checkout/deploy.yaml",
    "apps/data/mysql.yaml",
    "apps/data/redis.yaml",
    "apps/edge/draft.yaml",
    "apps/edge/nginx.yaml",
    "apps/podinfo/deploy.yaml",
    "apps/podinfo/release.yaml",
    "apps/reports/cronjob.yaml",
    "clusters/staging/automations.yaml",
    "clusters/staging/policies.yaml",
    "clusters/staging/registries.yaml",
    "clusters/staging/source.yaml",
    "deploy/vote/production/kustomization.yaml",
    "deploy/vote/staging/deployment.yaml",
    "deploy/vote/staging/kustomization.yaml",
];

const TAGS: &str = include_str!("../../assets/demo/tags.toml");

/// The files of the repository, by path.
pub(super) fn files(values: &Values) -> Vec<(String, Vec<u8>)> {
    let interval = values.interval.to_string();
    let fill = |text: &str| {
        text.replace("@REGISTRY@", &values.registry)
            .replace("@REMOTE@", &values.remote)
            .replace("@INTERVAL@", &interval)
    };
    FILES.iter().map(|(path, text)| ((*path).to_owned(), fill(text).into_bytes())).collect()
}

/// The tags of each repository of the registry.
///
/// # Errors
/// Only if the embedded list does not parse, which is a bug of ours.
pub(super) fn tags() -> Result<BTreeMap<String, Vec<String>>, Problem> {
    toml::from_str(TAGS).map_err(|error| {
        Problem::new(Code::Internal, "assets/demo/tags.toml", "does not parse").caused_by(&error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_complete_and_the_tags_parse() {
        let values = Values {
            registry: "127.0.0.1:5000".to_owned(),
            remote: "file:///fleet.git".to_owned(),
            interval: "5s".parse().unwrap(),
        };
        for (path, content) in files(&values) {
            assert!(
                !String::from_utf8(content).unwrap().contains('@') || path.ends_with("automations.yaml"),
                "{path}"
            );
        }
        assert!(tags().unwrap().contains_key("team/vote"));
    }
}
