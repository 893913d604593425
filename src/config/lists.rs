//! The feed lists that the configuration names: found, read, and made one.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::source::{Source, read_limited};
use super::values::show_url;
use super::{Config, ConfigError, keys};
use crate::feed_list::{self, FeedList, ListError, ListFormat};
use crate::store::SourceList;

/// Largest list file, in bytes: some 100,000 feeds.
const MAX_BYTES: u64 = 16 << 20;

/// The feed lists, read.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    /// One per file.
    pub sources: Vec<SourceList>,
    /// What was left out, and why: file, line, reason, as text for people.
    pub notices: Vec<String>,
}

impl Lists {
    /// How many feeds all files name together.
    #[must_use]
    pub fn n_feeds(&self) -> usize {
        self.sources.iter().map(|source| source.feeds.len()).sum()
    }
}

/// Reads all feed lists that the configuration names, in its order; the matches of a glob
/// in alphabetical order. A file that is named twice is read once, and a feed that several
/// files name belongs to the first of them.
///
/// # Errors
/// [`ConfigError`] for the first file that cannot be read: then nothing is to be changed.
pub fn read_lists(config: &Config) -> Result<Lists, ConfigError> {
    let (lists, errors) = examine_lists(config);
    match errors.into_iter().next() {
        Some(error) => Err(error),
        None => Ok(lists),
    }
}

/// Reads all feed lists like [`read_lists`], but goes on behind errors, which are in order of
/// file and line.
#[must_use]
pub fn examine_lists(config: &Config) -> (Lists, Vec<ConfigError>) {
    let mut lists = Lists::default();
    let mut errors = Vec::new();
    for file in list_files(config, &mut lists.notices, &mut errors) {
        match read_list(&file) {
            Ok(list) => lists.take(&file, list),
            Err(error) => errors.push(error),
        }
    }
    lists.give_to_the_first();
    errors.sort_by(|a, b| a.place().cmp(&b.place()));
    (lists, errors)
}

impl Lists {
    fn take(&mut self, file: &Path, list: FeedList) {
        for skipped in &list.skipped {
            self.notices.push(format!(
                "{}:{}: {}: {}",
                file.display(),
                skipped.line,
                skipped.why,
                skipped.what
            ));
        }
        self.sources.push(SourceList {
            file: file.to_string_lossy().into_owned(),
            feeds: list.feeds,
        });
    }

    /// Leaves each feed to the first file that names it.
    fn give_to_the_first(&mut self) {
        let mut owners: HashMap<String, String> = HashMap::new();
        for source in &mut self.sources {
            let file = &source.file;
            source.feeds.retain(|feed| {
                let url = feed.url.as_str();
                let owner = owners.entry(url.to_owned()).or_insert_with(|| file.clone());
                if owner != file {
                    let url = show_url(feed.url.url());
                    let notice = format!("{file}: {url} is named in {owner} already");
                    self.notices.push(notice);
                }
                owner == file
            });
        }
    }
}

/// The files to read, each once.
fn list_files(
    config: &Config,
    notices: &mut Vec<String>,
    errors: &mut Vec<ConfigError>,
) -> Vec<PathBuf> {
    let may_miss = config.feeds == keys::default_feeds();
    let mut files: Vec<PathBuf> = Vec::new();
    let mut seen: BTreeMap<PathBuf, ()> = BTreeMap::new();
    for pattern in &config.feeds {
        for file in matches(config.folder(), pattern, may_miss, notices, errors) {
            let identity = file.canonicalize().unwrap_or_else(|_| file.clone());
            if seen.insert(identity, ()).is_none() {
                files.push(file);
            }
        }
    }
    files
}

/// The files that one entry of `feeds` names.
fn matches(
    folder: &Path,
    pattern: &str,
    may_miss: bool,
    notices: &mut Vec<String>,
    errors: &mut Vec<ConfigError>,
) -> Vec<PathBuf> {
    if !pattern.contains(['*', '?', '[']) {
        let file: PathBuf = folder.join(pattern).components().collect();
        if may_miss && matches!(file.try_exists(), Ok(false)) {
            return Vec::new();
        }
        return vec![file];
    }
    let mut files = Vec::new();
    for found in expand(folder, pattern) {
        match found {
            Ok(file) if is_backup(&file) => {
                notices.push(format!("{}: left out, a backup file", file.display()));
            }
            // Folders; and what would never end, such as a pipe.
            Ok(file) if file.exists() && !file.is_file() => {}
            Ok(file) => files.push(file.components().collect()),
            Err(error) => errors.push(ConfigError::Read {
                file: error.path().to_owned(),
                reason: error.error().to_string(),
            }),
        }
    }
    files
}

