//! What `explain` and `suggest` begin with: the regressions of a comparison, and the candidate's profile.

use std::path::PathBuf;

use globset::Glob;

use super::compare::CompareArgs;
use super::session;
use crate::compare::{ComparedCase, Comparison};
use crate::error::{Error, Result};

/// Name of the explanations' document.
pub(crate) const EXPLANATIONS: &str = "explanations.json";

/// The cases of a comparison that `is_one` and whose id matches one of the globs; none given: all.
pub(crate) fn chosen<'a>(
    comparison: &'a Comparison,
    globs: &[String],
    is_one: impl Fn(&ComparedCase) -> bool,
    to: &str,
) -> Result<Vec<&'a ComparedCase>> {
    let matchers = globs
        .iter()
        .map(|text| Glob::new(text).map(|glob| (text, glob.compile_matcher())))
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|error| Error::usage(format!("this is no glob for case ids: {error}")).key("CASE"))?;
    let fits = |id: &str| matchers.iter().any(|(text, glob)| *text == id || glob.is_match(id));
    let regressions = comparison.cases.iter().filter(|case| is_one(case));
    let chosen: Vec<_> = regressions.filter(|case| globs.is_empty() || fits(case.id.as_str())).collect();
    if chosen.is_empty() {
        let none = format!("the comparison has no regression to {to}");
        let message = if globs.is_empty() { &none } else { "no regression matches" };
        return Err(Error::usage(message).help("`wafcanary report COMPARISON` lists the regressions"));
    }
    Ok(chosen)
}

/// The profile that is given, or the one that was compared; `only` says what a stored run can't do.
pub(crate) fn candidate_profile(given: Option<&PathBuf>, kept: &CompareArgs, only: &str) -> Result<PathBuf> {
    let help = "give the candidate's profile";
    if let Some(path) = given {
        return Ok(path.clone());
    }
    let Some(path) = kept.candidate.clone().filter(|path| !session::is_stored_run(path)) else {
        let error = Error::usage(format!("the candidate was a stored run, and only {only}"));
        return Err(error.key("--profile").help(help));
    };
    if !path.is_file() {
        let error = Error::usage("the profile that was compared is not there").file(path);
        return Err(error.key("--profile").help(format!("{help}, or call this where `compare` was called")));
    }
    Ok(path)
}
