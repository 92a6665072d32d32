//! What lists and dictionaries hold, taken down without recursion: a template can nest them tens of thousands deep.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use super::Value;

/// The items of a list.
#[derive(Debug)]
pub(in super::super) struct Items(pub(in super::super) Vec<Value>);

/// The entries of a dictionary.
#[derive(Debug, Default)]
pub(in super::super) struct Entries(pub(in super::super) BTreeMap<Rc<str>, Value>);

impl Deref for Items {
    type Target = Vec<Value>;

    fn deref(&self) -> &Vec<Value> {
        &self.0
    }
}

impl Deref for Entries {
    type Target = BTreeMap<Rc<str>, Value>;

    fn deref(&self) -> &BTreeMap<Rc<str>, Value> {
        &self.0
    }
}

impl DerefMut for Entries {
    fn deref_mut(&mut self) -> &mut BTreeMap<Rc<str>, Value> {
        &mut self.0
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        take_down(std::mem::take(&mut self.0));
    }
}

impl Drop for Entries {
    fn drop(&mut self) {
        take_down(std::mem::take(&mut self.0).into_values().collect());
    }
}

/// Drops values, and those of which they were the last holders, one after another.
fn take_down(mut values: Vec<Value>) {
    while let Some(value) = values.pop() {
        match value {
            Value::List(list) => {
                if let Some(mut items) = Rc::into_inner(list.items) {
                    values.append(&mut items.0);
                }
            }
            Value::Dict(dict) => {
                if let Some(entries) = Rc::into_inner(dict) {
                    values.extend(std::mem::take(&mut entries.into_inner().0).into_values());
                }
            }
            _ => {}
        }
    }
}
