//! One lock for each remote, so that of several instances one lands at a time: what each compares with the remote is then
//! still so when it pushes.
//!
//! The system gives a lock back when its process ends, however it ends. Where no lock can be kept, the remote alone
//! keeps two pushes apart: it moves a branch only from where that was.

use std::fs::{File, TryLockError};
use std::io::Write;

use super::shelf::{Shelf, file_name};

/// The locks, a file for each remote.
#[derive(Debug)]
pub struct RemoteLocks {
    shelf: Shelf,
}

/// While it lives, no other instance lands on the remote.
#[derive(Debug)]
pub struct RemoteLock {
    _file: Option<File>,
}

impl RemoteLocks {
    pub(super) fn new(shelf: Shelf) -> Self {
        Self { shelf }
    }

    /// Takes the lock of the remote with this address, without waiting; `who` is told to those who come later.
    ///
    /// # Errors
    /// Who has it.
    pub fn try_take(&self, remote: &str, who: &str) -> Result<RemoteLock, String> {
        let name = file_name(remote, "lock");
        let Some(mut file) = self.shelf.lock_file(&name) else { return Ok(RemoteLock { _file: None }) };
        match file.try_lock() {
            Ok(()) => {
                // Whoever waits would like to know for whom, and waits all the same.
                let _ = file.set_len(0).and_then(|()| file.write_all(who.as_bytes()));
                Ok(RemoteLock { _file: Some(file) })
            }
            Err(TryLockError::WouldBlock) => {
                let said = self.shelf.read(&name).and_then(|bytes| String::from_utf8(bytes).ok());
                let said = said.filter(|who| !who.is_empty());
                Err(said.unwrap_or_else(|| "another instance".to_owned()))
            }
            // A file system without locks.
            Err(TryLockError::Error(_)) => Ok(RemoteLock { _file: None }),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::store::{Dirs, Store};

    #[test]
    fn one_instance_at_a_time_has_a_remote_and_others_learn_who() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::below(dir.path());
        let (one, two) = (Store::open(&dirs), Store::open(&dirs));
        let held = one.remote_locks().try_take("https://git.example.com/a", "rita, and more of her").unwrap();
        drop(one.remote_locks().try_take("https://git.example.com/b", "rita").unwrap());
        let told = two.remote_locks().try_take("https://git.example.com/a", "omar").unwrap_err();
        assert_eq!(told, "rita, and more of her");
        drop(held);
        let held = two.remote_locks().try_take("https://git.example.com/a", "omar").unwrap();
        assert_eq!(one.remote_locks().try_take("https://git.example.com/a", "rita").unwrap_err(), "omar");
        drop(held);
        let memory = Store::in_memory();
        let _free = memory.remote_locks().try_take("x", "rita").unwrap();
        assert!(memory.remote_locks().try_take("x", "rita").is_ok());
    }
}
