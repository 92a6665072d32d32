//! To whom a file belongs whose place another takes.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use crate::problem::{Code, Problem};

/// The user and the group that a file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    user: u32,
    group: u32,
}

impl Owner {
    /// Whom the file belongs to; `None` if it is not there.
    pub fn of(file: &Path) -> Option<Self> {
        fs::metadata(file).ok().map(|found| Self::from(&found))
    }

    /// Gives a new file to the owner and the group of the old one, as far as this account may: root may give both, others the
    /// groups they are in. Permissions are to be set afterwards, as this may take some of them away.
    ///
    /// # Errors
    /// Anything but that the account may not.
    pub fn give(self, file: &File) -> io::Result<()> {
        if Self::from(&file.metadata()?) == self {
            return Ok(());
        }
        let given = fchown(file, Some(self.user), Some(self.group));
        let given = given.or_else(|_| fchown(file, None, Some(self.group)));
        given.or_else(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => Ok(()),
            _ => Err(error),
        })
    }

    /// A warning if `file`, which is called `shown`, belongs to somebody else by now.
    pub fn lost(self, file: &Path, shown: &str) -> Option<Problem> {
        let now = Self::of(file).filter(|now| *now != self)?;
        let Self { user, group } = self;
        let message = format!(
            "belongs to user {} and group {} now; before it was user {user} and group {group}",
            now.user, now.group
        );
        let problem = Problem::new(Code::Skipped, shown, message);
        Some(problem.hint(format!("Give it back: chown {user}:{group} {}", file.display())))
    }
}

impl From<&Metadata> for Owner {
    fn from(found: &Metadata) -> Self {
        Self { user: found.uid(), group: found.gid() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changed_hands_is_told_with_the_way_back() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let owner = Owner::of(file.path()).unwrap();
        owner.give(file.as_file()).unwrap();
        assert_eq!(owner.lost(file.path(), "a.yaml"), None);
        let other = Owner { user: owner.user + 1, ..owner };
        let told = other.lost(file.path(), "a.yaml").unwrap();
        assert_eq!((told.subject.as_str(), told.exit()), ("a.yaml", 0));
        assert!(told.hint.unwrap().contains(&format!("chown {}:{} ", other.user, other.group)));
    }
}
