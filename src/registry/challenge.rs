//! The `WWW-Authenticate` header: what a registry wants to see before it answers.

/// One challenge that we can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password with every request.
    Basic,
    /// A token, to be fetched from `realm`.
    Bearer {
        /// The address of the token service; empty if the registry named none.
        realm: String,
        /// What the token is for.
        service: Option<String>,
        /// What it should allow.
        scope: Option<String>,
    },
}

/// Picks the first `basic` or `bearer` of all challenges in `headers`, read as leniently as they are written.
///
/// Source: google/go-containerregistry:pkg/v1/remote/transport/ping.go; grammar: RFC 9110, section 11.6.1.
pub(super) fn pick<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Challenge> {
    headers.into_iter().flat_map(parse).find_map(|(scheme, params)| known(&scheme, params))
}

type Params = Vec<(String, String)>;

fn known(scheme: &str, params: Params) -> Option<Challenge> {
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let mut bearer = (String::new(), None, None);
    for (key, value) in params {
        match key.to_ascii_lowercase().as_str() {
            "realm" => bearer.0 = value,
            "service" => bearer.1 = Some(value),
            "scope" => bearer.2 = Some(value),
            _ => {}
        }
    }
    Some(Challenge::Bearer { realm: bearer.0, service: bearer.1, scope: bearer.2 })
}

fn parse(header: &str) -> Vec<(String, Params)> {
    match http_auth::parse_challenges(header) {
        Ok(challenges) => challenges
            .into_iter()
            .map(|challenge| {
                let params =
                    challenge.params.iter().map(|(key, value)| ((*key).to_owned(), value.to_unescaped()));
                (challenge.scheme.to_owned(), params.collect())
            })
            .collect(),
        Err(_malformed) => parse_leniently(header),
    }
}

/// Reads what the grammar forbids and registries send all the same, such as `Bearer realm=https://r/token,service=r`.
fn parse_leniently(header: &str) -> Vec<(String, Params)> {
    let mut found: Vec<(String, Params)> = Vec::new();
    for part in split_at_commas(header) {
        let part = part.trim();
        let (head, pair) = match part.split_once('=') {
            // `Bearer realm=x` begins a challenge, `service=x` goes on with it.
            Some((key, _)) => match key.trim().rsplit_once([' ', '\t']) {
                Some((scheme, _)) => (Some(scheme.trim()), part.get(scheme.len()..)),
                None => (None, Some(part)),
            },
            None => (Some(part), None),
        };
        if let Some(scheme) = head.filter(|scheme| !scheme.is_empty()) {
            found.push((scheme.to_owned(), Vec::new()));
        }
        if let (Some((key, value)), Some((_, params))) =
            (pair.and_then(|pair| pair.split_once('=')), found.last_mut())
        {
            params.push((key.trim().to_owned(), value.trim().trim_matches('"').to_owned()));
        }
    }
    found
}

fn split_at_commas(text: &str) -> Vec<&str> {
    let mut quoted = false;
    text.split(|c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.into(),
            service: service.map(Into::into),
            scope: scope.map(Into::into),
        }
    }

    #[test]
    fn the_first_known_scheme_wins_whatever_its_case() {
        let header = r#"Negotiate, bEaReR realm="https://auth/t",service="r",scope="repository:a:pull,push", Basic realm="x""#;
        assert_eq!(pick([header]), Some(bearer("https://auth/t", Some("r"), Some("repository:a:pull,push"))));
        assert_eq!(pick(["Digest realm=\"x\"", "Basic realm=\"y\""]), Some(Challenge::Basic));
        assert_eq!(pick(["Negotiate"]), None);
        assert_eq!(pick([""]), None);
    }

    #[test]
    fn an_unquoted_realm_is_read_all_the_same() {
        let header = "Bearer realm=https://r.example.com/token?a=b,service=r.example.com";
        assert_eq!(
            pick([header]),
            Some(bearer("https://r.example.com/token?a=b", Some("r.example.com"), None))
        );
        assert_eq!(
            pick(["Bearer realm=https://r/t, Basic realm=x"]),
            Some(bearer("https://r/t", None, None))
        );
    }

    proptest::proptest! {
        #[test]
        fn no_header_is_a_panic(header in ".*") {
            let _ = pick([header.as_str()]);
            let _ = parse_leniently(&header);
        }
    }
}
