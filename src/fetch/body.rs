//! Reads a body to its end, or to the first limit that it breaks.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::model::Failure;

/// Slowest body that is read on, in bytes per second of the window.
const MIN_BYTES_PER_SECOND: f64 = 100.0;
/// How large a body grows without waiting for a place, in bytes.
const SMALL_BYTES: usize = 1 << 20;
/// How many bodies may be larger at the same time. With the default settings, at most
/// 64 times 1 MiB and 4 times 10 MiB are held while bodies are read.
pub(super) const MAX_LARGE_BODIES: usize = 4;
/// How many bytes [`read`] gathers before it shows them to `look`.
const FIRST_BYTES: usize = 512;

/// How much of a body is taken, and how slowly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits<'a> {
    /// Most bytes, counted after decoding, so that a bomb stops here as well.
    pub(super) max_bytes: u64,
    /// What happens to more.
    pub(super) overflow: Overflow,
    /// A body that stays below 100 bytes a second for so long is given up.
    pub(super) slow_window: Duration,
    /// Places for bodies beyond 1 MiB, shared by all: such a body waits for one, and memory
    /// stays bounded however many large bodies are offered at once.
    pub(super) large: &'a Semaphore,
}

/// What happens to a body beyond its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overflow {
    /// It is refused.
    Refuse,
    /// It is cut there.
    Cut,
}

/// Why a body was not read to its end.
#[derive(Debug)]
pub(super) enum BodyError<E> {
    /// Larger than the limit.
    TooLarge,
    /// Slower than a person types.
    TooSlow,
    /// Its first bytes show that we do not want it.
    Unwanted(Failure),
    /// The connection, or the decoder.
    Broken(E),
}

/// Reads `stream` within `limits`. `look` sees the first bytes, once, as soon as there are
/// 512 of them or all; `n_bytes` counts also when the end is not reached.
pub(super) async fn read<E>(
    mut stream: impl Stream<Item = Result<Bytes, E>> + Unpin,
    limits: &Limits<'_>,
    n_bytes: &mut u64,
    look: impl Fn(&[u8]) -> Result<(), Failure>,
) -> Result<Bytes, BodyError<E>> {
    let mut body = Vec::new();
    let mut is_looked_at = false;
    let mut pace = Pace::new(limits.slow_window);
    let mut place = None;
    while let Some(chunk) = pace.next(&mut stream).await? {
        *n_bytes += chunk.len() as u64;
        let room = limits.max_bytes.saturating_sub(body.len() as u64);
        if chunk.len() as u64 > room {
            if limits.overflow == Overflow::Refuse {
                return Err(BodyError::TooLarge);
            }
            let room = usize::try_from(room).unwrap_or(chunk.len());
            body.extend_from_slice(&chunk[..room]);
            break;
        }
        if body.len() + chunk.len() > SMALL_BYTES && place.is_none() {
            let free = limits.large.acquire().await;
            place = Some(free.expect("the places are never closed"));
            // That was our slowness, not the server's.
            pace = Pace::new(limits.slow_window);
        }
        body.extend_from_slice(&chunk);
        if !is_looked_at && body.len() >= FIRST_BYTES {
            look(&body).map_err(BodyError::Unwanted)?;
            is_looked_at = true;
        }
    }
    if !is_looked_at {
        look(&body).map_err(BodyError::Unwanted)?;
    }
    Ok(body.into())
}

/// Watches that a body keeps coming.
struct Pace {
    window: Duration,
    ends: Instant,
    n_bytes: usize,
}

impl Pace {
    fn new(window: Duration) -> Self {
        Self {
            window,
            ends: Instant::now() + window,
            n_bytes: 0,
        }
    }

