//! parse, discover, extract: documents from files and from lines.

use std::fs;

use super::{empty_room, run, with_input};

#[test]
fn each_line_gives_a_line_whatever_is_wrong_with_the_others() {
    let room = empty_room();
    let mut input = b"{\"id\":\"a\",\"path\":\"/dev/null\"}\n\xff\xfe\n\n".to_vec();
    input.extend_from_slice(&vec![b'x'; (1 << 20) + 1]);
    input.extend_from_slice(b"\n{\"id\":\"b\",\"path\":\"/dev/null\"}\n");

    for command in ["parse", "discover", "extract"] {
        let answers = with_input(&room, &input, &[command, "--jsonl"]).json();

        assert_eq!(answers.len(), 4, "{command}: {answers:?}");
        assert_eq!(answers[0]["id"], "a", "{command}");
        assert!(answers[1]["error"].is_string(), "{command}: {answers:?}");
        assert!(
            answers[2]["error"].as_str().unwrap().contains("longer"),
            "{command}: {answers:?}"
        );
        assert_eq!(answers[3]["id"], "b", "{command}");
    }
}

#[test]
fn a_page_without_feeds_is_told() {
    let room = empty_room();
    fs::write(room.path("page.html"), "<p>Nothing.</p>").unwrap();

    for arguments in [
        &["discover", "page.html"][..],
        &["discover", "page.html", "--json"],
    ] {
        let answer = run(&room, 1, arguments);

        assert_eq!(answer.stdout, "");
        assert_eq!(answer.stderr, "wireroom: page.html names no feed\n");
    }
}

#[test]
fn a_page_without_anything_prints_nothing() {
    let room = empty_room();

    for form in [
        &["extract", "/dev/null"][..],
        &["extract", "/dev/null", "--markdown"],
    ] {
        let answer = run(&room, 1, form);

        assert_eq!(answer.stdout, "");
        assert!(answer.stderr.starts_with("wireroom: "), "{}", answer.stderr);
    }
}
