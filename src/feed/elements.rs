//! The elements of all feed formats, and what each of them says.
//!
//! One table for RSS, RDF, Atom, CDF and their modules: documents mix them freely, and a
//! name means the same wherever it stands. The rank orders sources of one field: 0 is the
//! format's own element, higher ones speak only where the lower are silent.

use super::names::{LowerName, Vocabulary};

/// What an element is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// An entry: RSS `item`, Atom `entry`.
    Entry,
    /// What holds the feed's own fields: `channel`, `feed`.
    Feed,
    /// `media:group`, or `media:content` with children.
    MediaGroup,
    /// `skipHours`, `skipDays`.
    List,
    /// A person, as text or with `name` and `email` within.
    Person,
    /// Within a person.
    PersonPart(PersonPart),
    /// A link, as text or in `href`.
    Link,
    /// An attachment or a picture, in attributes.
    Enclosure,
    /// A category, in attributes or as text.
    Category,
    /// What a feed or entry says in attributes alone.
    Said(Said),
    /// A field that is its text.
    Field(Field),
    /// Something whose inside is none of our business.
    Unread,
}

/// What an element without text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// RSS `cloud`.
    Cloud,
    /// `fh:complete`.
    Complete,
    /// `fh:archive`.
    Archive,
    /// `media:player`.
    Player,
}

/// What is told of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PersonPart {
    /// The name.
    Name,
    /// The address, used where there is no name.
    Mail,
    /// Anything else.
    Other,
}

/// A field of a feed or an entry, with its rank where it has several sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Title(u8),
    Summary(u8),
    Content(u8),
    Guid,
    Id(u8),
    Link,
    /// An address that may be the link's, where there is no other.
    Address,
    /// An attachment's address, as text.
    Enclosure,
    /// The link that FeedBurner replaced.
    OriginalLink,
    /// The enclosure that FeedBurner replaced.
    OriginalEnclosure,
    Published(u8),
    Updated(u8),
    /// `dc:date`, which may be either.
    Date,
    Person,
    PersonPart(PersonPart),
    Category,
    Keywords,
    Language,
    Ttl,
    UpdatePeriod,
    UpdateFrequency,
    UpdateBase,
    /// The feed's title and language, said by an entry.
    FeedTitle,
    FeedLanguage,
    /// The address of a picture, as text.
    Picture,
    /// `itunes:complete`: no more episodes.
    Finished,
    /// `itunes:new-feed-url`.
    NewAddress,
    Webmaster,
    SkipHour,
    SkipDay,
}

impl Field {
    /// Whether markup within it may be meant: the rest is plain text, and another known
    /// element within it shows that its end tag was forgotten.
    pub(super) fn may_hold_markup(self) -> bool {
        matches!(self, Self::Title(_) | Self::Summary(_) | Self::Content(_))
    }
}

/// What an element of this vocabulary and name is.
pub(super) fn element(vocabulary: Vocabulary, name: &LowerName) -> Element {
    let name = name.as_str();
    match vocabulary {
        Vocabulary::Plain | Vocabulary::Atom => plain(name),
        Vocabulary::DublinCore => dublin_core(name),
        Vocabulary::Media => media(name),
        Vocabulary::Podcast => podcast(name),
        Vocabulary::Content if name == "encoded" => Element::Field(Field::Content(0)),
        Vocabulary::Html if name == "body" => Element::Field(Field::Content(1)),
        Vocabulary::FeedBurner => match name {
            "origlink" => Element::Field(Field::OriginalLink),
            "origenclosurelink" => Element::Field(Field::OriginalEnclosure),
            _ => Element::Unread,
        },
        Vocabulary::Syndication => match name {
            "updateperiod" => Element::Field(Field::UpdatePeriod),
            "updatefrequency" => Element::Field(Field::UpdateFrequency),
            "updatebase" => Element::Field(Field::UpdateBase),
            _ => Element::Unread,
        },
        Vocabulary::Prism => match name {
            "publicationdate" | "coverdate" => Element::Field(Field::Published(3)),
            "modificationdate" => Element::Field(Field::Updated(2)),
            _ => Element::Unread,
        },
        Vocabulary::Sitemap => sitemap(name),
        Vocabulary::News => news(name),
        Vocabulary::Pictures => match name {
            "image" => Element::MediaGroup,
            "loc" | "url" => Element::Field(Field::Picture),
            _ => Element::Unread,
        },
        Vocabulary::History => match name {
            "complete" => Element::Said(Said::Complete),
            "archive" => Element::Said(Said::Archive),
            _ => Element::Unread,
        },
        _ => Element::Unread,
    }
}

