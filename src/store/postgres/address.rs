//! The URL of a database, taken apart: where the server is, as whom, and how the way there
//! is protected. Pure.
//!
//! The form is libpq's (PostgreSQL documentation, "Connection URIs"), read by tokio-postgres
//! but for the password, which is kept apart so that it is never shown, and for `sslmode`,
//! of which tokio-postgres knows half.

use std::str::FromStr;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// A database's URL, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// The URL without a password.
    pub(super) shown: String,
    /// The password inside it, if there was one.
    pub(super) password: Option<String>,
    /// How the way there is protected; `None`: nothing said.
    pub(super) protection: Option<Protection>,
    /// All of it but password and protection.
    pub(super) config: Config,
}

/// `sslmode`: how the way to the server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    /// In the clear.
    Disable,
    /// Encrypted if the server offers it, whoever the server is: a listener learns nothing,
    /// one who can change what passes can do as he likes.
    Prefer,
    /// Encrypted, and the certificate is valid and names the host. libpq's `require` checks
    /// no certificate, which protects from listeners alone; ours is its `verify-full`.
    Require,
}

impl Address {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// What is wrong, in words that follow the name of a key; without the password.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| form("is no URL"))?;
        if !matches!(scheme, "postgres" | "postgresql") {
            return Err(form("is no PostgreSQL URL"));
        }
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = place
            .find('/')
            .map_or((place, ""), |slash| place.split_at(slash));
        let (user, hosts) = authority
            .rsplit_once('@')
            .map_or((None, authority), |(user, hosts)| (Some(user), hosts));
        if place[authority.len()..].contains('@')
            || query.contains('@')
            || user.is_some_and(|user| user.split(':').next().unwrap_or("").contains('@'))
        {
            return Err(
                "has an @ behind the host or in the user; write / ? # @ : in names and passwords as %2F %3F %23 %40 %3A"
                    .to_owned(),
            );
        }
        let (user, mut password) = match user.map(|user| user.split_once(':').unwrap_or((user, "")))
        {
            Some((user, password)) => (Some(user), some_text(password)?),
            None => (None, None),
        };
        let query = Query::parse(query)?;
        password = query.password.or(password);

        let mut plain = format!("{scheme}://");
        if let Some(user) = user {
            plain.push_str(user);
            plain.push('@');
        }
        plain.push_str(hosts);
        plain.push_str(path);
        let joined = |parts: &[&str]| match parts {
            [] => plain.clone(),
            parts => format!("{plain}?{}", parts.join("&")),
        };
        let config = Config::from_str(&joined(&query.rest)).map_err(|error| said(&error))?;
        check(&config)?;
        let mut shown = query.rest;
        shown.extend(query.sslmode);
        Ok(Self {
            shown: joined(&shown),
            password,
            protection: query.protection,
            config,
        })
    }

    /// Whether all of its servers are on this machine.
    pub(super) fn is_local(&self) -> bool {
        self.config.get_hosts().iter().all(|host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => {
                name == "localhost"
                    || name
                        .parse::<std::net::IpAddr>()
                        .is_ok_and(|address| address.is_loopback())
            }
        })
    }
}

/// The parameters behind the question mark.
#[derive(Debug, Default)]
struct Query<'a> {
    password: Option<String>,
    protection: Option<Protection>,
    /// `sslmode=...` as given.
    sslmode: Option<&'a str>,
    /// All others, as given.
    rest: Vec<&'a str>,
}

impl<'a> Query<'a> {
    fn parse(query: &'a str) -> Result<Self, String> {
        let mut parsed = Self::default();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match decoded(name)?.as_str() {
                "password" => parsed.password = some_text(value)?,
                "sslmode" => {
                    parsed.protection = Some(protection(&decoded(value)?)?);
                    parsed.sslmode = Some(part);
                }
                "sslrootcert" => {
                    return Err("names sslrootcert; set [store] ca_file instead".to_owned());
                }
                "passfile" => {
                    return Err("names passfile; set [store] password_file instead".to_owned());
                }
                other @ ("sslcert" | "sslkey") => {
                    return Err(format!(
                        "names {other}, and certificates of clients are not supported; use a password"
                    ));
                }
                _ => parsed.rest.push(part),
            }
        }
        Ok(parsed)
    }
}

fn protection(sslmode: &str) -> Result<Protection, String> {
    match sslmode {
        "disable" => Ok(Protection::Disable),
        "prefer" => Ok(Protection::Prefer),
        "require" | "verify-full" => Ok(Protection::Require),
        "allow" => Err("has sslmode=allow; use prefer, or better verify-full".to_owned()),
        "verify-ca" => Err("has sslmode=verify-ca; use verify-full".to_owned()),
        other => Err(format!(
            "has sslmode={other:?}; use disable, prefer, require or verify-full"
        )),
    }
}

/// What libpq fills in at a guess must be said: a daemon has no home to guess from.
fn check(config: &Config) -> Result<(), String> {
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(form("names no host"));
    }
    if config.get_dbname().is_none_or(str::is_empty) {
        return Err(form("names no database"));
    }
    let (n_hosts, n_ports) = (
        config.get_hosts().len().max(config.get_hostaddrs().len()),
        config.get_ports().len(),
    );
    if n_ports > 1 && n_ports != n_hosts {
        return Err("names more ports than hosts; write the port behind its host".to_owned());
    }
    Ok(())
}

