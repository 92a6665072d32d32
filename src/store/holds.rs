//! The holds of all instances: `holds.toml`, replaced whole by one instance at a time.
//!
//! The file is for people to read, and may be edited: keys that mean nothing to us are kept.

use jiff::Timestamp;
use toml::{Table, Value};

use super::shelf::{ASIDE, Shelf};
use crate::domain::hold::is_in_force;
use crate::domain::object::ObjectId;
use crate::domain::proposal::Hold;
use crate::problem::{Code, Problem};

const FILE: &str = "holds.toml";

/// The format that this program writes; a file of a later one is read by nobody here and never written over.
const VERSION: i64 = 1;

const HEADING: &str = "# Holds of supercargo; `supercargo hold` and `supercargo unhold` change them.\n";

/// The holds.
#[derive(Debug)]
pub struct HoldFile {
    shelf: Shelf,
}

/// What the file holds, with what means nothing to us.
#[derive(Debug, Default)]
struct Content {
    holds: Vec<Entry>,
    more: Table,
}

#[derive(Debug)]
struct Entry {
    hold: Hold,
    more: Table,
}

/// Why a file is not read.
enum Unreadable {
    Damaged(String),
    Later(i64),
}

impl HoldFile {
    pub(super) fn new(shelf: Shelf) -> Self {
        Self { shelf }
    }

    /// The holds that have not ended at `now`, by policy and tag.
    ///
    /// A file that makes no sense is set aside; as long as it lies there, each process says that its holds do not count.
    pub fn in_force(&self, now: Timestamp) -> Vec<Hold> {
        let aside = self.shelf.path(&format!("{FILE}{ASIDE}")).filter(|path| path.exists());
        if let Some(aside) = aside {
            let why = "it was damaged and set aside: its holds are not in force. Look at it, then remove it";
            self.shelf.complain(&aside, why.to_owned(), None);
        }
        let content = self.read().unwrap_or_default();
        let mut holds: Vec<Hold> = content.holds.into_iter().map(|entry| entry.hold).collect();
        holds.retain(|hold| is_in_force(hold, now));
        holds.sort_by(|a, b| (&a.policy, &a.tag).cmp(&(&b.policy, &b.tag)));
        holds
    }

    /// Adds a hold, in the place of one on the same policy and tag; returns when it is on the disk.
    ///
    /// # Errors
    /// The file cannot be written: another instance does not let go of it, it is of a later version, or the disk is full.
    pub fn add(&self, hold: &Hold) -> Result<(), Problem> {
        self.change(hold.since, |holds| {
            let is_same = |entry: &Entry| (&entry.hold.policy, &entry.hold.tag) == (&hold.policy, &hold.tag);
            holds.retain(|entry| !is_same(entry));
            holds.push(Entry { hold: hold.clone(), more: Table::new() });
        })
    }

