//! Which cases a run sends: sets, globs, tags and procedures.

use std::collections::{BTreeMap, HashMap, HashSet};

use globset::{GlobBuilder, GlobMatcher};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cover::{AXES, Domain, Partial, cover, nearest};
use super::variant::{Choices, Setting, Values, transport_fault, type_name};
use super::{Case, CaseId, Client, Content, Corpus, Entry, Intent, Kind, NameForm, Transport};
use crate::error::{Error, Result};

/// How many cases come of an attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Set {
    /// At most 20 cases: those tagged `smoke`, else a spread over the families.
    Smoke,
    /// Each attachment as it is, each axis value at least once in each file kind ([`Kind`]), and every
    /// possible pair of axis values at least once in the whole corpus: the kinds take turns.
    #[default]
    Standard,
    /// Every combination.
    Full,
}

/// The most cases that the smoke set has.
pub const SMOKE_MAX: usize = 20;

/// The most cases that the full set may have.
pub const FULL_MAX: u128 = 1_000_000;

/// What to send of a corpus. Filters of one kind widen each other, filters of different kinds narrow.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// How many cases come of an attachment.
    pub set: Set,
    /// Globs over case ids, `*` matching `/` too; none: all. A whole id is found whatever the set.
    pub cases: Vec<String>,
    /// Globs over case ids that are left out.
    pub exclude: Vec<String>,
    /// Tags; an attachment needs one of them. Globs.
    pub tags: Vec<String>,
    /// Procedures; an attachment needs one of them. Globs.
    pub procedures: Vec<String>,
    /// Clients instead of those of the corpus; none: the corpus decides.
    pub clients: Vec<Client>,
    /// The profile's transport, for attachments that do not fix one.
    pub transport: Option<Transport>,
    /// Whether controls are sent.
    pub controls: bool,
}

impl Corpus {
    /// The cases of a selection, in the order of the corpus; the same for the same corpus and selection.
    ///
    /// # Errors
    /// A glob that is none, a set that is too large, a file that cannot be read or padded, and an empty selection:
    /// the message says which filter emptied it.
    pub fn select(&self, selection: &Selection) -> Result<Vec<Case>> {
        let globs = Globs::of(selection)?;
        let setting =
            Setting { clients: selection.clients.clone(), transport: selection.transport.unwrap_or_default() };
        let entries = self.filtered(selection, &globs)?;
        let mut maker = Maker { entries: &entries, setting: &setting, seen: HashSet::new(), sizes: HashMap::new() };
        let mut wanted = match selection.set {
            Set::Smoke => maker.smoke(),
            Set::Standard => maker.standard(),
            Set::Full => maker.full()?,
        };
        let made = wanted.len();
        if made == 0 {
            let message = "no case is possible with these clients and this transport";
            return Err(Error::usage(message).help("`wafcanary corpus check` says which combinations are left out"));
        }
        if !globs.cases.is_empty() {
            let ids = maker.by_id(&globs);
            wanted.retain(|wish| globs.cases.iter().any(|glob| glob.is_match(wish.id.as_str())));
            let present: HashSet<CaseId> = wanted.iter().map(|wish| wish.id.clone()).collect();
            wanted.extend(ids.into_iter().filter(|wish| !present.contains(&wish.id)));
            emptied(&wanted, || format!("none of the {made} cases matches {}", quoted(&selection.cases)), CASES_HELP)?;
        }
        wanted.retain(|wish| !globs.exclude.iter().any(|glob| glob.is_match(wish.id.as_str())));
        emptied(&wanted, || format!("excluding {} leaves no case", quoted(&selection.exclude)), EXCLUDE_HELP)?;
        maker.make(&wanted)
    }

    /// The attachments that tags, procedures and the permission to send controls leave.
    fn filtered(&self, selection: &Selection, globs: &Globs) -> Result<Vec<&Entry>> {
        let mut entries: Vec<&Entry> = self.attachments.iter().collect();
        entries.retain(|entry| any_of(&globs.tags, &entry.attachment.tags));
        emptied(&entries, || format!("no attachment has a tag that matches {}", quoted(&selection.tags)), TAGS_HELP)?;
        entries.retain(|entry| any_of(&globs.procedures, &entry.attachment.procedures));
        let message =
            || format!("no attachment that is left has a procedure that matches {}", quoted(&selection.procedures));
        emptied(&entries, message, PROCEDURES_HELP)?;
        entries.retain(|entry| selection.controls || entry.attachment.intent == Intent::Legit);
        let message = || "all attachments that are left are controls, and controls are not sent".to_owned();
        emptied(&entries, message, CONTROLS_HELP)?;
        Ok(entries)
    }
}

