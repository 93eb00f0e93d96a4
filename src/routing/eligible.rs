//! Who can serve a request at all: what it needs against what a model can do.

use crate::catalog::Capabilities;
use crate::inspect::RequestProfile;

/// Why a candidate cannot serve a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unable {
    /// It, or its provider, does something else than what is asked for.
    Operation,
    /// It has no tools.
    Tools,
    /// It takes no images.
    Vision,
    /// It takes no audio.
    Audio,
    /// It takes no files.
    Files,
    /// The prompt does not fit into its context window.
    ContextWindow,
}

/// The first reason why a model cannot serve a request.
///
/// What can be emulated or left out with a report (JSON schemas, thinking, sampling) is no
/// reason: that is what `on_unsupported` decides.
pub(super) fn check(can: &Capabilities, profile: &RequestProfile) -> Option<Unable> {
    let needs = &profile.needs;
    let fits = can
        .context_window
        .is_none_or(|window| profile.input_tokens <= window);
    let offered = can.operations.contains(profile.operation);
    [
        (!offered, Unable::Operation),
        (needs.tools && !can.tools, Unable::Tools),
        (needs.vision && !can.vision, Unable::Vision),
        (needs.audio && !can.audio, Unable::Audio),
        (needs.files && !can.files, Unable::Files),
        (!fits, Unable::ContextWindow),
    ]
    .into_iter()
    .find_map(|(is_unable, reason)| is_unable.then_some(reason))
}

impl Unable {
    /// The word in logs and error texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Unable::Operation => "not offered",
            Unable::Tools => "no tools",
            Unable::Vision => "no images",
            Unable::Audio => "no audio",
            Unable::Files => "no files",
            Unable::ContextWindow => "context window too small",
        }
    }
}