    /// Ends holds on a policy: without `tag` all of them, else that on exactly this tag, or, if that is `None`, on whatever
    /// it selects. Returns those that were in force.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn end(
        &self,
        policy: &ObjectId,
        tag: Option<Option<&str>>,
        now: Timestamp,
    ) -> Result<Vec<Hold>, Problem> {
        let mut ended = Vec::new();
        self.change(now, |holds| {
            holds.retain(|entry| {
                let fits =
                    entry.hold.policy == *policy && tag.is_none_or(|tag| entry.hold.tag.as_deref() == tag);
                if fits {
                    ended.push(entry.hold.clone());
                }
                !fits
            });
        })?;
        Ok(ended)
    }

    /// Reads, changes and replaces the file while no other instance does. Holds that are over leave it.
    fn change(&self, now: Timestamp, change: impl FnOnce(&mut Vec<Entry>)) -> Result<(), Problem> {
        let _turn = self.shelf.turn(FILE).ok_or_else(|| {
            self.refused("another instance does not let go of it")
                .hint("Try again; the other instance is at it for more than two seconds.")
        })?;
        let mut content = match self.read() {
            Ok(content) => content,
            Err(later) => return Err(self.refused(&later)),
        };
        content.holds.retain(|entry| is_in_force(&entry.hold, now));
        change(&mut content.holds);
        let text = content.text().map_err(|error| self.refused(&error.to_string()))?;
        if self.shelf.write(FILE, text.as_bytes()) || self.shelf.path(FILE).is_none() {
            return Ok(());
        }
        // What was not kept must not hide what others keep.
        self.shelf.forget(FILE);
        Err(self.refused("it cannot be written, so this would be forgotten with the process"))
    }

    fn refused(&self, why: &str) -> Problem {
        let path = self.shelf.path(FILE).map(|path| path.display().to_string());
        Problem::new(Code::Storage, path.unwrap_or_else(|| FILE.to_owned()), why)
    }

    /// What the file holds; nothing if there is none, or one that was damaged and is set aside now.
    ///
    /// # Errors
    /// It cannot be read, or is of a later version, which is said, too.
    fn read(&self) -> Result<Content, String> {
        let bytes = match self.shelf.try_read(FILE) {
            Ok(None) => return Ok(Content::default()),
            Ok(Some(bytes)) => bytes,
            Err(error) => {
                let why = format!("it cannot be read: {error}");
                if let Some(path) = self.shelf.path(FILE) {
                    self.shelf.complain(&path, format!("{why}; none of its holds is in force here"), None);
                }
                return Err(why);
            }
        };
        match Content::parse(&bytes) {
            Ok(content) => Ok(content),
            Err(Unreadable::Damaged(why)) => {
                let what = format!("the list of holds was damaged ({why})");
                self.shelf.set_aside(FILE, &bytes, (&what, "none of its holds is in force"));
                Ok(Content::default())
            }
            Err(Unreadable::Later(version)) => {
                let why =
                    format!("it is of a later version of supercargo (format {version}), and left as it is");
                if let Some(path) = self.shelf.path(FILE) {
                    self.shelf.complain(&path, format!("{why}: none of its holds is in force here"), None);
                }
                Err(why)
            }
        }
    }
}

impl Content {
    fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        let damaged = |why: &str| Unreadable::Damaged(why.to_owned());
        let text = std::str::from_utf8(bytes).map_err(|_no_text| damaged("it is no text"))?;
        let mut more: Table =
            toml::from_str(text).map_err(|error| Unreadable::Damaged(error.message().to_owned()))?;
        match more.remove("version") {
            Some(Value::Integer(VERSION)) => {}
            Some(Value::Integer(later)) if later > VERSION => return Err(Unreadable::Later(later)),
            Some(_) => return Err(damaged("its version is none")),
            None => return Err(damaged("it has no version")),
        }
        let holds = match more.remove("hold") {
            None => Vec::new(),
            Some(Value::Array(holds)) => holds,
            Some(_) => return Err(damaged("hold is no list")),
        };
        let entry = |value: Value| {
            let Value::Table(table) = value else { return Err(damaged("a hold is no table")) };
            Entry::parse(table).map_err(|key| Unreadable::Damaged(format!("a hold has no {key} that fits")))
        };
        Ok(Self { holds: holds.into_iter().map(entry).collect::<Result<_, _>>()?, more })
    }

    fn text(&self) -> Result<String, toml::ser::Error> {
        let mut table = self.more.clone();
        table.insert("version".to_owned(), Value::Integer(VERSION));
        let holds = self.holds.iter().map(|entry| Value::Table(entry.table())).collect();
        table.insert("hold".to_owned(), Value::Array(holds));
        Ok(format!("{HEADING}{}", toml::to_string(&table)?))
    }
}

