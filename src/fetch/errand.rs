//! What an exchange of a worker has beyond any other: it asks only hosts that are its own,
//! and ends where a redirect leads to somebody else's.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use url::Url;

use super::Exchange;
use crate::model::{ErrorKind, Failure};

/// What a worker knows of its work before it asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Errand {
    /// Redirects to foreign hosts that led here: they count with those of this exchange, and
    /// what is meant for the feed's own host is not sent any more.
    pub moves: u32,
    /// The host's own pause, longer than the default, that another worker may have left.
    pub gap: Option<Duration>,
}

/// What came of an errand.
#[derive(Clone, Debug)]
pub enum Asked<T> {
    /// The exchange took place, whatever came of it.
    Answered(Exchange<T>),
    /// A redirect led to a host of another worker, who goes on there. The answer is the
    /// target, or why it cannot be one.
    Moved(Exchange<Url>),
    /// The host is not surely ours for as long as the exchange may take: nothing was asked.
    NotOurs,
}

/// Why an exchange ended without an answer.
pub(super) enum Stop {
    /// It failed.
    Failed(Failure),
    /// It goes on elsewhere.
    Moved(Url),
    /// It must not begin.
    NotOurs,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl<T> Asked<T> {
    /// The same, with what the answer means.
    pub(super) fn and_then<U>(self, read: impl FnOnce(T) -> Result<U, Failure>) -> Asked<U> {
        match self {
            Self::Answered(exchange) => Asked::Answered(exchange.and_then(read)),
            Self::Moved(exchange) => Asked::Moved(exchange),
            Self::NotOurs => Asked::NotOurs,
        }
    }

    /// The exchange of somebody who asks whom he likes, and so is never kept from it.
    pub(super) fn of_anyone(self) -> Exchange<T> {
        let failure = || Failure::new(ErrorKind::Internal, "kept from a host that anyone may ask");
        match self {
            Self::Answered(exchange) => exchange,
            Self::Moved(exchange) => exchange.and_then(|_| Err(failure())),
            Self::NotOurs => Exchange {
                status: None,
                n_bytes: 0,
                duration: Duration::ZERO,
                redirects: Vec::new(),
                wishes: super::Wishes::default(),
                answer: Err(failure()),
            },
        }
    }
}

/// Does `work` for at most `span`; `None` when that was not enough.
///
/// Unlike a plain timeout, it looks at the clock first: a process that was stopped for longer
/// takes no further step when it wakes up, and sends no request whose time is over.
pub(super) async fn within<T>(span: Duration, work: impl Future<Output = T>) -> Option<T> {
    let began = Instant::now();
    let mut work = pin!(work);
    let in_time = poll_fn(|context| match began.elapsed() >= span {
        true => Poll::Ready(None),
        false => work.as_mut().poll(context).map(Some),
    });
    tokio::time::timeout(span, in_time).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn work_ends_in_time_or_not_at_all() {
        let quick = within(Duration::from_secs(60), async { 7 }).await;
        let endless = within(Duration::from_millis(5), std::future::pending::<()>()).await;

        assert_eq!((quick, endless), (Some(7), None));
    }

    #[tokio::test]
    async fn a_process_that_slept_through_its_time_takes_no_further_step() {
        let n_steps = Cell::new(0);
        let span = Duration::from_millis(5);
        let asleep = poll_fn(|context| {
            n_steps.set(n_steps.get() + 1);
            context.waker().wake_by_ref();
            // The process is stopped in the middle of its first step.
            let woken = Instant::now() + 2 * span;
            while Instant::now() < woken {
                std::hint::spin_loop();
            }
            Poll::<()>::Pending
        });

        let outcome = within(span, asleep).await;

        assert_eq!((outcome, n_steps.get()), (None, 1));
    }
}
