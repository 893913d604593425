//! A scrape: the article's text or failure, and whether it turned out to be another article
//! under a second URL.

use jiff::Timestamp;

use super::super::column::ms;
use super::super::decide::{self, Likeness, Publication};
use super::super::record::{AliasReason, PageState, PageToFetch, Saved};
use super::reports::{Outcome, Page, PageClaim, Scrape};
use super::rows::{ArticleRow, Claim, Form, JobRow, Op, PageError};
use super::unit::{Absorbed, Refusal, Unit};
use crate::model::{ArticleId, Failure};

/// Articles that may claim one URL before its claims are no longer believed: a canonical
/// URL that many pages share is a mistake of the site.
pub(super) const MAX_CLAIMS: usize = 8;

impl Unit {
    pub(super) fn record_scrape(&mut self, scrape: &Scrape) -> Result<Saved, Refusal> {
        let id = scrape.due.article;
        if self.article(id).is_none() {
            return self.merged_meanwhile(scrape);
        }
        self.manners_of(&scrape.due.host, scrape.manners);
        match &scrape.outcome {
            Outcome::Article(page) => self.record_article(id, page, scrape.at),
            Outcome::Moved(page) => {
                self.move_job(scrape, page);
                Ok(Saved::Moved)
            }
            Outcome::Retry { failure, at } => {
                self.retry_later(scrape, failure, *at)?;
                Ok(Saved::Retry)
            }
            Outcome::Failed { failure, found } => {
                if let Some(found) = found {
                    self.fill_gaps(id, found, scrape.at)?;
                }
                self.end_job(id);
                self.set_page_state(id, PageState::Failed, PageError::from(failure))?;
                self.changed(id);
                Ok(Saved::Failed(failure.kind))
            }
        }
    }

    /// The article was merged into another one while its page was being fetched: the one
    /// that its URL means now.
    fn merged_meanwhile(&mut self, scrape: &Scrape) -> Result<Saved, Refusal> {
        let claims = self.claims.get(&scrape.form);
        let into = claims.and_then(|claims| claims.first());
        let into = into.ok_or(Refusal::Fenced)?.article;
        self.manners_of(&scrape.due.host, scrape.manners);
        Ok(Saved::Merged { into })
    }

    fn record_article(
        &mut self,
        id: ArticleId,
        page: &Page,
        at: Timestamp,
    ) -> Result<Saved, Refusal> {
        let twin = self.find_twin(id, page);
        for claim in &page.claims {
            self.claim(page_claim(id, claim, at));
        }
        let Some(twin) = twin else {
            self.write_article(id, page, at)?;
            return Ok(Saved::Article(id));
        };
        let (mine, other) = (self.article_mut(id)?.age(), self.article_mut(twin)?.age());
        if mine < other {
            self.write_article(id, page, at)?;
            self.absorb(id, twin)?;
            return Ok(Saved::Article(id));
        }
        if !self.article_mut(twin)?.is_scraped() {
            self.write_article(twin, page, at)?;
        }
        self.absorb(twin, id)?;
        Ok(Saved::Merged { into: twin })
    }

    /// Other articles that claim one of this page's URLs, in the order in which they are
    /// compared.
    pub(super) fn rivals(&self, id: ArticleId, page: &Page) -> Vec<ArticleId> {
        let mut rivals = Vec::new();
        for form in self.claimed_forms(id, page) {
            let claims = self.claims.get(form).map(Vec::as_slice).unwrap_or_default();
            let others = claims.iter().filter(|claim| claim.article != id);
            let mut others: Vec<(i64, ArticleId)> = others
                .map(|claim| (claim.added_at, claim.article))
                .collect();
            if others.len() > MAX_CLAIMS {
                continue;
            }
            others.sort_unstable();
            rivals.extend(others.into_iter().map(|(_, article)| article));
        }
        rivals
    }

    /// The normal forms that mean this article: those known before, and those of this page.
    fn claimed_forms<'a>(&'a self, id: ArticleId, page: &'a Page) -> Vec<&'a Form> {
        let known = self.aliases_of.get(&id);
        let mut forms: Vec<&Form> = known.into_iter().flatten().collect();
        for claim in &page.claims {
            if !forms.contains(&&claim.form) {
                forms.push(&claim.form);
            }
        }
        forms
    }

    /// Another article that claims one of this page's URLs and has the same text or headline.
    /// A foreign claim alone merges nothing.
    pub(super) fn find_twin(&self, id: ArticleId, page: &Page) -> Option<ArticleId> {
        let row = self.article(id)?;
        let likeness = Likeness {
            title: page.title.as_deref().or(row.title.as_deref()),
            announced: row.announced(),
            content: page.content,
        };
        let rivals = self.rivals(id, page).into_iter();
        rivals
            .filter_map(|rival| self.article(rival))
            .find(|rival| decide::same_article(&likeness, &rival.likeness()))
            .map(|rival| rival.id)
    }

