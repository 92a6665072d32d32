//! Strikes what was sent to prove who we are from what comes back: a server may repeat it in its error.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderMap, HeaderValue};
use zeroize::Zeroizing;

use super::wire::Ask;

/// What stands in the place of a secret.
const STRUCK: &[u8] = b"REDACTED";

/// Replaces every secret of `ask` in `body`.
pub(super) fn strike(body: &mut Vec<u8>, ask: &Ask) {
    for secret in secrets(ask) {
        strike_one(body, secret.as_bytes());
    }
}

/// The same in every header; one that is none any more afterwards is emptied.
pub(super) fn strike_headers(headers: &mut HeaderMap, ask: &Ask) {
    let secrets = secrets(ask);
    for value in headers.values_mut().filter(|_| !secrets.is_empty()) {
        let mut bytes = value.as_bytes().to_vec();
        for secret in &secrets {
            strike_one(&mut bytes, secret.as_bytes());
        }
        if bytes != value.as_bytes() {
            *value = HeaderValue::from_bytes(&bytes).unwrap_or_else(|_| HeaderValue::from_static(""));
        }
    }
}

/// The header's token, the password in it, and the form's token.
fn secrets(ask: &Ask) -> Vec<Zeroizing<String>> {
    let mut found = Vec::new();
    let header = ask.authorization.as_ref().and_then(|value| value.to_str().ok());
    if let Some((scheme, token)) = header.and_then(|value| value.split_once(' ')) {
        found.push(Zeroizing::new(token.to_owned()));
        let pair = if scheme == "Basic" { STANDARD.decode(token).unwrap_or_default() } else { Vec::new() };
        let pair = Zeroizing::new(String::from_utf8(pair).unwrap_or_default());
        found.extend(pair.split_once(':').map(|(_, password)| Zeroizing::new(password.to_owned())));
    }
    let form = ask.form.iter().flatten().filter(|(key, _)| *key == "refresh_token");
    found.extend(form.map(|(_, value)| Zeroizing::new(value.clone())));
    // The longest first, as a shorter one may be a part of it.
    found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    found
}

fn strike_one(body: &mut Vec<u8>, secret: &[u8]) {
    // What is this short would be found everywhere, and nobody could tell.
    if secret.len() < 4 {
        return;
    }
    let places: Vec<usize> = memchr::memmem::find_iter(body, secret).collect();
    for at in places.into_iter().rev() {
        body.splice(at..at + secret.len(), STRUCK.iter().copied());
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;
    use url::Url;

    use super::*;

    fn struck(authorization: Option<&str>, form: Option<&str>, body: &str) -> String {
        let mut ask = Ask::get(Url::parse("https://r.example.com/v2/").unwrap());
        ask.authorization = authorization.map(|value| HeaderValue::from_str(value).unwrap());
        ask.form = form.map(|token| vec![("service", "r".to_owned()), ("refresh_token", token.to_owned())]);
        let mut body = body.as_bytes().to_vec();
        strike(&mut body, &ask);
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn a_server_that_repeats_what_it_was_shown_is_not_repeated() {
        let basic = Some("Basic cml0YTpodW50ZXIy");
        assert_eq!(
            struck(basic, None, "rita:hunter2 (cml0YTpodW50ZXIy) hunter2"),
            "rita:REDACTED (REDACTED) REDACTED"
        );
        assert_eq!(struck(Some("Bearer a.b.c1"), None, "bad token a.b.c1!"), "bad token REDACTED!");
        assert_eq!(struck(None, Some("refresh-me"), "no refresh-me at r"), "no REDACTED at r");
        assert_eq!(
            struck(Some("Basic cjpvaw=="), None, "ok: oi"),
            "ok: oi",
            "what is too short to tell stays"
        );
    }
}
