//! Requests for the rewrite: every YAML shape that a marker can stand in, beside or near, and texts that are nearly YAML.

mod node;
mod text;
mod words;

use serde_json::{Map, Value, json};

use super::Random;
use text::Text;

const FILES: &str = "a.yaml a.yaml b.yml d/a.yaml d/e/b.yaml d.yaml Kustomization d/Kustomization .yaml c.YAML n.txt \
    kustomization d-e/a.yaml é.yaml";
/// Symbolic links and where they lead.
const LINKS: &[(&str, &str)] = &[("link", "d"), ("link", "/d/e"), ("d/up", ".."), ("loop", "loop")];
const PATHS: &str =
    ". ./ d ./d/ /d d/e .. ../../d nope a.yaml d/a.yaml link link/e d/../d d/up loop a.yaml/x d/nope";
const IMAGES: &str = "o/web ghcr.io/o/web nginx localhost:5000/web docker.io/library/nginx";
const TAGS: &str = "1.2.3 v2 main-9b1d3e7-1763805600 2.0.0-rc.1 latest 1.25.3-alpine";
/// Tags that a YAML reader takes for something else.
const HARD_TAGS: &str = "1.0 1.25 20240131 007 0755 0x1f 0o17 0b11 1_000 1234e5 12e4567 on off yes no y n true false \
    null 2024-01-31 2024-1-3 _1 nan 1.0.0_build.5 1e3 1. 0 00 08 0_8 1__0 e5 2024-01-31T00 0x 0b2 1e Yes NULL oN 1.5_ \
    0.0 0.1e-1 99999999999999999999 0x_1 1_ 0o8 0b_1 inf 0o_7 190 1.e5 TRUE 1e-5";

/// One request of the operation `set`, with symbolic links in `symlinks`.
pub fn request(random: &mut Random) -> Value {
    let policies: Vec<Value> =
        ["web", "api", "tag"].iter().take(1 + random.below(3)).map(|name| policy(random, name)).collect();
    let mut files = Map::new();
    for _ in 0..random.pick(&[1, 1, 1, 2, 3]) {
        let name = random.word(FILES);
        files.insert(name.to_owned(), Text::new(random).file().into());
    }
    let mut links = Map::new();
    if random.one_in(40) {
        let (link, target) = random.pick(LINKS);
        // A link cannot stand where a file does.
        if !files.keys().any(|file| file.starts_with(link)) {
            links.insert(link.to_owned(), target.into());
        }
    }
    let update_path = if random.one_in(6) { random.word(PATHS) } else { "" };
    json!({ "op": "set", "policies": policies, "files": files, "symlinks": links, "update_path": update_path })
}

fn policy(random: &mut Random, name: &str) -> Value {
    let tag = random.pick(&[TAGS, TAGS, HARD_TAGS]);
    let tag = random.word(tag);
    let image = if random.one_in(60) { "Registry/UPPER" } else { random.word(IMAGES) };
    let mut policy = json!({ "namespace": "apps", "name": name, "image": image, "tag": tag });
    if random.one_in(4) {
        policy["digest"] = format!("sha256:{}", random.pick(&["0", "a", "7"]).repeat(64)).into();
    }
    if random.one_in(20) {
        policy["image"] = "".into();
        policy["tag"] = "".into();
    }
    policy
}
