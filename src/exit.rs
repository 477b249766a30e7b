//! Exit codes: the same meaning for every command.

/// What the process tells its caller.
///
/// The codes are part of the stable interface; the finer classes are in the JSON output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// The gate passed, or the command did what was asked.
    Passed = 0,
    /// The gate failed: at least one finding is over its limit.
    Failed = 1,
    /// Wrong usage or configuration; nothing was sent.
    Usage = 2,
    /// Nothing can be said: unreachable, throttled, too little covered. Never a pass.
    Inconclusive = 3,
    /// Ended by Ctrl-C or SIGTERM after the journal was written; `--resume` goes on.
    Interrupted = 130,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
