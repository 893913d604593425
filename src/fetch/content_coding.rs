//! Undoes the content coding of a body (RFC 9110 §8.4), within limits.
//!
//! The HTTP client hands over the bytes as they came, because nobody but us can say how far
//! they may grow: a kilobyte can stand for a gigabyte.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use tokio::io::{AsyncBufRead, AsyncRead};
use tokio_util::io::{ReaderStream, StreamReader};

/// How much larger a body may become than what was sent of it, beyond [`FREE_BYTES`]. Text
/// shrinks by a factor of 4 to 12; real pages of the most repetitive kind stay below 60.
const MAX_RATIO: u64 = 200;
/// Bytes that a body may grow to whatever its ratio.
const FREE_BYTES: u64 = 1 << 20;
/// Largest window of zstd, as a power of two: 8 MiB, as RFC 9659 demands of HTTP.
const ZSTD_WINDOW_LOG: u32 = 23;
/// Bytes that a decoder gives at once.
const CHUNK_BYTES: usize = 32 << 10;

/// One content coding; a body has one at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    /// What `Content-Encoding` says; the value itself where it is not one of those that we
    /// know, or more than one.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, String> {
        let values: Vec<String> = headers
            .get_all(CONTENT_ENCODING)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
            .filter(|value| !value.is_empty())
            .collect();
        let named = values.join(", ");
        match named.to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            "br" => Ok(Self::Brotli),
            "zstd" => Ok(Self::Zstd),
            _ => Err(named),
        }
    }
}

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum DecodeError<E> {
    /// It expands beyond all measure.
    #[error("it expands more than {MAX_RATIO} times")]
    Bomb,
    /// It is not what its coding says, or needs more memory than is allowed.
    #[error("it cannot be decoded: {0}")]
    Coding(io::Error),
    /// The connection.
    #[error(transparent)]
    Wire(E),
}

/// The body behind `wire`, decoded.
pub(super) fn decode<E>(
    wire: impl Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
    coding: Coding,
) -> impl Stream<Item = Result<Bytes, DecodeError<E>>> + Send + Unpin
where
    E: std::error::Error + Send + Sync + 'static,
{
    let n_wire = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&n_wire);
    let wire = wire.inspect(move |chunk| {
        if let Ok(chunk) = chunk {
            counter.fetch_add(chunk.len() as u64, Relaxed);
        }
    });
    if coding == Coding::Identity {
        return wire.map(|chunk| chunk.map_err(DecodeError::Wire)).boxed();
    }
    let reader = StreamReader::new(wire.map(|chunk| chunk.map_err(io::Error::other)));
    let mut n_decoded = 0;
    ReaderStream::with_capacity(decoder(reader, coding), CHUNK_BYTES)
        .map(move |chunk| {
            let chunk = chunk.map_err(undone)?;
            n_decoded += chunk.len() as u64;
            let allowed = n_wire.load(Relaxed).saturating_mul(MAX_RATIO);
            match n_decoded > allowed.max(FREE_BYTES) {
                true => Err(DecodeError::Bomb),
                false => Ok(chunk),
            }
        })
        .boxed()
}

fn decoder(
    reader: impl AsyncBufRead + Send + Unpin + 'static,
    coding: Coding,
) -> Box<dyn AsyncRead + Send + Unpin> {
    match coding {
        Coding::Identity => Box::new(reader),
        Coding::Gzip => Box::new(GzipDecoder::new(reader)),
        Coding::Deflate => Box::new(ZlibDecoder::new(reader)),
        Coding::Brotli => Box::new(BrotliDecoder::new(reader)),
        Coding::Zstd => {
            let window = DParameter::window_log_max(ZSTD_WINDOW_LOG);
            Box::new(ZstdDecoder::with_params(reader, &[window]))
        }
    }
}

/// Whether the connection failed under the decoder, or the decoder itself.
fn undone<E: std::error::Error + Send + Sync + 'static>(error: io::Error) -> DecodeError<E> {
    match error.downcast::<E>() {
        Ok(wire) => DecodeError::Wire(wire),
        Err(coding) => DecodeError::Coding(coding),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use reqwest::header::HeaderValue;

    use super::*;

    fn named(values: &[&str]) -> Result<Coding, String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_ENCODING, HeaderValue::from_str(value).unwrap());
        }
        Coding::of(&headers)
    }

    async fn decoded(body: Vec<u8>, coding: Coding) -> Result<usize, DecodeError<io::Error>> {
        let wire: Vec<io::Result<Bytes>> = body
            .chunks(1000)
            .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
            .collect();
        let mut stream = decode(stream::iter(wire), coding);
        let mut n_bytes = 0;
        while let Some(chunk) = stream.next().await {
            n_bytes += chunk?.len();
        }
        Ok(n_bytes)
    }

    #[test]
    fn one_known_coding_is_accepted_and_no_other() {
        assert_eq!(named(&[]), Ok(Coding::Identity));
        assert_eq!(named(&["GZip"]), Ok(Coding::Gzip));
        assert_eq!(named(&["gzip, gzip"]), Err("gzip, gzip".into()));
        assert_eq!(named(&["gzip", "br"]), Err("gzip, br".into()));
        assert_eq!(named(&["compress"]), Err("compress".into()));
    }

    #[tokio::test]
    async fn a_body_that_expands_beyond_measure_is_given_up() {
        let bomb = zstd::encode_all([0_u8; 1 << 20].repeat(40).as_slice(), 3).unwrap();

        let outcome = decoded(bomb, Coding::Zstd).await;

        assert!(matches!(outcome, Err(DecodeError::Bomb)), "{outcome:?}");
    }

    #[tokio::test]
    async fn a_small_body_may_expand_as_it_likes() {
        let small = zstd::encode_all([b' '; 900_000].as_slice(), 3).unwrap();

        assert_eq!(decoded(small, Coding::Zstd).await.unwrap(), 900_000);
    }

    #[tokio::test]
    async fn a_window_beyond_what_http_allows_is_refused() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
        encoder.long_distance_matching(true).unwrap();
        encoder.window_log(27).unwrap();
        let text: Vec<u8> = (0..4_000_000_u32).flat_map(u32::to_le_bytes).collect();
        io::Write::write_all(&mut encoder, &text).unwrap();

        let outcome = decoded(encoder.finish().unwrap(), Coding::Zstd).await;

        assert!(
            matches!(outcome, Err(DecodeError::Coding(_))),
            "{outcome:?}"
        );
    }

    #[tokio::test]
    async fn what_is_not_in_its_coding_is_an_error() {
        let outcome = decoded(b"plain text".to_vec(), Coding::Gzip).await;

        assert!(
            matches!(outcome, Err(DecodeError::Coding(_))),
            "{outcome:?}"
        );
    }
}
