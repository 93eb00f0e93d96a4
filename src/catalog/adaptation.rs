//! What is done to a request so that one candidate can serve it. Data only.

use std::sync::Arc;

/// What is done to a request for one candidate; the default is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Adaptation {
    /// What becomes of function tools when the model has none.
    pub tools: Lack,
    /// What becomes of a JSON schema that the provider does not enforce.
    pub json_schema: Lack,
    /// How a conversation is made to fit into the context window.
    pub fit: Option<Fit>,
    /// How the system prompt is rewritten.
    pub template: Option<Arc<Template>>,
    /// The same, when another candidate was to serve first.
    pub template_on_fallback: Option<Arc<Template>>,
    /// Which tool work this candidate is kept from.
    pub complex_tools: Option<ComplexTools>,
}

/// What becomes of a request that needs what a model lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lack {
    /// What the provider's schema makes of it; without tools the candidate is left out.
    #[default]
    Unsaid,
    /// The model is told in its system prompt, and its text is read back.
    Prompt,
    /// The candidate is left out.
    Skip,
}

/// How a conversation is made to fit into the context window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fit {
    /// What may be left out.
    pub trim: Trim,
    /// User turns at the end that are kept, at least 1.
    pub keep_last: usize,
    /// Tokens that are kept free for the answer.
    pub reserve_output: u64,
}

/// What may be left out of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trim {
    /// Its oldest turns.
    OldestTurns,
    /// The middle of its system prompt.
    System,
    /// Its oldest turns, then the middle of its system prompt.
    TurnsThenSystem,
}

/// A rewrite of the system prompt. `{model}`, `{provider}` and `{alias}` stand for the model's
/// name at the provider, the provider's name, and what the client asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    /// Its name in the configuration.
    pub name: String,
    /// Stands before the client's system prompt.
    pub prefix: String,
    /// Stands after it.
    pub suffix: String,
    /// Stands in its place.
    pub replace: Option<String>,
}

/// From where on tool work is complex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComplexTools {
    /// More tools than this.
    pub over_tools: usize,
    /// Arguments nested deeper than this.
    pub over_depth: usize,
    /// Several calls in one turn, asked for by `parallel_tool_calls: true`.
    pub parallel: bool,
}

impl Trim {
    /// Every way, with its word in the configuration.
    pub const ALL: [(Trim, &'static str); 3] = [
        (Trim::OldestTurns, "oldest_turns"),
        (Trim::System, "system"),
        (Trim::TurnsThenSystem, "turns_then_system"),
    ];

    /// Whether turns may be left out.
    pub fn trims_turns(self) -> bool {
        self != Trim::System
    }

    /// Whether the system prompt may be shortened.
    pub fn trims_system(self) -> bool {
        self != Trim::OldestTurns
    }
}
