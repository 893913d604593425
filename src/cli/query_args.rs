//! Searches as they stand on a command line.

use std::ffi::{OsStr, OsString};

use wireroom::query::SearchExpr;

use super::{Context, UsageError};

/// The search that these words are, joined by spaces; `None` without words.
pub(crate) fn search_expr(
    words: &[String],
    context: &Context,
) -> anyhow::Result<Option<SearchExpr>> {
    let query = words.join(" ");
    if query.trim().is_empty() {
        return Ok(None);
    }
    Ok(Some(SearchExpr::parse(&query, context.now())?))
}

/// Like [`search_expr`], but there must be words.
pub(crate) fn required_search(words: &[String], context: &Context) -> anyhow::Result<SearchExpr> {
    search_expr(words, context)?
        .ok_or_else(|| UsageError("the search is empty; `wireroom list` shows all".into()).into())
}

/// Stands in front of a shielded word. No argument of a process can hold it.
const SHIELD: char = '\0';

/// Commands whose words are a search.
const SEARCHING: [&str; 2] = ["search", "export"];

/// Makes `-word` a word of the search instead of a heap of short flags.
///
/// `wireroom search taliban -russia --json` means the search `taliban -russia`: behind
/// `search` and `export`, whatever begins with one dash and is not one of our short flags
/// is shielded from clap and becomes itself again in [`word`].
pub(crate) fn shield_exclusions(arguments: Vec<OsString>) -> Vec<OsString> {
    let mut shielded = Vec::with_capacity(arguments.len());
    let mut arguments = arguments.into_iter();
    // The program's own name.
    shielded.extend(arguments.next());
    let mut command = None;
    let mut is_value = false;
    for argument in arguments.by_ref() {
        let text = argument.to_str().unwrap_or_default();
        if text == "--" && !is_value {
            // All that follows is words for clap as well.
            shielded.push(argument);
            break;
        }
        if is_value {
            is_value = false;
        } else if takes_value(text) {
            is_value = true;
        } else if command.is_none() && !text.starts_with('-') {
            command = Some(SEARCHING.contains(&text));
        } else if command == Some(true) && is_exclusion(&argument) {
            let mut word = OsString::from(SHIELD.to_string());
            word.push(&argument);
            shielded.push(word);
            continue;
        }
        shielded.push(argument);
    }
    shielded.extend(arguments);
    shielded
}

/// Flags before or behind `search` and `export` whose value is the next argument.
fn takes_value(argument: &str) -> bool {
    [
        "--config", "--log", "--limit", "--cursor", "--feed", "--format", "--output", "-o",
    ]
    .contains(&argument)
}

/// `-word`, `-"a phrase"`, `-site:example.org`; not `-`, `--json`, `-h`, `-V`, `-q`, `-vv`.
fn is_exclusion(argument: &OsStr) -> bool {
    let text = argument.to_string_lossy();
    let Some(word) = text.strip_prefix('-') else {
        return false;
    };
    let is_flag = matches!(word, "" | "h" | "V" | "q" | "o") || word.bytes().all(|b| b == b'v');
    !is_flag && !word.starts_with('-')
}

/// A word of a search as it was typed. To be used as `value_parser` of such words.
pub(crate) fn word(text: &str) -> Result<String, std::convert::Infallible> {
    Ok(text.strip_prefix(SHIELD).unwrap_or(text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &[&str], shielded: &[&str]) {
        let arguments = typed.iter().map(OsString::from).collect();

        let arguments = shield_exclusions(arguments);

        let expected: Vec<OsString> = shielded.iter().map(OsString::from).collect();
        assert_eq!(arguments, expected);
    }

    #[test]
    fn a_word_with_a_dash_excludes() {
        check(
            &["wireroom", "search", "taliban", "-russia", "--json", "-q"],
            &["wireroom", "search", "taliban", "\0-russia", "--json", "-q"],
        );
        check(
            &["wireroom", "-v", "export", "-site:example.org", "-o", "-x"],
            &[
                "wireroom",
                "-v",
                "export",
                "\0-site:example.org",
                "-o",
                "-x",
            ],
        );
    }

    #[test]
    fn other_commands_and_what_follows_two_dashes_are_left_alone() {
        check(&["wireroom", "list", "-x"], &["wireroom", "list", "-x"]);
        check(
            &["wireroom", "search", "--", "-x"],
            &["wireroom", "search", "--", "-x"],
        );
        check(
            &["wireroom", "feed", "add", "search", "-y"],
            &["wireroom", "feed", "add", "search", "-y"],
        );
        check(
            &["wireroom", "--config", "search", "list", "-x"],
            &["wireroom", "--config", "search", "list", "-x"],
        );
    }

    #[test]
    fn a_shielded_word_is_itself_again() {
        assert_eq!(word("\0-russia"), Ok("-russia".to_owned()));
        assert_eq!(word("russia"), Ok("russia".to_owned()));
    }
}
