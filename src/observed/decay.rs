//! How what was seen fades: by time, so that old news do not rule, and by count, so that twenty
//! new ones overrule any number of old ones.

/// Observations after which an older one counts half.
pub const HALF_LIFE_COUNT: u64 = 16;

/// What an observation still counts after one more has come: a half, `HALF_LIFE_COUNT` times
/// rooted.
pub(super) const PER_OBSERVATION: f32 = 0.957_603_3;

/// Time is taken in steps of a half-life's 512th; smaller ones would be rounded away.
const STEPS: u64 = 512;

/// What still counts of something `age` old: 1 when it is new, a half after `half_life`.
///
/// Falls without a step up, and ends at 0. A polynomial, because the module has no library of
/// mathematics.
pub(super) fn remains(age_ms: u64, half_life_ms: u64) -> f32 {
    let half_life = half_life_ms.max(1);
    let halvings = age_ms / half_life;
    if halvings >= 64 {
        return 0.0;
    }
    let x = (age_ms % half_life) as f32 / half_life as f32;
    // Taylor's for 2^-x; the last term keeps its end above the next beginning.
    const TERMS: [f32; 6] = [
        -std::f32::consts::LN_2,
        0.240_226_5,
        -0.055_504_11,
        0.009_618_13,
        -0.001_333_36,
        0.000_154_04,
    ];
    let tail = TERMS.iter().rev().fold(0.0, |sum, term| (sum + term) * x);
    (1.0 + tail) / (1_u64 << halvings) as f32
}

/// Whether so much time makes a difference that shall be told.
pub(super) fn is_a_step(age_ms: u64, half_life_ms: u64) -> bool {
    age_ms.saturating_mul(STEPS) >= half_life_ms
}
