//! Details of translation that gateways get wrong, one line each, and the tests that hold them.
//!
//! A row names fixtures (`<folder>/<beginning of the case>`, under `tests/fixtures/translation`)
//! and tests (`<file>::<name>`). What does not exist fails; what does not concern this gateway
//! says why.
//!
//! Fixtures of streams are also cut at every byte: `translation.rs`, `surface.rs`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What holds one detail.
enum Held {
    /// Fixtures and tests.
    By(&'static [&'static str]),
    /// Nothing, for this reason.
    Inapplicable(&'static str),
}

use Held::{By, Inapplicable};

/// How many ids each family has.
const FAMILIES: [(&str, usize); 9] = [
    ("A", 16),
    ("G", 10),
    ("B", 14),
    ("Z", 6),
    ("M", 3),
    ("D", 4),
    ("Q", 5),
    ("C", 3),
    ("X", 14),
];

const TRAPS: &[(&str, &str, Held)] = &[
    (
        "A1",
        "parallel results are one user turn, results first",
        By(&[
            "anthropic/a1_",
            "tests/tool_loop.rs::every_pair_goes_on_with_what_the_other_began",
        ]),
    ),
    (
        "A2",
        "tool calls: finish reason, id, name, index",
        By(&["anthropic/a2_"]),
    ),
    (
        "A3",
        "signed, empty and redacted thinking go round",
        By(&[
            "anthropic/a3_",
            "tests/tool_loop.rs::a_loop_that_comes_back_finds_its_own_thoughts_and_nobody_elses",
        ]),
    ),
    (
        "A4",
        "a forced tool and thinking exclude each other",
        By(&["anthropic/a4_"]),
    ),
    (
        "A5",
        "prompt tokens include cache reads and writes",
        By(&["anthropic/a5_"]),
    ),
    (
        "A6",
        "usage of message_delta is cumulative",
        By(&["anthropic/a6_"]),
    ),
    (
        "A7",
        "$defs stay at the root of a schema",
        By(&["anthropic/a7_"]),
    ),
    (
        "A8",
        "cache_control is kept everywhere",
        By(&["anthropic/a8_"]),
    ),
    (
        "A9",
        "an error event first is retryable, later it is told",
        By(&[
            "anthropic/a9_",
            "tests/e2e/test_failover.py::test_the_next_candidate_answers",
            "tests/e2e/test_streams.py::test_an_error_in_mid_stream_is_told_once_and_not_hidden",
        ]),
    ),
    (
        "A10",
        "ping keeps the client's stream alive",
        By(&["anthropic/a10_"]),
    ),
    (
        "A11",
        "a missing max_tokens is added and told",
        By(&["anthropic/a11_"]),
    ),
    (
        "A12",
        "tool_choice none; empty arguments are an object",
        By(&["anthropic/a12_"]),
    ),
    (
        "A13",
        "a system message between turns loses nothing",
        By(&["anthropic/a13_"]),
    ),
    (
        "A14",
        "betas are filtered for each cloud",
        By(&[
            "anthropic/a14_",
            "bedrock_anthropic/a14_",
            "vertex_anthropic/a14_",
            "foundry_anthropic/a14_",
            "tests/e2e/test_clouds.py::test_a14_betas_are_filtered_for_each_cloud",
            "tests/exchange/attempt.rs::switches_of_anthropic_reach_nobody_else",
        ]),
    ),
    (
        "A15",
        "a usage limit in a 400 is a quota",
        By(&["anthropic/a15_"]),
    ),
    (
        "A16",
        "an unknown type of tool is refused",
        By(&["anthropic/a16_"]),
    ),
    ("G1", "STOP with a call is tool_calls", By(&["gemini/g1_"])),
    (
        "G2",
        "thought signatures come and go back",
        By(&[
            "gemini/g2_",
            "tests/tool_loop.rs::a_loop_that_comes_back_finds_its_own_thoughts_and_nobody_elses",
        ]),
    ),
    (
        "G3",
        "schemas with references, unions and null",
        By(&[
            "gemini/g3_",
            "tests/vendor/test_corpus.py::test_the_vendor_accepts_every_body",
        ]),
    ),
    ("G4", "mode ANY needs an object type", By(&["gemini/g4_"])),
    (
        "G5",
        "blocked prompts and missing candidates",
        By(&["gemini/g5_"]),
    ),
    (
        "G6",
        "thoughts and caches count; nested envelopes",
        By(&["gemini/g6_"]),
    ),
    (
        "G7",
        "server-sent events, or an array of chunks",
        By(&["gemini/g7_"]),
    ),
    ("G8", "parallel results are one turn", By(&["gemini/g8_"])),
    (
        "G9",
        "cache_control creates no cached content",
        By(&["gemini/g9_"]),
    ),
    (
        "G10",
        "no authorization beside the key's own header; labels",
        By(&[
            "gemini/vertex_labels",
            "tests/exchange/attempt.rs::no_key_of_one_attempt_or_of_the_client_reaches_the_next",
            "tests/exchange/attempt.rs::every_provider_gets_its_own_path_authority_key_and_body",
        ]),
    ),
    (
        "B1",
        "tools in the history without tools in the request",
        By(&["bedrock_converse/b1_"]),
    ),
    (
        "B2",
        "blank texts and empty results",
        By(&["bedrock_converse/b2_"]),
    ),
    (
        "B3",
        "turns of one role are one turn",
        By(&["bedrock_converse/b3_"]),
    ),
    (
        "B4",
        "binary frames, cut anywhere",
        By(&[
            "bedrock_converse/b4_",
            "tests/translation.rs::a_stream_means_the_same_wherever_its_bytes_are_cut",
        ]),
    ),
    (
        "B5",
        "an exception frame first, and after content",
        By(&["bedrock_converse/b5_"]),
    ),
    (
        "B6",
        "a model's name in the path is encoded once",
        By(&["src/provider/bedrock.rs::names_and_arns_are_one_segment_encoded_once"]),
    ),
    (
        "B7",
        "prompt tokens include cache reads and writes",
        By(&["bedrock_converse/b7_"]),
    ),
    (
        "B8",
        "cache points are elements of their own",
        By(&["bedrock_converse/b8_"]),
    ),
    (
        "B9",
        "no tool choice none, and forced choices",
        By(&["bedrock_converse/b9_"]),
    ),
    (
        "B10",
        "a JSON schema is never silently unenforced",
        By(&["bedrock_converse/b10_"]),
    ),
    (
        "B11",
        "reasoning is text, signatures stand apart",
        By(&["bedrock_converse/b11_"]),
    ),
    (
        "B12",
        "top_k, invalid arguments, null output",
        By(&["bedrock_converse/b12_"]),
    ),
    (
        "B13",
        "indexes of streamed calls begin at 0",
        By(&["bedrock_converse/b13_"]),
    ),
    (
        "B14",
        "a system message among the turns",
        By(&["bedrock_converse/b14_"]),
    ),
    (
        "Z1",
        "a first chunk without choices",
        By(&["azure_openai/z1_", "openai/z1_"]),
    ),
    (
        "Z2",
        "a choice without a delta",
        By(&["azure_openai/z2_", "openai/z2_"]),
    ),
    (
        "Z3",
        "the limit's name goes by the model's family",
        By(&[
            "azure_openai/z3_",
            "tests/e2e/test_clouds.py::test_z3_the_limits_name_follows_the_declared_family",
        ]),
    ),
    (
        "Z4",
        "paths keep their version",
        By(&[
            "tests/exchange/attempt.rs::every_provider_gets_its_own_path_authority_key_and_body",
            "tests/e2e/test_clouds.py::test_z4_each_path_of_azure_keeps_its_version",
        ]),
    ),
    (
        "Z5",
        "content_filter in a 400 is a refusal",
        By(&[
            "azure_openai/z5_",
            "openai/z5_",
            "tests/e2e/test_clouds.py::test_z5_a_filtered_prompt_is_a_refusal",
        ]),
    ),
    ("Z6", "Foundry's hosts", By(&["foundry_anthropic/z6_"])),
    (
        "M1",
        "ids of calls are nine letters and digits",
        By(&["mistral/m1_"]),
    ),
    (
        "M2",
        "from OpenAI to Mistral within a tool loop",
        By(&[
            "mistral/m2_",
            "tests/tool_loop.rs::every_pair_goes_on_with_what_the_other_began",
            "tests/vendor/test_tool_loop.py::test_the_next_vendor_accepts_the_body",
        ]),
    ),
    ("M3", "stop where a model has none", By(&["mistral/m3_"])),
    (
        "D1",
        "every call of a tool has its reasoning beside it",
        By(&["deepseek/d1_"]),
    ),
    (
        "D2",
        "its Anthropic endpoint is strict on parallel results",
        By(&["anthropic/a1_"]),
    ),
    (
        "D3",
        "chat only: other APIs are converted",
        By(&[
            "deepseek/d3_",
            "tests/surface.rs::requests_become_chat_completions_as_their_fixtures_say",
        ]),
    ),
    (
        "D4",
        "tokens of cache hits are cached tokens",
        By(&["deepseek/d4_"]),
    ),
    ("Q1", "thinking is off outside streams", By(&["qwen/q1_"])),
    (
        "Q2",
        "a reply without choices",
        By(&["qwen/q2_", "openai/q2_"]),
    ),
    (
        "Q3",
        "usage is null in all chunks but the last",
        By(&["qwen/q3_"]),
    ),
    (
        "Q4",
        "other paths for other APIs",
        Inapplicable("only its chat path is asked; `dialect.path` says another one"),
    ),
    (
        "Q5",
        "cache tokens in message_delta",
        By(&["anthropic/q5_"]),
    ),
    ("C1", "reasons to stop", By(&["cohere/c1_"])),
    ("C2", "tokens, not billed units", By(&["cohere/c2_"])),
    (
        "C3",
        "message-end is the end, stream-end is not",
        By(&["cohere/c3_"]),
    ),
    (
        "X1",
        "framing: blanks, several lines, comments, CRLF",
        By(&["openai/x1_", "anthropic/x1_", "gemini/x1_", "cohere/x1_"]),
    ),
    (
        "X2",
        "compressed replies",
        By(&[
            "tests/exchange/replies.rs::every_class_is_told_to_envoy_in_its_own_way",
            "tests/exchange/attempt.rs::no_key_of_one_attempt_or_of_the_client_reaches_the_next",
            "tests/e2e/test_failover.py::test_the_next_candidate_answers",
        ]),
    ),
    (
        "X3",
        "an end without the last event is an error",
        By(&[
            "openai/x3_",
            "anthropic/x3_",
            "gemini/x3_",
            "bedrock_converse/x3_",
            "cohere/x3_",
            "tests/e2e/test_streams.py::test_a_stream_that_is_cut_never_says_that_it_is_complete",
        ]),
    ),
    (
        "X4",
        "one malformed event among good ones",
        By(&[
            "openai/x4_",
            "anthropic/x4_",
            "gemini/x4_",
            "bedrock_converse/x4_",
            "cohere/x4_",
        ]),
    ),
    (
        "X5",
        "an error in answer to a streamed request",
        By(&[
            "openai/x5_",
            "anthropic/x5_",
            "tests/exchange/streams.rs::an_error_in_answer_to_a_streamed_request_is_read_whole",
        ]),
    ),
    (
        "X6",
        "what Envoy says itself is no provider's body",
        By(&["tests/exchange/failures.rs::what_envoy_says_itself_becomes_an_error_of_openais"]),
    ),
    (
        "X7",
        "usage is asked for and hidden",
        By(&[
            "openai/x7_",
            "anthropic/x7_",
            "bedrock_converse/x7_",
            "cohere/x7_",
            "groq/x7_",
            "gemini/g6_usage_is_hidden",
            "tests/exchange/streams.rs::usage_is_hidden_from_who_did_not_ask_and_still_counted",
        ]),
    ),
    (
        "X8",
        "arguments that are cut stay text",
        By(&[
            "openai/x8_",
            "anthropic/x8_",
            "gemini/x8_",
            "bedrock_converse/x8_",
            "cohere/x8_",
        ]),
    ),
    (
        "X9",
        "all blocks of text are joined",
        By(&["anthropic/x9_", "gemini/x9_", "bedrock_converse/x9_"]),
    ),
    (
        "X10",
        "keys have their case; unknown fields pass",
        By(&["openai/x10_", "anthropic/x10_", "gemini/x10_"]),
    ),
    (
        "X11",
        "a client that leaves cancels the attempt",
        By(&[
            "tests/e2e/test_streams.py::test_a_client_that_leaves_in_mid_stream_costs_no_more_tokens",
            "tests/e2e/test_streams.py::test_a_client_that_leaves_before_any_answer_cancels_the_attempt",
            "tests/e2e/test_streams.py::test_a_client_that_leaves_while_a_buffered_reply_is_coming_cancels_it",
        ]),
    ),
    (
        "X12",
        "each attempt has its own model, key, path and limits",
        By(&[
            "tests/exchange/attempt.rs::every_provider_gets_its_own_path_authority_key_and_body",
            "tests/exchange/attempt.rs::no_key_of_one_attempt_or_of_the_client_reaches_the_next",
        ]),
    ),
    (
        "X13",
        "slow failures do not add up without end",
        By(&["tests/exchange/planning.rs::the_plan_names_every_attempt_and_how_long_it_may_take"]),
    ),
    (
        "X14",
        "the next request passes over who is ejected",
        By(&[
            "tests/e2e/test_ejection.py::test_an_ejected_first_candidate_is_passed_over",
            "tests/e2e/test_ejection.py::test_two_ejected_candidates_are_passed_over",
        ]),
    ),
];

