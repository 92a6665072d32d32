//! Builds the tree of a template, refusing what Go refuses, in Go's words.
//!
//! Functions and variables must be known here already: a message template that names an unknown function is an error when
//! it is loaded, not when a commit is due.
//!
//! Source: golang/go:src/text/template/parse/parse.go.

mod pipeline;

use std::collections::BTreeMap;
use std::rc::Rc;

use super::NAME;
use super::format::quote;
use super::lex::{self, Kind, Token, Word};
use super::literal::unquote;
use super::node::{Branch, Node, Pos};

/// How deep branches and parentheses may nest; Go allows more, but nobody writes more.
const MAX_DEPTH: usize = 100;

/// The templates of one text by name: its own, [`NAME`], and those it defines.
pub(super) type Trees = BTreeMap<Rc<str>, Vec<Node>>;

/// Parses `text`.
///
/// # Errors
/// Go's text, from `template: commit message:` on.
pub(super) fn parse(text: &str) -> Result<Trees, String> {
    let mut parser = Parser {
        text,
        tokens: lex::tokens(text),
        index: 0,
        furthest: 0,
        depth: 0,
        scope: Scope::new(),
        trees: Trees::new(),
    };
    let root = parser.template()?;
    parser.add(NAME.into(), root)?;
    Ok(parser.trees)
}

/// What a definition does not share with the template around it.
struct Scope {
    variables: Vec<Rc<str>>,
    /// Where the action under way began; for errors that end on another line.
    action: Option<Pos>,
    ranges: usize,
}

impl Scope {
    fn new() -> Self {
        Self { variables: vec!["$".into()], action: None, ranges: 0 }
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    index: usize,
    /// The last token looked at, whose line errors name.
    furthest: usize,
    depth: usize,
    scope: Scope,
    trees: Trees,
}

type Parsed<T> = Result<T, String>;

/// What a list of nodes is made of, and what ends one.
enum Item {
    Node(Node),
    Else,
    End,
}

impl Item {
    fn shown(&self) -> String {
        match self {
            Self::Node(node) => node.to_string(),
            Self::Else => "{{else}}".to_owned(),
            Self::End => "{{end}}".to_owned(),
        }
    }
}

/// Moving among tokens, and complaining about them.
impl<'a> Parser<'a> {
    fn at(&mut self, index: usize) -> Token<'a> {
        let index = index.min(self.tokens.len().saturating_sub(1));
        self.furthest = self.furthest.max(index);
        self.tokens.get(index).cloned().unwrap_or(Token { kind: Kind::Eof, pos: 0, text: "EOF".into() })
    }

    fn peek(&mut self) -> Token<'a> {
        self.at(self.index)
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.index += 1;
        token
    }

    fn skip_space(&mut self) {
        while self.peek().kind == Kind::Space {
            self.index += 1;
        }
    }

    fn peek_word(&mut self) -> Token<'a> {
        self.skip_space();
        self.peek()
    }

    fn next_word(&mut self) -> Token<'a> {
        self.skip_space();
        self.next()
    }

    fn line(&self, pos: Pos) -> usize {
        1 + self.text.bytes().take(pos).filter(|&byte| byte == b'\n').count()
    }

    fn error<T>(&self, message: impl AsRef<str>) -> Parsed<T> {
        let line = self.tokens.get(self.furthest).map_or(1, |token| self.line(token.pos));
        Err(format!("template: {NAME}:{line}: {}", message.as_ref()))
    }

    fn unexpected<T>(&self, token: &Token<'_>, context: &str) -> Parsed<T> {
        if token.kind != Kind::Error {
            return self.error(format!("unexpected {} in {context}", token.shown()));
        }
        let mut extra = String::new();
        if let Some(started) = self.scope.action.map(|pos| self.line(pos))
            && started != self.line(token.pos)
        {
            let words = if token.text.ends_with(" action") { "" } else { " in action" };
            extra = format!("{words} started at {NAME}:{started}");
        }
        self.error(format!("{}{extra}", token.text))
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Parsed<()> {
        let token = self.next_word();
        if token.kind == kind { Ok(()) } else { self.unexpected(&token, context) }
    }

    /// Runs `part` one level deeper.
    fn nested<T>(&mut self, part: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return self.error("max expression depth exceeded");
        }
        self.depth += 1;
        let result = part(self);
        self.depth -= 1;
        result
    }
}

