//! Files written whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::query::ArticleQuery;
use crate::store::Store;

use super::{ExportError, Exported, each_article, markdown_document, markdown_file_name};

/// Writes one Markdown document per article into `folder`, which is made if need be. A file
/// that is there already is replaced: names are stable, so a second export updates the first.
///
/// # Errors
/// [`ExportError`]: files that had been written stay.
pub async fn write_folder(
    store: &Store,
    query: ArticleQuery,
    folder: &Path,
) -> Result<Exported, ExportError> {
    fs::create_dir_all(folder).map_err(|source| ExportError::File {
        path: folder.to_owned(),
        source,
    })?;
    each_article(store, query, |article| {
        let path = folder.join(markdown_file_name(article));
        replace(&path, markdown_document(article).as_bytes())
            .map_err(|source| ExportError::File { path, source })
    })
    .await
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = ReplacedFile::create(path)?;
    file.write_all(content)?;
    file.finish()
}

/// A file that takes its place only once it is complete: until [`finish`](Self::finish) the
/// old one stays, and without it nothing is left behind.
///
/// What is no regular file (a terminal, a pipe, `/dev/null`) is written directly.
#[derive(Debug)]
pub struct ReplacedFile {
    file: BufWriter<File>,
    /// What is written until it is complete; `None` when writing directly.
    partial: Option<PathBuf>,
    /// Where it goes.
    place: PathBuf,
}

impl ReplacedFile {
    /// Begins a file that will be `path`.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(path: &Path) -> io::Result<Self> {
        // Through links to the file itself, so that replacing it keeps the link.
        let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let old = fs::metadata(&place).ok();
        if old.as_ref().is_some_and(|old| !old.is_file()) {
            let file = File::options().write(true).open(&place)?;
            return Ok(Self {
                file: BufWriter::new(file),
                partial: None,
                place,
            });
        }
        let mut partial = place.clone().into_os_string();
        partial.push(format!(".{}.partial", std::process::id()));
        let partial = PathBuf::from(partial);
        let file = File::create(&partial)?;
        let replaced = Self {
            file: BufWriter::new(file),
            partial: Some(partial),
            place,
        };
        if let Some(old) = old {
            // What was private stays private.
            replaced.file.get_ref().set_permissions(old.permissions())?;
        }
        Ok(replaced)
    }

    /// Writes out what is buffered and puts the file in its place.
    ///
    /// # Errors
    /// What the system says; the old file is then still there.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.flush()?;
        if let Some(partial) = &self.partial {
            fs::rename(partial, &self.place)?;
        }
        self.partial = None;
        Ok(())
    }
}

impl Write for ReplacedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for ReplacedFile {
    fn drop(&mut self) {
        if let Some(partial) = &self.partial {
            // Nothing to tell anyone: what matters, the old file, was not touched.
            let _ = fs::remove_file(partial);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_only_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("news.jsonl");
        fs::write(&path, "old").unwrap();

        let mut file = ReplacedFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        file.flush().unwrap();
        let meanwhile = fs::read_to_string(&path).unwrap();
        file.finish().unwrap();

        assert_eq!(meanwhile, "old");
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_stays_private() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("news.jsonl");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();

        let file = ReplacedFile::create(&path).unwrap();
        file.finish().unwrap();

        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target.jsonl");
        let link = folder.path().join("link.jsonl");
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();

        let mut file = ReplacedFile::create(&link).unwrap();
        file.write_all(b"new").unwrap();
        file.finish().unwrap();

        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
    }

    #[test]
    fn a_file_given_up_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("news.jsonl");

        let mut file = ReplacedFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);

        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
