//! The service manager: what systemd wants to know of a `Type=notify` service (sd_notify(3)).
//!
//! Everything here does nothing when nobody asks, that is without `NOTIFY_SOCKET`. A message
//! that cannot be sent is a debug line and no more: the work is not worth less for it.

use std::time::Duration;

use sd_notify::NotifyState;

use super::line::escape;

/// The service is up: the store is open and the first schedule stands.
pub fn ready(status: &str) {
    send(&[NotifyState::Ready, NotifyState::Status(&escape(status))]);
}

/// A reload begins; [`ready`] ends it. With the monotonic time, as `Type=notify-reload` of
/// systemd 253 and later wants it.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send(&[NotifyState::Reloading, now]),
        Err(_) => send(&[NotifyState::Reloading]),
    }
}

/// The service ends.
pub fn stopping() {
    send(&[
        NotifyState::Stopping,
        NotifyState::Status("finishing what is under way"),
    ]);
}

/// One line for `systemctl status`: `212 feeds, 3 failing, next poll in 12 s`.
pub fn status(text: &str) {
    send(&[NotifyState::Status(&escape(text))]);
}

/// A sign of life, to be given by the loop whose progress it vouches for, not by a timer.
pub fn watchdog() {
    send(&[NotifyState::Watchdog]);
}

/// How often [`watchdog`] is to be called: half of `WATCHDOG_USEC`, as sd_watchdog_enabled(3)
/// recommends. `None` when nobody watches.
#[must_use]
pub fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled()
        .map(|limit| limit / 2)
        .filter(|interval| !interval.is_zero())
}

/// Start or stop takes up to `more` longer than the unit allows, from now, such as a long
/// migration. To be repeated before it has passed.
pub fn extend_timeout(more: Duration) {
    let micros = u32::try_from(more.as_micros()).unwrap_or(u32::MAX);
    send(&[NotifyState::ExtendTimeoutUsec(micros)]);
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(error.detail = %error, "cannot reach the service manager");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;
    use std::process::Command;

    use super::*;

    /// What the child process of the test below says to its service manager. Without one,
    /// as in an ordinary run of the tests, it says nothing.
    #[test]
    fn without_a_service_manager_nothing_is_said() {
        ready("2 feeds\nforged=1");
        reloading();
        watchdog();
        extend_timeout(Duration::from_secs(90));
        stopping();

        let watched = std::env::var_os("WATCHDOG_USEC").is_some();
        let expected = watched.then_some(Duration::from_secs(30));
        assert_eq!(watchdog_interval(), expected);
    }

    #[test]
    fn a_service_manager_hears_ready_reloading_watchdog_and_stopping() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();

        // The variables of this process are shared by all its tests, so that the messages
        // come from a process of their own: the test above, alone.
        let name = "telemetry::service::tests::without_a_service_manager_nothing_is_said";
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env("NOTIFY_SOCKET", &path)
            .env("WATCHDOG_USEC", "60000000")
            .output()
            .unwrap();

        assert!(child.status.success(), "{child:?}");
        let mut heard = Vec::new();
        let mut buffer = [0; 4096];
        manager.set_nonblocking(true).unwrap();
        while let Ok(length) = manager.recv(&mut buffer) {
            heard.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
        assert_eq!(heard[0], "READY=1\nSTATUS=2 feeds\\nforged=1\n");
        assert!(heard[1].starts_with("RELOADING=1\nMONOTONIC_USEC="));
        assert_eq!(
            heard[2..],
            [
                "WATCHDOG=1\n",
                "EXTEND_TIMEOUT_USEC=90000000\n",
                "STOPPING=1\nSTATUS=finishing what is under way\n"
            ]
        );
    }
}
