//! Checked facts about models: what a candidate can do, and what is known of it.
//!
//! The facts of known models (`models.json`) are native only: what a document needs of them is
//! written into the plugin's configuration, so the filter carries no table.

mod adaptation;
pub mod cost;
#[cfg(feature = "cli")]
pub mod date;
#[cfg(feature = "cli")]
mod facts;
mod labels;
pub mod price;
#[cfg(feature = "cli")]
mod table;
#[cfg(feature = "cli")]
mod tokenizer;

#[cfg(feature = "cli")]
pub use facts::{Ability, Above, Facts, Later};
#[cfg(feature = "cli")]
pub use table::{Catalog, Group, Source, built_in};
#[cfg(feature = "cli")]
pub use tokenizer::tokenizer_of;

pub use adaptation::{Adaptation, ComplexTools, Fit, Lack, Template, Trim};
pub use labels::Labels;

use std::collections::BTreeMap;

use crate::operation::Operations;
use crate::tokens::Family;
use cost::Tariff;

/// How a model is told to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Thinking {
    /// It cannot.
    None,
    /// By a word: `low`, `medium`, `high` (OpenAI's `reasoning_effort`, Anthropic's
    /// `output_config.effort` with adaptive thinking, Gemini's `thinkingLevel`).
    #[default]
    Effort,
    /// By a budget in tokens (Anthropic's `budget_tokens`, Gemini's `thinkingBudget`).
    Budget,
}

#[cfg(feature = "cli")]
impl Thinking {
    /// Its word in the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Thinking::None => "none",
            Thinking::Effort => "effort",
            Thinking::Budget => "budget",
        }
    }

    /// The way of this word.
    pub fn find(word: &str) -> Option<Thinking> {
        [Thinking::None, Thinking::Effort, Thinking::Budget]
            .into_iter()
            .find(|way| way.as_str() == word)
    }
}

/// What one model of one provider can do. The default is able in everything:
/// nothing is refused on a guess.
#[derive(Debug, Clone, PartialEq)]
pub struct Capabilities {
    /// What it can be asked for.
    pub operations: Operations,
    /// Function tools.
    pub tools: bool,
    /// Several tool calls in one turn.
    pub parallel_tools: bool,
    /// `response_format: json_schema`, enforced by the provider.
    pub json_schema: bool,
    /// `response_format: json_object`, enforced by the provider.
    pub json_mode: bool,
    /// Images in messages.
    pub vision: bool,
    /// Audio in messages.
    pub audio: bool,
    /// PDF and other files in messages.
    pub files: bool,
    /// How it is told to think.
    pub thinking: Thinking,
    /// Whether it takes `temperature`, `top_p`, `top_k`.
    pub sampling: bool,
    /// Input and output together, in tokens.
    pub context_window: Option<u64>,
    /// The most output that may be asked for, in tokens.
    pub max_output_tokens: Option<u64>,
}

/// One candidate: a model of a provider, under the name that the provider knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Backend {
    /// The provider's name in the configuration.
    pub provider: String,
    /// The model's name at the provider.
    pub model: String,
    /// Share of traffic under the `weighted` policy.
    pub weight: u32,
    /// Consecutive attempts at it before the next candidate.
    pub tries: u32,
    /// How many requests it may be serving before others are asked first; any number without.
    pub concurrency: Option<Concurrency>,
    /// What it can do.
    pub capabilities: Capabilities,
    /// How it counts tokens.
    pub tokenizer: Family,
    /// How good its answers are by the operator's own measure, 0 to 1.
    pub quality: Option<f64>,
    /// The most complex request that it is meant for, in thousandths.
    pub max_complexity: Option<u16>,
    /// What its tokens cost.
    pub prices: Option<Box<Tariff>>,
    /// What it promises, its provider's labels included.
    pub labels: Labels,
    /// Its name in an experiment; empty for provider and model.
    pub variant: String,
    /// Request fields that are sent when the client did not set them, in the
    /// provider's own schema, as JSON text.
    pub defaults: BTreeMap<String, String>,
    /// What is done to a request so that it can serve it.
    pub adaptation: Adaptation,
}

/// How many requests a target may be serving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concurrency {
    /// When all are answered.
    pub most: u32,
    /// When hardly any is.
    pub least: u32,
}

impl Concurrency {
    /// How many, where this share of attempts failed lately.
    pub fn allowed(self, failed: Option<f64>) -> u64 {
        let answered = 1.0 - failed.unwrap_or(0.0).clamp(0.0, 1.0);
        let allowed = f64::from(self.most) * answered * answered;
        (allowed as u64).max(u64::from(self.least))
    }
}

impl Default for Capabilities {
    fn default() -> Self {
        Capabilities {
            operations: Operations::UNSAID,
            tools: true,
            parallel_tools: true,
            json_schema: true,
            json_mode: true,
            vision: true,
            audio: true,
            files: true,
            thinking: Thinking::Effort,
            sampling: true,
            context_window: None,
            max_output_tokens: None,
        }
    }
}
