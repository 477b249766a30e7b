//! `wafcanary origin`: the origin that gives receipts, to be put behind an edge of one's own.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use tokio::net::TcpListener;

use super::console::Console;
use super::session;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::lab::{Limits, OriginServer, OriginSettings, Token};

/// The variable that holds the token itself.
const TOKEN: &str = "WAFCANARY_ORIGIN_TOKEN";

/// Takes uploads (POST, PUT, PATCH) at any path, until Ctrl-C, and gives each attempt's receipt at /receipts/ATTEMPT and its
/// file at /files/ATTEMPT. ATTEMPT is the upload's `X-Wafcanary-Attempt`. /healthz answers health checks.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
With a token, receipts and files need `Authorization: Bearer TOKEN`; uploads need none. It is in the variable
WAFCANARY_ORIGIN_TOKEN, or in the file of --token-file, which goes before the variable.

Examples:
  wafcanary origin
  wafcanary origin --listen 0.0.0.0:8080 --token-file origin.token --log uploads.jsonl
  curl -F file=@report.pdf -H 'X-Wafcanary-Attempt: one' http://127.0.0.1:8080/apply
  curl http://127.0.0.1:8080/receipts/one")]
pub(crate) struct OriginArgs {
    /// Address and port; port 0: any free one. An address beyond loopback needs a token
    #[arg(long, env = "WAFCANARY_LISTEN", value_name = "ADDR:PORT", default_value = "127.0.0.1:8080", value_parser = parse_listen)]
    listen: SocketAddr,
    /// File with the token that receipts and files are given for
    #[arg(long, env = "WAFCANARY_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Append one JSON line for each upload that reaches the origin; no header, field or query of it
    #[arg(long, env = "WAFCANARY_LOG", value_name = "FILE")]
    log: Option<PathBuf>,
    /// Receipts that are kept; the oldest go first
    #[arg(long, env = "WAFCANARY_MAX_RECEIPTS", value_name = "N", default_value_t = NonZeroUsize::new(Limits::default().receipts).unwrap_or(NonZeroUsize::MIN))]
    max_receipts: NonZeroUsize,
    /// Bytes of all files that are kept to be read back; the oldest go first; 0: none is kept
    #[arg(long, env = "WAFCANARY_MAX_STORE_BYTES", value_name = "BYTES", default_value_t = Limits::default().store_bytes)]
    max_store_bytes: usize,
    /// Bytes of the largest file that is kept to be read back
    #[arg(long, env = "WAFCANARY_MAX_FILE_BYTES", value_name = "BYTES", default_value_t = Limits::default().file_bytes)]
    max_file_bytes: usize,
}

fn parse_listen(text: &str) -> std::result::Result<SocketAddr, String> {
    text.parse().map_err(|_| "write an IP address and a port, such as `127.0.0.1:8080` or `[::1]:8080`".to_owned())
}

pub(crate) fn origin(args: &OriginArgs, console: &Console) -> Result<ExitCode> {
    let token = token(args.token_file.as_deref())?;
    if token.is_none() && !args.listen.ip().is_loopback() {
        return Err(Error::usage(format!("`--listen {}` is reachable from other machines, and there is no token", args.listen))
            .help(format!("receipts say what was uploaded: put a token into a file and give it with `--token-file`, or set {TOKEN}; or listen on 127.0.0.1")));
    }
    let limits = Limits {
        receipts: args.max_receipts.get(),
        store_bytes: args.max_store_bytes,
        file_bytes: args.max_file_bytes,
    };
    let log = args.log.as_deref().map(open_log).transpose()?;
    let settings = OriginSettings { limits, token, log, ..OriginSettings::default() };
    session::runtime()?.block_on(serve(args, settings, console))
}

async fn serve(args: &OriginArgs, settings: OriginSettings, console: &Console) -> Result<ExitCode> {
    let needs_token = settings.token.is_some();
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        Error::usage(format!("cannot listen on `{}`: {error}", args.listen))
            .help("choose another address or port with `--listen`; port 0 takes any free one")
    })?;
    let mut stop = session::stop_on_signal();
    let server = OriginServer::start(listener, settings)?;
    console.out(&ready(server.address(), needs_token))?;
    let failure = tokio::select! {
        _ = stop.wait_for(|stop| *stop) => None,
        failure = server.log_failure() => Some(failure),
    };
    server.stop().await;
    match failure {
        None => Ok(ExitCode::Passed),
        Some(failure) => {
            let error =
                Error::inconclusive(format!("the log has holes: {failure}")).help("make room, and start it again");
            Err(error.file(args.log.as_deref().unwrap_or(Path::new("--log"))))
        }
    }
}

/// Where it listens, and the profile's lines for it.
fn ready(address: SocketAddr, needs_token: bool) -> String {
    let host = if address.ip().is_unspecified() { format!("ORIGIN:{}", address.port()) } else { address.to_string() };
    let header = if needs_token {
        format!(", headers = [{{ name = \"Authorization\", value = \"Bearer ${{env:{TOKEN}}}\" }}]")
    } else {
        String::new()
    };
    format!(
        "listening on http://{address}\n\
         receipt = {{ url = \"http://{host}/receipts/{{attempt}}\", size = \"/size\", filename = \"/filename\"{header} }}\n\
         Ctrl-C stops it\n"
    )
}

fn open_log(path: &Path) -> Result<std::fs::File> {
    std::fs::File::options().append(true).create(true).open(path).map_err(|error| {
        Error::usage(format!("cannot write the log: {error}"))
            .file(path)
            .help("give a file that can be written to with `--log`")
    })
}

/// The token of the file, else of the variable; `None`: neither is given.
fn token(file: Option<&Path>) -> Result<Option<Token>> {
    let help = "write one word of visible ASCII, such as that of `openssl rand -hex 24`";
    if let Some(file) = file {
        let text = std::fs::read_to_string(file).map_err(|error| {
            Error::usage(format!("cannot read the token: {error}"))
                .file(file)
                .help("give a readable file with the token alone in it with `--token-file`")
        })?;
        let token = Token::new(text.trim_ascii());
        return token
            .map(Some)
            .ok_or_else(|| Error::usage("`--token-file` is empty, or holds more than a token").file(file).help(help));
    }
    let Some(text) = std::env::var_os(TOKEN) else { return Ok(None) };
    let token = text.to_str().and_then(Token::new);
    token.map(Some).ok_or_else(|| Error::usage(format!("{TOKEN} is empty, or holds more than a token")).help(help))
}
