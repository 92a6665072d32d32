//! Standard input has one reader: a command that was told to read two things from it is refused.

use clap::ArgMatches;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;

/// What reads standard input where its value is `-`.
const FILES: [&str; 4] = ["plan", "data", "tags_from", "message_file"];
/// The command that reads its requests there.
const READER: [&str; 2] = ["eval", "batch"];
/// What reads a password there.
const PASSWORDS: [&str; 3] = ["git_password_stdin", "registry_password_stdin", "password_stdin"];

/// That a command, by its `words`, and its options, which `last` has, read the same.
pub(super) fn shared(words: &[&str], last: &ArgMatches) -> Option<clap::Error> {
    let is_known = |id: &&str| last.try_contains_id(id).unwrap_or(false);
    let is_dash = |id: &&str| last.get_raw(id).is_some_and(|mut values| values.any(|value| value == "-"));
    let is_typed = |id: &&str| last.value_source(id) == Some(ValueSource::CommandLine);
    let option = |id: &str| format!("--{}", id.replace('_', "-"));
    let files = FILES.iter().copied().filter(is_known).filter(is_dash).map(|id| format!("{} -", option(id)));
    let passwords = PASSWORDS.iter().copied().filter(is_known).filter(is_typed).map(option);
    let itself = (words == READER).then(|| READER.join(" "));
    let readers: Vec<String> = itself.into_iter().chain(files).chain(passwords).collect();
    if readers.len() < 2 {
        return None;
    }
    let text = format!("{} cannot all read standard input\n", readers.join(" and "));
    let mut error = clap::Error::raw(ErrorKind::ArgumentConflict, text);
    let hint = "Give the file by its name, or the login in the environment: SUPERCARGO_GIT_PASSWORD, SUPERCARGO_REGISTRY_PASSWORD.";
    error.insert(ContextKind::Custom, ContextValue::String(hint.to_owned()));
    Some(error)
}
