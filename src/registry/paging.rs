//! The way from one page of a tag list to the next.

use std::collections::HashSet;

use url::Url;

use super::wire_text;

/// A list longer than this many pages is no list.
const MAX_PAGES: usize = 10_000;

/// The pages that were read and asked for, so that none is asked for twice.
#[derive(Default)]
pub(super) struct Trail {
    seen: HashSet<String>,
    pages: usize,
}

impl Trail {
    /// The page after `page`, or `None` if that was the last.
    ///
    /// `link` is the first `Link` header of the answer. A link that leads to another scheme, host or port, to a page
    /// that was read, or on and on, is an error.
    ///
    /// Source: google/go-containerregistry:pkg/v1/remote/list.go; RFC 8288.
    pub(super) fn next(&mut self, page: &Url, link: Option<&str>) -> Result<Option<Url>, String> {
        self.pages += 1;
        // A page may have come from elsewhere than where it was asked for.
        self.seen.insert(page.as_str().to_owned());
        let Some(target) = link.map(next_target).transpose()?.filter(|target| !target.is_empty()) else {
            return Ok(None);
        };
        let next =
            page.join(target).map_err(|error| format!("the Link to the next page is no address: {error}"))?;
        let mut next = wire_text::without_user(next);
        // It is not sent, so the page is the same.
        next.set_fragment(None);
        if next.origin() != page.origin() {
            return Err(format!(
                "the Link to the next page leads to another server ({})",
                next.origin().ascii_serialization()
            ));
        }
        if !self.seen.insert(next.as_str().to_owned()) {
            return Err("the Link to the next page leads back to a page already read".to_owned());
        }
        if self.pages >= MAX_PAGES {
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

    #[test]
    fn a_ring_is_one_whatever_its_links_look_like() {
        for link in ["</v2/a?p=2#x>", "<https://user:pw@r/v2/a?p=2>", "<?p=2>"] {
            let mut trail = Trail::default();
            let next = trail.next(&Url::parse("https://r/v2/a").unwrap(), Some(link));
            assert_eq!(next.unwrap().unwrap().as_str(), "https://r/v2/a?p=2", "{link}");
            // The page itself was found elsewhere, by a redirect.
            let again = trail.next(&Url::parse("https://r/v2/a?x=1").unwrap(), Some(link));
            assert!(again.unwrap_err().contains("already read"), "{link}");
        }
    }

    #[test]
    fn a_list_that_goes_on_and_on_is_none() {
        let page = |n: usize| Url::parse(&format!("https://r/v2/a?p={n}")).unwrap();
        let mut trail = Trail::default();
        let ends =
            (0..2 * MAX_PAGES).find(|n| trail.next(&page(*n), Some(&format!("<?p={}>", n + 1))).is_err());
        assert_eq!(ends, Some(MAX_PAGES - 1));
    }

    proptest::proptest! {
        #[test]
        fn no_link_is_a_panic(link in ".*") {
            let _ = follow(&link);
        }
    }
}
