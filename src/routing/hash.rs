//! Hashes and draws: the same bytes give the same number on every worker and proxy.

/// FNV-1a.
pub fn text(text: &str) -> u64 {
    extend(0xCBF2_9CE4_8422_2325, text)
}

/// FNV-1a, gone on with.
pub fn extend(hash: u64, text: &str) -> u64 {
    text.bytes().fold(hash, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// Spreads the bits of a number over all of it (the output function of SplitMix64).
pub fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A draw as a fraction, above 0 and at most 1.
pub fn fraction(draw: u64) -> f64 {
    const STEPS: f64 = (1_u64 << 53) as f64;
    ((mix(draw) >> 11) as f64 + 1.0) / STEPS
}
