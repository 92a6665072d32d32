//! Walks the tree of a template and writes the message.
//!
//! The order in which things are evaluated, and which part of the template an error names, follow Go statement by statement;
//! both show in error texts.
//!
//! Source: golang/go:src/text/template/exec.go.

use std::fmt;
use std::rc::Rc;

use super::NAME;
use super::data::{RESULT, TEMPLATE_DATA};
use super::format::{self, MAX_TEXT, quote};
use super::functions::{Call, Function, Param};
use super::node::{Branch, Command, Expr, Node, Number, Pipe, Pos};
use super::parse::Trees;
use super::value::{ANY, Struct, Value};

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
    let mut run = Run { text, trees, out: String::new(), work: MAX_WORK, depth: 0 };
    let mut frame = Frame { name: NAME, variables: vec![("$".into(), data.clone())], at: At::Start };
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
    work: usize,
    depth: usize,
}

/// The state of one template under way.
struct Frame<'t> {
    name: &'t str,
    variables: Vec<(Rc<str>, Value)>,
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
        match self.work.checked_sub(work) {
            Some(left) => {
                self.work = left;
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
            self.list(frame, if sets_dot { &value } else { dot }, &branch.body)
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
                self.iterate(frame, branch, (0..count).map(|n| (Value::Nil, counted(&over, n))))?
            }
            Items::Pairs(pairs) => self.iterate(frame, branch, pairs.into_iter())?,
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
    ) -> Done<Flow> {
        let mark = frame.variables.len();
        for (index, item) in items {
            self.spend(frame, STEP)?;
            self.bind(frame, &branch.pipe, index, &item)?;
            let flow = self.list(frame, &item, &branch.body)?;
            frame.variables.truncate(mark);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::On)
    }

    /// Gives the variables of a `range` the values of this turn.
    fn bind(&mut self, frame: &mut Frame<'t>, pipe: &Pipe, index: Value, item: &Value) -> Done<()> {
        let (first, second) = match pipe.variables.as_slice() {
            [] => return Ok(()),
            [one] => ((one, item.clone()), None),
            [key, one, ..] => ((key, index), Some((one, item.clone()))),
        };
        if pipe.assigns {
            self.set(frame, first.0, first.1)?;
            return match second {
                Some((name, value)) => self.set(frame, name, value),
                None => Ok(()),
            };
        }
        // The pipeline has declared them already, as the last of the frame.
        let mut slots = frame.variables.iter_mut().rev();
        if let Some((_, value)) = second
            && let Some(slot) = slots.next()
        {
            slot.1 = value;
        }
        if let Some(slot) = slots.next() {
            slot.1 = first.1;
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
        let mut inner = Frame { name, variables: vec![("$".into(), dot.clone())], at: frame.at };
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
        Value::Byte(_) => Value::Byte(u8::try_from(n).unwrap_or(u8::MAX)),
        _ => Value::Int(n),
    }
}

/// Pipelines, commands and operands.
impl<'t> Run<'t> {
    fn set(&mut self, frame: &mut Frame<'t>, name: &str, value: Value) -> Done<()> {
        match frame.variables.iter_mut().rev().find(|(known, _)| **known == *name) {
            Some(slot) => {
                slot.1 = value;
                Ok(())
            }
            None => self.fail(frame, format!("undefined variable: {name}")),
        }
    }

    fn pipe(&mut self, frame: &mut Frame<'t>, dot: &Value, pipe: &'t Pipe) -> Done<Value> {
        frame.at = At::Pipe(pipe);
        let mut last = None;
        for command in &pipe.commands {
            self.spend(frame, STEP)?;
            last = Some(self.command(frame, Around { dot, last: last.as_ref() }, command)?);
        }
        let value = last.unwrap_or(Value::Nil);
        for name in &pipe.variables {
            if pipe.assigns {
                self.set(frame, name, value.clone())?;
            } else {
                frame.variables.push((name.clone(), value.clone()));
            }
        }
        Ok(value)
    }

