//! The JSON inside columns, the same on every backend. The model is not serialised; these
//! shapes stand beside it, because they outlive it.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::extract::{Image, Related};
use crate::feed::Enclosure;
use crate::model::FeedSettings;

/// As text. None of our shapes can fail: no maps with odd keys, no foreign types.
pub(super) fn write<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("lists and plain structs always serialise")
}

/// From text; what cannot be read counts as absent, so that one edited row harms no other.
pub(super) fn read<T: DeserializeOwned + Default>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_default()
}

/// Wishes of a list for one feed.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct StoredSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    interval_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scrape: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(String, String)>,
}

pub(super) fn write_settings(settings: &FeedSettings) -> String {
    write(&StoredSettings {
        interval_ms: settings.interval.map(millis),
        scrape: settings.scrape,
        user_agent: settings.user_agent.clone(),
        headers: settings.headers.clone(),
    })
}

pub(super) fn read_settings(text: &str) -> FeedSettings {
    let stored: StoredSettings = read(text);
    FeedSettings {
        interval: stored.interval_ms.map(Duration::from_millis),
        scrape: stored.scrape,
        user_agent: stored.user_agent,
        headers: stored.headers,
    }
}

/// A span in whole milliseconds; the longest that fits where it is longer.
pub(super) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX >> 1)
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct StoredEnclosure {
    url: String,
    media_type: Option<String>,
    length: Option<u64>,
}

pub(super) fn write_enclosures(enclosures: &[Enclosure]) -> String {
    let stored: Vec<StoredEnclosure> = enclosures
        .iter()
        .map(|enclosure| StoredEnclosure {
            url: enclosure.url.clone(),
            media_type: enclosure.media_type.clone(),
            length: enclosure.length_bytes,
        })
        .collect();
    write(&stored)
}

pub(super) fn read_enclosures(text: &str) -> Vec<Enclosure> {
    read::<Vec<StoredEnclosure>>(text)
        .into_iter()
        .map(|stored| Enclosure {
            url: stored.url,
            media_type: stored.media_type,
            length_bytes: stored.length,
        })
        .collect()
}

/// The renderings of a body that are not its plain text.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Rendering {
    pub(super) markdown: String,
    pub(super) html: String,
    pub(super) images: Vec<Image>,
    pub(super) related: Vec<Related>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct StoredRendering {
    markdown: String,
    html: String,
    images: Vec<StoredImage>,
    related: Vec<StoredRelated>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct StoredImage {
    url: String,
    caption: Option<String>,
    credit: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct StoredRelated {
    title: String,
    url: String,
}

impl Rendering {
    pub(super) fn write(self) -> String {
        write(&StoredRendering {
            markdown: self.markdown,
            html: self.html,
            images: self.images.into_iter().map(stored_image).collect(),
            related: self.related.into_iter().map(stored_related).collect(),
        })
    }

    pub(super) fn read(text: &str) -> Self {
        let stored: StoredRendering = read(text);
        Self {
            markdown: stored.markdown,
            html: stored.html,
            images: stored.images.into_iter().map(image).collect(),
            related: stored.related.into_iter().map(related).collect(),
        }
    }
}

fn stored_image(image: Image) -> StoredImage {
    StoredImage {
        url: image.url,
        caption: image.caption,
        credit: image.credit,
    }
}

fn stored_related(related: Related) -> StoredRelated {
    StoredRelated {
        title: related.title,
        url: related.url,
    }
}

fn image(stored: StoredImage) -> Image {
    Image {
        url: stored.url,
        caption: stored.caption,
        credit: stored.credit,
    }
}

fn related(stored: StoredRelated) -> Related {
    Related {
        title: stored.title,
        url: stored.url,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back_as_they_went() {
        let settings = FeedSettings {
            interval: Some(Duration::from_secs(900)),
            scrape: Some(false),
            user_agent: Some("x/1".into()),
            headers: vec![("Accept".into(), "text/xml".into())],
        };

        assert_eq!(read_settings(&write_settings(&settings)), settings);
        assert_eq!(write_settings(&FeedSettings::default()), "{}");
    }

    #[test]
    fn a_damaged_column_counts_as_absent() {
        assert_eq!(read_settings("{nonsense"), FeedSettings::default());
        assert_eq!(read_enclosures("7"), Vec::new());
    }

    #[test]
    fn a_rendering_comes_back_as_it_went() {
        let text = Rendering {
            markdown: "# a".into(),
            html: "<p>a</p>".into(),
            images: vec![Image {
                url: "https://example.org/a.jpg".into(),
                caption: Some("c".into()),
                credit: None,
            }],
            related: vec![Related {
                title: "t".into(),
                url: "https://example.org/".into(),
            }],
        }
        .write();

        assert_eq!(Rendering::read(&text).write(), text);
    }
}
