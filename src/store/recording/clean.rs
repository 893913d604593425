//! U+0000 has no place in a text: PostgreSQL keeps none, and nothing shows it. It becomes
//! U+FFFD before anything is compared, so that every backend keeps the same.

use std::borrow::Cow;

use super::super::column::storable;
use super::super::record::{
    Alias, Announcement, FeedReading, PollReport, PollResult, ScrapeReport, ScrapeResult,
    ScrapedArticle,
};
use crate::model::{Failure, Validators};

pub(super) fn poll(report: &mut PollReport) {
    match &mut report.result {
        PollResult::NotModified { validators: kept }
        | PollResult::Unchanged { validators: kept } => {
            validators(kept);
        }
        PollResult::Fetched(reading) => self::reading(reading),
        PollResult::Moved(_) => {}
        PollResult::Gone(failure) | PollResult::Failed(failure) => self::failure(failure),
    }
}

pub(super) fn scrape(report: &mut ScrapeReport) {
    match &mut report.result {
        ScrapeResult::Article(scraped) => article(scraped),
        ScrapeResult::Moved(_) => {}
        ScrapeResult::Retry { failure, .. } => self::failure(failure),
        ScrapeResult::Failed { failure, found } => {
            self::failure(failure);
            if let Some(found) = found {
                article(found);
            }
        }
    }
}

fn validators(validators: &mut Validators) {
    maybe(&mut validators.url);
}

fn failure(failure: &mut Failure) {
    text(&mut failure.detail);
}

fn reading(reading: &mut FeedReading) {
    validators(&mut reading.validators);
    maybe(&mut reading.title);
    maybe(&mut reading.site_url);
    maybe(&mut reading.language);
    reading.warnings.iter_mut().for_each(text);
    reading.announcements.iter_mut().for_each(announcement);
}

fn announcement(announcement: &mut Announcement) {
    text(&mut announcement.entry_id);
    maybe(&mut announcement.guid);
    maybe(&mut announcement.url);
    if let Some(skipped) = &mut announcement.skipped {
        failure(skipped);
    }
    maybe(&mut announcement.title);
    maybe(&mut announcement.summary);
    maybe(&mut announcement.content_html);
    maybe(&mut announcement.content_text);
    announcement.authors.iter_mut().for_each(text);
    announcement.tags.iter_mut().for_each(text);
    for enclosure in &mut announcement.enclosures {
        text(&mut enclosure.url);
        maybe(&mut enclosure.media_type);
    }
}

fn article(article: &mut ScrapedArticle) {
    text(&mut article.final_url);
    maybe(&mut article.canonical_url);
    article.aliases.iter_mut().for_each(alias);
    maybe(&mut article.title);
    article.authors.iter_mut().for_each(text);
    maybe(&mut article.published_text);
    maybe(&mut article.published_from);
    maybe(&mut article.language);
    text(&mut article.text);
    text(&mut article.markdown);
    text(&mut article.html);
    for image in &mut article.images {
        text(&mut image.url);
        maybe(&mut image.caption);
        maybe(&mut image.credit);
    }
    for related in &mut article.related {
        text(&mut related.title);
        text(&mut related.url);
    }
    article.tags.iter_mut().for_each(text);
}

fn alias(alias: &mut Alias) {
    text(&mut alias.url);
}

fn maybe(column: &mut Option<String>) {
    if let Some(column) = column {
        text(column);
    }
}

fn text(column: &mut String) {
    if let Cow::Owned(clean) = storable(column) {
        *column = clean;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_kept_has_a_nul() {
        let mut announced = Announcement {
            entry_id: "a\0b".into(),
            title: Some("\0".into()),
            tags: vec!["x\0".into()],
            ..Announcement::default()
        };

        announcement(&mut announced);

        assert_eq!(announced.entry_id, "a\u{fffd}b");
        assert_eq!(announced.title.as_deref(), Some("\u{fffd}"));
        assert_eq!(announced.tags, ["x\u{fffd}"]);
    }
}
