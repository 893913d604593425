//! How the checks are printed: a line each, and what to do.

use serde_json::json;

use crate::cli::{Exit, output};

/// Prints each finding when it is made, and remembers the worst.
pub(super) struct Report {
    json: bool,
    failed: bool,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            failed: false,
        }
    }

    pub(super) fn ok(&mut self, check: &str, message: impl ToString) -> anyhow::Result<()> {
        self.print("ok", check, &message.to_string(), None)
    }

    pub(super) fn warn(
        &mut self,
        check: &str,
        message: impl ToString,
        remedy: &str,
    ) -> anyhow::Result<()> {
        self.print("warn", check, &message.to_string(), Some(remedy))
    }

    pub(super) fn fail(
        &mut self,
        check: &str,
        message: impl ToString,
        remedy: &str,
    ) -> anyhow::Result<()> {
        self.failed = true;
        self.print("fail", check, &message.to_string(), Some(remedy))
    }

    fn print(
        &self,
        state: &str,
        check: &str,
        message: &str,
        remedy: Option<&str>,
    ) -> anyhow::Result<()> {
        if self.json {
            let object = json!({
                "check": check, "state": state, "message": message, "remedy": remedy,
            });
            return Ok(output::json(&object)?);
        }
        let style = match state {
            "ok" => output::GOOD,
            "warn" => output::MARK,
            _ => output::BAD,
        };
        let label = output::styled(style, format_args!("{:<4}", state.to_uppercase()));
        output::line(format_args!("{label} {check}: {}", output::clean(message)))?;
        if let Some(remedy) = remedy {
            output::line(format_args!("     -> {remedy}"))?;
        }
        Ok(())
    }

    pub(super) fn exit(&self) -> Exit {
        if self.failed {
            Exit::Failed
        } else {
            Exit::Success
        }
    }
}
