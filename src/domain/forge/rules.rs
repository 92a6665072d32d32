//! What a forge lets happen to a branch, and what that means for a push.

use super::ForgeKind;
use crate::domain::plan::Warning;

/// The rules of a branch, as far as its forge tells us; what it does not tell is not so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BranchRules {
    /// Whether it is protected, whoever that keeps out.
    pub is_protected: bool,
    /// Whether this account may push to it all the same, or may not; `None`: that is not told.
    pub may_push: Option<bool>,
    /// Whether commits get there by requests alone.
    pub needs_request: bool,
    /// Whether only signed commits get there.
    pub needs_signature: bool,
}

impl BranchRules {
    /// What stands in the way of a push to `branch`, each with what to do about it; `is_signed` is whether the commits are.
    pub fn warnings(&self, kind: ForgeKind, branch: &str, is_signed: bool) -> Vec<Warning> {
        let (forge, request) = (kind.name(), kind.request());
        let way = format!("push to another branch, and open a {request}");
        let mut found = Vec::new();
        let closed = if self.may_push == Some(false) {
            Some(format!("{forge} lets this account not push to {branch}: {way}"))
        } else if self.needs_request {
            Some(format!("{forge} takes commits for {branch} by {request}s alone: {way}"))
        } else if self.is_protected && self.may_push.is_none() {
            Some(format!("{branch} is protected at {forge}, which may refuse the push: else {way}"))
        } else {
            None
        };
        found.extend(closed.map(|text| Warning::new("branch_protected", text)));
        if self.needs_signature && !is_signed {
            let text = format!(
                "{forge} takes only signed commits on {branch}, and nobody signs these: set commit.gpgsign and \
                 user.signingkey of git, or give the automation a signing key"
            );
            found.push(Warning::new("signature_required", text));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(rules: &BranchRules, is_signed: bool) -> Vec<String> {
        let warnings = rules.warnings(ForgeKind::GitHub, "main", is_signed);
        assert!(warnings.iter().all(|warning| warning.message.contains("main")), "{warnings:?}");
        warnings.into_iter().map(|warning| warning.code).collect()
    }

    #[test]
    fn what_would_be_refused_is_said_before_and_what_is_allowed_is_not() {
        let free = BranchRules::default();
        assert_eq!(codes(&free, false), [""; 0]);
        let protected = BranchRules { is_protected: true, ..free.clone() };
        assert_eq!(codes(&protected, false), ["branch_protected"]);
        assert_eq!(codes(&BranchRules { may_push: Some(true), ..protected.clone() }, false), [""; 0]);
        assert_eq!(
            codes(&BranchRules { may_push: Some(false), ..free.clone() }, false),
            ["branch_protected"]
        );
        assert_eq!(codes(&BranchRules { needs_request: true, ..free.clone() }, false), ["branch_protected"]);
        let signed = BranchRules { needs_signature: true, ..protected };
        assert_eq!(codes(&signed, false), ["branch_protected", "signature_required"]);
        assert_eq!(codes(&signed, true), ["branch_protected"]);
    }
}
