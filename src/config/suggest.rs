//! What to say about a name that nobody knows: the known one that was most probably meant.

use toml::de::DeValue;

use super::keys::{self, KEYS, Key};
use crate::feed_list::nearest;

/// What to say about a key that nobody knows.
pub(super) fn unknown(section: &str, name: &str, value: &DeValue<'_>) -> String {
    let shown: String = name.chars().take(60).collect();
    if section.is_empty() && keys::sections().contains(&name) {
        return format!("{shown} is a section; write [{shown}] on a line of its own");
    }
    if section.is_empty() && value.is_table() {
        return match nearest(name, keys::sections()) {
            Some(near) => format!("unknown section [{shown}]; did you mean [{near}]?"),
            None => format!("unknown section [{shown}]; there are {}", list_sections()),
        };
    }
    let path = keys::path(section, &shown);
    let here = KEYS.iter().filter(|key| key.section == section);
    if let Some(near) = nearest(name, here.map(|key| key.name)) {
        return format!("unknown key {path}; did you mean {near}?");
    }
    if let Some(near) = nearest(name, KEYS.iter().map(|key| key.name)) {
        let key = KEYS.iter().find(|key| key.name == near);
        return match key.map(|key| key.section) {
            Some("") => format!("unknown key {path}; {near} belongs above all sections"),
            Some(other) => format!("unknown key {path}; did you mean {near} in [{other}]?"),
            None => format!("unknown key {path}"),
        };
    }
    let known: Vec<&str> = KEYS
        .iter()
        .filter(|key| key.section == section)
        .map(|key| key.name)
        .collect();
    format!("unknown key {path}; known here: {}", known.join(", "))
}

fn list_sections() -> String {
    let sections: Vec<String> = keys::sections()
        .iter()
        .map(|section| format!("[{section}]"))
        .collect();
    sections.join(", ")
}

/// What to say about a variable of ours that overrides no key.
pub(super) fn unknown_variable(name: &str) -> String {
    let variables: Vec<String> = KEYS.iter().map(Key::variable).collect();
    let lower: Vec<String> = variables.iter().map(|name| name.to_lowercase()).collect();
    match nearest(name, lower.iter().map(String::as_str)) {
        Some(near) => format!("names no key; did you mean {}?", near.to_uppercase()),
        None => "names no key; `wireroom config show` lists them all".into(),
    }
}
