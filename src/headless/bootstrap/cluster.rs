//! What a cluster lacks to follow the repository and to update images, each with the command that brings it. Nothing is
//! changed there.

use super::key::Key;
use super::place::At;
use super::{Job, SyncManifest};
use crate::config::SourceChoice;
use crate::domain::bootstrap::IMAGE_CONTROLLERS;
use crate::domain::object::{Kind, ObjectId};
use crate::problem::{Code, Problem};
use crate::source::cluster::Cluster;
use crate::source::cluster::apply::Target;
use crate::source::cluster::kinds::{Kinds, RESOURCES};

/// The controllers that follow a repository.
const CONTROLLERS: [&str; 2] = ["source-controller", "kustomize-controller"];

/// Something that is not there.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Lack {
    /// `crd/KIND`, `controller/NAME`, `secret/NS/NAME`, `gitrepository/NS/NAME`, `kustomization/NS/NAME`.
    pub(super) name: String,
    /// In what way.
    pub(super) message: String,
    /// What brings it.
    pub(super) command: String,
}

impl Job<'_> {
    /// The context that was asked and what its cluster lacks, in the order in which it is to be brought; `None`: there is none. A
    /// cluster that nobody named and that does not answer is a warning.
    ///
    /// # Errors
    /// The cluster that `--context` names does not answer.
    pub(super) fn lacks(
        &self,
        sync: &SyncManifest,
        key: Option<&Key>,
        problems: &mut Vec<Problem>,
    ) -> Result<(Option<String>, Vec<Lack>), Problem> {
        if self.settings.source == SourceChoice::Files {
            return Ok((None, Vec::new()));
        }
        let is_named = self.settings.context.is_some() || self.settings.source != SourceChoice::Auto;
        let asked = self.session.run(async {
            let Some(cluster) = self.session.engine.connect().await? else { return Ok(None) };
            let kinds = cluster.kinds().await?;
            let mut lacks = self.controllers(&cluster, &kinds, problems).await;
            lacks.extend(self.objects(&cluster, &kinds, (sync, key), problems).await);
            Ok(Some((cluster.context.clone(), lacks)))
        });
        match asked {
            Ok(Some((context, lacks))) => Ok((Some(context), lacks)),
            Ok(None) => Ok((None, Vec::new())),
            Err(problem) if is_named => Err(problem),
            Err(problem) => {
                problems.push(Problem { code: Code::Skipped, ..problem });
                Ok((None, Vec::new()))
            }
        }
    }

    async fn controllers(&self, cluster: &Cluster, kinds: &Kinds, problems: &mut Vec<Problem>) -> Vec<Lack> {
        let install = self.install().command();
        let lack = |name: String, message: &str| Lack {
            name,
            message: message.to_owned(),
            command: install.clone(),
        };
        let missing = RESOURCES.iter().filter(|resource| kinds.version(resource.kind).is_none());
        let mut lacks: Vec<Lack> = missing
            .map(|resource| {
                lack(format!("crd/{}", resource.kind), "is not served, or in no version that is read")
            })
            .collect();
        let found = match cluster.controllers().await {
            Ok(found) => found,
            Err(problem) => {
                problems.push(Problem { code: Code::Skipped, ..problem });
                return lacks;
            }
        };
        let extra = self.common.components_extra.iter().map(String::as_str);
        let mut wanted: Vec<&str> = CONTROLLERS.into_iter().chain(IMAGE_CONTROLLERS).chain(extra).collect();
        wanted.dedup();
        for name in wanted {
            let title = format!("controller/{name}");
            if !found.iter().any(|known| known.name == name) && !lacks.iter().any(|lack| lack.name == title) {
                lacks.push(lack(title, "is not installed"));
            }
        }
        lacks
    }

    /// The secret, the source and what applies it.
    async fn objects(
        &self,
        cluster: &Cluster,
        kinds: &Kinds,
        (sync, key): (&SyncManifest, Option<&Key>),
        problems: &mut Vec<Problem>,
    ) -> Vec<Lack> {
        let secret = self.secret();
        let source = match kinds.version(Kind::GitRepository) {
            Some(_) => cluster.target(Kind::GitRepository).await.ok(),
            None => None,
        };
        let rows = [
            ("secret", &secret, Some(Target::secret()), self.secret_command(sync, key)),
            ("gitrepository", &sync.id, source, self.source_command(sync)),
            ("kustomization", &sync.id, Some(Target::kustomization()), kustomization_command(sync)),
        ];
        let mut lacks = Vec::new();
        for (kind, id, target, command) in rows {
            let found = match &target {
                Some(target) => cluster.object(target, id).await,
                None => Ok(None),
            };
            match found {
                Ok(Some(_)) => {}
                Ok(None) => {
                    lacks.push(Lack {
                        name: format!("{kind}/{id}"),
                        message: "is not there".to_owned(),
                        command,
                    });
                }
                Err(problem) => problems.push(Problem { code: Code::Skipped, ..problem }),
            }
        }
        lacks
    }

    fn secret_command(&self, sync: &SyncManifest, key: Option<&Key>) -> String {
        if let Some(key) = key {
            return format!("kubectl apply -f {}", quoted(&key.file.display().to_string()));
        }
        let ObjectId { name, .. } = self.secret();
        let login = match &self.at {
            At::Forge { .. } => " --username=git --password-stdin".to_owned(),
            At::Url(args) if sync.url.starts_with("ssh://") => {
                let file = args.private_key_file.as_ref().map(|file| file.display().to_string());
                file.map(|file| format!(" --private-key-file={}", quoted(&file))).unwrap_or_default()
            }
            At::Url(args) => {
                format!(" --username={} --password-stdin", quoted(args.username.as_deref().unwrap_or("USER")))
            }
        };
        let url = quoted(&sync.url);
        format!("supercargo create secret git {name} --url={url}{login}{}", self.in_cluster())
    }

    fn source_command(&self, sync: &SyncManifest) -> String {
        let SyncManifest { id, url, branch, secret, interval, .. } = sync;
        let every = interval.map_or_else(|| "1m".to_owned(), |interval| interval.to_string());
        let (url, branch) = (quoted(url), quoted(branch));
        format!(
            "supercargo create source git {} --url={url} --branch={branch} --secret-ref={secret} --interval={every}{}",
            id.name,
            self.in_cluster()
        )
    }

    /// What makes a command of ours act on this cluster.
    fn in_cluster(&self) -> String {
        let namespace = &self.settings.default_namespace;
        let mut flags = if namespace == "flux-system" { String::new() } else { format!(" -n {namespace}") };
        if let Some(context) = &self.settings.context {
            flags.extend([" --context=", &quoted(context)]);
        }
        flags + " --source=cluster --write"
    }
}

fn kustomization_command(sync: &SyncManifest) -> String {
    let SyncManifest { id: ObjectId { namespace, name }, path, .. } = sync;
    let path = quoted(&format!("./{path}"));
    format!(
        "flux create kustomization {name} --source=GitRepository/{name} --path={path} --prune=true --interval=10m \
         --namespace={namespace}"
    )
}

/// A word as a shell takes it.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=,+%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_command_can_be_pasted_whatever_is_in_it() {
        assert_eq!(quoted("ssh://git@h:22/a/b.git"), "ssh://git@h:22/a/b.git");
        assert_eq!(quoted("my prod"), "'my prod'");
        assert_eq!(quoted("it's; $(x)"), r"'it'\''s; $(x)'");
    }
}
