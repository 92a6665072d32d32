//! Holds the layers of the crate: each lists the words that its source has no use for.
//!
//! Within one package the compiler does not object to a handy `use`, so this does. Comments and tests inside modules
//! are left out; they may read files and name anything.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// Some source files and the words that must not occur in them.
struct Layer {
    /// Files and folders below `src`; what does not exist yet has nothing to hide.
    places: &'static [&'static str],
    /// Groups of words, each a path or a part of one.
    without: &'static [&'static [&'static str]],
}

const FILES: &[&str] = &["std::fs", "tokio::fs", "tempfile"];
// Addresses as values are words like any others; sockets are not.
const ENVIRONMENT: &[&str] =
    &["std::env", "std::process", "TcpStream", "TcpListener", "UdpSocket", "UnixStream", "ToSocketAddrs"];
const CLOCK: &[&str] = &["SystemTime::now", "Instant::now", "Timestamp::now", "Zoned::now"];
// Threads that end with the call (`thread::scope`) change no result.
const THREADS: &[&str] = &["tokio", "thread::spawn", "thread::sleep"];
const NETWORK: &[&str] = &["reqwest", "hyper", "rustls"];
const GIT: &[&str] = &["git2"];
const CLUSTER: &[&str] = &["kube::", "k8s_openapi"];
const SCREEN: &[&str] = &["ratatui", "crossterm", "tui_textarea"];
const ADAPTERS: &[&str] = &["crate::source", "crate::registry", "crate::git", "crate::forge", "crate::store"];
const ENGINE: &[&str] = &["crate::engine"];
const FRONT_ENDS: &[&str] = &["crate::headless", "crate::runtime", "crate::demo", "crate::cli"];
const DRAWING: &[&str] = &["crate::views", "crate::theme"];
const APP: &[&str] = &["crate::app"];
const CONFIG: &[&str] = &["crate::config"];
const STREAMS: &[&str] =
    &["println!", "print!", "eprintln!", "eprint!", "io::stdout", "io::stderr", "io::stdin"];

