//! Which of our paths a request is for.

use crate::config::Config;
use crate::operation::Operation;
use crate::surface::Surface;

/// What a path stands for.
pub(super) enum Endpoint<'p> {
    Operation(Operation),
    Surface(&'static dyn Surface),
    Models,
    Model(&'p str),
}

impl Endpoint<'_> {
    /// The only method that it takes.
    pub(super) fn method(&self) -> &'static str {
        match self {
            Endpoint::Operation(_) | Endpoint::Surface(_) => "POST",
            Endpoint::Models | Endpoint::Model(_) => "GET",
        }
    }
}

/// Which of our paths this is; `None` when it is not ours.
pub(super) fn find_endpoint<'p>(
    surfaces: &[&'static dyn Surface],
    config: &Config,
    path: &'p str,
) -> Option<Endpoint<'p>> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let base_path = config.base_path.as_str();
    if let Some(operation) = Operation::of_path(base_path, path) {
        return Some(Endpoint::Operation(operation));
    }
    match path.strip_prefix(base_path)? {
        "/models" | "/models/" => Some(Endpoint::Models),
        rest => {
            let surface = surfaces.iter().find(|surface| surface.path() == rest);
            let model = || rest.strip_prefix("/models/").map(Endpoint::Model);
            surface.map(|s| Endpoint::Surface(*s)).or_else(model)
        }
    }
}

/// In whose words an operation's errors are told, where they are not OpenAI's usual ones.
pub(in crate::exchange) fn surface_of(
    surfaces: &[&'static dyn Surface],
    operation: Operation,
) -> Option<&'static dyn Surface> {
    let path = match operation {
        Operation::Completions => "/completions",
        Operation::MessageTokens => "/messages",
        Operation::InputTokens => "/responses",
        _ => return None,
    };
    let mut surfaces = surfaces.iter();
    surfaces.find(|surface| surface.path() == path).copied()
}

/// A path segment with its percent-encoding undone.
pub(super) fn decode_segment(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex
            .filter(|_| byte == b'%')
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
        {
            Some(decoded) => {
                bytes.push(decoded);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