const CASES_HELP: &str = "`wafcanary corpus list` shows the ids; `--set full` has more of them";
const EXCLUDE_HELP: &str = "exclude less: an empty run can prove nothing";
const TAGS_HELP: &str = "`wafcanary corpus list` shows the tags; `*` matches any text";
const PROCEDURES_HELP: &str = "`wafcanary corpus list` shows the procedures; `*` matches any text";
const CONTROLS_HELP: &str = "controls are sent where the profile says `authorized = true`";

fn emptied<T>(left: &[T], message: impl FnOnce() -> String, help: &str) -> Result<()> {
    if left.is_empty() { Err(Error::usage(message()).help(help)) } else { Ok(()) }
}

fn quoted(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(" or ")
}

fn any_of(filters: &[Filter], words: &[String]) -> bool {
    filters.is_empty() || words.iter().any(|word| filters.iter().any(|filter| filter.is_match(word)))
}

/// A word, taken literally or as a glob.
struct Filter {
    text: String,
    glob: GlobMatcher,
}

impl Filter {
    fn all(words: &[String], what: &str) -> Result<Vec<Self>> {
        words.iter().map(|word| Self::new(word, what)).collect()
    }

    fn new(text: &str, what: &str) -> Result<Self> {
        let glob = GlobBuilder::new(text).literal_separator(false).backslash_escape(true).build().map_err(|error| {
            let error = Error::usage(format!("`{text}` is no glob for {what}: {}", error.kind()));
            error.help("`*` matches any text, `?` one character, `[ab]` one of them; `\\` takes the next literally")
        })?;
        Ok(Self { text: text.to_owned(), glob: glob.compile_matcher() })
    }

    fn is_match(&self, text: &str) -> bool {
        self.text == text || self.glob.is_match(text)
    }
}

struct Globs {
    cases: Vec<Filter>,
    exclude: Vec<Filter>,
    tags: Vec<Filter>,
    procedures: Vec<Filter>,
}

impl Globs {
    fn of(selection: &Selection) -> Result<Self> {
        Ok(Self {
            cases: Filter::all(&selection.cases, "case ids")?,
            exclude: Filter::all(&selection.exclude, "case ids")?,
            tags: Filter::all(&selection.tags, "tags")?,
            procedures: Filter::all(&selection.procedures, "procedures")?,
        })
    }
}

/// A case that is not made yet.
struct Wish {
    entry: usize,
    id: CaseId,
    values: Values,
}

struct Maker<'a> {
    entries: &'a [&'a Entry],
    setting: &'a Setting,
    seen: HashSet<CaseId>,
    sizes: HashMap<(usize, u64), Content>,
}

