//! What a preflight says of an edge.

/// How grave a finding is, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// All is well.
    Fine,
    /// It was not looked at.
    Skipped,
    /// Sending can go on, and its result may mean less than it seems to.
    Warning,
    /// The edge does not do what a comparison rests on.
    Failure,
    /// It cannot be known: the edge, or what proves delivery, could not be asked.
    Inconclusive,
}

impl Level {
    /// The word in front of a finding.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Failure => "failed",
            Self::Inconclusive => "unknown",
        }
    }
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Check {
    /// The edge takes connections.
    Reach,
    /// The steps before the upload are done.
    Steps,
    /// Nobody asks for other credentials.
    Credentials,
    /// The receipt, or the file read back, is there.
    Receipt,
    /// A benign upload is delivered.
    Benign,
    /// A control is kept out.
    Controls,
    /// Neither the pace nor the controls get us banned.
    Pace,
    /// Both clocks agree.
    Clock,
    /// The profile's ceilings leave room.
    Ceiling,
    /// Baseline and candidate are two edges.
    Sides,
}

impl Check {
    /// Its stable name when all is well, and its stable code when it is not.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Reach => ("reachable", "unreachable"),
            Self::Steps => ("steps", "step_failed"),
            Self::Credentials => ("credentials", "credentials"),
            Self::Receipt => ("receipt", "receipt_missing"),
            Self::Benign => ("benign", "benign_refused"),
            Self::Controls => ("controls", "waf_off"),
            Self::Pace => ("pace", "pace"),
            Self::Clock => ("clock", "clock_skew"),
            Self::Ceiling => ("ceiling", "ceiling"),
            Self::Sides => ("sides", "same_edge"),
        }
    }
}

/// One thing that a preflight found, good or bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How grave it is.
    pub level: Level,
    /// What was looked at.
    pub check: Check,
    /// The fact.
    pub message: String,
    /// What to do about it; `None` where nothing needs to be done.
    pub help: Option<String>,
}

impl Finding {
    pub(super) fn fine(check: Check, message: impl Into<String>) -> Self {
        Self { level: Level::Fine, check, message: message.into(), help: None }
    }

    pub(super) fn new(level: Level, check: Check, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { level, check, message: message.into(), help: Some(help.into()) }
    }

    /// Its stable name: `reachable` where all is well, `unreachable` where it is not.
    #[must_use]
    pub fn code(&self) -> &'static str {
        let (fine, trouble) = self.check.names();
        if self.level <= Level::Skipped { fine } else { trouble }
    }
}
