//! The commands without a screen: what they print, where, and with which exit code.
//!
//! Each family of commands has a file below; it turns arguments into calls of the engine and the answer into a
//! [`Document`]. How a document reaches the two streams is decided here, once, for all of them.

use std::io::{self, IsTerminal, Read, Write};

use serde_json::{Map, Value, json};

use crate::cli::{
    BootstrapArgs, BootstrapAt, Cli, Command, DiffWhat, EvalArgs, EvalWhat, ExplainWhat, Format, Global,
    RenderWhat, SchemaWhat,
};
use crate::config::{Environment, ProcessEnvironment, Refresh, Settings, StdinSecrets};
use crate::domain::mode::Mode;
use crate::problem::{Code, Problem, strongest_exit};
use crate::text::SecretString;

mod bootstrap;
mod cache;
mod check;
pub(crate) mod complete;
mod completion;
mod config;
mod demo;
mod doctor;
mod eval;
mod eval_batch;
mod event_loop;
mod events;
mod facts;
mod filter;
mod follow;
mod get;
mod holds;
mod input;
mod keys;
mod lint;
mod merge;
mod objects;
mod plan;
mod push;
mod render;
mod rollback;
mod scan;
mod scope;
mod session;
mod set;
mod signals;
mod table;
mod tags;
#[cfg(feature = "tui")]
mod theme;
mod updates;
mod visible;
mod watch;

#[cfg(feature = "tui")]
pub(crate) use push::read_plan;
pub use table::Table;
pub(crate) use table::clean;
use visible::{write_json, write_one_yaml, write_yaml};

/// What a command has to say, in every form it can be printed in.
pub trait Document {
    /// The value of the JSON's `kind`.
    fn kind(&self) -> &'static str;
    /// The JSON object's keys but for `apiVersion`, `kind` and `problems`.
    fn json(&self) -> Map<String, Value>;
    /// Writes all of the JSON object in one line. What may be large does so without making it first.
    ///
    /// # Errors
    /// What keeps it from being written.
    fn write_json(&self, out: &mut dyn Write, problems: &[Problem]) -> io::Result<()> {
        write_json(out, &whole(self, problems))
    }
    /// The form for people; `wide` asks for all columns.
    fn text(&self, wide: bool) -> Text;
    /// `kind/namespace/name` of each item, in lower case.
    fn names(&self) -> Vec<String>;
}

/// The form for people.
#[derive(Debug)]
pub enum Text {
    /// Columns.
    Table(Table),
    /// Several tables, an empty line after each.
    Tables(Vec<Table>),
    /// Columns, then lines below them.
    TableAndLines(Table, Vec<String>),
    /// A patch, a message: bytes into a pipe or a file, sanitised on a terminal.
    Patch(String),
    /// Bytes to be printed as they are: messages, scripts.
    Raw(Vec<u8>),
    /// Nothing.
    Nothing,
}

/// What a command ends with.
pub struct Answer {
    /// What goes to standard output.
    pub document: Option<Box<dyn Document>>,
    /// What went wrong on the way, though there is an answer; each goes to standard error.
    pub problems: Vec<Problem>,
    /// Lines for people on standard error that are no problems, such as that there is nothing to do.
    pub notes: Vec<String>,
    /// The exit status.
    pub exit: u8,
}

impl Answer {
    /// A document, and no problem.
    pub fn new(document: impl Document + 'static) -> Self {
        Self { document: Some(Box::new(document)), ..Self::nothing() }
    }

    /// Nothing to print, exit 0.
    pub fn nothing() -> Self {
        Self { document: None, problems: Vec::new(), notes: Vec::new(), exit: 0 }
    }

    /// No document, for this reason, beside which there are warnings to hear.
    pub fn failed(problem: Problem, mut warnings: Vec<Problem>) -> Self {
        let exit = problem.exit();
        warnings.push(problem);
        Self { problems: warnings, exit, ..Self::nothing() }
    }

