//! Where in a document the fold stands: the open collections, their keys and indices, and whose object that is.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::domain::proposal::ObjectIdentity;

/// Where a node stands in its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Root,
    Key,
    Value,
    Item,
}

/// More members than any list of objects has.
const MOST_ITEMS: usize = 1_000_000;

/// What a key is called that is as good as not there; no other is spelt so.
const FORGOTTEN: &str = "\0forgotten";

/// A place in which Flux keeps its books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bookkeeping {
    /// `metadata`
    Metadata,
    /// `metadata.annotations`
    Annotations,
}

/// The open collections, from the root to the one that is being read.
#[derive(Debug, Default)]
pub(super) struct Stack<'a> {
    frames: Vec<Frame<'a>>,
    /// The keys so far of all open mappings, one mapping's behind the other's.
    keys: Vec<Cow<'a, str>>,
}

/// One open collection.
#[derive(Debug)]
struct Frame<'a> {
    kind: Kind,
    /// The column at which it begins, from 0.
    column: usize,
    /// Whether it is, or stands in, a key.
    in_key: bool,
    /// Where its keys begin among those of the stack.
    keys: usize,
    /// Of a mapping with many keys, where each stood first.
    first: Option<Box<FirstPlaces<'a>>>,
}

#[derive(Debug)]
enum Kind {
    /// Whether the next node is a key.
    Mapping { at_key: bool },
    /// The items so far.
    Sequence { items: usize },
}

/// Where each of the first `indexed` keys of a mapping stood first.
#[derive(Debug, Default)]
struct FirstPlaces<'a> {
    places: HashMap<Cow<'a, str>, usize>,
    indexed: usize,
}