/// Lists and control structures.
impl Parser<'_> {
    fn template(&mut self) -> Parsed<Vec<Node>> {
        let mut nodes = Vec::new();
        loop {
            match self.peek().kind {
                Kind::Eof => return Ok(nodes),
                Kind::LeftDelim => {
                    let back = self.index;
                    self.next();
                    if self.next_word().kind == Kind::Keyword(Word::Define) {
                        self.definition()?;
                        continue;
                    }
                    self.index = back;
                }
                _ => {}
            }
            match self.item()? {
                Item::Node(node) => nodes.push(node),
                end => return self.error(format!("unexpected {}", end.shown())),
            }
        }
    }

    fn definition(&mut self) -> Parsed<()> {
        let context = "define clause";
        let outer = std::mem::replace(&mut self.scope, Scope::new());
        let token = self.next_word();
        let name = self.name(&token, context)?;
        self.expect(Kind::RightDelim, context)?;
        self.body_of(name, context)?;
        self.scope = outer;
        Ok(())
    }

    /// The rest of a definition or block, up to its `{{end}}`, kept under `name`.
    fn body_of(&mut self, name: Rc<str>, context: &str) -> Parsed<()> {
        let (nodes, end) = self.nested(Self::list)?;
        if !matches!(end, Item::End) {
            return self.error(format!("unexpected {} in {context}", end.shown()));
        }
        self.add(name, nodes)
    }

    fn add(&mut self, name: Rc<str>, nodes: Vec<Node>) -> Parsed<()> {
        match self.trees.get(&name) {
            Some(known) if !is_blank(known) => {
                if is_blank(&nodes) {
                    return Ok(());
                }
                self.error(format!("template: multiple definition of template {}", quote(&name)))
            }
            _ => {
                self.trees.insert(name, nodes);
                Ok(())
            }
        }
    }

    /// Nodes up to `{{else}}` or `{{end}}`, and which of the two it was.
    fn list(&mut self) -> Parsed<(Vec<Node>, Item)> {
        let mut nodes = Vec::new();
        while self.peek_word().kind != Kind::Eof {
            match self.item()? {
                Item::Node(node) => nodes.push(node),
                end => return Ok((nodes, end)),
            }
        }
        self.error("unexpected EOF")
    }

    fn item(&mut self) -> Parsed<Item> {
        let token = self.next_word();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node::Text(token.text.into()))),
            Kind::LeftDelim => {
                self.scope.action = Some(token.pos);
                let item = self.action();
                self.scope.action = None;
                item
            }
            _ => self.unexpected(&token, "input"),
        }
    }

    fn action(&mut self) -> Parsed<Item> {
        let token = self.next_word();
        let Kind::Keyword(word) = token.kind else {
            return self.plain_action();
        };
        let node = match word {
            Word::Else => return self.else_clause(),
            Word::End => {
                self.expect(Kind::RightDelim, "end")?;
                return Ok(Item::End);
            }
            Word::If => Node::If(self.branch(token.pos, word)?),
            Word::With => Node::With(self.branch(token.pos, word)?),
            Word::Range => Node::Range(self.branch(token.pos, word)?),
            Word::Block => self.block()?,
            Word::Template => self.invocation()?,
            Word::Break => self.jump("{{break}}", Node::Break)?,
            Word::Continue => self.jump("{{continue}}", Node::Continue)?,
            Word::Dot | Word::Nil | Word::Define => return self.plain_action(),
        };
        Ok(Item::Node(node))
    }

    fn plain_action(&mut self) -> Parsed<Item> {
        self.index -= 1;
        Ok(Item::Node(Node::Action(self.pipeline("command", Kind::RightDelim)?)))
    }

    fn jump(&mut self, word: &str, node: Node) -> Parsed<Node> {
        self.expect(Kind::RightDelim, word)?;
        if self.scope.ranges == 0 {
            return self.error(format!("{word} outside {{{{range}}}}"));
        }
        Ok(node)
    }

    fn else_clause(&mut self) -> Parsed<Item> {
        // `{{else if …}}` is `{{else}}{{if …}}`: the word is left for whoever asked for the list.
        if !matches!(self.peek_word().kind, Kind::Keyword(Word::If | Word::With)) {
            self.expect(Kind::RightDelim, "else")?;
        }
        Ok(Item::Else)
    }

    fn branch(&mut self, pos: Pos, word: Word) -> Parsed<Branch> {
        let known = self.scope.variables.len();
        let context = match word {
            Word::If => "if",
            Word::With => "with",
            _ => "range",
        };
        let pipe = self.pipeline(context, Kind::RightDelim)?;
        let ranges = usize::from(word == Word::Range);
        self.scope.ranges += ranges;
        let (body, end) = self.nested(Self::list)?;
        self.scope.ranges -= ranges;
        let otherwise = match end {
            Item::Else => Some(self.otherwise(word)?),
            _ => None,
        };
        self.scope.variables.truncate(known);
        Ok(Branch { pos, pipe, body, otherwise })
    }

    fn otherwise(&mut self, word: Word) -> Parsed<Vec<Node>> {
        let token = self.peek();
        if word != Word::Range && token.kind == Kind::Keyword(word) {
            self.next();
            let branch = self.nested(|parser| parser.branch(token.pos, word))?;
            return Ok(vec![if word == Word::If { Node::If(branch) } else { Node::With(branch) }]);
        }
        let (nodes, end) = self.nested(Self::list)?;
        if matches!(end, Item::End) {
            return Ok(nodes);
        }
        self.error(format!("expected end; found {}", end.shown()))
    }

    fn block(&mut self) -> Parsed<Node> {
        let context = "block clause";
        let token = self.next_word();
        let name = self.name(&token, context)?;
        let pipe = self.pipeline(context, Kind::RightDelim)?;
        let outer = std::mem::replace(&mut self.scope, Scope::new());
        self.body_of(name.clone(), context)?;
        self.scope = outer;
        Ok(Node::Template { pos: token.pos, name, pipe: Some(pipe) })
    }

    fn invocation(&mut self) -> Parsed<Node> {
        let context = "template clause";
        let token = self.next_word();
        let name = self.name(&token, context)?;
        let pipe = if self.next_word().kind == Kind::RightDelim {
            None
        } else {
            self.index -= 1;
            Some(self.pipeline(context, Kind::RightDelim)?)
        };
        Ok(Node::Template { pos: token.pos, name, pipe })
    }

    fn name(&mut self, token: &Token<'_>, context: &str) -> Parsed<Rc<str>> {
        match token.kind {
            Kind::String | Kind::RawString => self.unquoted(&token.text),
            _ => self.unexpected(token, context),
        }
    }

    fn unquoted(&self, text: &str) -> Parsed<Rc<str>> {
        match unquote(text) {
            Some(text) => Ok(text.into()),
            None => self.error("invalid syntax"),
        }
    }
}

fn is_blank(nodes: &[Node]) -> bool {
    nodes.iter().all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()))
}
