//! Which benign case a refused one is compared with.

use crate::corpus::name::split;
use crate::corpus::{Case, Filename, canary};

/// The delivered cases, those that are most like `case` first, and the canary control last: it is benign if anything is.
///
/// The bytes weigh most: where they are the same, they need not be looked at. Then the extension: a file under another
/// one than it was made for is refused for that.
#[must_use]
pub fn references(case: &Case, delivered: &[Case]) -> Vec<Case> {
    let extension = |case: &Case| split(&case.filename.text).1.to_lowercase();
    let own = extension(case);
    let distance = |other: &&Case| {
        (
            // Text beside the file is written in the charset of the page, and is another text then.
            !case.beside.is_empty() && case.filename.page != other.filename.page,
            case.content.sha256() != other.content.sha256(),
            own != extension(other),
            case.transport != other.transport,
            case.client != other.client,
            case.filename.page != other.filename.page,
            case.declared_type != other.declared_type,
            !other.beside.is_empty(),
            other.content.len() > case.content.len(),
        )
    };
    let mut near: Vec<&Case> = delivered.iter().collect();
    near.sort_by_key(distance);
    let canary = Case { transport: case.transport, ..canary() };
    // Under its own name some edges may know it.
    let canary = Case { filename: Filename { text: "attachment.pdf".into(), ..canary.filename.clone() }, ..canary };
    // Whatever all the near ones share could not be seen: another file of the same extension, and one of another.
    let kin = near.iter().find(|other| extension(other) == own && other.content.sha256() != case.content.sha256());
    let stranger = near.iter().find(|other| extension(other) != own);
    let nearest = near.iter().take(super::MOST_REFERENCES - 3);
    nearest.chain(kin).chain(stranger).map(|other| (*other).clone()).chain([canary]).collect()
}
