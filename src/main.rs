//! The `wafcanary` command.

fn main() -> std::process::ExitCode {
    wafcanary::cli::main().into()
}
