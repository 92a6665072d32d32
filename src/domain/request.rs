//! Pull and merge requests: what is asked for, what one says, and what became of it.
//!
//! A request is one branch into another. Its text comes from the plan; where a request is open already, a further plan on
//! the same branch is added to what it says, and what people wrote there stays.

mod markdown;
mod words;

use serde::{Deserialize, Serialize};

use super::plan::Warning;
pub use words::RequestWords;

/// What became of a request; the `request` of a push's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its number at the forge; `None` where it is not open, or the forge did not say.
    pub number: Option<u64>,
    /// Its page; of one that is not open the page to open it on, `None` where there is none.
    pub url: Option<String>,
    /// How it stands.
    pub state: RequestState,
    /// Whether it is a draft; `None` where it is not open, or the forge did not say.
    #[serde(default)]
    pub draft: Option<bool>,
    /// What it is not, though that was asked for.
    #[serde(default)]
    pub warning: Option<Warning>,
}

/// How a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestState {
    /// Open at the forge.
    Open,
    /// Not opened: a person opens it on the page.
    Link,
    /// A dry run: it would be opened.
    Simulated,
}

/// That a request is wanted once the branch is pushed, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestWish {
    /// Labels it gets.
    pub labels: Vec<String>,
    /// Whether it is not yet to be merged.
    pub draft: bool,
}

/// One request as a forge is to have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSpec {
    /// The branch that was pushed.
    pub head: String,
    /// The branch it is to go into.
    pub base: String,
    /// The commit at the tip of `head`, in hex.
    pub commit: String,
    /// Title and body.
    pub words: RequestWords,
    /// Labels, and whether it is a draft.
    pub wish: RequestWish,
}

impl Request {
    /// One that is open.
    pub fn open(number: Option<u64>, url: impl Into<String>) -> Self {
        Self { number, url: Some(url.into()), state: RequestState::Open, draft: None, warning: None }
    }

    /// One that nobody opened yet, with the page to do so.
    pub fn unopened(url: Option<String>, state: RequestState) -> Self {
        Self { number: None, url, state, draft: None, warning: None }
    }

    /// `#418`, or the word for how it stands.
    pub fn label(&self) -> String {
        match (self.number, self.state) {
            (Some(number), _) => format!("#{number}"),
            (None, RequestState::Open) => "open".to_owned(),
            (None, RequestState::Link) => "not opened".to_owned(),
            (None, RequestState::Simulated) => "simulated".to_owned(),
        }
    }
}
