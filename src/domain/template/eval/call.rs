//! Calls of functions and methods: which arguments they take, and what they answer.

use super::super::functions::{Call, Function, Param};
use super::super::node::Expr;
use super::super::value::{ANY, Value, Walk};
use super::operand::Operand;
use super::{Around, At, Done, Frame, Run, STEP};

/// Calls.
impl<'t> Run<'t> {
    pub(super) fn call(
        &mut self,
        frame: &mut Frame<'t>,
        around: Around<'_>,
        function: &'static Function,
        whole: At<'t>,
        args: Option<&'t [Expr]>,
        receiver: Option<&Value>,
    ) -> Done<Value> {
        let args = args.and_then(|args| args.get(1..)).unwrap_or_default();
        self.count(frame, function, args.len(), around.last.is_some())?;
        if let Call::Several(refusal) = function.call {
            return self.fail(frame, refusal);
        }
        if let Call::And | Call::Or = function.call {
            return self.logic(frame, around, matches!(function.call, Call::Or), args);
        }
        let mut values = Vec::with_capacity(args.len() + 2);
        values.extend(receiver.cloned());
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
            Call::Walking(call) => call(&values, &mut Walk::new(&mut self.work)),
            Call::Callee => Err(match values.first() {
                None | Some(Value::Nil) => "call of nil".to_owned(),
                Some(other) => {
                    let name = args.first().map_or_else(|| reflected(other), ToString::to_string);
                    format!("non-function {name} of type {}", other.type_name())
                }
            }),
            Call::And | Call::Or | Call::Several(_) => Ok(Value::Nil),
        };
        let cost = STEP + result.as_ref().map_or(0, cost) + values.iter().map(cost).sum::<usize>();
        self.spend(frame, cost)?;
        result.or_else(|message| {
            frame.at = whole;
            self.fail(frame, format!("error calling {}: {message}", function.name))
        })
    }

    pub(super) fn count(&self, frame: &Frame<'_>, function: &Function, args: usize, piped: bool) -> Done<()> {
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
    pub(super) fn logic(
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
    pub(super) fn argument(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Value,
        param: Param,
        expr: &'t Expr,
    ) -> Done<Value> {
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
                if matches!(value, Value::Nil) && frame.is_boxed(dot, expr) {
                    let wanted = param.name();
                    return self.fail(frame, format!("wrong type for value; expected {wanted}; got {ANY}"));
                }
                self.fits(frame, value, param)
            }
            (_, Expr::Nil(_)) => match param.nil() {
                Some(value) => Ok(value),
                None => self.fail(frame, format!("cannot assign nil to {}", param.name())),
            },
            (Param::Text, Expr::Text { text, .. }) => Ok(Value::Text(text.clone())),
            (Param::Bool, Expr::Bool(_, value)) => Ok(Value::Bool(*value)),
            (Param::Int | Param::Duration, Expr::Number(_, number)) if number.int.is_some() => {
                Ok(Value::Int(number.int.unwrap_or_default()))
            }
            (Param::Float, Expr::Number(_, number)) if number.float.is_some() => {
                Ok(Value::Float(number.float.unwrap_or_default()))
            }
            (Param::Text, _) => self.fail(frame, format!("expected string; found {}", Operand(expr))),
            (Param::Bool, _) => self.fail(frame, format!("expected bool; found {}", Operand(expr))),
            (Param::Int | Param::Duration, _) => {
                self.fail(frame, format!("expected integer; found {}", Operand(expr)))
            }
            (Param::Float, _) => self.fail(frame, format!("expected float; found {}", Operand(expr))),
            _ => self.fail(frame, format!("can't handle {} for arg of type {}", Operand(expr), param.name())),
        }
    }

    pub(super) fn fits(&self, frame: &Frame<'_>, value: Value, param: Param) -> Done<Value> {
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

/// What Go's reflection prints for a value that it does not know how to call.
fn reflected(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        other => format!("<{} Value>", other.type_name()),
    }
}
