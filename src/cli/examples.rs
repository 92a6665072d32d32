//! What `--help` of a command says first: what the command is for, then examples that work as they stand.

pub(super) const PROGRAM: &str = "Preview, explain and land Flux image updates, with a person in the loop.

  supercargo demo                                    practise on a built-in registry and remote
  supercargo                                         the dashboard, on PATH or the current directory
  supercargo get updates                             what would change, as a table
  supercargo plan --all -o json > plan.json          approve everything that is safe, into a file
  supercargo push --plan plan.json --write --yes     land exactly that

Supercargo lists image repositories and their live tags, shows what each policy selects and why, the exact diff of
the marked lines, and lands what you approve as a commit.";

pub(super) const DEMO: &str = "Practise: an embedded registry, a throw-away remote, a simulated CI.

Everything lies in one temporary directory and goes with the program; nothing of yours is read or written.

  supercargo demo                        the dashboard, on pretend images
  supercargo demo --read-only            the same, to look at and change nothing
  supercargo demo --headless             scan, plan, approve, push and verify once, a line a step";

pub(super) const SCAN: &str = "List the tags that registries have now, and remember them.

  supercargo scan repository --all                  every ImageRepository of the source
  supercargo scan repository flux-system/podinfo    one of them
  supercargo scan --image ghcr.io/acme/podinfo      any image, without an object
  supercargo scan repository --all -w -o json       go on, and print a JSON line for each tag that changes

Exit 8 if some repositories failed and others did not.";

pub(super) const GET: &str = "Show repositories, policies, automations, tags or updates.

  supercargo get updates                     what is pending, and why
  supercargo get updates --exit-code -o json   for scripts: exit 1 if there is anything
  supercargo get image policy -A             as `flux get image policy -A`
  supercargo get tags podinfo --state match,latest
  supercargo get holds                       what people hold back
  supercargo get updates -w -o json          the list, a line each time that it changes";

pub(super) const EXPLAIN: &str =
    "Why a tag is selected, or not: the rules in their order, up to the one that decides; then what stands behind the tag.

  supercargo explain tag podinfo 6.7.0-rc.1
  supercargo why podinfo 6.7.0-rc.1 --policy podinfo-stable";

pub(super) const DIFF: &str = "Show the exact diff of the pending updates.

  supercargo diff updates                        a patch that `git apply` takes
  supercargo diff updates podinfo --stat

Exit 1 if there are differences.";

pub(super) const PLAN: &str = "Decide, and print the plan: what is to be committed where, with which message.

  supercargo plan --all                          look at it
  supercargo plan --all -o json > plan.json      keep it, for `push`
  supercargo plan podinfo --branch updates/podinfo -o json
  supercargo plan --all --split policy           a commit for each policy
  supercargo plan --all --split policy --branch 'updates/{policy}-{tag}'
  supercargo plan --all --min-age 3d             leave out what is younger; a name approves it all the same

A plan writes nothing; it is stale once its branches have moved.";

pub(super) const REVIEW: &str = "Open the dashboard on a plan that was made elsewhere, such as in CI.

  supercargo plan --all -o json > plan.json      in CI, on what it found
  supercargo review plan.json --write            look at it, change it, p and y land it

Its decisions are taken over where they still stand; what changed since is undecided, and said.
Exit 5 if the plan was edited by hand.";

pub(super) const SCHEMA: &str = "Print the JSON Schema of what others may read.

  supercargo schema plan > plan.schema.json";

pub(super) const PUSH: &str = "Land a plan: its commits, made and pushed without touching your checkout.

  supercargo push --plan plan.json                      log in, compare, send nothing
  supercargo push --plan plan.json --write --yes        send it, and verify it on the remote
  supercargo plan --all -o json | supercargo push --plan - --write --yes

Exit 4 if the remote refuses, 5 if it moved or the plan was edited, 7 if a confirmation is missing.";

pub(super) const HOLD: &str = "Hold back the updates of a policy, or one tag of it, for a while: seven days, or as [hold] days says.

  supercargo hold mysql --tag 8.0.40 --reason OPS-7
  supercargo hold data/mysql --until 2030-01-07 --reason holidays
  supercargo get holds

What is held is left out of `plan --all`; a plan of its name approves it all the same. Controllers know nothing of holds.";

pub(super) const UNHOLD: &str = "Let go of what is held before its time has come.

  supercargo unhold mysql --tag 8.0.40
  supercargo unhold data/mysql               every hold of the policy";

pub(super) const EVAL: &str = "Try a policy on tags from anywhere.

  supercargo eval policy --semver '>=1.0' --image ghcr.io/acme/podinfo
  supercargo eval policy podinfo --semver 6.x         an object's policy, with another range
  printf '1.0.0\\n1.1.0\\n' | supercargo eval policy --semver 1.x --tags-from - -o name
  supercargo eval batch < requests.jsonl > answers.jsonl    many verdicts at once, for scripts

Exit 6 if the policy fails.";

