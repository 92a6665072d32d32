//! A door for the fuzz targets to the parsers of answers, which are private otherwise.

use url::Url;

use super::{challenge, paging};

/// Reads a text as each of the things that a registry's answer consists of.
pub fn read_answer(text: &str) {
    let _ = challenge::pick([text]);
    let _ = paging::read_tags(text.as_bytes());
    if let Ok(page) = Url::parse("https://registry.example.com/v2/team/app/tags/list") {
        let next = paging::Trail::default().next(&page, Some(text));
        // No credential may follow a link to another server.
        assert!(next.ok().flatten().is_none_or(|next| next.origin() == page.origin()));
    }
}
