//! What start tags say in their attributes.

use super::Reader;
use crate::feed::draft::LinkSource;
use crate::feed::elements::{Field, Said};
use crate::feed::links::{is_web_url, resolve};
use crate::feed::text::one_line;
use crate::feed::tokens::{Tag, local};
use crate::feed::{Cloud, Enclosure, Format};

impl<'a> Reader<'a> {
    /// RDF's `rdf:about`, and what CDF says in attributes.
    pub(super) fn take_about(&mut self, tag: &Tag<'a>) {
        let about = self.attribute(tag, "about");
        let (mut href, mut changed) = (None, None);
        if self.format == Format::Cdf {
            href = self.url_attribute(tag, "href");
            changed = tag.attribute("lastmod");
        }
        let draft = self.draft();
        draft.offer_link(
            LinkSource::About,
            about.clone().filter(|about| is_web_url(about)),
        );
        draft.id.offer(2, about);
        draft.offer_link(LinkSource::Own, href);
        if let Some(changed) = changed {
            draft.offer_updated(0, changed);
        }
    }

    pub(super) fn take_link(&mut self, tag: &Tag<'a>) {
        let Some(href) = self.url_attribute(tag, "href") else {
            if tag.attribute("rel").is_none() {
                self.after_empty_link = tag.empty;
                self.capture(tag, Field::Link);
            }
            return;
        };
        let rel = tag
            .attribute("rel")
            .unwrap_or("alternate")
            .trim()
            .to_ascii_lowercase();
        let media_type = self.attribute(tag, "type");
        let length_bytes = tag.attribute("length").and_then(|n| n.trim().parse().ok());
        let draft = self.draft();
        draft.add_link(Some(href.clone()));
        match rel.rsplit('/').next().unwrap_or("") {
            "alternate" | "" => {
                let source = match media_type.as_deref() {
                    None => LinkSource::Alternate,
                    Some(t) if t.contains("html") || t.starts_with("text/") => LinkSource::Page,
                    Some(_) => LinkSource::Other,
                };
                draft.offer_link(source, Some(href));
            }
            "self" => {
                draft.self_url.get_or_insert(href);
            }
            "hub" => draft.add_hub(Some(href)),
            "enclosure" => draft.add_enclosure(Enclosure {
                url: href,
                media_type,
                length_bytes,
            }),
            rel => draft.add_page(rel, &href),
        }
    }

    pub(super) fn take_enclosure(&mut self, tag: &Tag<'a>) {
        let Some(url) = self
            .url_attribute(tag, "url")
            .or_else(|| self.url_attribute(tag, "href"))
        else {
            if tag.name.eq_ignore_ascii_case("enclosure") {
                self.capture(tag, Field::Enclosure);
            }
            return;
        };
        let length = tag
            .attribute("length")
            .or_else(|| tag.attribute("filesize"));
        let medium = match tag.attribute("medium").map(str::trim) {
            Some("image") => Some("image/*"),
            Some("audio") => Some("audio/*"),
            Some("video") => Some("video/*"),
            _ if local(tag.name).eq_ignore_ascii_case("thumbnail") => Some("image/*"),
            _ => None,
        };
        let media_type = self.attribute(tag, "type").or(medium.map(str::to_owned));
        self.draft().add_enclosure(Enclosure {
            url,
            media_type,
            length_bytes: length.and_then(|n| n.trim().parse().ok()),
        });
    }

    pub(super) fn take_category(&mut self, tag: &Tag<'a>) {
        let [term, text, label] = ["term", "text", "label"].map(|name| self.attribute(tag, name));
        let Some(name) = term.or(text) else {
            match label {
                Some(label) => self.draft().add_category(Some(one_line(&label))),
                None => self.capture(tag, Field::Category),
            }
            return;
        };
        // The label is for people (RFC 4287 §4.2.2.3). It is a second name unless it only
        // spells the first one out.
        let letters = |text: &str| -> String {
            let letters = text.chars().filter(|c| c.is_alphanumeric());
            letters.flat_map(char::to_lowercase).collect()
        };
        let label = label.filter(|label| letters(label) != letters(&name));
        let draft = self.draft();
        draft.add_category(Some(one_line(&name)));
        draft.add_category(label.map(|label| one_line(&label)));
    }

    /// What elements without text say.
    pub(super) fn take_said(&mut self, tag: &Tag<'a>, said: Said) {
        match said {
            Said::Complete => self.feed.hints.is_complete = true,
            Said::Archive => self.feed.hints.is_archive = true,
            Said::Cloud => {
                if let Some(domain) = self.attribute(tag, "domain") {
                    let port = tag
                        .attribute("port")
                        .map_or(80, |port| port.trim().parse().unwrap_or(80));
                    self.feed.hints.cloud = Some(Cloud {
                        domain,
                        port,
                        path: self.attribute(tag, "path").unwrap_or_default(),
                        protocol: self.attribute(tag, "protocol").unwrap_or_default(),
                        procedure: self.attribute(tag, "registerprocedure"),
                    });
                }
            }
            Said::Player => {
                let url = self.url_attribute(tag, "url");
                let draft = self.draft();
                draft.add_link(url.clone());
                draft.offer_link(LinkSource::Player, url);
            }
        }
    }

    /// An attribute with its references decoded; `None` when it is empty.
    pub(super) fn attribute(&mut self, tag: &Tag<'a>, name: &str) -> Option<String> {
        let value = tag.attribute(name)?;
        let value = self.references.decode(value);
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    pub(super) fn url_attribute(&mut self, tag: &Tag<'a>, name: &str) -> Option<String> {
        let value = self.attribute(tag, name)?;
        Some(resolve(&value, self.base()))
    }
}
