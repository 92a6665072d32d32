//! A door for the fuzz targets to the parsers of answers, which are private otherwise.

use url::Url;

use super::{challenge, manifest, page, paging};
use crate::domain::tags::Unsorted;

/// Reads a text as each of the things that a registry's answer consists of.
///
/// # Panics
/// If a credential could follow a link to another server.
pub fn read_answer(text: &str) {
    let _ = challenge::pick([text]);
    let _ = page::read_tags(text.as_bytes(), &mut Unsorted::default());
    let _ = manifest::read_config(text.as_bytes());
    if let Ok(manifest::Manifest::Index(index)) = manifest::read_manifest(text.as_bytes()) {
        // What is read from a manifest becomes a part of an address.
        assert!(index.chosen.is_none_or(|child| manifest::is_digest(&child.digest)));
    }
    if let Ok(page) = Url::parse("https://registry.example.com/v2/team/app/tags/list") {
        let next = paging::Trail::default().next(&page, Some(text));
        assert!(next.ok().flatten().is_none_or(|next| next.origin() == page.origin()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_answer_upsets_its_reader(text in "[<>/a-z=\"?&; {}\\[\\]:,.]{0,40}|</v2/[a-z/?=&.:@]{0,30}>; rel=\"next\"|Bearer [a-z=\",: /.]{0,60}") {
            super::read_answer(&text);
        }
    }
}
