//! What is done to the files of a folder, so that neither a crash nor another process that writes at the same time loses any.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::Lasting;

/// How often a line is written again because the file was replaced meanwhile, which it is once in a thousand lines.
const ATTEMPTS: usize = 100;

/// How much must fit on the disk for files to be kept there, in bytes: the little that an empty Git cache takes.
const PROBE: usize = 64 << 10;

/// The first `length` bytes of a file, or all if it is shorter.
pub(super) fn beginning(file: &File, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Puts a file back from where it was moved by mistake, unless there is another by now.
pub(super) fn give_back(from: &Path, to: &Path) {
    // Whatever fails here fails because another process has written the file again.
    let _ = std::fs::hard_link(from, to);
    let _ = std::fs::remove_file(from);
}

pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Makes the folder if need be, and a file in it for a moment: an empty one also fits on a full disk.
pub(in super::super) fn probe(folder: &Path) -> io::Result<()> {
    make_folder(folder)?;
    tempfile::tempfile_in(folder)?.write_all(&vec![0; PROBE])
}

pub(super) fn replace(folder: &Path, name: &str, bytes: &[u8], lasting: Lasting) -> io::Result<()> {
    // Temporary files are made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    if lasting != Lasting::Whenever {
        file.as_file().sync_all()?;
    }
    file.persist(folder.join(name)).map_err(|failed| failed.error)?;
    // The rename itself lies in the folder.
    if lasting == Lasting::AtOnce { File::open(folder)?.sync_all() } else { Ok(()) }
}

pub(super) fn append(path: &Path, lines: &[u8]) -> io::Result<()> {
    for _ in 0..ATTEMPTS {
        let mut file = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path)?;
        // A process that was killed may have left half a line, which must not swallow ours.
        let mut last = [b'\n'];
        if file.seek(SeekFrom::End(0))? > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        if last == [b'\n'] {
            file.write_all(lines)?;
        } else {
            file.write_all(&[b"\n", lines].concat())?;
        }
        // A file that was replaced before we wrote may not have our lines; twice does no harm.
        if std::fs::metadata(path).is_ok_and(|now| is_same(&now, &file)) {
            return Ok(());
        }
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

fn is_same(now: &Metadata, file: &File) -> bool {
    file.metadata().is_ok_and(|ours| (ours.dev(), ours.ino()) == (now.dev(), now.ino()))
}

pub(super) fn shorten_file(
    folder: &Path,
    name: &str,
    shorten: impl FnOnce(&[u8]) -> Vec<u8>,
) -> io::Result<()> {
    let path = folder.join(name);
    let mut file = File::open(&path)?;
    let mut read = Vec::new();
    file.read_to_end(&mut read)?;
    // The rest of a line that is being written comes with what is late.
    let whole = read.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let mut late = read.split_off(whole);
    replace(folder, name, &shorten(&read), Lasting::AtOnce)?;
    // Whoever opened the file before it was replaced may have added to it until now; whoever adds to it from now on
    // sees that it was replaced.
    file.read_to_end(&mut late)?;
    if late.is_empty() { Ok(()) } else { append(&path, &late) }
}
