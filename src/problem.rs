//! The one shape in which an error reaches a person or a script, and the exit code that goes with it.
//!
//! Each module has errors of its own; at the top they become a [`Problem`]. Which exit a [`Code`] leads to is a table
//! here and nowhere else.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What went wrong, in a word that scripts may rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// A bug of ours.
    Internal,
    /// The command line makes no sense.
    Usage,
    /// The configuration makes no sense.
    Config,
    /// A name that nothing has.
    NotFound,
    /// A name, or an object, that stands for several things.
    Ambiguous,
    /// A server that could not be reached.
    Unreachable,
    /// A server that did not answer in time.
    Timeout,
    /// HTTP 429.
    RateLimited,
    /// An answer that makes no sense.
    BadAnswer,
    /// A repository that the registry does not know.
    RegistryNotFound,
    /// A Git repository or branch that is not there.
    GitNotFound,
    /// A certificate that nobody we trust has signed, or for another name or date.
    TlsUntrusted,
    /// An ssh host key that is unknown or has changed.
    GitHostKey,
    /// HTTP 401 of a registry.
    RegistryUnauthorized,
    /// HTTP 403 of a registry.
    RegistryForbidden,
    /// A Git server asks for a login and there is none to give.
    GitAuthRequired,
    /// A Git server lets nobody in without a client certificate, whatever the login.
    GitCertificateWanted,
    /// A Git server refused the credential.
    GitAuthDenied,
    /// A Git server refused the update: hook, protected branch.
    GitRejected,
    /// The API server refused.
    ClusterForbidden,
    /// The API server does not accept the login: it may have expired.
    ClusterUnauthorized,
    /// A forge refused.
    ForgeDenied,
    /// The plan no longer fits what it was made from.
    StalePlan,
    /// A branch that the plan stands on, or goes to, is elsewhere by now; nothing was sent to it.
    BranchMoved,
    /// A branch moved between our look at it and our push, which was not taken.
    GitRace,
    /// Others are at the branch too: one who still pushes, one who took back what we sent, one whose commits ours lack.
    GitContested,
    /// A merge with conflicts.
    MergeConflict,
    /// A policy that cannot be built.
    PolicyInvalid,
    /// A policy that ends in an error.
    PolicyFailed,
    /// A message template that does not parse or fails.
    TemplateFailed,
    /// A file that does not parse.
    YamlInvalid,
    /// An image reference that is none.
    ImageInvalid,
    /// The mode does not allow it.
    ModeRefused,
    /// A confirmation is missing or names something else.
    ConfirmationMissing,
    /// An existing file or folder of ours could not be read or written.
    Storage,
    /// The two namespaces or objects may not meet.
    AccessDenied,
    /// A held update.
    Held,
    /// A site that has no value to be given.
    NoValue,
    /// What an object names to log in to a registry with is missing or broken.
    Authentication,
    /// An automation's path leads to nothing.
    UpdatePath,
    /// A warning about something that was passed over.
    Skipped,
    /// A warning: the configuration has a name that nothing reads.
    UnknownKey,
    /// A warning about what we keep on disk: it is damaged, or lives in memory only.
    State,
    /// A warning: a secret that is named is nowhere to be read.
    SecretNotFound,
    /// A warning: a secret that is named is encrypted.
    SecretEncrypted,
}

