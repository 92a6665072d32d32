//! `netrc`: logins by host, for whoever speaks HTTP.
//!
//! Source: the GNU inetutils manual, "The .netrc file"; curl/curl:lib/netrc.c.

use std::env;
use std::fs;
use std::path::PathBuf;

use crate::text::SecretString;

/// The user and password for `host`, in `$NETRC` or `~/.netrc`; `None` also if there is no such file.
pub(super) fn login(host: &str) -> Option<(String, SecretString)> {
    let named = env::var_os("NETRC").filter(|path| !path.is_empty()).map(PathBuf::from);
    let path = named.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".netrc")))?;
    let text = SecretString::from(fs::read_to_string(path).ok()?);
    find(crate::text::ExposeSecret::expose_secret(&text), host)
}

/// The first entry of the host, or the `default` one, that has both user and password, in either order.
fn find(text: &str, host: &str) -> Option<(String, SecretString)> {
    let mut tokens = tokens(text).into_iter();
    let (mut fits, mut login, mut password) = (false, None, None);
    while let Some(token) = tokens.next() {
        match token.as_str() {
            "machine" => {
                (fits, login, password) = (tokens.next()?.eq_ignore_ascii_case(host), None, None);
            }
            "default" => (fits, login, password) = (true, None, None),
            "login" => login = tokens.next(),
            "password" => password = tokens.next(),
            // Its value may be any word, `login` too.
            "account" => drop(tokens.next()),
            _ => {}
        }
        if let (true, Some(user), Some(password)) = (fits, &login, &password) {
            return Some((user.clone(), password.as_str().into()));
        }
    }
    None
}

/// The words: apart by blanks, in quotes as a whole; comments and macros are left out.
fn tokens(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_macro = false;
    for line in text.lines() {
        if in_macro {
            in_macro = !line.trim().is_empty();
            continue;
        }
        let mut rest = line.trim();
        while !rest.is_empty() && !rest.starts_with('#') {
            let (word, after) = word(rest);
            rest = after.trim_start();
            if word == "macdef" {
                in_macro = true;
                break;
            }
            found.push(word);
        }
    }
    found
}

/// The first word of a line, and what follows it; a backslash takes the next character as it is.
fn word(text: &str) -> (String, &str) {
    let (mut word, mut chars) = (String::new(), text.char_indices().peekable());
    let in_quotes = chars.next_if(|(_, c)| *c == '"').is_some();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' if in_quotes => return (word, text.get(at + 1..).unwrap_or_default()),
            '\\' => word.extend(chars.next().map(|(_, c)| c)),
            c if c.is_whitespace() && !in_quotes => return (word, text.get(at..).unwrap_or_default()),
            c => word.push(c),
        }
    }
    (word, "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::text::ExposeSecret;

    const TEXT: &str = "# mine\nmachine git.example.com login rita password \"a b\\\"c\"\nmacdef init\nmachine evil\n\n\
                        machine git.example.com\n  login second password x\nmachine half login only\n\
                        machine back.example.com account login password first login after\n\
                        machine behind.example.com password its login own\ndefault login anonymous password guest\n";

    #[rstest]
    #[case("git.example.com", Some(("rita", "a b\"c")))]
    #[case("GIT.example.com", Some(("rita", "a b\"c")))]
    #[case("elsewhere.example.com", Some(("anonymous", "guest")))]
    #[case("half", Some(("anonymous", "guest")))]
    #[case("back.example.com", Some(("after", "first")))]
    #[case("behind.example.com", Some(("own", "its")))]
    fn a_login_is_found_by_its_host(#[case] host: &str, #[case] expected: Option<(&str, &str)>) {
        let found = find(TEXT, host);
        let found = found.as_ref().map(|(user, password)| (user.as_str(), password.expose_secret()));
        assert_eq!(found, expected);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(machine|login|password|macdef|default|[\"\\\\# \n]|h){0,20}") {
            let _ = find(&text, "h");
        }
    }
}
