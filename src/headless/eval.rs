//! `eval policy`: a verdict without a screen, on tags from a file, standard input, a registry or an object's last scan.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::session::{Progress, Session};
use super::{Answer, Document, Table, Text, input};
use crate::cli::EvalPolicyArgs;
use crate::config::Settings;
use crate::domain::object::{
    DEFAULT_EXCLUSION, ImageRepository, Kind, OrderChoice, PolicyChoice, SemverChoice, TagFilter,
};
use crate::domain::policy::{Counts, Evaluation, Evaluator, JudgedTag};
use crate::domain::tags::{TagList, Unsorted};
use crate::engine::Engine;
use crate::problem::{Code, Problem, strongest_exit};

/// What the policy says, and what it is to be tried on.
struct Trial {
    choice: PolicyChoice,
    filter: Option<TagFilter>,
    exclusions: Vec<String>,
    tags: Option<Arc<TagList>>,
    /// What was wrong with the source that the policy came from.
    problems: Vec<Problem>,
    /// Why the tags are those of an earlier scan, if a scan was due and failed.
    missed: Option<Problem>,
}

/// The answer.
struct PolicyEvaluation {
    latest: Option<String>,
    error: Option<String>,
    tie: bool,
    counts: Counts,
    /// `None` with `--summary`.
    rows: Option<Vec<JudgedTag>>,
}

impl Document for PolicyEvaluation {
    fn kind(&self) -> &'static str {
        "PolicyEvaluation"
    }

    fn json(&self) -> Map<String, Value> {
        let mut object = Map::from_iter([
            ("latest".to_owned(), json!(self.latest.as_ref().map(|tag| json!({ "tag": tag })))),
            ("error".to_owned(), json!(self.error)),
            ("tie".to_owned(), json!(self.tie)),
            ("counts".to_owned(), json!(self.counts)),
        ]);
        if let Some(rows) = &self.rows {
            object.insert("tags".to_owned(), json!(rows));
        }
        object
    }

    fn text(&self, _wide: bool) -> Text {
        Text::Table(self.rows.as_ref().map_or_else(|| self.summary(), |rows| list(rows)))
    }

    fn names(&self) -> Vec<String> {
        self.latest.iter().cloned().collect()
    }
}

impl PolicyEvaluation {
    fn summary(&self) -> Table {
        let Counts { tags, candidates, exclude, filter, collide, range, unparsed, invalid } = self.counts;
        let counts = [tags, candidates, exclude, filter, collide, range, unparsed, invalid];
        let headings = [
            "LATEST", "TIE", "TAGS", "MATCH", "EXCLUDE", "FILTER", "COLLIDE", "RANGE", "UNPARSED", "INVALID",
        ];
        let mut table = Table::new(headings);
        let first = [self.latest.clone().unwrap_or_else(|| "-".to_owned()), self.tie.to_string()];
        table.push(first.into_iter().chain(counts.map(|count| count.to_string())));
        table
    }
}

fn list(rows: &[JudgedTag]) -> Table {
    let mut table = Table::new(["STATE", "TAG", "VALUE", "REASON"]);
    for row in rows {
        let value = row.value.clone().unwrap_or_default();
        table.push([row.state.to_string(), row.tag.clone(), value, row.reason.clone()]);
    }
    table
}

/// `eval policy`.
pub(super) fn policy(settings: &Settings, args: &EvalPolicyArgs) -> Result<Answer, Problem> {
    let trial = Trial::new(settings, args)?;
    let mut problems = trial.problems;
    let tags = match (trial.tags, args.tags_from.as_deref(), args.image.as_deref()) {
        (Some(tags), ..) => tags,
        (None, Some(place), _) => Arc::new(read_tags(place)?),
        (None, None, Some(image)) => {
            let engine = Engine::open(settings.clone())?;
            let scanned = Progress::scan_image(settings, &engine, image);
            let said = engine.image_problems();
            match scanned {
                Ok(scan) => {
                    problems.extend(said);
                    scan.tags
                }
                Err(problem) => return Ok(Answer::failed(problem, said)),
            }
        }
        (None, None, None) => {
            return Err(Problem::new(Code::Usage, "eval policy", "there are no tags to try it on")
                .hint("Give --tags-from, --image, or the name of an ImagePolicy."));
        }
    };
    let evaluator = Evaluator::new(&trial.choice, trial.filter.as_ref(), &trial.exclusions);
    let evaluation = evaluator.evaluate(&tags);
    let subject = args.name.as_deref().unwrap_or("policy");
    problems.extend(evaluation.error.as_ref().map(|error| error.problem(subject)));
    let exit = if evaluation.error.is_some() { Code::PolicyFailed.exit() } else { 0 };
    let exit = strongest_exit([exit, trial.missed.as_ref().map_or(0, Problem::exit)]);
    problems.extend(trial.missed);
    let document = describe(&evaluator, &tags, &evaluation, args.summary);
    Ok(Answer::new(document).with_problems(problems).with_exit(exit))
}

