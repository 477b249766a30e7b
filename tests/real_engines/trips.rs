//! What refuses which attachment is in the manifest, from these runs.
//!
//! With `WAFCANARY_UPDATE=1` it is written there, else it is compared.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::heard::Heard;
use crate::witnesses::Reason;

/// Engines whose refusals are on record. Of a ladder the first rung that refuses says it: those above refuse too. From
/// level 3 on, `ModSecurity` 3 refuses every form whatever is in it (920272), which says nothing of an attachment.
const LADDERS: [&[&str]; 5] = [
    &["ngx-rec-only", "ngx-crs-pl1", "ngx-crs-pl2"],
    &["apa-rec-only", "apa-crs-pl1", "apa-crs-pl2", "apa-crs-pl3", "apa-crs-pl4"],
    &["ngx-cmbs1m"],
    &["apa-limit"],
    &["hap-limit"],
];

/// Why an engine refused an attachment, by engine.
type Refusals = BTreeMap<String, Vec<String>>;

/// What the engines refused, by attachment and engine.
#[derive(Default)]
pub(crate) struct Trips(BTreeMap<String, Refusals>);

#[derive(Deserialize)]
struct Manifest {
    attachment: Vec<Attachment>,
}

#[derive(Deserialize)]
struct Attachment {
    id: String,
    trips: Option<Refusals>,
}

impl Trips {
    /// Takes what a run says of the attachments as they are: a case whose id is the attachment's.
    pub(crate) fn hear(&mut self, engine: &str, heard: &Heard) {
        if !LADDERS.concat().contains(&engine) {
            return;
        }
        for case in heard.record.cases.iter().filter(|case| !case.id.contains('~')) {
            let refusals = self.0.entry(case.id.clone()).or_default();
            let reasons = match heard.witnesses.reason(&case.attempts.last().unwrap().id) {
                None => continue,
                Some(Reason::Rules(rules)) => rules.into_iter().collect(),
                Some(other) => vec![other.to_string()],
            };
            refusals.insert(engine.to_owned(), reasons);
        }
    }

    /// The manifest says the same.
    pub(crate) fn settle(mut self) {
        for refusals in self.0.values_mut() {
            let first = |ladder: &[&'static str]| ladder.iter().copied().find(|rung| refusals.contains_key(*rung));
            let shown: Vec<&str> = LADDERS.iter().filter_map(|ladder| first(ladder)).collect();
            refusals.retain(|engine, _| shown.contains(&engine.as_str()));
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/manifest.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        if std::env::var_os("WAFCANARY_UPDATE").is_some() {
            std::fs::write(path, self.written_into(&text)).unwrap();
            return;
        }
        let manifest: Manifest = toml::from_str(&text).unwrap();
        let said: BTreeMap<String, Refusals> =
            manifest.attachment.into_iter().filter_map(|it| Some((it.id, it.trips?))).collect();
        let tried = |id: &&String| self.0.get(*id) != said.get(*id);
        let otherwise: Vec<String> = self
            .0
            .keys()
            .chain(said.keys())
            .filter(tried)
            .map(|id| format!("{id}: the manifest has {:?}, the engines {:?}", said.get(id), self.0.get(id)))
            .collect();
        let shown = otherwise.iter().take(20).map(String::as_str).collect::<Vec<_>>().join("\n");
        assert!(
            otherwise.is_empty(),
            "{} attachments trip elsewhere than corpus/manifest.toml says; `WAFCANARY_UPDATE=1` brings it up to date:\n{shown}",
            otherwise.len()
        );
    }

    /// The manifest's text with a line `trips` at the end of each attachment.
    fn written_into(&self, text: &str) -> String {
        const START: &str = "[[attachment]]\n";
        let mut blocks = text.split(START);
        let mut out = blocks.next().unwrap().to_owned();
        for block in blocks {
            let id = block.lines().find_map(|line| line.strip_prefix("id = \"")?.strip_suffix('"')).unwrap();
            // Where a section ends, comments follow after an empty line.
            let (keys, rest) = match block.split_once("\n\n") {
                Some((keys, rest)) => (keys, format!("\n{rest}")),
                None => (block.trim_end(), String::new()),
            };
            let known = keys.lines().filter(|line| !line.starts_with("trips = ")).map(str::to_owned);
            let lines: Vec<String> = known.chain(self.0.get(id).map(line)).collect();
            out.extend([START, &lines.join("\n"), "\n", &rest]);
        }
        out
    }
}

/// A line of the manifest.
fn line(refusals: &Refusals) -> String {
    let engines: Vec<String> = refusals.iter().map(|(engine, reasons)| format!("{engine} = {reasons:?}")).collect();
    match engines.as_slice() {
        [] => "trips = {}".to_owned(),
        engines => format!("trips = {{ {} }}", engines.join(", ")),
    }
}