#[test]
fn every_detail_is_held_by_something_that_exists() {
    for (id, detail, held) in TRAPS {
        match held {
            By(proofs) => {
                assert!(!proofs.is_empty(), "{id}: {detail}");
                let missing: Vec<_> = proofs.iter().filter(|proof| !exists(proof)).collect();
                assert!(missing.is_empty(), "{id}, {detail}: no {missing:?}");
            }
            Inapplicable(reason) => assert!(!reason.is_empty(), "{id}: {detail}"),
        }
    }
}

#[test]
fn every_id_stands_in_the_table_once() {
    let expected = FAMILIES
        .iter()
        .flat_map(|(family, count)| (1..=*count).map(move |n| format!("{family}{n}")));
    let listed: Vec<_> = TRAPS.iter().map(|(id, _, _)| (*id).to_owned()).collect();
    assert_eq!(listed, expected.collect::<Vec<_>>());
}

#[test]
fn every_fixture_of_a_detail_stands_in_the_table() {
    let ids: BTreeSet<String> = TRAPS.iter().map(|(id, ..)| id.to_lowercase()).collect();
    for folder in names("tests/fixtures/translation") {
        for case in names(&format!("tests/fixtures/translation/{folder}")) {
            let id = case.split('_').next().unwrap_or_default();
            let is_numbered = id.len() > 1 && id.chars().skip(1).all(|c| c.is_ascii_digit());
            assert!(!is_numbered || ids.contains(id), "{folder}/{case}");
        }
    }
}

fn exists(proof: &str) -> bool {
    match proof.split_once("::") {
        Some((file, test)) => {
            let text = fs::read_to_string(root().join(file)).unwrap_or_default();
            ["fn ", "def "]
                .iter()
                .any(|word| text.contains(&format!("{word}{test}(")))
        }
        None => {
            let (folder, start) = proof.split_once('/').expect("a folder and a case");
            let cases = names(&format!("tests/fixtures/translation/{folder}"));
            cases.iter().any(|case| case.starts_with(start))
        }
    }
}

fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).into_iter().flatten();
    let names = entries.flatten().map(|entry| entry.file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
