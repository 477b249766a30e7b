//! From how many bytes on.

use super::super::blend::{Blend, grown};
use super::super::questions::{Questions, Stop};
use super::super::{Detail, search};
use crate::corpus::Case;

pub(super) async fn look(blend: &Blend<'_>, smallest: &mut Case, questions: &mut Questions) -> Result<Detail, Stop> {
    let (case, reference) = (smallest.clone(), blend.reference);
    let sized = |size: u64| -> Result<Case, Stop> {
        let content = grown(reference, size)
            .ok_or_else(|| Stop::Variant(format!("`{}` cannot be made {size} bytes", reference.id)))?;
        Ok(Case { content, ..case.clone() })
    };
    let (passes, refused) = (reference.content.len(), case.content.len());
    let from = search::threshold(passes, refused, &mut async |size| questions.refuses(&sized(size)?).await).await?;
    *smallest = sized(from)?;
    Ok(Detail::Size { from })
}
