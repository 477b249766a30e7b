//! What a selection covers: formats × sizes × name classes, clients, transports, procedures; and what it does not.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Case, Intent, NameClass};

/// A range of sizes between the edges up to which WAFs are known to look into a body.
///
/// Source: the limits of AWS WAF (8, 16, 32 and 64 KiB), Azure (128 KiB), and the 1 and 10 MiB of forms and appliances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum SizeClass {
    /// At most 8 KiB.
    #[serde(rename = "8KiB")]
    KiB8,
    /// At most 16 KiB.
    #[serde(rename = "16KiB")]
    KiB16,
    /// At most 32 KiB.
    #[serde(rename = "32KiB")]
    KiB32,
    /// At most 64 KiB.
    #[serde(rename = "64KiB")]
    KiB64,
    /// At most 128 KiB.
    #[serde(rename = "128KiB")]
    KiB128,
    /// At most 1 MiB.
    #[serde(rename = "1MiB")]
    MiB1,
    /// At most 10 MiB.
    #[serde(rename = "10MiB")]
    MiB10,
    /// Over 10 MiB.
    #[serde(rename = "over-10MiB")]
    Over,
}

impl SizeClass {
    /// Every class, the smallest first.
    pub const ALL: [Self; 8] =
        [Self::KiB8, Self::KiB16, Self::KiB32, Self::KiB64, Self::KiB128, Self::MiB1, Self::MiB10, Self::Over];

    /// The largest size of the class in bytes; `None`: there is none.
    #[must_use]
    pub fn limit(self) -> Option<u64> {
        match self {
            Self::KiB8 => Some(8 << 10),
            Self::KiB16 => Some(16 << 10),
            Self::KiB32 => Some(32 << 10),
            Self::KiB64 => Some(64 << 10),
            Self::KiB128 => Some(128 << 10),
            Self::MiB1 => Some(1 << 20),
            Self::MiB10 => Some(10 << 20),
            Self::Over => None,
        }
    }

    /// The class of a size.
    #[must_use]
    pub fn of(bytes: u64) -> Self {
        Self::ALL.into_iter().find(|class| class.limit().is_none_or(|limit| bytes <= limit)).unwrap_or(Self::Over)
    }

    /// As people write it: `≤8 KiB`.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::KiB8 => "≤8 KiB",
            Self::KiB16 => "≤16",
            Self::KiB32 => "≤32",
            Self::KiB64 => "≤64",
            Self::KiB128 => "≤128",
            Self::MiB1 => "≤1 MiB",
            Self::MiB10 => "≤10",
            Self::Over => ">10 MiB",
        }
    }
}

/// Formats that people attach to forms, each with its extensions: what platforms accept, and what construction and
/// procurement need.
const COMMON: &[&[&str]] = &[
    &["pdf"],
    &["jpg", "jpeg"],
    &["png"],
    &["gif"],
    &["bmp"],
    &["tif", "tiff"],
    &["heic", "heif"],
    &["webp"],
    &["svg"],
    &["doc"],
    &["docx"],
    &["docm"],
    &["xls"],
    &["xlsx"],
    &["xlsm"],
    &["ppt"],
    &["pptx"],
    &["odt"],
    &["ods"],
    &["rtf"],
    &["jtd"],
    &["xdw"],
    &["xbd"],
    &["txt"],
    &["csv"],
    &["xml"],
    &["json"],
    &["html", "htm"],
    &["eml"],
    &["msg"],
    &["zip"],
    &["7z"],
    &["lzh", "lha"],
    &["rar"],
    &["jww"],
    &["dxf"],
    &["dwg"],
    &["sfc"],
    &["p21"],
    &["mp4"],
    &["mov"],
    &["mp3"],
    &["m4a"],
    &["wav"],
];

/// What a selection covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Legitimate attachments.
    pub attachments: usize,
    /// Controls.
    pub controls: usize,
    /// Cases, those of controls too.
    pub cases: usize,
    /// By format: the family of attachments, the part of their ids before the first `/`.
    pub formats: BTreeMap<String, Format>,
    /// Cases by name class; those of no case are left out.
    pub names: BTreeMap<NameClass, usize>,
    /// Cases by client.
    pub clients: BTreeMap<String, usize>,
    /// Cases by transport.
    pub transports: BTreeMap<String, usize>,
    /// Legitimate attachments by procedure.
    pub procedures: BTreeMap<String, usize>,
    /// The cases of each format, size and name class that there are. A case counts in each of its name classes.
    pub cells: Vec<Cell>,
    /// What no legitimate attachment and no case covers.
    pub not_covered: NotCovered,
}

