//! Title and body of a request, from the commits of a plan.

use std::fmt::Write;

use super::markdown::{block, code};
use crate::domain::plan::{Group, sha256_hex};
use crate::domain::proposal::{NewReference, Proposal};
use crate::text::{Shown, count};

/// The longest title, in cells; forges take 255 characters.
const LONGEST_TITLE: usize = 200;
/// The longest body, in bytes; GitHub takes 65,536 characters.
const LONGEST_BODY: usize = 60_000;
/// The longest body with what people wrote before ours, in bytes.
const LONGEST_JOINED: usize = 65_000;
/// The longest message that is repeated in a body, in bytes.
const LONGEST_MESSAGE: usize = 20_000;
/// What the messages of all commits may take of a body, in bytes.
const LONGEST_MESSAGES: usize = 40_000;
/// What marks our part of a body, before the plan and hashes of the title and of the branch.
const MARK: &str = "<!-- supercargo ";
/// What the title of a draft begins with, at one forge or another.
const DRAFTS: [&str; 5] = ["draft:", "[draft]", "(draft)", "wip:", "[wip]"];

/// What a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestWords {
    /// The commit's subject; of several commits the first's, and how many more there are.
    pub title: String,
    /// The plan's part of the body, in Markdown.
    pub body: String,
    /// What the body of a request that has this plan already contains.
    mark: String,
}

impl RequestWords {
    /// The words for the commits of one push of a plan.
    pub fn of(plan: &str, groups: &[&Group]) -> Self {
        let title = title(groups);
        let mark = format!("{MARK}{plan} ");
        let push = groups.first().and_then(|group| group.push.as_ref());
        let branch = push.map(|push| push.branch.as_str()).unwrap_or_default();
        let mut body = format!("{mark}{} {} -->\n", hash(&title), hash(branch));
        messages(&mut body, groups);
        table(&mut body, groups);
        let _ = writeln!(body, "\n{}", last_line(plan));
        Self { title, body, mark }
    }

    /// Whether the body of a request has a plan in it that was pushed to this branch.
    pub fn are_of_branch(body: &str, branch: &str) -> bool {
        let branch = hash(branch);
        body.split(MARK).skip(1).any(|piece| {
            let mark = piece.lines().next().unwrap_or_default();
            mark.split_whitespace().nth(2) == Some(&branch)
        })
    }

    /// Whether a title has the sign of a draft.
    pub fn are_of_draft(title: &str) -> bool {
        !split_draft(title).0.is_empty()
    }

    /// What to make of a request that is open with this title and body: its new title and body. `None`: it says all this
    /// already.
    ///
    /// The plan is added to the body. The title becomes the plan's where it is the one of the plan before; what a person
    /// made of it stays, and so does the sign of a draft.
    pub fn update(&self, title: &str, body: &str) -> Option<(String, String)> {
        if body.contains(&self.mark) {
            return None;
        }
        let (draft, bare) = split_draft(title);
        let is_ours = last_title(body).is_some_and(|known| known == hash(bare));
        let title = if is_ours { format!("{draft}{}", self.title) } else { title.to_owned() };
        Some((title, self.after(body.trim_end())))
    }

    /// The plan's part after what a request says already; where both are too long, after what people wrote, wherever between
    /// the plans that stands, as much of it as there is room for.
    fn after(&self, before: &str) -> String {
        let room = LONGEST_JOINED.saturating_sub(self.body.len() + 2);
        let by_people;
        let before = if before.len() <= room {
            before
        } else {
            by_people = without_plans(before);
            start(&by_people, room).trim_end()
        };
        if before.is_empty() { self.body.clone() } else { format!("{before}\n\n{}", self.body) }
    }
}

/// What a body says beside the plans in it: each begins with its mark and ends with the line that names it. Where that line
/// is gone, nobody can tell where people go on, and all of it is kept.
fn without_plans(body: &str) -> String {
    let mut pieces = body.split(MARK);
    let mut kept: Vec<&str> = pieces.next().map(str::trim).into_iter().collect();
    for piece in pieces {
        let plan = piece.split_whitespace().next().unwrap_or_default();
        let last = last_line(plan);
        let after = piece.split_once(&format!("\n{last}")).map_or(piece, |(_plan, after)| after);
        kept.push(after.trim());
    }
    kept.retain(|text| !text.is_empty());
    kept.join("\n\n")
}

