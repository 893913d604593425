//! How many things go on at once, without letting the slow hold up the quick.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// What takes longer makes way for others, as it does at the host's gate.
const SLOW_AFTER: Duration = Duration::from_secs(3);

/// Places for work of one kind, and as many again for what turns out to be slow.
#[derive(Debug)]
pub(super) struct Slots {
    quick: Arc<Semaphore>,
    slow: Arc<Semaphore>,
    slow_after: Duration,
    /// A place has been given up by what goes on in the slow lane.
    given_up: Arc<Notify>,
}

/// A place; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    place: OwnedSemaphorePermit,
    slow: Arc<Semaphore>,
    slow_after: Duration,
    given_up: Arc<Notify>,
}

impl Slots {
    /// `n_places` places, at least one. `given_up` hears of each that becomes free while its
    /// work goes on.
    pub(super) fn new(n_places: usize, given_up: &Arc<Notify>) -> Self {
        let n_places = n_places.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            quick: Arc::new(Semaphore::new(n_places)),
            slow: Arc::new(Semaphore::new(n_places)),
            slow_after: SLOW_AFTER,
            given_up: Arc::clone(given_up),
        }
    }

    /// Whether there is a place.
    pub(super) fn has_room(&self) -> bool {
        self.quick.available_permits() > 0
    }

    /// A place, if there is one.
    pub(super) fn take(&self) -> Option<Slot> {
        let place = Arc::clone(&self.quick).try_acquire_owned().ok()?;
        Some(Slot {
            place,
            slow: Arc::clone(&self.slow),
            slow_after: self.slow_after,
            given_up: Arc::clone(&self.given_up),
        })
    }
}

impl Slot {
    /// Does the work. If it takes long, it gives its place to others and goes on in the slow
    /// lane, as far as there is room.
    pub(super) async fn spend_on<T>(mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        if let Ok(done) = tokio::time::timeout(self.slow_after, &mut work).await {
            return done;
        }
        if let Ok(place) = Arc::clone(&self.slow).try_acquire_owned() {
            self.place = place;
            self.given_up.notify_one();
        }
        work.await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(n_places: usize) -> Slots {
        Slots {
            slow_after: Duration::from_millis(5),
            ..Slots::new(n_places, &Arc::default())
        }
    }

    #[tokio::test]
    async fn quick_work_keeps_its_place_to_its_end() {
        let slots = slots(1);
        let slot = slots.take().unwrap();
        assert!(!slots.has_room() && slots.take().is_none());

        let done = slot.spend_on(async { 7 }).await;

        assert!(done == 7 && slots.has_room());
    }

    #[tokio::test]
    async fn slow_work_gives_its_place_to_others_as_far_as_there_is_room() {
        let slots = slots(1);
        let endless = || {
            let slot = slots.take().unwrap();
            Box::pin(slot.spend_on(std::future::pending::<()>()))
        };

        let mut first = endless();
        tokio::select! {
            () = &mut first => {}
            () = slots.given_up.notified() => {}
        }
        let mut second = endless();
        let waited = tokio::time::timeout(10 * slots.slow_after, &mut second).await;

        assert!(
            waited.is_err() && !slots.has_room(),
            "the slow lane is full"
        );
        drop(first);
        drop(second);
        assert!(slots.has_room());
        assert_eq!(slots.slow.available_permits(), 1);
    }
}
