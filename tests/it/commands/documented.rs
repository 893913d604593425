//! What `docs/commands.md` says is what the program does.

use serde_json::Value;

use super::{collected, run};

const DOCUMENT: &str = include_str!("../../../docs/commands.md");

/// What stands in the first cells of the tables below a heading of `docs/commands.md`, as
/// code: one list per row.
fn documented(heading: &str) -> Vec<Vec<String>> {
    let (_, section) = DOCUMENT.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|row| {
            let cell = row.split(" | ").next().unwrap();
            let code = format!("`{cell}");
            code.split('`')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect()
        })
        .collect()
}

/// The names of an object's fields, sorted.
fn fields(object: &Value) -> Vec<String> {
    let mut names: Vec<String> = object.as_object().unwrap().keys().cloned().collect();
    names.sort_unstable();
    names
}

fn documented_fields(heading: &str) -> Vec<String> {
    let mut names = documented(heading).concat();
    names.sort_unstable();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_has_all_fields_and_no_others() {
    let (room, _site) = collected().await;

    let article = run(&room, 0, &["list", "--json"]).json().remove(0);
    let feed = run(&room, 0, &["feed", "show", "1", "--json"])
        .json()
        .remove(0);
    let status = run(&room, 0, &["status", "--json"]).json().remove(0);
    let csv = run(&room, 0, &["export", "--format", "csv"]).stdout;

    assert_eq!(
        fields(&article),
        documented_fields("The JSON of an article")
    );
    assert_eq!(fields(&feed), documented_fields("The JSON of a feed"));
    assert_eq!(fields(&status), documented_fields("status"));
    let columns = csv.lines().next().unwrap().replace(',', "`, `");
    assert!(DOCUMENT.contains(&format!("`{columns}`")));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_search_can_be_read() {
    let (room, _site) = collected().await;

    let searches = documented("The search language").concat();

    assert!(searches.len() > 15, "{searches:?}");
    for search in searches {
        let output = room.run(&["search", &search]);
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 1)), "{search}: {output:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            code == Some(0) || stderr == "nothing found\n",
            "{search}: {stderr}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_field_of_a_search_finds_what_it_names() {
    let (room, site) = collected().await;
    let feed = site.url("/feed.xml");

    for (search, n_expected) in [
        ("harbour", 1),
        ("HARBOUR railway", 1),
        ("\"old harbour\"", 1),
        ("\"harbour old\"", 0),
        ("harb*", 1),
        ("nothing OR museum", 1),
        ("(nothing OR museum) -park", 0),
        ("site:127.0.0.1", 1),
        ("site:example.org", 0),
        ("-site:example.org", 1),
        ("feed:1", 1),
        ("feed:news", 1),
        (&format!("feed:{feed}"), 1),
        ("title:closes", 1),
        ("title:museum", 0),
        ("lang:en", 1),
        ("lang:de", 0),
        ("after:2017", 1),
        ("after:2017-03-25", 0),
        ("before:2017-04", 1),
        ("after:7d", 0),
    ] {
        let code = i32::from(n_expected == 0);
        let answer = run(&room, code, &["search", search, "--json"]);
        assert_eq!(answer.json().len(), n_expected, "{search}");
    }
}