const LAYERS: &[Layer] = &[
    Layer {
        places: &["domain.rs", "domain", "problem.rs", "text.rs", "text"],
        without: &[
            FILES,
            ENVIRONMENT,
            CLOCK,
            THREADS,
            NETWORK,
            GIT,
            CLUSTER,
            SCREEN,
            ADAPTERS,
            ENGINE,
            FRONT_ENDS,
            DRAWING,
            APP,
            CONFIG,
            STREAMS,
        ],
    },
    Layer {
        places: &["app.rs", "app"],
        without: &[
            FILES,
            ENVIRONMENT,
            CLOCK,
            THREADS,
            NETWORK,
            GIT,
            CLUSTER,
            SCREEN,
            ADAPTERS,
            ENGINE,
            FRONT_ENDS,
            DRAWING,
            STREAMS,
        ],
    },
    Layer {
        places: &["source.rs", "source"],
        without: &[
            NETWORK,
            GIT,
            SCREEN,
            ENGINE,
            FRONT_ENDS,
            DRAWING,
            APP,
            CONFIG,
            STREAMS,
            &["crate::registry", "crate::git", "crate::forge", "crate::store"],
        ],
    },
    // What reads and writes files waits for nobody; only `cluster` and the kubeconfig's reader know Kubernetes' client.
    Layer {
        places: &[
            "source/create.rs",
            "source/create",
            "source/edit.rs",
            "source/edit",
            "source/export.rs",
            "source/files.rs",
            "source/flux.rs",
            "source/load.rs",
            "source/load",
            "source/objects.rs",
            "source/objects",
            "source/secrets.rs",
            "source/yaml.rs",
            "source/yaml",
        ],
        without: &[CLUSTER, THREADS],
    },
    Layer {
        places: &["registry.rs", "registry"],
        without: &[
            GIT,
            CLUSTER,
            SCREEN,
            ENGINE,
            FRONT_ENDS,
            DRAWING,
            APP,
            STREAMS,
            &["crate::source", "crate::git", "crate::forge", "crate::store"],
        ],
    },
    Layer {
        places: &["git.rs", "git"],
        without: &[
            CLUSTER,
            SCREEN,
            ENGINE,
            FRONT_ENDS,
            DRAWING,
            APP,
            STREAMS,
            &["crate::source", "crate::registry", "crate::forge", "crate::store"],
        ],
    },
    Layer {
        places: &["forge.rs", "forge"],
        without: &[
            FILES,
            ENVIRONMENT,
            GIT,
            CLUSTER,
            SCREEN,
            ENGINE,
            FRONT_ENDS,
            DRAWING,
            APP,
            STREAMS,
            &["crate::source", "crate::registry", "crate::git", "crate::store"],
        ],
    },
    Layer {
        places: &["http.rs", "http"],
        without: &[
            FILES,
            GIT,
            CLUSTER,
            SCREEN,
            ADAPTERS,
            ENGINE,
            FRONT_ENDS,
            DRAWING,
            APP,
            CONFIG,
            STREAMS,
            &["crate::domain"],
        ],
    },
    Layer {
        places: &["store.rs", "store"],
        without: &[
            NETWORK,
            GIT,
            CLUSTER,
            SCREEN,
            ENGINE,
            FRONT_ENDS,
            DRAWING,
            APP,
            STREAMS,
            &["crate::source", "crate::registry", "crate::git", "crate::forge"],
        ],
    },
    Layer {
        places: &["engine.rs", "engine"],
        without: &[
            NETWORK,
            GIT,
            CLUSTER,
            SCREEN,
            DRAWING,
            APP,
            STREAMS,
            &["crate::headless", "crate::runtime", "crate::demo"],
        ],
    },
    Layer {
        places: &["views.rs", "views", "theme.rs", "theme"],
        without: &[
            CLOCK,
            THREADS,
            NETWORK,
            GIT,
            CLUSTER,
            ADAPTERS,
            ENGINE,
            FRONT_ENDS,
            STREAMS,
            &["std::process"],
        ],
    },
    Layer { places: &["views.rs", "views"], without: &[FILES, ENVIRONMENT] },
    Layer {
        places: &["cli.rs"],
        without: &[FILES, ENVIRONMENT, NETWORK, GIT, CLUSTER, SCREEN, ADAPTERS, ENGINE],
    },
    Layer {
        places: &["config.rs", "config"],
        without: &[NETWORK, GIT, CLUSTER, SCREEN, ADAPTERS, ENGINE, DRAWING],
    },
    Layer { places: &["headless.rs", "headless"], without: &[SCREEN, NETWORK, GIT, CLUSTER] },
];

/// The rooms of `app`, each of which knows those before it and none behind it.
const ROOMS: &[&str] = &[
    "moment",
    "profile",
    "keymap",
    "view",
    "pointer",
    "configured",
    "input",
    "list",
    "layout",
    "review",
    "find",
    "effect",
    "world",
    "message",
    "state",
    "rows",
    "action",
    "palette",
    "help",
    "update",
];

/// How a push would be forced; nothing in this program does.
const FORCE: &[&str] = &["--force", "-with-lease", "\"+refs/heads", "push -f"];
/// Where references are pushed, a refspec that begins with a plus would force it too.
const FORCING_REFSPEC: &str = "\"+{";

#[test]
fn each_layer_keeps_to_what_stands_below_it() {
    let mut found = String::new();
    for layer in LAYERS {
        for file in layer.places.iter().flat_map(|place| sources(place)) {
            let code = code_of(&file);
            for word in layer.without.iter().flat_map(|group| group.iter()) {
                for line in lines_with(&code, word) {
                    writeln!(found, "{}:{line} has `{word}`, which is not of its layer", file.display())
                        .unwrap();
                }
            }
        }
    }
    assert!(found.is_empty(), "\n{found}");
}

