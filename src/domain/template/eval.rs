//! Walks the tree of a template and writes the message.
//!
//! The order in which things are evaluated, and which part of the template an error names, follow Go statement by statement;
//! both show in error texts.
//!
//! Source: golang/go:src/text/template/exec.go.

mod call;
mod operand;

use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use super::NAME;
use super::format::{self, MAX_TEXT, quote};
use super::node::{Branch, Command, Expr, Node, Pipe, Pos};
use super::parse::Trees;
use super::value::{Struct, Value, Work};

/// How much may be done for one message: a unit for each step, and one for each byte made on the way.
const MAX_WORK: usize = 32 << 20;

/// What one step costs.
const STEP: usize = 16;

/// How deep templates, lists and parentheses may nest while they are run.
const MAX_DEPTH: usize = 150;

/// A field that controllers 1.0 removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Removed {
    /// `.Updated`
    Updated,
    /// `.Changed.ImageResult`
    ImageResult,
}

/// Why a template could not be run to its end.
#[derive(Debug)]
pub(super) struct Failure {
    /// Go's text, from `template: commit message:` on.
    pub(super) text: String,
    /// The removed field that it asked for.
    pub(super) removed: Option<Removed>,
}

type Done<T> = Result<T, Box<Failure>>;

/// Runs the template [`NAME`] of `trees`, parsed from `text`, on `data`.
///
/// # Errors
/// The first thing that goes wrong; nothing of the message is kept then.
pub(super) fn execute(text: &str, trees: &Trees, data: &Value) -> Result<String, Box<Failure>> {
    let (out, work, answers) = (String::new(), Work::of(MAX_WORK), HashMap::new());
    let mut run = Run { text, trees, out, work, depth: 0, answers };
    let mut frame = Frame {
        name: NAME,
        variables: vec![Variable::new("$".into(), data.clone())],
        boxed_dot: false,
        at: At::Start,
    };
    if let Some(nodes) = trees.get(NAME) {
        run.list(&mut frame, data, nodes)?;
    }
    Ok(run.out)
}

/// The state of all templates under way.
struct Run<'t> {
    text: &'t str,
    trees: &'t Trees,
    out: String,
    /// What is left of [`MAX_WORK`].
    work: Work,
    depth: usize,
    /// What methods have made of what they belong to, by where that lies, and by name: the data never changes, and to gather all
    /// changes anew wherever a template names them is work that nobody counts.
    answers: HashMap<(*const Struct, &'static str), (Rc<Struct>, Value)>,
}

/// A variable of a template.
struct Variable {
    name: Rc<str>,
    value: Value,
    /// Whether it is of Go's type `interface {}`, whatever it holds.
    boxed: bool,
}

impl Variable {
    fn new(name: Rc<str>, value: Value) -> Self {
        Self { name, value, boxed: false }
    }
}

/// The state of one template under way.
struct Frame<'t> {
    name: &'t str,
    variables: Vec<Variable>,
    /// Whether dot is of Go's type `interface {}`, whatever it holds.
    boxed_dot: bool,
    /// What is being evaluated, for error texts.
    at: At<'t>,
}

#[derive(Clone, Copy)]
enum At<'t> {
    Start,
    Branch(&'t Node, Pos),
    Pipe(&'t Pipe),
    Command(&'t Command),
    Expr(&'t Expr),
}

impl At<'_> {
    fn pos(&self) -> Pos {
        match self {
            Self::Start => 0,
            Self::Branch(_, pos) => *pos,
            Self::Pipe(pipe) => pipe.pos,
            Self::Command(command) => command.pos,
            Self::Expr(expr) => expr.pos(),
        }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => Ok(()),
            Self::Branch(node, _) => write!(f, "{node}"),
            Self::Pipe(pipe) => write!(f, "{pipe}"),
            Self::Command(command) => write!(f, "{command}"),
            Self::Expr(expr) => write!(f, "{expr}"),
        }
    }
}

/// How a list ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

/// What a command works with beside its own operands.
#[derive(Clone, Copy)]
struct Around<'v> {
    dot: &'v Value,
    /// The value piped in.
    last: Option<&'v Value>,
    /// Whether what a field is asked of is of Go's type `interface {}`, whatever it holds.
    boxed: bool,
}

