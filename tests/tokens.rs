//! Are tokens asked for, kept and renewed rightly? A real registry says yes, with a token service of the tests beside it; a
//! server that challenges as it likes says how.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support {
    pub mod client;
    pub mod registry;
    pub mod tokens;
}

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use supercargo::problem::Code;
use supercargo::registry::{Keyring, Listing};
use support::client::{client, list};
use support::registry::{Liar, Say};
use support::tokens::{Manners, PASSWORD, TokenService};

fn login(user: &str) -> Keyring {
    let mut keyring = Keyring::new();
    keyring.add_login("flags", None, user, format!("{user}{PASSWORD}").into());
    keyring
}

/// What docker's configuration has for `host`.
fn docker(host: &str, entry: &serde_json::Value) -> Keyring {
    let mut keyring = Keyring::new();
    let text = serde_json::json!({"auths": {host: entry}}).to_string();
    keyring.add_docker_config("docker config", &text).unwrap();
    keyring
}

fn tags(listing: &Listing) -> Vec<&str> {
    listing.tags.iter().collect()
}

/// Requests that begin so.
fn count(service: &TokenService, line: &str) -> usize {
    service.asked().iter().filter(|asked| asked.line.starts_with(line)).count()
}

#[tokio::test]
async fn a_real_registry_takes_the_tokens_of_whoever_may_and_nobody_elses() {
    let Some((_service, registry)) = TokenService::start(Manners::default()) else { return };
    for repository in ["team/app", "edge/app", "public/app"] {
        registry.push(repository, "1.0.0");
    }
    let (client, image) = (client(), |name: &str| format!("{}/{name}", registry.host));

    let anybody = list(&client, &image("public/app"), &Keyring::new()).await.unwrap();
    assert_eq!((tags(&anybody), anybody.credential.as_str()), (vec!["1.0.0"], "anonymous"));
    let rita = list(&client, &image("team/app"), &login("rita")).await.unwrap();
    assert_eq!((tags(&rita), rita.credential.as_str()), (vec!["1.0.0"], "flags"));
    // One client, one host, two people: what one was given never serves the other.
    for _ in 0..2 {
        assert!(list(&client, &image("edge/app"), &login("sam")).await.is_ok());
        let error = list(&client, &image("edge/app"), &login("rita")).await.unwrap_err();
        assert_eq!(error.code(), Code::RegistryUnauthorized, "{error}");
        assert!(list(&client, &image("team/app"), &login("sam")).await.is_err());
        assert!(list(&client, &image("team/app"), &Keyring::new()).await.is_err());
    }
}

