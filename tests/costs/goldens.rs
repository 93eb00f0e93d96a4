//! Replies of every provider, whole and streamed: each token is in one bucket, and paid once, by
//! the tier of service that the reply reports.

use std::sync::Arc;

use pointsman::provider::{self, PROVIDERS};
use pointsman::schema::ReplyContext;
use pointsman::usage::{Tier, Usage};
use serde_json::{Value, json};

use crate::{support, tariff};

/// A provider's kind, a model of its group in the catalogue, its reply whole and in events, and
/// what both cost.
struct Golden {
    name: &'static str,
    kind: &'static str,
    priced_as: (&'static str, &'static str),
    whole: Value,
    events: Value,
    usage: Usage,
    nano_usd: u64,
}

impl Golden {
    fn context(&self) -> ReplyContext {
        ReplyContext {
            id: "chatcmpl-1".to_owned(),
            model: self.priced_as.1.to_owned(),
            include_usage: true,
            dialect: Arc::new(provider::find(self.kind).expect("a provider").dialect()),
            ..ReplyContext::default()
        }
    }

    /// The events as the provider sends them.
    fn stream(&self) -> Vec<u8> {
        if self.kind == "bedrock" {
            return support::frames(&self.events);
        }
        let mut out = String::new();
        for event in self.events.as_array().expect("events") {
            if let Some(name) = event["type"].as_str() {
                out.push_str(&format!("event: {name}\n"));
            }
            out.push_str(&format!("data: {event}\n\n"));
        }
        if provider::find(self.kind)
            .expect("a provider")
            .schema()
            .name()
            == "openai"
        {
            out.push_str("data: [DONE]\n\n");
        }
        out.into_bytes()
    }

    fn check(&self) {
        let schema = provider::find(self.kind).expect("a provider").schema();
        let whole = self.whole.to_string().into_bytes();
        let whole = schema.translate_response(&self.context(), &whole, &mut Vec::new());
        let mut translator = schema.translate_stream(self.context());
        let pushed = translator.push(&self.stream(), &mut Vec::new());
        pushed.unwrap_or_else(|failure| panic!("{}: {}", self.name, failure.message));
        let streamed = translator.finish(&mut Vec::new());
        let tariff = tariff(self.priced_as.0, self.priced_as.1);
        for (how, reply) in [("whole", whole), ("streamed", streamed)] {
            let reply = reply.unwrap_or_else(|f| panic!("{} {how}: {}", self.name, f.message));
            assert_eq!(reply.usage, self.usage, "{} {how}", self.name);
            assert_eq!(
                tariff.nano_usd(&reply.usage),
                Some(self.nano_usd),
                "{} {how}",
                self.name
            );
        }
    }
}

/// A whole chat completion and its chunks, with this usage and these fields besides.
fn openai(usage: &Value, fields: Value) -> (Value, Value) {
    let with = |object: &str, choices: Value, usage: Value| {
        let mut reply = json!({
            "id": "1", "object": object, "created": 1, "model": "m", "choices": choices,
            "usage": usage,
        });
        for (name, value) in fields.as_object().expect("fields") {
            reply[name] = value.clone();
        }
        reply
    };
    let message = json!({"role": "assistant", "content": "Hi"});
    let whole = json!([{"index": 0, "message": message, "finish_reason": "stop"}]);
    let delta = json!([{"index": 0, "delta": message, "finish_reason": null}]);
    let last = json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]);
    let chunk = "chat.completion.chunk";
    let events = json!([
        with(chunk, delta, Value::Null),
        with(chunk, last, Value::Null),
        with(chunk, json!([]), usage.clone()),
    ]);
    (with("chat.completion", whole, usage.clone()), events)
}

fn anthropic(kind: &'static str, priced_as: (&'static str, &'static str), nano_usd: u64) -> Golden {
    let start = json!({
        "input_tokens": 10, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 1000,
        "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
        "output_tokens": 1, "service_tier": "batch",
    });
    let mut end = start.clone();
    end["output_tokens"] = json!(50);
    end["output_tokens_details"] = json!({"thinking_tokens": 30});
    let message = |usage: &Value, content: Value, stop: Value| {
        json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
            "content": content, "stop_reason": stop, "stop_sequence": null, "usage": usage,
        })
    };
    let text = json!([{"type": "text", "text": "Hi"}]);
    Golden {
        name: "A5, A6: disjoint counts that are running totals; 5 minutes, an hour; thinking",
        kind,
        priced_as,
        whole: message(&end, text, json!("end_turn")),
        events: json!([
            {"type": "message_start", "message": message(&start, json!([]), Value::Null)},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
            {"type": "content_block_stop", "index": 0},
            // Said twice, and still paid once.
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": end},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": end},
            {"type": "message_stop"},
        ]),
        usage: Usage {
            input_tokens: 1310,
            output_tokens: 50,
            cached_input_tokens: 1000,
            cache_write_tokens: 300,
            cache_write_1h_tokens: 200,
            reasoning_tokens: 30,
            tier: Tier::Batch,
            ..Usage::default()
        },
        nano_usd,
    }
}

