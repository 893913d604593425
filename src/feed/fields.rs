//! What a field's text means, once its element has ended.

use std::time::Duration;

use url::Url;

use super::Enclosure;
use super::capture::Capture;
use super::dates::parse_date;
use super::draft::{Draft, LinkSource};
use super::elements::{Field, PersonPart};
use super::links::{is_web_url, link_text, resolve, resolve_in_html};

use super::text::{TextKind, looks_like_html, one_line, person, title, to_html};

/// What the document around a field adds to its meaning.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'b> {
    /// Where relative links start.
    pub(super) base: Option<&'b Url>,
    /// Whether an author of the feed is one of its entries, too.
    pub(super) is_shared_author: bool,
}

/// Puts a field into the draft of the entry or feed that it belongs to.
pub(super) fn take_field(draft: &mut Draft, capture: Capture<'_>, around: Around<'_>) {
    let base = around.base;
    let field = capture.field;
    let permalink = capture.permalink;
    let is_list = capture.is_list;
    let (value, kind) = capture.finish();
    let line = || Some(one_line(&value)).filter(|line| !line.is_empty());
    match field {
        Field::Title(rank) => draft.title.offer(rank, title(&value, kind)),
        Field::Summary(rank) => {
            let summary = html_of(value, kind, base);
            // A `summary` beside a `description`: the second is as good as content.
            if rank == 0 && draft.summary.get().is_some() {
                draft.content.offer(6, summary.clone());
            }
            draft.summary.offer(rank, summary);
        }
        Field::Content(rank) => draft.content.offer(rank, html_of(value, kind, base)),
        Field::Guid => {
            let guid = value.trim();
            if permalink.allows(guid) {
                draft.permalink = Some(resolve(&link_text(guid), base));
            }
            draft.id.offer(0, line());
        }
        Field::Id(rank) => draft.id.offer(rank, line()),
        Field::Published(rank) => draft.offer_published(rank, &value),
        Field::Updated(rank) => draft.offer_updated(rank, &value),
        Field::Date => draft.offer_date(&value),
        Field::FeedTitle => draft.title.offer(0, title(&value, kind)),
        Field::FeedLanguage => draft.language = draft.language.take().or(line()),
        Field::Language => draft.language = line().or(draft.language.take()),
        Field::Link
        | Field::Address
        | Field::Enclosure
        | Field::Picture
        | Field::OriginalLink
        | Field::OriginalEnclosure
        | Field::NewAddress => take_address(draft, field, &value, base),
        Field::Person
        | Field::PersonPart(_)
        | Field::Webmaster
        | Field::Category
        | Field::Keywords => take_names(draft, field, &value, is_list, around.is_shared_author),
        _ => take_hint(draft, field, value.trim()),
    }
}

/// A field that is an address.
fn take_address(draft: &mut Draft, field: Field, value: &str, base: Option<&Url>) {
    if value.trim().is_empty() {
        return;
    }
    match field {
        Field::Link => {
            let link = resolve(&link_text(value), base);
            draft.offer_link(LinkSource::Own, Some(link.clone()));
            draft.add_link(Some(link));
        }
        Field::Address => draft.offer_link(LinkSource::Player, Some(resolve(value, base))),
        Field::OriginalLink => {
            let link = resolve(&link_text(value), base);
            draft.offer_link(LinkSource::Original, Some(link));
        }
        Field::OriginalEnclosure => {
            if let Some(enclosure) = draft.enclosures.last_mut() {
                enclosure.url = resolve(value, base);
            }
        }
        Field::NewAddress => {
            draft.hints.moved_to = Some(resolve(value, base)).filter(|url| is_web_url(url));
        }
        _ => draft.add_enclosure(Enclosure {
            url: resolve(value, base),
            media_type: (field == Field::Picture).then(|| "image/*".to_owned()),
            length_bytes: None,
        }),
    }
}

/// A field that names persons or subjects; a list has one on each line.
fn take_names(draft: &mut Draft, field: Field, value: &str, is_list: bool, is_shared: bool) {
    match field {
        Field::Person | Field::PersonPart(PersonPart::Name) => {
            match person(first_line(value, is_list)) {
                name if is_shared => draft.add_entry_author(name),
                name => draft.add_author(name),
            }
        }
        Field::Webmaster => draft.webmaster = person(value).or(draft.webmaster.take()),
        Field::Category if is_list => {
            for line in value.lines() {
                draft.add_category(title(line, TextKind::Unknown));
            }
        }
        Field::Category => draft.add_category(title(value, TextKind::Unknown)),
        Field::Keywords => {
            for word in value.split([',', ';']) {
                draft.add_category(title(word, TextKind::Unknown));
            }
        }
        _ => {}
    }
}

/// The first of several values that are not blank.
fn first_line(value: &str, is_list: bool) -> &str {
    let mut lines = value.lines().filter(|line| !line.trim().is_empty());
    if is_list {
        return lines.next().unwrap_or("");
    }
    value
}

fn html_of(value: String, kind: TextKind, base: Option<&Url>) -> Option<String> {
    let kind = match kind {
        TextKind::Text if looks_like_html(&value) => TextKind::Unknown,
        kind => kind,
    };
    Some(resolve_in_html(to_html(value, kind)?, base))
}

fn take_hint(draft: &mut Draft, field: Field, value: &str) {
    // `60.0` and `60 minutes` have been seen.
    let n_digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let number = value[..n_digits].parse::<u32>().ok();
    match field {
        Field::Ttl => {
            let minutes = number.filter(|n| *n > 0).map(u64::from);
            draft.ttl = draft
                .ttl
                .or(minutes.map(|minutes| Duration::from_secs(60 * minutes)));
        }
        Field::UpdatePeriod => {
            let hours = match value.to_ascii_lowercase().as_str() {
                "hourly" => 1,
                "daily" => 24,
                "weekly" => 7 * 24,
                "monthly" => 30 * 24,
                "yearly" => 365 * 24,
                _ => return,
            };
            draft.update_period = Some(Duration::from_secs(3600 * hours));
        }
        Field::UpdateBase => draft.hints.base = parse_date(value),
        Field::Finished => draft.hints.is_finished = value.eq_ignore_ascii_case("yes"),
        Field::UpdateFrequency => draft.update_frequency = number.filter(|n| *n > 0),
        // RSS 0.91 counts 1..=24, RSS 2.0 0..=23: hour 24 is midnight.
        Field::SkipHour => {
            let hour = number.filter(|n| *n <= 24).map(|n| (n % 24) as u8);
            let hours = &mut draft.hints.skip_hours;
            hours.extend(hour.filter(|hour| !hours.contains(hour)));
        }
        Field::SkipDay => {
            const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
            let name = value.to_ascii_lowercase();
            let day = DAYS
                .iter()
                .position(|day| name.starts_with(day))
                .map(|day| day as u8);
            let days = &mut draft.hints.skip_days;
            days.extend(day.filter(|day| !days.contains(day)));
        }
        _ => {}
    }
}
