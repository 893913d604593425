//! Which lines inside the article are no part of its text: the headline again, bylines and
//! dates above it, links to other articles that stand alone, calls to subscribe.

use super::blocks::Line;
use super::metadata::Metadata;
use super::text::{self, comparable};
use super::{authors, dates, phrases};

/// What to do with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineVerdict {
    /// Part of the text.
    Keep,
    /// Not part of it, and why.
    Drop(&'static str),
    /// It leads to another article.
    Related(&'static str),
    /// It tells what was corrected.
    Correction,
}

/// What kind of block a line is about to become part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A paragraph.
    Paragraph,
    /// A subhead.
    Heading,
    /// A list, quotation or table.
    Inside,
}

/// A line and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'l> {
    pub(super) line: &'l Line,
    /// Its text.
    pub(super) shown: &'l str,
    pub(super) place: Place,
    /// Nothing of the text but the stand-first comes before it.
    pub(super) is_first: bool,
}

/// Judges a line.
pub(super) fn judge(metadata: &Metadata, candidate: Candidate<'_>) -> LineVerdict {
    use LineVerdict::{Correction, Drop, Keep, Related};
    let Candidate {
        line,
        shown,
        place,
        is_first,
    } = candidate;
    if !shown.chars().any(char::is_alphanumeric) {
        return Drop("nothing but signs");
    }
    let weight = text::weight(shown);
    // What is longer is a paragraph of the text, whatever it begins with.
    if weight > 1_000 {
        return Keep;
    }
    let form = comparable(shown);
    if place != Place::Inside && metadata.titles.contains(&form) {
        return Drop("headline again");
    }
    let is_paragraph = place == Place::Paragraph;
    if is_paragraph && weight <= 150 && is_byline(metadata, shown, weight, is_first) {
        return Drop("byline or date");
    }
    let linked: u32 = line
        .iter()
        .filter(|span| span.link.is_some())
        .map(|span| text::weight(&span.text))
        .sum();
    let leads = phrases::leads_elsewhere(&form);
    let is_lead = leads && linked > 0 && (shown.contains(':') || linked * 5 >= weight * 2);
    let is_link = linked > 0 && linked * 5 >= weight * 4 && weight <= 250;
    if is_paragraph && (is_link || (is_lead && weight <= 300)) {
        return Related("nothing but a link");
    }
    if weight <= 300 && phrases::is_furniture(&form) {
        return Drop("phrase of furniture");
    }
    if is_paragraph && phrases::is_notice(&form) {
        return Drop("notice to the reader");
    }
    if is_paragraph && phrases::is_correction(&form, shown) {
        return Correction;
    }
    if leads && weight <= 60 {
        return Drop("announces other articles");
    }
    Keep
}

/// A line that only names the authors, or, before the text, gives the date.
fn is_byline(metadata: &Metadata, shown: &str, weight: u32, is_first: bool) -> bool {
    let mut names = Vec::new();
    authors::add(&mut names, shown);
    let known = |name: &String| {
        let name = comparable(name);
        metadata
            .authors
            .iter()
            .any(|author| comparable(author) == name)
    };
    if !names.is_empty() && names.iter().any(known) && (names.iter().all(known) || is_first) {
        return true;
    }
    if is_first && weight <= 60 && authors::is_byline(shown) {
        return true;
    }
    let is_short = weight <= 70;
    is_first
        && is_short
        && dates::read(shown).is_some_and(|date| date.precision() > 0 || weight <= 35)
}
