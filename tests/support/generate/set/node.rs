//! Nodes: block mappings and lists, flow collections, scalars of every style.

use super::text::Text;
use super::words::{KEYS, ODD_VALUES, TAGS, VALUES};

impl Text<'_> {
    /// One entry of a block mapping at `indent`.
    pub(super) fn entry(&mut self, indent: usize, depth: usize) {
        self.between(indent);
        self.indent(indent);
        if self.rare(4) {
            let merged = if self.random.one_in(2) { self.anchor() } else { "{a: 1}".to_owned() };
            self.put(&format!("<<: {merged}\n"));
            return;
        }
        let key = self.random.pick(KEYS);
        if self.rare(4) {
            self.put(&format!("? {key}"));
            if self.random.one_in(3) {
                self.tail();
            }
            self.out.push('\n');
            self.indent(indent);
        } else {
            self.out.push_str(key);
            if self.rare(6) {
                self.out.push(' ');
            }
        }
        self.out.push(':');
        self.value(indent, depth, false);
    }

    /// An alias of the last anchor, or of none that is known.
    fn anchor(&self) -> String {
        format!("*x{}", self.anchors)
    }

    /// What follows `key:` or `-`, up to and with the line's end.
    fn value(&mut self, indent: usize, depth: usize, item: bool) {
        let room = depth < 4;
        match self.random.below(14) {
            0 | 1 if room => self.block_mapping(indent, depth, item),
            2 | 3 if room => self.block_sequence(indent, depth, item),
            4 if room => self.flow(indent, depth),
            5 => self.block_scalar(indent),
            6 if self.odd() => self.below(indent),
            7 if self.odd() => {
                let alias = self.anchor();
                self.put(&format!(" {alias}"));
                self.end();
            }
            8 if self.odd() => self.end(),
            _ => {
                self.properties();
                self.out.push(' ');
                if self.rare(6) {
                    self.out.push_str("  ");
                }
                self.scalar(indent, false);
                self.end();
            }
        }
    }

    /// A comment perhaps, and the line's end.
    fn end(&mut self) {
        self.tail();
        self.out.push('\n');
    }

    /// Anchor and tag, now and then.
    fn properties(&mut self) {
        if self.rare(2) {
            self.anchors += 1;
            self.put(&format!(" &x{}", self.anchors));
        }
        if self.rare(2) {
            let tag = self.random.word(TAGS);
            self.put(&format!(" {tag}"));
        }
    }

    /// Properties and a comment before a collection on the lines below.
    fn heading(&mut self) {
        if self.odd() {
            self.properties();
        }
        if self.odd() {
            self.tail();
        }
        self.out.push('\n');
    }

    fn block_mapping(&mut self, indent: usize, depth: usize, item: bool) {
        if item && !self.odd() {
            let key = self.random.pick(KEYS);
            self.put(&format!(" {key}:"));
            self.value(indent + 2, depth + 1, false);
            for _ in 0..self.random.below(3) {
                self.entry(indent + 2, depth + 1);
            }
            return;
        }
        let step = if self.odd() { self.random.pick(&[1, 3, 4, 8]) } else { 2 };
        self.heading();
        for _ in 0..=self.random.below(3) {
            self.entry(indent + step, depth + 1);
        }
        self.between(indent + step);
    }

    fn block_sequence(&mut self, indent: usize, depth: usize, item: bool) {
        let dash = if self.odd() { self.random.pick(&[0, 2, 4, 1]) } else { self.dash };
        let column = indent + if item { 2 } else { dash };
        if item && !self.odd() {
            self.out.push_str(" -");
            self.value(column, depth + 1, true);
        } else {
            self.heading();
        }
        for _ in 0..=self.random.below(3) {
            self.between(column);
            self.indent(column);
            self.out.push('-');
            if self.rare(3) {
                self.out.push_str("  ");
            }
            self.value(column, depth + 1, true);
        }
    }

    /// A value on the line below its key, with a comment above it now and then.
    fn below(&mut self, indent: usize) {
        if self.odd() {
            self.tail();
        }
        self.out.push('\n');
        if self.random.one_in(2) {
            let marker = self.marker();
            self.line(indent + 2, marker);
        }
        self.indent(indent + 2);
        self.scalar(indent + 2, false);
        self.end();
    }

    fn flow(&mut self, indent: usize, depth: usize) {
        let lines = self.random.one_in(3);
        self.properties();
        self.out.push(' ');
        self.flow_node(indent, depth, lines);
        self.end();
    }

    /// A flow collection, on one line or with one entry on each of its `lines`.
    fn flow_node(&mut self, indent: usize, depth: usize, lines: bool) {
        let (open, close) = self.random.pick(&[('{', '}'), ('[', ']')]);
        self.out.push(open);
        let count = self.random.below(4);
        for index in 0..count {
            if lines {
                self.out.push('\n');
                self.indent(indent + 2);
            }
            if open == '{' || self.rare(6) {
                self.add(&["a: ", "b: ", "image: ", "\"q\": ", "tag: "]);
            }
            self.flow_value(indent + 2, depth, lines);
            if index + 1 < count || self.odd() {
                let commas: &[&str] = if self.odd() { &[",", " ,", ",  "] } else { &[", "] };
                self.add(if lines { &[","] } else { commas });
            }
            if lines && self.random.one_in(2) {
                self.tail();
            }
        }
        if lines {
            self.out.push('\n');
            self.indent(indent);
        }
        self.out.push(close);
    }

    fn flow_value(&mut self, indent: usize, depth: usize, lines: bool) {
        if depth < 3 && self.random.one_in(6) {
            return self.flow_node(indent, depth + 1, lines);
        }
        if self.odd() {
            self.properties();
            self.out.push(' ');
        }
        self.scalar(indent, true);
    }

    fn block_scalar(&mut self, indent: usize) {
        self.properties();
        self.out.push(' ');
        let headers: &[&str] =
            if self.odd() { &["|-", "|+", ">", ">-", ">+", "|2", "|1-", "|-2"] } else { &["|", ">"] };
        self.add(headers);
        if self.random.one_in(2) {
            self.tail();
        }
        self.out.push('\n');
        let step = if self.odd() { self.random.pick(&[1, 3, 4]) } else { 2 };
        for _ in 0..self.random.below(4) {
            let line = if self.odd() {
                let marker = "# {\"$imagepolicy\": \"apps:web\"}";
                self.random.pick(&["", "  deeper", "trailing ", marker, "- a", "\ttab", "   ", "😀", "---"])
            } else {
                let marked = "image: o/web:1 # {\"$imagepolicy\": \"apps:web\"}";
                self.random.pick(&["o/web:1.0.0", "text", marked, "key:", "- x"])
            };
            self.indent(if line.is_empty() { 0 } else { indent + step });
            self.out.push_str(line);
            self.out.push('\n');
        }
    }

    fn scalar(&mut self, indent: usize, flow: bool) {
        let value = self.random.pick(VALUES);
        match self.random.below(8) {
            0 | 1 => self.put(&format!("\"{value}\"")),
            2 => self.put(&format!("'{value}'")),
            3 if self.odd() => {
                let text =
                    self.random.pick(&["\"a\n~b\"", "'a\n\n~b'", "multi\n~line", "multi\n\n~line\n~more"]);
                self.out.push_str(&text.replace('~', &" ".repeat(indent + 2)));
            }
            4 if self.odd() => self.add(ODD_VALUES),
            _ if flow && value.contains(", ") => self.out.push('x'),
            _ => self.out.push_str(value),
        }
    }
}
