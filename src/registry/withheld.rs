//! Strikes what was sent to prove who we are from what comes back: a server may repeat it in its error.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::Value;
use zeroize::Zeroizing;

use super::wire::Ask;

/// What stands in the place of a secret.
const STRUCK: &[u8] = b"REDACTED";

/// Replaces every secret of `ask` in `body`, also where the body spells it as JSON, a page or an address does.
pub(super) fn strike(body: &mut Vec<u8>, ask: &Ask) {
    let secrets = secrets(ask);
    for secret in &secrets {
        strike_one(body, secret.as_bytes());
    }
    // A text in JSON may have any of its characters as a number.
    let Some(mut read) = serde_json::from_slice::<Value>(body).ok().filter(|_| !secrets.is_empty()) else {
        return;
    };
    if strike_texts(&mut read, &secrets) {
        *body = read.to_string().into_bytes();
    }
}

/// The same in every text of a JSON value; whether there was anything to strike.
fn strike_texts(value: &mut Value, secrets: &[Zeroizing<String>]) -> bool {
    match value {
        Value::String(text) => strike_text(text, secrets),
        Value::Array(values) => values.iter_mut().fold(false, |any, one| strike_texts(one, secrets) | any),
        Value::Object(object) => {
            let in_values = object.values_mut().fold(false, |any, one| strike_texts(one, secrets) | any);
            let mut keys: Vec<(String, Value)> = std::mem::take(object).into_iter().collect();
            let in_keys = keys.iter_mut().fold(false, |any, (key, _)| strike_text(key, secrets) | any);
            *object = keys.into_iter().collect();
            in_values | in_keys
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn strike_text(text: &mut String, secrets: &[Zeroizing<String>]) -> bool {
    let mut bytes = text.as_bytes().to_vec();
    for secret in secrets {
        strike_one(&mut bytes, secret.as_bytes());
    }
    let is_struck = bytes != text.as_bytes();
    if is_struck {
        *text = String::from_utf8_lossy(&bytes).into_owned();
    }
    is_struck
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
    let spelled: Vec<_> = found.iter().flat_map(|secret| spellings(secret)).collect();
    found.extend(spelled);
    // The longest first, as a shorter one may be a part of it.
    found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    found.dedup();
    found
}

/// How a secret reads in JSON (as most write it, as Go does, and as PHP does), in a page, and in an address.
fn spellings(secret: &str) -> Vec<Zeroizing<String>> {
    let json = Value::from(secret).to_string();
    let json = json.get(1..json.len() - 1).unwrap_or_default();
    let go = json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e");
    let page = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let all = [
        json.to_owned(),
        go,
        json.replace('/', "\\/"),
        page.replace('"', "&quot;").replace('\'', "&#39;"),
        page.replace('"', "&#34;").replace('\'', "&#x27;"),
        form.replace('+', "%20"),
        form,
    ];
    all.into_iter().filter(|text| text != secret).map(Zeroizing::new).collect()
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
    #[test]
    fn a_secret_is_known_however_it_is_spelled() {
        let password = "hunter\"2\\<&'/ü x";
        let basic = format!("Basic {}", STANDARD.encode(format!("rita:{password}")));
        let numbers: Vec<String> = password.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        let numbers = numbers.concat();
        let inner = serde_json::to_string(password).unwrap();
        for said in [
            format!(r#"{{"errors":[{{"code":"DENIED","message":"rita:{numbers}"}}]}}"#),
            serde_json::json!({"errors": [{"code": "X", "message": "no", "detail": {password: [inner]}}]})
                .to_string(),
            format!("no {inner}"),
            "<title>rita:hunter&quot;2\\&lt;&amp;&#39;/ü x</title>".to_owned(),
            "https://x/?p=hunter%222%5C%3C%26%27%2F%C3%BC+x".to_owned(),
            "https://x/?p=hunter%222%5C%3C%26%27%2F%C3%BC%20x".to_owned(),
            r#"no "hunter\"2\\\u003c\u0026'/ü x" (cut"#.to_owned(),
        ] {
            let struck = struck(Some(&basic), None, &said);
            assert!(struck.contains("REDACTED") && !struck.contains("hunter"), "{said}: {struck}");
            assert!(!struck.contains("\\u0068"), "{said}: {struck}");
        }
        let harmless = r#"{"errors":[{"code":"X","message":"\u006eo"}]}"#;
        assert_eq!(struck(Some(&basic), None, harmless), harmless);
    }
}
