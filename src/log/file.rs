//! The file of the day, for a program whose terminal is taken.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::start;

/// As [`super::to_stderr`], into the file of the day in `folder`: the screen is taken. It is made when there is something to
/// write.
pub(crate) fn to_file(level: &str, folder: &Path) {
    let name = format!("{}.log", jiff::Timestamp::now().strftime("%Y-%m-%d"));
    start(level, Mutex::new(Late { path: folder.join(name), file: None }));
}

/// A file that is opened with the first line. What cannot be written is lost: there is no other place to say so.
struct Late {
    path: PathBuf,
    file: Option<File>,
}

impl Write for Late {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.file.is_none() {
            self.file = open(&self.path).ok();
        }
        if let Some(file) = &mut self.file {
            let _ = file.write_all(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_file_is_made_with_the_first_line_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log/day.log");
        let mut late = Late { path: path.clone(), file: None };
        assert!(!path.exists());
        late.write_all(b"one\n").unwrap();
        late.write_all(b"two\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_cannot_be_made_fails_nobody() {
        let mut late = Late { path: "/dev/null/log".into(), file: None };
        late.write_all(b"one\n").unwrap();
    }
}
