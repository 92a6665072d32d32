//! Which key signs a commit: the operator's, as git is told, else the automation's.

use super::{Engine, Question, World};
use crate::domain::object::{ImageUpdateAutomation, ObjectId, Person};
use crate::domain::plan::{Committing, SigningKey, Warning};
use crate::git::{GitError, Signer};
use crate::problem::Problem;
use crate::source::secrets::SecretError;

impl Engine {
    /// The key that signs what `committer` commits: theirs, else the automation's `own`; `None`: nobody signs.
    ///
    /// # Errors
    /// A key that is named and cannot be used.
    pub(super) fn signer(
        &self,
        world: &World,
        own: Option<&SigningKey>,
        committer: &Person,
    ) -> Result<Option<Signer>, Problem> {
        if !self.settings.signs {
            return Ok(None);
        }
        if let Some(signer) = self.operators(world, committer).map_err(Problem::from)? {
            return Ok(Some(signer.with_unlocked(&self.unlocked)));
        }
        let Some(SigningKey { secret: id, kind }) = own else { return Ok(None) };
        let name = id.to_string();
        let missing = |error: SecretError| Signer::of_nowhere(&name, error.to_string());
        let secret = world.secret(id).map_err(missing).map_err(Problem::from)?;
        let timeout = self.settings.timeout.0;
        let signer = Signer::of_secret((&name, kind), |key| secret.data.get(key), timeout);
        signer.map(Some).map_err(Problem::from)
    }

    fn operators(&self, world: &World, committer: &Person) -> Result<Option<Signer>, GitError> {
        Signer::of_operator(&world.git_config, committer, self.settings.timeout.0)
    }

    /// How a person unlocks the operator's key on the terminal; `None`: it signs without, or nobody signs with it.
    pub(super) fn locked_key(&self, world: &World) -> Option<Question> {
        let committer = world.git_config.operator().unwrap_or_default();
        let signer = self.settings.signs.then(|| self.operators(world, &committer));
        let signer = signer?.ok().flatten()?.with_unlocked(&self.unlocked);
        let command = signer.unlocking()?;
        let asks = format!("{}, which signs commits", signer.label());
        Some(Question { refused: format!("{} is still locked", signer.label()), asks, command, login: None })
    }

    /// Who makes the commits of an automation, and who signs them, without a look at any key.
    pub(super) fn committing(&self, world: &World, automation: &ImageUpdateAutomation) -> Committing {
        let own = signing_key(automation).filter(|_| self.settings.signs);
        let key = own.filter(|key| world.secret(&key.secret).is_ok());
        let of_automation = || key.as_ref().map(|key| Signer::name_of_secret(&key.secret.to_string()));
        let signer = || Signer::name_of_operator(&world.git_config).or_else(of_automation);
        Committing {
            committer: world.git_config.operator(),
            signer: if self.settings.signs { signer() } else { None },
            key,
            trailers: self.settings.trailers.clone(),
        }
    }

    /// What keeps an automation's own key from signing, where nothing else does.
    pub(super) fn unsigned(&self, world: &World, automation: &ImageUpdateAutomation) -> Option<Warning> {
        let key = signing_key(automation).filter(|_| self.settings.signs)?;
        let error = world.secret(&key.secret).err()?;
        let by_operator = self.operators(world, &Person::default());
        let is_unsigned = matches!(by_operator, Ok(None));
        let text = format!("the commit is not signed with the key of {}: {error}", automation.meta.id);
        is_unsigned.then(|| Warning::new(error.code(), text))
    }
}

fn signing_key(automation: &ImageUpdateAutomation) -> Option<SigningKey> {
    let (name, kind) = automation.git.as_ref()?.signing_key.as_ref()?;
    Some(SigningKey { secret: ObjectId::new(&automation.meta.id.namespace, name), kind: kind.clone() })
}
