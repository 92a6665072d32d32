//! Whether the operator's work tree agrees with the commit that a plan stands on. It is only looked at.

use std::path::Path;

use crate::domain::manifest;
use crate::domain::plan::{MarkedFile, Warning, fingerprint};
use crate::text::count;

/// A warning if marked values below `root` differ from those of the commit, naming the first such file.
///
/// A file that is gone, or does not parse, holds no marked value and so differs.
pub(super) fn differs(root: &Path, files: &[MarkedFile]) -> Option<Warning> {
    let differing: Vec<&str> =
        files.iter().filter(|file| !agrees(root, file)).map(|file| file.path.as_str()).collect();
    let first = differing.first()?;
    let more = match differing.len() {
        1 => String::new(),
        files => format!(" and {}", count(files - 1, "more file")),
    };
    let text = format!(
        "the work tree holds other marked values than the commit in {first}{more}; they are not part of the plan"
    );
    Some(Warning::new("work_tree_differs", text))
}

fn agrees(root: &Path, file: &MarkedFile) -> bool {
    let Ok(text) = std::fs::read_to_string(root.join(&file.path)) else { return false };
    if fingerprint(&text) == file.fingerprint {
        return true;
    }
    let Ok(found) = manifest::find(&text) else { return false };
    let here = found.iter().map(|scalar| (&scalar.setter, &scalar.field, &scalar.value));
    here.eq(file.sites.iter().map(|scalar| (&scalar.setter, &scalar.field, &scalar.value)))
}
