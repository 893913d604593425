//! What stands behind the last paragraph of an article and is no part of it: who reported,
//! which agencies helped, where to follow. Told by form where it can be: short, and not a
//! sentence.

use super::blocks::{Block, line_text};
use super::text::{self, comparable};

/// Least paragraphs of an article whose edges are looked at.
const MIN_PARAGRAPHS: usize = 4;

/// Lines up to this weight that are no sentence are credits.
const MAX_CREDIT_WEIGHT: u32 = 45;

/// Sentences up to this weight are looked at for phrases of credits.
const MAX_PHRASE_WEIGHT: u32 = 280;

/// Most paragraphs that are cut.
const MAX_CUT: usize = 5;

/// Beginnings of last lines that tell who made the article and where more is.
const CREDITS: &[&str] = &[
    "reporting by",
    "additional reporting",
    "with reporting",
    "editing by",
    "edited by",
    "writing by",
    "written by",
    "compiled by",
    "with inputs from",
    "with agency inputs",
    "source",
    "sources",
    "photo",
    "photos",
    "contact",
    "email",
    "follow",
    "get in touch",
    "for more stories",
    "for more news",
    "this article was first published",
    "this article was originally published",
    "this story was originally published",
    "this article first appeared",
    "our standards",
    "redaktion",
    "quelle",
    "quellen",
    "sendung",
    "mit material",
    "mit agenturmaterial",
    "foto",
    "fotos",
    "über dieses thema berichtete",
    "dieses thema im programm",
    "crédit photo",
    "crédits photos",
    "avec afp",
    "fuente",
    "fuentes",
    "con información de",
    "fonte",
    "fonti",
    "com informações de",
    "bron",
    "kilde",
    "källa",
    "źródło",
    "kaynak",
    "источник",
    "джерело",
    "sumber",
    "nguồn",
];

/// The blocks without the credits behind the text.
pub(super) fn trim(mut blocks: Vec<Block>) -> Vec<Block> {
    let is_paragraph = |block: &&Block| matches!(block, Block::Paragraph(_));
    if blocks.iter().filter(is_paragraph).count() < MIN_PARAGRAPHS {
        return blocks;
    }
    let mut at = blocks.len();
    let mut n_cut = 0;
    while at > 0 && n_cut < MAX_CUT {
        at -= 1;
        match &blocks[at] {
            Block::Paragraph(line) if is_credit(&line_text(line)) => {
                blocks.remove(at);
                n_cut += 1;
            }
            Block::Figure(_) | Block::Embed(_) | Block::Related(_) | Block::Correction(_) => {}
            _ => break,
        }
    }
    blocks
}

fn is_credit(shown: &str) -> bool {
    let shown = shown.trim();
    let weight = text::weight(shown);
    let is_aside = shown.starts_with('(') && shown.ends_with(')') && weight <= MAX_CREDIT_WEIGHT;
    if is_aside || (weight <= MAX_CREDIT_WEIGHT && is_name(shown)) {
        return true;
    }
    weight <= MAX_PHRASE_WEIGHT && {
        let form = comparable(shown);
        CREDITS.iter().any(|phrase| {
            form.strip_prefix(phrase)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })
    }
}

/// Whether a short line is neither a sentence nor a point of a list (`Price: 20`).
fn is_name(shown: &str) -> bool {
    !is_sentence(shown) && !shown.contains(':')
}

/// Whether a line ends as sentences, quotations and announcements of lists do.
fn is_sentence(shown: &str) -> bool {
    let end = shown.trim_end_matches([
        '"', '\'', '”', '“', '’', '»', '«', ')', ']', '」', '』', '*', ' ',
    ]);
    end.ends_with([
        '.', '!', '?', '…', ':', ';', ',', '。', '！', '？', '：', '．', '।', '؟', '۔', '|',
    ]) || end.len() < shown.len() && shown.ends_with(['"', '”', '“', '»', '«', '」', '』'])
}

#[cfg(test)]
mod tests {
    use super::super::blocks::Span;
    use super::*;

    fn blocks(lines: &[&str]) -> Vec<Block> {
        let paragraph = |text: &&str| {
            Block::Paragraph(vec![Span {
                text: (*text).to_owned(),
                ..Span::default()
            }])
        };
        lines.iter().map(paragraph).collect()
    }

    #[test]
    fn credits_behind_the_text_are_cut_and_its_last_sentence_stays() {
        let text = ["One.", "Two.", "Three.", "“It is over,” she said."];
        for credit in [
            "(dmk)",
            "SDA/sep",
            "Lê Phương",
            "Reporting by A. Person; editing by B.",
        ] {
            let mut lines = text.to_vec();
            lines.push(credit);

            assert_eq!(trim(blocks(&lines)), blocks(&text), "{credit}");
        }
        assert_eq!(trim(blocks(&text)), blocks(&text));
    }

    #[test]
    fn the_edges_of_a_short_text_are_left_alone() {
        let lines = ["One", "Two", "Three"];

        assert_eq!(trim(blocks(&lines)), blocks(&lines));
    }
}
