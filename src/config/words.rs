//! How problems speak of what was found: short, never with a secret in it, and with the
//! nearest word that would have been right.

use super::document::Value;

/// Names `value`: short scalars as they are, everything else by its kind.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => n.to_string(),
        Value::Text(t) => quote(t),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "an object".to_owned(),
    }
}

/// `text` in quotes when it is short and is no credential.
pub(super) fn quote(text: &str) -> String {
    const SHORT: usize = 60;
    let length = text.chars().count();
    if looks_like_credential(text) {
        "something that looks like a key".to_owned()
    } else if length > SHORT {
        format!("a text of {length} characters")
    } else {
        format!("{text:?}")
    }
}

/// The words from which one must be chosen.
pub(super) fn one_of(words: &[&str]) -> String {
    match words {
        [word] => (*word).to_owned(),
        words => format!("one of {}", words.join(", ")),
    }
}

/// Prefixes that vendors give their keys, so that leaks can be found by machines.
const KEY_PREFIXES: &[&str] = &[
    "sk-",
    "sk_",
    "pk-",
    "AIza",
    "AQ.",
    "Bearer ",
    "xai-",
    "gsk_",
    "hf_",
    "pplx-",
    "r8_",
    "ya29.",
    "AKIA",
    "eyJ",
    "ghp_",
    "nvapi-",
    "fw_",
    "tgp_",
    "csk-",
    "-----BEGIN",
];

/// Whether `text` may be a secret: told by known prefixes, or by being long and random,
/// which is all hexadecimal digits, or capitals, small letters and digits mixed. A URL
/// may hold one in its user or its query.
pub(super) fn looks_like_credential(text: &str) -> bool {
    const LONG: usize = 28;
    let has = |what: fn(&u8) -> bool| text.bytes().any(|b| what(&b));
    let opaque = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-_+/=".contains(&b));
    let mixed =
        has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    let hex = text.bytes().all(|b| b.is_ascii_hexdigit());
    KEY_PREFIXES.iter().any(|p| text.starts_with(p))
        || (text.contains("//") && text.contains(['@', '?']))
        || (text.len() >= LONG && opaque && (mixed || hex))
}

/// `did you mean "x"?` for the nearest of `words`, when one is near: a few letters away, or
/// a part of what was found, as `key` is of `api_key`.
pub(super) fn did_you_mean<'w>(
    found: &str,
    words: impl IntoIterator<Item = &'w str>,
) -> Option<String> {
    let words: Vec<&str> = words.into_iter().collect();
    let allowed = (found.chars().count() / 3).clamp(1, 3);
    let distances = words.iter().map(|word| (distance(found, word), *word));
    let near = distances.filter(|(d, _)| *d <= allowed).min();
    let part = |word: &&&str| word.len() >= 3 && found.contains(**word);
    near.map(|(_, word)| word)
        .or_else(|| words.iter().find(part).copied())
        .map(|word| format!("did you mean {word:?}?"))
}

/// The nearest of `words` that differs by a slip: a few letters away, with the same digits.
/// Other digits name another model.
#[cfg(feature = "cli")]
pub(crate) fn slip_of<'w>(
    found: &str,
    words: impl IntoIterator<Item = &'w str>,
) -> Option<&'w str> {
    const FAR: usize = 3;
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).collect::<Vec<_>>();
    let wanted = digits(found);
    let allowed = (found.chars().count() / 3).clamp(1, FAR);
    words
        .into_iter()
        .filter(|word| digits(word) == wanted)
        .map(|word| (distance(found, word), word))
        .filter(|(steps, _)| *steps <= allowed)
        .min()
        .map(|(_, word)| word)
}

/// How many letters must be added, removed, replaced or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().take(100).collect();
    let b: Vec<char> = b.to_lowercase().chars().take(100).collect();
    let at = |row: &[usize], i: usize| row.get(i).copied().unwrap_or(usize::MAX / 2);
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replaced = at(&above, j) + usize::from(x != y);
            let shifted = at(&above, j + 1).min(at(&row, j)) + 1;
            let swaps = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            let swapped = if swaps {
                at(&before, j - 1) + 1
            } else {
                usize::MAX
            };
            row.push(replaced.min(shifted).min(swapped));
        }
        before = std::mem::replace(&mut above, row);
    }
    at(&above, b.len())
}

#[cfg(test)]
mod tests;
