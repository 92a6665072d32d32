//! Whether an entry of an `auths` list is meant for an image: hosts by globs, ports by equality, paths by prefix.
//!
//! Source: google/go-containerregistry:pkg/authn/kubernetes/keychain.go.

/// The host, port and path that an entry is for, as in `registry.example.com:5000/team`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EntryKey(String);

/// The canonical image that a credential is wanted for.
pub(super) struct Wanted<'a> {
    host: &'a str,
    port: &'a str,
    path: String,
}

impl<'a> Wanted<'a> {
    /// `repository` at `host`, which may hold a port.
    pub(super) fn new(host: &'a str, repository: &str) -> Self {
        let (host, port) = split_port(host);
        Self { host, port, path: format!("/{repository}") }
    }
}

impl EntryKey {
    /// Reads a key as it stands in a file: with or without scheme, `/v1/` or `/v2/`, and path.
    pub(super) fn parse(written: &str) -> Self {
        let rest =
            written.strip_prefix("https://").or_else(|| written.strip_prefix("http://")).unwrap_or(written);
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority.rsplit('@').next().unwrap_or_default();
        let path = match path.get(..4) {
            Some("/v1/" | "/v2/") => path.get(3..).unwrap_or_default(),
            _ => path,
        };
        Self(if path == "/" { host.to_owned() } else { format!("{host}{path}") })
    }

    /// The key as it is sorted by.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Whether it is meant for `wanted`.
    pub(super) fn matches(&self, wanted: &Wanted<'_>) -> bool {
        let (authority, path) = self.0.split_at(self.0.find('/').unwrap_or(self.0.len()));
        let (host, port) = split_port(authority);
        let (globs, labels) = (host.split('.'), wanted.host.split('.'));
        port == wanted.port
            && globs.clone().count() == labels.clone().count()
            && globs.zip(labels).all(|(glob, label)| glob_matches(glob.as_bytes(), label.as_bytes()))
            && wanted.path.starts_with(path)
    }
}

fn split_port(authority: &str) -> (&str, &str) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => (host, port),
        _ => (authority, ""),
    }
}

/// Whether a shell glob (`*`, `?`, `[a-z]`, `[^a-z]`, `\x`) matches the whole text; a malformed one matches nothing.
///
/// Steps back to the last `*` only, so that time is bounded by the product of the lengths.
fn glob_matches(glob: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        if glob.get(at) == Some(&b'*') {
            star = Some((at, read));
            at += 1;
            continue;
        }
        match (text.get(read), glob.get(at..).filter(|rest| !rest.is_empty())) {
            (None, None) => return true,
            (Some(&byte), Some(rest)) => match one_matches(rest, byte) {
                None => return false,
                Some((true, width)) => {
                    at += width;
                    read += 1;
                    continue;
                }
                Some((false, _)) => {}
            },
            (Some(_), None) => {}
            (None, Some(_)) => return false,
        }
        let Some((back, from)) = star else { return false };
        star = Some((back, from + 1));
        (at, read) = (back + 1, from + 1);
    }
}

/// Whether the first element of `glob` matches `byte`, and how wide it is; `None` if it is malformed.
fn one_matches(glob: &[u8], byte: u8) -> Option<(bool, usize)> {
    match glob {
        [b'?', ..] => Some((true, 1)),
        [b'\\', escaped, ..] => Some((*escaped == byte, 2)),
        [b'\\'] | [] => None,
        [b'[', rest @ ..] => class_matches(rest, byte).map(|(hit, width)| (hit, width + 1)),
        [literal, ..] => Some((*literal == byte, 1)),
    }
}

/// The same for what follows a `[`.
fn class_matches(class: &[u8], byte: u8) -> Option<(bool, usize)> {
    let negated = class.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let (start, mut hit) = (at, false);
    loop {
        let low = *class.get(at)?;
        if low == b']' && at > start {
            return Some((hit != negated, at + 1));
        }
        let high = if class.get(at + 1) == Some(&b'-') { *class.get(at + 2)? } else { low };
        hit |= (low..=high).contains(&byte);
        at += if class.get(at + 1) == Some(&b'-') { 3 } else { 1 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(key: &str, host: &str, repository: &str) -> bool {
        EntryKey::parse(key).matches(&Wanted::new(host, repository))
    }

    #[test]
    fn keys_are_read_as_docker_and_kubernetes_write_them() {
        for (written, key) in [
            ("https://index.docker.io/v1/", "index.docker.io"),
            ("http://r:5000/v2/team", "r:5000/team"),
            ("ghcr.io/", "ghcr.io"),
            ("ghcr.io/foo/", "ghcr.io/foo/"),
            ("", ""),
        ] {
            assert_eq!(EntryKey::parse(written).text(), key);
        }
    }

    #[test]
    fn hosts_match_label_by_label_ports_exactly_and_paths_by_prefix() {
        assert!(matches("*.example.com", "r.example.com", "a"));
        assert!(!matches("*.example.com", "a.b.example.com", "a"));
        assert!(!matches("*.example.com", "example.com", "a"));
        assert!(matches("r[0-9].example.com", "r7.example.com", "a"));
        assert!(!matches("r[^0-9].example.com", "r7.example.com", "a"));
        assert!(matches("r*-*x.io", "r1-abcx.io", "a"));
        assert!(!matches("127.0.0.1:5000", "127.0.0.1", "a"));
        assert!(matches("127.0.0.1:5000", "127.0.0.1:5000", "a"));
        assert!(matches("ghcr.io/foo", "ghcr.io", "foobar"));
        assert!(!matches("ghcr.io/foo", "ghcr.io", "bar/foo"));
        assert!(!matches("docker.io", "index.docker.io", "library/a"));
        assert!(!matches("[a.io", "a.io", "x"));
    }

    proptest::proptest! {
        #[test]
        fn a_text_matches_itself_and_every_star(text in "[a-z0-9-]{0,12}", glob in "[a-c*?\\[\\]\\\\^-]{0,12}") {
            assert!(glob_matches(text.as_bytes(), text.as_bytes()));
            assert!(glob_matches(b"*", text.as_bytes()));
            assert!(glob_matches(format!("{text}*").as_bytes(), format!("{text}{text}").as_bytes()));
            glob_matches(glob.as_bytes(), text.as_bytes());
        }
    }
}
