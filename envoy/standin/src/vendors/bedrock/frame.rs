//! Frames of AWS event streams.

use bytes::Bytes;
use serde_json::{Value, json};

/// The media type of streams.
pub const MEDIA_TYPE: &str = "application/vnd.amazon.eventstream";

/// An event with a JSON payload.
pub fn event(name: &str, payload: &Value) -> Bytes {
    event_of_bytes(name, payload.to_string().as_bytes())
}

/// An event with any payload.
pub fn event_of_bytes(name: &str, payload: &[u8]) -> Bytes {
    frame(("event", ":event-type", name), payload)
}

/// An event of another vendor, in a chunk.
pub fn chunk(event: &str) -> Bytes {
    let payload = json!({"bytes": base64(event.as_bytes()), "p": "abcdefghij"});
    self::event("chunk", &payload)
}

/// With padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |group: &[u8]| {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let digit = |i: usize| char::from(DIGITS[(bits >> (18 - 6 * i)) as usize & 63]);
        (0..4)
            .map(|i| if i > group.len() { '=' } else { digit(i) })
            .collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

/// An exception.
pub fn exception(name: &str, payload: &Value) -> Bytes {
    let payload = payload.to_string();
    frame(("exception", ":exception-type", name), payload.as_bytes())
}

fn frame((kind, name_header, name): (&str, &str, &str), payload: &[u8]) -> Bytes {
    let mut headers = Vec::new();
    for (name, value) in [
        (name_header, name),
        (":content-type", "application/json"),
        (":message-type", kind),
    ] {
        headers.push(name.len() as u8);
        headers.extend_from_slice(name.as_bytes());
        headers.push(7);
        headers.extend_from_slice(&(value.len() as u16).to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let length = 12 + headers.len() + payload.len() + 4;
    let mut out = Vec::with_capacity(length);
    out.extend_from_slice(&(length as u32).to_be_bytes());
    out.extend_from_slice(&(headers.len() as u32).to_be_bytes());
    out.extend_from_slice(&crc32(&out).to_be_bytes());
    out.extend_from_slice(&headers);
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc32(&out).to_be_bytes());
    Bytes::from(out)
}

/// CRC-32 as in gzip, bit by bit.
pub fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    };
    !bytes.iter().fold(!0, step)
}
