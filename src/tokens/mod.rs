//! Tokens of a prompt, estimated before anybody counts them.
//!
//! One pass over the text tallies what tokenizers care about: words by length, digits, runs of
//! punctuation and white space, scripts. Each family of tokenizers weighs the tally with its own
//! row of `weights.rs`, which `tests/tokens/fit.py` makes from counts of the real ones. How far
//! the estimates are off is in docs/tokens.md.

mod family;
mod image_size;
mod media;
mod scan;
#[rustfmt::skip]
mod weights;

pub use family::Family;
pub use image_size::{ImageSize, image_size};
pub use media::Media;

use scan::Scan;

/// How much is tallied; the order is that of the columns of the weights.
pub const FEATURES: usize = 64;

/// The most of one body that is read, in bytes; the rest is taken to be like it.
pub const MOST_SCANNED: usize = 16 * 1024;

/// What is read of a body of which nothing is asked but whether it may fill a context window.
pub const GLANCED: usize = 2 * 1024;

/// In how many places a long text is read.
const SLICES: usize = 8;

/// What a prompt is made of, for all families alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    counts: [u32; FEATURES],
    messages: u32,
    tools: bool,
    media: Vec<Media>,
}

impl Default for Tally {
    fn default() -> Self {
        Tally {
            counts: [0; FEATURES],
            messages: 0,
            tools: false,
            media: Vec::new(),
        }
    }
}

impl Tally {
    /// Adds a text, of which at most `most` bytes are read. `escaped` when it stands as it did
    /// in a JSON string.
    pub fn add_text(&mut self, text: &[u8], escaped: bool, most: usize) {
        self.add_sample(text, escaped, most, text.len() as u64);
    }

    /// Adds a text that stands for so many bytes: its own, and those of texts that are taken to be
    /// like it.
    pub fn add_sample(&mut self, text: &[u8], escaped: bool, most: usize, stands_for: u64) {
        let mut scan = Scan::new(escaped);
        if text.len() <= most {
            scan.push(text);
            return self.add(&scan.finish(), stands_for, text.len() as u64);
        }
        let (slice, step) = (most / SLICES, text.len() / SLICES);
        for i in 0..SLICES {
            let start = whole_char(text, i.saturating_mul(step));
            scan.push(
                text.get(start..start.saturating_add(slice))
                    .unwrap_or_default(),
            );
            scan.gap();
        }
        let read = slice.saturating_mul(SLICES);
        self.add(&scan.finish(), stands_for, read as u64);
    }

    /// Lets what has been read stand for more: `times` bytes instead of `by`.
    pub fn stretch(&mut self, times: u64, by: u64) {
        let counts = std::mem::replace(&mut self.counts, [0; FEATURES]);
        self.add(&counts, times, by);
    }

    /// Adds a message's frame: its role and what stands between messages.
    pub fn add_message(&mut self) {
        self.messages = self.messages.saturating_add(1);
    }

    /// Notes that there are tools: some providers put a prompt of their own before them.
    pub fn note_tools(&mut self) {
        self.tools = true;
    }

    /// Adds an image, a document or audio.
    pub fn add_media(&mut self, media: Media) {
        self.media.push(media);
    }

    /// Estimated tokens for models of this family.
    pub fn tokens(&self, family: Family) -> u64 {
        let weights = weights::WEIGHTS.get(family as usize);
        let pairs = self.counts.iter().zip(weights.into_iter().flatten());
        let milli = pairs.fold(0_i64, |sum, (count, weight)| {
            sum.saturating_add(i64::from(*count).saturating_mul(i64::from(*weight)))
        });
        let text = u64::try_from(milli / 1000).unwrap_or(0);
        let media = self.media.iter().map(|media| media.tokens(family));
        let media = media.fold(0, u64::saturating_add);
        let frames = u64::from(self.messages).saturating_mul(family.tokens_per_message());
        let tools = if self.tools {
            family.tokens_for_tools()
        } else {
            0
        };
        [text, media, frames, tools]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    /// What has been counted, in the order of the weights.
    pub fn counts(&self) -> &[u32; FEATURES] {
        &self.counts
    }

    fn add(&mut self, counts: &[u32; FEATURES], times: u64, by: u64) {
        for (sum, count) in self.counts.iter_mut().zip(counts) {
            let more = u64::from(*count).saturating_mul(times) / by.max(1);
            *sum = sum.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
        }
    }
}

/// The first place from `at` on where a character begins.
fn whole_char(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let inside = rest.iter().take_while(|byte| **byte & 0xC0 == 0x80).count();
    at.saturating_add(inside)
}

#[cfg(test)]
mod tests;