/// The word of a code and the exit it leads to; the order of [`Code`]'s variants.
const CODES: &[(Code, &str, u8)] = &[
    (Code::Internal, "internal", 9),
    (Code::Usage, "usage", 2),
    (Code::Config, "config", 2),
    (Code::NotFound, "not_found", 2),
    (Code::Ambiguous, "ambiguous", 2),
    (Code::Unreachable, "unreachable", 3),
    (Code::Timeout, "timeout", 3),
    (Code::RateLimited, "rate_limited", 3),
    (Code::BadAnswer, "bad_answer", 3),
    (Code::RegistryNotFound, "registry_not_found", 3),
    (Code::GitNotFound, "git_not_found", 3),
    (Code::TlsUntrusted, "tls_untrusted", 3),
    (Code::GitHostKey, "git_host_key", 3),
    (Code::RegistryUnauthorized, "registry_unauthorized", 4),
    (Code::RegistryForbidden, "registry_forbidden", 4),
    (Code::GitAuthRequired, "git_auth_required", 4),
    // To scripts these are the same: there is nothing to log in with, the plan is stale, the remote is not left to us.
    (Code::GitCertificateWanted, "git_auth_required", 4),
    (Code::GitAuthDenied, "git_auth_denied", 4),
    (Code::GitRejected, "git_rejected", 4),
    (Code::ClusterForbidden, "cluster_forbidden", 4),
    // To scripts it is the same: denied.
    (Code::ClusterUnauthorized, "cluster_forbidden", 4),
    (Code::ForgeDenied, "forge_denied", 4),
    (Code::StalePlan, "stale_plan", 5),
    (Code::BranchMoved, "stale_plan", 5),
    (Code::GitRace, "git_race", 5),
    (Code::GitContested, "git_race", 5),
    (Code::MergeConflict, "merge_conflict", 5),
    (Code::PolicyInvalid, "policy_invalid", 6),
    (Code::PolicyFailed, "policy_failed", 6),
    (Code::TemplateFailed, "template_failed", 6),
    (Code::YamlInvalid, "yaml_invalid", 6),
    (Code::ImageInvalid, "image_invalid", 6),
    (Code::ModeRefused, "mode_refused", 7),
    (Code::ConfirmationMissing, "confirmation_missing", 7),
    // Scripts know the words of the published table alone; what we tell apart beyond that is ours.
    (Code::Storage, "unreachable", 3),
    (Code::AccessDenied, "policy_failed", 6),
    (Code::Held, "policy_failed", 6),
    (Code::NoValue, "policy_failed", 6),
    (Code::Authentication, "config", 2),
    (Code::UpdatePath, "config", 2),
    (Code::Skipped, "skipped", 0),
    (Code::UnknownKey, "unknown_key", 0),
    (Code::State, "state", 0),
    (Code::SecretNotFound, "secret_not_found", 0),
    (Code::SecretEncrypted, "secret_encrypted", 0),
];

impl Code {
    fn row(self) -> &'static (Self, &'static str, u8) {
        // The table follows the order of the variants; a test holds it to that.
        &CODES[self as usize]
    }

    /// The word scripts see, such as `registry_unauthorized`.
    pub fn word(self) -> &'static str {
        self.row().1
    }

    /// The exit status of a command that ends with this problem.
    pub fn exit(self) -> u8 {
        self.row().2
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let row = CODES.iter().find(|(_, known, _)| *known == word);
        row.map(|(code, ..)| *code)
            .ok_or_else(|| serde::de::Error::custom(format!("unknown problem code {word:?}")))
    }
}

/// Exits in the order in which they win when several apply.
const PRECEDENCE: &[u8] = &[9, 2, 7, 5, 4, 3, 6, 8, 1, 0];

/// The exit of a command in which several things went wrong: the first of 9, 2, 7, 5, 4, 3, 6, 8, 1 that occurs.
pub fn strongest_exit(exits: impl IntoIterator<Item = u8>) -> u8 {
    let rank = |exit: &u8| PRECEDENCE.iter().position(|known| known == exit).unwrap_or(0);
    exits.into_iter().min_by_key(rank).unwrap_or(0)
}

/// An error as a person or a script gets to see it.
///
/// No text in it ever holds a secret; whoever builds one removes user info from addresses first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Problem {
    /// What kind of problem it is.
    pub code: Code,
    /// The thing it is about, such as `edge/legacy` or a file's name.
    pub subject: String,
    /// One sentence: what happened.
    pub message: String,
    /// Why, from the outermost cause to the innermost.
    pub causes: Vec<String>,
    /// The next step, one sentence we believe; `None` if we know no better.
    pub hint: Option<String>,
    /// What a controller says of the same, where it has other words; for the status of objects, and not printed here.
    #[serde(skip)]
    pub in_flux: Option<Box<str>>,
    /// After how many seconds the server said to ask again; people read it in the hint.
    #[serde(skip)]
    pub retry_after: Option<NonZeroU32>,
}

