//! Width and height of an image, from the beginning of a data URL.

use crate::framing::base64;

/// In pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageSize {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

/// How much of an image is decoded to find its size, in characters of base64: a JPEG may hold
/// a preview before it says its size.
const MOST_DECODED: usize = 64 * 1024;

/// The size of the image in a data URL; `None` for an address, or when it does not say.
///
/// Sources: RFC 2083 (PNG), GIF89a, ITU T.81 annex B (JPEG), RFC 9649 (WebP).
pub fn image_size(url: &str) -> Option<ImageSize> {
    let data = url.strip_prefix("data:")?;
    let (media_type, data) = data.split_once(',')?;
    let jpeg = media_type.starts_with("image/jp");
    let most = if jpeg { MOST_DECODED } else { 64 };
    let bytes = base64::decode(data.as_bytes().get(..most).unwrap_or(data.as_bytes()))?;
    png(&bytes)
        .or_else(|| gif(&bytes))
        .or_else(|| webp(&bytes))
        .or_else(|| jpeg_frame(&bytes))
}

fn png(bytes: &[u8]) -> Option<ImageSize> {
    let rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let size = |at: usize| Some(u32::from_be_bytes(*rest.get(at..)?.first_chunk()?));
    known(size(8)?, size(12)?)
}

fn gif(bytes: &[u8]) -> Option<ImageSize> {
    let rest = bytes.strip_prefix(b"GIF8")?;
    known(little(rest, 2)?, little(rest, 4)?)
}

fn webp(bytes: &[u8]) -> Option<ImageSize> {
    let rest = bytes
        .strip_prefix(b"RIFF")?
        .get(4..)?
        .strip_prefix(b"WEBP")?;
    match rest.first_chunk()? {
        b"VP8 " => known(little(rest, 14)? & 0x3FFF, little(rest, 16)? & 0x3FFF),
        b"VP8L" => {
            let bits = u32::from_le_bytes(*rest.get(9..)?.first_chunk()?);
            known((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        }
        b"VP8X" => {
            let three = |at| Some(little(rest, at)? | u32::from(*rest.get(at + 2)?) << 16);
            known(three(12)? + 1, three(15)? + 1)
        }
        _ => None,
    }
}

/// The first segment that begins a frame says the size.
fn jpeg_frame(bytes: &[u8]) -> Option<ImageSize> {
    let mut rest = bytes.strip_prefix(&[0xFF, 0xD8])?;
    while let [0xFF, marker, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes(*after.first_chunk()?));
        if matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC) {
            let big = |at: usize| Some(u16::from_be_bytes(*after.get(at..)?.first_chunk()?).into());
            return known(big(5)?, big(3)?);
        }
        rest = after.get(length..)?;
    }
    None
}

fn little(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?).into())
}

fn known(width: u32, height: u32) -> Option<ImageSize> {
    (width > 0 && height > 0).then_some(ImageSize { width, height })
}
