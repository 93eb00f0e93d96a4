//! Who may serve a request at all: what it needs against what a model can do, and what it
//! requires against what a candidate promises.

use std::fmt;

use super::View;
use crate::catalog::{Backend, Labels, Lack};

/// Why a candidate cannot serve a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unable {
    /// It, or its provider, does something else than what is asked for.
    Operation,
    /// It does not keep the required label of this name.
    Label(String),
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

/// The first reason why a candidate cannot serve a request.
///
/// What can be emulated or left out with a report (JSON schemas, thinking, sampling) is no
/// reason: that is what `on_unsupported` decides. Nor is what the candidate's own settings make
/// fit: whether that succeeds is tried before the plan is made.
pub(super) fn check(candidate: &Backend, required: &[&Labels], view: &View<'_>) -> Option<Unable> {
    let profile = view.profile;
    let broken = required
        .iter()
        .find_map(|labels| candidate.labels.breach(labels));
    if let Some(name) = broken {
        return Some(Unable::Label(name.to_owned()));
    }
    let (can, needs) = (&candidate.capabilities, &profile.needs);
    let adaptation = &candidate.adaptation;
    let has_tools = can.tools || adaptation.tools == Lack::Prompt;
    let fits = adaptation.fit.is_some()
        || can
            .context_window
            .is_none_or(|window| view.input_tokens(candidate) <= window);
    let offered = can.operations.contains(profile.operation);
    [
        (!offered, Unable::Operation),
        (needs.tools && !has_tools, Unable::Tools),
        (needs.vision && !can.vision, Unable::Vision),
        (needs.audio && !can.audio, Unable::Audio),
        (needs.files && !can.files, Unable::Files),
        (!fits, Unable::ContextWindow),
    ]
    .into_iter()
    .find_map(|(is_unable, reason)| is_unable.then_some(reason))
}

/// The words in logs and error texts.
impl fmt::Display for Unable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Unable::Operation => "not offered",
            Unable::Label(name) => return write!(f, "label {name} is not kept"),
            Unable::Tools => "no tools",
            Unable::Vision => "no images",
            Unable::Audio => "no audio",
            Unable::Files => "no files",
            Unable::ContextWindow => "context window too small",
        };
        f.write_str(text)
    }
}
