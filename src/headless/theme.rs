//! `theme`: which themes there are, what one makes of the roles, and whether it can be read.

use serde_json::{Map, Value, json};

use super::{Answer, Document, Table, Text, clean};
use crate::cli::ThemeWhat;
use crate::config::{Environment, themes_folder};
use crate::problem::Problem;
use crate::theme::{Described, Finding, Head, Library, Listed, Report, Role, ThemeError, Weight};

/// `theme list|check|show`.
///
/// # Errors
/// No theme or file has the name; for `show`, its file cannot be read.
pub(super) fn theme(env: &dyn Environment, what: &ThemeWhat) -> Result<Answer, Problem> {
    let library = Library::new(themes_folder(env));
    match what {
        ThemeWhat::List => Ok(Answer::new(Themes(library.list()))),
        ThemeWhat::Check { theme } => check(&library, theme),
        ThemeWhat::Show { name } => {
            let roles = library.describe(name).map_err(|error| error.problem())?;
            Ok(Answer::new(Shown { name: name.clone(), roles }))
        }
    }
}

/// A file that is no theme is an answer too: it is what was asked.
fn check(library: &Library, theme: &str) -> Result<Answer, Problem> {
    let report = match library.check(theme) {
        Ok(report) => report,
        Err(error @ (ThemeError::Missing(_) | ThemeError::Unknown { .. })) => return Err(error.problem()),
        Err(error) => broken(theme, &error.problem()),
    };
    let exit = u8::from(!report.is_clean());
    Ok(Answer::new(Checked(report)).with_exit(exit))
}

fn broken(theme: &str, problem: &Problem) -> Report {
    let finding = Finding {
        weight: Weight::Error,
        place: None,
        subject: problem.subject.clone(),
        message: problem.message.clone(),
    };
    Report { name: theme.to_owned(), findings: vec![finding], contrast: None, distance: None }
}

struct Themes(Vec<Listed>);

impl Document for Themes {
    fn kind(&self) -> &'static str {
        "ThemeList"
    }

    fn json(&self) -> Map<String, Value> {
        let items = self.0.iter().map(|listed| {
            let head = listed.head.as_ref();
            json!({
                "name": listed.name,
                "path": listed.path.as_ref().map(|path| path.display().to_string()),
                "base": head.ok().map(|head| head.base.word()),
                "pair": head.ok().and_then(|head| head.pair.clone()),
                "inherits": head.ok().and_then(|head| head.inherits.clone()),
                "error": head.err().map(ToString::to_string),
            })
        });
        Map::from_iter([("items".to_owned(), items.collect())])
    }

    fn text(&self, _wide: bool) -> Text {
        let mut table = Table::new(["NAME", "BACKGROUND", "PAIR", "INHERITS", "FROM"]);
        for Listed { name, path, head } in &self.0 {
            let or_dash = |name: &Option<String>| name.clone().unwrap_or_else(|| "-".to_owned());
            let from = path.as_ref().map_or_else(|| "shipped".to_owned(), |path| path.display().to_string());
            let [base, pair, inherits, from] = match head {
                Ok(Head { base, pair, inherits }) => {
                    [base.word().to_owned(), or_dash(pair), or_dash(inherits), from]
                }
                Err(error) => ["-".to_owned(), "-".to_owned(), "-".to_owned(), format!("✗ {error}")],
            };
            table.push([name.clone(), base, pair, inherits, from]);
        }
        Text::Table(table)
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|listed| format!("theme/{}", listed.name)).collect()
    }
}

struct Checked(Report);

impl Document for Checked {
    fn kind(&self) -> &'static str {
        "ThemeCheck"
    }

    fn json(&self) -> Map<String, Value> {
        let Report { name, findings, contrast, distance } = &self.0;
        let item = |finding: &Finding| {
            json!({
                "severity": match finding.weight { Weight::Error => "error", Weight::Note => "note" },
                "file": finding.place.as_ref().map(|place| &place.file),
                "line": finding.place.as_ref().map(|place| place.line),
                "subject": finding.subject,
                "message": finding.message,
            })
        };
        let rounded = |value: &Option<f64>| value.map(|value| (value * 100.0).floor() / 100.0);
        Map::from_iter([
            ("theme".to_owned(), json!(name)),
            ("passed".to_owned(), json!(self.0.is_clean())),
            ("leastContrast".to_owned(), json!(rounded(contrast))),
            ("leastDistance".to_owned(), json!(rounded(distance))),
            ("items".to_owned(), findings.iter().map(item).collect()),
        ])
    }

    fn text(&self, _wide: bool) -> Text {
        let Report { name, findings, contrast, distance } = &self.0;
        let mut lines: Vec<String> = findings
            .iter()
            .map(|finding| match finding.weight {
                Weight::Error => format!("✗ {finding}"),
                Weight::Note => format!("- {finding}"),
            })
            .collect();
        let contrast =
            contrast.map(|value| format!("contrast {:.1}:1 or more", (value * 10.0).floor() / 10.0));
        let distance = distance.map(|value| format!("states ΔE {:.0} or more apart", value.floor()));
        let figures: Vec<String> = contrast.into_iter().chain(distance).collect();
        let figures =
            if figures.is_empty() { "its colours are the terminal's".to_owned() } else { figures.join(", ") };
        if self.0.is_clean() {
            lines.push(format!("✔ {name}: {figures}"));
        }
        let text: String = lines.iter().flat_map(|line| [clean(line), "\n".to_owned()]).collect();
        Text::Raw(text.into_bytes())
    }

    fn names(&self) -> Vec<String> {
        vec![format!("theme/{}", self.0.name)]
    }
}

struct Shown {
    name: String,
    roles: Vec<Described>,
}

/// `#ffffff on #1f5c2e`; what is the terminal's own is a dash.
fn pair([fg, bg]: &[Option<String>; 2]) -> String {
    let fg = fg.as_deref().unwrap_or("-");
    bg.as_ref().map_or_else(|| fg.to_owned(), |bg| format!("{fg} on {bg}"))
}

impl Document for Shown {
    fn kind(&self) -> &'static str {
        "Theme"
    }

    fn json(&self) -> Map<String, Value> {
        let colours = |[fg, bg]: &[Option<String>; 2]| json!({"fg": fg, "bg": bg});
        let item = |described: &Described| {
            let [full, indexed, sixteen] = described.colours.each_ref().map(colours);
            json!({
                "role": described.role.name(),
                "meaning": described.role.meaning(),
                "add": described.add,
                "true": full,
                "256": indexed,
                "16": sixteen,
            })
        };
        Map::from_iter([
            ("theme".to_owned(), json!(self.name)),
            ("items".to_owned(), self.roles.iter().map(item).collect()),
        ])
    }

    fn text(&self, wide: bool) -> Text {
        let more = if wide { ["256", "16"].as_slice() } else { &[] };
        let heads = ["ROLE", "COLOUR"].into_iter().chain(more.iter().copied()).chain(["ADD", "MEANING"]);
        let mut table = Table::new(heads);
        for Described { role, colours, add } in &self.roles {
            let shown = colours.iter().take(if wide { 3 } else { 1 }).map(pair);
            let add = if add.is_empty() { "-".to_owned() } else { add.join(", ") };
            let first = std::iter::once(role.name().to_owned());
            table.push(first.chain(shown).chain([add, role.meaning().to_owned()]));
        }
        Text::Table(table)
    }

    fn names(&self) -> Vec<String> {
        self.roles.iter().map(|described| format!("role/{}", Role::name(described.role))).collect()
    }
}
