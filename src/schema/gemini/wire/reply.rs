//! A `generateContent` reply, borrowed from its body.
//!
//! Source: as for the request.

use crate::json::{Raw, Text};
use crate::wire;

wire! {
    /// A reply, or one chunk of a streamed one.
    pub struct Response<'a> {
        /// The choices.
        candidates: Vec<Candidate<'a>>,
        /// Says why the prompt was blocked.
        prompt_feedback = "promptFeedback": Raw<'a>,
        /// Tokens so far.
        usage_metadata = "usageMetadata": UsageMetadata<'a>,
        /// The model that answers.
        model_version = "modelVersion": Text<'a>,
        /// Id of the reply.
        response_id = "responseId": Text<'a>,
        /// The reply itself, when a proxy wraps it.
        response: Raw<'a>,
        /// An error, as an event of a stream.
        error: Raw<'a>,
    }
}

wire! {
    /// Why a prompt was blocked.
    pub struct PromptFeedback<'a> {
        /// Present only when it was.
        block_reason = "blockReason": Text<'a>,
    }
}

wire! {
    /// One choice.
    pub struct Candidate<'a> {
        /// What the model said.
        content: CandidateContent<'a>,
        /// Its position among the choices; absent for the first.
        index: usize,
        /// Absent until the choice is over.
        finish_reason = "finishReason": Text<'a>,
        /// The reason in words.
        finish_message = "finishMessage": Raw<'a>,
        /// Ratings by category.
        safety_ratings = "safetyRatings": Raw<'a>,
        /// Texts that the model quotes.
        citation_metadata = "citationMetadata": Raw<'a>,
        /// Sources of the answer.
        grounding_metadata = "groundingMetadata": Raw<'a>,
        /// Pages that were read.
        url_context_metadata = "urlContextMetadata": Raw<'a>,
        /// Log probabilities.
        logprobs_result = "logprobsResult": LogprobsResult<'a>,
    }
}

wire! {
    /// The model's turn.
    pub struct CandidateContent<'a> {
        /// Its parts, each a [`ReplyPart`].
        parts: Vec<Raw<'a>>,
        /// `model`.
        role: Raw<'a>,
    }
}

wire! {
    /// One part of the model's turn.
    pub struct ReplyPart<'a> {
        /// Text, or a thought's summary.
        text: Text<'a>,
        /// The part is a thought.
        thought: bool,
        /// Opaque; must come back with the same part.
        thought_signature = "thoughtSignature": Text<'a>,
        /// A call.
        function_call = "functionCall": ReplyFunctionCall<'a>,
        /// Code that Google runs.
        executable_code = "executableCode": ExecutableCode<'a>,
        /// What came of it.
        code_execution_result = "codeExecutionResult": CodeExecutionResult<'a>,
    }
}

wire! {
    /// A call of the model.
    pub struct ReplyFunctionCall<'a> {
        /// Not given by every model.
        id: Text<'a>,
        /// Name of the function.
        name: Text<'a>,
        /// An object; absent when the function takes nothing.
        args: Raw<'a>,
    }
}

wire! {
    /// Code that Google runs.
    pub struct ExecutableCode<'a> {
        /// The code.
        code: Text<'a>,
        /// `PYTHON`.
        language: Text<'a>,
    }
}

wire! {
    /// Output of code that Google has run.
    pub struct CodeExecutionResult<'a> {
        /// `OUTCOME_OK` or what went wrong.
        outcome: Text<'a>,
        /// The output, or the error's description.
        output: Text<'a>,
    }
}

wire! {
    /// Tokens; running totals in a stream.
    pub struct UsageMetadata<'a> {
        /// The prompt, cached tokens included.
        prompt_token_count = "promptTokenCount": u64,
        /// Results of tools that Google ran, read by the model; not part of the prompt.
        tool_use_prompt_token_count = "toolUsePromptTokenCount": u64,
        /// The answer, thoughts excluded.
        candidates_token_count = "candidatesTokenCount": u64,
        /// The thoughts.
        thoughts_token_count = "thoughtsTokenCount": u64,
        /// Of the prompt, read from the cache.
        cached_content_token_count = "cachedContentTokenCount": u64,
        /// The prompt by kind, cached tokens included.
        prompt_tokens_details = "promptTokensDetails": Vec<ModalityTokens<'a>>,
        /// What was read from the cache, by kind.
        cache_tokens_details = "cacheTokensDetails": Vec<ModalityTokens<'a>>,
        /// The answer by kind.
        candidates_tokens_details = "candidatesTokensDetails": Vec<ModalityTokens<'a>>,
        /// How it was served, on Vertex AI.
        traffic_type = "trafficType": Text<'a>,
    }
}

wire! {
    /// Tokens of one kind.
    pub struct ModalityTokens<'a> {
        /// `TEXT`, `IMAGE`, `VIDEO`, `AUDIO`, `DOCUMENT`.
        modality: Text<'a>,
        /// How many.
        token_count = "tokenCount": u64,
    }
}

wire! {
    /// Log probabilities of a choice.
    pub struct LogprobsResult<'a> {
        /// The tokens that were chosen.
        chosen_candidates = "chosenCandidates": Vec<TokenLogprob<'a>>,
        /// For each of them the most likely ones.
        top_candidates = "topCandidates": Vec<TopCandidates<'a>>,
    }
}

wire! {
    /// The most likely tokens at one position.
    pub struct TopCandidates<'a> {
        /// By falling probability.
        candidates: Vec<TokenLogprob<'a>>,
    }
}

wire! {
    /// A token and its log probability.
    pub struct TokenLogprob<'a> {
        /// The token.
        token: Text<'a>,
        /// Natural logarithm; absent when it is zero.
        log_probability = "logProbability": f64,
    }
}
