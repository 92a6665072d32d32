//! Pipelines, commands and operands.

use std::rc::Rc;

use super::super::format::quote;
use super::super::functions;
use super::super::lex::{Kind, Word};
use super::super::literal::number;
use super::super::node::{Command, Expr, Pipe};
use super::{Parsed, Parser};

/// Pipelines and what they are made of.
impl Parser<'_> {
    pub(super) fn pipeline(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        let pos = self.peek_word().pos;
        let mut pipe = Pipe { pos, variables: Vec::new(), assigns: false, commands: Vec::new() };
        self.declarations(&mut pipe, context)?;
        loop {
            let token = self.next_word();
            if token.kind == end {
                self.check(&pipe, context)?;
                return Ok(pipe);
            }
            match token.kind {
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Keyword(Word::Dot | Word::Nil)
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen => {
                    self.index -= 1;
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return self.unexpected(&token, context),
            }
        }
    }

    /// `$x :=`, `$x =` or, for `range`, `$i, $x :=`.
    pub(super) fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Parsed<()> {
        while self.peek_word().kind == Kind::Variable {
            let back = self.index;
            let variable = self.next();
            let next = self.peek_word();
            let declares = matches!(next.kind, Kind::Assign | Kind::Declare);
            if !(declares || next.kind == Kind::Punctuation && next.text == ",") {
                self.index = back;
                return Ok(());
            }
            self.next();
            let name: Rc<str> = variable.text.into();
            pipe.variables.push(name.clone());
            self.scope.variables.push(name);
            if declares {
                pipe.assigns = next.kind == Kind::Assign;
                return Ok(());
            }
            if context != "range" || pipe.variables.len() > 1 {
                return self.error(format!("too many declarations in {context}"));
            }
            if !matches!(self.peek_word().kind, Kind::Variable | Kind::RightDelim | Kind::RightParen) {
                return self.error("range can only initialize variables");
            }
        }
        Ok(())
    }

    pub(super) fn check(&self, pipe: &Pipe, context: &str) -> Parsed<()> {
        if pipe.commands.is_empty() {
            return self.error(format!("missing value for {context}"));
        }
        for (index, command) in pipe.commands.iter().enumerate().skip(1) {
            if matches!(
                command.args.first(),
                Some(Expr::Bool(..) | Expr::Dot(_) | Expr::Nil(_) | Expr::Number(..) | Expr::Text { .. })
            ) {
                return self.error(format!("non executable command in pipeline stage {}", index + 1));
            }
        }
        Ok(())
    }

    pub(super) fn command(&mut self) -> Parsed<Command> {
        let pos = self.peek_word().pos;
        let mut args = Vec::new();
        loop {
            self.skip_space();
            args.extend(self.operand()?);
            let token = self.next();
            match token.kind {
                Kind::Space => continue,
                Kind::RightDelim | Kind::RightParen => self.index -= 1,
                Kind::Pipe => {}
                _ => return self.unexpected(&token, "operand"),
            }
            break;
        }
        if args.is_empty() {
            return self.error("empty command");
        }
        Ok(Command { pos, args })
    }

    /// A term and the fields behind it; `None` if what comes next is none.
    pub(super) fn operand(&mut self) -> Parsed<Option<Expr>> {
        let Some(term) = self.term()? else {
            return Ok(None);
        };
        let first = self.peek();
        if first.kind != Kind::Field {
            return Ok(Some(term));
        }
        let mut fields = Vec::new();
        while self.peek().kind == Kind::Field {
            fields.push(field_name(&self.next().text));
        }
        // Go gives a chain the position of its first further field.
        Ok(Some(match term {
            Expr::Field(_, mut names) => {
                names.extend(fields);
                Expr::Field(first.pos, names)
            }
            Expr::Variable(_, mut names) => {
                names.extend(fields);
                Expr::Variable(first.pos, names)
            }
            Expr::Bool(..) | Expr::Text { .. } | Expr::Number(..) | Expr::Nil(_) | Expr::Dot(_) => {
                return self.error(format!("unexpected . after term {}", quote(&term.to_string())));
            }
            other => Expr::Chain(first.pos, Box::new(other), fields),
        }))
    }

    pub(super) fn term(&mut self) -> Parsed<Option<Expr>> {
        let token = self.next_word();
        let pos = token.pos;
        Ok(Some(match token.kind {
            Kind::Identifier => match functions::find(&token.text) {
                Some(function) => Expr::Function(pos, function),
                None => return self.error(format!("function {} not defined", quote(&token.text))),
            },
            Kind::Keyword(Word::Dot) => Expr::Dot(pos),
            Kind::Keyword(Word::Nil) => Expr::Nil(pos),
            Kind::Variable => {
                if !self.scope.variables.iter().any(|name| **name == *token.text) {
                    return self.error(format!("undefined variable {}", quote(&token.text)));
                }
                Expr::Variable(pos, vec![token.text.into()])
            }
            Kind::Field => Expr::Field(pos, vec![field_name(&token.text)]),
            Kind::Bool => Expr::Bool(pos, token.text == "true"),
            Kind::CharConstant | Kind::Complex | Kind::Number => match number(&token) {
                Ok(number) => Expr::Number(pos, Box::new(number)),
                Err(message) => return self.error(message),
            },
            Kind::LeftParen => {
                Expr::Pipe(self.nested(|parser| parser.pipeline("parenthesized pipeline", Kind::RightParen))?)
            }
            Kind::String | Kind::RawString => {
                let text = self.unquoted(&token.text)?;
                Expr::Text { pos, quoted: token.text.into(), text }
            }
            _ => {
                self.index -= 1;
                return Ok(None);
            }
        }))
    }
}

fn field_name(token: &str) -> Rc<str> {
    token.strip_prefix('.').unwrap_or(token).into()
}