fn plain(name: &str) -> Element {
    Element::Field(match name {
        "item" | "entry" => return Element::Entry,
        "channel" | "feed" => return Element::Feed,
        "link" => return Element::Link,
        "author" | "managingeditor" | "creator" => return Element::Person,
        "name" => return Element::PersonPart(PersonPart::Name),
        "email" => return Element::PersonPart(PersonPart::Mail),
        "uri" | "url" | "homepage" => return Element::PersonPart(PersonPart::Other),
        "category" => return Element::Category,
        "enclosure" => return Element::Enclosure,
        "skiphours" | "skipdays" => return Element::List,
        "cloud" => return Element::Said(Said::Cloud),
        "webmaster" => Field::Webmaster,
        "title" => Field::Title(0),
        "description" | "summary" | "subtitle" | "tagline" => Field::Summary(0),
        "abstract" => Field::Summary(1),
        "content" => Field::Content(0),
        "fullitem" | "body" => Field::Content(1),
        "guid" => Field::Guid,
        "id" => Field::Id(0),
        "pubdate" | "published" => Field::Published(0),
        "issued" => Field::Published(1),
        "created" => Field::Published(4),
        "updated" | "modified" | "lastbuilddate" => Field::Updated(0),
        "date" => Field::Date,
        "keywords" => Field::Keywords,
        "language" => Field::Language,
        "ttl" => Field::Ttl,
        "hour" => Field::SkipHour,
        "day" => Field::SkipDay,
        _ => return Element::Unread,
    })
}

fn sitemap(name: &str) -> Element {
    match name {
        "urlset" => Element::Feed,
        "url" => Element::Entry,
        "loc" => Element::Link,
        "lastmod" => Element::Field(Field::Updated(0)),
        _ => Element::Unread,
    }
}

/// <https://developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap>
fn news(name: &str) -> Element {
    Element::Field(match name {
        "news" | "publication" => return Element::MediaGroup,
        "name" => Field::FeedTitle,
        "language" => Field::FeedLanguage,
        "title" => Field::Title(0),
        "publication_date" => Field::Published(0),
        "keywords" | "genres" | "geo_locations" => Field::Keywords,
        _ => return Element::Unread,
    })
}

fn dublin_core(name: &str) -> Element {
    Element::Field(match name {
        "creator" | "author" => return Element::Person,
        "title" => Field::Title(1),
        "description" | "abstract" => Field::Summary(2),
        "identifier" => Field::Id(3),
        "date" => Field::Date,
        "issued" => Field::Published(2),
        "created" => Field::Published(4),
        "available" | "datesubmitted" => Field::Published(5),
        "modified" => Field::Updated(1),
        "subject" => Field::Category,
        "language" => Field::Language,
        _ => return Element::Unread,
    })
}

fn media(name: &str) -> Element {
    Element::Field(match name {
        "group" => return Element::MediaGroup,
        "content" | "thumbnail" => return Element::Enclosure,
        "player" => return Element::Said(Said::Player),
        "title" => Field::Title(4),
        "description" => Field::Summary(5),
        "category" => Field::Category,
        "keywords" => Field::Keywords,
        _ => return Element::Unread,
    })
}

fn podcast(name: &str) -> Element {
    Element::Field(match name {
        "author" => return Element::Person,
        "category" => return Element::Category,
        "title" => Field::Title(3),
        "summary" | "description" => Field::Summary(3),
        "subtitle" => Field::Summary(4),
        "keywords" => Field::Keywords,
        "complete" => Field::Finished,
        "new-feed-url" => Field::NewAddress,
        _ => return Element::Unread,
    })
}
