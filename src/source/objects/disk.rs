//! Reads, replaces and removes the files that objects stand in; never over what somebody else wrote meanwhile.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::ObjectError;
use crate::source::owner::Owner;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Whoever may read the file that is there; of a new one whoever the process lets.
    AsBefore,
    /// The owner alone where the file is new; whoever may read it where it is there.
    OwnerIfNew,
    /// The owner alone.
    Owner,
}

/// The text of a file that is there.
///
/// # Errors
/// It is gone, a link, or no text.
pub fn text(file: &Path) -> Result<String, ObjectError> {
    let gone = || ObjectError::Io {
        doing: "reading",
        path: file.to_owned(),
        source: io::ErrorKind::NotFound.into(),
    };
    read(file)?.ok_or_else(gone)
}

/// Gives a file that says `old` another text, at once; its permissions stay, and its owner as far as this account may.
///
/// # Errors
/// It cannot be written, or says something else than `old` by now.
pub fn rewrite(file: &Path, old: &str, new: &str) -> Result<(), ObjectError> {
    replace(file, Some(old), new, Access::AsBefore)
}

/// Removes a file that says `old`.
///
/// # Errors
/// It cannot be removed, or says something else than `old` by now.
pub fn remove_file(file: &Path, old: &str) -> Result<(), ObjectError> {
    still_says(file, Some(old))?;
    fs::remove_file(file).map_err(|source| ObjectError::Io {
        doing: "removing",
        path: file.to_owned(),
        source,
    })
}

/// Whether others than the owner may read a file.
pub fn is_open_to_others(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o044 != 0)
}

/// The text of a file; `None` if there is none.
pub(super) fn read(file: &Path) -> Result<Option<String>, ObjectError> {
    match fs::symlink_metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(found) if found.is_symlink() => return Err(ObjectError::Link(file.to_owned())),
        _ => {}
    }
    let bytes = fs::read(file).map_err(|source| ObjectError::Io {
        doing: "reading",
        path: file.to_owned(),
        source,
    })?;
    String::from_utf8(bytes).map(Some).map_err(|_bytes| ObjectError::NotText(file.to_owned()))
}

/// An edit of a text that is not there any more would undo what another wrote, or take out another object.
fn still_says(file: &Path, old: Option<&str>) -> Result<(), ObjectError> {
    match read(file) {
        Ok(now) if now.as_deref() == old => Ok(()),
        Ok(_) | Err(ObjectError::NotText(_)) => Err(ObjectError::Changed(file.to_owned())),
        Err(error) => Err(error),
    }
}

/// Replaces a file that says `old`, or, without `old`, makes it and its folders.
pub(super) fn replace(file: &Path, old: Option<&str>, new: &str, access: Access) -> Result<(), ObjectError> {
    let doing = |doing: &'static str| move |source| ObjectError::Io { doing, path: file.to_owned(), source };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(doing("creating the folder of"))?;
    let known = fs::metadata(file).ok();
    // What is to be kept from others is at no moment open to them: the permissions of the old file come after the text.
    let mode = if known.is_none() && access == Access::AsBefore { 0o666 } else { 0o600 };
    let mut temporary = tempfile::Builder::new()
        .prefix(".supercargo-")
        .permissions(fs::Permissions::from_mode(mode))
        .tempfile_in(folder)
        .map_err(doing("writing beside"))?;
    temporary.write_all(new.as_bytes()).map_err(doing("writing"))?;
    if let Some(known) = known.filter(|_| access != Access::Owner) {
        Owner::from(&known).give(temporary.as_file()).map_err(doing("writing"))?;
        temporary.as_file().set_permissions(known.permissions()).map_err(doing("writing"))?;
    }
    temporary.as_file().sync_all().map_err(doing("writing"))?;
    still_says(file, old)?;
    if old.is_some() {
        temporary.persist(file).map_err(|error| doing("replacing")(error.error))?;
    } else {
        temporary.persist_noclobber(file).map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => ObjectError::Changed(file.to_owned()),
            _ => doing("creating")(error.error),
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_another_wrote_meanwhile_is_neither_replaced_nor_removed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.yaml");
        let refused = |done: Result<(), ObjectError>| assert!(matches!(done, Err(ObjectError::Changed(_))));
        fs::write(&file, "theirs").unwrap();
        refused(rewrite(&file, "ours", "new"));
        refused(remove_file(&file, "ours"));
        refused(replace(&file, None, "new", Access::AsBefore));
        assert_eq!(fs::read_to_string(&file).unwrap(), "theirs");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        rewrite(&file, "theirs", "new").unwrap();
        remove_file(&file, "new").unwrap();
        refused(rewrite(&file, "new", "newer"));
        assert!(!file.exists());
    }

    #[test]
    fn a_file_that_is_rewritten_still_belongs_to_its_owner() {
        use std::os::unix::fs::{MetadataExt, chown};
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.yaml");
        fs::write(&file, "old").unwrap();
        // Nobody but root may give a file away.
        if chown(&file, Some(12_345), Some(54_321)).is_ok() {
            rewrite(&file, "old", "new").unwrap();
            let now = fs::metadata(&file).unwrap();
            assert_eq!((now.uid(), now.gid()), (12_345, 54_321));
        }
    }

    #[test]
    fn a_file_keeps_its_permissions_and_a_new_one_of_a_secret_is_the_owner_s() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a/x.yaml");
        replace(&file, None, "one", Access::OwnerIfNew).unwrap();
        assert_eq!((mode(&file), is_open_to_others(&file)), (0o600, false));
        rewrite(&file, "one", "two").unwrap();
        assert_eq!(mode(&file), 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        replace(&file, Some("two"), "three", Access::OwnerIfNew).unwrap();
        assert_eq!((mode(&file), is_open_to_others(&file)), (0o640, true));
        replace(&file, Some("three"), "four", Access::Owner).unwrap();
        assert_eq!(mode(&file), 0o600);
    }
}
