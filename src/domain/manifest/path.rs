//! Where in a document the fold stands: the open collections, their keys and indices, and whose object that is.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use crate::domain::proposal::ObjectIdentity;

/// One open collection.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    kind: Kind<'a>,
    /// The column at which it begins, from 0.
    pub(super) column: usize,
    /// Whether it is, or stands in, a key.
    pub(super) in_key: bool,
}

#[derive(Debug)]
enum Kind<'a> {
    /// The keys so far, whether the next node is another, and where each of the first so many keys stood first.
    Mapping { keys: Vec<Cow<'a, str>>, at_key: bool, first: HashMap<Cow<'a, str>, usize>, indexed: usize },
    /// The items so far.
    Sequence { items: usize },
}

/// What a node is to its parent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Key,
    Value,
    Item,
}

impl<'a> Frame<'a> {
    pub(super) fn mapping(column: usize) -> Self {
        Self {
            kind: Kind::Mapping { keys: Vec::new(), at_key: true, first: HashMap::new(), indexed: 0 },
            column,
            in_key: false,
        }
    }

    pub(super) fn sequence(column: usize) -> Self {
        Self { kind: Kind::Sequence { items: 0 }, column, in_key: false }
    }

    pub(super) fn is_sequence(&self) -> bool {
        matches!(self.kind, Kind::Sequence { .. })
    }

    /// Takes the next place.
    pub(super) fn enter(&mut self) -> Place {
        match &mut self.kind {
            Kind::Sequence { items } => {
                *items += 1;
                Place::Item
            }
            Kind::Mapping { at_key, .. } => {
                *at_key = !*at_key;
                if *at_key { Place::Value } else { Place::Key }
            }
        }
    }

    /// Names the key whose place was just taken.
    pub(super) fn key(&mut self, name: Cow<'a, str>) {
        if let Kind::Mapping { keys, .. } = &mut self.kind {
            keys.push(name);
        }
    }

    /// The key whose value is being read.
    fn current(&self) -> Option<&str> {
        match &self.kind {
            Kind::Mapping { keys, .. } => keys.last().map(AsRef::as_ref),
            Kind::Sequence { .. } => None,
        }
    }
}

/// Whether some key on the way to the current value stood in its mapping before. Flux looks at the first only.
pub(super) fn is_repeated(stack: &mut [Frame<'_>]) -> bool {
    stack.iter_mut().any(|frame| match &mut frame.kind {
        Kind::Mapping { keys, first, indexed, .. } => {
            // Only mappings on the way to a marker are ever indexed, and each of their keys once.
            for (index, key) in keys.iter().enumerate().skip(*indexed) {
                first.entry(key.clone()).or_insert(index);
            }
            *indexed = keys.len();
            keys.last().is_some_and(|key| first.get(key).is_some_and(|place| place + 1 < keys.len()))
        }
        Kind::Sequence { .. } => false,
    })
}

/// Whether the current value stands under exactly these keys, from the root.
pub(super) fn is_at(stack: &[Frame<'_>], keys: &[&str]) -> bool {
    stack.len() == keys.len() && stack.iter().zip(keys).all(|(frame, key)| frame.current() == Some(key))
}

/// The index of the member of a list (`items`) in which the current value stands.
pub(super) fn item(stack: &[Frame<'_>]) -> Option<usize> {
    match stack {
        [root, Frame { kind: Kind::Sequence { items }, .. }, _, ..] if root.current() == Some("items") => {
            items.checked_sub(1)
        }
        _ => None,
    }
}

/// Whether the current value is the `image` of a container.
pub(super) fn is_container_image(stack: &[Frame<'_>]) -> bool {
    let [.., list, items, container] = stack else { return false };
    container.current() == Some("image")
        && items.is_sequence()
        && matches!(list.current(), Some("containers" | "initContainers" | "ephemeralContainers"))
}

/// The current place, as `eval batch` prints it (keys only: `spec.containers.image`) and as a person reads it
/// (`.spec.containers[0].image`).
pub(super) fn names(stack: &[Frame<'_>]) -> (String, String) {
    let (mut path, mut field) = (String::new(), String::new());
    for frame in stack {
        match &frame.kind {
            Kind::Sequence { items } => {
                // Writing into a String cannot fail.
                let _ = write!(field, "[{}]", items.saturating_sub(1));
            }
            Kind::Mapping { keys, .. } => {
                let key = keys.last().map_or("", AsRef::as_ref);
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
                push_field(&mut field, key);
            }
        }
    }
    (path, field)
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

/// What the documents' objects are called, as far as read.
#[derive(Debug, Default)]
pub(super) struct Identities {
    root: Identity,
    items: Vec<Identity>,
}

#[derive(Debug, Default, Clone)]
struct Identity {
    api_version: Option<String>,
    kind: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
}

impl Identities {
    /// Notes `value`, the current scalar, if it is part of a name.
    pub(super) fn note(&mut self, stack: &[Frame<'_>], value: &str) {
        if stack.len() > 4 {
            return;
        }
        let (identity, rest) = match (item(stack), stack) {
            (Some(index), [_, _, rest @ ..]) if index < 1_000_000 => {
                if self.items.len() <= index {
                    self.items.resize(index + 1, Identity::default());
                }
                let Some(identity) = self.items.get_mut(index) else { return };
                (identity, rest)
            }
            _ => (&mut self.root, stack),
        };
        let slot = match rest {
            [root] => match root.current() {
                Some("apiVersion") => &mut identity.api_version,
                Some("kind") => &mut identity.kind,
                _ => return,
            },
            [root, metadata] if root.current() == Some("metadata") => match metadata.current() {
                Some("namespace") => &mut identity.namespace,
                Some("name") => &mut identity.name,
                _ => return,
            },
            _ => return,
        };
        slot.get_or_insert_with(|| value.to_owned());
    }

    /// The object of the document, or that of the list's member `item` if it is a list.
    pub(super) fn of(&self, item: Option<usize>) -> ObjectIdentity {
        let is_list = matches!(self.root.kind.as_deref(), Some("List" | "ResourceList"));
        let member = item.filter(|_| is_list).and_then(|index| self.items.get(index));
        let identity = member.unwrap_or(&self.root).clone();
        ObjectIdentity {
            api_version: identity.api_version.unwrap_or_default(),
            kind: identity.kind.unwrap_or_default(),
            namespace: identity.namespace.unwrap_or_default(),
            name: identity.name.unwrap_or_default(),
        }
    }
}
