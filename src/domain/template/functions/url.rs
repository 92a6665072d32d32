//! `urlParse` and `urlJoin`.
//!
//! Source: Masterminds/sprig v3.3.0, url.go; golang/go:src/net/url/url.go.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::rc::Rc;

use super::super::format::quote;
use super::super::value::Value;
use super::Param::{Dict, Text};
use super::text::{answer, utf8};
use super::{Answer, Function, NIL_POINTER, address, arg, text};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::fixed("urlParse", &[Text], |v| match Url::parse(text(v, 0)) {
        Ok(url) => Ok(url.into_dict()),
        Err(error) => Err(format!("unable to parse url: {error}")),
    }),
    Function::fixed("urlJoin", &[Dict], join),
];

#[derive(Debug, Default)]
struct Url {
    scheme: String,
    opaque: String,
    user: Option<User>,
    host: String,
    path: String,
    query: String,
    fragment: String,
}

#[derive(Debug, Default)]
struct User {
    name: String,
    password: Option<String>,
}

/// Where in a URL something stands, which decides what is escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    User,
    Host,
    Zone,
    Path,
    Fragment,
}

impl Part {
    fn escapes(self, byte: u8) -> bool {
        let allowed: &[u8] = match self {
            Self::User => b"$&+,;=",
            Self::Host | Self::Zone => b"!$&'()*+,;=:[]<>\"",
            Self::Path => b"$&+,/:;=@",
            Self::Fragment => b"$&+,/:;=?@!()*",
        };
        !byte.is_ascii_alphanumeric() && !b"-_.~".contains(&byte) && !allowed.contains(&byte)
    }

    fn escaped(self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for byte in text.bytes() {
            if self.escapes(byte) {
                let _ = write!(out, "%{byte:02X}");
            } else {
                out.push(char::from(byte));
            }
        }
        out
    }

    fn unescaped(self, text: &str) -> Result<String, String> {
        let (bytes, mut out, mut at) = (text.as_bytes(), Vec::with_capacity(text.len()), 0);
        while let Some(&byte) = bytes.get(at) {
            if byte == b'%' {
                let escape = bytes.get(at..(at + 3).min(bytes.len())).unwrap_or_default();
                out.push(self.unescaped_byte(escape)?);
                at += 3;
            } else if matches!(self, Self::Host | Self::Zone) && byte.is_ascii() && self.escapes(byte) {
                return Err(format!(
                    "invalid character {} in host name",
                    quote(&char::from(byte).to_string())
                ));
            } else {
                out.push(byte);
                at += 1;
            }
        }
        Ok(utf8(&out))
    }

    /// What `%XX` stands for, if it may stand here.
    fn unescaped_byte(self, escape: &[u8]) -> Result<u8, String> {
        let digits = escape.get(1..3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let allowed = |byte: &u8| match self {
            _ if escape == b"%25" => true,
            Self::Host => *byte >= 0x80,
            Self::Zone => *byte == b' ' || !Self::Host.escapes(*byte),
            _ => true,
        };
        byte.filter(allowed).ok_or_else(|| format!("invalid URL escape {}", quote(&utf8(escape))))
    }
}

/// Why Go's `url.Parse` refuses `raw`, in its words; `None` if it does not.
pub(in crate::domain::template) fn refusal(raw: &str) -> Option<String> {
    Url::parse(raw).err()
}

impl Url {
    fn parse(raw: &str) -> Result<Self, String> {
        let (url, fragment) = raw.split_once('#').unwrap_or((raw, ""));
        let failed = |url: &str, error: String| format!("parse {}: {error}", quote(url));
        let mut parsed = Self::parse_before_fragment(url).map_err(|error| failed(url, error))?;
        parsed.fragment = Part::Fragment.unescaped(fragment).map_err(|error| failed(raw, error))?;
        Ok(parsed)
    }

