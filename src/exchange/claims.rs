//! Claims of a client's token as Envoy hands them over: texts as they are, numbers and truth
//! values as bytes, lists as pairs.

use crate::json;

/// The values of a claim; several for a list. What cannot be told is left out.
pub(super) fn values(bytes: &[u8]) -> Vec<String> {
    let is_text = |text: &&str| !text.chars().any(|c| c.is_control());
    if let Some(text) = std::str::from_utf8(bytes).ok().filter(is_text) {
        return vec![text.to_owned()];
    }
    match bytes {
        [0] => vec!["false".to_owned()],
        [1] => vec!["true".to_owned()],
        _ => match <[u8; 8]>::try_from(bytes) {
            Ok(number) => vec![number_text(f64::from_le_bytes(number))],
            Err(_) => list(bytes).unwrap_or_default(),
        },
    }
}

fn number_text(number: f64) -> String {
    let text = json::to_string(&number);
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// A count, two lengths for each item, then the texts, each with a zero byte behind it. Whether
/// an item is the first or the second of its pair differs from version to version.
fn list(bytes: &[u8]) -> Option<Vec<String>> {
    const MOST: usize = 1000;
    let number = |at: usize| -> Option<usize> {
        let bytes = bytes.get(at..at.checked_add(4)?)?;
        usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
    };
    let count = number(0).filter(|count| *count <= MOST)?;
    let mut texts = Vec::with_capacity(count);
    let mut at = 4 + count * 8;
    for i in 0..count {
        for length in [number(4 + i * 8)?, number(8 + i * 8)?] {
            let end = at.checked_add(length)?;
            let text = std::str::from_utf8(bytes.get(at..end)?).ok()?;
            if !text.is_empty() {
                texts.push(text.to_owned());
            }
            at = end.checked_add(1)?;
        }
    }
    Some(texts)
}

#[cfg(test)]
mod tests {
    use super::values;

    #[test]
    fn claims_of_every_kind_become_texts() {
        let list = b"\x02\0\0\0\x05\0\0\0\0\0\0\0\x06\0\0\0\0\0\0\0admin\0\0reader\0\0";
        for (bytes, expected) in [
            (&b"gold"[..], vec!["gold"]),
            (b"eight888", vec!["eight888"]),
            (b"", vec![""]),
            (b"\x01", vec!["true"]),
            (b"\x00", vec!["false"]),
            (&3.0_f64.to_le_bytes(), vec!["3"]),
            (&0.5_f64.to_le_bytes(), vec!["0.5"]),
            (list, vec!["admin", "reader"]),
            (b"\xff\xff\xff\xff\x00", vec![]),
            (b"\x02\0\0\0\x05", vec![]),
        ] {
            assert_eq!(values(bytes), expected, "{bytes:?}");
        }
    }
}
