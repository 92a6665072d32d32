//! Pipelines, commands and operands: what an action's value is.

use std::fmt;
use std::rc::Rc;

use super::super::data::{RESULT, TEMPLATE_DATA};
use super::super::format::quote;
use super::super::node::{Command, Expr, Number, Pipe};
use super::super::value::{ANY, Struct, Value};
use super::{Around, At, Done, Failure, Frame, Removed, Run, STEP, Variable};

/// Pipelines, commands and operands.
impl<'t> Run<'t> {
    pub(super) fn set(&mut self, frame: &mut Frame<'t>, name: &str, value: Value, boxed: bool) -> Done<()> {
        match frame.variables.iter_mut().rev().find(|known| *known.name == *name) {
            Some(slot) => {
                (slot.value, slot.boxed) = (value, boxed);
                Ok(())
            }
            None => self.fail(frame, format!("undefined variable: {name}")),
        }
    }

    pub(super) fn pipe(&mut self, frame: &mut Frame<'t>, dot: &Value, pipe: &'t Pipe) -> Done<Value> {
        frame.at = At::Pipe(pipe);
        let mut last = None;
        for command in &pipe.commands {
            self.spend(frame, STEP)?;
            last = Some(self.command(frame, Around { dot, last: last.as_ref(), boxed: false }, command)?);
        }
        let value = last.unwrap_or(Value::Nil);
        for name in &pipe.variables {
            if pipe.assigns {
                self.set(frame, name, value.clone(), false)?;
            } else {
                frame.variables.push(Variable::new(name.clone(), value.clone()));
            }
        }
        Ok(value)
    }

