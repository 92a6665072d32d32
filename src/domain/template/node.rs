//! The tree of a parsed template, and how its parts are spelt in error texts.

use std::fmt;
use std::rc::Rc;

use super::format::quote;
use super::functions::Function;

/// A byte offset into the template's text.
pub(super) type Pos = usize;

/// What stands between, and in, actions.
#[derive(Debug)]
pub(super) enum Node {
    Text(Rc<str>),
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    Template { pos: Pos, name: Rc<str>, pipe: Option<Pipe> },
    Break,
    Continue,
}

/// `if`, `with` and `range`.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) pos: Pos,
    pub(super) pipe: Pipe,
    pub(super) body: Vec<Node>,
    pub(super) otherwise: Option<Vec<Node>>,
}

/// `$x := command | command`.
#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) pos: Pos,
    /// The variables it declares or sets, `$` included.
    pub(super) variables: Vec<Rc<str>>,
    /// `=` instead of `:=`.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Command>,
}

/// Operands separated by space; the first decides what it is. Never empty.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) pos: Pos,
    pub(super) args: Vec<Expr>,
}

/// One operand.
#[derive(Debug)]
pub(super) enum Expr {
    Dot(Pos),
    Nil(Pos),
    Bool(Pos, bool),
    Number(Pos, Box<Number>),
    Text {
        pos: Pos,
        quoted: Box<str>,
        text: Rc<str>,
    },
    Field(Pos, Vec<Rc<str>>),
    /// The variable's name with its `$`, then fields.
    Variable(Pos, Vec<Rc<str>>),
    Function(Pos, &'static Function),
    Chain(Pos, Box<Expr>, Vec<Rc<str>>),
    Pipe(Pipe),
}

/// A number constant: as what it may be used.
#[derive(Debug, Default)]
pub(super) struct Number {
    pub(super) text: Box<str>,
    pub(super) int: Option<i64>,
    pub(super) uint: Option<u64>,
    pub(super) float: Option<f64>,
}

impl Expr {
    pub(super) fn pos(&self) -> Pos {
        match self {
            Self::Dot(pos)
            | Self::Nil(pos)
            | Self::Bool(pos, _)
            | Self::Number(pos, _)
            | Self::Text { pos, .. }
            | Self::Field(pos, _)
            | Self::Variable(pos, _)
            | Self::Function(pos, _)
            | Self::Chain(pos, ..) => *pos,
            Self::Pipe(pipe) => pipe.pos,
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dot(_) => f.write_str("."),
            Self::Nil(_) => f.write_str("nil"),
            Self::Bool(_, value) => write!(f, "{value}"),
            Self::Number(_, number) => f.write_str(&number.text),
            Self::Text { quoted, .. } => f.write_str(quoted),
            Self::Field(_, fields) => fields.iter().try_for_each(|field| write!(f, ".{field}")),
            Self::Variable(_, parts) => f.write_str(&parts.join(".")),
            Self::Function(_, function) => f.write_str(function.name),
            Self::Chain(_, inner, fields) => {
                match &**inner {
                    Self::Pipe(pipe) => write!(f, "({pipe})")?,
                    other => write!(f, "{other}")?,
                }
                fields.iter().try_for_each(|field| write!(f, ".{field}"))
            }
            Self::Pipe(pipe) => write!(f, "{pipe}"),
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, arg) in self.args.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            match arg {
                Expr::Pipe(pipe) => write!(f, "({pipe})")?,
                other => write!(f, "{other}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            write!(f, "{} {} ", self.variables.join(", "), if self.assigns { "=" } else { ":=" })?;
        }
        for (index, command) in self.commands.iter().enumerate() {
            write!(f, "{}{command}", if index > 0 { " | " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Action(pipe) => write!(f, "{{{{{pipe}}}}}"),
            Self::If(branch) => branch.spell("if", f),
            Self::With(branch) => branch.spell("with", f),
            Self::Range(branch) => branch.spell("range", f),
            Self::Template { name, pipe: Some(pipe), .. } => {
                write!(f, "{{{{template {} {pipe}}}}}", quote(name))
            }
            Self::Template { name, pipe: None, .. } => write!(f, "{{{{template {}}}}}", quote(name)),
            Self::Break => f.write_str("{{break}}"),
            Self::Continue => f.write_str("{{continue}}"),
        }
    }
}

impl Branch {
    fn spell(&self, word: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{{{word} {}}}}}", self.pipe)?;
        self.body.iter().try_for_each(|node| write!(f, "{node}"))?;
        if let Some(nodes) = &self.otherwise {
            f.write_str("{{else}}")?;
            nodes.iter().try_for_each(|node| write!(f, "{node}"))?;
        }
        f.write_str("{{end}}")
    }
}
