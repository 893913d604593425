//! One daemon per store: an exclusive lock on a file beside it, with the holder's pid.
//!
//! The lock is the kernel's, so it ends with the process, however that ends; the pid in the
//! file is only for the message.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::StoreError;
use super::fault;

/// A command may hold the lock for the time of a migration, and a question about the holder
/// takes it for an instant: so a daemon asks some times before it gives up.
const ATTEMPTS: u32 = 15;

/// Time between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// The daemon's lock; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct DaemonLock {
    file: File,
}

impl DaemonLock {
    /// Takes the lock and writes our pid beside the store.
    pub(super) fn take(store: &Path) -> Result<Self, StoreError> {
        let lock = Self::take_unnamed(store)?;
        lock.write(&format!("{}\n", std::process::id()))
            .map_err(|error| fault::unwritable(&lock_path(store), &error.to_string()))?;
        Ok(lock)
    }

    /// Takes the lock for a moment, without a name in the file.
    pub(super) fn take_unnamed(store: &Path) -> Result<Self, StoreError> {
        let path = lock_path(store);
        let failed = |error: std::io::Error| fault::unwritable(&path, &error.to_string());
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        for attempt in 1.. {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if attempt < ATTEMPTS => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Locked {
                        store: fault::name(store),
                        pid: read_pid(&mut file),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        let lock = Self { file };
        lock.write("").map_err(failed)?;
        Ok(lock)
    }

    fn write(&self, text: &str) -> std::io::Result<()> {
        let mut file = &self.file;
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(text.as_bytes())
    }
}

impl Drop for DaemonLock {
    fn drop(&mut self) {
        // The name goes before the lock does; if it stays, it is only never read.
        let _ = self.write("");
        let _ = self.file.unlock();
    }
}

/// The process that holds the lock of `store`; 0 when it has not written its name yet.
pub(super) fn holder(store: &Path) -> Option<u32> {
    let mut file = File::open(lock_path(store)).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(read_pid(&mut file)),
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

fn read_pid(file: &mut File) -> u32 {
    let mut text = String::new();
    let _ = file.seek(SeekFrom::Start(0));
    let _ = file.take(32).read_to_string(&mut text);
    text.trim().parse().unwrap_or(0)
}

fn lock_path(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}