    fn command(&mut self, frame: &mut Frame<'t>, around: Around<'_>, command: &'t Command) -> Done<Value> {
        let Some(first) = command.args.first() else {
            return Ok(Value::Nil);
        };
        let args = Some(command.args.as_slice());
        match first {
            Expr::Field(..) | Expr::Chain(..) | Expr::Variable(..) => {
                return self.chain(frame, around, first, args);
            }
            Expr::Function(_, function) => {
                frame.at = At::Expr(first);
                return self.call(frame, around, function, At::Command(command), args);
            }
            Expr::Pipe(pipe) => {
                self.not_a_function(frame, around, command)?;
                return self.nested(frame, |run, frame| run.pipe(frame, around.dot, pipe));
            }
            _ => {}
        }
        frame.at = At::Expr(first);
        self.not_a_function(frame, around, command)?;
        match first {
            Expr::Nil(_) => self.fail(frame, "nil is not a command"),
            other => self.constant(frame, around.dot, other),
        }
    }

    fn not_a_function(&self, frame: &Frame<'_>, around: Around<'_>, command: &Command) -> Done<()> {
        match command.args.first() {
            Some(first) if command.args.len() > 1 || around.last.is_some() => {
                self.fail(frame, format!("can't give argument to non-function {}", Operand(first)))
            }
            _ => Ok(()),
        }
    }

    /// A value that is spelt out, or dot.
    fn constant(&mut self, frame: &mut Frame<'t>, dot: &Value, expr: &'t Expr) -> Done<Value> {
        frame.at = At::Expr(expr);
        match expr {
            Expr::Dot(_) => Ok(dot.clone()),
            Expr::Bool(_, value) => Ok(Value::Bool(*value)),
            Expr::Text { text, .. } => Ok(Value::Text(text.clone())),
            Expr::Number(_, number) => match ideal(number) {
                Some(value) => Ok(value),
                None => self.fail(frame, format!("{} overflows int", number.text)),
            },
            other => self.fail(frame, format!("can't evaluate command {}", quote(&other.to_string()))),
        }
    }

    /// A field, a variable or what stands in parentheses, and the fields behind it; the last may be a method.
    fn chain(
        &mut self,
        frame: &mut Frame<'t>,
        around: Around<'_>,
        expr: &'t Expr,
        args: Option<&'t [Expr]>,
    ) -> Done<Value> {
        frame.at = At::Expr(expr);
        let has_args = args.is_some_and(|args| args.len() > 1) || around.last.is_some();
        let (start, fields): (Value, &[Rc<str>]) = match expr {
            Expr::Field(_, fields) => (around.dot.clone(), fields),
            Expr::Variable(_, parts) => {
                let (name, fields) =
                    parts.split_first().map_or(("", &[][..]), |(name, rest)| (&**name, rest));
                let known = frame.variables.iter().rev().find(|(known, _)| **known == *name);
                let Some((_, value)) = known else {
                    return self.fail(frame, format!("undefined variable: {name}"));
                };
                if fields.is_empty() && has_args {
                    return self.fail(frame, format!("can't give argument to non-function {expr}"));
                }
                (value.clone(), fields)
            }
            Expr::Chain(_, inner, fields) => {
                if matches!(**inner, Expr::Nil(_)) {
                    return self.fail(frame, format!("indirection through explicit nil in {expr}"));
                }
                (self.operand(frame, around.dot, inner)?, fields)
            }
            _ => return self.fail(frame, "no fields"),
        };
        let last = fields.len().saturating_sub(1);
        let mut value = start;
        for (index, field) in fields.iter().enumerate() {
            // What a dictionary holds is of Go's type `interface {}`, whatever it is.
            let boxed = matches!(value, Value::Dict(_));
            let called =
                if index == last && has_args { Some((args.map_or(0, <[Expr]>::len), around)) } else { None };
            let next = self.field(frame, &value, field, called)?;
            if let (true, Some(field)) = (boxed && !has_members(&next), fields.get(index + 1)) {
                return self.fail(frame, format!("can't evaluate field {field} in type {ANY}"));
            }
            value = next;
        }
        Ok(value)
    }