fn describe(
    evaluator: &Evaluator,
    tags: &TagList,
    evaluation: &Evaluation,
    summary: bool,
) -> PolicyEvaluation {
    PolicyEvaluation {
        latest: evaluation.latest.and_then(|latest| tags.get(latest)).map(str::to_owned),
        error: evaluation.error.as_ref().map(ToString::to_string),
        tie: evaluation.tie,
        counts: evaluation.counts,
        rows: (!summary).then(|| evaluator.judged(tags, evaluation)),
    }
}

impl Trial {
    /// What NAME says, with the options in place of what they replace.
    fn new(settings: &Settings, args: &EvalPolicyArgs) -> Result<Self, Problem> {
        let mut trial = match &args.name {
            Some(name) => Self::of_object(settings, name, args)?,
            None => Self {
                choice: PolicyChoice::default(),
                filter: None,
                exclusions: vec![DEFAULT_EXCLUSION.to_owned()],
                tags: None,
                problems: Vec::new(),
                missed: None,
            },
        };
        trial.choice = match (choice_of(args), &args.name) {
            (Some(choice), _) => choice,
            (None, Some(_)) => trial.choice,
            (None, None) => {
                return Err(Problem::new(Code::Usage, "eval policy", "there is no rule to try")
                    .hint("Give --semver, --numerical, --alphabetical, or the name of an ImagePolicy."));
            }
        };
        if args.pattern.is_some() || args.extract.is_some() {
            let own = trial.filter.unwrap_or_default();
            trial.filter = Some(TagFilter {
                pattern: args.pattern.clone().unwrap_or(own.pattern),
                extract: args.extract.clone().unwrap_or(own.extract),
            });
        }
        if args.no_exclude {
            trial.exclusions.clear();
        } else if !args.exclude.is_empty() {
            trial.exclusions.clone_from(&args.exclude);
        }
        Ok(trial)
    }

    /// The object of that name, and the tags of its repository unless others were asked for.
    fn of_object(settings: &Settings, name: &str, args: &EvalPolicyArgs) -> Result<Self, Problem> {
        let session = Session::open(settings)?;
        let inventory = &session.world.inventory;
        let id = session.find(Kind::ImagePolicy, name, inventory.policies.keys())?;
        let missing =
            || Problem::new(Code::NotFound, id.to_string(), "its ImageRepository is nowhere to be found");
        let policy = inventory.policies.get(&id).ok_or_else(missing)?;
        let repository = inventory.repositories.get(&policy.repository);
        let mut missed = None;
        let tags = if args.tags_from.is_some() || args.image.is_some() {
            None
        } else {
            let twice = || inventory.ambiguity(Kind::ImageRepository, &policy.repository);
            let repository = repository.ok_or_else(|| twice().unwrap_or_else(missing))?;
            let (scan, why) = super::tags::tags_of(&session, &repository.meta.id)?;
            missed = why;
            Some(scan.tags)
        };
        let exclusions =
            repository.map_or_else(|| vec![DEFAULT_EXCLUSION.to_owned()], ImageRepository::exclusions);
        Ok(Self {
            choice: policy.choice.clone(),
            filter: policy.filter.clone(),
            exclusions,
            tags,
            problems: session.problems(),
            missed,
        })
    }
}