impl Problem {
    /// A problem without causes and hint.
    pub fn new(code: Code, subject: impl Into<String>, message: impl Into<String>) -> Self {
        let (subject, message) = (subject.into(), message.into());
        Self { code, subject, message, causes: Vec::new(), hint: None, in_flux: None, retry_after: None }
    }

    /// The same problem with a next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same problem with one more cause, further in than those it has.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// The same problem with the messages of `error` and of all its sources as causes.
    #[must_use]
    pub fn caused_by(mut self, error: &dyn std::error::Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            self.causes.push(error.to_string());
            next = error.source();
        }
        self
    }

    /// The same problem with what a controller says of it.
    #[must_use]
    pub fn in_flux(mut self, text: impl Into<Box<str>>) -> Self {
        self.in_flux = Some(text.into());
        self
    }

    /// Whether `other` says the same once more, how long to wait left aside, which changes from one time to the next.
    pub fn is_repeated_by(&self, other: &Self) -> bool {
        let timeless = |problem: &Self| {
            let hint = problem.hint.clone().filter(|_| problem.retry_after.is_none());
            Self { hint, retry_after: None, ..problem.clone() }
        };
        timeless(self) == timeless(other)
    }

    /// The exit status it leads to.
    pub fn exit(&self) -> u8 {
        self.code.exit()
    }
}

impl fmt::Display for Problem {
    /// `SUBJECT: MESSAGE`, without causes and hint; the message alone where it names what is not there, as flux's do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.subject.rsplit('/').next().unwrap_or_default();
        let is_named = self.code == Code::NotFound && self.message.split(' ').any(|word| word == name);
        if self.subject.is_empty() || is_named {
            return f.write_str(&self.message);
        }
        write!(f, "{}: {}", self.subject, self.message)
    }
}

impl std::error::Error for Problem {}

impl Serialize for Problem {
    /// The JSON of every `problems[]` and `error`: `kind, code, subject, message, causes, hint, exit`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut object = serializer.serialize_struct("Problem", 7)?;
        object.serialize_field("kind", "Problem")?;
        object.serialize_field("code", &self.code)?;
        object.serialize_field("subject", &self.subject)?;
        object.serialize_field("message", &self.message)?;
        object.serialize_field("causes", &self.causes)?;
        object.serialize_field("hint", &self.hint)?;
        object.serialize_field("exit", &self.exit())?;
        object.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_codes_follows_the_variants() {
        for (index, (code, ..)) in CODES.iter().enumerate() {
            assert_eq!(*code as usize, index, "{code} is out of place");
        }
    }

    #[test]
    fn what_ends_a_command_has_a_word_of_the_published_table() {
        const PUBLISHED: &str = "usage config not_found ambiguous unreachable timeout rate_limited bad_answer \
            registry_not_found git_not_found tls_untrusted git_host_key registry_unauthorized registry_forbidden \
            git_auth_required git_auth_denied git_rejected cluster_forbidden forge_denied stale_plan git_race \
            merge_conflict policy_invalid policy_failed template_failed yaml_invalid image_invalid mode_refused \
            confirmation_missing internal";
        for (code, word, exit) in CODES {
            assert!(
                *exit == 0 || PUBLISHED.split_whitespace().any(|known| known == *word),
                "{code:?}: {word}"
            );
        }
    }

    #[test]
    fn a_problem_is_repeated_whatever_there_is_left_to_wait() {
        let limited = |seconds: u32| Problem {
            retry_after: NonZeroU32::new(seconds),
            ..Problem::new(Code::RateLimited, "web", "429").hint(format!("Wait {seconds} s."))
        };
        assert!(limited(60).is_repeated_by(&limited(55)));
        assert!(!limited(60).is_repeated_by(&limited(0)), "without a wish the hint counts");
        assert!(!limited(60).is_repeated_by(&Problem { subject: "api".into(), ..limited(60) }));
    }

    #[test]
    fn the_strongest_exit_wins() {
        assert_eq!(strongest_exit([8, 4, 3]), 4);
        assert_eq!(strongest_exit([1, 2]), 2);
        assert_eq!(strongest_exit([]), 0);
    }
}