    fn field(
        &mut self,
        frame: &mut Frame<'t>,
        of: &Value,
        name: &str,
        called: Option<(usize, Around<'_>)>,
    ) -> Done<Value> {
        self.spend(frame, STEP)?;
        let has_args = called.is_some();
        match of {
            Value::Nil => return Ok(Value::Nil),
            Value::Struct(object) => {
                if let Some((_, method)) = object.of.methods.iter().find(|(known, _)| *known == name) {
                    if let Some((args, around)) = called {
                        let got = args.saturating_sub(1) + usize::from(around.last.is_some());
                        return self
                            .fail(frame, format!("wrong number of args for {name}: want 0 got {got}"));
                    }
                    return Ok(method(object));
                }
                if let Some(value) = object.field(name) {
                    if has_args {
                        let message = format!("{name} has arguments but cannot be invoked as function");
                        return self.fail(frame, message);
                    }
                    return Ok(value.clone());
                }
                if let Some(hidden) = object.of.fields.iter().find(|field| field.hidden && field.name == name)
                {
                    let message =
                        format!("{} is an unexported field of struct type {}", hidden.name, object.of.name);
                    return self.fail(frame, message);
                }
                return self.no_field(frame, object, name);
            }
            Value::Map(map) if map.of.key == "string" => {
                self.no_args(frame, name, has_args)?;
                let found =
                    map.entries.iter().find(|(key, _)| matches!(key, Value::Text(key) if **key == *name));
                return Ok(found.map_or(Value::Nil, |(_, value)| value.clone()));
            }
            Value::Dict(dict) => {
                self.no_args(frame, name, has_args)?;
                return Ok(dict.borrow().get(name).cloned().unwrap_or(Value::Nil));
            }
            _ => {}
        }
        self.fail(frame, format!("can't evaluate field {name} in type {}", of.type_name()))
    }

    fn no_args(&self, frame: &Frame<'_>, name: &str, has_args: bool) -> Done<()> {
        if has_args { self.fail(frame, format!("{name} is not a method but has arguments")) } else { Ok(()) }
    }

    fn no_field(&self, frame: &Frame<'_>, object: &Struct, name: &str) -> Done<Value> {
        let message = format!("can't evaluate field {name} in type {}", object.of.name);
        let removed = match name {
            "Updated" if std::ptr::eq(object.of, &raw const TEMPLATE_DATA) => Some(Removed::Updated),
            "ImageResult" if std::ptr::eq(object.of, &raw const RESULT) => Some(Removed::ImageResult),
            _ => None,
        };
        self.fail(frame, message).map_err(|failure: Box<Failure>| Box::new(Failure { removed, ..*failure }))
    }

    /// An operand whose type does not matter.
    fn operand(&mut self, frame: &mut Frame<'t>, dot: &Value, expr: &'t Expr) -> Done<Value> {
        frame.at = At::Expr(expr);
        let around = Around { dot, last: None };
        match expr {
            Expr::Field(..) | Expr::Variable(..) | Expr::Chain(..) => self.chain(frame, around, expr, None),
            Expr::Pipe(pipe) => self.nested(frame, |run, frame| run.pipe(frame, dot, pipe)),
            Expr::Function(_, function) => self.call(frame, around, function, At::Expr(expr), None),
            Expr::Nil(_) => Ok(Value::Nil),
            constant => self.constant(frame, dot, constant),
        }
    }
}

/// Calls.
impl<'t> Run<'t> {
    fn call(
        &mut self,
        frame: &mut Frame<'t>,
        around: Around<'_>,
        function: &'static Function,
        whole: At<'t>,
        args: Option<&'t [Expr]>,
    ) -> Done<Value> {
        let args = args.and_then(|args| args.get(1..)).unwrap_or_default();
        self.count(frame, function, args.len(), around.last.is_some())?;
        if let Call::And | Call::Or = function.call {
            return self.logic(frame, around, matches!(function.call, Call::Or), args);
        }
        let mut values = Vec::with_capacity(args.len() + 1);
        for (index, arg) in args.iter().enumerate() {
            let param = function.param(index);
            let value = self.argument(frame, around.dot, param, arg)?;
            values.push(value);
        }
        if let Some(last) = around.last {
            let value = self.fits(frame, last.clone(), function.param(args.len()))?;
            values.push(value);
        }
        let result = match function.call {
            Call::Plain(call) => call(&values),
            Call::Callee => Err(match values.first() {
                None | Some(Value::Nil) => "call of nil".to_owned(),
                Some(other) => {
                    let name = args.first().map_or_else(|| "<nil>".to_owned(), ToString::to_string);
                    format!("non-function {name} of type {}", other.type_name())
                }
            }),
            Call::And | Call::Or => Ok(Value::Nil),
        };
        let cost = STEP + result.as_ref().map_or(0, cost) + values.iter().map(cost).sum::<usize>();
        self.spend(frame, cost)?;
        result.or_else(|message| {
            frame.at = whole;
            self.fail(frame, format!("error calling {}: {message}", function.name))
        })
    }

