//! S12: what the keys do here and what the marks mean, in columns, page by page.

use super::action::{self, ACTIONS, Row};
use super::state::State;

/// The least width at which an entry reads well.
const COLUMN: u16 = 46;

/// The marks of the screens, and what they mean.
const LEGEND: [(&str, &str); 12] = [
    ("[x] [-] [ ]", "approved, skipped, undecided"),
    ("[~] [H] [!]", "approved in part, held, blocked"),
    ("★ ✓", "selected tag, candidate"),
    ("↕ ?", "outside the range, not a version"),
    ("· ⊘", "not matched, excluded"),
    ("‖ ✗", "collides with another, no valid tag"),
    ("F R N", "in files, running, new since scan"),
    ("D H ≠", "moved, held, controller differs"),
    ("+ -", "newer, older than what the files hold"),
    ("DOWN name!", "goes back, changes the image's name"),
    ("!2", "problems: press !"),
    ("Shift-drag", "selects text while m has the mouse"),
];

/// A line of a page; the numbers are those of the cursor.
#[derive(Debug)]
pub enum Entry {
    /// What stands over others.
    Heading(&'static str),
    /// An action.
    Key(usize, HelpRow),
    /// A mark, and what it means.
    Mark(usize, &'static str, &'static str),
    /// Nothing.
    Blank,
}

impl Entry {
    /// Where the cursor is when it is on this line.
    pub fn place(&self) -> Option<usize> {
        match self {
            Self::Key(place, _) | Self::Mark(place, ..) => Some(*place),
            Self::Heading(_) | Self::Blank => None,
        }
    }
}

/// One action of S12.
#[derive(Debug, Clone)]
pub struct HelpRow {
    /// The action.
    pub row: &'static Row,
    /// What it does now, in a sentence.
    pub doc: &'static str,
    /// Its keys, as people read them.
    pub keys: String,
    /// Why it cannot run now; it is shown grey then.
    pub refusal: Option<String>,
}

/// The actions that fit what was typed there, by heading in the order of the table.
pub fn rows(state: &State) -> Vec<HelpRow> {
    let Some(help) = &state.help else { return Vec::new() };
    let typed = help.field.text().trim().to_lowercase();
    let fits = |row: &Row| {
        typed.is_empty()
            || action::doc(state, row).to_lowercase().contains(&typed)
            || row.id.contains(&typed)
            || row.keys_in(&state.bindings).iter().any(|key| key.to_string().to_lowercase() == typed)
    };
    let has_keys = |row: &Row| !row.keys_in(&state.bindings).is_empty();
    let rows = ACTIONS.iter().filter(|row| row.scope.contains(help.of) && has_keys(row) && fits(row));
    let mut rows: Vec<HelpRow> = rows
        .map(|row| HelpRow {
            row,
            doc: action::doc(state, row),
            keys: row.keys_shown(&state.bindings),
            refusal: action::refusal(state, row).map(|refusal| refusal.to_string()),
        })
        .collect();
    rows.sort_by_key(|row| row.row.group);
    rows
}

/// Width and height of what a page has of the list's area: a column is free at each side, and the search stands above.
pub fn body(width: u16, height: u16) -> (u16, u16) {
    (width.saturating_sub(2), height.saturating_sub(2))
}

/// The lines of S12, in columns of equal height that stand beside each other on pages.
#[derive(Debug)]
pub struct Pages {
    entries: Vec<Entry>,
    /// How many columns a page has.
    pub columns: u16,
    height: u16,
}

impl Pages {
    /// The pages of what fits what was typed, in an area of `width` by `height` cells.
    pub fn of(state: &State, (width, height): (u16, u16)) -> Self {
        let height = height.max(1);
        let entries = entries(state);
        // What stands beside each other would be read across.
        let fits = if state.plain { 1 } else { usize::from((width / COLUMN).max(1)) };
        // No more than there have to be.
        let columns = fits.min(entries.len().div_ceil(usize::from(height))).max(1);
        let columns = u16::try_from(columns).unwrap_or(u16::MAX);
        Self { entries: arranged(entries, usize::from(height)), columns, height }
    }

    fn per_page(&self) -> usize {
        usize::from(self.columns) * usize::from(self.height)
    }

    /// Whether nothing fits what was typed.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many pages there are.
    pub fn len(&self) -> usize {
        self.entries.chunks(self.per_page()).len()
    }

    /// The lines of a page, column by column.
    pub fn lines(&self, page: usize) -> &[Entry] {
        self.entries.chunks(self.per_page()).nth(page).unwrap_or_default()
    }

    /// The page on which this place of the cursor is.
    pub fn page_of(&self, cursor: usize) -> usize {
        let at = self.entries.iter().position(|entry| entry.place() == Some(cursor));
        at.unwrap_or_default() / self.per_page()
    }

    /// How many places the cursor has.
    pub fn places(&self) -> usize {
        self.entries.iter().filter_map(Entry::place).count()
    }

    /// The cursor's first place on the page that is `by` pages after the one where it is.
    pub fn turned(&self, cursor: usize, by: isize) -> usize {
        let page = self.page_of(cursor).saturating_add_signed(by);
        self.lines(page.min(self.len().saturating_sub(1))).iter().find_map(Entry::place).unwrap_or(cursor)
    }
}

fn entries(state: &State) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut group = None;
    let rows = rows(state);
    let keys = rows.len();
    for (place, row) in rows.into_iter().enumerate() {
        if group != Some(row.row.group) {
            if group.is_some() {
                entries.push(Entry::Blank);
            }
            entries.push(Entry::Heading(row.row.group.title()));
            group = Some(row.row.group);
        }
        entries.push(Entry::Key(place, row));
    }
    if state.help.as_ref().is_some_and(|help| help.field.text().is_empty()) {
        entries.push(Entry::Blank);
        entries.push(Entry::Heading("Meaning of marks"));
        entries
            .extend((keys..).zip(LEGEND).map(|(place, (mark, meaning))| Entry::Mark(place, mark, meaning)));
    }
    entries
}

/// The entries in columns of `height` rows: no heading stands at the end of one, no blank at its start.
fn arranged(entries: Vec<Entry>, height: usize) -> Vec<Entry> {
    let mut arranged = Vec::new();
    for entry in entries {
        let row = arranged.len() % height;
        match entry {
            Entry::Blank if row == 0 => continue,
            Entry::Heading(_) if row + 1 == height => arranged.push(Entry::Blank),
            _ => {}
        }
        arranged.push(entry);
    }
    arranged
}
