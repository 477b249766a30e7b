//! Where uploads go and what proves their delivery: a TOML file, resolved against presets and the environment.

pub mod address;
mod de;
pub mod guard;
pub mod lint;
mod load;
mod lower;
mod lower_request;
mod node;
pub mod oracle;
pub mod preset;
mod raw;
mod resolved;
pub mod secret;
pub mod step;
mod substitute;
pub mod target;
pub mod template;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use address::{destination, fixed_addresses, redirected};
pub use guard::{Environment, Guard, Pace, Timeouts};
pub use lint::{Lint, check};
pub use oracle::{BodyMatch, HeaderMatch, JsonMatch, Oracle, Proof, ReadBack, ReceiptSource, ReceiptSpec, StatusSet};
pub use preset::{Preset, presets};
pub use resolved::{Resolved, schema};
pub use secret::{Redactor, Secret};
pub use step::{Capture, CaptureFrom, Each, Step, StepBody};
pub use target::{ConnectTo, HttpVersion, Resolve, Scheme, Target, Tls};

use crate::corpus::Transport;

/// A profile, resolved: `extends` merged, `${env:…}` filled in, every value checked.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Name in reports: the key `name`, or the file's stem.
    pub name: String,
    /// The file that it was read from.
    pub path: PathBuf,
    /// The network side: URL, addresses, TLS, proxy, protocol.
    pub target: Target,
    /// The request side.
    pub upload: Upload,
    /// What proves delivery.
    pub oracle: Oracle,
    /// Requests before the upload: sign in, get the form.
    pub before: Vec<Step>,
    /// Requests after it: confirm page, read-back.
    pub after: Vec<Step>,
    /// How fast, how many at a time, how much at most.
    pub pace: Pace,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// What may be sent, and where.
    pub guard: Guard,
    /// For an embedded edge: the table `[lab]` as it is in the file, read by `lab`.
    pub lab: Option<toml::Table>,
    /// Knows every secret value of the profile, to take them out of what is recorded.
    pub redactor: Arc<Redactor>,
    /// How long a receipt or a file to read back may take to appear.
    pub receipt_wait: Duration,
    /// Every value with the place where it was written, for [`Profile::show`] and [`Profile::digest`].
    pub resolved: Resolved,
}

/// How the file is put into the request.
#[derive(Debug, Clone)]
pub struct Upload {
    /// `None`: POST, or PUT for the `put` transport.
    pub method: Option<String>,
    /// Path and query below the target's URL; `None`: the URL's own. `{filename}`, `{case}`, `{attempt}` and
    /// `{run}` are filled in, percent-encoded.
    pub path: Option<String>,
    /// Name of the file field.
    pub field: String,
    /// Text fields before the file; values may hold `${capture}` names of steps.
    pub fields: Vec<(String, Secret<String>)>,
    /// Request headers; values may hold captures.
    pub headers: Vec<(String, Secret<String>)>,
    /// The transport of cases that do not fix one.
    pub transport: Transport,
    /// The page that holds the form, for `Referer` and `Origin`.
    pub page_url: Option<String>,
    /// What is taken from the upload's answer, for the steps after it, the receipt and read-back.
    pub captures: Vec<Capture>,
}
