//! `create image repository`.

use super::super::export::map;
use super::{Common, CreateError, Made, NewObject, duration, reference, usage};
use crate::domain::duration::GoDuration;
use crate::domain::object::Kind;
use crate::domain::reference::parse_reference;
use crate::problem::Code;

/// Flags of `create image repository`.
#[derive(Debug, Clone, Default)]
pub struct RepositoryFlags {
    /// `--image`
    pub image: Option<String>,
    /// `--interval`
    pub interval: GoDuration,
    /// `--secret-ref`
    pub secret_ref: Option<String>,
    /// `--cert-ref`
    pub cert_ref: Option<String>,
    /// `--scan-timeout`
    pub scan_timeout: Option<GoDuration>,
}

/// The `ImageRepository` that the flags describe.
///
/// # Errors
/// What flux refuses.
pub fn image_repository(common: &Common, flags: &RepositoryFlags) -> Result<NewObject, CreateError> {
    common.id()?;
    let Some(image) = flags.image.as_deref().filter(|image| !image.is_empty()) else {
        return usage("an image repository (--image) is required");
    };
    if let Err(error) = parse_reference(image) {
        let text = format!("unable to parse image value: {error}");
        return Err(CreateError { code: Code::ImageInvalid, text });
    }
    let named = |name: &Option<String>| name.as_deref().filter(|name| !name.is_empty()).map(reference);
    let spec = map([
        ("image", Some(image.into())),
        ("interval", Some(duration(flags.interval))),
        ("secretRef", named(&flags.secret_ref)),
        ("certSecretRef", named(&flags.cert_ref)),
        ("timeout", flags.scan_timeout.filter(|timeout| !timeout.0.is_zero()).map(duration)),
    ]);
    common.object(Made::Flux(Kind::ImageRepository), ("spec", spec))
}
