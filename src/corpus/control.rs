//! The armour of controls: they are stored encoded, so that no virus scanner quarantines a checkout.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Deserialize;

/// How a file of the corpus is stored. What is decoded stays in memory and is never written to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Armour {
    /// Base64 (RFC 4648 section 4, in lines) of each byte XOR 0x5A.
    XorBase64,
}

/// Armoured files are held in memory; a larger one is no control.
pub const ARMOURED_MAX: u64 = 16 * 1024 * 1024;

const KEY: u8 = 0x5A;
const LINE: usize = 76;

impl Armour {
    /// The bytes that `armoured` stands for.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn decode(self, armoured: &[u8]) -> Result<Vec<u8>, String> {
        match self {
            Self::XorBase64 => {
                let text: Vec<u8> = armoured.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
                let mut bytes = STANDARD.decode(text).map_err(|error| format!("it is not base64: {error}"))?;
                for byte in &mut bytes {
                    *byte ^= KEY;
                }
                Ok(bytes)
            }
        }
    }

    /// `bytes` as they are stored, with a line break at the end of each line.
    #[must_use]
    pub fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::XorBase64 => {
                let masked: Vec<u8> = bytes.iter().map(|byte| byte ^ KEY).collect();
                let text = STANDARD.encode(masked);
                let mut out = String::with_capacity(text.len() + text.len() / LINE + 1);
                for (at, c) in text.chars().enumerate() {
                    if at > 0 && at % LINE == 0 {
                        out.push('\n');
                    }
                    out.push(c);
                }
                out + "\n"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_again(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let text = Armour::XorBase64.encode(&bytes);
            prop_assert!(text.lines().all(|line| line.len() <= 76));
            prop_assert_eq!(Armour::XorBase64.decode(text.as_bytes()).unwrap(), bytes);
        }
    }

    #[test]
    fn the_armour_hides_what_scanners_look_for() {
        let text = Armour::XorBase64.encode(b"\x3c?php echo 1; ?>");
        assert!(!text.contains("php"));
        assert!(!text.contains(&STANDARD.encode("\x3c?php echo 1;")[..12]));
    }

    #[test]
    fn text_that_is_no_base64_is_refused() {
        assert!(Armour::XorBase64.decode(b"\x3c?php").unwrap_err().contains("base64"));
    }
}
