//! The way from one page of a tag list to the next.

use std::collections::HashSet;

use url::Url;

/// A list longer than this many pages is no list.
const MAX_PAGES: usize = 10_000;

/// The pages that were read, so that none is read twice.
#[derive(Default)]
pub(super) struct Trail {
    seen: HashSet<String>,
}

impl Trail {
    /// The page after `page`, or `None` if that was the last.
    ///
    /// `link` is the first `Link` header of the answer. A link that leads to another scheme, host or port, to a page
    /// that was read, or on and on, is an error.
    ///
    /// Source: google/go-containerregistry:pkg/v1/remote/list.go; RFC 8288.
    pub(super) fn next(&mut self, page: &Url, link: Option<&str>) -> Result<Option<Url>, String> {
        self.seen.insert(page.as_str().to_owned());
        let Some(target) = link.map(next_target).transpose()?.filter(|target| !target.is_empty()) else {
            return Ok(None);
        };
        let next =
            page.join(target).map_err(|error| format!("the Link to the next page is no address: {error}"))?;
        if next.origin() != page.origin() {
            return Err(format!(
                "the Link to the next page leads to another server ({})",
                next.origin().ascii_serialization()
            ));
        }
        if self.seen.contains(next.as_str()) {
            return Err("the Link to the next page leads back to a page already read".to_owned());
        }
        if self.seen.len() >= MAX_PAGES {
            return Err(format!("the list goes on after {MAX_PAGES} pages"));
        }
        Ok(Some(next))
    }
}

/// The target of the link with `rel="next"`, or of the first link if none says so.
fn next_target(link: &str) -> Result<&str, String> {
    let links = split_links(link)?;
    let next = links.iter().find(|(_, params)| has_rel_next(params)).or(links.first());
    Ok(next.map_or("", |(target, _)| target))
}

/// Each link's target and the text of its parameters.
fn split_links(link: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut found = Vec::new();
    let mut rest = link.trim();
    while !rest.is_empty() {
        let (_, after) = rest
            .split_once('<')
            .ok_or_else(|| format!("failed to parse link header: missing '<' in: {link}"))?;
        let (target, after) = after
            .split_once('>')
            .ok_or_else(|| format!("failed to parse link header: missing '>' in: {link}"))?;
        let params = after.split_once(',').map_or(after, |(params, _)| params);
        found.push((target.trim(), params));
        rest = after.get(params.len()..).unwrap_or_default().trim_start_matches([',', ' ', '\t']);
    }
    Ok(found)
}

fn has_rel_next(params: &str) -> bool {
    params.split(';').filter_map(|param| param.split_once('=')).any(|(key, value)| {
        key.trim().eq_ignore_ascii_case("rel")
            && value
                .trim()
                .trim_matches('"')
                .split_ascii_whitespace()
                .any(|rel| rel.eq_ignore_ascii_case("next"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(link: &str) -> Result<Option<String>, String> {
        let page = Url::parse("https://r.example.com/v2/a/tags/list?n=2").unwrap();
        Trail::default().next(&page, Some(link)).map(|next| next.map(String::from))
    }

    #[test]
    fn links_are_followed_on_the_same_server_only() {
        let next = Ok(Some("https://r.example.com/v2/a/tags/list?last=b&n=2".to_owned()));
        assert_eq!(follow("</v2/a/tags/list?last=b&n=2>; rel=\"next\""), next);
        assert_eq!(follow("<https://r.example.com:443/v2/a/tags/list?last=b&n=2>"), next);
        assert_eq!(follow("</x>; rel=\"prev\", </v2/a/tags/list?last=b&n=2>; rel=next"), next);
        assert!(
            follow("<https://evil.example.com/v2/a>; rel=\"next\"").unwrap_err().contains("another server")
        );
        assert!(follow("<http://r.example.com/v2/a>; rel=\"next\"").unwrap_err().contains("another server"));
        assert!(follow("/v2/a").unwrap_err().contains("missing '<'"));
        assert!(follow("</v2/a").unwrap_err().contains("missing '>'"));
        assert_eq!(follow("<>; rel=next"), Ok(None));
        assert_eq!(follow(""), Ok(None));
    }

    #[test]
    fn a_ring_of_pages_is_an_error() {
        let page = |n: u32| Url::parse(&format!("https://r/v2/a/tags/list?p={n}")).unwrap();
        let mut trail = Trail::default();
        assert_eq!(trail.next(&page(1), Some("<?p=2>")), Ok(Some(page(2))));
        assert!(trail.next(&page(2), Some("<?p=1>")).unwrap_err().contains("already read"));
        assert!(trail.next(&page(2), Some("<?p=2>")).unwrap_err().contains("already read"));
    }

    proptest::proptest! {
        #[test]
        fn no_link_is_a_panic(link in ".*") {
            let _ = follow(&link);
        }
    }
}
