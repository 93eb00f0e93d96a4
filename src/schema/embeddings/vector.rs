//! One vector, as numbers or as base64 of little-endian 32-bit floats, whichever is asked for.

use super::base64;
use crate::json::{self, Kind, Raw, Text};

/// Appends `vector` to `out` as the client wants it; `None` when it is no vector.
///
/// What is in the wanted form already is copied as it stands.
pub(in crate::schema) fn write_vector(
    vector: Raw<'_>,
    base64: bool,
    out: &mut Vec<u8>,
) -> Option<()> {
    match (json::kind(vector), base64) {
        (Kind::Array, false) | (Kind::String, true) => {
            out.extend_from_slice(vector.get().as_bytes());
        }
        (Kind::Array, true) => {
            let numbers: Vec<f64> = json::parse(vector)?;
            let bytes: Vec<u8> = numbers
                .iter()
                .flat_map(|n| (*n as f32).to_le_bytes())
                .collect();
            out.push(b'"');
            base64::encode(&bytes, out);
            out.push(b'"');
        }
        (Kind::String, false) => {
            let text: Text<'_> = json::parse(vector)?;
            let bytes = base64::decode(&text)?;
            let (floats, rest) = bytes.as_chunks::<4>();
            if !rest.is_empty() {
                return None;
            }
            let numbers: Vec<f32> = floats.iter().map(|b| f32::from_le_bytes(*b)).collect();
            json::write(out, &numbers);
        }
        _ => return None,
    }
    Some(())
}