/// What a glob matches, in alphabetical order, hidden files only when the pattern says so.
fn expand(
    folder: &Path,
    pattern: &str,
) -> impl Iterator<Item = Result<PathBuf, glob::GlobError>> + use<> {
    let whole = if Path::new(pattern).is_absolute() {
        pattern.to_owned()
    } else {
        // The folder's own name is not a pattern.
        let folder = glob::Pattern::escape(&folder.to_string_lossy());
        format!("{folder}/{pattern}")
    };
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    // A pattern that is none was refused when the configuration was read.
    glob::glob_with(&whole, options).into_iter().flatten()
}

/// What editors and package managers leave beside a file.
fn is_backup(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    [
        "~",
        ".bak",
        ".orig",
        ".swp",
        ".dpkg-old",
        ".dpkg-dist",
        ".rpmsave",
        ".rpmnew",
    ]
    .iter()
    .any(|ending| name.ends_with(ending))
}

fn read_list(file: &Path) -> Result<FeedList, ConfigError> {
    let unreadable = |reason: String| ConfigError::Read {
        file: file.to_owned(),
        reason,
    };
    let wrong = |line: usize, column: usize, reason: String| ConfigError::Wrong {
        file: file.to_owned(),
        line: line.max(1),
        column: column.max(1),
        reason,
    };
    if file.is_dir() {
        let reason = "it is a folder; name the files in it: \"FOLDER/*\"".to_owned();
        return Err(unreadable(reason));
    }
    let bytes = read_limited(file, MAX_BYTES).map_err(unreadable)?;
    let text = feed_list::decode(&bytes).map_err(|at| {
        let text = String::from_utf8_lossy(&bytes[..at]).into_owned();
        Source { file, text }.wrong(at..at, "the file is not UTF-8")
    })?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let format = ListFormat::guess(&name, &text);
    feed_list::read(&text, format).map_err(|error| match error {
        ListError::Syntax {
            line,
            column,
            reason,
        } => wrong(line, column, reason),
        ListError::Limit(reason) => wrong(1, 1, reason),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{Environment, examine};
    use super::*;

    /// A folder with a configuration that names `feeds`, and list files.
    fn folder_of(feeds: &str, files: &[(&str, &str)]) -> (tempfile::TempDir, Config) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let file = folder.path().join("wireroom.toml");
        fs::write(&file, feeds).unwrap();
        let examined = examine(Some(&file), &Environment::new("/", [("HOME", "/h")]));
        assert_eq!(examined.errors, []);
        (folder, examined.config)
    }

    /// The names of the files that a configuration leads to.
    fn names(config: &Config) -> Vec<String> {
        let (mut notices, mut errors) = (Vec::new(), Vec::new());
        let files = list_files(config, &mut notices, &mut errors);
        assert_eq!(errors, []);
        let name = |file: &PathBuf| {
            let file = file.strip_prefix(config.folder()).unwrap();
            file.to_string_lossy().into_owned()
        };
        files.iter().map(name).collect()
    }

    #[test]
    fn files_are_read_in_the_order_of_the_configuration_each_once() {
        let (_folder, config) = folder_of(
            "feeds = [\"z.txt\", \"./feeds.d/*\", \"feeds.d/b.txt\"]\n",
            &[
                ("z.txt", ""),
                ("feeds.d/b.txt", ""),
                ("feeds.d/a.opml", ""),
                ("feeds.d/.hidden", ""),
                ("feeds.d/a.opml~", ""),
                ("feeds.d/deeper/c.txt", ""),
            ],
        );

        assert_eq!(names(&config), ["z.txt", "feeds.d/a.opml", "feeds.d/b.txt"]);
    }

    #[test]
    fn the_default_lists_may_be_missing_but_named_ones_may_not() {
        let (_folder, nobody_named) = folder_of("", &[]);
        let (_folder, named) = folder_of("feeds = [\"feeds.opml\"]\n", &[]);

        assert_eq!(names(&nobody_named), [""; 0]);
        assert_eq!(names(&named), ["feeds.opml"]);
        assert!(matches!(read_lists(&named), Err(ConfigError::Read { .. })));
    }

    #[test]
    fn a_folder_name_is_no_pattern() {
        let (folder, _) = folder_of("", &[("[x]/a.txt", ""), ("[x]/wireroom.toml", "")]);
        let file = folder.path().join("[x]/wireroom.toml");
        fs::write(&file, "feeds = [\"*.txt\"]\n").unwrap();

        let examined = examine(Some(&file), &Environment::new("/", [("HOME", "/h")]));

        assert_eq!(names(&examined.config), ["a.txt"]);
    }

    #[test]
    fn a_list_in_an_old_encoding_is_read_as_declared() {
        let (folder, config) = folder_of("feeds = [\"feeds.opml\"]\n", &[]);
        let list = b"<?xml version='1.0' encoding='windows-1251'?><opml><body>\
            <outline text='\xcc\xe8\xf0' xmlUrl='https://a.example/'/></body></opml>";
        fs::write(folder.path().join("feeds.opml"), list).unwrap();

        let lists = read_lists(&config).unwrap();

        assert_eq!(lists.sources[0].feeds[0].title.as_deref(), Some("Мир"));
    }
}
