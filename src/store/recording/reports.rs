//! Reports made ready: every text as its column will hold it. Compressing is the dear
//! part of it, and needs no database.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::decide::{self, Publication};
use super::super::json::{self, Rendering};
use super::super::packed::Packed;
use super::super::record::{
    Announcement, DueFeed, DuePage, FeedReading, Manners, PageToFetch, PollReport, PollResult,
    ScrapeReport, ScrapeResult, ScrapedArticle,
};
use super::clean;
use super::rows::{Body, Form};
use crate::dedup::ContentHash;
use crate::model::{ArticleId, Failure, FeedId};
use crate::store::record::{AliasReason, Lease};

/// About how much text is made ready in a millisecond, and what an entry counts whatever it
/// says.
const LONG: usize = 64 << 10;
const LITTLE: usize = 1 << 10;

/// A poll or a scrape.
#[derive(Debug)]
pub(in crate::store) enum Report {
    /// A poll.
    Poll(Poll),
    /// A scrape.
    Scrape(Scrape),
}

impl Report {
    /// The right to record it.
    pub(in crate::store) fn lease(&self) -> Lease {
        match self {
            Self::Poll(poll) => poll.due.lease,
            Self::Scrape(scrape) => scrape.due.lease,
        }
    }

    /// The poll, if it is one.
    pub(in crate::store) fn as_poll(&self) -> Option<&Poll> {
        match self {
            Self::Poll(poll) => Some(poll),
            Self::Scrape(_) => None,
        }
    }

    /// The scrape, if it is one.
    pub(in crate::store) fn as_scrape(&self) -> Option<&Scrape> {
        match self {
            Self::Poll(_) => None,
            Self::Scrape(scrape) => Some(scrape),
        }
    }

    /// When it was made.
    pub(in crate::store) fn at(&self) -> Timestamp {
        match self {
            Self::Poll(poll) => poll.report.at,
            Self::Scrape(scrape) => scrape.at,
        }
    }

    /// About how much text it holds.
    pub(in crate::store) fn size_bytes(&self) -> usize {
        let size = |body: &Body| {
            let rendering = body
                .rendering
                .as_ref()
                .map_or(0, |packed| packed.data.len());
            body.text.len() + rendering
        };
        match self {
            Self::Poll(poll) => {
                let entries = poll.entries.iter();
                entries.map(|entry| 2 * size(&entry.body) + 1000).sum()
            }
            Self::Scrape(scrape) => match &scrape.outcome {
                Outcome::Article(page) => size(&page.body),
                _ => 0,
            },
        }
    }
}

/// A poll, ready to be recorded.
#[derive(Debug)]
pub(in crate::store) struct Poll {
    pub(super) due: DueFeed,
    /// Its announcements are in `entries`.
    pub(super) report: PollReport,
    pub(super) n_announced: usize,
    /// Oldest first.
    pub(super) entries: Vec<Entry>,
}

impl Poll {
    /// Makes a report ready: some milliseconds of work for a long document.
    pub(in crate::store) fn new(due: DueFeed, mut report: PollReport) -> Self {
        clean::poll(&mut report);
        let announcements = match &mut report.result {
            PollResult::Fetched(reading) => std::mem::take(&mut reading.announcements),
            _ => Vec::new(),
        };
        let n_announced = announcements.len();
        let entries = decide::oldest_first(announcements)
            .into_iter()
            .map(|announcement| Entry::new(announcement, report.at))
            .collect();
        Self {
            due,
            report,
            n_announced,
            entries,
        }
    }

    /// Whether making `report` ready takes more than about a millisecond.
    pub(in crate::store) fn is_long(report: &PollReport) -> bool {
        let PollResult::Fetched(reading) = &report.result else {
            return false;
        };
        let content = reading.announcements.iter().map(|announcement| {
            let content = announcement.content_html.as_ref();
            content.map_or(0, String::len) + LITTLE
        });
        content.sum::<usize>() > LONG
    }

    pub(in crate::store) fn feed(&self) -> FeedId {
        self.due.feed
    }

    /// The right to record it.
    pub(in crate::store) fn lease(&self) -> Lease {
        self.due.lease
    }

    /// When it was made, in Unix milliseconds.
    pub(in crate::store) fn at(&self) -> i64 {
        self.report.at.as_millisecond()
    }

