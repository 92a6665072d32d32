//! Comments and empty lines between two nodes, as Flux's emitter writes them.
//!
//! go-yaml makes of each comment the head of what follows or the foot of what stands before, by its column and by the
//! empty lines around it, and sets an empty line behind a foot. Only the arrangements here are understood.
//!
//! Source: `yaml/go-yaml` v3.0.4, `scannerc.go`, `yaml_parser_scan_comments`.

/// Where the comments stand.
pub(super) struct Place {
    /// The column of the next node; none at the end of a document.
    pub(super) column: Option<usize>,
    /// The columns of the collections that ended before them, the innermost first.
    pub(super) above: Vec<usize>,
    /// Those of the collections that are open.
    pub(super) open: Vec<usize>,
    /// The entries before them: in the collection of the next node or, at the end, of the document.
    pub(super) entries: usize,
    /// Whether the last entry of the document's mapping has no value at all.
    pub(super) ends_empty: bool,
    /// Whether nothing stands before them in the document.
    pub(super) is_start: bool,
}

/// A run of lines.
#[derive(PartialEq, Eq)]
enum Run<'a> {
    Empty(usize),
    /// Comments at one column.
    Comments(usize, &'a str),
}

/// What is written of `lines`; `None` if that is not known.
pub(super) fn written(lines: &str, place: &Place) -> Option<String> {
    let runs = runs(lines)?;
    let is_known =
        |at: &usize| place.column == Some(*at) || place.above.contains(at) || place.open.contains(at);
    if runs.iter().any(|run| matches!(run, Run::Comments(at, _) if !is_known(at))) {
        // It comes to stand at the column of some node, and here is none.
        return Some(String::new());
    }
    if place.is_start { at_start(&runs, place) } else { within(&runs, place) }
}

fn at_start(runs: &[Run<'_>], place: &Place) -> Option<String> {
    match (place.column, runs) {
        (_, [Run::Empty(_), ..]) => Some(String::new()),
        (Some(0), [Run::Comments(0, head), Run::Empty(_)]) => Some(format!("{head}\n")),
        (Some(0), [Run::Comments(0, head), Run::Empty(_), Run::Comments(0, more)]) => {
            Some(format!("{head}\n{more}"))
        }
        (Some(0), [Run::Comments(0, head)]) => Some((*head).to_owned()),
        _ => None,
    }
}

fn within(runs: &[Run<'_>], place: &Place) -> Option<String> {
    match (place.column, runs) {
        (Some(column), [Run::Comments(at, head)]) if *at == column => Some((*head).to_owned()),
        (Some(_), [Run::Comments(at, foot)]) if place.above == [*at] => Some((*foot).to_owned()),
        (Some(column), [Run::Comments(at, text), Run::Empty(_)])
            if *at == column && place.above.is_empty() =>
        {
            // Only what follows another entry can be the foot of one, and the first of all is an exception at times.
            match place.entries {
                0 => Some((*text).to_owned()),
                1 => None,
                _ => Some(format!("{text}\n")),
            }
        }
        // An empty line below a value vanishes, whatever becomes of the rest.
        (Some(_), [Run::Empty(_), rest @ ..]) => Some(within(rest, place).unwrap_or_default()),
        (None, [Run::Comments(0, foot)]) if place.ends_empty => Some(format!("\n{foot}")),
        (None, [Run::Comments(0, foot)]) if place.entries > 1 => Some((*foot).to_owned()),
        (None, [Run::Empty(_), Run::Comments(0, foot)]) => Some(format!("\n{foot}")),
        _ => None,
    }
}

/// The lines in runs; `None` if comments of different columns follow each other.
fn runs(lines: &str) -> Option<Vec<Run<'_>>> {
    let (mut runs, mut place) = (Vec::new(), 0);
    for line in lines.split_inclusive('\n') {
        let column = line
            .find(|c| !matches!(c, ' ' | '\t'))
            .filter(|at| line.get(*at..).is_some_and(|words| words.starts_with('#')));
        let end = place + line.len();
        match (column, runs.last_mut()) {
            (Some(_), _) if line.starts_with('\t') => return None,
            (None, _) if !line.trim().is_empty() => return None,
            (None, Some(Run::Empty(count))) => *count += 1,
            (None, _) => runs.push(Run::Empty(1)),
            (Some(column), Some(Run::Comments(at, text))) => {
                if *at != column {
                    return None;
                }
                *text = lines.get(end - line.len() - text.len()..end)?;
            }
            (Some(column), _) => runs.push(Run::Comments(column, line)),
        }
        place = end;
    }
    Some(runs)
}
