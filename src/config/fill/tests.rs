use serde_json::{Value, json};

use crate::config::{Problem, yaml};

/// A document with one candidate, and what stands in `more` at its end.
fn document(candidate: &str, more: &str) -> String {
    format!(
        "version: 1\n\
         providers:\n  openai: {{key: {{env: K}}}}\n  groq: {{kind: openai_compatible, endpoint: \
         \"https://api.groq.com/openai/v1\", key: {{env: K}}}}\n\
         models:\n  m: {{candidates: [{candidate}]}}\n  g: {{candidates: [{{provider: groq, model: \
         openai/gpt-oss-20b}}]}}\n{more}"
    )
}

fn capabilities(candidate: &str, more: &str) -> Value {
    let (_, json, _) = yaml::load(&document(candidate, more)).expect("right");
    json["models"]["m"]["candidates"][0]["capabilities"].clone()
}

fn warnings(today: Option<&str>, candidate: &str, more: &str) -> Vec<String> {
    let today = today.map(|day| day.parse().expect("a day"));
    let loaded = yaml::load_on(today, &document(candidate, more));
    let problems = loaded.map_or_else(|problems| problems, |(_, _, warnings)| warnings);
    problems.iter().map(Problem::to_string).collect()
}

const GPT_5: &str = "{provider: openai, model: gpt-5}";

#[test]
fn what_is_known_of_a_candidate_is_spelled_out_for_the_plugin() {
    let known = capabilities(GPT_5, "");
    assert_eq!(known["context_window"], 400_000);
    assert_eq!(known["max_output_tokens"], 128_000);
    assert_eq!(known["sampling"], false);
    assert_eq!(known["thinking"], "effort");
    // Not known to be impossible, so not said.
    assert_eq!(known["files"], Value::Null);
}

#[test]
fn the_configuration_agrees_with_the_plugins_document() {
    let (config, json, _) = yaml::load(&document(GPT_5, "")).expect("right");
    let (again, _) = crate::config::Config::from_json(json.to_string().as_bytes()).expect("right");
    assert_eq!(format!("{config:?}"), format!("{again:?}"));
    assert!(!config.models["m"].candidates[0].capabilities.sampling);
}

#[test]
fn hosts_tell_who_a_compatible_provider_is() {
    let (_, json, _) = yaml::load(&document(GPT_5, "")).expect("right");
    let known = &json["models"]["g"]["candidates"][0]["capabilities"];
    assert_eq!(known["context_window"], 131_072);
}

#[test]
fn a_known_chat_model_is_asked_for_nothing_but_chat() {
    let operations =
        |candidate: &str, more: &str| capabilities(candidate, more)["operations"].clone();
    let chat = json!(["chat", "message_tokens", "input_tokens"]);
    assert_eq!(operations(GPT_5, ""), chat);
    let own = "{provider: openai, model: gpt-5, capabilities: {operations: [completions]}}";
    assert_eq!(operations(own, ""), json!(["completions"]));
    let unknown = "{provider: openai, model: mine-1}";
    assert_eq!(operations(unknown, ""), Value::Null);
    let priced = "catalog: {openai/mine-1: {prices: {input: 1}}}";
    assert_eq!(operations(unknown, priced), Value::Null);
}

