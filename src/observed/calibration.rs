//! How far estimates of a target's tokens are off, learned from what it reports.

use super::bytes::{Reader, Writer};

/// Of what has been seen, this share is left after each request: some 64 count.
const REMAINS: f32 = 1.0 - 1.0 / 64.0;

/// A shorter prompt says more about frames than about text.
const LEAST_TOKENS: u64 = 16;

/// A report that is farther off is of something else than the prompt, such as a hidden one.
const FARTHEST: u64 = 4;

/// Tokens estimated and counted, younger ones counting more.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Calibration {
    estimated: f32,
    counted: f32,
}

impl Calibration {
    pub(super) fn add(&mut self, estimated: u64, counted: u64) {
        let plausible = estimated >= LEAST_TOKENS
            && counted <= estimated.saturating_mul(FARTHEST)
            && estimated <= counted.saturating_mul(FARTHEST);
        if !plausible {
            return;
        }
        // Long prompts shall not decide alone.
        let weight = 1.0 / (estimated as f32).sqrt();
        self.estimated = self.estimated * REMAINS + estimated as f32 * weight;
        self.counted = self.counted * REMAINS + counted as f32 * weight;
    }

    /// Counted tokens for one that is estimated; `None` before anything has been seen.
    pub(super) fn ratio(&self) -> Option<f64> {
        let seen = self.estimated > 0.0;
        seen.then(|| f64::from(self.counted / self.estimated).clamp(0.25, 4.0))
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.f32(self.estimated);
        writer.f32(self.counted);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Calibration> {
        Some(Calibration {
            estimated: reader.amount()?,
            counted: reader.amount()?,
        })
    }
}
