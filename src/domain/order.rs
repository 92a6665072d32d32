//! What a person can have the controllers of a cluster do with an object.

use std::collections::BTreeMap;

use super::object::{Kind, ObjectId};

/// The objects that no order may be given for, by kind and namespace, with the reason: verb and resource.
pub type Denied = BTreeMap<(Kind, String), String>;

/// An order to a controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Leave the object alone.
    Suspend,
    /// Take it up again.
    Resume,
    /// Look at it at once.
    Reconcile,
}

impl Order {
    /// The command: `suspend`, `resume`, `reconcile`.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Reconcile => "reconcile",
        }
    }

    /// The same at the beginning of a sentence.
    pub fn title(self) -> &'static str {
        match self {
            Self::Suspend => "Suspend",
            Self::Resume => "Resume",
            Self::Reconcile => "Reconcile",
        }
    }

    /// What is said of an object to which it was given.
    pub fn done(self) -> &'static str {
        match self {
            Self::Suspend => "suspended",
            Self::Resume => "resumed",
            Self::Reconcile => "reconciliation requested",
        }
    }

    /// The line of `flux` that gives it; `place` says in which cluster, which is not always the shell's.
    pub fn flux(self, kind: Kind, id: &ObjectId, place: &Place) -> String {
        let line = format!("flux {} image {} {} -n {}", self.verb(), word(kind), id.name, id.namespace);
        let of = |flag: &str, value: &Option<String>| {
            value.as_ref().map_or_else(String::new, |value| format!(" --{flag} {}", in_shell(value)))
        };
        line + &of("context", &place.context) + &of("kubeconfig", &place.kubeconfig)
    }
}

/// Which cluster a line of `flux` is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The kube context; `None` in a pod, which has none.
    pub context: Option<String>,
    /// The file that it stands in, where a shell would look elsewhere.
    pub kubeconfig: Option<String>,
}

/// A word as a shell takes it.
fn in_shell(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+,=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A kind as `image …` has it on a command line.
pub fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::ImageRepository => "repository",
        Kind::ImagePolicy => "policy",
        Kind::ImageUpdateAutomation | Kind::GitRepository => "update",
    }
}

/// A kind as flux calls it in its progress lines.
pub fn human(kind: Kind) -> &'static str {
    match kind {
        Kind::ImageRepository => "image repository",
        Kind::ImagePolicy => "image policy",
        Kind::ImageUpdateAutomation => "image update automation",
        Kind::GitRepository => "source git",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_flux_is_for_the_cluster_that_is_shown() {
        let id = ObjectId::new("shop", "web");
        let line = |context: Option<&str>, kubeconfig: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            let place = Place { context: owned(context), kubeconfig: owned(kubeconfig) };
            Order::Suspend.flux(Kind::ImagePolicy, &id, &place)
        };
        let plain = "flux suspend image policy web -n shop";
        assert_eq!(line(None, None), plain);
        let arn = "arn:aws:eks:eu-west-1:1:cluster/x";
        assert_eq!(line(Some(arn), None), format!("{plain} --context {arn}"));
        assert_eq!(
            line(Some("it's; rm"), Some("/home/me/my config")),
            format!("{plain} --context 'it'\\''s; rm' --kubeconfig '/home/me/my config'")
        );
    }
}
