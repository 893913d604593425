//! What was read past, in words.

use super::Reader;
use crate::feed::MAX_ENTRIES;

impl Reader<'_> {
    /// Things that cost something, each one sentence.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.is_full {
            warnings.push(format!(
                "has more than {MAX_ENTRIES} entries; the rest is not read"
            ));
        }
        if self.n_cut_fields > 0 {
            let n = self.n_cut_fields;
            warnings.push(format!("{n} texts are too long and were cut or dropped"));
        }
        if self.is_cut {
            warnings.push("the document is cut off; what was complete is kept".to_owned());
        }
        warnings
    }

    /// What was repaired, each in a few words.
    pub(super) fn repairs(&self) -> Vec<String> {
        let blemishes = self.references.blemishes;
        let counted = [
            (
                blemishes.bare_ampersands,
                "bare ampersand",
                "bare ampersands",
            ),
            (
                blemishes.html_entities,
                "reference that XML does not know",
                "references that XML does not know",
            ),
            (
                blemishes.bad_references,
                "reference to nothing",
                "references to nothing",
            ),
            (
                blemishes.control_characters,
                "control character",
                "control characters",
            ),
            (
                self.n_unclosed,
                "element without its end tag",
                "elements without their end tags",
            ),
            (
                self.n_stray_ends,
                "end tag without its element",
                "end tags without their elements",
            ),
        ];
        let mut repairs = Vec::new();
        if self.has_junk {
            repairs.push("text before the root element".to_owned());
        }
        for (count, one, many) in counted {
            match count {
                0 => {}
                1 => repairs.push(format!("1 {one}")),
                _ => repairs.push(format!("{count} {many}")),
            }
        }
        repairs
    }
}
