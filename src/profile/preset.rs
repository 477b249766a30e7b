//! Presets: what is known of an edge before anything is known of the application behind it.

/// An embedded profile for `extends = "preset/NAME"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// Name after `preset/`.
    pub name: &'static str,
    /// The TOML text.
    pub text: &'static str,
}

impl Preset {
    /// What it is for, in a few words: the first comment line of its text.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches("# ").trim_end_matches('.')
    }
}

const PRESETS: &[Preset] = &[
    Preset { name: "cloudflare", text: include_str!("../../profiles/presets/cloudflare.toml") },
    Preset { name: "cloudfront-awswaf", text: include_str!("../../profiles/presets/cloudfront-awswaf.toml") },
    Preset { name: "azure-front-door", text: include_str!("../../profiles/presets/azure-front-door.toml") },
    Preset { name: "azure-app-gateway", text: include_str!("../../profiles/presets/azure-app-gateway.toml") },
    Preset { name: "cloud-armor", text: include_str!("../../profiles/presets/cloud-armor.toml") },
    Preset { name: "akamai", text: include_str!("../../profiles/presets/akamai.toml") },
    Preset { name: "fastly", text: include_str!("../../profiles/presets/fastly.toml") },
    Preset { name: "imperva", text: include_str!("../../profiles/presets/imperva.toml") },
    Preset { name: "f5", text: include_str!("../../profiles/presets/f5.toml") },
    Preset { name: "modsecurity-crs", text: include_str!("../../profiles/presets/modsecurity-crs.toml") },
    Preset { name: "siteguard", text: include_str!("../../profiles/presets/siteguard.toml") },
    Preset { name: "scutum", text: include_str!("../../profiles/presets/scutum.toml") },
    Preset { name: "generic", text: include_str!("../../profiles/presets/generic.toml") },
];

/// All presets, best known first.
pub fn presets() -> impl Iterator<Item = Preset> {
    PRESETS.iter().copied()
}