impl<'t> Run<'t> {
    fn fail<T>(&self, frame: &Frame<'_>, message: impl AsRef<str>) -> Done<T> {
        let pos = frame.at.pos();
        let before = self.text.as_bytes().get(..pos).unwrap_or_default();
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        let column = before.iter().rev().take_while(|&&byte| byte != b'\n').count();
        let text = format!(
            "template: {NAME}:{line}:{column}: executing {} at <{}>: {}",
            quote(frame.name),
            frame.at,
            message.as_ref()
        );
        Err(Box::new(Failure { text, removed: None }))
    }

    fn spend(&mut self, frame: &Frame<'_>, work: usize) -> Done<()> {
        match self.work.left.checked_sub(work) {
            Some(left) => {
                self.work.left = left;
                Ok(())
            }
            None => self.fail(frame, "the template needs too much work"),
        }
    }

    fn nested<T>(
        &mut self,
        frame: &mut Frame<'t>,
        part: impl FnOnce(&mut Self, &mut Frame<'t>) -> Done<T>,
    ) -> Done<T> {
        if self.depth >= MAX_DEPTH {
            return self.fail(frame, format!("exceeded maximum template depth ({MAX_DEPTH})"));
        }
        self.depth += 1;
        let result = part(self, frame);
        self.depth -= 1;
        result
    }
}

/// Control structures.
impl<'t> Run<'t> {
    fn list(&mut self, frame: &mut Frame<'t>, dot: &Value, nodes: &'t [Node]) -> Done<Flow> {
        self.nested(frame, |run, frame| {
            for node in nodes {
                let flow = run.node(frame, dot, node)?;
                if flow != Flow::On {
                    return Ok(flow);
                }
            }
            Ok(Flow::On)
        })
    }

