//! What may stand where the last of some words does: the command line's own tree, asked by a shell.

use clap::builder::ValueHint;
use clap::{Arg, ArgAction, Command, CommandFactory};

use super::{Cli, heeded};

/// Names that are not the command line's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Of `ImageRepository` objects.
    Repositories,
    /// Of `ImagePolicy` objects.
    Policies,
    /// Of `ImageUpdateAutomation` objects.
    Automations,
    /// Of kube contexts.
    Contexts,
    /// Of namespaces.
    Namespaces,
    /// Of themes.
    Themes,
}

/// What could stand there.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Words of the command line's own, each with what it means; may be empty.
    pub words: Vec<(String, String)>,
    /// Names that somebody else knows.
    pub names: Option<Names>,
    /// What stands before each in the same word, such as `--theme=`.
    pub before: String,
    /// The last word, without that.
    pub begun: String,
    /// Whether files are meant, too.
    pub files: bool,
}

/// Positional arguments that are names, by the last words of their command; the first that fits counts.
const POSITIONAL: &[(&str, Names)] = &[
    ("image repository", Names::Repositories),
    ("image policy", Names::Policies),
    ("image update", Names::Automations),
    ("get repositories", Names::Repositories),
    ("get policies", Names::Policies),
    ("get automations", Names::Automations),
    ("get updates", Names::Policies),
    ("get tags", Names::Repositories),
    ("explain tag", Names::Repositories),
    ("why", Names::Repositories),
    ("scan repository", Names::Repositories),
    ("diff updates", Names::Policies),
    ("eval policy", Names::Policies),
    ("supercargo plan", Names::Policies),
    ("supercargo hold", Names::Policies),
    ("supercargo unhold", Names::Policies),
    ("supercargo rollback", Names::Policies),
    ("theme show", Names::Themes),
    ("theme check", Names::Themes),
];

/// Options that take a name.
const OPTIONS: &[(&str, Names)] = &[
    ("context", Names::Contexts),
    ("namespace", Names::Namespaces),
    ("theme", Names::Themes),
    ("policy", Names::Policies),
    ("skip", Names::Policies),
    ("image-ref", Names::Repositories),
];

/// What could stand in the place of the last of `words`, which follow the program's own name. Some shells take a word apart
/// at `=`; it may stand alone.
pub fn asked(words: &[&str]) -> Asked {
    let mut root = Cli::command();
    root.build();
    let (last, before) = words.split_last().map_or(("", &[][..]), |(last, before)| (*last, before));
    let mut walk = Walk { command: &root, path: "supercargo".to_owned(), at: 0, value: None, ended: false };
    for word in before {
        walk.step(word);
    }
    match walk.value {
        // `--theme` `=` and nothing behind it yet.
        Some(option) if last == "=" => value(&walk, option, "", ""),
        Some(option) => value(&walk, option, "", last),
        None => walk.place(last),
    }
}

/// How far the words lead.
struct Walk<'a> {
    command: &'a Command,
    path: String,
    /// How many positional arguments stand there.
    at: usize,
    /// The option whose value comes next.
    value: Option<&'a Arg>,
    /// Whether nothing is an option any more.
    ended: bool,
}

impl<'a> Walk<'a> {
    fn step(&mut self, word: &str) {
        if self.value.is_some() && word == "=" {
            return;
        }
        if self.value.take().is_some() {
            return;
        }
        match word {
            _ if self.ended => self.at += 1,
            "--" => self.ended = true,
            _ if word.starts_with("--") => {
                let named = if word.contains('=') { None } else { self.long(word) };
                self.value = named.filter(|option| takes_value(option));
            }
            _ if word.starts_with('-') && word.len() > 1 => self.value = self.short(word),
            _ => match self.command.find_subcommand(word).filter(|_| self.at == 0) {
                Some(below) => {
                    self.command = below;
                    self.path = format!("{} {}", self.path, below.get_name());
                }
                None => self.at += 1,
            },
        }
    }