    pub(super) fn command(
        &mut self,
        frame: &mut Frame<'t>,
        around: Around<'_>,
        command: &'t Command,
    ) -> Done<Value> {
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
                return self.call(frame, around, function, At::Command(command), args, None);
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

    pub(super) fn not_a_function(
        &self,
        frame: &Frame<'_>,
        around: Around<'_>,
        command: &Command,
    ) -> Done<()> {
        match command.args.first() {
            Some(first) if command.args.len() > 1 || around.last.is_some() => {
                self.fail(frame, format!("can't give argument to non-function {}", Operand(first)))
            }
            _ => Ok(()),
        }
    }

    /// A value that is spelt out, or dot.
    pub(super) fn constant(&mut self, frame: &mut Frame<'t>, dot: &Value, expr: &'t Expr) -> Done<Value> {
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
    pub(super) fn chain(
        &mut self,
        frame: &mut Frame<'t>,
        around: Around<'_>,
        expr: &'t Expr,
        args: Option<&'t [Expr]>,
    ) -> Done<Value> {
        frame.at = At::Expr(expr);
        let has_args = args.is_some_and(|args| args.len() > 1) || around.last.is_some();
        let (start, boxed, fields): (Value, bool, &[Rc<str>]) = match expr {
            Expr::Field(_, fields) => (around.dot.clone(), frame.boxed_dot, fields),
            Expr::Variable(_, parts) => {
                let (name, fields) =
                    parts.split_first().map_or(("", &[][..]), |(name, rest)| (&**name, rest));
                let known = frame.variables.iter().rev().find(|known| *known.name == *name);
                let Some(Variable { value, boxed, .. }) = known else {
                    return self.fail(frame, format!("undefined variable: {name}"));
                };
                if fields.is_empty() && has_args {
                    return self.fail(frame, format!("can't give argument to non-function {expr}"));
                }
                (value.clone(), *boxed, fields)
            }
            Expr::Chain(_, inner, fields) => {
                if matches!(**inner, Expr::Nil(_)) {
                    return self.fail(frame, format!("indirection through explicit nil in {expr}"));
                }
                (self.operand(frame, around.dot, inner)?, false, fields)
            }
            _ => return self.fail(frame, "no fields"),
        };
        let last = fields.len().saturating_sub(1);
        let (mut value, mut around) = (start, Around { boxed, ..around });
        let piped = around.last.take();
        for (index, field) in fields.iter().enumerate() {
            let is_last = index == last;
            around.last = piped.filter(|_| is_last);
            let next = self.field(frame, around, &value, field, expr, args.filter(|_| is_last))?;
            around.boxed = matches!(&value, Value::Dict(dict) if dict.borrow().contains_key(field));
            value = next;
        }
        Ok(value)
    }

    pub(super) fn field(
        &mut self,
        frame: &mut Frame<'t>,
        around: Around<'_>,
        of: &Value,
        name: &str,
        expr: &'t Expr,
        args: Option<&'t [Expr]>,
    ) -> Done<Value> {
        self.spend(frame, STEP)?;
        let given = args.map_or(0, |args| args.len().saturating_sub(1)) + usize::from(around.last.is_some());
        if let Some(function) = of.call(name) {
            return self.call(frame, around, function, At::Expr(expr), args, Some(of));
        }
        match of {
            Value::Nil if around.boxed => self.fail(frame, format!("nil pointer evaluating {ANY}.{name}")),
            Value::Nil => Ok(Value::Nil),
            Value::Struct(object) => self.member(frame, object, name, given, around.boxed),
            Value::Map(map) if map.of.key == "string" => {
                self.no_args(frame, name, given > 0)?;
                let found =
                    map.entries.iter().find(|(key, _)| matches!(key, Value::Text(key) if **key == *name));
                Ok(found.map_or(Value::Nil, |(_, value)| value.clone()))
            }
            Value::Dict(dict) => {
                self.no_args(frame, name, given > 0)?;
                Ok(dict.borrow().get(name).cloned().unwrap_or(Value::Nil))
            }
            _ => {
                let of = if around.boxed { ANY.to_owned() } else { of.type_name() };
                self.fail(frame, format!("can't evaluate field {name} in type {of}"))
            }
        }
    }

    /// A method without arguments, or a field, of a struct; `given` arguments are too many.
    pub(super) fn member(
        &mut self,
        frame: &Frame<'_>,
        object: &Rc<Struct>,
        name: &str,
        given: usize,
        boxed: bool,
    ) -> Done<Value> {
        if let Some((name, method)) = object.of.methods.iter().find(|(known, _)| *known == name) {
            if given > 0 {
                return self.fail(frame, format!("wrong number of args for {name}: want 0 got {given}"));
            }
            let answer = || (Rc::clone(object), method(object));
            // The object is kept too, so that nothing else comes to lie where it lies.
            return Ok(self.answers.entry((Rc::as_ptr(object), name)).or_insert_with(answer).1.clone());
        }
        if let Some(value) = object.field(name) {
            if given > 0 {
                return self.fail(frame, format!("{name} has arguments but cannot be invoked as function"));
            }
            return Ok(value.clone());
        }
        if let Some(hidden) = object.of.fields.iter().find(|field| field.hidden && field.name == name) {
            let of = object.of.name;
            return self.fail(frame, format!("{} is an unexported field of struct type {of}", hidden.name));
        }
        let of = if boxed { ANY } else { object.of.name };
        self.no_field(frame, object, name, of)
    }

    pub(super) fn no_args(&self, frame: &Frame<'_>, name: &str, has_args: bool) -> Done<()> {
        if has_args { self.fail(frame, format!("{name} is not a method but has arguments")) } else { Ok(()) }
    }

    pub(super) fn no_field(&self, frame: &Frame<'_>, object: &Struct, name: &str, of: &str) -> Done<Value> {
        let message = format!("can't evaluate field {name} in type {of}");
        let removed = match name {
            "Updated" if std::ptr::eq(object.of, &raw const TEMPLATE_DATA) => Some(Removed::Updated),
            "ImageResult" if std::ptr::eq(object.of, &raw const RESULT) => Some(Removed::ImageResult),
            _ => None,
        };
        self.fail(frame, message).map_err(|failure: Box<Failure>| Box::new(Failure { removed, ..*failure }))
    }

    /// An operand whose type does not matter.
    pub(super) fn operand(&mut self, frame: &mut Frame<'t>, dot: &Value, expr: &'t Expr) -> Done<Value> {
        frame.at = At::Expr(expr);
        let around = Around { dot, last: None, boxed: false };
        match expr {
            Expr::Field(..) | Expr::Variable(..) | Expr::Chain(..) => self.chain(frame, around, expr, None),
            Expr::Pipe(pipe) => self.nested(frame, |run, frame| run.pipe(frame, dot, pipe)),
            Expr::Function(_, function) => self.call(frame, around, function, At::Expr(expr), None, None),
            Expr::Nil(_) => Ok(Value::Nil),
            constant => self.constant(frame, dot, constant),
        }
    }
}

impl Frame<'_> {
    /// Whether what stands there is of Go's type `interface {}`, for an operand that was found to be nothing.
    pub(super) fn is_boxed(&self, dot: &Value, expr: &Expr) -> bool {
        match expr {
            Expr::Dot(_) => self.boxed_dot,
            Expr::Field(_, fields) => is_entry(dot.clone(), fields),
            Expr::Variable(_, parts) => {
                let Some((name, fields)) = parts.split_first() else { return false };
                let known = self.variables.iter().rev().find(|known| known.name == *name);
                known.is_some_and(|known| match fields {
                    [] => known.boxed,
                    fields => is_entry(known.value.clone(), fields),
                })
            }
            _ => false,
        }
    }
}

/// Whether these keys lead from dictionary to dictionary to an entry.
fn is_entry(start: Value, keys: &[Rc<str>]) -> bool {
    let step = |of: Value, key: &Rc<str>| match of {
        Value::Dict(dict) => dict.borrow().get(key).cloned(),
        _ => None,
    };
    keys.iter().try_fold(start, step).is_some()
}

/// An operand as Go prints it in the middle of a text.
pub(super) struct Operand<'t>(pub(super) &'t Expr);

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a constant is where nothing else says it: a `float64` if it looks like one, else an `int`.
fn ideal(number: &Number) -> Option<Value> {
    let text = &number.text;
    let character = text.starts_with('\'');
    let hex = (text.starts_with("0x") || text.starts_with("0X")) && !text.contains(['p', 'P']);
    if let Some(float) = number.float
        && !character
        && !hex
        && text.contains(['.', 'e', 'E', 'p', 'P'])
    {
        return Some(Value::Float(float));
    }
    number.int.map(Value::Int)
}
