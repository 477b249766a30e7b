//! The rule languages, and what is written in one.

use schemars::JsonSchema;
use serde::Serialize;

/// The language that exclusions are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Rules of ModSecurity, to be read before the Core Rule Set.
    ModSecurity(Engine),
    /// Rules of a web ACL of AWS WAF, JSON.
    AwsWaf,
    /// Skip rules of Cloudflare's phase `http_request_firewall_managed`, JSON.
    Cloudflare,
    /// `managedRules` of a WAF policy of Azure Application Gateway, JSON.
    AzureAppGateway,
    /// `managedRules` of a WAF policy of Azure Front Door, JSON.
    AzureFrontDoor,
    /// `gcloud` commands for Cloud Armor.
    CloudArmor,
}

/// The version of ModSecurity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// 2: names of fields are written as its log escapes them.
    Two,
    /// 3, or not known: names of fields are plain ASCII, or can't be written.
    Three,
}

impl Language {
    /// The names on the command line.
    pub const ALL: [(&'static str, Self); 8] = [
        ("modsecurity", Self::ModSecurity(Engine::Three)),
        ("modsecurity2", Self::ModSecurity(Engine::Two)),
        ("modsecurity3", Self::ModSecurity(Engine::Three)),
        ("aws-waf", Self::AwsWaf),
        ("cloudflare", Self::Cloudflare),
        ("azure-app-gateway", Self::AzureAppGateway),
        ("azure-front-door", Self::AzureFrontDoor),
        ("cloud-armor", Self::CloudArmor),
    ];

    /// The language of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, language)| *language)
    }

    /// The language of the edge that the signature of an answer names.
    #[must_use]
    pub fn of_signature(signature: &str) -> Option<Self> {
        match signature {
            "cloudflare" => Some(Self::Cloudflare),
            "azure-front-door" => Some(Self::AzureFrontDoor),
            "google-load-balancer" => Some(Self::CloudArmor),
            "modsecurity" => Some(Self::ModSecurity(Engine::Three)),
            other if other.starts_with("awswaf") || other == "awselb" || other == "cloudfront" => Some(Self::AwsWaf),
            other if other.starts_with("azure-application-gateway") => Some(Self::AzureAppGateway),
            _ => None,
        }
    }
}

/// Exclusions as text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Snippet {
    /// The text; empty: nothing can be written.
    pub text: String,
    /// What it opens, a sentence for each rule that is in it.
    pub opens: Vec<String>,
    /// What a reader must know to use it, a sentence each.
    pub notes: Vec<String>,
    /// Exclusions that can't be written in the language, a sentence each.
    pub left_out: Vec<String>,
    /// The text has comments that say the same.
    #[serde(skip)]
    pub commented: bool,
}

/// `text` on one line of printable characters, fit for a comment.
pub(super) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let hidden = c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if hidden { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out
}