    fn parse_before_fragment(url: &str) -> Result<Self, String> {
        if url.bytes().any(|byte| byte.is_ascii_control()) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        if url == "*" {
            return Ok(Self { path: "*".to_owned(), ..Self::default() });
        }
        let (scheme, rest) = split_scheme(url)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut parsed =
            Self { scheme: scheme.to_ascii_lowercase(), query: query.to_owned(), ..Self::default() };
        if !rest.starts_with('/') {
            if !scheme.is_empty() {
                rest.clone_into(&mut parsed.opaque);
                return Ok(parsed);
            }
            if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        let mut path = rest;
        if let Some(behind) = rest.strip_prefix("//")
            && (!scheme.is_empty() || !behind.starts_with('/'))
        {
            let end = behind.find('/').unwrap_or(behind.len());
            let (authority, tail) = behind.split_at_checked(end).unwrap_or((behind, ""));
            (parsed.user, parsed.host) = authority_of(&parsed.scheme, authority)?;
            path = tail;
        }
        parsed.path = Part::Path.unescaped(path)?;
        Ok(parsed)
    }

    fn into_dict(self) -> Value {
        let hostname = hostname(&self.host).to_owned();
        let user = self.user.map(|user| user.to_string()).unwrap_or_default();
        let entries = [
            ("scheme", self.scheme),
            ("host", self.host),
            ("hostname", hostname),
            ("path", self.path),
            ("query", self.query),
            ("opaque", self.opaque),
            ("fragment", self.fragment),
            ("userinfo", user),
        ];
        Value::dict(entries.into_iter().map(|(key, value)| (Rc::from(key), Value::text(value))).collect())
    }
}

impl std::fmt::Display for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&Part::User.escaped(&self.name))?;
        match &self.password {
            Some(password) => write!(f, ":{}", Part::User.escaped(password)),
            None => Ok(()),
        }
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = String::new();
        if !self.scheme.is_empty() {
            out = format!("{}:", self.scheme);
        }
        if self.opaque.is_empty() {
            let named = !self.host.is_empty() || self.user.is_some();
            if named || (!self.scheme.is_empty() && !self.path.is_empty()) {
                out.push_str("//");
            }
            out.extend(self.user.as_ref().map(|user| format!("{user}@")));
            out.push_str(&Part::Host.escaped(&self.host));
            let path = if self.path == "*" { "*".to_owned() } else { Part::Path.escaped(&self.path) };
            if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
                out.push('/');
            }
            if out.is_empty() && path.split('/').next().is_some_and(|segment| segment.contains(':')) {
                out.push_str("./");
            }
            out.push_str(&path);
        } else {
            out.push_str(&self.opaque);
        }
        if !self.query.is_empty() {
            out = format!("{out}?{}", self.query);
        }
        if !self.fragment.is_empty() {
            out = format!("{out}#{}", Part::Fragment.escaped(&self.fragment));
        }
        f.write_str(&out)
    }
}

/// The scheme, empty if there is none, and what stands behind its colon.
fn split_scheme(url: &str) -> Result<(&str, &str), String> {
    let end = url.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c));
    match end.and_then(|end| url.split_at_checked(end)) {
        Some(("", rest)) if rest.starts_with(':') => Err("missing protocol scheme".to_owned()),
        Some((scheme, rest)) if scheme.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            Ok(rest.strip_prefix(':').map_or(("", url), |rest| (scheme, rest)))
        }
        _ => Ok(("", url)),
    }
}

fn authority_of(scheme: &str, authority: &str) -> Result<(Option<User>, String), String> {
    let Some((user, host)) = authority.rsplit_once('@') else {
        return Ok((None, host_of(scheme, authority)?));
    };
    let host = host_of(scheme, host)?;
    if !user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte)) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    let (name, password) = match user.split_once(':') {
        Some((name, password)) => (name, Some(password)),
        None => (user, None),
    };
    let name = Part::User.unescaped(name)?;
    let password = password.map(|password| Part::User.unescaped(password)).transpose()?;
    Ok((Some(User { name, password }), host))
}

