//! The open request from one branch into another.

use super::dialect::Found;
use super::{Forge, ForgeError};
use crate::domain::request::RequestSpec;

/// Pages of open requests that are read at most; a thousand requests and more.
const PAGES: usize = 20;

impl Forge {
    /// Looks through the open requests.
    pub(super) async fn find(&self, spec: &RequestSpec) -> Result<Option<Found>, ForgeError> {
        for page in 1..=PAGES {
            let answer = self.api.ask(&self.dialect.list(&self.project, spec, page)).await?;
            let rows = answer.as_array().ok_or_else(|| self.api.senseless("it lists no requests"))?;
            let found = rows.iter().find(|row| self.dialect.is_it(&self.project, spec, row));
            if let Some(found) = found {
                let is_behind = self.dialect.is_behind(spec, found);
                let read = self.dialect.read(found).map(|read| Found { is_behind, ..read });
                return read.map(Some).ok_or_else(|| self.api.senseless("a request has no number"));
            }
            if rows.len() < self.dialect.page_size() {
                break;
            }
        }
        Ok(None)
    }
}
