//! Supercargo: Flux image updates with a person in the loop.
//!
//! > Sources describe what is deployed → registries say what exists → policies say what is wanted → the plan says
//! > which marked lines change → a person approves → git records it.
//!
//! The layers, from the bottom up; each may use what stands below it and nothing else
//! (`tests/layers.rs` holds them to it):
//!
//! | layer | modules | what it may touch |
//! |---|---|---|
//! | domain | `domain` | nothing: std and pure crates |
//! | shared words | `problem`, `text` | nothing |
//! | app | `app` | the domain: the state machine of the screen |
//! | adapters | `source`, `registry`, `git`, `store` | the world, each alone with its own crate |
//! | engine | `engine` | the adapters: load, scan, read markers, land; used by both front ends |
//! | drawing | `views`, `theme` | app and domain |
//! | front ends | `headless`, `runtime`, `demo` | everything |

pub mod domain;
pub mod problem;
pub mod text;
