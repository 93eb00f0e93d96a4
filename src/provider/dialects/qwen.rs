//! Qwen on Alibaba Cloud Model Studio (DashScope); the endpoint is that of Singapore.

use crate::failure::Class;
use crate::provider::speaker::{SPEAKER, Speaker};
use crate::schema::openai::dialect::{Dialect, Rename, ThinkingForm, at_most, pairs, says, words};

/// Source: Alibaba Cloud Model Studio, "OpenAI compatible - Chat" and "Deep thinking", read 2026-11-21.
pub const QWEN: Speaker = Speaker {
    kind: "qwen",
    endpoint: Some("https://dashscope-intl.aliyuncs.com/compatible-mode/v1"),
    dialect,
    ..SPEAKER
};

fn dialect() -> Dialect {
    Dialect {
        drops: words(
            "frequency_penalty logit_bias metadata moderation prediction prompt_cache_key \
             prompt_cache_options prompt_cache_retention safety_identifier service_tier store \
             user verbosity web_search_options",
        ),
        renames: vec![Rename {
            from: "max_completion_tokens".into(),
            to: "max_tokens".into(),
            changes: Some("this provider does not count reasoning".into()),
            if_thinking: false,
        }],
        limits: vec![at_most("n", 4.0)],
        roles: pairs(&[("developer", "system")]),
        drops_in_messages: words("refusal audio function_call annotations"),
        extensions: Some(words("top_k thinking reasoning_content cache_control")),
        tool_choices: words("none auto function"),
        thinking: ThinkingForm::Switch,
        errors: vec![
            says("arrearage", Class::QuotaExhausted),
            says("data_inspection_failed", Class::ContentFilter),
            says("datainspectionfailed", Class::ContentFilter),
            says("allocated quota exceeded", Class::RateLimited),
            says("limit_requests", Class::RateLimited),
            says("limit_burst_rate", Class::RateLimited),
        ],
        ..Dialect::default()
    }
}
