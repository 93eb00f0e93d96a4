//! Counts of tokens by providers that do not know the client's API: the chat request that says the
//! same is what they count.

use std::borrow::Cow;

use super::downstream::endpoint::surface_of;
use crate::fidelity::Report;
use crate::operation::Operation;
use crate::schema::{OperationSchema, TranslateError};
use crate::surface::{SURFACES, SurfaceContext};

/// The client's body as `schema` reads it.
pub fn readable<'b>(
    operation: Operation,
    schema: &dyn OperationSchema,
    body: &'b [u8],
    report: &mut Report,
) -> Result<Cow<'b, [u8]>, TranslateError> {
    if !schema.reads_chat() {
        return Ok(Cow::Borrowed(body));
    }
    let unknown = || TranslateError::new("body", "a request that is known");
    let surface = surface_of(SURFACES, operation).ok_or_else(unknown)?;
    let mut chat = Vec::with_capacity(body.len());
    let opened = surface.open(body, &SurfaceContext::default(), &mut chat, report);
    opened.map_err(|error| TranslateError::new(error.param, error.message))?;
    Ok(Cow::Owned(chat))
}