    fn node(&mut self, frame: &mut Frame<'t>, dot: &Value, node: &'t Node) -> Done<Flow> {
        self.spend(frame, STEP)?;
        match node {
            Node::Text(text) => self.write(frame, text)?,
            Node::Action(pipe) => {
                let value = self.pipe(frame, dot, pipe)?;
                if pipe.variables.is_empty() {
                    self.print(frame, &value)?;
                }
            }
            Node::If(branch) => return self.choice(frame, dot, node, branch, false),
            Node::With(branch) => return self.choice(frame, dot, node, branch, true),
            Node::Range(branch) => return self.range(frame, dot, node, branch),
            Node::Template { pos, name, pipe } => {
                frame.at = At::Branch(node, *pos);
                self.template(frame, dot, name, pipe.as_ref())?;
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    fn write(&mut self, frame: &Frame<'_>, text: &str) -> Done<()> {
        self.spend(frame, text.len())?;
        if self.out.len() + text.len() > MAX_TEXT {
            return self.fail(frame, format!("message longer than {MAX_TEXT} bytes"));
        }
        self.out.push_str(text);
        Ok(())
    }

    fn print(&mut self, frame: &Frame<'_>, value: &Value) -> Done<()> {
        match value {
            Value::Nil => self.write(frame, "<no value>"),
            Value::Text(text) => self.write(frame, text),
            other => match format::display(other) {
                Ok(text) => self.write(frame, &text),
                Err(long) => self.fail(frame, String::from(long)),
            },
        }
    }

    fn choice(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Value,
        node: &'t Node,
        branch: &'t Branch,
        sets_dot: bool,
    ) -> Done<Flow> {
        let mark = frame.variables.len();
        frame.at = At::Branch(node, branch.pos);
        let value = self.pipe(frame, dot, &branch.pipe)?;
        let flow = if value.is_true() {
            let boxed = !sets_dot && frame.boxed_dot;
            self.body(frame, if sets_dot { &value } else { dot }, boxed, &branch.body)
        } else if let Some(otherwise) = &branch.otherwise {
            self.list(frame, dot, otherwise)
        } else {
            Ok(Flow::On)
        };
        frame.variables.truncate(mark);
        flow
    }

    fn range(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Value,
        node: &'t Node,
        branch: &'t Branch,
    ) -> Done<Flow> {
        let mark = frame.variables.len();
        frame.at = At::Branch(node, branch.pos);
        let over = self.pipe(frame, dot, &branch.pipe)?;
        let flow = match self.items(frame, &over, branch)? {
            Items::None => match &branch.otherwise {
                Some(otherwise) => self.list(frame, dot, otherwise)?,
                None => Flow::On,
            },
            Items::Count(count) => {
                let counted = (0..count).map(|n| (Value::Nil, counted(&over, n)));
                self.iterate(frame, branch, counted, false)?
            }
            Items::Pairs(pairs) => self.iterate(frame, branch, pairs.into_iter(), over.holds_anything())?,
        };
        frame.variables.truncate(mark);
        Ok(flow)
    }

    /// What `range` goes through.
    fn items(&mut self, frame: &Frame<'t>, over: &Value, branch: &Branch) -> Done<Items> {
        let pairs: Vec<(Value, Value)> = match over {
            Value::List(list) => list
                .items
                .iter()
                .enumerate()
                .map(|(index, item)| (index_value(index), item.clone()))
                .collect(),
            Value::Map(map) => map.entries.to_vec(),
            Value::Dict(dict) => {
                dict.borrow().iter().map(|(key, value)| (Value::Text(key.clone()), value.clone())).collect()
            }
            Value::Nil => Vec::new(),
            other => {
                let shown = format::display(other).unwrap_or_default();
                let Some(count) = other.whole() else {
                    return self.fail(frame, format!("range can't iterate over {shown}"));
                };
                if branch.pipe.variables.len() > 1 {
                    let message = format!("can't use {shown} to iterate over more than one variable");
                    return self.fail(frame, message);
                }
                return Ok(if count > 0 { Items::Count(count) } else { Items::None });
            }
        };
        Ok(if pairs.is_empty() { Items::None } else { Items::Pairs(pairs) })
    }

    fn iterate(
        &mut self,
        frame: &mut Frame<'t>,
        branch: &'t Branch,
        items: impl Iterator<Item = (Value, Value)>,
        boxed: bool,
    ) -> Done<Flow> {
        let mark = frame.variables.len();
        for (index, item) in items {
            self.spend(frame, STEP)?;
            self.bind(frame, &branch.pipe, index, &item, boxed)?;
            let flow = self.body(frame, &item, boxed, &branch.body)?;
            frame.variables.truncate(mark);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::On)
    }

    /// A list with a dot of its own, which is `boxed` or not.
    fn body(&mut self, frame: &mut Frame<'t>, dot: &Value, boxed: bool, nodes: &'t [Node]) -> Done<Flow> {
        let outer = std::mem::replace(&mut frame.boxed_dot, boxed);
        let flow = self.list(frame, dot, nodes);
        frame.boxed_dot = outer;
        flow
    }

    /// Gives the variables of a `range` the values of this turn.
    fn bind(
        &mut self,
        frame: &mut Frame<'t>,
        pipe: &Pipe,
        index: Value,
        item: &Value,
        boxed: bool,
    ) -> Done<()> {
        let (first, second) = match pipe.variables.as_slice() {
            [] => return Ok(()),
            [one] => ((one, item.clone(), boxed), None),
            [key, one, ..] => ((key, index, false), Some((one, item.clone(), boxed))),
        };
        if pipe.assigns {
            self.set(frame, first.0, first.1, first.2)?;
            return match second {
                Some((name, value, boxed)) => self.set(frame, name, value, boxed),
                None => Ok(()),
            };
        }
        // The pipeline has declared them already, as the last of the frame.
        let values = second.into_iter().chain([first]);
        for (slot, (_, value, boxed)) in frame.variables.iter_mut().rev().zip(values) {
            (slot.value, slot.boxed) = (value, boxed);
        }
        Ok(())
    }

    fn template(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Value,
        name: &'t str,
        pipe: Option<&'t Pipe>,
    ) -> Done<()> {
        let Some(nodes) = self.trees.get(name) else {
            return self.fail(frame, format!("template {} not defined", quote(name)));
        };
        let dot = match pipe {
            Some(pipe) => self.pipe(frame, dot, pipe)?,
            None => Value::Nil,
        };
        let mut inner = Frame {
            name,
            variables: vec![Variable::new("$".into(), dot.clone())],
            boxed_dot: false,
            at: frame.at,
        };
        self.list(&mut inner, &dot, nodes)?;
        Ok(())
    }
}

/// What `range` goes through.
enum Items {
    None,
    Count(i64),
    Pairs(Vec<(Value, Value)>),
}

fn index_value(index: usize) -> Value {
    Value::Int(i64::try_from(index).unwrap_or(i64::MAX))
}

/// The `n`-th number of a range over a number, of that number's type.
fn counted(over: &Value, n: i64) -> Value {
    match over {
        Value::Int64(_) => Value::Int64(n),
        Value::Named(_, of) => Value::Named(n, of),
        Value::Byte(_) => Value::Byte(u8::try_from(n).unwrap_or(u8::MAX)),
        Value::Uint64(_) => Value::Uint64(n.unsigned_abs()),
        _ => Value::Int(n),
    }
}
