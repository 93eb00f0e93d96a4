//! Quantiles of durations in a fixed number of bytes: a histogram with four buckets to a
//! doubling, so a figure is off by an eighth at most, whose counts fade.

use super::bytes::{Reader, Writer};
use super::decay;

/// Up to 35 minutes; what takes longer counts as that.
const BUCKETS: usize = 80;

/// One observation; counts are held in parts of it, so that they can fade.
const ONE: u16 = 1024;

/// Below so many parts there is nothing to tell any more.
const FAINT: f32 = 0.1 * ONE as f32;

/// Durations in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sketch {
    counts: [u16; BUCKETS],
    /// Of durations, each as much as its count.
    sum: f32,
}

impl Default for Sketch {
    fn default() -> Self {
        Sketch {
            counts: [0; BUCKETS],
            sum: 0.0,
        }
    }
}

impl Sketch {
    /// Adds one; what was there counts a little less.
    pub(super) fn add(&mut self, ms: u64) {
        self.fade(decay::PER_OBSERVATION);
        let bucket = bucket_of(ms);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count = count.saturating_add(ONE);
        }
        self.sum += ms.min(lowest_of(BUCKETS)) as f32;
    }

    /// Lets all count `remains` of what it did.
    pub(super) fn fade(&mut self, remains: f32) {
        for count in &mut self.counts {
            // Rounded down: what fades shall end.
            *count = (f32::from(*count) * remains) as u16;
        }
        self.sum *= remains;
    }

    /// The duration that a share of `q` keeps; `None` when nothing is known, or what was known
    /// has faded to `remains`.
    pub(super) fn quantile(&self, q: f32, remains: f32) -> Option<f64> {
        let total = self.known(remains)?;
        let mut rest = q * total;
        for (i, count) in self.counts.iter().enumerate() {
            let count = f32::from(*count);
            if count > 0.0 && rest <= count {
                let (low, high) = (lowest_of(i) as f64, lowest_of(i + 1) as f64);
                return Some(low + (high - low) * f64::from(rest / count));
            }
            rest -= count;
        }
        let last = self.counts.iter().rposition(|count| *count > 0)?;
        Some(lowest_of(last + 1) as f64)
    }

    /// The mean, younger ones counting more.
    pub(super) fn mean(&self, remains: f32) -> Option<f64> {
        let total = self.known(remains)?;
        Some(f64::from(self.sum) * f64::from(ONE) / f64::from(total))
    }

    fn known(&self, remains: f32) -> Option<f32> {
        let total = self.parts();
        (total * remains >= FAINT).then_some(total)
    }

    fn parts(&self) -> f32 {
        self.counts.iter().map(|count| f32::from(*count)).sum()
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        self.counts.iter().for_each(|count| writer.u16(*count));
        writer.f32(self.sum);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Sketch> {
        let mut sketch = Sketch::default();
        for count in &mut sketch.counts {
            *count = reader.u16()?;
        }
        sketch.sum = reader.amount()?;
        Some(sketch)
    }
}

/// Below 8 each millisecond has its own bucket, then each quarter of a doubling.
fn bucket_of(ms: u64) -> usize {
    let octave = ms.max(1).ilog2();
    let bucket = if octave < 2 {
        ms
    } else {
        u64::from(octave - 1) * 4 + ((ms >> (octave - 2)) & 3)
    };
    usize::try_from(bucket).map_or(BUCKETS - 1, |b| b.min(BUCKETS - 1))
}

/// The shortest duration of a bucket.
fn lowest_of(bucket: usize) -> u64 {
    if bucket < 8 {
        return bucket as u64;
    }
    let (octave, quarter) = (bucket / 4 + 1, bucket % 4);
    (4 + quarter as u64) << (octave - 2).min(32)
}

#[cfg(test)]
mod tests;