    fn long(&self, word: &str) -> Option<&'a Arg> {
        let name = word.trim_start_matches('-');
        self.command.get_arguments().find(|argument| argument.get_long() == Some(name))
    }

    /// The option at the end of `-An`, if its value is the next word.
    fn short(&self, word: &str) -> Option<&'a Arg> {
        let mut letters = word.chars().skip(1);
        while let Some(letter) = letters.next() {
            let option =
                self.command.get_arguments().find(|argument| argument.get_short() == Some(letter))?;
            if takes_value(option) {
                return letters.next().is_none().then_some(option);
            }
        }
        None
    }

    /// What could stand where no option's value does.
    fn place(&self, last: &str) -> Asked {
        if let Some((name, begun)) = last.split_once('=').filter(|_| last.starts_with("--") && !self.ended) {
            let option = self.long(name).filter(|option| takes_value(option));
            return option.map(|option| value(self, option, &format!("{name}="), begun)).unwrap_or_default();
        }
        if last.starts_with('-') && !self.ended {
            let shown = self.command.get_arguments().filter(|argument| {
                !argument.is_hide_set() && heeded::is_heeded(argument.get_id().as_str(), &self.path)
            });
            let long = |argument: &Arg| {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                argument.get_long().map(|long| (format!("--{long}"), help))
            };
            return Asked {
                words: shown.filter_map(long).collect(),
                begun: last.to_owned(),
                ..Asked::default()
            };
        }
        let below = self
            .command
            .get_subcommands()
            .filter(|below| self.at == 0 && !self.ended && !below.is_hide_set());
        let about = |below: &Command| below.get_about().map(ToString::to_string).unwrap_or_default();
        let mut words: Vec<_> = below.map(|below| (below.get_name().to_owned(), about(below))).collect();
        let positionals: Vec<&Arg> = self.command.get_positionals().collect();
        let many = positionals.last().filter(|last| matches!(last.get_action(), ArgAction::Append));
        let here = positionals.get(self.at).or(many);
        words.extend(here.into_iter().flat_map(|argument| possible(argument)));
        // Of `explain tag REPO TAG` only the first is an object.
        let is_object = self.at == 0 || many.is_some();
        let names = POSITIONAL.iter().find(|(path, _)| is_object && self.path.ends_with(path));
        Asked {
            names: here.and(names).map(|(_, names)| *names),
            files: here.is_some_and(|argument| is_file(argument)) && words.is_empty(),
            words,
            before: String::new(),
            begun: last.to_owned(),
        }
    }
}

fn value(walk: &Walk<'_>, option: &Arg, before: &str, begun: &str) -> Asked {
    let is_meant = |(long, _): &&(&str, Names)| option.get_long() == Some(*long);
    // `set --policy` takes more than a name.
    let names =
        OPTIONS.iter().find(is_meant).filter(|_| walk.command.get_name() != "set").map(|(_, names)| *names);
    let words: Vec<_> = possible(option).collect();
    let files = words.is_empty() && names.is_none() && is_file(option);
    Asked { words, names, before: before.to_owned(), begun: begun.to_owned(), files }
}

fn possible(argument: &Arg) -> impl Iterator<Item = (String, String)> {
    let values = argument.get_possible_values().into_iter().filter(|value| !value.is_hide_set());
    values.map(|value| {
        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
        (value.get_name().to_owned(), help)
    })
}

fn takes_value(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::Set | ArgAction::Append)
}

/// Whether a file or a folder may be meant.
fn is_file(argument: &Arg) -> bool {
    let names = argument.get_value_names().unwrap_or_default();
    argument.get_value_hint() == ValueHint::AnyPath
        || names.iter().any(|name| name.contains("PATH") || name.contains("FILE") || name.contains("PLAN"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(typed: &[&str]) -> Vec<String> {
        asked(typed).words.into_iter().map(|(word, _)| word).collect()
    }

    #[test]
    fn commands_options_and_their_values_are_offered_where_they_may_stand() {
        assert!(words(&[""]).contains(&"get".to_owned()) && !words(&[""]).contains(&"why".to_owned()));
        assert!(words(&["get", ""]).contains(&"policies".to_owned()));
        assert!(words(&["get", "policies", "-"]).contains(&"--watch".to_owned()));
        assert!(words(&["get", "-o", ""]).contains(&"json".to_owned()));
        assert!(words(&["get", "--output="]).contains(&"json".to_owned()));
        assert!(words(&["get", "--output", "=", "j"]).contains(&"json".to_owned()), "as bash takes it apart");
        assert!(words(&["completion", ""]).contains(&"bash".to_owned()));
        assert_eq!(words(&["get", "--", "-"]), Vec::<String>::new());
        let asked = asked(&["get", "--output=js"]);
        assert_eq!((asked.before.as_str(), asked.begun.as_str()), ("--output=", "js"));
    }

    #[test]
    fn names_of_objects_are_asked_for_where_one_is_meant() {
        use Names::{Automations, Contexts, Namespaces, Policies, Repositories, Themes};
        for (typed, names) in [
            (&["get", "policies", "po"][..], Policies),
            (&["get", "-A", "repositories", ""], Repositories),
            (&["get", "image", "update", ""], Automations),
            (&["suspend", "image", "policy", "one", ""], Policies),
            (&["explain", "tag", ""], Repositories),
            (&["plan", "one", ""], Policies),
            (&["plan", "--skip", ""], Policies),
            (&["--context", ""], Contexts),
            (&["get", "-n", ""], Namespaces),
            (&["get", "updates", "-An", ""], Namespaces),
            (&["theme", "show", ""], Themes),
            (&["--theme="], Themes),
            (&["--theme", "=", ""], Themes),
        ] {
            assert_eq!(asked(typed).names, Some(names), "{typed:?}");
        }
        assert_eq!(asked(&["explain", "tag", "podinfo", ""]).names, None, "a tag");
        assert_eq!(asked(&["set", "-p", ""]).names, None);
        assert_eq!(asked(&["get", ""]).names, None);
    }

    #[test]
    fn files_are_meant_by_paths_and_not_by_names() {
        assert!(asked(&["lint", ""]).files && asked(&["-C", ""]).files && asked(&["--config", ""]).files);
        assert!(!asked(&["get", "policies", ""]).files && !asked(&["get", "-o", ""]).files);
    }
}