impl Entry {
    /// # Errors
    /// The key that is missing or has no value that makes sense.
    fn parse(mut more: Table) -> Result<Self, &'static str> {
        let mut text = |key: &'static str| match more.remove(key) {
            Some(Value::String(text)) => Ok(text),
            Some(Value::Datetime(time)) => Ok(time.to_string()),
            _ => Err(key),
        };
        let time = |key: &'static str, text: String| text.parse::<Timestamp>().map_err(|_no_time| key);
        let policy = text("policy")?;
        let (namespace, name) = policy.split_once('/').ok_or("policy")?;
        let hold = Hold {
            policy: ObjectId::new(namespace, name),
            until: time("until", text("until")?)?,
            since: time("since", text("since")?)?,
            reason: text("reason")?,
            by: text("by")?,
            tag: match more.remove("tag") {
                None => None,
                Some(Value::String(tag)) => Some(tag),
                Some(_) => return Err("tag"),
            },
        };
        Ok(Self { hold, more })
    }

    fn table(&self) -> Table {
        let Hold { policy, tag, until, reason, by, since } = &self.hold;
        let mut table = self.more.clone();
        let texts = [
            ("policy", Some(policy.to_string())),
            ("tag", tag.clone()),
            ("until", Some(until.to_string())),
            ("reason", Some(reason.clone())),
            ("by", Some(by.clone())),
            ("since", Some(since.to_string())),
        ];
        let texts = texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), Value::String(text?))));
        table.extend(texts);
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Dirs, Store};
    use std::os::unix::fs::PermissionsExt;

    fn hold(policy: &str, tag: Option<&str>, until: i64) -> Hold {
        Hold {
            policy: ObjectId::new("data", policy),
            tag: tag.map(str::to_owned),
            until: Timestamp::from_second(until).unwrap(),
            reason: "triage \"α\"".into(),
            by: "rita".into(),
            since: Timestamp::UNIX_EPOCH,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_hold_is_there_for_every_instance_until_it_is_over() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        let store = Store::open(&dirs);
        assert!(store.holds().in_force(at(0)).is_empty());
        let (all, one) = (hold("mysql", None, 90), hold("mysql", Some("8.0.40"), 50));
        for hold in [&one, &all] {
            store.holds().add(hold).unwrap();
        }
        let other = Store::open(&dirs);
        assert_eq!(other.holds().in_force(at(0)), [all.clone(), one.clone()]);
        assert_eq!(other.holds().in_force(at(50)), std::slice::from_ref(&all));
        let longer = hold("mysql", Some("8.0.40"), 80);
        other.holds().add(&longer).unwrap();
        assert_eq!(store.holds().in_force(at(0)), [all.clone(), longer.clone()], "it takes the place");
        assert_eq!(store.holds().end(&all.policy, Some(Some("8.0.41")), at(0)).unwrap(), []);
        assert_eq!(store.holds().end(&all.policy, None, at(0)).unwrap().len(), 2);
        assert!(other.holds().in_force(at(0)).is_empty());
        let mode = std::fs::metadata(dir.path().join("state/holds.toml")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(store.take_warnings().is_empty());
    }

    #[test]
    fn two_instances_at_once_lose_no_hold_of_one_another() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        std::thread::scope(|scope| {
            for who in 0..4 {
                let dirs = &dirs;
                scope.spawn(move || {
                    let store = Store::open(dirs);
                    for n in 0..10 {
                        store.holds().add(&hold(&format!("p{who}-{n}"), None, 9)).unwrap();
                    }
                });
            }
        });
        assert_eq!(Store::open(&dirs).holds().in_force(at(0)).len(), 40);
    }

    #[test]
    fn what_means_nothing_to_us_is_kept_and_holds_that_are_over_leave() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("state/holds.toml");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let text = "version = 1\nteam = \"data\"\n[[hold]]\npolicy = \"data/old\"\nuntil = 1970-01-01T00:00:05Z\n\
                    since = \"1970-01-01T00:00:00Z\"\nreason = \"r\"\nby = \"b\"\n[[hold]]\npolicy = \"data/mysql\"\n\
                    ticket = \"OPS-7\"\nuntil = \"1970-01-01T00:01:00Z\"\nsince = \"1970-01-01T00:00:00Z\"\n\
                    reason = \"r\"\nby = \"b\"\n[rooms]\na = 1\n";
        std::fs::write(&file, text).unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        assert_eq!(store.holds().in_force(at(4)).len(), 2);
        let new = Hold { since: at(9), ..hold("redis", None, 90) };
        store.holds().add(&new).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        for kept in ["ticket = \"OPS-7\"", "team = \"data\"", "[rooms]", "data/mysql", "data/redis"] {
            assert!(text.contains(kept), "{kept}: {text}");
        }
        assert!(!text.contains("data/old"), "{text}");
        assert_eq!(store.holds().in_force(at(9)).len(), 2);
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_said_as_long_as_it_lies_there() {
        for damage in [
            "version = 1\n[[hold]",
            "",
            "version = \"x\"\n",
            "version = 1\nhold = 3\n",
            "version = 1\n[[hold]]\npolicy = \"a/b\"\nuntil = \"soon\"\nsince = \"1970-01-01T00:00:00Z\"\n",
        ] {
            let dir = tempfile::tempdir().unwrap();
            let dirs = Dirs::below(dir.path());
            std::fs::create_dir_all(dir.path().join("state")).unwrap();
            std::fs::write(dir.path().join("state/holds.toml"), damage).unwrap();
            let store = Store::open(&dirs);
            assert!(store.holds().in_force(at(0)).is_empty());
            let warnings = store.take_warnings();
            assert_eq!(warnings.len(), 1, "{damage:?}: {warnings:?}");
            assert!(warnings[0].message.contains("none of its holds is in force"), "{warnings:?}");
            let later = Store::open(&dirs);
            later.holds().add(&hold("mysql", None, 9)).unwrap();
            assert_eq!(later.holds().in_force(at(0)).len(), 1);
            let warnings = later.take_warnings();
            assert_eq!(warnings.len(), 1, "{damage:?}: {warnings:?}");
            assert!(warnings[0].subject.ends_with("holds.toml.corrupt"), "{warnings:?}");
            let aside = std::fs::read_to_string(dir.path().join("state/holds.toml.corrupt")).unwrap();
            assert_eq!(aside, damage);
        }
    }

    #[test]
    fn a_file_of_a_later_version_is_left_as_it_is_and_said() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("state/holds.toml");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "version = 2\n").unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        assert!(store.holds().in_force(at(0)).is_empty());
        let refused = store.holds().add(&hold("mysql", None, 9)).unwrap_err();
        assert!(refused.message.contains("later version"), "{refused:?}");
        assert_eq!(store.take_warnings().len(), 1);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "version = 2\n");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_said_and_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("state/holds.toml");
        std::fs::create_dir_all(&file).unwrap();
        let store = Store::open(&Dirs::below(dir.path()));
        assert!(store.holds().in_force(at(0)).is_empty());
        assert!(store.take_warnings()[0].message.contains("cannot be read"));
        let refused = store.holds().add(&hold("mysql", None, 9)).unwrap_err();
        assert!(refused.message.contains("cannot be read"), "{refused:?}");
        assert!(file.is_dir());
    }

    #[test]
    fn a_hold_that_could_not_be_kept_does_not_hide_those_of_others() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, dirs) = (dir.path().join("state"), Dirs::below(dir.path()));
        std::fs::write(&folder, "in the way").unwrap();
        let store = Store::open(&dirs);
        assert!(store.holds().add(&hold("mysql", None, 9)).is_err());
        std::fs::remove_file(&folder).unwrap();
        let others = hold("redis", None, 9);
        Store::open(&dirs).holds().add(&others).unwrap();
        assert_eq!(store.holds().in_force(at(0)), [others]);
    }

    #[test]
    fn a_hold_that_cannot_be_kept_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "in the way").unwrap();
        let store = Store::open(&Dirs::below(&file));
        assert!(store.holds().add(&hold("mysql", None, 9)).is_err());
    }
}