impl Maker<'_> {
    fn wish(&mut self, entry: usize, values: Values, out: &mut Vec<Wish>) {
        let id = self.entries[entry].id(&values, self.setting);
        if self.seen.insert(id.clone()) {
            out.push(Wish { entry, id, values });
        }
    }

    fn by_id(&mut self, globs: &Globs) -> Vec<Wish> {
        let mut out = Vec::new();
        for id in globs.cases.iter().filter_map(|filter| CaseId::parse(&filter.text)) {
            let found = self.entries.iter().position(|entry| entry.attachment.id == id.attachment());
            let Some(entry) = found else { continue };
            if let Some(values) = self.entries[entry].values_of(&id, self.setting) {
                self.wish(entry, values, &mut out);
            }
        }
        out
    }

    /// The attachments by what `key` says of them, one group after the other in the order in which they first appear.
    fn groups<'a, K: Ord>(&'a self, key: impl Fn(&'a Entry) -> K) -> Vec<Vec<usize>> {
        let mut order: Vec<Vec<usize>> = Vec::new();
        let mut places: BTreeMap<K, usize> = BTreeMap::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let place = *places.entry(key(entry)).or_insert_with(|| {
                order.push(Vec::new());
                order.len() - 1
            });
            order[place].push(index);
        }
        order
    }

    fn smoke(&mut self) -> Vec<Wish> {
        let tagged = |index: &usize| self.entries[*index].attachment.tags.iter().any(|tag| tag == "smoke");
        let mut families = self.groups(|entry| entry.attachment.family());
        if self.entries.iter().any(|entry| entry.attachment.tags.iter().any(|tag| tag == "smoke")) {
            for family in &mut families {
                family.retain(tagged);
            }
        }
        let mut out = Vec::new();
        let longest = families.iter().map(Vec::len).max().unwrap_or(0);
        for round in 0..longest {
            for entry in families.iter().filter_map(|family| family.get(round).copied()) {
                if out.len() < SMOKE_MAX
                    && let Some(values) = self.own(entry)
                {
                    self.wish(entry, values, &mut out);
                }
            }
        }
        out.sort_by_key(|wish| wish.entry);
        out
    }

    /// The attachment as it is, as near as the clients and the transport allow.
    fn own(&self, entry: usize) -> Option<Values> {
        let family = Family::new(&[entry], self.entries, self.setting);
        nearest(&family.own_domain(0), |partial| family.possible(0, partial)).map(|values| family.values(values))
    }

    fn standard(&mut self) -> Vec<Wish> {
        let members: Vec<usize> = (0..self.entries.len()).collect();
        let all = Family::new(&members, self.entries, self.setting);
        let mut out = Vec::new();
        for row in cover(&self.groups(|entry| Kind::of(&entry.filename.text)), &all.domains, |subject, partial| {
            all.possible(subject, partial)
        }) {
            self.wish(row.subject, all.values(row.values), &mut out);
        }
        out.sort_by_key(|wish| wish.entry);
        out
    }

    fn full(&mut self) -> Result<Vec<Wish>> {
        let count: u128 = self.entries.iter().map(|entry| product(&entry.choices(self.setting))).sum();
        if count > FULL_MAX {
            let message = format!("the full set has {count} combinations, and at most {FULL_MAX} are sent");
            return Err(
                Error::usage(message).help("use the standard set, or fewer tags, procedures, clients or axis values")
            );
        }
        let mut out = Vec::new();
        for entry in 0..self.entries.len() {
            let family = Family::new(&[entry], self.entries, self.setting);
            for values in combinations(&family.domains[0]) {
                if family.possible(0, &values.map(Some)) {
                    self.wish(entry, family.values(values), &mut out);
                }
            }
        }
        Ok(out)
    }

    fn content(&mut self, wish: &Wish) -> Result<Content> {
        let entry = self.entries[wish.entry];
        let Some(size) = wish.values.size else { return Ok(entry.content.clone()) };
        if let Some(content) = self.sizes.get(&(wish.entry, size)) {
            return Ok(content.clone());
        }
        let content = entry.sized(size)?;
        self.sizes.insert((wish.entry, size), content.clone());
        Ok(content)
    }

    fn make(&mut self, wanted: &[Wish]) -> Result<Vec<Case>> {
        let mut cases = Vec::with_capacity(wanted.len());
        for wish in wanted {
            let entry = self.entries[wish.entry];
            let content = self.content(wish)?;
            cases.push(entry.case(&wish.values, self.setting, &content));
        }
        Ok(cases)
    }
}

fn product(choices: &Choices) -> u128 {
    let Choices { name, declared_type, client, transport, size } = choices;
    [name.len(), declared_type.len(), client.len(), transport.len(), size.len()].iter().map(|n| *n as u128).product()
}

fn combinations(domain: &Domain) -> Vec<[u32; AXES]> {
    let mut rows = vec![[0; AXES]];
    for (axis, values) in domain.iter().enumerate() {
        let longer = rows.iter().flat_map(|row| {
            values.iter().map(move |value| {
                let mut row = *row;
                row[axis] = *value;
                row
            })
        });
        rows = longer.collect();
    }
    rows
}

/// Attachments, of one family or of all, with their values as numbers, and which of these go together.
pub(super) struct Family {
    pub(super) domains: Vec<Domain>,
    names: Vec<NameForm>,
    types: Vec<super::DeclaredType>,
    clients: Vec<Client>,
    transports: Vec<Transport>,
    sizes: Vec<Option<u64>>,
    /// By subject: forms, transports and sizes that it cannot have, and form and client that do not go together.
    faults: Vec<Faults>,
}

#[derive(Default)]
struct Faults {
    names: HashSet<u32>,
    transports: HashSet<u32>,
    sizes: HashSet<u32>,
    pages: HashSet<(u32, u32)>,
}