    /// The same answer with these problems; the exit stays.
    #[must_use]
    pub fn with_problems(mut self, problems: Vec<Problem>) -> Self {
        self.problems = problems;
        self
    }

    /// The same answer with a line for people.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The same answer with another exit.
    #[must_use]
    pub fn with_exit(mut self, exit: u8) -> Self {
        self.exit = exit;
        self
    }

    /// The exit of a command of many parts, `failed` of which ended in the given problems: 0 if none failed, 8 if
    /// some did, the parts' own code if all did.
    #[must_use]
    pub fn with_parts(mut self, parts: usize, failed: &[Problem]) -> Self {
        self.exit = parts_exit(parts, failed);
        self
    }
}

/// The exit of `parts` parts of which `failed` did: 0, 8, or the parts' own if all of them failed.
pub(crate) fn parts_exit(parts: usize, failed: &[Problem]) -> u8 {
    match failed.len() {
        0 => 0,
        // Nobody asked for what turned out to be described twice; who names it is told so at once.
        count if count >= parts && !failed.iter().any(|problem| problem.code == Code::Ambiguous) => {
            strongest_exit(failed.iter().map(Problem::exit))
        }
        _ => 8,
    }
}

/// The streams of a command, so that tests can look at them.
pub struct Streams<'a> {
    /// Data.
    pub out: &'a mut dyn Write,
    /// Progress and problems.
    pub err: &'a mut dyn Write,
}

/// Runs one command on the streams of this process and returns its exit status.
pub fn run(cli: &Cli) -> u8 {
    let (mut out, mut err) = (io::BufWriter::new(io::stdout()), io::stderr());
    let mut streams = Streams { out: &mut out, err: &mut err };
    run_on(cli, &mut streams)
}

fn run_on(cli: &Cli, streams: &mut Streams<'_>) -> u8 {
    let json = cli.global.output == Format::Json;
    if let Some(Command::Eval(EvalArgs { what: EvalWhat::Batch(args) })) = &cli.command {
        // It reads standard input and nothing else, no configuration either.
        return eval_batch::run(args, json, streams);
    }
    let settings = match settings_for(cli) {
        Ok(settings) => settings,
        Err(problem) => return fail(streams, json, &problem),
    };
    crate::log::to_stderr(&settings.log_level);
    for warning in unsaid(cli, &settings) {
        report(streams, json, warning);
    }
    match dispatch(cli, &settings, streams) {
        Ok(answer) => print(streams, &settings, &answer),
        Err(problem) => fail(streams, json, &problem),
    }
}

/// What is wrong with the configuration, as far as it is no part of the command's own answer. What one key took from another
/// is said where keys are.
fn unsaid<'a>(cli: &Cli, settings: &'a Settings) -> impl Iterator<Item = &'a Problem> {
    use crate::cli::{ConfigArgs, ConfigWhat};
    let is_answer = matches!(&cli.command, Some(Command::Config(ConfigArgs { what: ConfigWhat::Check })));
    let has_keys = is_answer || matches!(&cli.command, Some(Command::Keys));
    let warnings = settings.warnings.iter().filter(move |_| !is_answer);
    let keys =
        settings.key_warnings.iter().filter(move |warning| !has_keys && warning.code == Code::UnknownKey);
    warnings.chain(keys)
}

/// The settings of a command. One that tells of the program itself, or how to write a configuration, works with a broken
/// one too.
fn settings_for(cli: &Cli) -> Result<Settings, Problem> {
    use crate::cli::{ConfigArgs, ConfigWhat};
    match &cli.command {
        Some(
            Command::Version
            | Command::Completion(_)
            | Command::Theme(_)
            | Command::Man(_)
            | Command::Schema(_)
            | Command::Config(ConfigArgs { what: ConfigWhat::Path | ConfigWhat::Default }),
        ) => crate::config::without_files(&cli.global),
        _ => settings(cli),
    }
}

