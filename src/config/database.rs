//! The keys of `[store]` beside its URL, and where the password of a database comes from.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::environment::Environment;
use super::source::read_limited;
use super::values::show_duration;
use crate::store::PostgresSettings;

/// The variable with the password.
const PASSWORD: &str = "WIREROOM_STORE_PASSWORD";

/// The name of the password among the credentials that systemd hands to a service
/// (`LoadCredential=store-password:...`).
const CREDENTIAL: &str = "store-password";

/// Largest password file, in bytes.
const MAX_BYTES: u64 = 4096;

/// The shortest lease that is taken when nobody sets one.
const LEASE: Duration = Duration::from_secs(30);

/// The keys of `[store]` beside its URL, as they were given. They concern databases alone;
/// [`Config::store`](super::Config::store) is made of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatabaseKeys {
    /// `password_file`: holds the password, and nothing else.
    pub password_file: Option<PathBuf>,
    /// `ca_file`: CA certificates to trust instead of the system's, in PEM.
    pub ca_file: Option<PathBuf>,
    /// `lease`: how long a worker that says nothing keeps its shards.
    pub lease: Option<Duration>,
}

impl DatabaseKeys {
    /// Adds these keys to the settings that the URL alone gave.
    ///
    /// # Errors
    /// The key that is wrong, and why.
    pub(super) fn complete(
        &self,
        settings: &mut PostgresSettings,
        timeout: Duration,
        environment: &Environment,
    ) -> Result<(), (&'static str, String)> {
        settings.ca_file.clone_from(&self.ca_file);
        settings.longest_exchange = timeout;
        let shortest = PostgresSettings::shortest_lease(timeout);
        settings.lease = self.lease.unwrap_or(LEASE.max(shortest));
        if let Some(password) = self
            .password(environment)
            .map_err(|reason| ("store.password_file", reason))?
        {
            settings.password = Some(password);
        }
        if settings.lease < shortest {
            return Err(("store.lease", too_short(settings.lease, shortest, timeout)));
        }
        Ok(())
    }

    /// The password, if somebody gave it beside the URL: the variable before the file, and
    /// systemd's credential last.
    fn password(&self, environment: &Environment) -> Result<Option<String>, String> {
        if let Some(password) = environment.get(PASSWORD) {
            return Ok(Some(password.to_owned()));
        }
        if let Some(file) = &self.password_file {
            return read_password(file).map(Some);
        }
        let Some(folder) = environment.get("CREDENTIALS_DIRECTORY") else {
            return Ok(None);
        };
        let file = Path::new(folder).join(CREDENTIAL);
        match file.exists() {
            true => read_password(&file).map(Some),
            false => Ok(None),
        }
    }

    /// Whether anybody on this machine may read the file with the password.
    pub(super) fn is_password_open(&self) -> bool {
        let mode = |file: &PathBuf| Some(fs::metadata(file).ok()?.permissions().mode());
        let file = self.password_file.as_ref();
        file.and_then(mode).is_some_and(|mode| mode & 0o004 != 0)
    }
}

fn too_short(lease: Duration, shortest: Duration, timeout: Duration) -> String {
    format!(
        "store.lease ({}) must be at least {}, so that an exchange of fetch.timeout ({}) ends within it; lengthen the one or shorten the other",
        show_duration(lease),
        show_duration(shortest),
        show_duration(timeout),
    )
}

/// What stands in a file, without the end of its line.
fn read_password(file: &Path) -> Result<String, String> {
    let failed = |reason: String| format!("cannot read {}: {reason}", file.display());
    let bytes = read_limited(file, MAX_BYTES).map_err(failed)?;
    // The text is not repeated, whatever is wrong with it.
    let text = String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8".to_owned()))?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        return Err(format!("{} is empty", file.display()));
    }
    if password.contains(['\n', '\0']) {
        return Err(format!(
            "{} holds more than one line; the password stands there alone",
            file.display()
        ));
    }
    Ok(password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> PostgresSettings {
        PostgresSettings::new("postgres://ada:url@h/news").unwrap()
    }

    fn password(keys: &DatabaseKeys, variables: &[(&str, &str)]) -> Result<String, String> {
        let mut settings = settings();
        let environment = Environment::new("/", variables.iter().copied());
        keys.complete(&mut settings, Duration::from_secs(1), &environment)
            .map_err(|(key, reason)| format!("{key}: {reason}"))?;
        Ok(settings.password.unwrap())
    }

    #[test]
    fn the_variable_comes_before_the_file_that_before_the_credential_and_the_url_last() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret"), "file\n").unwrap();
        fs::write(folder.path().join("store-password"), "credential").unwrap();
        let keys = DatabaseKeys {
            password_file: Some(folder.path().join("secret")),
            ..DatabaseKeys::default()
        };
        let none = DatabaseKeys::default();
        let credentials = ("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap());
        let variable = ("WIREROOM_STORE_PASSWORD", "variable");

        assert_eq!(
            password(&keys, &[variable, credentials]).unwrap(),
            "variable"
        );
        assert_eq!(password(&keys, &[credentials]).unwrap(), "file");
        assert_eq!(password(&none, &[credentials]).unwrap(), "credential");
        assert_eq!(password(&none, &[]).unwrap(), "url");
    }

    #[test]
    fn a_file_that_is_no_password_is_refused_without_showing_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        let keys = DatabaseKeys {
            password_file: Some(file.clone()),
            ..DatabaseKeys::default()
        };
        let refused = |bytes: &[u8]| {
            fs::write(&file, bytes).unwrap();
            password(&keys, &[]).unwrap_err()
        };

        assert!(refused(b"\n").contains("is empty"));
        assert!(refused(b"hush\nhush\n").contains("more than one line"));
        assert!(refused(b"hush\xff").contains("not UTF-8"));
        assert!(!refused(b"hush\nhush\n").contains("hush\n"));
        fs::remove_file(&file).unwrap();
        assert!(
            password(&keys, &[])
                .unwrap_err()
                .starts_with("store.password_file: cannot read")
        );
    }

    #[test]
    fn a_lease_outlasts_the_longest_exchange() {
        let environment = Environment::new("/", []);
        let lease = |lease: Option<u64>, timeout: u64| {
            let keys = DatabaseKeys {
                lease: lease.map(Duration::from_secs),
                ..DatabaseKeys::default()
            };
            let mut settings = settings();
            let completed =
                keys.complete(&mut settings, Duration::from_secs(timeout), &environment);
            completed.map(|()| settings.lease.as_secs())
        };

        assert_eq!(lease(None, 10), Ok(30));
        assert_eq!(lease(None, 60), Ok(93));
        assert_eq!(lease(Some(20), 10), Ok(20));
        let (key, reason) = lease(Some(20), 30).unwrap_err();
        assert_eq!(key, "store.lease");
        assert!(reason.contains("at least 48s"), "{reason}");
    }
}
