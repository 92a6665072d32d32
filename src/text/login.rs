//! Addresses in texts of strangers, without what may be a login in them.

/// What stands for a value that may be a secret.
const STRUCK: &str = "REDACTED";

/// `text` with no user, password or query value in the addresses that it has: whoever wrote a clone's address into an
/// image may have written down the token that it was cloned with.
pub(crate) fn without_logins(text: &str) -> String {
    let mut parts = text.split("://");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`'));
        let (address, after) = part.split_at_checked(end.unwrap_or(part.len())).unwrap_or((part, ""));
        shown.push_str("://");
        shown.push_str(&without_values(without_user(address)));
        shown.push_str(after);
    }
    shown
}

/// An address behind its scheme, from its host on. A password may have a `/` in it, as no port has, and what is behind a
/// port is a path, which may have an `@` in it.
fn without_user(address: &str) -> &str {
    let mut rest = address;
    while let Some((_, after)) = rest.split_once('@').filter(|_| !begins_with_host(rest)) {
        rest = after;
    }
    rest
}

fn begins_with_host(address: &str) -> bool {
    let authority = address.split(['/', '?', '#']).next().unwrap_or_default();
    let port = authority.rsplit_once(']').map_or(authority, |(_, port)| port).split_once(':');
    !authority.contains('@') && port.is_none_or(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The address with the names of its query's fields, and none of their values.
fn without_values(address: &str) -> String {
    let end = address.find('#').unwrap_or(address.len());
    let (address, fragment) = address.split_at_checked(end).unwrap_or((address, ""));
    let Some((path, query)) = address.split_once('?') else { return format!("{address}{fragment}") };
    let field = |field: &str| match field.split_once('=') {
        Some((name, _)) => format!("{name}={STRUCK}"),
        None => STRUCK.to_owned(),
    };
    let fields: Vec<String> = query.split('&').map(field).collect();
    format!("{path}?{}{fragment}", fields.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_keeps_its_login_and_every_other_text_stays() {
        for (text, shown) in [
            ("https://user:hunter2@github.com/acme/app", "https://github.com/acme/app"),
            (
                "https://hunter2@github.com:8443/acme/app.git#main",
                "https://github.com:8443/acme/app.git#main",
            ),
            ("git+https://u:hun/ter2@github.com/acme/app", "git+https://github.com/acme/app"),
            ("https://u@x:hunter2@[::1]:80/a", "https://[::1]:80/a"),
            (
                "built from https://u:hunter2@h/a, then http://v@h/b",
                "built from https://h/a, then http://h/b",
            ),
            ("https://h/a?token=hunter2&x=&hunter2#f", "https://h/a?token=REDACTED&x=REDACTED&REDACTED#f"),
        ] {
            assert_eq!(without_logins(text), shown);
        }
        for same in [
            "git+https://github.com/acme/app@refs/heads/main",
            "https://h:8443/a@b:c",
            "git@github.com:acme/app.git",
            "4c1f0e2aa0b1c2d3",
            "1.2.0 @ home",
            "",
        ] {
            assert_eq!(without_logins(same), same);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_password_is_left(before in "[a-z@:/ ]{0,12}", password in "[a-zA-Z]{12}", rest in "[a-z@:/ ?#=&]{0,12}") {
            let text = format!("{before}https://bot:{password}@host.example/{rest}");
            proptest::prop_assert!(!without_logins(&text).contains(&password), "{text}");
        }
    }
}