impl<'a> Stack<'a> {
    /// An empty one, with room for what most documents need.
    pub(super) fn with_capacity() -> Self {
        Self { frames: Vec::with_capacity(16), keys: Vec::with_capacity(64) }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(super) fn open_mapping(&mut self, column: usize, in_key: bool) {
        self.open(Kind::Mapping { at_key: true }, column, in_key);
    }

    pub(super) fn open_sequence(&mut self, column: usize, in_key: bool) {
        self.open(Kind::Sequence { items: 0 }, column, in_key);
    }

    #[inline]
    fn open(&mut self, kind: Kind, column: usize, in_key: bool) {
        let in_key = in_key || self.in_key();
        self.frames.push(Frame { kind, column, in_key, keys: self.keys.len(), first: None });
    }

    /// Closes the innermost collection: what its children are, and whether it has none but forgotten ones.
    #[inline]
    pub(super) fn close(&mut self) -> (Role, bool) {
        let Some(frame) = self.frames.pop() else { return (Role::Root, true) };
        let is_empty = self.keys.iter().skip(frame.keys).all(|key| key == FORGOTTEN);
        self.keys.truncate(frame.keys);
        match frame.kind {
            Kind::Mapping { .. } => (Role::Value, is_empty),
            Kind::Sequence { items } => (Role::Item, items == 0),
        }
    }

    /// Whether the current value is where Flux puts annotations of its own before it looks for markers.
    #[inline]
    pub(super) fn bookkeeping(&mut self) -> Option<Bookkeeping> {
        let place = match self.frames.len() {
            1 if self.current(0) == Some("metadata") => Bookkeeping::Metadata,
            2 if self.is_at(&["metadata", "annotations"]) => Bookkeeping::Annotations,
            _ => return None,
        };
        (!self.is_repeated()).then_some(place)
    }

    /// Whether an open mapping had a key that is forgotten.
    pub(super) fn has_forgotten(&self) -> bool {
        self.keys.iter().any(|key| key == FORGOTTEN)
    }

    /// Forgets that the innermost mapping had the key whose value is being read, or was just read.
    pub(super) fn forget_key(&mut self) {
        if let Some(key) = self.keys.last_mut() {
            *key = Cow::Borrowed(FORGOTTEN);
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.first = None;
        }
    }

    /// Whether the innermost collection is the document's.
    #[inline]
    pub(super) fn is_at_top(&self) -> bool {
        self.frames.len() == 1
    }

    /// Whether the next node is a key.
    #[inline]
    pub(super) fn is_at_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { kind: Kind::Mapping { at_key: true }, .. }))
    }

    /// Takes the next place in the innermost collection.
    #[inline]
    pub(super) fn enter(&mut self) -> Role {
        match self.frames.last_mut().map(|frame| &mut frame.kind) {
            None => Role::Root,
            Some(Kind::Sequence { items }) => {
                *items += 1;
                Role::Item
            }
            Some(Kind::Mapping { at_key }) => {
                *at_key = !*at_key;
                if *at_key { Role::Value } else { Role::Key }
            }
        }
    }

    /// Names the key whose place was just taken.
    #[inline]
    pub(super) fn key(&mut self, name: Cow<'a, str>) {
        self.keys.push(name);
    }

    /// Whether the innermost collection is, or stands in, a key.
    #[inline]
    pub(super) fn in_key(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.in_key)
    }

    /// The column at which the innermost collection begins.
    pub(super) fn column(&self) -> usize {
        self.frames.last().map_or(0, |frame| frame.column)
    }

    /// The keys so far of the mapping at `depth`.
    #[inline]
    fn keys(&self, depth: usize) -> &[Cow<'a, str>] {
        let start = self.frames.get(depth).map_or(0, |frame| frame.keys);
        let end = self.frames.get(depth + 1).map_or(self.keys.len(), |frame| frame.keys);
        self.keys.get(start..end).unwrap_or_default()
    }

    /// The key at `depth` whose value is being read.
    #[inline]
    fn current(&self, depth: usize) -> Option<&str> {
        match self.frames.get(depth)?.kind {
            Kind::Mapping { .. } => self.keys(depth).last().map(AsRef::as_ref),
            Kind::Sequence { .. } => None,
        }
    }

    /// Whether some key on the way to the current value stood in its mapping before. Flux looks at the first only.
    pub(super) fn is_repeated(&mut self) -> bool {
        (0..self.frames.len()).any(|depth| self.is_repeated_at(depth))
    }

    fn is_repeated_at(&mut self, depth: usize) -> bool {
        /// Few enough keys to look at all of them for each marker.
        const FEW: usize = 16;
        let Some((last, before)) = self.keys(depth).split_last() else { return false };
        if before.len() < FEW {
            return before.contains(last);
        }
        let Some(frame) = self.frames.get_mut(depth) else { return false };
        let mut first = frame.first.take().unwrap_or_default();
        let keys = self.keys(depth);
        for (index, key) in keys.iter().enumerate().skip(first.indexed) {
            first.places.entry(key.clone()).or_insert(index);
        }
        first.indexed = keys.len();
        let repeated =
            keys.last().is_some_and(|key| first.places.get(key).is_some_and(|place| place + 1 < keys.len()));
        if let Some(frame) = self.frames.get_mut(depth) {
            frame.first = Some(first);
        }
        repeated
    }

    /// Whether the current value stands under exactly these keys, from the root.
    #[inline]
    pub(super) fn is_at(&self, keys: &[&str]) -> bool {
        self.frames.len() == keys.len()
            && keys.iter().enumerate().all(|(depth, key)| self.current(depth) == Some(key))
    }

    /// The index of the member of a list (`items`) in which the current value stands.
    pub(super) fn item(&self) -> Option<usize> {
        match self.frames.as_slice() {
            [_, Frame { kind: Kind::Sequence { items }, .. }, _, ..]
                if self.current(0) == Some("items") && *items < MOST_ITEMS =>
            {
                items.checked_sub(1)
            }
            _ => None,
        }
    }

    /// Whether the current value is the `image` of a container.
    #[inline]
    pub(super) fn is_container_image(&self) -> bool {
        // The cheapest question first: it is asked of every scalar.
        if self.keys.last().is_none_or(|key| key != "image") {
            return false;
        }
        let [.., _, Frame { kind: Kind::Sequence { .. }, .. }, Frame { kind: Kind::Mapping { .. }, .. }] =
            self.frames.as_slice()
        else {
            return false;
        };
        let depth = self.frames.len();
        self.keys(depth - 1).last().is_some()
            && matches!(
                self.current(depth - 3),
                Some("containers" | "initContainers" | "ephemeralContainers")
            )
    }

    /// The current place, as `eval batch` prints it (keys only: `spec.containers.image`) and as a person reads it
    /// (`.spec.containers[0].image`).
    pub(super) fn names(&self) -> (String, String) {
        // Room enough for nearly every path, so that they grow once.
        let (mut path, mut field) = (String::with_capacity(64), String::with_capacity(64));
        for (depth, frame) in self.frames.iter().enumerate() {
            if let Kind::Sequence { items } = frame.kind {
                // Writing into a String cannot fail.
                let _ = write!(field, "[{}]", items.saturating_sub(1));
                continue;
            }
            let key = self.current(depth).unwrap_or_default();
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(key);
            push_field(&mut field, key);
        }
        (path, field)
    }
}