/// What a selection has of a format.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Format {
    /// Attachments.
    pub attachments: usize,
    /// Cases.
    pub cases: usize,
    /// Cases by size.
    pub sizes: BTreeMap<SizeClass, usize>,
}

/// The cases of a format, a size and a name class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// The family.
    pub format: String,
    /// The size.
    pub size: SizeClass,
    /// The name class.
    pub name: NameClass,
    /// How many.
    pub cases: usize,
}

/// What is not covered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotCovered {
    /// Extensions of common formats that no legitimate attachment has.
    pub formats: Vec<&'static str>,
    /// Sizes that no legitimate case has.
    pub sizes: Vec<SizeClass>,
    /// Name classes that no legitimate case has.
    pub names: Vec<NameClass>,
    /// Procedures with a single attachment: one file stands for all that people send there.
    pub single_attachment: Vec<String>,
}

impl Stats {
    /// Counts the cases of a selection.
    #[must_use]
    pub fn of(cases: &[Case]) -> Self {
        let mut stats = Self {
            attachments: 0,
            controls: 0,
            cases: cases.len(),
            formats: BTreeMap::new(),
            names: BTreeMap::new(),
            clients: BTreeMap::new(),
            transports: BTreeMap::new(),
            procedures: BTreeMap::new(),
            cells: Vec::new(),
            not_covered: NotCovered {
                formats: Vec::new(),
                sizes: Vec::new(),
                names: Vec::new(),
                single_attachment: Vec::new(),
            },
        };
        let mut seen = BTreeSet::new();
        let mut cells: BTreeMap<(&str, SizeClass, NameClass), usize> = BTreeMap::new();
        let mut legit = Covered::default();
        for case in cases {
            let size = SizeClass::of(case.content.len());
            let names = NameClass::of(&case.filename);
            let format = stats.formats.entry(case.attachment.family().to_owned()).or_default();
            format.cases += 1;
            *format.sizes.entry(size).or_default() += 1;
            if seen.insert(&case.attachment.id) {
                format.attachments += 1;
                match case.attachment.intent {
                    Intent::Legit => stats.attachments += 1,
                    Intent::Control => stats.controls += 1,
                }
                if case.attachment.intent == Intent::Legit {
                    for procedure in &case.attachment.procedures {
                        *stats.procedures.entry(procedure.clone()).or_default() += 1;
                    }
                }
            }
            *stats.clients.entry(case.client.as_str().to_owned()).or_default() += 1;
            *stats.transports.entry(case.transport.as_str().to_owned()).or_default() += 1;
            for name in &names {
                *stats.names.entry(*name).or_default() += 1;
                *cells.entry((case.attachment.family(), size, *name)).or_default() += 1;
            }
            if case.attachment.intent == Intent::Legit {
                legit.add(case, size, &names);
            }
        }
        let cell =
            |((format, size, name), cases): ((&str, _, _), _)| Cell { format: format.to_owned(), size, name, cases };
        stats.cells = cells.into_iter().map(cell).collect();
        stats.not_covered = legit.gaps(&stats.procedures);
        stats
    }
}

/// What legitimate cases have.
#[derive(Default)]
struct Covered {
    extensions: BTreeSet<String>,
    sizes: BTreeSet<SizeClass>,
    names: BTreeSet<NameClass>,
}

impl Covered {
    fn add(&mut self, case: &Case, size: SizeClass, names: &[NameClass]) {
        // The family counts as well: a format may be sent under a name without its extension.
        self.extensions.insert(case.attachment.family().to_lowercase());
        self.extensions.extend(case.filename.text.rsplit_once('.').map(|(_, extension)| extension.to_lowercase()));
        self.sizes.insert(size);
        self.names.extend(names);
    }

