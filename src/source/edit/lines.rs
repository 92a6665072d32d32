//! Lines of a text, by the bytes at which they begin and end.

/// Where the line begins in which `place` lies.
pub(super) fn start(text: &str, place: usize) -> usize {
    text.get(..place).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1)
}

/// Behind the line in which `place` lies, its end included.
pub(super) fn end(text: &str, place: usize) -> usize {
    text.get(place..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| place + at + 1)
}

/// How far a line is indented; `None` for one that is blank.
pub(super) fn indent(line: &str) -> Option<usize> {
    line.find(|c: char| !matches!(c, ' ' | '\t' | '\r' | '\n'))
}

/// Whether a line is a comment and nothing else.
pub(super) fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// The start of the comments that stand directly above the line at `place`, not deeper than `depth`.
pub(super) fn above(text: &str, mut place: usize, depth: usize) -> usize {
    while place > 0 {
        let before = start(text, place - 1);
        let line = text.get(before..place).unwrap_or_default();
        if !is_comment(line) || indent(line).is_none_or(|indent| indent > depth) {
            break;
        }
        place = before;
    }
    place
}

/// Behind the last line of the block whose first line begins at `place` and whose nodes stand at `depth` or deeper; comments
/// at `depth` that follow it are not its own.
pub(super) fn block_end(text: &str, place: usize, depth: usize) -> usize {
    let (mut at, mut last) = (place, place);
    for line in text.get(place..).unwrap_or_default().split_inclusive('\n') {
        at += line.len();
        match indent(line) {
            Some(indent) if indent > depth || (indent == depth && !is_comment(line)) => last = at,
            Some(_) if is_comment(line) => {}
            None => {}
            Some(_) => break,
        }
    }
    last
}
