//! What kind of thing a file is, as its extension says: the rows of a compatibility table that people read.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kind of file. Its kebab-case name is part of reports and never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Portable Document Format, and the page descriptions beside it.
    Pdf,
    /// Word processing and books.
    Document,
    /// Workbooks and databases.
    Spreadsheet,
    /// Slides.
    Presentation,
    /// Plain text, tables and data in text, web pages.
    Text,
    /// Mail, calendars, contacts.
    Mail,
    /// Pictures.
    Image,
    /// Archives and compressed files.
    Archive,
    /// Drawings, maps, building models.
    Drawing,
    /// Sound and film.
    Media,
    /// Certificates, signatures, keys.
    Certificate,
    /// Everything else, and names without an extension.
    Other,
}

/// Extensions whose media type says too little, by kind.
const EXTENSIONS: &[(Kind, &[&str])] = &[
    (Kind::Pdf, &["pdf", "ps", "eps", "xps", "oxps", "ofd", "xdw", "xbd", "ai"]),
    (
        Kind::Document,
        &[
            "doc", "docx", "docm", "dot", "dotx", "dotm", "odt", "ott", "fodt", "rtf", "jtd", "jtt", "jtdc", "wps",
            "hwp", "hwpx", "pages", "epub", "one", "pub", "wri",
        ],
    ),
    (
        Kind::Spreadsheet,
        &[
            "xls", "xlsx", "xlsm", "xlsb", "xlt", "xltx", "xltm", "ods", "ots", "fods", "numbers", "db", "sqlite",
            "sqlite3", "mdb", "accdb", "dbf",
        ],
    ),
    (Kind::Presentation, &["ppt", "pptx", "pptm", "pps", "ppsx", "pot", "potx", "odp", "otp", "fodp", "key", "shw"]),
    (
        Kind::Text,
        &[
            "json", "xml", "xtx", "xbrl", "yaml", "yml", "toml", "md", "log", "sql", "mht", "mhtml", "url", "webloc",
            "ini",
        ],
    ),
    (Kind::Mail, &["eml", "msg", "mbox", "ics", "vcf", "oft", "pst", "tnef", "dat"]),
    (Kind::Image, &["heic", "heif", "avif", "jxl", "jp2", "psd", "dng", "cr2", "cr3", "nef", "arw", "dcm"]),
    (
        Kind::Archive,
        &["zip", "7z", "rar", "lzh", "lha", "tar", "gz", "tgz", "bz2", "xz", "zst", "cab", "iso", "jar", "sit"],
    ),
    (
        Kind::Drawing,
        &[
            "dxf", "dwg", "dwf", "jww", "jwc", "sfc", "p21", "stp", "step", "igs", "iges", "stl", "ifc", "shp", "shx",
            "prj", "geojson", "kml", "kmz", "gpx", "gml", "sim", "plt", "skp", "vsd", "vsdx", "odg", "obj", "glb",
            "rvt",
        ],
    ),
    (Kind::Media, &["amr", "m4a", "caf", "3gp"]),
    (
        Kind::Certificate,
        &[
            "p7m", "p7s", "p7b", "p7c", "pem", "cer", "crt", "der", "csr", "p10", "pfx", "p12", "asc", "gpg", "pgp",
            "sig",
        ],
    ),
];

impl Kind {
    /// Every kind, in the order of reports.
    pub const ALL: &'static [Self] = &[
        Self::Pdf,
        Self::Document,
        Self::Spreadsheet,
        Self::Presentation,
        Self::Text,
        Self::Mail,
        Self::Image,
        Self::Archive,
        Self::Drawing,
        Self::Media,
        Self::Certificate,
        Self::Other,
    ];

    /// The kind that the extension of `filename` stands for, whatever the bytes are.
    #[must_use]
    pub fn of(filename: &str) -> Self {
        let extension = match filename.rsplit_once('.') {
            Some((_, extension)) => extension.to_ascii_lowercase(),
            None => return Self::Other,
        };
        let listed = EXTENSIONS.iter().find(|(_, extensions)| extensions.contains(&extension.as_str()));
        if let Some((kind, _)) = listed {
            return *kind;
        }
        let Some(media_type) = mime_guess::from_ext(&extension).first() else { return Self::Other };
        match media_type.type_().as_str() {
            "image" => Self::Image,
            "audio" | "video" => Self::Media,
            "text" => Self::Text,
            _ => Self::Other,
        }
    }

    /// Its name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Document => "document",
            Self::Spreadsheet => "spreadsheet",
            Self::Presentation => "presentation",
            Self::Text => "text",
            Self::Mail => "mail",
            Self::Image => "image",
            Self::Archive => "archive",
            Self::Drawing => "drawing",
            Self::Media => "media",
            Self::Certificate => "certificate",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides_in_any_case() {
        let kinds = [
            ("住民票　写し.PDF", Kind::Pdf),
            ("申請書.jtd", Kind::Document),
            ("様式1.XLSM", Kind::Spreadsheet),
            ("企画書.odp", Kind::Presentation),
            ("名簿.csv", Kind::Text),
            ("ページ.html", Kind::Text),
            ("注文.eml", Kind::Mail),
            ("IMG_1234.HEIC", Kind::Image),
            ("写真.jpeg", Kind::Image),
            ("書類.tar.gz", Kind::Archive),
            ("図面.jww", Kind::Drawing),
            ("通話.amr", Kind::Media),
            ("動画.webm", Kind::Media),
            ("署名.p7s", Kind::Certificate),
            ("申請書", Kind::Other),
            (".htaccess", Kind::Other),
            ("", Kind::Other),
        ];
        for (filename, kind) in kinds {
            assert_eq!(Kind::of(filename), kind, "{filename}");
        }
    }

    #[test]
    fn no_extension_is_listed_twice_and_each_name_is_that_of_the_serialization() {
        let mut seen = std::collections::HashSet::new();
        for extension in EXTENSIONS.iter().flat_map(|(_, extensions)| *extensions) {
            assert!(seen.insert(extension), "{extension}");
        }
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