#[test]
fn no_two_rooms_of_the_state_machine_know_each_other() {
    let mut found = String::new();
    for (place, room) in ROOMS.iter().enumerate() {
        let behind = ROOMS.iter().skip(place + 1);
        for file in sources(&format!("app/{room}.rs")).into_iter().chain(sources(&format!("app/{room}"))) {
            let code = code_of(&file);
            for other in behind.clone() {
                // Files of the room itself see its neighbours as `super`, those in its folder do not.
                let words = [format!("crate::app::{other}"), format!("super::{other}")];
                let words = if file.ends_with(format!("app/{room}.rs")) { &words[..] } else { &words[..1] };
                for line in words.iter().flat_map(|word| lines_with(&code, word)) {
                    writeln!(found, "{}:{line} knows `{other}`", file.display()).unwrap();
                }
            }
        }
    }
    let modules = code_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/app.rs"));
    let declared = modules.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    for room in declared.filter(|room| !ROOMS.contains(room)) {
        writeln!(found, "`{room}` has no place among the rooms").unwrap();
    }
    assert!(found.is_empty(), "\n{found}");
}

#[test]
fn no_push_is_ever_forced() {
    let mut found = String::new();
    for file in sources("") {
        let code = code_of(&file);
        for (number, line) in (1..).zip(code.lines()) {
            // Fetching into a cache of our own overwrites nothing of anybody's.
            let is_fetch = line.contains(":refs/supercargo/") || line.contains(":refs/remotes/");
            let is_refspec =
                line.contains(FORCING_REFSPEC) && file.components().any(|part| part.as_os_str() == "git");
            if !is_fetch && (is_refspec || FORCE.iter().any(|word| line.contains(word))) {
                writeln!(found, "{}:{number}: {line}", file.display()).unwrap();
            }
        }
    }
    assert!(found.is_empty(), "\n{found}");
}

#[test]
fn the_check_sees_what_it_is_for() {
    let code =
        strip("use crate::{problem::Problem, app};\nuse std::fs;\n// tokio\nlet x = \"crate::appetite\";\n");
    assert_eq!(lines_with(&code, "crate::app"), [1]);
    assert_eq!(lines_with(&code, "crate::problem"), [1]);
    assert_eq!(lines_with(&code, "std::fs"), [2]);
    assert_eq!(lines_with(&code, "tokio"), [0; 0]);
    assert_eq!(lines_with("use std::{env, io};\n", "std::env"), [1]);
    assert_eq!(lines_with("use kube::Client;", "kube::"), [1]);
    assert_eq!(lines_with("use kubernetes_kube::Client;", "kube::"), [0; 0]);
    assert_eq!(strip("a\n#[cfg(test)]\nmod tests {\n use std::fs;\n}\n"), "a\n");
}

/// All Rust files of a file or folder below `src`.
fn sources(place: &str) -> Vec<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(place);
    if path.is_file() {
        return vec![path];
    }
    let Ok(entries) = fs::read_dir(&path) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        let inside = Path::new(place).join(path.file_name().unwrap());
        if path.is_dir() {
            found.extend(sources(inside.to_str().unwrap()));
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
    found
}

fn code_of(file: &Path) -> String {
    strip(&fs::read_to_string(file).unwrap())
}

/// The text without comments of whole lines and without the tests at its end; lines keep their numbers.
fn strip(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    code.lines()
        .map(|line| if line.trim_start().starts_with("//") { "\n".into() } else { format!("{line}\n") })
        .collect()
}

/// The lines, from 1, in which a word stands on its own, also as part of a grouped `use`.
fn lines_with(code: &str, word: &str) -> Vec<usize> {
    let numbered = (1..).zip(code.lines());
    numbered
        .filter(|(_, line)| stands_in(line, word) || is_grouped(line, word))
        .map(|(number, _)| number)
        .collect()
}

fn stands_in(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, _)| {
        let (before, rest) = line.split_at(start);
        let (before, after) = (before.chars().next_back(), rest.chars().nth(word.chars().count()));
        !before.is_some_and(is_part) && (word.ends_with("::") || !after.is_some_and(is_part))
    })
}

/// Whether a line such as `use crate::{a, b::C};` names `crate::b`.
fn is_grouped(line: &str, word: &str) -> bool {
    let Some((root, name)) = word.split_once("::").filter(|(_, name)| !name.is_empty()) else { return false };
    let Some((_, group)) = line.split_once(&format!("{root}::{{")) else { return false };
    let mut depth = 0;
    let heads = group.split(|c: char| {
        depth += match c {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        c == ',' && depth == 0
    });
    heads.into_iter().any(|part| part.trim().split([':', '}', ' ', ';']).next() == Some(name))
}
