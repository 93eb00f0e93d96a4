//! What the configuration does to requests for a candidate, and to its replies.

use pointsman::exchange::handoff::{ESCALATE, FIDELITY, FIDELITY_HEADER};
use serde_json::{Value, json};

use crate::mesh::{End, Mesh, Message, Script};
use crate::{CLAUDE_HELLO, DONE, ROLE, STOP, chat, gateway, plan, refused};

/// A model server that lacks much, before Anthropic.
fn config(change: impl FnOnce(&mut Value)) -> std::rc::Rc<pointsman::config::Config> {
    gateway(|document| {
        document["models"]["frugal"] = json!({
            "degrade": {"tools": "prompt", "json_schema": "prompt"},
            "candidates": [
                {"provider": "local", "model": "tiny", "capabilities": {
                    "tools": false, "json_schema": false, "json_mode": false, "context_window": 300}},
                {"provider": "anthropic", "model": "claude", "defaults": {"max_tokens": 64}},
            ]
        });
        change(document);
    })
}

fn tools() -> Value {
    let parameters =
        json!({"type": "object", "properties": {"a": {"type": "object", "properties": {}}}});
    json!([{"type": "function", "function": {"name": "f", "parameters": parameters}}])
}

fn says(text: &str) -> Script {
    let body = json!({"id": "1", "model": "tiny-1", "choices": [{"index": 0,
        "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]});
    Script::whole(200, &body.to_string())
}

fn reply(mesh: &mut Mesh, number: usize, cluster: &str, script: &Script) -> (Value, Message) {
    let mut sent = mesh.send(number, cluster).expect("an attempt");
    let message = mesh.reply(&mut sent.attempt, script).expect("a reply");
    (serde_json::from_slice(&sent.body).expect("JSON"), message)
}

fn body(message: &Message) -> Value {
    serde_json::from_slice(&message.body).expect("JSON")
}

#[test]
fn a_model_without_tools_serves_tools_and_the_next_one_gets_them_as_they_came() {
    let mut mesh = plan(&config(|_| {}), &chat("frugal", json!({"tools": tools()})));
    let text = "{\"tool_calls\":[{\"name\":\"f\",\"arguments\":{\"a\":{}}}]}";
    let (sent, reply) = reply(&mut mesh, 1, "local", &says(text));
    assert_eq!(sent.get("tools"), None);
    let choice = &body(&reply)["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(choice["message"]["tool_calls"][0]["id"], "call_req-1_0");
    assert_eq!(reply.header(FIDELITY_HEADER), "downgraded tools");
    let sent = mesh.send(2, "anthropic").expect("an attempt");
    let sent: Value = serde_json::from_slice(&sent.body).expect("JSON");
    assert_eq!(sent["tools"][0]["name"], "f");
}

#[test]
fn a_streamed_call_in_words_becomes_a_call() {
    let request = json!({"tools": tools(), "stream": true});
    let mut mesh = plan(&config(|_| {}), &chat("frugal", request));
    let piece = |text: &str| {
        let chunk = json!({"choices": [{"index": 0, "delta": {"content": text}}]});
        format!("data: {chunk}\n\n")
    };
    let (first, second) = (piece("{\"name\":\"f\","), piece("\"arguments\":{}}"));
    let script = Script::chunks(&[ROLE, &first, &second, STOP, DONE], End::WithLastChunk);
    let (_, reply) = reply(&mut mesh, 1, "local", &script);
    let text = reply.text();
    assert!(
        text.contains("\"tool_calls\":[{\"index\":0,\"id\":\"call_req-1_0\""),
        "{text}"
    );
    assert!(text.contains("\"finish_reason\":\"tool_calls\""), "{text}");
    assert!(!text.contains("arguments\\\":{}}\"},\"fin"), "{text}");
}

#[test]
fn an_answer_that_is_no_json_leads_on_and_the_last_one_is_told() {
    let schema = json!({"response_format": {"type": "json_schema",
        "json_schema": {"name": "n", "schema": {"type": "object"}}}});
    let mut mesh = plan(&config(|_| {}), &chat("frugal", schema.clone()));
    let (_, first) = reply(&mut mesh, 1, "local", &says("Sorry, no."));
    // Outlier detection would count a 5xx.
    assert_eq!((first.status, first.header(ESCALATE)), (200, "1"));
    let (_, second) = reply(&mut mesh, 2, "anthropic", &Script::whole(200, CLAUDE_HELLO));
    assert_eq!(second.status, 200);
    let alone = config(|document| {
        document["models"]["frugal"]["candidates"]
            .as_array_mut()
            .expect("a list")
            .truncate(1);
    });
    let mut mesh = plan(&alone, &chat("frugal", schema.clone()));
    let (_, only) = reply(&mut mesh, 1, "local", &says("Sorry, no."));
    assert_eq!(
        body(&only)["choices"][0]["message"]["content"],
        "Sorry, no."
    );
    let told = "downgraded response_format; dropped response_format";
    assert_eq!(only.header(FIDELITY_HEADER), told);
    let mut mesh = plan(&alone, &chat("frugal", schema));
    let (_, fenced) = reply(&mut mesh, 1, "local", &says("```json\n{}\n```"));
    assert_eq!(body(&fenced)["choices"][0]["message"]["content"], "{}");
    assert_eq!(fenced.header(FIDELITY_HEADER), "downgraded response_format");
}

#[test]
fn full_fidelity_and_skip_leave_out_what_would_be_degraded() {
    let strict =
        config(|document| document["models"]["frugal"]["on_unsupported"] = json!("reject"));
    let mesh = plan(&strict, &chat("frugal", json!({"tools": tools()})));
    assert_eq!(mesh.text("pointsman_cluster"), "anthropic");
    let skipping = config(|document| {
        document["models"]["frugal"]["degrade"] = json!({"tools": "skip", "json_schema": "skip"});
        document["models"]["frugal"]["candidates"]
            .as_array_mut()
            .expect("a list")
            .truncate(1);
    });
    let (status, error) = refused(&skipping, &chat("frugal", json!({"tools": tools()})));
    assert!(
        status == 400 && error["message"].to_string().contains("no tools"),
        "{error}"
    );
    let schema = json!({"response_format": {"type": "json_schema",
        "json_schema": {"name": "n", "schema": {"type": "object"}}}});
    let (_, error) = refused(&skipping, &chat("frugal", schema));
    assert!(
        error["message"].to_string().contains("no JSON schemas"),
        "{error}"
    );
    assert_eq!(error["param"], "response_format");
}

#[test]
fn a_degraded_request_that_no_words_stand_for_goes_to_the_next_candidate() {
    let custom = json!({"tools": [{"type": "custom", "custom": {"name": "x"}}]});
    let alone = config(|document| {
        document["models"]["frugal"]["candidates"]
            .as_array_mut()
            .expect("a list")
            .truncate(1);
    });
    let (status, error) = refused(&alone, &chat("frugal", custom));
    assert_eq!(
        (status, error["param"].as_str()),
        (400, Some("tools[0].type"))
    );
}

#[test]
fn complex_tool_work_is_for_those_who_are_named() {
    let limited = |bounds: Value| {
        config(|document| {
            document["models"]["frugal"]["complex_tools"] = bounds;
        })
    };
    let first = |bounds: Value, request: Value| {
        let mesh = plan(&limited(bounds), &chat("frugal", request));
        mesh.text("pointsman_cluster")
    };
    let only = json!(["anthropic/claude"]);
    let simple = json!({"tools": tools()});
    assert_eq!(
        first(json!({"over_tools": 0, "only": only}), simple.clone()),
        "anthropic"
    );
    assert_eq!(
        first(
            json!({"over_depth": 1, "only": ["anthropic/*"]}),
            simple.clone()
        ),
        "anthropic"
    );
    assert_eq!(
        first(json!({"over_depth": 2, "only": only}), simple.clone()),
        "via-local"
    );
    let mut parallel = simple.clone();
    parallel["parallel_tool_calls"] = json!(true);
    assert_eq!(
        first(json!({"parallel": true, "only": only}), parallel),
        "anthropic"
    );
    assert_eq!(
        first(json!({"over_tools": 0, "only": only}), json!({})),
        "via-local"
    );
    let nobody = limited(json!({"over_tools": 0, "only": ["gemini/*"]}));
    let (status, error) = refused(&nobody, &chat("frugal", simple));
    assert!(status == 400 && error["param"] == "tools", "{error}");
}

fn conversation(size: usize) -> Value {
    let text = "x".repeat(size);
    json!({"messages": [
        {"role": "user", "content": text}, {"role": "assistant", "content": "ok"},
        {"role": "user", "content": "Now?"}
    ]})
}

#[test]
fn a_small_window_is_left_out_unless_the_conversation_may_be_trimmed() {
    let request = chat("frugal", conversation(2000));
    assert_eq!(
        plan(&config(|_| {}), &request).text("pointsman_cluster"),
        "anthropic"
    );
    let fitting = |on_unsupported: &str| {
        config(|document| {
            document["models"]["frugal"]["fit"] =
                json!({"trim": "oldest_turns", "reserve_output": 50});
            document["models"]["frugal"]["on_unsupported"] = json!(on_unsupported);
        })
    };
    let mut mesh = plan(&fitting("report"), &request);
    let (sent, first) = reply(&mut mesh, 1, "local", &says("Yes."));
    assert_eq!(sent["messages"].as_array().map(Vec::len), Some(1));
    assert_eq!(first.header(FIDELITY_HEADER), "dropped messages[0..1]");
    let whole: Value = {
        let sent = mesh.send(2, "anthropic").expect("an attempt");
        serde_json::from_slice(&sent.body).expect("JSON")
    };
    assert_eq!(whole["messages"].as_array().map(Vec::len), Some(3));
    assert_eq!(
        plan(&fitting("reject"), &request).text("pointsman_cluster"),
        "anthropic"
    );
    let mut quiet = plan(&fitting("ignore"), &request);
    let (_, told) = reply(&mut quiet, 1, "local", &says("Yes."));
    assert_eq!(told.headers.get(FIDELITY_HEADER), None);
    assert_eq!(quiet.text(FIDELITY), "dropped messages[0..1]");
    let mut huge = conversation(10);
    huge["messages"][2]["content"] = json!("y".repeat(2000));
    assert_eq!(
        plan(&fitting("report"), &chat("frugal", huge)).text("pointsman_cluster"),
        "anthropic"
    );
}

#[test]
fn templates_are_the_operators_own_wish_even_under_full_fidelity() {
    let templated = config(|document| {
        document["templates"] = json!({
            "house": {"prefix": "House {provider}."},
            "late": {"suffix": "You stand in for another.", "replace": "{alias} by {model}"},
        });
        document["providers"]["local"]["template"] = json!("house");
        document["models"]["frugal"]["candidates"][1]["template_on_fallback"] = json!("late");
        document["models"]["frugal"]["on_unsupported"] = json!("reject");
    });
    let mut mesh = plan(&templated, &chat("frugal", json!({})));
    let (sent, first) = reply(&mut mesh, 1, "local", &says("Yes."));
    assert_eq!(
        sent["messages"][0],
        json!({"role": "system", "content": "House local."})
    );
    let told = first.header(FIDELITY_HEADER);
    assert_eq!(told, "rewritten system prompt by template house");
    let (sent, second) = reply(&mut mesh, 2, "anthropic", &Script::whole(200, CLAUDE_HELLO));
    let words = "frugal by claude\n\nYou stand in for another.";
    assert!(
        sent["system"]
            .to_string()
            .contains(&words.replace('\n', "\\n")),
        "{sent}"
    );
    assert!(second.header(FIDELITY_HEADER).contains("by template late"));
    assert!(!second.header(FIDELITY_HEADER).contains("stand in for"));
}