fn form(what: &str) -> String {
    format!(
        "{what}; write postgres://USER@HOST/DATABASE, or postgres://USER@/DATABASE?host=/run/postgresql for a Unix socket"
    )
}

/// What tokio-postgres has against it: its first words say only that something is.
fn said(error: &tokio_postgres::Error) -> String {
    let cause = std::error::Error::source(error);
    cause.map_or_else(|| error.to_string(), ToString::to_string)
}

fn some_text(encoded: &str) -> Result<Option<String>, String> {
    Ok(Some(decoded(encoded)?).filter(|text| !text.is_empty()))
}

/// Undoes percent-encoding (RFC 3986 section 2.1).
fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        let digits = std::str::from_utf8(behind.get(..2).unwrap_or_default()).unwrap_or_default();
        match u8::from_str_radix(digits, 16) {
            Ok(byte) if first == b'%' && !digits.starts_with('+') => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            _ => bytes.push(first),
        }
    }
    // The text is not repeated: it may be a password.
    String::from_utf8(bytes).map_err(|_| "has percent-encoded bytes that are not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_password_is_taken_and_never_shown() {
        let urls = [
            "postgres://ada:s%40cret@db.example/news",
            "postgres://ada@db.example/news?password=s%40cret",
            "postgres://ada:old@db.example/news?password=s%40cret",
        ];
        for url in urls {
            let address = Address::parse(url).unwrap();

            assert_eq!(address.password.as_deref(), Some("s@cret"), "{url}");
            assert_eq!(address.shown, "postgres://ada@db.example/news", "{url}");
            assert!(!format!("{:?}", address.config).contains("cret"), "{url}");
        }
    }

    #[test]
    fn servers_are_named_by_host_socket_or_several() {
        let hosts = |url: &str| Address::parse(url).unwrap().config.get_hosts().to_vec();

        assert_eq!(
            hosts("postgresql://ada@a:5433,b/news"),
            [Host::Tcp("a".into()), Host::Tcp("b".into())]
        );
        assert_eq!(
            hosts("postgres://ada@/news?host=/run/postgresql"),
            [Host::Unix("/run/postgresql".into())]
        );
        assert_eq!(
            hosts("postgres://%2Frun%2Fpostgresql/news"),
            [Host::Unix("/run/postgresql".into())]
        );
    }

    #[test]
    fn what_is_said_of_tls_is_understood_or_refused() {
        let sslmode = |mode: &str| {
            Address::parse(&format!(
                "postgres://h/news?sslmode={mode}&application_name=x"
            ))
            .map(|address| (address.protection, address.shown))
        };

        assert_eq!(
            sslmode("verify-full").unwrap(),
            (
                Some(Protection::Require),
                "postgres://h/news?application_name=x&sslmode=verify-full".to_owned()
            )
        );
        assert_eq!(sslmode("require").unwrap().0, Some(Protection::Require));
        assert_eq!(sslmode("disable").unwrap().0, Some(Protection::Disable));
        assert_eq!(sslmode("prefer").unwrap().0, Some(Protection::Prefer));
        assert!(sslmode("verify-ca").unwrap_err().contains("verify-full"));
        assert!(sslmode("on").unwrap_err().contains("sslmode=\"on\""));
    }

    #[test]
    fn what_is_missing_or_unknown_is_said_without_the_password() {
        let wrong = |url: &str| Address::parse(url).unwrap_err();

        assert!(wrong("postgres:db").contains("postgres://USER@HOST/DATABASE"));
        assert!(wrong("postgres:///news").contains("names no host"));
        assert!(wrong("postgres://ada:secret@h").contains("names no database"));
        assert!(wrong("postgres://h/news?sslrootcert=a").contains("ca_file"));
        let unknown = wrong("postgres://ada:secret@h/news?colour=red");
        assert!(
            unknown.contains("colour") && !unknown.contains("secret"),
            "{unknown}"
        );
    }

    #[test]
    fn only_sockets_and_loopback_are_this_machine() {
        let is_local = |url: &str| Address::parse(url).unwrap().is_local();

        assert!(is_local("postgres://localhost/news"));
        assert!(is_local("postgres://127.0.0.1,[::1]/news"));
        assert!(is_local("postgres:///news?host=/run/postgresql"));
        assert!(!is_local("postgres://localhost,db.example/news"));
    }

    proptest! {
        #[test]
        fn no_url_makes_the_reader_panic(rest in ".*") {
            let _ = Address::parse(&format!("postgres://{rest}"));
        }

        #[test]
        fn no_password_is_ever_shown(before in "[a-z%@/?:&=#]{0,6}", behind in "[a-z%@/?:&=#]{0,6}") {
            let url = format!("postgres://ada:{before}SECRET{behind}@db.example/news");
            match Address::parse(&url) {
                Ok(address) => {
                    prop_assert!(!address.shown.contains("SECRET"), "{}", address.shown);
                    prop_assert!(address.password.is_some());
                }
                Err(reason) => prop_assert!(!reason.contains("SECRET"), "{}", reason),
            }
        }
    }
}