/// 10 fresh at 5, 1000 cached at 0.5, 100 written at 6.25, 200 for an hour at 10, 50 out at 25.
const OPUS: u64 = 50_000 + 500_000 + 625_000 + 2_000_000 + 1_250_000;

#[test]
fn a5_a6_anthropic_counts_each_token_once() {
    anthropic("anthropic", ("anthropic", "claude-opus-4-5"), OPUS / 2).check();
}

#[test]
fn b7_bedrock_tells_what_is_kept_for_an_hour_and_how_it_was_served() {
    let usage = json!({
        "inputTokens": 10, "outputTokens": 50, "totalTokens": 1360,
        "cacheReadInputTokens": 1000, "cacheWriteInputTokens": 300,
        "cacheDetails": [{"ttl": "5m", "inputTokens": 100}, {"ttl": "1h", "inputTokens": 200}],
    });
    let frame = |name: &str, payload: Value| json!({ name: payload });
    Golden {
        name: "B7: cached and written tokens are part of the prompt",
        kind: "bedrock",
        priced_as: ("bedrock", "global.anthropic.claude-opus-5"),
        whole: json!({
            "output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}},
            "stopReason": "end_turn", "usage": usage, "metrics": {"latencyMs": 1},
            "serviceTier": {"type": "flex"},
        }),
        events: json!([
            frame("messageStart", json!({"role": "assistant"})),
            frame(
                "contentBlockDelta",
                json!({"contentBlockIndex": 0, "delta": {"text": "Hi"}})
            ),
            frame("contentBlockStop", json!({"contentBlockIndex": 0})),
            frame("messageStop", json!({"stopReason": "end_turn"})),
            frame(
                "metadata",
                json!({
                    "usage": usage, "metrics": {"latencyMs": 1}, "serviceTier": {"type": "flex"},
                })
            ),
        ]),
        usage: Usage {
            input_tokens: 1310,
            output_tokens: 50,
            cached_input_tokens: 1000,
            cache_write_tokens: 300,
            cache_write_1h_tokens: 200,
            tier: Tier::Flex,
            ..Usage::default()
        },
        // What flex costs here is not known: as always.
        nano_usd: OPUS,
    }
    .check();
}

#[test]
fn g6_gemini_counts_thoughts_tools_audio_and_images_apart() {
    let usage = json!({
        "promptTokenCount": 1000, "toolUsePromptTokenCount": 20, "cachedContentTokenCount": 400,
        "candidatesTokenCount": 50, "thoughtsTokenCount": 30, "totalTokenCount": 1100,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 600}, {"modality": "AUDIO", "tokenCount": 300},
            {"modality": "IMAGE", "tokenCount": 100},
        ],
        "cacheTokensDetails": [
            {"modality": "TEXT", "tokenCount": 300}, {"modality": "AUDIO", "tokenCount": 100},
        ],
        "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 50}],
        "trafficType": "ON_DEMAND_FLEX",
    });
    let candidate = |finish: Value| {
        json!([{"index": 0, "finishReason": finish,
            "content": {"role": "model", "parts": [{"text": "Hi"}]}}])
    };
    let whole = json!({
        "candidates": candidate(json!("STOP")), "usageMetadata": usage, "modelVersion": "m",
    });
    let first = json!({
        "candidates": candidate(Value::Null), "modelVersion": "m",
        "usageMetadata": {"promptTokenCount": 1000, "candidatesTokenCount": 1},
    });
    for kind in ["gemini", "vertex_gemini"] {
        Golden {
            name: "G6: thoughts, results of tools, audio, images, what was cached of them",
            kind,
            priced_as: ("gemini", "gemini-2.5-flash"),
            events: json!([first, whole]),
            whole: whole.clone(),
            usage: Usage {
                input_tokens: 1020,
                output_tokens: 80,
                cached_input_tokens: 400,
                cached_audio_tokens: 100,
                audio_input_tokens: 200,
                image_input_tokens: 100,
                reasoning_tokens: 30,
                tier: Tier::Flex,
                ..Usage::default()
            },
            // 420 text and image at 0.3, 300 cached at 0.03, 100 cached audio at 0.1, 200 audio at
            // 1, 80 out at 2.5; half of it all, as flex.
            nano_usd: (126_000 + 9_000 + 10_000 + 200_000 + 200_000) / 2,
        }
        .check();
    }
}

