//! The form in which equal requests have equal bytes: without white space, members by name,
//! strings unescaped, numbers by their value. It is compared, never read.

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

use crate::json::{Raw, Text};
use crate::sorted::sort_by;

/// The largest integer below which every integer has a double of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Appends a JSON object, without those of its members that `left_out` names or that are `null`.
///
/// `None` for anything that two readers could understand in two ways: a name that stands twice, a
/// number that no double holds exactly; and for what is no JSON object.
pub fn canonical(body: &[u8], left_out: &[&str], out: &mut Vec<u8>) -> Option<()> {
    let text = std::str::from_utf8(body).ok()?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let top = Writer {
        out,
        left_out: Some(left_out),
    };
    reader.deserialize_map(top).ok()?;
    reader.end().ok()
}

/// Appends a text with its length before it, so that texts do not run into each other.
pub fn put_text(out: &mut Vec<u8>, text: &str) {
    out.push(b's');
    out.extend_from_slice(&(text.len() as u64).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Writes one value; `left_out` is there for the topmost object only.
struct Writer<'o> {
    out: &'o mut Vec<u8>,
    left_out: Option<&'o [&'o str]>,
}

impl<'de> DeserializeSeed<'de> for Writer<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Writer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.out.push(b'z');
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.out.push(if value { b't' } else { b'f' });
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        if value.abs() >= EXACT {
            return Err(E::custom("a number that is not exact"));
        }
        self.out.push(b'n');
        self.out.extend_from_slice(&value.to_bits().to_le_bytes());
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        put_text(self.out, value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let out = self.out;
        out.push(b'[');
        while seq
            .next_element_seed(Writer {
                out: &mut *out,
                left_out: None,
            })?
            .is_some()
        {}
        out.push(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Writer { out, left_out } = self;
        out.push(b'{');
        let start = out.len();
        let mut members: Vec<(Text<'de>, Vec<u8>)> = Vec::new();
        while let Some(name) = map.next_key::<Text<'de>>()? {
            if left_out.is_some_and(|names| names.contains(&name.as_str())) {
                map.next_value::<Raw<'de>>()?;
                continue;
            }
            put_text(out, &name);
            let value = out.len();
            map.next_value_seed(Writer {
                out: &mut *out,
                left_out: None,
            })?;
            let is_null = out.get(value..) == Some(b"z");
            let member = out.split_off(start);
            if !(is_null && left_out.is_some()) {
                members.push((name, member));
            }
        }
        sort_by(&mut members, |a, b| a.0.cmp(&b.0));
        if members
            .windows(2)
            .any(|two| matches!(two, [a, b] if a.0 == b.0))
        {
            return Err(A::Error::custom("a name that stands twice"));
        }
        members
            .iter()
            .for_each(|(_, member)| out.extend_from_slice(member));
        out.push(b'}');
        Ok(())
    }
}
