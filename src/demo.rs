//! The practice world: a registry, a remote and a CI that pushes tags, all on this machine and all thrown away.

pub mod registry;