#[tokio::test]
async fn a_login_that_the_token_service_refuses_is_named_with_what_was_asked() {
    let Some((_service, registry)) = TokenService::start(Manners::default()) else { return };
    let mut keyring = Keyring::new();
    keyring.add_login("secret shop/pull", None, "rita", "hunter2".into());
    let error = list(&client(), &format!("{}/team/app", registry.host), &keyring).await.unwrap_err();
    let problem = error.problem("shop/app");
    assert_eq!(problem.code, Code::RegistryUnauthorized);
    let asked = "/token?scope=repository%3Ateam%2Fapp%3Apull&service=tests: 401 Unauthorized: UNAUTHORIZED";
    assert!(problem.message.contains(asked), "{problem}");
    assert!(problem.hint.unwrap().contains("Tried secret shop/pull as rita: the login was refused"));
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[tokio::test]
async fn an_identity_token_is_exchanged_by_form_and_by_query_where_there_is_no_form() {
    for forms in [true, false] {
        let Some((service, registry)) = TokenService::start(Manners { forms, ..Manners::default() }) else {
            return;
        };
        registry.push("team/app", "1.0.0");
        let image = format!("{}/team/app", registry.host);
        let pair = support::registry::base64(format!("rita:rita{PASSWORD}"));
        let entry = serde_json::json!({"auth": pair, "identitytoken": service.identity("rita")});
        let listing = list(&client(), &image, &docker(&registry.host, &entry)).await.unwrap();
        assert_eq!((tags(&listing), listing.credential.as_str()), (vec!["1.0.0"], "docker config"));
        assert_eq!((count(&service, "POST /token"), count(&service, "GET /token")), (1, usize::from(!forms)));

        let stale = docker(&registry.host, &serde_json::json!({"identitytoken": "hunter2-long-gone"}));
        let error = list(&client(), &image, &stale).await.unwrap_err();
        assert_eq!(error.code(), Code::RegistryUnauthorized, "{error}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn an_identity_token_that_is_replaced_at_every_use_serves_for_as_long_as_we_run() {
    let Some((service, registry)) =
        TokenService::start(Manners { rotates: true, lives: 1, ..Manners::default() })
    else {
        return;
    };
    registry.push("team/app", "1.0.0");
    let image = format!("{}/team/app", registry.host);
    let entry = serde_json::json!({"identitytoken": service.identity("rita")});
    let (client, keyring) = (client(), docker(&registry.host, &entry));
    for _ in 0..3 {
        assert_eq!(tags(&list(&client, &image, &keyring).await.unwrap()), ["1.0.0"]);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(count(&service, "POST /token"), 3);
    // Without what the last one was replaced by there is no way in.
    assert!(list(&self::client(), &image, &keyring).await.is_err());
}

#[tokio::test]
async fn a_registry_token_is_shown_as_it_is_and_once() {
    let Some((service, registry)) = TokenService::start(Manners::default()) else { return };
    registry.push("team/app", "1.0.0");
    let image = |name: &str| format!("{}/{name}", registry.host);
    let entry = serde_json::json!({"registrytoken": service.token("rita", "team/app")});
    let (client, keyring) = (client(), docker(&registry.host, &entry));
    assert_eq!(tags(&list(&client, &image("team/app"), &keyring).await.unwrap()), ["1.0.0"]);
    assert!(service.asked().is_empty(), "nothing is exchanged");
    let error = list(&client, &image("edge/app"), &keyring).await.unwrap_err();
    assert_eq!(error.code(), Code::RegistryUnauthorized);
}

#[tokio::test]
async fn a_clock_that_is_wrong_does_not_shorten_or_lengthen_a_token() {
    for ahead in [-86_400, 86_400] {
        let Some((service, registry)) = TokenService::start(Manners { ahead, ..Manners::default() }) else {
            return;
        };
        registry.push("team/app", "1.0.0");
        let (client, image) = (client(), format!("{}/team/app", registry.host));
        for _ in 0..3 {
            list(&client, &image, &login("rita")).await.unwrap();
        }
        assert_eq!(count(&service, "GET /token"), 1, "one token serves, {ahead} s ahead");
    }
}

/// A registry whose answer depends on the token that is shown, and whose tokens are numbers.
fn numbered(lives: f64, say: impl Fn(&str, Option<&str>, &str) -> Say + Send + Sync + 'static) -> Liar {
    let address = Arc::new(OnceLock::<String>::new());
    let own = Arc::clone(&address);
    let liar = Liar::start(move |asked, before| {
        let realm = format!("http://{}/token", own.get().unwrap());
        if asked.line.starts_with("GET /token") {
            let user = if asked.authorization.is_some() { "rita" } else { "anyone" };
            let more = if asked.line.contains("scope=more") { "-more" } else { "" };
            return Say::json(format!(r#"{{"token":"{user}-{before}{more}","expires_in":{lives}}}"#));
        }
        let shown = asked.authorization.as_deref();
        say(&asked.line, shown.map(|shown| shown.trim_start_matches("Bearer ")), &realm)
    });
    address.set(liar.host.clone()).unwrap();
    liar
}

fn refusal(challenges: &[String]) -> Say {
    challenges.iter().fold(Say::status("401 Unauthorized"), |say, challenge| {
        say.with(&format!("WWW-Authenticate: {challenge}"))
    })
}

fn bearer(realm: &str) -> String {
    format!("Bearer realm=\"{realm}\",service=\"tests\"")
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let liar = numbered(1.0, |line, shown, realm| match (line, shown) {
        ("GET /v2/", _) | (_, None) => refusal(&[bearer(realm)]),
        _ => Say::tags(&["1"]),
    });
    let (client, image) = (client(), format!("{}/app", liar.host));
    list(&client, &image, &Keyring::new()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    list(&client, &image, &Keyring::new()).await.unwrap();
    let shown: Vec<String> = liar
        .asked()
        .iter()
        .filter(|asked| asked.line.contains("tags/list"))
        .map(|asked| asked.authorization.clone().unwrap_or_default())
        .collect();
    assert_eq!(shown, ["Bearer anyone-0", "Bearer anyone-1"], "the one that ended was not shown again");
}

#[tokio::test]
async fn a_registry_that_refuses_every_token_is_asked_twice_and_no_more() {
    let liar = numbered(300.0, |_, _, realm| refusal(&[bearer(realm)]));
    let error = list(&client(), &format!("{}/app", liar.host), &login("rita")).await.unwrap_err();
    assert_eq!(error.code(), Code::RegistryUnauthorized, "{error}");
    let lists = liar.asked().iter().filter(|asked| asked.line.contains("tags/list")).count();
    assert_eq!(lists, 4, "twice as rita, twice as nobody");
}

#[tokio::test]
async fn the_first_challenge_that_can_be_met_is_in_one_header_or_in_several() {
    for join in [true, false] {
        let liar = numbered(300.0, move |line, shown, realm| match (line, shown) {
            ("GET /v2/", _) | (_, None) => {
                let both = ["Negotiate abc==".to_owned(), bearer(realm), "Basic realm=\"x, y\"".to_owned()];
                refusal(&if join { vec![both.join(", ")] } else { both.to_vec() })
            }
            (_, Some("rita-0")) => Say::tags(&["1"]),
            _ => Say::status("403 Forbidden"),
        });
        let listing = list(&client(), &format!("{}/app", liar.host), &login("rita")).await.unwrap();
        assert_eq!(tags(&listing), ["1"]);
    }
}

#[tokio::test]
async fn a_registry_that_is_open_at_its_door_may_want_a_token_inside() {
    let link = "Link: </v2/app/tags/list?n=1000&last=1>; rel=\"next\"";
    let liar = numbered(300.0, move |line, shown, realm| match (line, shown) {
        ("GET /v2/", _) => Say::json("{}"),
        ("GET /v2/app/tags/list?n=1000", Some("anyone-0")) => Say::tags(&["1"]).with(link),
        (_, Some("anyone-0")) => Say::tags(&["2"]),
        _ => refusal(&[bearer(realm)]),
    });
    let listing = list(&client(), &format!("{}/app", liar.host), &Keyring::new()).await.unwrap();
    assert_eq!(tags(&listing), ["2", "1"]);
    let bare = liar.asked().iter().filter(|asked| asked.authorization.is_none()).count();
    assert_eq!(bare, 3, "the door, a list, and the token: {:?}", liar.asked());
}

#[tokio::test]
async fn nobody_but_the_registry_says_where_a_login_is_shown() {
    let thief = numbered(300.0, |_, _, realm| refusal(&[bearer(realm)]));
    let location = format!("Location: http://{}/x", thief.host);
    let liar = Liar::start(move |asked, _| match asked.line.as_str() {
        "GET /v2/" => Say::json("{}"),
        _ => Say::status("307 Temporary Redirect").with(&location),
    });
    let error = list(&client(), &format!("{}/app", liar.host), &login("rita")).await.unwrap_err();
    assert_eq!(error.code(), Code::RegistryUnauthorized, "{error}");
    assert!(thief.asked().iter().all(|asked| asked.authorization.is_none()), "{:?}", thief.asked());
}

#[tokio::test]
async fn a_scope_that_is_missing_is_asked_for_once() {
    let next = "Link: </v2/app/tags/list?n=1000&last=1>; rel=\"next\"";
    let liar = numbered(300.0, move |line, shown, realm| match (line, shown) {
        ("GET /v2/app/tags/list?n=1000", Some("anyone-0-more")) => Say::tags(&["1"]).with(next),
        (_, Some("anyone-0-more")) => Say::tags(&["2"]),
        _ => refusal(&[format!("{},scope=\"more:*\"", bearer(realm))]),
    });
    let (client, image) = (client(), format!("{}/app", liar.host));
    let asked = |part: &str| liar.asked().iter().filter(|asked| asked.line.contains(part)).count();
    assert_eq!(tags(&list(&client, &image, &Keyring::new()).await.unwrap()), ["2", "1"]);
    assert_eq!((asked("tags/list"), asked("/token")), (3, 2), "one refusal for two pages");
    assert_eq!(asked("/token?scope=more%3A*&scope=repository%3Aapp%3Apull&service=tests"), 1);
    list(&client, &image, &Keyring::new()).await.unwrap();
    assert_eq!(asked("/token"), 2, "both tokens are kept");
}

#[tokio::test]
async fn a_token_service_that_talks_nonsense_is_named() {
    for (answer, says) in [
        ("<html>log in</html>", "not the JSON it should be"),
        ("{}", "no token in bearer response"),
        (r#"{"token":""}"#, "no token in bearer response"),
        (r#"{"token":"a\nb"}"#, "cannot be sent in a header"),
    ] {
        let service = Liar::start(move |_, _| Say::json(answer));
        let realm = format!("http://{}/token", service.host);
        let registry = Liar::start(move |_, _| refusal(&[bearer(&realm)]));
        let error = list(&client(), &format!("{}/app", registry.host), &Keyring::new()).await.unwrap_err();
        assert_eq!(error.code(), Code::BadAnswer, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    let registry = Liar::start(|_, _| refusal(&["Bearer realm=\"/token\"".to_owned()]));
    let error = list(&client(), &format!("{}/app", registry.host), &Keyring::new()).await.unwrap_err();
    assert!(error.to_string().contains("the realm in www-authenticate is no address"), "{error}");
}