/// The last line of a plan's part.
fn last_line(plan: &str) -> String {
    format!("Plan {}.", code(plan))
}

/// The text, or its first `most` bytes and less if that would halve a character.
fn start(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// What each commit says, as far as there is room; of one commit the subject is the title.
fn messages(body: &mut String, groups: &[&Group]) {
    for (done, group) in groups.iter().enumerate() {
        let mut part = String::new();
        if groups.len() > 1 {
            let subject = Shown::new(subject(&group.message)).cut_end(LONGEST_TITLE);
            let _ = writeln!(part, "\n**{}**", code(subject.as_str()));
        }
        let text = rest(&group.message);
        if !text.is_empty() {
            let _ = write!(part, "\n{}", block(text));
        }
        if body.len() + part.len() > LONGEST_MESSAGES {
            let _ = writeln!(body, "\n… and {}.", count(groups.len() - done, "more commit"));
            return;
        }
        body.push_str(&part);
    }
}

/// The first line of a message.
fn subject(message: &str) -> &str {
    message.trim_start().lines().next().unwrap_or_default()
}

/// What stands behind the subject, at most so much of it as a body has room for.
fn rest(message: &str) -> &str {
    let text = message.trim_start().split_once('\n').map_or("", |(_, rest)| rest.trim());
    start(text, LONGEST_MESSAGE)
}

fn title(groups: &[&Group]) -> String {
    let first = groups.first().map(|group| subject(&group.message)).unwrap_or_default();
    let shown = Shown::new(first.trim()).cut_end(LONGEST_TITLE);
    match groups.len() {
        0 | 1 => shown.to_string(),
        several => format!("{shown}, and {}", count(several - 1, "more commit")),
    }
}

fn hash(text: &str) -> String {
    sha256_hex(text.trim().as_bytes()).chars().take(12).collect()
}

/// The sign of a draft with the blank behind it, and the title without it.
fn split_draft(title: &str) -> (&str, &str) {
    let begins = |sign: &str| title.get(..sign.len()).is_some_and(|start| start.eq_ignore_ascii_case(sign));
    let Some(sign) = DRAFTS.into_iter().find(|sign| begins(sign)) else { return ("", title) };
    let bare = title.get(sign.len()..).unwrap_or_default().trim_start();
    title.split_at(title.len() - bare.len())
}

/// The hash of the title that the last plan in this body had.
fn last_title(body: &str) -> Option<&str> {
    let (_, mark) = body.rsplit_once(MARK)?;
    mark.lines().next()?.split_whitespace().nth(1)
}

/// The updates, a row each, as far as they fit.
fn table(body: &mut String, groups: &[&Group]) {
    body.push_str(
        "\n| Policy | Image | From | To | Step | Places |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    let updates = groups.iter().flat_map(|group| &group.updates);
    let rows: Vec<String> = updates.filter(|update| update.is_approved()).map(row).collect();
    for (done, row) in rows.iter().enumerate() {
        if body.len() + row.len() + 200 > LONGEST_BODY {
            let _ = writeln!(body, "\n… and {}.", count(rows.len() - done, "more update"));
            return;
        }
        body.push_str(row);
    }
    let edits = groups.iter().flat_map(|group| &group.updates).flat_map(Proposal::approved_edits);
    for (at, edit) in edits.enumerate() {
        let start = if at == 0 { "\n" } else { "" };
        let _ = writeln!(body, "{start}- {} in {}", code(&edit.words()), code(&edit.file));
    }
}

fn row(update: &Proposal) -> String {
    let from: Vec<String> = update.current.iter().map(|tag| code(tag)).collect();
    let to = match &update.new {
        Some(NewReference { tag, digest: Some(digest) }) => code(&format!("{tag}@{digest}")),
        Some(NewReference { tag, digest: None }) => code(tag),
        None => String::new(),
    };
    format!(
        "| {} | {} | {} | {to} | {} | {} in {} |\n",
        code(&update.policy.to_string()),
        code(&update.image),
        from.join(", "),
        update.step.map_or("", super::super::proposal::Step::word),
        count(update.approved().count(), "place"),
        count(update.files(), "file"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::object::{ObjectId, Person};

    fn update(policy: &str, current: &str, new: &str) -> Proposal {
        let json = serde_json::json!({
            "policy": {"namespace": "flux-system", "name": policy}, "automation": {"namespace": "flux-system", "name": "apps"},
            "image": "ghcr.io/acme/podinfo", "current": [current], "new": {"tag": new, "digest": null}, "step": "minor",
            "downgrade": false, "name_changed": false, "state": "pending", "decision": "approved", "hold": null,
            "blocked": null, "why": "", "first_seen": null, "sites": [{
                "file": "a.yaml", "line": 1, "column": 1, "setter": "", "field": "", "object": {}, "old": current, "new": new,
                "decision": "approved",
            }],
        });
        serde_json::from_value(json).unwrap()
    }

    fn group(message: &str, updates: Vec<Proposal>) -> Group {
        Group {
            automation: ObjectId::new("flux-system", "apps"),
            remote: None,
            base: None,
            push: None,
            author: Person::default(),
            signing_key: None,
            message: message.to_owned(),
            message_edited: false,
            warnings: Vec::new(),
            files: Vec::new(),
            updates,
        }
    }

    #[test]
    fn a_request_says_what_its_commit_says_and_has_a_row_for_each_update() {
        let one =
            group("Update podinfo\n\nBecause of\n/merge @all\n", vec![update("podinfo", "6.5.4", "6.6.1")]);
        let words = RequestWords::of("7f3c9a01b2c4", &[&one]);
        assert_eq!(words.title, "Update podinfo");
        let expected = "\n```text\nBecause of\n/merge @all\n```\n\n\
            | Policy | Image | From | To | Step | Places |\n| --- | --- | --- | --- | --- | --- |\n\
            | `flux-system/podinfo` | `ghcr.io/acme/podinfo` | `6.5.4` | `6.6.1` | minor | 1 place in 1 file |\n\n\
            Plan `7f3c9a01b2c4`.\n";
        assert!(words.body.starts_with("<!-- supercargo 7f3c9a01b2c4 "), "{}", words.body);
        assert_eq!(words.body.split_once("-->\n").unwrap().1, expected);
    }

    #[test]
    fn a_body_tells_of_which_branch_its_plans_are() {
        let push = serde_json::json!({"branch": "updates", "commit": null, "behind": 0, "refspec": null, "options": {}});
        let pushed = Group { push: serde_json::from_value(push).unwrap(), ..group("Update a", vec![]) };
        let words = RequestWords::of("one", &[&pushed]);
        let body = format!("Rita: see <!-- supercargo --> below.\n{}", words.body);
        assert!(RequestWords::are_of_branch(&body, "updates"));
        assert!(!RequestWords::are_of_branch(&body, "others") && !RequestWords::are_of_branch("", "updates"));
        assert_eq!(words.update("Mine", &body), None, "the plan is in it");
    }

    #[test]
    fn of_several_commits_each_is_told() {
        let (one, two) = (group("Update a\n", vec![]), group("Update @b|c\n\nmore", vec![]));
        let words = RequestWords::of("p", &[&one, &two]);
        assert_eq!(words.title, "Update a, and 1 more commit");
        assert!(
            words.body.contains("**`Update a`**") && words.body.contains("&#64;b&#124;c"),
            "{}",
            words.body
        );
    }

    #[test]
    fn a_value_of_a_file_cannot_break_the_table() {
        let hostile = update("podinfo", "1 | @all `x`\u{202e}\n| evil |", "2");
        let words = RequestWords::of("p", &[&group("s", vec![hostile])]);
        let rows: Vec<&str> = words.body.lines().filter(|line| line.contains("podinfo")).collect();
        assert_eq!(rows.len(), 1, "{}", words.body);
        assert_eq!(rows[0].matches('|').count(), 7, "{}", rows[0]);
        assert!(!rows[0].contains("@all") && !rows[0].contains('\u{202e}'));
    }

    #[test]
    fn a_body_has_room_for_so_many_updates_and_says_how_many_more_there_are() {
        let updates = (0..2000).map(|number| update(&format!("policy-{number}"), "1", "2")).collect();
        let words = RequestWords::of("p", &[&group(&format!("s\n\n{}", "é".repeat(40_000)), updates)]);
        assert!(words.body.len() <= LONGEST_BODY, "{}", words.body.len());
        assert!(words.body.contains(" more updates.\n"));
    }

    #[test]
    fn a_body_has_room_for_so_many_commits_and_says_how_many_more_there_are() {
        let group = group(&format!("{}\n\n{}", "|".repeat(5_000), "é".repeat(40_000)), vec![]);
        let words = RequestWords::of("p", &[&group; 300]);
        assert!(words.body.len() <= LONGEST_BODY, "{}", words.body.len());
        assert!(words.body.contains("\n… and 299 more commits.\n"), "{}", words.body.len());
        assert!(words.body.ends_with("Plan `p`.\n"));
    }

    #[test]
    fn what_people_wrote_before_the_plans_stays_where_a_body_is_too_long() {
        let first = RequestWords::of("one", &[&group("Update a", vec![])]);
        let second = RequestWords::of("two", &[&group("Update b", vec![])]);
        let long = first.body.replace("\nPlan", &format!("{}\nPlan", "é".repeat(40_000)));
        let (_, body) = second.update("t", &format!("Rita: not on Friday.\n\n{long}")).unwrap();
        assert_eq!(body, format!("Rita: not on Friday.\n\n{}", second.body));
        let third = RequestWords::of("three", &[&group("Update c", vec![])]);
        let said = format!("Rita: no.\n\n{long}\nOmar: why?\n\n{}\nRita: see above.\n", second.body);
        let (_, body) = third.update("t", &said).unwrap();
        assert_eq!(body, format!("Rita: no.\n\nOmar: why?\n\nRita: see above.\n\n{}", third.body));
        // A person took the line away by which a plan's part ends.
        let open = long.replace("Plan `one`.", "Omar: why?");
        let (_, body) = third.update("t", &open).unwrap();
        assert!(body.len() > LONGEST_JOINED - 4 && body.ends_with(&third.body), "{}", body.len());
        let (_, body) = second.update("t", &"é".repeat(40_000)).unwrap();
        assert!(body.starts_with("éé") && body.ends_with(&second.body) && body.len() <= LONGEST_JOINED);
        assert!(body.len() > LONGEST_JOINED - 4, "{}", body.len());
    }

    #[test]
    fn a_further_plan_is_added_and_the_same_plan_is_not() {
        let first = RequestWords::of("one", &[&group("Update a", vec![])]);
        let second = RequestWords::of("two", &[&group("Update b", vec![])]);
        assert_eq!(first.update(&first.title, &first.body), None);
        let (title, body) = second.update("Draft: Update a", &first.body).unwrap();
        assert_eq!(title, "Draft: Update b");
        assert!(body.starts_with(first.body.trim_end()) && body.ends_with(&second.body));
        assert_eq!(second.update(&title, &body), None);
        let by_hand =
            second.update("Friday's release", &format!("{}\nApproved by Rita.", first.body)).unwrap();
        assert_eq!(by_hand.0, "Friday's release");
        assert!(by_hand.1.contains("Approved by Rita."));
        assert_eq!(second.update("Mine", "").unwrap(), ("Mine".to_owned(), second.body.clone()));
    }

    #[test]
    fn a_title_is_one_line_of_bearable_length() {
        let long = "x".repeat(1000);
        assert_eq!(RequestWords::of("p", &[&group(&long, vec![])]).title.chars().count(), LONGEST_TITLE);
        let odd = RequestWords::of("p", &[&group("a\u{1b}[31mb\rc\nd", vec![])]).title;
        assert!(!odd.chars().any(char::is_control), "{odd:?}");
    }
}