pub(super) const EVAL_BATCH: &str = "Many verdicts at once: a JSON request a line from standard input, an answer a line to standard output, in order.

  supercargo eval batch < requests.jsonl > answers.jsonl
  supercargo eval batch --strict < requests.jsonl    stop at the first line that is no request

Each line is an object; its `op` says what is asked, its `id` comes back with the answer:

  {\"id\":1,\"op\":\"policy\",\"policy\":{\"semver\":{\"range\":\"1.x\"}},\"tags\":[\"1.2.0\",\"2.0.0\"]}
  {\"id\":2,\"op\":\"semver\",\"range\":\">=1.2 <2\",\"versions\":[\"1.2.0\",\"2.0.0\"]}
  {\"id\":3,\"op\":\"regex\",\"pattern\":\"^v([0-9]+)\",\"haystacks\":[\"v17\"],\"template\":\"$1\"}
  {\"id\":4,\"op\":\"template\",\"template\":\"{{.AutomationObject}}\",\"data\":{\"automation_object\":{\"namespace\":\"a\",\"name\":\"b\"}}}
  {\"id\":5,\"op\":\"set\",\"policies\":[],\"files\":{\"a.yaml\":\"a: b\\n\"}}

What is wrong with a request comes as its `request_error`, what Flux would complain about as `error`; the rest goes on.
Exit 1 if reading or writing fails, 2 with --strict.";

pub(super) const MERGE: &str =
    "Merge a branch of the remote into another: a review branch, once it was reviewed.

  supercargo merge image-updates --into main                   log in, look for conflicts, send nothing
  supercargo merge image-updates --into main --write --yes --confirm-branch main
  supercargo merge image-updates --into main --no-ff --repo shop/fleet

Where main has no commits of its own it moves to the branch's tip; else a merge commit joins both.
Conflicts are named by file, nothing is merged then: exit 5.";

pub(super) const ROLLBACK: &str = "Go back to an older tag: hold the policy here, and print the plan that writes the tag.

  supercargo rollback web --to 1.4.1 --reason why                   for a week, in this program
  supercargo rollback web --to 1.4.1 --reason why --keep narrow -o json > plan.json
  supercargo push --plan plan.json --write --yes

Here no tag of the policy is updated to until then, later ones neither. Controllers ignore holds; by the same plan and commit,
suspend keeps them from writing any tag, narrow from any above TO, exclude only from those of today: later ones are written.
supercargo revert COMMIT takes all of it back; unhold POLICY comes first.";

pub(super) const BOOTSTRAP: &str =
    "Set a repository up for image updates, with the flags of `flux bootstrap`: the repository and its branch, the objects that
make a cluster follow a folder of it, and the image objects of the files source (-C, or the current directory).

  supercargo bootstrap git --url https://git.example.com/ops/fleet.git --path clusters/prod
  supercargo bootstrap github --owner acme --repository fleet --path clusters/prod --read-write-key
  … --write --yes --confirm-branch main          do it, where the above only shows it

Nothing is downloaded or installed: what a cluster lacks is named with the command that installs it.
Files there that say something else are never replaced unless --overwrite says so: exit 5.";

pub(super) const REVERT: &str = "Print a plan that takes back what a commit did to marked values and to objects.

  supercargo revert 8d2e91b                     what would be set back, and what is not
  supercargo revert 8d2e91b -o json > plan.json
  supercargo push --plan plan.json --write --yes

A value is set back where it is still the one that the commit wrote; what changed since is said and left alone.
Where the push branch lacks the commit and the branch that is read has it, the plan is for the latter.
The policies still select the newer images: hold them, or narrow the policy, or the next update brings them back.";

pub(super) const SET: &str = "Rewrite marked values in files, offline.

  supercargo set -p flux-system:podinfo=ghcr.io/acme/podinfo:6.6.1 deploy            the diff
  supercargo set -p flux-system:podinfo=ghcr.io/acme/podinfo:6.6.1 --write deploy    the files";

pub(super) const LINT: &str =
    "Find out why nothing happens: check every marker, and every policy's way from its tags into Git.

  supercargo lint                  the whole work tree
  supercargo lint deploy           only the markers below a folder
  supercargo lint --strict         also images without a marker, policies and repositories without a use, chains
                                   with a broken link, and objects in obsolete versions
  supercargo lint --refresh never  from the tags known so far, without asking a registry

Each finding says what is wrong and, where there is one, what to write instead.
Exit 1 if there are problems; a value that is merely outdated is none.";

pub(super) const CHECK: &str = "Check what is needed: configuration, registries, remotes.

  supercargo check          everything that the objects of this source refer to
  supercargo check --pre    before there are any

Exit 1 if a check failed; each says what to do.";

pub(super) const DOCTOR: &str = "Check what is needed, and the terminal too; or ask one registry with every credential.

  supercargo doctor                              everything that `check` asks, and terminal, colour, locale, paths
  supercargo doctor registry ghcr.io/acme/web    which credential was tried in which order, what the registry said
  supercargo doctor registry ghcr.io             the same for every ImageRepository there, or without any

Exit 1 if a check failed; each says what to do.";

pub(super) const RENDER: &str = "Render a commit message template, byte for byte.

  supercargo render message --template-file message.tmpl --data data.json
  supercargo render message --plan plan.json

Exit 6 if the template fails.";

pub(super) const CREATE: &str =
    "Create objects as flux does: image repositories, policies, automations, sources, secrets.

  supercargo create image repository podinfo --image ghcr.io/acme/podinfo --interval 5m
  supercargo create image policy podinfo --image-ref podinfo --select-semver 6.x --export";

pub(super) const DELETE: &str = "Delete image repositories, policies or automations, as flux does.

  supercargo delete image policy podinfo             asks first
  supercargo delete image policy podinfo web -s      does not
  supercargo delete image update apps -C clusters/staging

In files the document is taken out and no other byte; a file in which none is left goes.";

pub(super) const SUSPEND: &str = "Suspend image repositories, policies or automations, as flux does.

  supercargo suspend image update apps
  supercargo suspend image repository --all -n shop

In files spec.suspend is set and no other byte changed.";

pub(super) const RESUME: &str = "Resume image repositories, policies or automations, as flux does.

  supercargo resume image update apps
  supercargo resume image policy podinfo --wait      and evaluate it";

pub(super) const RECONCILE: &str =
    "Do now what is due later: scan a repository, evaluate a policy, run an automation.

  supercargo reconcile image repository podinfo
  supercargo reconcile image policy --all -A
  supercargo reconcile image update apps

In files: repositories are scanned, policies evaluated, and of an automation the plan's summary is printed.";

pub(super) const EXPORT: &str = "Print image repositories, policies or automations as YAML, as flux does.

  supercargo export image policy podinfo > podinfo-policy.yaml
  supercargo export image repository --all -A";

pub(super) const EVENTS: &str = "Who did what, when, in which mode, and how it ended: the audit log.

  supercargo events --since 1h
  supercargo events --since 2030-01-01 -o json > audit.jsonl    a JSON document a line
  supercargo events -w                                          go on, until a signal

It is kept for 400 days, 256 MiB at most; a day with more than 8 MiB loses its older scans and fetches.";

pub(super) const CACHE: &str =
    "What is kept to be quicker: tag lists, metadata and Git clones. All of it comes back when it is needed.

  supercargo cache info           what is there, how large, and when it was last scanned or fetched
  supercargo cache prune          remove what was not scanned or fetched for 30 days
  supercargo cache clear          remove everything

When tags were first seen, decisions, drafts and the log are none of it, and stay.
prune and clear are refused in READ-ONLY mode; what another instance is using stays.";

pub(super) const CONFIG: &str =
    "Where the configuration lies, what is in force, and a documented file to begin with.

  supercargo config default > ~/.config/supercargo/config.toml
  supercargo config view          each key, its value, and the file, variable or flag that gave it
  supercargo config check         whether the files can be read, and which keys nothing reads";

pub(super) const THEME: &str =
    "The colours of the dashboard: which there are, and whether a theme of yours can be read.

  supercargo theme list
  supercargo theme show cvd-safe -o wide
  supercargo theme check ~/.config/supercargo/themes/mine.toml
  supercargo --theme high-contrast

A theme of yours is a file NAME.toml in the folder themes beside the configuration (supercargo config path); what it does not
list it inherits. `check` measures contrast (4.5:1, or more if the theme promises more) and how far apart colour-blind
eyes see states (ΔE 20), with 24 bits and with 256 colours.";

pub(super) const MAN: &str = "Print a manual page, of the program or of one command.

  supercargo man | man -l -
  supercargo man create image policy > supercargo-create-image-policy.1";

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use crate::cli::Cli;

    /// The calls of the program in a help text: from its name to two spaces, a pipe or a redirection.
    fn calls(help: &str) -> Vec<Vec<String>> {
        let parts =
            help.lines().filter(|line| line.starts_with("  ")).flat_map(|line| line.trim().split(" | "));
        let calls = parts.filter(|part| part.starts_with("supercargo "));
        let calls = calls.map(|call| call.split("  ").next().unwrap().split(" < ").next().unwrap());
        let calls = calls.map(|call| call.split(" > ").next().unwrap());
        calls.map(|call| call.split(' ').map(|word| word.replace('\'', "")).collect()).collect()
    }

    #[test]
    fn every_example_in_a_help_text_is_a_command_line_that_parses() {
        let mut seen = 0;
        let commands: Vec<_> = Cli::command().get_subcommands().cloned().collect();
        for command in
            commands.iter().flat_map(|command| std::iter::once(command).chain(command.get_subcommands()))
        {
            let help = command.get_long_about().map(ToString::to_string).unwrap_or_default();
            for call in calls(&help) {
                seen += 1;
                let parsed = Cli::try_parse_from(&call);
                assert!(parsed.is_ok(), "{call:?}: {}", parsed.unwrap_err());
            }
        }
        assert!(seen > 25, "only {seen} examples were found");
    }
}
