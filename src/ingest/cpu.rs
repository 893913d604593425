//! The threads that parse and extract: one per core, and no more.
//!
//! Threads of our own, because an allocator keeps an arena for each thread, and an arena
//! keeps the size of the largest page that was ever parsed on it. On the runtime's blocking
//! threads, of which there are as many as there have been waits at once, that was 140 MB
//! for the pages that need 90 MB here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use tokio::sync::{Semaphore, oneshot};

use crate::model::{ErrorKind, Failure};

type Work = Box<dyn FnOnce() + Send>;

/// A fixed number of threads for CPU-bound work. They end when this is dropped.
#[derive(Debug)]
pub(super) struct Cpu {
    work: mpsc::Sender<Work>,
    /// One permit per thread: what waits, waits here, with its memory still small.
    room: Semaphore,
}

impl Cpu {
    /// Starts `n_threads` threads.
    pub(super) fn start(n_threads: usize) -> Self {
        let (work, todo) = mpsc::channel::<Work>();
        let todo = Arc::new(Mutex::new(todo));
        for n in 0..n_threads {
            let todo = Arc::clone(&todo);
            let run = move || {
                while let Some(work) = next(&todo) {
                    work();
                }
            };
            let named = thread::Builder::new().name(format!("cpu-{n}"));
            named.spawn(run).expect("the system has a thread for us");
        }
        let room = Semaphore::new(n_threads);
        Self { work, room }
    }

    /// Does `work` on one of the threads. A panic in it is a fault of ours: it becomes a
    /// failure of this one feed or page.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let _room = self.room.acquire().await.expect("never closed");
        let (answer, done) = oneshot::channel();
        let work = move || {
            // Nobody waits for the answer after a stop.
            let _ = answer.send(catch_unwind(AssertUnwindSafe(work)));
        };
        self.work
            .send(Box::new(work))
            .expect("the threads live as long as this");
        match done.await {
            Ok(Ok(value)) => Ok(value),
            _ => Err(Failure::new(
                ErrorKind::Internal,
                "wireroom failed on this document",
            )),
        }
    }
}

fn next(todo: &Mutex<mpsc::Receiver<Work>>) -> Option<Work> {
    todo.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .recv()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_fails_its_own_work_and_no_other() {
        let cpu = Cpu::start(1);

        let hostile = |page: &str| assert!(page.is_empty(), "a hostile page");
        let failed = cpu.run(move || hostile("<html>")).await;
        let fine = cpu.run(|| 2 + 2).await;

        assert_eq!(
            failed.map_err(|failure| failure.kind),
            Err(ErrorKind::Internal)
        );
        assert_eq!(fine, Ok(4));
    }
}