/// The rule that was typed, if any.
fn choice_of(args: &EvalPolicyArgs) -> Option<PolicyChoice> {
    let order = |order: &Option<String>| order.clone().map(|order| OrderChoice { order });
    let choice = PolicyChoice {
        semver: args.semver.clone().map(|range| SemverChoice { range }),
        numerical: order(&args.numerical),
        alphabetical: order(&args.alphabetical),
    };
    (choice != PolicyChoice::default()).then_some(choice)
}

/// Reads tags from a file, or from standard input for `-`.
fn read_tags(place: &str) -> Result<TagList, Problem> {
    let subject = format!("--tags-from {place}");
    let text = input::text(place, &subject)?;
    parse_tags(text).map_err(|error| {
        let problem = Problem::new(Code::Usage, subject, "is no list of tags").caused_by(&error);
        problem.hint("Give a tag a line, a JSON array of tags, or what a registry answers: {\"tags\": […]}.")
    })
}

/// A tag a line, or JSON: an array, or a registry's answer.
fn parse_tags(text: String) -> Result<TagList, serde_json::Error> {
    #[derive(Deserialize)]
    struct Listed {
        // A registry may answer null for none; without the key it is something else.
        #[serde(deserialize_with = "Option::deserialize")]
        tags: Option<Vec<String>>,
    }
    Ok(match text.trim_start().as_bytes().first() {
        Some(b'[') => TagList::from_unsorted(serde_json::from_str::<Vec<String>>(&text)?),
        Some(b'{') => TagList::from_unsorted(serde_json::from_str::<Listed>(&text)?.tags.unwrap_or_default()),
        _ => {
            let mut tags = Unsorted::default();
            tags.reserve(text.len());
            text.lines().filter(|line| !line.trim().is_empty()).for_each(|line| tags.push(line));
            // It takes as much room as the tags, and putting them in order wants that once more.
            drop(text);
            tags.sorted()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_come_in_lines_or_in_either_form_of_json() {
        for text in ["b\r\na\n\n  \n", "[\"a\",\"b\"]", " {\"name\":\"x\",\"tags\":[\"a\",\"b\"]}"] {
            assert_eq!(parse_tags(text.to_owned()).unwrap().iter().collect::<Vec<_>>(), ["b", "a"], "{text}");
        }
        assert!(parse_tags("{\"tags\":null}".to_owned()).unwrap().is_empty());
        parse_tags("{".to_owned()).unwrap_err();
        for other in ["{}", "{\"errors\":[{\"code\":\"NAME_UNKNOWN\"}]}"] {
            let error = parse_tags(other.to_owned()).unwrap_err();
            assert!(error.to_string().contains("missing field `tags`"), "{other}");
        }
    }

    #[test]
    fn the_answer_has_the_shape_of_the_contract() {
        let choice = PolicyChoice { numerical: Some(OrderChoice::default()), ..PolicyChoice::default() };
        let filter = TagFilter { pattern: "^main-(?P<ts>[0-9]+)".to_owned(), extract: "$ts".to_owned() };
        let evaluator = Evaluator::new(&choice, Some(&filter), &[]);
        let tags: TagList = ["main-1", "main-2", "v1"].into_iter().collect();
        let document = describe(&evaluator, &tags, &evaluator.evaluate(&tags), false);
        let expected = json!({
            "latest": { "tag": "main-2" }, "error": null, "tie": false,
            "counts": { "tags": 3, "match": 2, "exclude": 0, "filter": 1, "collide": 0, "range": 0, "unparsed": 0, "invalid": 0 },
            "tags": [
                { "tag": "main-2", "state": "latest", "value": "2", "reason": "selected: greatest of 2 candidates" },
                { "tag": "main-1", "state": "match", "value": "1", "reason": "candidate; 2 is greater" },
                { "tag": "v1", "state": "filter", "value": null,
                  "reason": "pattern \"^main-(?P<ts>[0-9]+)\" does not match" },
            ],
        });
        assert_eq!(Value::Object(document.json()), expected);
        assert_eq!(document.names(), ["main-2"]);
        let summary = describe(&evaluator, &tags, &evaluator.evaluate(&tags), true);
        assert!(!summary.json().contains_key("tags"));
    }
}