fn dispatch(cli: &Cli, settings: &Settings, streams: &mut Streams<'_>) -> Result<Answer, Problem> {
    let Some(command) = &cli.command else {
        return Err(Problem::new(Code::Usage, "supercargo", "no command"));
    };
    match command {
        Command::Demo(args) => demo::demo(settings, args, streams),
        Command::Scan(args) => scan::scan(settings, args, streams),
        Command::Get(args) => get::get(settings, args, streams),
        Command::Explain(args) => match &args.what {
            ExplainWhat::Tag(args) => tags::explain(settings, args),
        },
        Command::Why(args) => tags::explain(settings, args),
        Command::Diff(args) => match &args.what {
            DiffWhat::Updates { names, unified, stat, .. } => updates::diff(settings, names, *unified, *stat),
        },
        Command::Plan(args) => plan::plan(settings, args),
        // It is a screen, and this program was built without.
        Command::Review(_) => Err(Problem::new(Code::Usage, "review", "this program has no dashboard")
            .hint("Land it with: supercargo push --plan PLAN")),
        Command::Push(args) => push::push(settings, args, streams),
        Command::Merge(args) => merge::merge(settings, args, streams),
        Command::Hold(args) => holds::hold(settings, args),
        Command::Unhold(args) => holds::unhold(settings, args),
        Command::Revert(args) => plan::revert(settings, args),
        Command::Rollback(args) => rollback::rollback(settings, args),
        Command::Check(args) => check::check(settings, args),
        Command::Doctor(args) => doctor::doctor(settings, args),
        Command::Eval(args) => match &args.what {
            EvalWhat::Policy(args) => eval::policy(settings, args),
            EvalWhat::Batch(args) => Ok(Answer::nothing().with_exit(eval_batch::run(args, false, streams))),
        },
        Command::Events(args) => events::events(settings, args, streams),
        Command::Cache(args) => cache::cache(settings, args),
        Command::Schema(args) => Ok(schema(args.what, streams)),
        Command::Version => Ok(Answer::new(completion::Version)),
        Command::Config(args) => config::config(settings, &cli.global, &ProcessEnvironment, args.what),
        Command::Keys => Ok(keys::keys(settings)),
        #[cfg(feature = "tui")]
        Command::Theme(args) => theme::theme(&ProcessEnvironment, &args.what),
        #[cfg(not(feature = "tui"))]
        Command::Theme(_) => Err(Problem::new(Code::Usage, "theme", "this program has no dashboard")),
        Command::Man(args) => completion::Manual::of(&args.command).map(Answer::new),
        Command::Completion(args) => Ok(Answer::new(completion::Script::new(args.shell))),
        Command::Lint(args) => lint::run(settings, args),
        Command::Set(args) => set::run(args, settings, cli.global.write, streams),
        Command::Bootstrap(args) => bootstrap::bootstrap(settings, args, streams),
        Command::Create(args) => objects::create(args, settings, streams),
        Command::Delete(args) => objects::delete(settings, args, streams),
        Command::Suspend(args) => objects::suspend(settings, args, streams),
        Command::Resume(args) => objects::resume(settings, args, streams),
        Command::Reconcile(args) => objects::reconcile(settings, args, streams),
        Command::Export(args) => objects::export(settings, args),
        Command::Render(args) => match &args.what {
            RenderWhat::Message(args) => render::message(args),
        },
    }
}

/// What every document begins with.
const API_VERSION: &str = "supercargo/v1";
/// The published schema of plans, written by hand.
const PLAN_SCHEMA: &str = include_str!("../assets/schema/plan.json");

/// `schema`: the same in every form of output, for it is one already.
fn schema(what: SchemaWhat, streams: &mut Streams<'_>) -> Answer {
    let text = match what {
        SchemaWhat::Plan => PLAN_SCHEMA,
    };
    let written = streams.out.write_all(text.as_bytes());
    Answer::nothing().with_exit(if written.is_ok() { 0 } else { Code::Storage.exit() })
}

