//! Which of the things that an attachment says of its form.

use std::ops::Range;

use super::super::questions::{Questions, Stop};
use super::super::{Detail, search};
use super::holds;
use crate::corpus::{Case, FormOverrides};

/// One of them.
enum Said<'a> {
    Field(&'a str),
    Boundary(&'a str),
    Quoted,
    Parameter(&'a (String, String)),
    PartHeader(&'a (String, String)),
}

impl Said<'_> {
    fn words(&self) -> String {
        match self {
            Self::Field(name) => format!("name=\"{name}\""),
            Self::Boundary(boundary) => format!("boundary={boundary}"),
            Self::Quoted => "boundary between quotes".to_owned(),
            Self::Parameter((name, value)) => format!("{name}={value}"),
            Self::PartHeader((name, value)) => format!("{name}: {value}"),
        }
    }
}

pub(super) async fn look(smallest: &mut Case, questions: &mut Questions) -> Result<Detail, Stop> {
    let case = smallest.clone();
    let all = said(&case.form_overrides);
    let with = |runs: &[Range<u64>]| {
        let mut form_overrides = FormOverrides::default();
        for (_, said) in all.iter().enumerate().filter(|(at, _)| holds(runs, *at)) {
            match said {
                Said::Field(name) => form_overrides.field = Some((*name).to_owned()),
                Said::Boundary(boundary) => form_overrides.boundary = Some((*boundary).to_owned()),
                Said::Quoted => form_overrides.quoted_boundary = true,
                Said::Parameter(pair) => form_overrides.parameters.push((*pair).clone()),
                Said::PartHeader(pair) => form_overrides.part_headers.push((*pair).clone()),
            }
        }
        Case { form_overrides, ..case.clone() }
    };
    let len = all.len() as u64;
    let runs = search::minimal(len, &mut async |runs: &[Range<u64>]| questions.refuses(&with(runs)).await).await?;
    *smallest = with(&runs);
    let guilty = all.iter().enumerate().filter(|(at, _)| holds(&runs, *at));
    Ok(Detail::Form { lines: guilty.map(|(_, said)| said.words()).collect() })
}

fn said(overrides: &FormOverrides) -> Vec<Said<'_>> {
    let FormOverrides { field, boundary, quoted_boundary, parameters, part_headers } = overrides;
    let field = field.iter().map(|name| Said::Field(name));
    let boundary = boundary.iter().map(|boundary| Said::Boundary(boundary));
    let quoted = quoted_boundary.then_some(Said::Quoted);
    let more = parameters.iter().map(Said::Parameter).chain(part_headers.iter().map(Said::PartHeader));
    field.chain(boundary).chain(quoted).chain(more).collect()
}