impl Family {
    pub(super) fn new(members: &[usize], entries: &[&Entry], setting: &Setting) -> Self {
        let mut family = Self {
            domains: Vec::with_capacity(members.len()),
            names: Vec::new(),
            types: Vec::new(),
            clients: Vec::new(),
            transports: Vec::new(),
            sizes: Vec::new(),
            faults: Vec::with_capacity(members.len()),
        };
        for entry in members.iter().map(|member| entries[*member]) {
            let choices = entry.choices(setting);
            let domain = [
                numbers(&mut family.names, choices.name),
                numbers(&mut family.types, choices.declared_type),
                numbers(&mut family.clients, choices.client),
                numbers(&mut family.transports, choices.transport),
                numbers(&mut family.sizes, choices.size),
            ];
            family.faults.push(family.faults_of(entry, &domain));
            family.domains.push(domain);
        }
        family
    }

    fn faults_of(&self, entry: &Entry, [names, _, clients, transports, sizes]: &Domain) -> Faults {
        let mut faults = Faults::default();
        for name in names {
            let form = self.names[*name as usize];
            if entry.name_fault(form).is_some() {
                faults.names.insert(*name);
            }
            let clash = |client: &&u32| entry.page_fault(form, self.clients[**client as usize]).is_some();
            faults.pages.extend(clients.iter().filter(clash).map(|client| (*name, *client)));
        }
        let transport_fault = |transport: &&u32| entry.transport_fault(self.transports[**transport as usize]).is_some();
        faults.transports.extend(transports.iter().filter(transport_fault));
        for size in sizes {
            if self.sizes[*size as usize].is_some_and(|bytes| entry.size_fault(bytes).is_some()) {
                faults.sizes.insert(*size);
            }
        }
        faults
    }

    /// Only the clients vary: an attachment as it is may still need another client than the first.
    fn own_domain(&self, subject: usize) -> Domain {
        let [name, kind, client, transport, size] = &self.domains[subject];
        [name[..1].to_vec(), kind[..1].to_vec(), client.clone(), transport[..1].to_vec(), size[..1].to_vec()]
    }

    pub(super) fn possible(&self, subject: usize, [name, _, client, transport, size]: &Partial) -> bool {
        let faults = &self.faults[subject];
        let name_fits = name.is_none_or(|name| !faults.names.contains(&name));
        let size_fits = size.is_none_or(|size| !faults.sizes.contains(&size));
        let page_fits = name.zip(*client).is_none_or(|pair| !faults.pages.contains(&pair));
        let travels = name.zip(*transport).is_none_or(|(name, transport)| {
            transport_fault(self.names[name as usize], self.transports[transport as usize]).is_none()
        });
        let fits_form = transport.is_none_or(|transport| !faults.transports.contains(&transport));
        name_fits && size_fits && page_fits && travels && fits_form
    }

    fn values(&self, [name, kind, client, transport, size]: [u32; AXES]) -> Values {
        Values {
            name: self.names[name as usize],
            declared_type: self.types[kind as usize].clone(),
            client: self.clients[client as usize],
            transport: self.transports[transport as usize],
            size: self.sizes[size as usize],
        }
    }

    /// The axis values that no case of the family can have, as `axis:value`.
    pub(super) fn unreachable(&self) -> Vec<String> {
        let members = [(0..self.domains.len()).collect()];
        let rows = cover(&members, &self.domains, |subject, partial| self.possible(subject, partial));
        let label = |axis: usize, value: u32| {
            let value = value as usize;
            match axis {
                0 => format!("name:{}", self.names[value].as_str()),
                1 => format!("type:{}", type_name(&self.types[value])),
                2 => format!("client:{}", self.clients[value]),
                3 => format!("transport:{}", self.transports[value].as_str()),
                _ => format!("size:{}", self.sizes[value].map_or("own".into(), |size| size.to_string())),
            }
        };
        let mut out = Vec::new();
        for axis in 0..AXES {
            let reached: HashSet<u32> = rows.iter().map(|row| row.values[axis]).collect();
            let mut missed: Vec<u32> = self.domains.iter().flat_map(|domain| domain[axis].iter().copied()).collect();
            missed.sort_unstable();
            missed.dedup();
            out.extend(missed.into_iter().filter(|value| !reached.contains(value)).map(|value| label(axis, value)));
        }
        out
    }
}

/// The places of `values` in `all`, which takes those that it has not.
fn numbers<T: PartialEq>(all: &mut Vec<T>, values: Vec<T>) -> Vec<u32> {
    let place = |value: T| {
        let found = all.iter().position(|known| *known == value);
        let at = found.unwrap_or_else(|| {
            all.push(value);
            all.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    };
    values.into_iter().map(place).collect()
}
