//! Tokens of images, documents and audio, by the vendors' published formulas.
//!
//! Where a vendor has several, by model, the most common one stands for the family: what a model
//! does otherwise is corrected by the usage that it reports.

use super::{Family, ImageSize};

/// What is not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// An image; `None` when its size is not known. `low` when little detail was asked for.
    Image(Option<ImageSize>, bool),
    /// A document of so many bytes.
    Document(u64),
    /// Audio of so many bytes, compressed or not.
    Audio(u64, bool),
}

/// An image whose size is not known is taken to be so large.
const USUAL_IMAGE: ImageSize = ImageSize {
    width: 1024,
    height: 1024,
};

/// Bytes of a document's page: a guess, as vendors count pages and we cannot.
const BYTES_PER_PAGE: u64 = 50_000;

/// Bytes of a second of speech: MP3 at 128 kbit/s.
const COMPRESSED_BYTES_PER_SECOND: u64 = 16_000;

/// Bytes of a second of speech: PCM, 16 bits at 24 kHz.
const PLAIN_BYTES_PER_SECOND: u64 = 48_000;

impl Media {
    /// Estimated tokens for models of this family.
    pub(super) fn tokens(self, family: Family) -> u64 {
        match self {
            Media::Image(size, low) => image(family, size.unwrap_or(USUAL_IMAGE), low),
            Media::Document(bytes) => bytes.div_ceil(BYTES_PER_PAGE).saturating_mul(page(family)),
            Media::Audio(bytes, compressed) => {
                let per_second = match compressed {
                    true => COMPRESSED_BYTES_PER_SECOND,
                    false => PLAIN_BYTES_PER_SECOND,
                };
                bytes.div_ceil(per_second).saturating_mul(second(family))
            }
        }
    }
}

fn image(family: Family, size: ImageSize, low: bool) -> u64 {
    let (width, height) = (u64::from(size.width), u64::from(size.height));
    match family {
        Family::Claude => claude(width, height),
        Family::Gemini => gemini(width, height),
        // 28 pixels to a patch: Qwen2.5-VL's and Qwen3-VL's model cards.
        Family::Qwen => patches(width, height, 28).clamp(4, 16_384) + 2,
        // 16 pixels to a patch, at most 1024 to a side, and a break after each row: mistral-common.
        Family::Mistral => {
            let (width, height) = fitted(width, height, 1024);
            patches(width, height, 16) + height.div_ceil(16)
        }
        _ if low => 85,
        _ => openai(width, height),
    }
}

/// 85 and 170 for each tile of 512 pixels, when it has been brought down to 2048 pixels and to
/// 768 on its shorter side. platform.openai.com/docs/guides/images-vision, read 2026-11-21.
fn openai(width: u64, height: u64) -> u64 {
    let (width, height) = fitted(width, height, 2048);
    let shorter = width.min(height);
    let (width, height) = match shorter > 768 {
        true => (width * 768 / shorter, height * 768 / shorter),
        false => (width, height),
    };
    85 + 170 * patches(width, height, 512)
}

/// A token for 750 pixels, at most 1568 to a side and some 1600 tokens.
/// platform.claude.com/docs/en/build-with-claude/vision, read 2026-11-21.
fn claude(width: u64, height: u64) -> u64 {
    let (width, height) = fitted(width, height, 1568);
    (width.saturating_mul(height) / 750).clamp(1, 1600)
}

/// 258 for a small image, and for each tile of a larger one.
/// ai.google.dev/gemini-api/docs/tokens, read 2026-11-21.
fn gemini(width: u64, height: u64) -> u64 {
    if width.max(height) <= 384 {
        return 258;
    }
    let tile = (width.min(height) * 2 / 3).clamp(256, 768);
    258 * patches(width, height, tile)
}

/// How many squares of this side cover an image.
fn patches(width: u64, height: u64, side: u64) -> u64 {
    width.div_ceil(side).saturating_mul(height.div_ceil(side))
}

/// Brought down to a longer side of at most `most`.
fn fitted(width: u64, height: u64, most: u64) -> (u64, u64) {
    match width.max(height) {
        longer if longer > most => (width * most / longer, height * most / longer),
        _ => (width, height),
    }
}

/// Tokens of a page: 1500 to 3000 at Anthropic, whose pages are text and image
/// (platform.claude.com/docs/en/build-with-claude/pdf-support), 258 at Google
/// (ai.google.dev/gemini-api/docs/document-processing), both read 2026-11-21; OpenAI reads text
/// and an image of each page, and says no number.
fn page(family: Family) -> u64 {
    match family {
        Family::Claude => 2250,
        Family::Gemini => 258,
        _ => 1500,
    }
}

/// Tokens of a second of audio: 32 at Google (ai.google.dev/gemini-api/docs/audio), 10 at OpenAI
/// (platform.openai.com/docs/guides/realtime-costs), both read 2026-11-21.
fn second(family: Family) -> u64 {
    match family {
        Family::Gemini => 32,
        _ => 10,
    }
}
