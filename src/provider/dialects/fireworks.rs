//! Fireworks AI.

use crate::failure::Class;
use crate::provider::speaker::{COMPLETIONS, EMBEDDINGS, SPEAKER, Speaker};
use crate::schema::openai::dialect::{Dialect, pairs, status, words};

/// Source: the types of the official SDK 1.2 (fireworks-ai), read 2026-11-21.
pub const FIREWORKS: Speaker = Speaker {
    kind: "fireworks",
    endpoint: Some("https://api.fireworks.ai/inference/v1"),
    offers: &[EMBEDDINGS, COMPLETIONS],
    dialect,
    ..SPEAKER
};

fn dialect() -> Dialect {
    Dialect {
        accepts: Some(words(
            "context_length_exceeded_behavior echo echo_last frequency_penalty function_call \
             functions ignore_eos logit_bias logprobs max_completion_tokens max_tokens \
             metadata min_p mirostat_lr mirostat_target n parallel_tool_calls \
             perf_metrics_in_response prediction presence_penalty prompt_cache_isolation_key \
             prompt_cache_key prompt_truncate_len raw_output reasoning_effort \
             reasoning_history repetition_penalty return_token_ids safe_tokenization seed \
             service_tier speculation stop temperature thinking top_k top_logprobs top_p \
             typical_p user",
        )),
        roles: pairs(&[("developer", "system")]),
        extensions: Some(words("thinking top_k reasoning_content")),
        tool_choices: words("none auto required function"),
        stream_options: false,
        efforts: pairs(&[("minimal", "low"), ("xhigh", "high")]),
        errors: vec![status(412, Class::QuotaExhausted)],
        ..Dialect::default()
    }
}
