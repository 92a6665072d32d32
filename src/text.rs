//! Text that is safe to show, and secrets that cannot be printed.
//!
//! Tags, file names, server messages and the like come from strangers. [`Shown`] is the only text that widgets and
//! terminal output take; it maps what a terminal would obey to what a person can read.

pub use secrecy::{ExposeSecret, SecretString};
