//! A file: documents of objects, what stands between them, and accidents.

use super::super::Random;
use super::words::{ACCIDENTS, BAD_MARKERS, ENDS, MARKERS, METADATA, ODD_DOCUMENTS, OPENINGS, SEPARATORS};

/// A file under construction.
pub struct Text<'a> {
    pub(super) random: &'a mut Random,
    pub(super) out: String,
    /// How many anchors were set in this document.
    pub(super) anchors: usize,
    /// How far a list's dash stands from its key, unless chance decides anew.
    pub(super) dash: usize,
    /// One in so many places is strange.
    calm: usize,
}

impl<'a> Text<'a> {
    pub(super) fn new(random: &'a mut Random) -> Self {
        let (dash, calm) = (random.pick(&[0, 2]), random.pick(&[4, 12, 60]));
        Self { random, out: String::new(), anchors: 0, dash, calm }
    }

    /// Whether this is one of the strange places.
    pub(super) fn odd(&mut self) -> bool {
        self.random.one_in(self.calm)
    }

    /// As [`Self::odd`], and then only once in `times`.
    pub(super) fn rare(&mut self, times: usize) -> bool {
        self.odd() && self.random.one_in(times)
    }

    pub(super) fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Adds one of `choices`.
    pub(super) fn add(&mut self, choices: &[&str]) {
        let chosen = self.random.pick(choices);
        self.out.push_str(chosen);
    }

    pub(super) fn indent(&mut self, columns: usize) {
        self.out.extend(std::iter::repeat_n(' ', columns));
    }

    /// A line of its own, with blanks behind it now and then.
    pub(super) fn line(&mut self, indent: usize, text: &str) {
        self.indent(indent);
        self.out.push_str(text);
        if self.rare(4) {
            self.add(&[" ", "  ", "\t"]);
        }
        self.out.push('\n');
    }

    pub(super) fn marker(&mut self) -> &'static str {
        let markers = if self.odd() { BAD_MARKERS } else { MARKERS };
        self.random.pick(markers)
    }

    /// The whole file.
    pub(super) fn file(mut self) -> String {
        if self.random.one_in(30) {
            return self.json();
        }
        if self.odd() {
            self.add(OPENINGS);
        }
        for index in 0..self.random.pick(&[1, 1, 1, 2, 3]) {
            if index > 0 {
                let separators = if self.odd() { SEPARATORS } else { &["---\n"] };
                self.add(separators);
            }
            self.anchors = 0;
            self.document();
        }
        if self.odd() {
            self.add(ENDS);
        }
        self.disturbed()
    }

    fn document(&mut self) {
        if self.rare(3) {
            return self.add(ODD_DOCUMENTS);
        }
        if self.random.one_in(14) {
            return self.list();
        }
        if !self.random.one_in(5) {
            self.identity();
        }
        for _ in 0..=self.random.below(3) {
            self.entry(0, 0);
        }
    }

    /// A `kind: List`, or nearly.
    fn list(&mut self) {
        self.out.push_str("apiVersion: v1\n");
        self.add(&[
            "kind: List\n",
            "kind: List\n",
            "kind: ResourceList\n",
            "kind: PodList\n",
            "kind: \"List\"\n",
        ]);
        self.line(0, "items:");
        for _ in 0..self.random.below(3) {
            self.line(0, "- apiVersion: v1");
            self.line(0, "  kind: Pod");
            self.add(&[
                "  metadata:\n    name: a\n",
                "  metadata:\n    name: b\n",
                "  metadata:\n    name: ../x\n",
            ]);
            self.line(4, "namespace: ns");
            self.entry(2, 1);
        }
        if self.odd() {
            self.entry(0, 0);
        }
    }

    fn identity(&mut self) {
        if !self.odd() {
            self.line(0, "apiVersion: apps/v1");
        }
        if !self.odd() {
            let kind = self.random.word("Deployment Pod \"Quoted\" ~ 5 List");
            self.line(0, &format!("kind: {kind}"));
        }
        let metadata = if self.odd() { METADATA } else { &["metadata:\n  name: web\n  namespace: prod\n"] };
        self.add(metadata);
    }

    fn json(&mut self) -> String {
        let value = self.random.pick(&["o/web:1.0.0", "# {\\\"$imagepolicy\\\": \\\"apps:web\\\"}", "x"]);
        let text = self.random.pick(&[
            "{\"a\": {\"image\": \"V\"}}",
            "{\n  \"a\": 1,\n  \"image\": \"V\"\n}",
            "{\n\t\"image\": \"V\"\n}",
            "{\n  \"image\": \"V\", T\n  \"b\": [1, 2,3]\n}",
        ]);
        let tail = self.random.pick(&["\n", " T\n", "\nT\n"]);
        format!("{text}{tail}").replace('V', value).replace('T', self.random.pick(MARKERS))
    }

    /// Comments and blank lines between entries.
    pub(super) fn between(&mut self, indent: usize) {
        if !self.odd() {
            return;
        }
        for _ in 0..=self.random.below(3) {
            if self.random.one_in(3) {
                self.add(&["\n", "\n", "  \n", "\n\n"]);
            } else {
                let comment = if self.random.one_in(2) { self.marker() } else { "# note" };
                let column = if self.odd() { self.random.pick(&[0, 1, 2, 4]) } else { indent };
                self.indent(column);
                self.out.push_str(comment);
                self.out.push('\n');
            }
        }
    }

    /// What follows a value on its line.
    pub(super) fn tail(&mut self) {
        if self.random.one_in(3) {
            if self.odd() {
                self.add(&[" ", "   ", "\t"]);
            }
            return;
        }
        let gaps: &[&str] = if self.odd() { &["  ", "      ", "\t", " \t", ""] } else { &[" "] };
        self.add(gaps);
        let marker = self.marker();
        self.out.push_str(marker);
        if self.rare(6) {
            self.add(&["\r", "\u{85}", "\u{2028}", "\u{2029}"]);
        }
    }

    /// The finished text, with other line ends or broken by chance.
    fn disturbed(self) -> String {
        let Self { random, mut out, calm, .. } = self;
        if random.one_in(3 * calm) {
            out = match random.below(4) {
                0 | 1 => out.replace('\n', "\r\n"),
                2 => out.replacen('\n', "\r", 1),
                _ => out.replacen('\n', "\r\n", 1),
            };
        }
        if random.one_in(2 * calm) {
            out.truncate(out.trim_end_matches('\n').len());
        }
        if random.one_in(2 * calm) {
            out = broken(random, &out);
        }
        out
    }
}

/// The text with a few accidents.
fn broken(random: &mut Random, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(2) {
        let place = random.below(chars.len() + 1);
        if random.one_in(3) && place < chars.len() {
            chars.remove(place);
        } else {
            chars.splice(place..place, random.pick(ACCIDENTS).chars());
        }
    }
    chars.into_iter().collect()
}