/// Resolves the settings, reading passwords from standard input where a flag says so.
pub(crate) fn settings(cli: &Cli) -> Result<Settings, Problem> {
    let mut secrets = StdinSecrets::default();
    if cli.global.git_password_stdin {
        secrets.git = Some(password_from_stdin("--git-password-stdin")?);
    }
    if cli.global.registry_password_stdin {
        secrets.registry = Some(password_from_stdin("--registry-password-stdin")?);
    }
    let mut global = cli.global.clone();
    if let Some(Command::Bootstrap(BootstrapArgs { at: BootstrapAt::Git(args) })) = &cli.command {
        secrets.git = args.name_login(&mut global).map(SecretString::from).or(secrets.git);
    }
    if let Some(path) = &cli.path {
        global.files = Some(path.clone());
    }
    global.min_age = cli.min_age()?;
    global.lenient = cli.wants_screen();
    crate::config::resolve(&global, &ProcessEnvironment, secrets, || current_context(&cli.global))
}

/// The kubeconfig's current context. One that cannot be read has none here; whoever asks the cluster says so.
fn current_context(global: &Global) -> Option<String> {
    let variable = |name: &str| ProcessEnvironment.var(name);
    let places = crate::source::kubeconfig::Places {
        flag: global.kubeconfig.clone(),
        variable: variable("KUBECONFIG"),
        home: variable("HOME").map(Into::into),
    };
    crate::source::kubeconfig::in_force(&places, None).ok().flatten().map(|context| context.name)
}

/// The first line of standard input, without its line end.
pub(crate) fn password_from_stdin(flag: &str) -> Result<SecretString, Problem> {
    const PIPE: &str = "Pipe the password in: printf %s \"$PASSWORD\" | supercargo …";
    if io::stdin().is_terminal() {
        let message = "standard input is a terminal, which would show the password as it is typed";
        let hint = format!("{PIPE}; in the dashboard :login asks for it, unseen.");
        return Err(Problem::new(Code::Usage, flag, message).hint(hint));
    }
    let mut text = String::new();
    // Nobody's password is longer than this; an endless stream is not one.
    let read = io::stdin().lock().take(64 * 1024).read_to_string(&mut text);
    read.map_err(|error| Problem::new(Code::Usage, flag, "standard input cannot be read").caused_by(&error))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(Problem::new(Code::Usage, flag, "standard input is empty").hint(PIPE));
    }
    Ok(SecretString::from(line.to_owned()))
}

/// Whether `subject`, which is there to ask servers, may.
fn asks(settings: &Settings, subject: &str) -> Result<(), Problem> {
    if settings.refresh != Refresh::Never {
        return Ok(());
    }
    let message = "it asks servers, and --refresh never forbids that";
    Err(Problem::new(Code::Usage, subject, message).hint("Leave --refresh never out."))
}

/// What is said where READ-ONLY forbids what `subject` does.
fn read_only(settings: &Settings, subject: &str) -> Problem {
    let hint = if settings.mode_locked {
        "The system's configuration locks the mode."
    } else {
        "Leave --read-only out, or change the mode in the configuration."
    };
    Problem::new(Code::ModeRefused, subject, "the mode is READ-ONLY").hint(hint)
}

/// What was looked for, where the mode lets it be changed: a wrong name is told before the mode, and the mode before all else.
fn where_writable<T>(settings: &Settings, subject: &str, looked: Result<T, Problem>) -> Result<T, Problem> {
    match looked {
        Err(problem) if problem.exit() == 2 => Err(problem),
        _ if settings.mode == Mode::ReadOnly => Err(read_only(settings, subject)),
        looked => looked,
    }
}

/// Prints an answer in the form asked for; returns the exit status.
fn print(streams: &mut Streams<'_>, settings: &Settings, answer: &Answer) -> u8 {
    let json = settings.output == Format::Json;
    for problem in &answer.problems {
        report(streams, json, problem);
    }
    for note in answer.notes.iter().filter(|_| !settings.quiet) {
        // Nothing is lost with a line that nobody can read.
        let _ = writeln!(streams.err, "{}", table::clean(note));
    }
    let written = match &answer.document {
        Some(document) => write_document(streams.out, settings, &**document, &answer.problems),
        None => Ok(()),
    };
    // What is still in the buffer may be what does not fit; a reader that went away is no failure of ours.
    match written.and_then(|()| streams.out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let problem =
                Problem::new(Code::Storage, "standard output", "cannot be written").caused_by(&error);
            fail(streams, json, &problem)
        }
        _ => answer.exit,
    }
}

