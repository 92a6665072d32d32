//! What forges print after a push: the address of the request that it opened or updated.
//!
//! Sources: gitlab-org/gitlab:lib/gitlab/internal_post_receive, "View merge request for …"; go-gitea/gitea:cmd/hook.go,
//! "Visit the existing pull request:" and "Create a new pull request for …".

use url::Url;

use crate::domain::forge::{ForgeKind, Project};

/// Number and page of the request of this project that a server printed.
///
/// A page of another host or another project is none of ours: anyone's hook may print.
pub fn request(printed: &str, project: &Project) -> Option<(u64, String)> {
    let between = match project.kind {
        ForgeKind::GitLab => "-/merge_requests",
        ForgeKind::Gitea => "pulls",
        _ => return None,
    };
    let web = Url::parse(&project.web).ok()?;
    let start = format!("{}/{}/{between}/", web.path().trim_end_matches('/'), project.path);
    printed.split_whitespace().rev().find_map(|word| {
        let url = Url::parse(word).ok()?;
        let number = url.path().strip_prefix(&start)?.parse().ok()?;
        let ours = url.host_str() == web.host_str() && matches!(url.scheme(), "http" | "https");
        ours.then(|| (number, url.to_string()))
    })
}

/// What GitLab says of options that it did not obey; `None` if it said nothing.
pub fn refusal(printed: &str) -> Option<String> {
    let lines: Vec<&str> = printed.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| line.contains("encountered with push options"))?;
    let told = lines.iter().skip(at).take_while(|line| !line.is_empty() && !line.starts_with('='));
    Some(told.copied().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(kind: ForgeKind) -> Project {
        Project { kind, web: "https://git.example.com".to_owned(), path: "ops/fleet".to_owned() }
    }

    #[test]
    fn the_request_that_a_push_opened_is_read_from_what_is_printed() {
        let gitlab =
            "\nView merge request for updates:\n  https://git.example.com/ops/fleet/-/merge_requests/12\n\n";
        let page = "https://git.example.com/ops/fleet/-/merge_requests/12".to_owned();
        assert_eq!(request(gitlab, &project(ForgeKind::GitLab)), Some((12, page)));
        let gitea = "Visit the existing pull request:\n  https://git.example.com/ops/fleet/pulls/7\n";
        assert_eq!(request(gitea, &project(ForgeKind::Gitea)).unwrap().0, 7);
    }

    #[test]
    fn the_page_to_open_one_and_pages_of_others_are_no_request() {
        for line in [
            "https://git.example.com/ops/fleet/-/merge_requests/new?merge_request%5Bsource_branch%5D=updates",
            "https://evil.example.com/ops/fleet/-/merge_requests/12",
            "https://git.example.com/ops/other/-/merge_requests/12",
            "javascript://git.example.com/ops/fleet/-/merge_requests/12",
            "",
        ] {
            assert_eq!(request(line, &project(ForgeKind::GitLab)), None, "{line}");
        }
    }

    #[test]
    fn what_gitlab_did_not_do_is_told_in_its_words() {
        let printed = "\n========\nWARNINGS:\n\nErrors encountered with push options 'merge_request.create, merge_request.target=gone': \
                       Branch gone does not exist\n\n========\n";
        assert!(refusal(printed).unwrap().ends_with("Branch gone does not exist"));
        assert_eq!(refusal("View merge request for updates:"), None);
    }
}
