//! What the screens are built of: a canvas that takes only safe text, lines of it, tables, rules, boxes and fields.

pub(crate) mod canvas;
pub(crate) mod columns;
pub(crate) mod field;
pub(crate) mod frame;
pub(crate) mod glyphs;
pub(crate) mod line;
pub(crate) mod table;
