//! Where the configuration file is, and where the store is when nobody says.

use std::path::{Path, PathBuf};

use super::ConfigError;
use super::environment::Environment;

/// The file for a system service.
const SYSTEM_FILE: &str = "/etc/wireroom/wireroom.toml";
/// The store of the system service, which its unit gives as `STATE_DIRECTORY`. People who
/// ask it questions have the service's configuration and not its variables.
const SYSTEM_STORE: &str = "/var/lib/wireroom/wireroom.db";

/// The configuration file: the one that was named, or the first of the search order that
/// exists. `None` when there is none.
///
/// # Errors
/// [`ConfigError::Read`] when a file of the search order is there but cannot be looked at:
/// going on to the next would silently use another configuration.
pub(super) fn find(
    named: Option<&Path>,
    environment: &Environment,
) -> Result<Option<PathBuf>, ConfigError> {
    if let Some(file) = named {
        return Ok(Some(file.to_owned()));
    }
    if let Some(file) = environment.get("WIREROOM_CONFIG") {
        return Ok(Some(file.into()));
    }
    for file in candidates(environment) {
        match file.try_exists() {
            Ok(true) => return Ok(Some(file)),
            Ok(false) => {}
            Err(error) => {
                let reason = format!(
                    "{error}; join the group that may read it, or name another with --config"
                );
                return Err(ConfigError::Read { file, reason });
            }
        }
    }
    Ok(None)
}

/// Where a file is looked for that nobody named.
fn candidates(environment: &Environment) -> Vec<PathBuf> {
    let mut files = vec![
        environment.directory().join("wireroom.toml"),
        environment.directory().join("config/wireroom.toml"),
    ];
    if let Some(folder) = base_directory(environment, "XDG_CONFIG_HOME", ".config") {
        files.push(folder.join("wireroom/wireroom.toml"));
    }
    files.push(SYSTEM_FILE.into());
    files
}

/// The store when `[store] url` is not set: in the service's state directory, also for
/// people who use the service's configuration; else in the person's data directory.
pub(super) fn default_store(
    file: Option<&Path>,
    environment: &Environment,
) -> Result<PathBuf, ConfigError> {
    // systemd sets it from `StateDirectory=`; several directories are separated by colons.
    let state = environment
        .get("STATE_DIRECTORY")
        .and_then(|directories| directories.split(':').next())
        .filter(|directory| Path::new(directory).is_absolute());
    if let Some(directory) = state {
        return Ok(Path::new(directory).join("wireroom.db"));
    }
    if file == Some(Path::new(SYSTEM_FILE)) {
        return Ok(SYSTEM_STORE.into());
    }
    match base_directory(environment, "XDG_DATA_HOME", ".local/share") {
        Some(folder) => Ok(folder.join("wireroom/wireroom.db")),
        None => Err(ConfigError::Environment {
            name: "HOME".into(),
            reason: "is not set, so there is no place for the store; set [store] url".into(),
        }),
    }
}

/// A base directory of the XDG specification 0.8. Relative values are to be ignored (there).
fn base_directory(environment: &Environment, variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |path: &&str| Path::new(path).is_absolute();
    if let Some(path) = environment.get(variable).filter(absolute) {
        return Some(path.into());
    }
    environment
        .get("HOME")
        .filter(absolute)
        .map(|home| Path::new(home).join(below_home))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_looked_for_in_the_documented_order() {
        let environment = Environment::new("/srv/news", [("HOME", "/home/ada")]);

        let files = candidates(&environment);

        let expected = [
            "/srv/news/wireroom.toml",
            "/srv/news/config/wireroom.toml",
            "/home/ada/.config/wireroom/wireroom.toml",
            "/etc/wireroom/wireroom.toml",
        ];
        assert_eq!(files, expected.map(PathBuf::from));
    }

    #[test]
    fn a_named_file_wins_over_the_variable_and_the_variable_over_the_search() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("wireroom.toml"), "").unwrap();
        let plain = Environment::new(folder.path(), []);
        let variable = Environment::new(folder.path(), [("WIREROOM_CONFIG", "/v.toml")]);

        assert_eq!(
            find(Some(Path::new("/n.toml")), &variable).unwrap(),
            Some("/n.toml".into())
        );
        assert_eq!(find(None, &variable).unwrap(), Some("/v.toml".into()));
        assert_eq!(
            find(None, &plain).unwrap(),
            Some(folder.path().join("wireroom.toml"))
        );
    }

    #[test]
    fn the_store_lies_in_the_state_directory_of_a_service() {
        let service = Environment::new("/", [("STATE_DIRECTORY", "/var/lib/wireroom:/b")]);
        let person = Environment::new("/", [("HOME", "/home/ada"), ("XDG_DATA_HOME", "relative")]);
        let nobody = Environment::new("/", []);

        assert_eq!(
            default_store(None, &service).unwrap(),
            Path::new("/var/lib/wireroom/wireroom.db")
        );
        assert_eq!(
            default_store(None, &person).unwrap(),
            Path::new("/home/ada/.local/share/wireroom/wireroom.db")
        );
        assert!(default_store(None, &nobody).is_err());
    }

    #[test]
    fn who_uses_the_services_configuration_asks_the_services_store() {
        let person = Environment::new("/", [("HOME", "/home/ada")]);

        let store = default_store(Some(Path::new("/etc/wireroom/wireroom.toml")), &person);

        assert_eq!(store.unwrap(), Path::new("/var/lib/wireroom/wireroom.db"));
    }
}