    /// Writes what the page gave over what the feed said; `url` is never touched.
    fn write_article(&mut self, id: ArticleId, page: &Page, at: Timestamp) -> Result<(), Refusal> {
        let row = self.article_mut(id)?;
        write_facts(row, page, at);
        row.replace_body(&page.body);
        self.end_job(id);
        self.set_page_state(id, PageState::Scraped, PageError::default())?;
        self.changed(id);
        Ok(())
    }

    /// A page without text may still say what the feed did not.
    fn fill_gaps(&mut self, id: ArticleId, found: &Page, at: Timestamp) -> Result<(), Refusal> {
        let row = self.article_mut(id)?;
        if !found.final_url.is_empty() {
            row.final_url = Some(found.final_url.clone());
        }
        let fill = |column: &mut Option<String>, text: &Option<String>| {
            if column.is_none() {
                column.clone_from(text);
            }
        };
        fill(&mut row.canonical_url, &found.canonical_url);
        fill(&mut row.title, &found.title);
        fill(&mut row.language, &found.language);
        let fill_list = |column: &mut String, list: &str| {
            if column == "[]" {
                list.clone_into(column);
            }
        };
        fill_list(&mut row.authors, &found.authors);
        fill_list(&mut row.keywords, &found.keywords);
        row.mark.change();
        if row.publication.is_none() {
            date(row, found);
        }
        for claim in &found.claims {
            if claim.reason == AliasReason::Redirect {
                self.claim(page_claim(id, claim, at));
            }
        }
        Ok(())
    }

    fn retry_later(
        &mut self,
        scrape: &Scrape,
        failure: &Failure,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let id = scrape.due.article;
        // A page that has been recorded by now, with text or for good, has no job to put off.
        let Some(job) = self.waiting(id) else {
            return Ok(());
        };
        job.due_at = ms(at);
        job.attempts = scrape.due.attempts.saturating_add(1);
        let host = job.host.clone();
        self.pages_of(&host);
        self.set_page_state(id, PageState::Retrying, PageError::from(failure))
    }

    /// A redirect led to a foreign host: its owner goes on there, at once.
    fn move_job(&mut self, scrape: &Scrape, page: &PageToFetch) {
        let Some(job) = self.waiting(scrape.due.article) else {
            return;
        };
        let left = std::mem::replace(&mut job.host, page.host.clone());
        job.shard = page.host.shard();
        job.url = page.url.as_str().to_owned();
        job.due_at = ms(scrape.at);
        // Counted from what was due, so that recording it twice counts once.
        job.moves = scrape.due.moves.saturating_add(1);
        self.pages_of(&left);
        self.pages_of(&page.host);
    }

    fn waiting(&mut self, id: ArticleId) -> Option<&mut JobRow> {
        self.jobs.get_mut(&id)?.now.as_mut()
    }

    fn end_job(&mut self, id: ArticleId) {
        let job = self.jobs.get_mut(&id).and_then(|job| job.now.take());
        if let Some(job) = job {
            self.pages_of(&job.host);
        }
    }

    /// Merges `gone` into `stays`: its sightings and URLs move, and it is no more.
    fn absorb(&mut self, stays: ArticleId, gone: ArticleId) -> Result<(), Refusal> {
        self.end_job(gone);
        let row = self.article_mut(gone)?;
        let (page_state, kind) = (row.page_state, row.error.kind.clone());
        let summary = row.summary.clone();
        let row = self.article_mut(stays)?;
        if row.summary.is_none() {
            row.set(|row| &mut row.summary, summary);
        }
        self.count("articles", -1);
        self.count_page(page_state, kind.as_deref(), -1);
        self.changes.insert(gone, Op::Removed);
        self.changed(stays);
        self.absorbed = Some(Absorbed { stays, gone });
        Ok(())
    }
}

fn page_claim(article: ArticleId, claim: &PageClaim, at: Timestamp) -> Claim {
    Claim {
        form: claim.form.clone(),
        article,
        url: claim.url.clone(),
        reason: claim.reason,
        added_at: ms(at),
    }
}

fn write_facts(row: &mut ArticleRow, page: &Page, at: Timestamp) {
    row.final_url = Some(page.final_url.clone());
    row.canonical_url.clone_from(&page.canonical_url);
    if page.title.is_some() {
        row.title.clone_from(&page.title);
    }
    if page.authors != "[]" {
        row.authors.clone_from(&page.authors);
    }
    if page.language.is_some() {
        row.language.clone_from(&page.language);
    }
    row.keywords.clone_from(&page.keywords);
    row.word_count = page.word_count;
    row.content = page.content;
    row.scraped_at = Some(ms(at));
    row.mark.change();
    date(row, page);
}

fn date(row: &mut ArticleRow, page: &Page) {
    let (known, found) = (row.publication.clone(), page.publication.clone());
    let chosen = match &known {
        // An earlier scrape's date gives way to a later one's.
        Some(known) if known.from != "feed" && found.is_some() => found,
        _ => Publication::choose(known.clone(), found),
    };
    if chosen != known {
        row.redate(chosen);
    }
}