    /// Whether this poll has been recorded before, since when its feed is polled somewhere
    /// else: there, after so many moves, and last polled at that time.
    pub(in crate::store) fn has_left(
        &self,
        moved_url: Option<&str>,
        moves: u32,
        last_poll_at: Option<i64>,
    ) -> bool {
        match &self.report.result {
            PollResult::Moved(url) => {
                moved_url == Some(url.as_str()) && moves == self.due.moves.saturating_add(1)
            }
            _ => moves == 0 && self.due.moves > 0 && last_poll_at == Some(self.at()),
        }
    }

    pub(super) fn reading(&self) -> Option<&FeedReading> {
        match &self.report.result {
            PollResult::Fetched(reading) => Some(reading),
            _ => None,
        }
    }
}

/// An entry of a document.
#[derive(Debug)]
pub(super) struct Entry {
    /// Of `entry_id`.
    pub(super) key: i64,
    pub(super) entry_id: String,
    pub(super) said: Arc<Said>,
    /// Normal form of its URL.
    pub(super) form: Option<Form>,
    pub(super) page: Option<PageToFetch>,
    pub(super) skipped: Option<Failure>,
    pub(super) publication: Option<Publication>,
    /// What the feed says of the article.
    pub(super) body: Arc<Body>,
    /// Whether its content is nothing but text.
    pub(super) is_plain: bool,
}

impl Entry {
    fn new(announcement: Announcement, at: Timestamp) -> Self {
        let publication = Publication::of_feed(&announcement, at);
        let body = Arc::new(feed_body(&announcement));
        let is_plain = announcement.content_html.is_none() && announcement.content_text.is_some();
        let said = Said {
            title: decide::said(announcement.title.as_ref()).map(str::to_owned),
            summary: decide::said(announcement.summary.as_ref()).map(str::to_owned),
            content: announcement.content_html.as_deref().map(Packed::new),
            published_at: announcement.published.map(Timestamp::as_millisecond),
            updated_at: announcement.updated.map(Timestamp::as_millisecond),
            authors: json::write(&announcement.authors),
            tags: json::write(&announcement.tags),
            enclosures: json::write_enclosures(&announcement.enclosures),
            entry_hash: announcement.entry_hash,
            guid: announcement.guid,
            url: announcement.url,
        };
        Self {
            key: decide::key(&announcement.entry_id),
            entry_id: announcement.entry_id,
            said: Arc::new(said),
            form: announcement.canonical.map(Form::new),
            page: announcement.page,
            skipped: announcement.skipped,
            publication,
            body,
            is_plain,
        }
    }
}

/// What an entry says, as the columns of its sighting hold it.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::store) struct Said {
    pub(in crate::store) guid: Option<String>,
    pub(in crate::store) url: Option<String>,
    pub(in crate::store) title: Option<String>,
    pub(in crate::store) summary: Option<String>,
    pub(in crate::store) content: Option<Packed>,
    pub(in crate::store) published_at: Option<i64>,
    pub(in crate::store) updated_at: Option<i64>,
    /// JSON.
    pub(in crate::store) authors: String,
    /// JSON.
    pub(in crate::store) tags: String,
    /// JSON.
    pub(in crate::store) enclosures: String,
    pub(in crate::store) entry_hash: i64,
}

/// The feed's word as a body: its content, else its summary. Where it is plain text, the
/// other renderings are made from it when they are read: most pages are scraped before that.
fn feed_body(announcement: &Announcement) -> Body {
    let content = announcement.content_text.as_deref();
    let text = content
        .filter(|text| !text.trim().is_empty())
        .or(announcement.summary.as_deref())
        .unwrap_or_default();
    let rendering = announcement.content_html.as_ref().map(|html| {
        let rendering = Rendering {
            markdown: decide::plain_as_markdown(text),
            html: html.clone(),
            ..Rendering::default()
        };
        Packed::new(&rendering.write())
    });
    Body {
        text: text.to_owned(),
        rendering,
    }
}

/// A scrape, ready to be recorded.
#[derive(Debug)]
pub(in crate::store) struct Scrape {
    pub(super) due: DuePage,
    pub(super) at: Timestamp,
    pub(super) manners: Manners,
    pub(super) outcome: Outcome,
    /// Normal form of the URL that was due.
    pub(super) form: Form,
}

/// What came of a scrape.
#[derive(Debug)]
pub(super) enum Outcome {
    Article(Box<Page>),
    Moved(PageToFetch),
    Retry {
        failure: Failure,
        at: Timestamp,
    },
    Failed {
        failure: Failure,
        found: Option<Box<Page>>,
    },
}

