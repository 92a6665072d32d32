//! Image names: of hosts, ports, repositories, tags and digests, each of them right or nearly.

use serde_json::{Value, json};

use super::{Random, STRANGE};

const HOSTS: &[&str] = &[
    "ghcr.io",
    "docker.io",
    "index.docker.io",
    "localhost",
    "LOCALHOST",
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "172.32.0.1",
    "192.168.1.1",
    "192.169.1.1",
    "010.0.0.1",
    "1.2.3",
    "::1",
    "[::1]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[::1",
    "::1]",
    "a.localhost",
    "GHCR.IO",
    "",
    "a",
    ".",
    "a..b",
    "-.a",
    "user@a.b",
    "a b.c",
    "é.de",
    "a.b%41",
    "a.b%zz",
    "%41.b",
    "a_b.c",
    "xn--e1a.de",
    "a.b.",
    "a.b?c",
    "a.b#c",
    "a.b,c",
    "[a.b]",
    "a.b\\c",
    "a.b~",
    "<a.b>",
    "a.b|c",
    "\"a.b\"",
    "a.b;c",
    "a.b^",
];
const PORTS: &[&str] = &[":5000", ":80", ":", ":0", ":99999999", ":8a", ":-1", ":5000:6000", ":é", ":+1"];
const NAMES: &[&str] = &[
    "alpine",
    "library/alpine",
    "o/web",
    "a",
    "a/",
    "/a",
    "a//b",
    "A/b",
    "a_b/c.d-e",
    "",
    "a b",
    "a/b/c/d",
    "é",
    "localhost",
    "ghcr.io",
    ".",
    "..",
    "a@b",
    "a+b",
    "a%41",
];
const TAGS: &[&str] = &[":1.2.3", ":", ":latest", ":-a", ":.a", ":a+b", ":é", ":1:2", ":a/b", ":A_1"];
const MUTATIONS: &str = "aA0/:@.-_[]% éx";

pub fn request(random: &mut Random) -> Value {
    json!({"op": "reference", "image": image(random), "insecure": random.one_in(4)})
}

pub fn image(random: &mut Random) -> String {
    let mut text = String::from(if random.one_in(30) {
        random.pick(&["https://", "oci://", "://", "a://b://"])
    } else {
        ""
    });
    if random.below(3) > 0 {
        let hosts = if random.one_in(2) { HOSTS } else { &HOSTS[..12] };
        text += random.pick(hosts);
        text += if random.one_in(3) { random.pick(PORTS) } else { "" };
        text += if random.one_in(20) { "" } else { "/" };
    }
    text += random.pick(NAMES);
    match random.below(60) {
        0 => text += &"a".repeat(240 + random.below(20)),
        1 => text.extend([":", &"t".repeat(120 + random.below(12))]),
        2..=9 => text += random.pick(TAGS),
        10..=14 => text += &digest(random),
        _ => {}
    }
    match random.below(12) {
        0 => random.mutated(&text, MUTATIONS),
        1 => random.mutated(&text, STRANGE),
        _ => text,
    }
}

fn digest(random: &mut Random) -> String {
    let algorithm =
        random.pick(&["@sha256:", "@sha256:", "@sha512:", "@sha256", "@", ":1@sha256:", "@md5:", "@SHA256:"]);
    let length = if random.one_in(4) { 63 + random.below(3) } else { 64 };
    let digits = if random.one_in(6) { "0123456789abcdefA" } else { "0123456789abcdef" };
    [algorithm, &(0..length).map(|_| random.character(digits)).collect::<String>()].concat()
}
