//! The state machine of the screen.
//!
//! PURE: [`update()`] folds one [`message::Msg`] into the [`state::State`] and says, as [`effect::Effect`]s, what the
//! shell has to do. Nothing here reads a clock, a file or the network, and nothing here draws; `views` reads the state,
//! `runtime` carries out the effects.
//!
//! | module | answers |
//! |---|---|
//! | [`state`] | what is so |
//! | [`message`] | what can happen |
//! | [`effect`] | what can be asked for |
//! | [`action`] | what a person can do, with which key, where, and why not |
//! | [`keymap`] | what a key press is |
//! | [`list`] | cursor, scroll position, filter and sort of every list |
//! | [`configured`] | what the configuration says, which another kube context may change |
//! | [`profile`] | how much is sent to the terminal |
//! | [`mod@pointer`] | what the mouse can point at |
//! | [`view`] | which screens there are, and what can have the keys |
//! | [`moment`] | time as it is counted here |
//! | [`layout`] | which rows and columns each pane has at a terminal size |
//! | [`world`] | what the engine has told: objects, scans, verdicts |
//! | [`review`] | pending updates, decisions, undo |
//! | [`rows`] | which rows each list shows, in which order |
//! | [`palette`] | actions by name |
//! | [`find`] | updates, objects, files and tags by a few letters |
//! | [`input`] | one-line fields and the commit message as plain text |
//! | [`mod@update`] | one file per screen: what a message does there |

pub mod action;
pub mod configured;
pub mod effect;
pub mod find;
pub mod help;
pub mod input;
pub mod keymap;
pub mod layout;
pub mod list;
pub mod message;
pub mod moment;
pub mod palette;
pub mod pointer;
pub mod profile;
pub mod review;
pub mod rows;
pub mod state;
pub mod update;
pub mod view;
pub mod world;

pub use update::update;