#[test]
fn the_users_own_words_win() {
    let candidate =
        "{provider: openai, model: gpt-5, capabilities: {vision: false, sampling: true}}";
    let known = capabilities(candidate, "");
    assert_eq!(
        (&known["vision"], &known["sampling"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(known["tools"], true);
}

#[test]
fn what_contradicts_the_users_words_is_left_out() {
    let without = "{provider: openai, model: gpt-5, capabilities: {tools: false}}";
    assert_eq!(capabilities(without, "")["parallel_tools"], Value::Null);
    let short = "{provider: openai, model: gpt-5, capabilities: {context_window: 8000}}";
    assert_eq!(capabilities(short, "")["max_output_tokens"], Value::Null);
    let long = "{provider: openai, model: gpt-5, capabilities: {max_output_tokens: 500000}}";
    assert_eq!(capabilities(long, "")["context_window"], Value::Null);
}

#[test]
fn the_documents_catalogue_overrides_and_adds() {
    let more = "catalog:\n  openai/gpt-5: {context_window: 1000000, vision: false}\n";
    let known = capabilities(GPT_5, more);
    assert_eq!(
        (&known["context_window"], &known["vision"]),
        (&json!(1_000_000), &json!(false))
    );
    assert_eq!(known["max_output_tokens"], 128_000);
    let mine = "{provider: openai, model: \"ft:mine\"}";
    let more = "catalog: {\"openai/ft:mine\": {context_window: 16384, thinking: none, \
                prices: {input: 0.375, output: 3}}}";
    assert_eq!(capabilities(mine, ""), Value::Null);
    let expected = json!({"thinking": "none", "context_window": 16_384});
    assert_eq!(capabilities(mine, more), expected);
}

#[test]
fn entries_may_name_the_provider_of_the_catalogue() {
    let text = document(GPT_5, "catalog: {openai/gpt-5: {files: true}}\n")
        .replace("openai: {key", "mine: {kind: openai, key")
        .replace("provider: openai,", "provider: mine,");
    let (_, json, warnings) = yaml::load(&text).expect("right");
    assert_eq!(
        json["models"]["m"]["candidates"][0]["capabilities"]["files"],
        true
    );
    assert_eq!(warnings, []);
}

#[test]
fn the_section_itself_does_not_reach_the_plugin() {
    let text = document(GPT_5, "catalog: {openai/gpt-5: {vision: false}}");
    let (_, json, _) = yaml::load(&text).expect("right");
    assert_eq!(json["catalog"], Value::Null);
}

#[test]
fn the_section_is_checked_strictly() {
    for (entry, complaint) in [
        ("gpt-5: {}", "found \"gpt-5\", expected a provider, a slash"),
        (
            "openai/gpt-5: {context: 5}",
            "found the unknown key \"context\"",
        ),
        (
            "openai/gpt-5: {prices: {input: -1}}",
            "found -1, expected USD, 0 to 10000",
        ),
        (
            "openai/gpt-5: {prices: {input: 0.1234567}}",
            "expected USD, 0 to 10000",
        ),
        (
            "openai/gpt-5: {prices: {output: \"1\"}}",
            "found \"1\", expected USD, 0 to 10000",
        ),
        (
            "openai/gpt-5: {shutdown: \"2026-02-30\"}",
            "expected a day such as",
        ),
        (
            "openai/gpt-5: {context_window: 10, max_output_tokens: 11}",
            "found 11, expected at most context_window, which is 10",
        ),
        ("opnai/gpt-5: {}", "did you mean \"openai\"?"),
    ] {
        let found = warnings(None, GPT_5, &format!("catalog: {{{entry}}}"));
        assert!(
            found.iter().any(|line| line.contains(complaint)),
            "{entry}: {found:?}"
        );
    }
}

#[test]
fn slips_get_a_hint_and_new_models_do_not() {
    let of = |model: &str| warnings(None, &format!("{{provider: openai, model: {model}}}"), "");
    assert_eq!(
        of("gpt-5-mni"),
        [
            "models.m.candidates[0].model: found \"gpt-5-mni\", expected a model that openai is \
             known to have; did you mean \"gpt-5-mini\"?"
        ]
    );
    for fine in [
        "gpt-9",
        "gpt-5.7",
        "ft:gpt-4o-mini:acme::x1",
        "gpt-5-2025-08-07",
    ] {
        assert_eq!(of(fine), [""; 0], "{fine}");
    }
    let added = "catalog: {openai/gpt-5-mni: {vision: true}}";
    let candidate = "{provider: openai, model: gpt-5-mni}";
    assert_eq!(warnings(None, candidate, added), [""; 0]);
}

#[test]
fn departed_models_are_warned_of_on_a_given_day_only() {
    assert_eq!(warnings(None, GPT_5, ""), [""; 0]);
    assert_eq!(warnings(Some("2026-12-10"), GPT_5, ""), [""; 0]);
    assert_eq!(
        warnings(Some("2026-12-11"), GPT_5, ""),
        [
            "models.m.candidates[0].model: found \"gpt-5\", shut down on 2026-12-11, expected a \
             model that is still served"
        ]
    );
    let later = "catalog: {openai/gpt-5: {shutdown: \"2028-01-01\"}}";
    assert_eq!(warnings(Some("2026-12-11"), GPT_5, later), [""; 0]);
}

#[test]
fn embedding_models_are_asked_for_nothing_else_and_mixed_ones_are_warned_of() {
    let small = "{provider: openai, model: text-embedding-3-small}";
    assert_eq!(capabilities(small, "")["operations"], json!(["embeddings"]));
    assert_eq!(warnings(None, small, ""), [""; 0]);
    let mixed = format!("{small}, {{provider: openai, model: text-embedding-3-large}}");
    let found = warnings(None, &mixed, "");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("models.m.candidates: found embeddings of"),
        "{found:?}"
    );
}
