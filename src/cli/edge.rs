//! One edge, ready to be sent to: its profile, and its embedded lab where the profile brings one.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use super::console::Console;
use super::options::SendOptions;
use crate::error::{Error, Result};
use crate::lab::{self, Lab};
use crate::profile::{ConnectTo, Environment, Profile};

/// A profile that can be sent to. The lab edge that it started ends with it.
pub(crate) struct Edge {
    pub(crate) profile: Arc<Profile>,
    _lab: Option<Lab>,
}

impl Edge {
    /// Loads the profile, applies what the flags say, and starts its lab edge if it has one.
    pub(crate) async fn open(path: &Path, send: &SendOptions, console: &Console) -> Result<Self> {
        let profile = load(path, send)?;
        for lint in crate::profile::check(&profile) {
            console.warn(&format!("profile `{}`: {lint}", profile.name));
        }
        Self::start(profile, path).await
    }

    /// Starts the lab edge of a profile, if it has one.
    pub(crate) async fn start(mut profile: Profile, path: &Path) -> Result<Self> {
        let lab = match &profile.lab {
            Some(table) => {
                let options = lab::Options { listen: IpAddr::V4(Ipv4Addr::LOCALHOST), ..lab::Options::default() };
                let lab = Lab::start(table, path, &options).await?;
                point_at(&mut profile, &lab);
                Some(lab)
            }
            None => None,
        };
        Ok(Self { profile: Arc::new(profile), _lab: lab })
    }
}

/// The profile with what the flags say, fit to be sent to.
pub(crate) fn load(path: &Path, send: &SendOptions) -> Result<Profile> {
    let mut profile = Profile::load(path, &|name| std::env::var(name).ok())?;
    if let Some(rate) = send.rate {
        if !(rate.is_finite() && rate >= 0.0) {
            return Err(Error::usage(format!("`{rate}` is no rate"))
                .key("--rate")
                .help("give requests a second; 0: unpaced"));
        }
        profile.pace.rate = (rate > 0.0).then_some(rate);
    }
    if let Some(concurrency) = send.concurrency {
        if concurrency == 0 {
            return Err(Error::usage("no request can be sent with concurrency 0")
                .key("--concurrency")
                .help("give 1 or more"));
        }
        profile.pace.concurrency = concurrency;
    }
    if !send.dry_run {
        let help = "see with `--dry-run` what would be sent, then add `--allow-production`";
        refuse_production(&profile, path, send.allow_production, help)?;
    }
    Ok(profile)
}

/// Refuses to send to production unless it is `allowed`; `help` says how else to go on.
pub(crate) fn refuse_production(profile: &Profile, path: &Path, allowed: bool, help: &str) -> Result<()> {
    if profile.guard.environment != Environment::Production || allowed {
        return Ok(());
    }
    Err(Error::usage(format!("profile `{}` sends to production", profile.name))
        .file(path)
        .key("guard.environment")
        .help(help))
}

fn point_at(profile: &mut Profile, lab: &Lab) {
    for (host, port, address) in lab.connect_to() {
        profile.target.connect_to.push(ConnectTo {
            from_host: host,
            from_port: Some(port),
            to_host: address.ip().to_string(),
            to_port: Some(address.port()),
        });
    }
    profile.target.tls.ca_pem = Some(lab.ca_pem().to_owned());
}