    /// The next chunk, `None` at the end.
    async fn next<E>(
        &mut self,
        stream: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin),
    ) -> Result<Option<Bytes>, BodyError<E>> {
        loop {
            match timeout_at(self.ends, stream.next()).await {
                Ok(Some(Ok(chunk))) => {
                    self.n_bytes += chunk.len();
                    return Ok(Some(chunk));
                }
                Ok(Some(Err(error))) => return Err(BodyError::Broken(error)),
                Ok(None) => return Ok(None),
                Err(_) if self.is_slow() => return Err(BodyError::TooSlow),
                Err(_) => {
                    self.ends += self.window;
                    self.n_bytes = 0;
                }
            }
        }
    }

    fn is_slow(&self) -> bool {
        (self.n_bytes as f64) < MIN_BYTES_PER_SECOND * self.window.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use proptest::prelude::*;

    use super::*;
    use crate::model::ErrorKind;

    static LARGE: Semaphore = Semaphore::const_new(1);
    const LIMITS: Limits<'static> = Limits {
        max_bytes: 10,
        overflow: Overflow::Refuse,
        slow_window: Duration::from_millis(100),
        large: &LARGE,
    };

    fn chunks(texts: &[&'static str]) -> impl Stream<Item = Result<Bytes, &'static str>> + Unpin {
        let chunks: Vec<_> = texts
            .iter()
            .map(|text| match text.strip_prefix('!') {
                Some(error) => Err(error),
                None => Ok(Bytes::from_static(text.as_bytes())),
            })
            .collect();
        stream::iter(chunks)
    }

    #[tokio::test]
    async fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
        let mut n_bytes = 0;

        let whole = read(chunks(&["01234", "56789"]), &LIMITS, &mut n_bytes, |_| {
            Ok(())
        })
        .await;
        let more = read(
            chunks(&["01234", "56789", "x"]),
            &LIMITS,
            &mut n_bytes,
            |_| Ok(()),
        )
        .await;

        assert_eq!(whole.unwrap(), "0123456789");
        assert!(matches!(more, Err(BodyError::TooLarge)));
        assert_eq!(n_bytes, 21);
    }

    #[tokio::test]
    async fn a_body_can_be_cut_instead() {
        let limits = Limits {
            overflow: Overflow::Cut,
            ..LIMITS
        };

        let cut = read(
            chunks(&["01234", "56789x", "!never"]),
            &limits,
            &mut 0,
            |_| Ok(()),
        )
        .await;

        assert_eq!(cut.unwrap(), "0123456789");
    }

    #[tokio::test]
    async fn the_first_bytes_can_refuse_the_rest() {
        let limits = Limits {
            max_bytes: 10_000,
            ..LIMITS
        };
        let first: &'static str = Box::leak("x".repeat(600).into_boxed_str());

        let look = |bytes: &[u8]| {
            assert_eq!(bytes.len(), 600);
            Err(Failure::new(ErrorKind::NotHtml, "no"))
        };
        let refused = read(chunks(&[first, "!never asked for"]), &limits, &mut 0, look).await;

        assert!(matches!(refused, Err(BodyError::Unwanted(_))));
    }

    #[tokio::test]
    async fn silence_and_drips_end() {
        let silent = stream::pending::<Result<Bytes, &str>>();
        let drip = Box::pin(stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            Some((Ok::<_, &str>(Bytes::from_static(b"x")), ()))
        }));
        let limits = Limits {
            max_bytes: 1000,
            ..LIMITS
        };

        let silent = read(silent, &limits, &mut 0, |_| Ok(())).await;
        let drip = read(drip, &limits, &mut 0, |_| Ok(())).await;

        assert!(matches!(silent, Err(BodyError::TooSlow)));
        assert!(matches!(drip, Err(BodyError::TooSlow)));
    }

    #[tokio::test]
    async fn a_steady_body_is_read_however_long_it_takes() {
        let steady = Box::pin(stream::unfold(0, |n| async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            (n < 15).then_some((Ok::<_, &str>(Bytes::from_static(b"0123456789")), n + 1))
        }));
        let limits = Limits {
            max_bytes: 1000,
            ..LIMITS
        };

        let body = read(steady, &limits, &mut 0, |_| Ok(())).await;

        assert_eq!(body.unwrap().len(), 150);
    }

    #[tokio::test]
    async fn large_bodies_wait_for_each_other_and_small_ones_for_nobody() {
        let large = Semaphore::new(1);
        let limits = Limits {
            max_bytes: 4 << 20,
            large: &large,
            ..LIMITS
        };
        let body = |n_chunks| {
            let chunk = Ok::<_, ()>(Bytes::from(vec![b'x'; 1 << 19]));
            stream::iter(vec![chunk; n_chunks])
        };
        let taken = large.acquire().await.unwrap();

        let small = read(body(2), &limits, &mut 0, |_| Ok(())).await;
        let mut waiting = Box::pin(async {
            let mut n_bytes = 0;
            let body = read(body(8), &limits, &mut n_bytes, |_| Ok(())).await;
            body.unwrap().len()
        });
        let patience = LIMITS.slow_window * 2;
        let is_waiting = tokio::time::timeout(patience, &mut waiting).await.is_err();
        drop(taken);

        assert_eq!(small.unwrap().len(), 1 << 20);
        assert!(is_waiting);
        assert_eq!(waiting.await, 4 << 20);
        assert_eq!(large.available_permits(), 1);
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_came(sizes in prop::collection::vec(0..700_usize, 0..8)) {
            let sent: Vec<Vec<u8>> = sizes.iter().map(|n| vec![b'x'; *n]).collect();
            let stream = stream::iter(sent.clone().into_iter().map(|c| Ok::<_, ()>(c.into())));
            let limits = Limits { max_bytes: 2000, ..LIMITS };
            let mut n_bytes = 0;
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_time().build().unwrap();

            let read = runtime.block_on(read(stream, &limits, &mut n_bytes, |_| Ok(())));

            match read {
                Ok(body) => prop_assert_eq!(body, sent.concat()),
                Err(_) => prop_assert!(n_bytes > 2000),
            }
        }
    }
}
