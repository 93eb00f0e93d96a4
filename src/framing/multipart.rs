//! `multipart/form-data`: a body's parts, where they stand. Nothing is copied or decoded.
//!
//! Source: RFC 7578 and RFC 2046, section 5.1, read 2026-11-21.

use std::ops::Range;

/// The most parts that are read.
const MAX_PARTS: usize = 1000;

/// The longest head of a part, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// The longest boundary, in bytes.
const MAX_BOUNDARY_BYTES: usize = 70;

/// One part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// The field's name; empty when it has none.
    pub name: &'a str,
    /// The field's value.
    pub value: &'a [u8],
    /// Where the value stands in the body.
    pub range: Range<usize>,
}

/// The boundary that a media type names; `None` when it names none that can be one.
pub fn boundary(media_type: &str) -> Option<&str> {
    let (_, parameters) = media_type.split_once(';')?;
    let boundary = parameter(parameters, "boundary")?;
    (1..=MAX_BOUNDARY_BYTES)
        .contains(&boundary.len())
        .then_some(boundary)
}

/// The parts of a body, in order; `None` for the rest once it is no form with this boundary.
pub struct Parts<'a> {
    body: &'a [u8],
    delimiter: Vec<u8>,
    /// Where the next part's delimiter ends; `None` when nothing more is to come.
    at: Option<usize>,
    read: usize,
}

impl<'a> Parts<'a> {
    /// Starts at the first delimiter; what stands before it says nothing.
    pub fn new(body: &'a [u8], boundary: &str) -> Parts<'a> {
        let delimiter = format!("\r\n--{boundary}").into_bytes();
        let first = delimiter.get(2..).unwrap_or_default();
        let at = match body.starts_with(first) {
            true => Some(first.len()),
            false => find(body, 0, &delimiter).map(|at| at.saturating_add(delimiter.len())),
        };
        Parts {
            body,
            delimiter,
            at,
            read: 0,
        }
    }

    /// The next part; `Ok(None)` after the last, an error when the body breaks off.
    pub fn next_part(&mut self) -> Result<Option<Part<'a>>, Malformed> {
        let body = self.body;
        let after = self.at.take().ok_or(Malformed)?;
        let rest = body.get(after..).ok_or(Malformed)?;
        if rest.starts_with(b"--") {
            return Ok(None);
        }
        self.read = self.read.saturating_add(1);
        // White space may follow the boundary on its line.
        let padding = rest
            .iter()
            .take_while(|b| matches!(b, b' ' | b'\t'))
            .count();
        let head = after.saturating_add(padding);
        let is_line = body
            .get(head..)
            .is_some_and(|rest| rest.starts_with(b"\r\n"));
        if !is_line || self.read > MAX_PARTS {
            return Err(Malformed);
        }
        let window = body.len().min(head.saturating_add(MAX_HEAD_BYTES));
        let head_end = find(body.get(..window).ok_or(Malformed)?, head, b"\r\n\r\n");
        let head_end = head_end.ok_or(Malformed)?;
        let start = head_end.saturating_add(4);
        // An empty value's delimiter begins with the line break that ends the head.
        let end = find(body, start.saturating_sub(2), &self.delimiter).ok_or(Malformed)?;
        self.at = Some(end.saturating_add(self.delimiter.len()));
        let range = start..end.max(start);
        Ok(Some(Part {
            name: name(body.get(head..head_end).ok_or(Malformed)?),
            value: body.get(range.clone()).ok_or(Malformed)?,
            range,
        }))
    }
}

/// The body is no form with this boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// The name in a part's `content-disposition`.
fn name(head: &[u8]) -> &str {
    let head = std::str::from_utf8(head).unwrap_or_default();
    let named = head.split("\r\n").find_map(|line| {
        let (header, value) = line.split_once(':')?;
        let is_it = header.trim().eq_ignore_ascii_case("content-disposition");
        let (_, parameters) = value.split_once(';').filter(|_| is_it)?;
        parameter(parameters, "name")
    });
    named.unwrap_or_default()
}

/// The value of a parameter, without its quotes. Escapes within quotes are left as they are:
/// no name that matters has any.
fn parameter<'t>(mut text: &'t str, wanted: &str) -> Option<&'t str> {
    loop {
        let (name, rest) = text.split_once('=')?;
        let rest = rest.trim_start();
        let (value, next) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let end = closing_quote(quoted)?;
                (quoted.get(..end)?, quoted.get(end..)?)
            }
            None => {
                let end = rest.find(';').unwrap_or(rest.len());
                (rest.get(..end)?.trim_end(), rest.get(end..)?)
            }
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        text = next.split_once(';')?.1;
    }
}

fn closing_quote(quoted: &str) -> Option<usize> {
    let mut escaped = false;
    quoted.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

/// Where `needle`, which begins with a carriage return, stands at or after `from`.
fn find(haystack: &[u8], from: usize, needle: &[u8]) -> Option<usize> {
    let mut at = from;
    loop {
        let rest = haystack.get(at..)?;
        let step = rest.iter().position(|byte| *byte == b'\r')?;
        at = at.checked_add(step)?;
        if haystack.get(at..)?.starts_with(needle) {
            return Some(at);
        }
        at = at.checked_add(1)?;
    }
}

#[cfg(test)]
mod tests;