fn host_of(scheme: &str, host: &str) -> Result<String, String> {
    match host.rfind('[') {
        Some(0) => return literal_host(host),
        Some(_) => return Err("invalid IP-literal".to_owned()),
        None => {}
    }
    let strict = matches!(scheme, "http" | "https");
    let colon = if strict { host.find(':') } else { host.rfind(':') };
    if let Some(port) = colon.and_then(|colon| host.get(colon..)) {
        check_port(port)?;
    }
    Part::Host.unescaped(host)
}

fn literal_host(host: &str) -> Result<String, String> {
    let Some((inside, port)) = host.rsplit_once(']') else { return Err("missing ']' in host".to_owned()) };
    check_port(port)?;
    let port = Part::Host.unescaped(port)?;
    let inside = inside.strip_prefix('[').unwrap_or(inside);
    let name = match inside.find("%25").and_then(|zone| inside.split_at_checked(zone)) {
        Some((address, zone)) => Part::Host.unescaped(address)? + &Part::Zone.unescaped(zone)?,
        None => Part::Host.unescaped(inside)?,
    };
    match address::version(&name) {
        Ok(address::Version::V6) => Ok(format!("[{name}]{port}")),
        Ok(address::Version::V4) => Err("invalid IP-literal".to_owned()),
        Err(error) => Err(format!("invalid host: {error}")),
    }
}

fn is_port(text: &str) -> bool {
    let digits = text.strip_prefix(':');
    text.is_empty() || digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn check_port(port: &str) -> Result<(), String> {
    if is_port(port) { Ok(()) } else { Err(format!("invalid port {} after host", quote(port))) }
}

/// The host without its port and without the brackets of an address.
fn hostname(host: &str) -> &str {
    let colon = host.rfind(':').and_then(|colon| host.split_at_checked(colon));
    let name = colon.filter(|(_, port)| is_port(port)).map_or(host, |(name, _)| name);
    name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name)
}

fn join(values: &[Value]) -> Answer {
    let entries = match arg(values, 0) {
        Value::Dict(dict) => dict.borrow().clone(),
        _ => BTreeMap::new(),
    };
    let get = |key: &str| match entries.get(key) {
        None => Ok(String::new()),
        Some(Value::Text(text)) => Ok(text.to_string()),
        Some(Value::Nil) => Err(NIL_POINTER.to_owned()),
        Some(other) => {
            Err(format!("unable to parse {key} key, must be of type string, but {} found", other.kind()))
        }
    };
    let mut url = Url {
        scheme: get("scheme")?,
        host: get("host")?,
        path: get("path")?,
        query: get("query")?,
        opaque: get("opaque")?,
        fragment: get("fragment")?,
        user: None,
    };
    let user = get("userinfo")?;
    if !user.is_empty() {
        let parsed = Url::parse(&format!("proto://{user}@host"));
        url.user = parsed.map_err(|error| format!("unable to parse userinfo in dict: {error}"))?.user;
    }
    answer(url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_comes_back_and_a_bad_one_is_refused_in_go_s_words() {
        for url in ["http://u:p%40@h:80/a%20b?q=1#f", "mailto:a@b", "/p", "//h/p", "http://[::1]:1/"] {
            assert_eq!(Url::parse(url).unwrap().to_string(), url);
        }
        for (url, error) in [
            ("http://h:x", "parse \"http://h:x\": invalid port \":x\" after host"),
            (":a", "parse \":a\": missing protocol scheme"),
            ("1:a", "parse \"1:a\": first path segment in URL cannot contain colon"),
            ("/%zz", "parse \"/%zz\": invalid URL escape \"%zz\""),
            (
                "http://[1:2]/",
                "parse \"http://[1:2]/\": invalid host: ParseAddr(\"1:2\"): address string too short",
            ),
            ("http://[1.2.3.4]/", "parse \"http://[1.2.3.4]/\": invalid IP-literal"),
            ("http://a b", "parse \"http://a b\": invalid character \" \" in host name"),
        ] {
            assert_eq!(Url::parse(url).unwrap_err(), error);
        }
    }
}
