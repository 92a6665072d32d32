//! `create image policy`.

use super::super::export::{Yaml, map};
use super::{Common, CreateError, Made, NewObject, duration, reference, text, usage};
use crate::domain::duration::GoDuration;
use crate::domain::object::Kind;
use crate::domain::policy::{expand, goregex::Pattern};

/// Flags of `create image policy`.
#[derive(Debug, Clone, Default)]
pub struct PolicyFlags {
    /// `--image-ref`
    pub image_ref: Option<String>,
    /// `--select-semver`
    pub semver: Option<String>,
    /// `--select-alpha`
    pub alpha: Option<String>,
    /// `--select-numeric`
    pub numeric: Option<String>,
    /// `--filter-regex`
    pub filter_regex: Option<String>,
    /// `--filter-extract`
    pub filter_extract: Option<String>,
    /// `--reflect-digest`
    pub reflect_digest: Option<String>,
    /// `--interval`
    pub interval: Option<GoDuration>,
}

/// The `ImagePolicy` that the flags describe.
///
/// # Errors
/// What flux refuses, and a version range beside another selector.
pub fn image_policy(common: &Common, flags: &PolicyFlags) -> Result<NewObject, CreateError> {
    common.id()?;
    let Some(image_ref) = flags.image_ref.as_deref().filter(|name| !name.is_empty()) else {
        return usage("the name of an ImageRepository in the namespace is required (--image-ref)");
    };
    let policy = policy_choice(flags)?;
    let filter = tag_filter(flags)?;
    let digest = text(flags.reflect_digest.as_ref());
    if let Some(Yaml::Text(digest)) = &digest
        && !["Never", "IfNotPresent", "Always"].contains(&digest.as_str())
    {
        return usage("invalid value for --reflect-digest, must be one of 'Never', 'IfNotPresent', 'Always'");
    }
    let interval = flags.interval.filter(|interval| !interval.0.is_zero());
    if interval.is_some() && digest != Some("Always".into()) {
        return usage(
            "the --interval flag can only be used with the 'Always' digest reflection policy, use \
             --reflect-digest=Always",
        );
    }
    let spec = map([
        ("imageRepositoryRef", Some(reference(image_ref))),
        ("policy", Some(policy)),
        ("filterTags", filter),
        ("digestReflectionPolicy", digest),
        ("interval", interval.map(duration)),
    ]);
    common.object(Made::Flux(Kind::ImagePolicy), ("spec", spec))
}

fn policy_choice(flags: &PolicyFlags) -> Result<Yaml, CreateError> {
    let order = |flag: &str, order: &Yaml| {
        if [Yaml::from("asc"), Yaml::from("desc")].contains(order) {
            Ok(map([("order", Some(order.clone()))]))
        } else {
            usage(format!(r#"{flag} must be one of ["asc", "desc"]"#))
        }
    };
    match (text(flags.semver.as_ref()), text(flags.alpha.as_ref()), text(flags.numeric.as_ref())) {
        (Some(range), None, None) => Ok(map([("semver", Some(map([("range", Some(range))])))])),
        (None, Some(alpha), None) => Ok(map([("alphabetical", Some(order("--select-alpha", &alpha)?))])),
        (None, None, Some(numeric)) => Ok(map([("numerical", Some(order("--select-numeric", &numeric)?))])),
        (None, None, None) => {
            usage("a policy must be provided with either --select-semver or --select-alpha")
        }
        _ => usage("only one of --select-semver, --select-alpha or --select-numeric can be specified"),
    }
}

fn tag_filter(flags: &PolicyFlags) -> Result<Option<Yaml>, CreateError> {
    let extract = flags.filter_extract.clone().unwrap_or_default();
    let Some(regex) = flags.filter_regex.as_deref().filter(|regex| !regex.is_empty()) else {
        if extract.is_empty() {
            return Ok(None);
        }
        return usage("cannot specify --filter-extract without specifying --filter-regex");
    };
    let pattern = match Pattern::new(regex) {
        Ok(pattern) => pattern,
        Err(error) if error.is_no_verdict() => return usage(format!("--filter-regex: {error}")),
        Err(_) => return usage("--filter-regex is an invalid regex pattern"),
    };
    check_extract(&extract, pattern.names())?;
    Ok(Some(map([("pattern", Some(regex.into())), ("extract", Some(extract.into()))])))
}

/// Whether every group that the template names is one of the pattern's; that the pattern has
/// a group of a number is not looked at.
fn check_extract(template: &str, groups: &[String]) -> Result<(), CreateError> {
    let mut rest = template;
    while let Some((_, tail)) = rest.split_once('$') {
        if let Some(tail) = tail.strip_prefix('$') {
            rest = tail;
            continue;
        }
        let part = |c: char| c == '_' || c.is_alphanumeric();
        let (name, behind) = match tail.strip_prefix('{') {
            Some(inner) => inner.split_once('}').unwrap_or_default(),
            None => tail.split_at(tail.find(|c| !part(c)).unwrap_or(tail.len())),
        };
        if name.is_empty() || !name.chars().all(part) {
            return usage("--filter-extract is malformed");
        }
        if expand::number(name).is_none() && !groups.iter().any(|group| group == name) {
            return usage(format!(
                "capture group ${name} used in --filter-extract not found in --filter-regex"
            ));
        }
        rest = behind;
    }
    Ok(())
}