impl Scrape {
    /// Makes a report ready: a few milliseconds of work for a long article.
    pub(in crate::store) fn new(due: DuePage, mut report: ScrapeReport) -> Self {
        clean::scrape(&mut report);
        let at = report.at;
        let outcome = match report.result {
            ScrapeResult::Article(scraped) => Outcome::Article(Box::new(Page::new(*scraped, at))),
            ScrapeResult::Moved(page) => Outcome::Moved(page),
            ScrapeResult::Retry { failure, at } => Outcome::Retry { failure, at },
            ScrapeResult::Failed { failure, found } => Outcome::Failed {
                failure,
                found: found.map(|found| Box::new(Page::new(*found, at))),
            },
        };
        Self {
            form: Form::new(crate::canonical::canonicalize(due.url.url())),
            due,
            at,
            manners: report.manners,
            outcome,
        }
    }

    /// The article whose page it was.
    pub(in crate::store) fn article(&self) -> ArticleId {
        self.due.article
    }

    /// Whether there was a page that may turn out to be another article's as well.
    pub(in crate::store) fn has_page(&self) -> bool {
        self.page().is_some()
    }

    /// The normal forms that this scrape brings: of the URL that was due, and of those that
    /// the page claims.
    pub(in crate::store) fn forms(&self) -> impl Iterator<Item = &Form> {
        let claims = self.page().map(|page| page.claims.iter());
        let claimed = claims.into_iter().flatten().map(|claim| &claim.form);
        std::iter::once(&self.form).chain(claimed)
    }

    fn page(&self) -> Option<&Page> {
        match &self.outcome {
            Outcome::Article(page) => Some(page),
            Outcome::Failed { found, .. } => found.as_deref(),
            Outcome::Moved(_) | Outcome::Retry { .. } => None,
        }
    }

    /// Whether making `report` ready takes more than about a millisecond.
    pub(in crate::store) fn is_long(report: &ScrapeReport) -> bool {
        match &report.result {
            ScrapeResult::Article(page)
            | ScrapeResult::Failed {
                found: Some(page), ..
            } => page.markdown.len() + page.html.len() > LONG,
            _ => false,
        }
    }
}

/// What a page gave.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) final_url: String,
    pub(super) canonical_url: Option<String>,
    pub(super) claims: Vec<PageClaim>,
    pub(super) title: Option<String>,
    /// JSON.
    pub(super) authors: String,
    pub(super) language: Option<String>,
    /// JSON.
    pub(super) keywords: String,
    /// Its date, if it is believable.
    pub(super) publication: Option<Publication>,
    pub(super) word_count: i64,
    pub(super) content: Option<ContentHash>,
    pub(super) body: Arc<Body>,
}

/// Another URL of a page.
#[derive(Debug)]
pub(super) struct PageClaim {
    pub(super) form: Form,
    pub(super) url: String,
    pub(super) reason: AliasReason,
}

impl Page {
    fn new(scraped: ScrapedArticle, at: Timestamp) -> Self {
        let publication = publication(&scraped, at);
        let claims = scraped.aliases.into_iter().map(|alias| PageClaim {
            form: Form::new(alias.canonical),
            url: alias.url,
            reason: alias.reason,
        });
        let rendering = Rendering {
            markdown: scraped.markdown,
            html: scraped.html,
            images: scraped.images,
            related: scraped.related,
        };
        Self {
            final_url: scraped.final_url,
            canonical_url: scraped.canonical_url,
            claims: claims.collect(),
            title: decide::said(scraped.title.as_ref()).map(str::to_owned),
            authors: json::write(&scraped.authors),
            language: decide::said(scraped.language.as_ref()).map(str::to_owned),
            keywords: json::write(&scraped.tags),
            publication,
            word_count: i64::try_from(scraped.word_count).unwrap_or(i64::MAX),
            content: scraped.content_hash,
            body: Arc::new(Body {
                text: scraped.text,
                rendering: Some(Packed::new(&rendering.write())),
            }),
        }
    }
}

fn publication(scraped: &ScrapedArticle, at: Timestamp) -> Option<Publication> {
    let date = scraped
        .published
        .filter(|date| decide::believable(*date, at))?;
    let text = scraped.published_text.clone();
    let from = scraped.published_from.clone();
    Some(Publication {
        at: date,
        text: text.unwrap_or_else(|| date.to_string()),
        from: from.unwrap_or_else(|| "text".to_owned()),
    })
}