/// Writes a document in the form asked for.
fn write_document(
    out: &mut dyn Write,
    settings: &Settings,
    document: &dyn Document,
    problems: &[Problem],
) -> io::Result<()> {
    match settings.output {
        Format::Json => document.write_json(out, problems),
        Format::Yaml => write_yaml(out, &whole(document, problems)),
        // A tag may hold anything its registry likes, line ends too; a name is one line.
        Format::Name => document.names().iter().try_for_each(|name| writeln!(out, "{}", table::clean(name))),
        Format::Table | Format::Wide => {
            write_text(out, document.text(settings.output == Format::Wide), settings.no_header)
        }
    }
}

/// The whole JSON object of a document.
fn whole<D: Document + ?Sized>(document: &D, problems: &[Problem]) -> Value {
    let mut object = Map::new();
    object.insert("apiVersion".to_owned(), json!(API_VERSION));
    object.insert("kind".to_owned(), json!(document.kind()));
    object.insert("problems".to_owned(), json!(problems));
    object.extend(document.json());
    Value::Object(object)
}

fn write_text(out: &mut dyn Write, text: Text, no_header: bool) -> io::Result<()> {
    match text {
        Text::Table(table) => table.write(out, !no_header),
        Text::Tables(tables) => tables.iter().try_for_each(|table| {
            table.write(out, !no_header)?;
            out.write_all(b"\n")
        }),
        Text::TableAndLines(table, lines) => {
            table.write(out, !no_header)?;
            out.write_all(b"\n")?;
            lines.iter().try_for_each(|line| writeln!(out, "{}", table::clean(line)))
        }
        Text::Patch(text) if io::stdout().is_terminal() => {
            text.split_inclusive('\n').try_for_each(|line| write!(out, "{}", table::clean_line(line)))
        }
        Text::Patch(text) => out.write_all(text.as_bytes()),
        Text::Raw(bytes) => out.write_all(&bytes),
        Text::Nothing => Ok(()),
    }
}

/// Prints a problem on standard error and returns its exit status.
pub(crate) fn complain(json: bool, problem: &Problem) -> u8 {
    let (mut out, mut err) = (io::stdout(), io::stderr());
    fail(&mut Streams { out: &mut out, err: &mut err }, json, problem)
}

fn fail(streams: &mut Streams<'_>, json: bool, problem: &Problem) -> u8 {
    report(streams, json, problem);
    problem.exit()
}

/// Writes a problem to standard error: one JSON line, or `✗ SUBJECT: MESSAGE`, indented causes and a hint.
pub(crate) fn report(streams: &mut Streams<'_>, json: bool, problem: &Problem) {
    // There is nowhere left to say that standard error cannot be written.
    let _ = if json {
        serde_json::to_value(problem)
            .map_err(io::Error::other)
            .and_then(|value| write_json(streams.err, &value))
    } else {
        write_problem(streams.err, problem)
    };
}

/// So many characters of a message are for people; an error may quote all of a template or a pattern. JSON has it whole.
const SHOWN: usize = 2_000;

fn write_problem(err: &mut dyn Write, problem: &Problem) -> io::Result<()> {
    let sign = if problem.exit() == 0 { '⚠' } else { '✗' };
    let whole = problem.to_string();
    let text = match whole.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{} … ({} bytes)", whole.get(..end).unwrap_or_default(), whole.len()),
        None => whole,
    };
    writeln!(err, "{sign} {}", table::clean(&text))?;
    for cause in &problem.causes {
        writeln!(err, "    {}", table::clean(cause))?;
    }
    problem.hint.iter().try_for_each(|hint| writeln!(err, "  hint: {}", table::clean(hint)))
}