    fn gaps(&self, procedures: &BTreeMap<String, usize>) -> NotCovered {
        let lacking = |format: &&&[&str]| !format.iter().any(|extension| self.extensions.contains(*extension));
        NotCovered {
            formats: COMMON.iter().filter(lacking).map(|format| format[0]).collect(),
            sizes: SizeClass::ALL.into_iter().filter(|size| !self.sizes.contains(size)).collect(),
            names: NameClass::ALL.iter().copied().filter(|name| !self.names.contains(name)).collect(),
            single_attachment: procedures.iter().filter(|(_, n)| **n == 1).map(|(name, _)| name.clone()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::{Corpus, Selection};

    fn stats(manifest: &str, files: &[(&str, usize)]) -> Stats {
        let dir = tempfile::tempdir().unwrap();
        for (file, len) in files {
            std::fs::write(dir.path().join(file), vec![b'a'; *len]).unwrap();
        }
        std::fs::write(dir.path().join("manifest.toml"), format!("schema_version = 1\nname = 'x'\n{manifest}"))
            .unwrap();
        let corpus = Corpus::open(dir.path()).unwrap();
        Stats::of(&corpus.select(&Selection { controls: true, ..Selection::default() }).unwrap())
    }

    #[test]
    fn sizes_end_at_the_edges_of_inspection() {
        assert_eq!(SizeClass::of(0), SizeClass::KiB8);
        assert_eq!(SizeClass::of(8192), SizeClass::KiB8);
        assert_eq!(SizeClass::of(8193), SizeClass::KiB16);
        assert_eq!(SizeClass::of(128 << 10), SizeClass::KiB128);
        assert_eq!(SizeClass::of((10 << 20) + 1), SizeClass::Over);
    }

    #[test]
    fn a_case_counts_in_its_format_its_size_and_each_of_its_name_classes() {
        let manifest = "[axes]\nclient = ['chromium', 'curl']\n\
             [[attachment]]\nid = 'pdf/a'\nfile = 'a.pdf'\nfilename = '届 1.PDF'\nprocedures = ['届出', '申請']\n\
             [[attachment]]\nid = 'txt/b'\nfile = 'b.txt'\nprocedures = ['申請']\n\
             [[attachment]]\nid = 'control/c'\nfile = 'c.jpg'\nintent = 'control'\ntwin = 'txt/b'\nprocedures = ['届出']\n";
        let stats = stats(manifest, &[("a.pdf", 9000), ("b.txt", 1), ("c.jpg", 20_000)]);
        assert_eq!((stats.attachments, stats.controls, stats.cases), (2, 1, 5));
        assert_eq!(stats.formats["pdf"].sizes, BTreeMap::from([(SizeClass::KiB16, 2)]));
        let names =
            [(NameClass::Plain, 3), (NameClass::Japanese, 2), (NameClass::Space, 2), (NameClass::UpperExtension, 2)];
        assert_eq!(stats.names, BTreeMap::from(names));
        let cell = Cell { format: "pdf".into(), size: SizeClass::KiB16, name: NameClass::Space, cases: 2 };
        assert!(stats.cells.contains(&cell), "{:?}", stats.cells);
        assert_eq!(stats.clients, BTreeMap::from([("chromium".to_owned(), 3), ("curl".to_owned(), 2)]));
        assert_eq!(stats.procedures, BTreeMap::from([("届出".to_owned(), 1), ("申請".to_owned(), 2)]));
    }

    #[test]
    fn a_control_covers_nothing() {
        let manifest = "[[attachment]]\nid = 'txt/b'\nfile = 'b.txt'\nprocedures = ['申請']\n\
             [[attachment]]\nid = 'control/c'\nfile = 'c.jpg'\nintent = 'control'\ntwin = 'txt/b'\n";
        let gaps = stats(manifest, &[("b.txt", 1), ("c.jpg", 20_000)]).not_covered;
        assert!(gaps.formats.contains(&"jpg") && !gaps.formats.contains(&"txt"), "{:?}", gaps.formats);
        assert!(gaps.sizes.contains(&SizeClass::KiB32) && !gaps.sizes.contains(&SizeClass::KiB8));
        assert!(gaps.names.contains(&NameClass::Japanese) && !gaps.names.contains(&NameClass::Plain));
        assert_eq!(gaps.single_attachment, ["申請"]);
    }
}
