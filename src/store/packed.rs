//! Columns that are compressed when that makes them smaller, the same on every backend.

use std::io::Read;

/// Shorter texts gain nothing from compression.
const PACK_FROM_BYTES: usize = 300;

/// No column of ours is larger than this when expanded: a page is 5 MiB at most by
/// default, and four renderings of it are kept together.
const MAX_UNPACKED_BYTES: u64 = 256 << 20;

/// A text as two columns hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packed {
    /// 0: plain; 1: zstd.
    pub(super) enc: i16,
    /// The bytes.
    pub(super) data: Vec<u8>,
}

impl Packed {
    /// The shortest form of `text`.
    pub(super) fn new(text: &str) -> Self {
        if text.len() >= PACK_FROM_BYTES
            && let Ok(data) = zstd::bulk::compress(text.as_bytes(), 3)
            && data.len() < text.len()
        {
            return Self { enc: 1, data };
        }
        Self {
            enc: 0,
            data: text.as_bytes().to_vec(),
        }
    }
}

/// The text of a packed column; empty where it is damaged.
pub(super) fn unpack(enc: i64, data: &[u8]) -> String {
    match enc {
        0 => String::from_utf8_lossy(data).into_owned(),
        _ => {
            let mut text = Vec::new();
            let Ok(decoder) = zstd::Decoder::new(data) else {
                return String::new();
            };
            match decoder.take(MAX_UNPACKED_BYTES).read_to_end(&mut text) {
                Ok(_) => String::from_utf8(text).unwrap_or_default(),
                Err(_) => String::new(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_text_comes_back() {
        for text in ["", "short", &"a longer text, again and again. ".repeat(100)] {
            let packed = Packed::new(text);

            assert_eq!(unpack(i64::from(packed.enc), &packed.data), text);
        }
        assert_eq!(Packed::new(&"again ".repeat(100)).enc, 1);
        assert_eq!(unpack(1, b"damaged"), "");
    }
}
