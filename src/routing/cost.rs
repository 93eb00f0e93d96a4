//! What a request would cost at a candidate, before it is sent.

use super::View;
use crate::catalog::Backend;

/// Output tokens that are reckoned with when the client sets no limit.
pub const USUAL_OUTPUT_TOKENS: u64 = 500;

/// Nano-USD; `None` when the candidate's prices are not known.
///
/// Output is what the client allows, else `usual_output`, and never more than the model can
/// write. `cached_tokens` of the prompt come from the provider's cache.
pub fn estimate_nano_usd(
    backend: &Backend,
    view: &View<'_>,
    usual_output: u64,
    cached_tokens: u64,
) -> Option<u64> {
    let input_tokens = view.input_tokens(backend);
    let prices = backend.prices.as_deref()?.at(input_tokens);
    let input = prices.input?;
    let profile = view.profile;
    let cached = cached_tokens.min(input_tokens);
    let fresh = input_tokens.saturating_sub(cached);
    let most = backend.capabilities.max_output_tokens.unwrap_or(u64::MAX);
    let written = profile.output_limit.unwrap_or(usual_output).min(most);
    // Who writes nothing needs no price for it.
    let output = match written {
        0 => input,
        _ => prices.output?,
    };
    let parts = [
        (fresh, input),
        (cached, prices.cached_input.unwrap_or(input)),
        (written, output),
    ];
    let pico = parts.iter().fold(0_u64, |sum, (tokens, price)| {
        sum.saturating_add(tokens.saturating_mul(price.pico_usd()))
    });
    Some(pico / 1000)
}
