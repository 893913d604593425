//! JSON with the slips that people and templates make, without them.

/// The text with what breaks parsers and has only one meaning put right: control characters
/// within texts, backslashes that escape nothing, halves of surrogate pairs, and commas
/// before a closing bracket. Anything else stays. One pass.
pub(super) fn mend(text: &str) -> String {
    let mut mended = String::with_capacity(text.len() + 16);
    let mut rest = text;
    let mut in_text = false;
    while let Some(at) = rest.find(|c: char| matches!(c, '"' | '\\' | ',') || c < ' ') {
        mended.push_str(&rest[..at]);
        rest = &rest[at..];
        let c = rest.as_bytes()[0];
        let n_read = match c {
            b'"' => {
                in_text = !in_text;
                mended.push('"');
                1
            }
            b'\\' if in_text => escape(rest, &mut mended),
            b',' if !in_text && closes(&rest[1..]) => 1,
            _ if c < b' ' => {
                mended.push(' ');
                1
            }
            _ => {
                mended.push(char::from(c));
                1
            }
        };
        rest = &rest[n_read..];
    }
    mended.push_str(rest);
    mended
}

/// Whether a bracket closes after white space.
fn closes(rest: &str) -> bool {
    // Enough for any template; more would be searched again for each comma.
    let space = rest.bytes().take(64).take_while(u8::is_ascii_whitespace);
    matches!(rest.as_bytes().get(space.count()), Some(b']' | b'}'))
}

/// An escape at the start of `rest`, put right; says how many bytes it took.
fn escape(rest: &str, mended: &mut String) -> usize {
    let unit = |at: usize| {
        let digits = rest.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    match (rest.as_bytes().get(1), unit(0)) {
        (Some(b'u'), Some(0xd800..=0xdbff)) if matches!(unit(6), Some(0xdc00..=0xdfff)) => {
            mended.push_str(&rest[..12]);
            12
        }
        (Some(b'u'), Some(0xd800..=0xdfff)) => {
            mended.push('\u{fffd}');
            6
        }
        (Some(b'u'), Some(_)) => {
            mended.push_str(&rest[..6]);
            6
        }
        (Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't'), _) => {
            mended.push_str(&rest[..2]);
            2
        }
        _ => {
            mended.push_str("\\\\");
            1
        }
    }
}
