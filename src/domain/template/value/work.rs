//! What a template may still do, and the dictionaries that it has changed.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use super::{Dict, Entries};

/// So many changed dictionaries are remembered before those that are gone are looked for.
const FEW: usize = 1_024;

/// The means of one run of a template.
///
/// A dictionary holds itself only if it was changed after it was made: so those that were changed lose their entries with the
/// run, and nothing stays behind that nobody can reach.
#[derive(Debug)]
pub(in super::super) struct Work {
    /// Units that are left.
    pub(in super::super) left: usize,
    changed: Vec<Weak<RefCell<Entries>>>,
    /// At how many of them those that are gone are to be forgotten.
    full: usize,
}

impl Work {
    /// Means of so many units.
    pub(in super::super) fn of(left: usize) -> Self {
        Self { left, changed: Vec::new(), full: FEW }
    }

    /// `dict` gets an entry.
    pub(super) fn note(&mut self, dict: &Dict) {
        if self.changed.last().is_some_and(|last| std::ptr::eq(last.as_ptr(), Rc::as_ptr(dict))) {
            return;
        }
        if self.changed.len() >= self.full {
            self.changed.retain(|dict| dict.strong_count() > 0);
            self.full = FEW.max(2 * self.changed.len());
        }
        self.changed.push(Rc::downgrade(dict));
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        for dict in self.changed.drain(..).filter_map(|dict| dict.upgrade()) {
            let entries = dict.try_borrow_mut().map(|mut entries| std::mem::take(&mut *entries));
            drop(entries);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::template::eval::execute;
    use crate::domain::template::parse::parse;
    use crate::domain::template::value::Value;

    /// How many hold the dictionary that `template` is run on, once the run and whoever began it are gone.
    fn holders_after(template: &str) -> usize {
        let inner = Value::dict(BTreeMap::new());
        let dict = Rc::new(RefCell::new(Entries(BTreeMap::from([("inner".into(), inner)]))));
        let watched = Rc::downgrade(&dict);
        execute(template, &parse(template).unwrap(), &Value::Dict(dict)).unwrap();
        watched.strong_count()
    }

    #[test]
    fn dictionaries_that_hold_themselves_go_with_the_run() {
        for template in [
            r#"{{$_ := set . "self" .}}"#,
            r#"{{$_ := set . "list" (list 1 (list .))}}"#,
            r#"{{$d := dict "up" .}}{{$_ := set . "down" $d}}"#,
            r#"{{$_ := merge .inner (dict "up" .)}}"#,
            r#"{{$_ := mergeOverwrite . (dict "inner" (dict "up" .))}}"#,
            r#"{{$d := .}}{{range until 3000}}{{$_ := set (dict) "a" 1}}{{$_ := set $d "self" $d}}{{end}}"#,
        ] {
            assert_eq!(holders_after(template), 0, "{template}");
        }
    }

    #[test]
    fn dictionaries_that_are_gone_are_forgotten() {
        let mut work = Work::of(0);
        let kept = Dict::default();
        work.note(&kept);
        for _ in 0..10 * FEW {
            work.note(&Dict::default());
        }
        assert!(work.changed.len() <= FEW, "{}", work.changed.len());
        assert!(work.changed.iter().any(|dict| dict.strong_count() > 0));
    }
}
