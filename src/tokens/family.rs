//! Families of tokenizers: models of one family count alike.

/// A tokenizer, or several that count nearly alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Family {
    /// OpenAI from GPT-4o on; also where nothing is known.
    #[default]
    O200k,
    /// OpenAI before GPT-4o.
    Cl100k,
    /// Anthropic.
    Claude,
    /// Google's Gemini and Gemma.
    Gemini,
    /// Alibaba's Qwen.
    Qwen,
    /// DeepSeek.
    Deepseek,
    /// Meta's Llama 3 and later.
    Llama,
    /// Mistral from Nemo on.
    Mistral,
}

impl Family {
    /// All of them, in the order of the weights.
    pub const ALL: [Family; 8] = [
        Family::O200k,
        Family::Cl100k,
        Family::Claude,
        Family::Gemini,
        Family::Qwen,
        Family::Deepseek,
        Family::Llama,
        Family::Mistral,
    ];

    /// Their names in the document.
    pub const NAMES: [&'static str; 8] = [
        "o200k", "cl100k", "claude", "gemini", "qwen", "deepseek", "llama", "mistral",
    ];

    /// Its name in the document.
    pub fn as_str(self) -> &'static str {
        Family::NAMES.get(self as usize).copied().unwrap_or("o200k")
    }

    /// The family of this name.
    pub fn find(name: &str) -> Option<Family> {
        let mut all = Family::ALL.into_iter();
        all.find(|family| family.as_str() == name)
    }

    /// Tokens that frame one message: role, beginning and end. OpenAI's cookbook counts 4
    /// (github.com/openai/openai-cookbook, how_to_count_tokens_with_tiktoken); others' templates
    /// are of the same size.
    pub(super) fn tokens_per_message(self) -> u64 {
        4
    }

    /// Tokens of the prompt that a provider puts before tools. Anthropic's for `auto`:
    /// platform.claude.com/docs/en/agents-and-tools/tool-use/overview, read 2026-11-21.
    pub(super) fn tokens_for_tools(self) -> u64 {
        match self {
            Family::Claude => 346,
            _ => 12,
        }
    }
}