#[test]
fn c2_cohere_counts_tokens_and_not_billed_units() {
    let usage = json!({
        "billed_units": {"input_tokens": 3.0, "output_tokens": 5.0},
        "tokens": {"input_tokens": 20.0, "output_tokens": 5.0}, "cached_tokens": 4.0,
    });
    let message = json!({"role": "assistant", "content": [{"type": "text", "text": "Hi"}]});
    let delta = |text: &str| json!({"message": {"content": {"type": "text", "text": text}}});
    Golden {
        name: "C2: tokens, not billed units",
        kind: "cohere",
        priced_as: ("cohere", "command-a-03-2025"),
        whole: json!({
            "id": "1", "finish_reason": "COMPLETE", "message": message, "usage": usage,
        }),
        events: json!([
            {"type": "message-start", "id": "1", "delta": {"message": {"role": "assistant"}}},
            {"type": "content-start", "index": 0, "delta": delta("")},
            {"type": "content-delta", "index": 0,
                "delta": {"message": {"content": {"text": "Hi"}}}},
            {"type": "content-end", "index": 0},
            {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": usage}},
        ]),
        usage: Usage {
            input_tokens: 20,
            output_tokens: 5,
            cached_input_tokens: 4,
            ..Usage::default()
        },
        nano_usd: 50_000 + 50_000,
    }
    .check();
}

#[test]
fn openai_counts_cached_reasoning_and_audio_tokens_by_the_tier_that_it_reports() {
    let usage = json!({
        "prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 40, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 0},
    });
    // 60 fresh at 1.25, 40 cached at 0.125, 50 out at 10.
    let standard = 75_000 + 5_000 + 500_000;
    for (told, tier, nano_usd) in [
        (json!({}), Tier::Standard, standard),
        (json!({"service_tier": "default"}), Tier::Standard, standard),
        (json!({"service_tier": null}), Tier::Standard, standard),
        (json!({"service_tier": "flex"}), Tier::Flex, standard / 2),
        (
            json!({"service_tier": "priority"}),
            Tier::Priority,
            standard * 2,
        ),
    ] {
        let (whole, events) = openai(&usage, told);
        Golden {
            name: "tiers",
            kind: "openai",
            priced_as: ("openai", "gpt-5"),
            whole,
            events,
            usage: Usage {
                input_tokens: 100,
                output_tokens: 50,
                cached_input_tokens: 40,
                reasoning_tokens: 30,
                tier,
                ..Usage::default()
            },
            nano_usd,
        }
        .check();
    }
}

#[test]
fn every_provider_that_speaks_openai_is_counted_alike() {
    let usage = json!({
        "prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 20},
        "completion_tokens_details": {"reasoning_tokens": 10, "audio_tokens": 30},
    });
    let mut seen = 0;
    for provider in PROVIDERS.iter().filter(|p| p.schema().name() == "openai") {
        let (whole, events) = openai(&usage, json!({}));
        Golden {
            name: provider.kind(),
            kind: provider.kind(),
            priced_as: ("qwen", "qwen3-omni-flash"),
            whole,
            events,
            usage: Usage {
                input_tokens: 100,
                output_tokens: 50,
                audio_input_tokens: 20,
                reasoning_tokens: 10,
                audio_output_tokens: 30,
                ..Usage::default()
            },
            // 80 text at 0.43, 20 audio at 3.81, 20 out at 1.66, 30 audio out at 15.11.
            nano_usd: 34_400 + 76_200 + 33_200 + 453_300,
        }
        .check();
        seen += 1;
    }
    assert!(seen > 15, "{seen}");
}

#[test]
fn q3_d4_usage_stands_at_the_end_or_beside_the_others_words() {
    let (whole, events) = openai(
        &json!({
            "prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17,
            "prompt_cache_hit_tokens": 3, "prompt_cache_miss_tokens": 9,
        }),
        json!({}),
    );
    let usage = Usage {
        input_tokens: 12,
        output_tokens: 5,
        cached_input_tokens: 3,
        ..Usage::default()
    };
    Golden {
        name: "D4: DeepSeek's own words for what was cached",
        kind: "deepseek",
        priced_as: ("deepseek", "deepseek-v4-flash"),
        whole,
        events,
        usage,
        // 9 fresh at 0.3, 3 cached at 0.006, 5 out at 1.2.
        nano_usd: 2_700 + 18 + 6_000,
    }
    .check();
    let (whole, events) = openai(
        &json!({
            "prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17,
            "prompt_tokens_details": {"cached_tokens": 3},
        }),
        json!({}),
    );
    Golden {
        name: "Q3: usage is null in all chunks but the last",
        kind: "qwen",
        priced_as: ("qwen", "qwen-plus"),
        whole,
        events,
        usage,
        // 9 fresh at 0.4, 3 cached at 0.08, 5 out at 1.2.
        nano_usd: 3_600 + 240 + 6_000,
    }
    .check();
    let (whole, events) = openai(
        &json!({"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110,
            "service_tier": "priority"}),
        json!({}),
    );
    Golden {
        name: "Mistral tells the tier beside its counts",
        kind: "mistral",
        priced_as: ("mistral", "mistral-medium-latest"),
        whole,
        events,
        usage: Usage {
            input_tokens: 100,
            output_tokens: 10,
            tier: Tier::Priority,
            ..Usage::default()
        },
        nano_usd: 150_000 + 75_000,
    }
    .check();
}
