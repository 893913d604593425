//! What is allowed but unwise.

use std::time::Duration;

use ipnet::IpNet;

use super::Config;
use super::values::{show_duration, show_network};
use crate::store::Settings;

/// Addresses where clouds offer credentials to whoever asks.
const METADATA: [&str; 2] = ["169.254.169.254/32", "fd00:ec2::254/128"];

/// Advice on a configuration that is right: each a sentence on one key and its consequence.
#[must_use]
pub fn check(config: &Config) -> Vec<String> {
    let mut advice = Vec::new();
    advise_on_manners(config, &mut advice);
    advise_on_networks(config, &mut advice);
    advise_on_limits(config, &mut advice);
    advise_on_the_store(config, &mut advice);
    advice
}

fn advise_on_manners(config: &Config, advice: &mut Vec<String>) {
    let fetch = &config.fetch;
    if fetch.contact.is_none() && fetch.user_agent.is_none() {
        advice.push(
            "fetch.contact is not set: publishers who see our requests cannot turn to you".into(),
        );
    }
    if !fetch.robots {
        advice.push(
            "fetch.robots is false: pages are fetched that their sites ask robots to leave alone"
                .into(),
        );
    }
    if fetch.host_gap < Duration::from_millis(500) && fetch.allow_private.is_empty() {
        advice.push(format!(
            "fetch.host_gap is {}: publishers block clients that ask so fast",
            show_duration(fetch.host_gap)
        ));
    }
    if config.schedule.min_interval < Duration::from_secs(300) {
        advice.push(format!(
            "schedule.min_interval is {}: few publishers like to be asked more often than every 5 minutes",
            show_duration(config.schedule.min_interval)
        ));
    }
}

fn advise_on_networks(config: &Config, advice: &mut Vec<String>) {
    if config.fetch.proxy.is_some() {
        advice.push(
            "fetch.proxy is set: the guard against private addresses then rests with the proxy"
                .into(),
        );
    }
    let opens_metadata = |network: &IpNet| {
        METADATA
            .iter()
            .filter_map(|address| address.parse::<IpNet>().ok())
            .any(|address| network.contains(&address))
    };
    for network in &config.fetch.allow_private {
        let shown = show_network(network);
        if network.prefix_len() == 0 {
            advice.push(format!(
                "fetch.allow_private {shown} opens every network: any feed can make us ask any machine inside"
            ));
        } else if opens_metadata(network) {
            advice.push(format!(
                "fetch.allow_private {shown} opens the address where clouds hand out credentials"
            ));
        }
    }
}

fn advise_on_limits(config: &Config, advice: &mut Vec<String>) {
    let (fetch, ingest) = (&config.fetch, &config.ingest);
    if config.feeds.is_empty() {
        advice.push("feeds is empty: only feeds added with `wireroom feed add` are polled".into());
    }
    if fetch.max_connections < ingest.polls.max(ingest.scrapes) {
        advice.push(format!(
            "fetch.max_connections ({}) is smaller than ingest.polls or ingest.scrapes: some of them wait for a connection",
            fetch.max_connections
        ));
    }
    if fetch.max_connections > 512 {
        advice.push(format!(
            "fetch.max_connections is {}: raise LimitNOFILE of the service as well",
            fetch.max_connections
        ));
    }
    let verbose = |level: &str| level.contains("debug") || level.contains("trace");
    if config.log.level.as_deref().is_some_and(verbose) {
        advice.push("log.level is verbose: the log grows by several lines for each request".into());
    }
}

fn advise_on_the_store(config: &Config, advice: &mut Vec<String>) {
    let keys = &config.database;
    let settings = match &config.store {
        Settings::Postgres(settings) => settings,
        Settings::Sqlite(_) => {
            let given = [
                ("password_file", keys.password_file.is_some()),
                ("ca_file", keys.ca_file.is_some()),
                ("lease", keys.lease.is_some()),
            ];
            for (name, _) in given.into_iter().filter(|(_, is_given)| *is_given) {
                advice.push(format!("store.{name} is for databases: a file needs none"));
            }
            return;
        }
    };
    if settings.is_exposed() {
        advice.push(
            "store.url leads over a network to a server whose certificate is not checked: add ?sslmode=verify-full"
                .into(),
        );
    }
    if keys.is_password_open() {
        advice.push(
            "store.password_file can be read by everyone on this machine: `chmod o-r` it".into(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Environment, examine};
    use super::*;

    fn advice(text: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("wireroom.toml");
        std::fs::write(&file, text).unwrap();
        let examined = examine(Some(&file), &Environment::new("/", [("HOME", "/h")]));
        assert_eq!(examined.errors, []);
        check(&examined.config)
    }

    #[test]
    fn the_defaults_lack_only_a_contact() {
        let advice_found = advice("");

        assert_eq!(advice_found.len(), 1, "{advice_found:?}");
        assert!(advice_found[0].starts_with("fetch.contact"));
        assert!(advice("[fetch]\ncontact = \"ada@example.org\"\n").is_empty());
    }

    #[test]
    fn networks_that_open_too_much_are_named() {
        let found = advice(
            "[fetch]\ncontact = \"x\"\nallow_private = [\"0.0.0.0/0\", \"169.254.0.0/16\", \"10.0.0.0/8\"]\n",
        );

        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("0.0.0.0/0 opens every network"));
        assert!(found[1].contains("169.254.0.0/16 opens the address"));
    }

    #[test]
    fn impolite_settings_are_named() {
        let found = advice(
            "[fetch]\ncontact = \"x\"\nhost_gap = 0\nrobots = false\n[schedule]\nmin_interval = \"1s\"\n",
        );

        assert_eq!(found.len(), 3, "{found:?}");
    }

    #[test]
    fn ways_to_a_database_that_others_can_look_into_are_named() {
        let found = |url: &str| {
            advice(&format!(
                "[fetch]\ncontact = \"x\"\n[store]\nurl = \"{url}\"\n"
            ))
        };

        let exposed = found("postgres://ada@db.example/news");

        assert_eq!(exposed.len(), 1, "{exposed:?}");
        assert!(exposed[0].contains("sslmode=verify-full"));
        assert!(found("postgres://ada@db.example/news?sslmode=verify-full").is_empty());
        assert!(found("postgres://ada@/news?host=/run/postgresql").is_empty());
    }
}
