//! What a scan will ask of registries, as far as that can be said before: so that a large one does not come as a surprise.

use std::collections::BTreeMap;

use super::scan::image_name;
use super::{Engine, Scans, World};
use crate::domain::object::{ImageRepository, ObjectId};
use crate::domain::scan::Budget;
use crate::text::count;

/// More repositories than this are many.
const MANY: usize = 20;
/// As many tags as a page of a list has, if the registry does as it is asked.
const PAGE: usize = 1000;

/// The requests that a scan makes if nothing goes wrong and no login is needed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forecast {
    repositories: usize,
    /// By host: requests, and what the host last said it will answer.
    hosts: BTreeMap<String, (usize, Option<Budget>)>,
}

impl Forecast {
    /// What to say before the scan, if it is of many repositories or takes more than half of what a registry will answer.
    pub fn notice(&self) -> Option<String> {
        let scarce = |(requests, budget): &(usize, Option<Budget>)| {
            budget.is_some_and(|budget| *requests as u64 > budget.remaining / 2)
        };
        let scarce: Vec<_> = self.hosts.iter().filter(|(_, load)| scarce(load)).collect();
        if self.repositories <= MANY && scarce.is_empty() {
            return None;
        }
        let requests = self.hosts.values().map(|(requests, _)| requests).sum();
        let mut text = format!(
            "scanning {}: at least {} to {}",
            count(self.repositories, "repository"),
            count(requests, "request"),
            count(self.hosts.len(), "registry")
        );
        for (host, (requests, budget)) in scarce {
            let left = budget.map(|budget| budget.text()).unwrap_or_default();
            text = format!("{text}; {requests} of them to {host}, which has {left}");
        }
        Some(text)
    }
}

impl Engine {
    /// What scanning `ids` takes.
    pub fn forecast(&self, world: &World, ids: &[ObjectId], scans: &Scans) -> Forecast {
        self.forecast_of(ids.iter().filter_map(|id| world.inventory.repositories.get(id)), scans)
    }

    /// What scanning `repositories` takes: `/v2/` of each registry, and the pages that each list had last time.
    pub fn forecast_of<'a>(
        &self,
        repositories: impl IntoIterator<Item = &'a ImageRepository>,
        scans: &Scans,
    ) -> Forecast {
        let mut forecast = Forecast::default();
        for repository in repositories {
            forecast.repositories += 1;
            let Ok(image) = image_name(repository) else { continue };
            let tags = scans.get(&repository.meta.id).map(|scan| scan.tags.len());
            let tags = tags.or_else(|| self.store.tags().count(&image.canonical()));
            let pages = tags.map_or(1, |tags| tags.div_ceil(PAGE).max(1));
            let load = forecast.hosts.entry(image.registry.clone());
            load.or_insert_with(|| (1, self.budget(&image))).0 += pages;
        }
        forecast
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast(repositories: usize, remaining: Option<u64>) -> Forecast {
        let budget = remaining.map(|remaining| Budget { remaining, limit: Some(100), window: None });
        let hosts = BTreeMap::from([
            ("ghcr.io".to_owned(), (repositories, budget)),
            ("quay.io".to_owned(), (2, None)),
        ]);
        Forecast { repositories, hosts }
    }

    #[test]
    fn a_large_scan_says_what_it_will_ask() {
        assert_eq!(forecast(20, None).notice(), None);
        let says = "scanning 21 repositories: at least 23 requests to 2 registries";
        assert_eq!(forecast(21, None).notice().as_deref(), Some(says));
    }

    #[test]
    fn more_than_half_of_what_is_left_is_large_too() {
        assert_eq!(forecast(4, Some(8)).notice(), None);
        let says = "scanning 5 repositories: at least 7 requests to 2 registries; 5 of them to ghcr.io, which has 8 of 100 requests left";
        assert_eq!(forecast(5, Some(8)).notice().as_deref(), Some(says));
    }
}