fn push_field(field: &mut String, key: &str) {
    if !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    {
        field.push('.');
        field.push_str(key);
    } else {
        let _ = write!(field, "[{key:?}]");
    }
}

/// A part of an object's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum NamePart {
    ApiVersion,
    Kind,
    Namespace,
    Name,
}

impl NamePart {
    /// Which part of the name of its object the current value is.
    pub(super) fn at(stack: &Stack<'_>) -> Option<Self> {
        let depth = stack.frames.len();
        if depth > 4 {
            return None;
        }
        let top = if stack.item().is_some() { 2 } else { 0 };
        match (depth - top, stack.current(top), stack.current(top + 1)) {
            (1, Some("apiVersion"), _) => Some(Self::ApiVersion),
            (1, Some("kind"), _) => Some(Self::Kind),
            (2, Some("metadata"), Some("namespace")) => Some(Self::Namespace),
            (2, Some("metadata"), Some("name")) => Some(Self::Name),
            _ => None,
        }
    }

    /// Where it stands in `object`.
    pub(super) fn of(self, object: &mut ObjectIdentity) -> &mut String {
        match self {
            Self::ApiVersion => &mut object.api_version,
            Self::Kind => &mut object.kind,
            Self::Namespace => &mut object.namespace,
            Self::Name => &mut object.name,
        }
    }
}

/// What the documents' objects are called, as far as read.
#[derive(Debug, Default)]
pub(super) struct Identities {
    root: ObjectIdentity,
    items: Vec<ObjectIdentity>,
    has_members: bool,
}

impl Identities {
    /// Notes `value`, the current scalar, if it is part of a name.
    pub(super) fn note(&mut self, stack: &mut Stack<'_>, value: &str) {
        let Some(part) = NamePart::at(stack).filter(|_| !stack.is_repeated()) else { return };
        value.clone_into(part.of(match stack.item() {
            Some(index) => {
                if self.items.len() <= index {
                    self.items.resize(index + 1, ObjectIdentity::default());
                }
                let Some(item) = self.items.get_mut(index) else { return };
                item
            }
            None => &mut self.root,
        }));
    }

    /// Notes that the document has a field by the name of a list's.
    pub(super) fn note_field(&mut self, name: &str) {
        self.has_members |= matches!(name, "items" | "functionConfig");
    }

    /// Whether the document, if it is all there is in its file, is taken for its members.
    pub(super) fn is_list(&self) -> bool {
        self.has_members && matches!(self.root.kind.as_str(), "List" | "ResourceList")
    }

    /// The object of the document, or the member `item` of the list that it is.
    pub(super) fn of(&self, item: Option<usize>) -> ObjectIdentity {
        match item {
            Some(index) => self.items.get(index).cloned().unwrap_or_default(),
            None => self.root.clone(),
        }
    }
}