    fn count(&self, frame: &Frame<'_>, function: &Function, args: usize, piped: bool) -> Done<()> {
        let (name, want, got) = (function.name, function.params.len(), args + usize::from(piped));
        if function.rest.is_some() && got < want {
            return self
                .fail(frame, format!("wrong number of args for {name}: want at least {want} got {args}"));
        }
        if function.rest.is_none() && got != want {
            return self.fail(frame, format!("wrong number of args for {name}: want {want} got {got}"));
        }
        Ok(())
    }

    /// `and` and `or` evaluate no more than they have to.
    fn logic(
        &mut self,
        frame: &mut Frame<'t>,
        around: Around<'_>,
        or: bool,
        args: &'t [Expr],
    ) -> Done<Value> {
        let mut value = Value::Nil;
        for arg in args {
            value = self.operand(frame, around.dot, arg)?;
            if value.is_true() == or {
                return Ok(value);
            }
        }
        Ok(around.last.cloned().unwrap_or(value))
    }

    /// An operand that must be what `param` takes.
    fn argument(&mut self, frame: &mut Frame<'t>, dot: &Value, param: Param, expr: &'t Expr) -> Done<Value> {
        frame.at = At::Expr(expr);
        match (param, expr) {
            (Param::Any, _) => self.operand(frame, dot, expr),
            (
                _,
                Expr::Dot(_)
                | Expr::Field(..)
                | Expr::Variable(..)
                | Expr::Pipe(_)
                | Expr::Function(..)
                | Expr::Chain(..),
            ) => {
                let value = self.operand(frame, dot, expr)?;
                self.fits(frame, value, param)
            }
            (_, Expr::Nil(_)) => match param.nil() {
                Some(value) => Ok(value),
                None => self.fail(frame, format!("cannot assign nil to {}", param.name())),
            },
            (Param::Text, Expr::Text { text, .. }) => Ok(Value::Text(text.clone())),
            (Param::Bool, Expr::Bool(_, value)) => Ok(Value::Bool(*value)),
            (Param::Int, Expr::Number(_, number)) if number.int.is_some() => {
                Ok(Value::Int(number.int.unwrap_or_default()))
            }
            (Param::Float, Expr::Number(_, number)) if number.float.is_some() => {
                Ok(Value::Float(number.float.unwrap_or_default()))
            }
            (Param::Text, _) => self.fail(frame, format!("expected string; found {}", Operand(expr))),
            (Param::Bool, _) => self.fail(frame, format!("expected bool; found {}", Operand(expr))),
            (Param::Int, _) => self.fail(frame, format!("expected integer; found {}", Operand(expr))),
            (Param::Float, _) => self.fail(frame, format!("expected float; found {}", Operand(expr))),
            _ => self.fail(frame, format!("can't handle {} for arg of type {}", Operand(expr), param.name())),
        }
    }

    fn fits(&self, frame: &Frame<'_>, value: Value, param: Param) -> Done<Value> {
        match (&value, param) {
            (_, Param::Any) => Ok(value),
            (Value::Nil, _) => match param.nil() {
                Some(nil) => Ok(nil),
                None => self.fail(frame, format!("invalid value; expected {}", param.name())),
            },
            _ if value.type_name() == param.name() => Ok(value),
            _ => {
                let message =
                    format!("wrong type for value; expected {}; got {}", param.name(), value.type_name());
                self.fail(frame, message)
            }
        }
    }
}

/// An operand as Go prints it in the middle of a text.
struct Operand<'t>(&'t Expr);

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a constant is where nothing else says it: a `float64` if it looks like one, else an `int`.
fn ideal(number: &Number) -> Option<Value> {
    let text = &number.text;
    let character = text.starts_with('\'');
    let hex = text.starts_with("0x") || text.starts_with("0X");
    if let Some(float) = number.float
        && !character
        && !hex
        && text.contains(['.', 'e', 'E', 'p', 'P'])
    {
        return Some(Value::Float(float));
    }
    number.int.map(Value::Int)
}

/// Whether a field of the value can be asked for.
fn has_members(value: &Value) -> bool {
    matches!(value, Value::Nil | Value::Struct(_) | Value::Map(_) | Value::Dict(_))
}

/// What it costs to have made a value, not counting what it holds.
fn cost(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::List(list) => list.items.len() * STEP,
        Value::Map(map) => map.entries.len() * STEP,
        Value::Dict(dict) => dict.borrow().len() * STEP,
        _ => 0,
    }
}
