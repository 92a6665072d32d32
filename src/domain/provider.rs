//! `spec.provider` of an `ImageRepository`: whose registry it must be, and who logs in there.
//!
//! Sources: fluxcd/pkg, `auth/registry.go`, `auth/utils/registry.go`, `auth/{aws,azure,gcp}/provider.go`.

use std::sync::LazyLock;

use regex::Regex;

/// A cloud whose own login serves its registries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Elastic Container Registry.
    Aws,
    /// Azure Container Registry.
    Azure,
    /// Artifact Registry.
    Gcp,
}

/// What is known of a provider.
struct Known {
    name: &'static str,
    /// As Flux's texts call it.
    title: &'static str,
    /// What hosts match, found anywhere in them unless it is anchored.
    pattern: &'static str,
    /// The names of docker's credential helpers, those that are usual first.
    helpers: &'static [&'static str],
}

/// In the order of [`Provider`]'s variants.
const KNOWN: [Known; 3] = [
    Known {
        name: "aws",
        title: "AWS",
        pattern: r"([0-9+]*).dkr[.-]ecr(?:-fips)?\.([^/.]*)\.(amazonaws\.com[.cn]*|amazonaws\.eu|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov|on\.aws)",
        helpers: &["ecr-login"],
    },
    Known {
        name: "azure",
        title: "Azure",
        pattern: r"^.+\.(azurecr\.io|azurecr\.cn|azurecr\.de|azurecr\.us)$",
        helpers: &["acr-env", "acr-linux", "acr"],
    },
    Known {
        name: "gcp",
        title: "GCP",
        pattern: r"^(((.+\.)?gcr\.io)|(.+-docker\.pkg\.dev)|(docker\.s3nsregistry\.fr))$",
        helpers: &["gcr", "gcloud"],
    },
];

/// AWS's registry for everybody, which the pattern does not know.
const PUBLIC_ECR: &str = "public.ecr.aws";

static PATTERNS: LazyLock<[Option<Regex>; 3]> =
    LazyLock::new(|| KNOWN.each_ref().map(|known| Regex::new(known.pattern).ok()));

impl Provider {
    /// The provider of a repository; `None`: `generic`, which is no cloud.
    ///
    /// # Errors
    /// Flux's text for a provider that there is none of.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        match text {
            "" | "generic" => Ok(None),
            "aws" => Ok(Some(Self::Aws)),
            "azure" => Ok(Some(Self::Azure)),
            "gcp" => Ok(Some(Self::Gcp)),
            other => Err(format!("provider '{other}' not implemented")),
        }
    }

    fn known(self) -> &'static Known {
        &KNOWN[self as usize]
    }

    /// As it is written in an object.
    pub fn name(self) -> &'static str {
        self.known().name
    }

    /// What its credential helpers are called, without `docker-credential-`; the usual one first.
    pub fn helpers(self) -> &'static [&'static str] {
        self.known().helpers
    }

    /// Whether `host`, with its port if it has one, is a registry of this provider.
    ///
    /// # Errors
    /// Flux's text for one that is not.
    pub fn check(self, host: &str) -> Result<(), String> {
        let known = self.known();
        let matches = PATTERNS[self as usize].as_ref().is_some_and(|pattern| pattern.is_match(host));
        if matches || (self == Self::Aws && host == PUBLIC_ECR) {
            return Ok(());
        }
        Err(format!("invalid {} registry: '{host}'. must match {}", known.title, known.pattern))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_has_registries_of_its_own_and_no_others() {
        let good = [
            (Provider::Aws, "012345678901.dkr.ecr.us-east-1.amazonaws.com"),
            (Provider::Aws, "012345678901.dkr.ecr-fips.us-gov-west-1.amazonaws.com"),
            (Provider::Aws, "012345678901.dkr.ecr.cn-north-1.amazonaws.com.cn"),
            (Provider::Aws, "012345678901.dkr-ecr.us-east-1.on.aws"),
            (Provider::Aws, "public.ecr.aws"),
            (Provider::Azure, "team.azurecr.io"),
            (Provider::Gcp, "gcr.io"),
            (Provider::Gcp, "eu.gcr.io"),
            (Provider::Gcp, "europe-west1-docker.pkg.dev"),
        ];
        for (provider, host) in good {
            assert_eq!(provider.check(host), Ok(()), "{host}");
        }
        let bad = [
            (Provider::Aws, "ghcr.io"),
            (Provider::Azure, "azurecr.io"),
            (Provider::Azure, "team.azurecr.io:443"),
            (Provider::Gcp, "gcr.io.example.com"),
        ];
        for (provider, host) in bad {
            assert!(provider.check(host).is_err(), "{host}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_said_in_the_words_of_flux() {
        assert_eq!(
            Provider::Gcp.check("ghcr.io").unwrap_err(),
            r"invalid GCP registry: 'ghcr.io'. must match ^(((.+\.)?gcr\.io)|(.+-docker\.pkg\.dev)|(docker\.s3nsregistry\.fr))$"
        );
        let error = Provider::Azure.check("ghcr.io").unwrap_err();
        assert!(error.starts_with("invalid Azure registry: 'ghcr.io'. must match ^.+\\.(azurecr"), "{error}");
        assert_eq!(Provider::parse("oci").unwrap_err(), "provider 'oci' not implemented");
        assert_eq!(Provider::parse("generic"), Ok(None));
        for known in KNOWN {
            assert_eq!(Provider::parse(known.name).unwrap().unwrap().name(), known.name);
        }
    }
}
