//! Base64 with the standard alphabet and padding (RFC 4648, section 4).

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends `bytes` to `out`, encoded.
pub(super) fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4_u32 {
            let sextet = (group >> (18 - 6 * i)) & 0x3F;
            let is_padding = i as usize > chunk.len();
            let letter = ALPHABET.get(sextet as usize).copied().unwrap_or(b'A');
            out.push(if is_padding { b'=' } else { letter });
        }
    }
}

/// The bytes that `text` stands for; `None` when it is not base64. Padding may be missing.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let letters = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(letters.len() / 4 * 3 + 3);
    for chunk in letters.chunks(4) {
        let mut group = 0_u32;
        for i in 0..4 {
            let sextet = chunk.get(i).map_or(Some(0), |letter| value(*letter))?;
            group = group << 6 | sextet;
        }
        let [_, first, second, third] = group.to_be_bytes();
        let whole = chunk.len().checked_sub(1).filter(|whole| *whole > 0)?;
        bytes.extend([first, second, third].into_iter().take(whole));
    }
    Some(bytes)
}

fn value(letter: u8) -> Option<u32> {
    let offset = match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(offset))
}
