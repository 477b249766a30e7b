//! x

/// Parses the arguments and runs the command.
#[must_use]
pub fn main() -> crate::exit::ExitCode {
    crate::exit::ExitCode::Usage
}
