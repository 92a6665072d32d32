//! Names of branches: what Git takes for one, so that a slip of the keyboard is found before anything is planned on it.

/// Why `name` cannot be a branch; `None` if it can.
///
/// Source: git/git:refs.c, `check_refname_format`; builtin/branch.c for the leading dash and `HEAD`.
pub fn defect(name: &str) -> Option<&'static str> {
    let is_forbidden =
        |c: char| c.is_ascii_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\');
    let parts = || name.split('/');
    if name.is_empty() {
        return Some("it is empty");
    }
    if name.chars().any(is_forbidden) || name.contains("@{") {
        return Some("it holds a blank or one of ~ ^ : ? * [ \\ @{");
    }
    if name.contains("..") || name.ends_with('.') || parts().any(|part| part.starts_with('.')) {
        return Some("a point stands where Git allows none");
    }
    if parts().any(|part| part.is_empty() || part.strip_suffix(".lock").is_some()) {
        return Some("a part of it is empty or ends in .lock");
    }
    (name.starts_with('-') || name == "@" || name == "HEAD").then_some("Git means something else by it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_refuses_is_no_branch() {
        for name in ["main", "image-updates", "release/1.2", "ümlaut", "a@b", "updates/{policy}"] {
            assert_eq!(defect(name), None, "{name}");
        }
        let refused = [
            "",
            "bad branch",
            "a/../b",
            "a..b",
            ".a",
            "a/.b",
            "a.",
            "a//b",
            "/a",
            "a/",
            "a.lock",
            "a.lock/b",
            "a~1",
            "a^",
            "a:b",
            "a?",
            "a*",
            "a[b",
            "a\\b",
            "a@{1}",
            "@",
            "-x",
            "HEAD",
            "a\u{7f}",
            "a\nb",
        ];
        for name in refused {
            assert!(defect(name).is_some(), "{name:?}");
        }
    }
}
