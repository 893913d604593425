//! Pictures with their captions and credits.

use url::Url;

use super::Image;
use super::metadata::http_url;
use super::outline::{Index, Outline};
use super::tag::Tag;
use super::text;

/// Attributes in which a picture's address may stand, the real one before the placeholder.
const SOURCES: &[&str] = &[
    "data-src",
    "data-original",
    "data-lazy-src",
    "data-full-src",
    "data-url",
    "src",
];

/// Longest caption, in bytes.
const MAX_CAPTION: usize = 1_000;

/// Whether a `<figure>` is a picture with little else: some hold tables or quotations.
pub(super) fn is_picture(outline: &Outline<'_>, index: Index) -> bool {
    let item = outline.item(index);
    let inner = index..item.end;
    let mut has_image = false;
    for at in inner {
        match outline.item(at).tag {
            Tag::Img | Tag::Picture | Tag::Video | Tag::Iframe | Tag::Noscript => has_image = true,
            Tag::Table | Tag::Blockquote | Tag::Pre => return false,
            _ => {}
        }
    }
    has_image || item.weight <= 400
}

/// Whether a block is nothing but a picture with a short text: a figure without the element.
pub(super) fn is_captioned_picture(outline: &Outline<'_>, index: Index) -> bool {
    let item = outline.item(index);
    let is_box = matches!(
        item.tag,
        Tag::Div | Tag::Section | Tag::Li | Tag::Other | Tag::Dl | Tag::Table | Tag::Center
    );
    let most = if item.hints.picture || item.hints.caption {
        350
    } else {
        120
    };
    if !is_box || item.weight > most || item.weight == 0 || item.end - index > 60 {
        return false;
    }
    let mut n_images = 0;
    for at in index + 1..item.end {
        match outline.item(at).tag {
            Tag::Img => n_images += 1,
            tag if tag.is_heading() || matches!(tag, Tag::Ul | Tag::Ol | Tag::Blockquote) => {
                return false;
            }
            _ => {}
        }
    }
    n_images == 1
}

/// Reads a picture: an `<img>`, a `<picture>`, or a `<figure>` with what it holds.
pub(super) fn read(outline: &Outline<'_>, index: Index, base: &Url) -> Option<Image> {
    let end = outline.item(index).end;
    let url = (index..end).find_map(|at| match outline.item(at).tag {
        Tag::Img | Tag::Source | Tag::Figure => source(outline, at, base),
        _ => None,
    })?;
    if is_decoration(outline, index, end) {
        return None;
    }
    let mut image = Image {
        url: url.into(),
        ..Image::default()
    };
    for at in index..end {
        let item = outline.item(at);
        if item.hidden || item.weight == 0 {
            continue;
        }
        if item.hints.credit && image.credit.is_none() && item.weight <= 200 {
            image.credit = text::folded_or_none(&outline.text_of(at, MAX_CAPTION));
        } else if item.hints.caption && image.caption.is_none() {
            image.caption = text::folded_or_none(&outline.text_of(at, MAX_CAPTION));
        }
    }
    if outline.item(index).tag.is_block() && image.caption.is_none() {
        image.caption = text::folded_or_none(&outline.text_of(index, MAX_CAPTION));
    }
    part_credit(&mut image);
    Some(image)
}

/// The caption without the credit that stands in it.
fn part_credit(image: &mut Image) {
    if let (Some(caption), Some(credit)) = (&image.caption, &image.credit) {
        let rest = caption.replacen(credit.as_str(), "", 1);
        image.caption =
            text::folded_or_none(rest.trim_end_matches([' ', '|', '(', ')', '-', '–', '/']));
    }
}

fn source(outline: &Outline<'_>, index: Index, base: &Url) -> Option<Url> {
    let is_real = |link: &&str| !link.trim_start().starts_with("data:") && !link.trim().is_empty();
    let plain = SOURCES
        .iter()
        .filter_map(|name| outline.attribute(index, name))
        .find(is_real)
        .and_then(|link| http_url(base, link));
    plain.or_else(|| {
        let set = ["srcset", "data-srcset"]
            .iter()
            .find_map(|name| outline.attribute(index, name))?;
        let last = set.split(", ").last()?.split_whitespace().next()?;
        Some(last)
            .filter(is_real)
            .and_then(|link| http_url(base, link))
    })
}

/// Icons, avatars and counting pixels.
fn is_decoration(outline: &Outline<'_>, index: Index, end: Index) -> bool {
    (index..end)
        .filter(|&at| outline.item(at).tag == Tag::Img)
        .all(|at| {
            let small = |name: &str| {
                let size = outline
                    .attribute(at, name)
                    .and_then(|size| size.trim_end_matches("px").parse::<u32>().ok());
                size.is_some_and(|size| size <= 60)
            };
            small("width") || small("height") || outline.item(at).hints.byline
        })
        && (index..end).any(|at| outline.item(at).tag == Tag::Img)
}

/// Frames that show something of the article: not advertising, forms or counters. Judged
/// by form only: a path that names a thing, or a player's address.
pub(super) fn is_embed_of_content(url: &Url) -> bool {
    let path = url.path();
    path.len() > 1 && !path.ends_with(".html") && !path.contains("/ad")
}
