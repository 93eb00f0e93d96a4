//! The command line as a user meets it: output, exit codes.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test that cannot go on fails"
)]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Runs the binary in the package's folder, with `input` on standard input.
fn pointsman(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pointsman"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("piped");
    // A command that reads no input may be gone already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

const BAD: &str = "version: 1\nproviders: {openai: {key: {env: A}}}\nmodels: {m: {candidates: [{provider: opnai, model: gpt-5}]}}\n";

#[test]
fn check_says_what_it_understood_one_line_per_model() {
    let output = pointsman(&["check", "examples/quickstart/pointsman.yaml"], "");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr), "");
    let lines: Vec<_> = text(&output.stdout).lines().collect();
    assert_eq!(lines.len(), 5, "{lines:#?}");
    assert_eq!(
        lines[4],
        "smart            priority  anthropic/claude-opus-4-5, openai/gpt-5.4, gemini/gemini-3.1-pro-preview"
    );
    assert!(lines[1].starts_with("fast             weighted  openai/gpt-5.4-mini (weight 3), "));
    assert!(lines[3].ends_with("openai/gpt-5.4 (2 tries)"));
}

#[test]
fn check_lists_problems_on_standard_error_and_exits_with_1() {
    let output = pointsman(&["check", "-"], BAD);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    assert_eq!(
        text(&output.stderr),
        "-:3:38: models.m.candidates[0].provider: found \"opnai\", expected openai; did you mean \"openai\"?\n-: 1 problem\n"
    );
}

#[test]
fn check_warns_and_still_exits_with_0() {
    let unused = BAD
        .replace("opnai", "openai")
        .replace("{openai:", "{spare: {kind: openai, key: {env: A}}, openai:");
    let output = pointsman(&["check", "-"], &unused);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stderr).starts_with("-:2:13: warning: providers.spare: "));
    assert_eq!(text(&output.stdout), "m  priority  openai/gpt-5\n");
}

#[test]
fn check_speaks_json_to_machines() {
    let output = pointsman(&["check", "--format", "json", "-"], BAD);
    assert_eq!(output.status.code(), Some(1));
    let result: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(result["accepted"], false);
    assert_eq!(
        result["problems"][0]["path"],
        "models.m.candidates[0].provider"
    );
    assert_eq!(result["problems"][0]["line"], 3);
    assert_eq!(result["problems"][0]["column"], 38);
    assert_eq!(result["problems"][0]["severity"], "error");
    let output = pointsman(
        &["check", "--format", "json", "-"],
        &BAD.replace("opnai", "openai"),
    );
    let result: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(result["accepted"], true);
    assert_eq!(result["models"][0]["candidates"][0]["model"], "gpt-5");
}

#[test]
fn schema_prints_the_shipped_schema() {
    let output = pointsman(&["schema"], "");
    assert_eq!(output.status.code(), Some(0));
    let shipped = include_str!("../examples/pointsman.schema.json");
    assert_eq!(text(&output.stdout), shipped);
}

#[test]
fn the_shipped_reference_is_the_generated_one() {
    let output = pointsman(&["schema", "--format", "markdown"], "");
    assert_eq!(output.status.code(), Some(0));
    let shipped = include_str!("../docs/configuration.md");
    assert_eq!(text(&output.stdout), shipped, "stale; run `make examples`");
}

#[test]
fn wrong_usage_and_unreadable_files_exit_with_2() {
    for args in [
        &["chek"][..],
        &[],
        &["check"],
        &["check", "a", "--format", "xml"],
    ] {
        assert_eq!(pointsman(args, "").status.code(), Some(2), "{args:?}");
    }
    let output = pointsman(&["check", "no/such/file.yaml"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("pointsman: no/such/file.yaml: "));
}

#[test]
fn help_shows_examples() {
    for args in [&["--help"][..], &["check", "--help"], &["schema", "--help"]] {
        let output = pointsman(args, "");
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).contains("Example"), "{args:?}");
    }
}

#[test]
fn explain_says_who_would_be_asked_and_why_others_would_not() {
    let file = std::env::temp_dir().join(format!("pointsman-explain-{}.yaml", std::process::id()));
    let document = "version: 1
providers:
  openai: {key: {env: A}, labels: {residency: us}}
  anthropic: {key: {env: B}, labels: {residency: eu}}
models:
  smart:
    candidates:
      - {provider: openai, model: gpt-5.4, prices: {input: 1, output: 1}}
      - {provider: anthropic, model: claude-opus-4-5, prices: {input: 2, output: 2}}
rules:
  - {name: eu, when: {headers: {x-eu: '*'}}, require: {residency: eu}}
";
    std::fs::write(&file, document).expect("written");
    let body =
        r#"{"model":"smart","max_tokens":100,"messages":[{"role":"user","content":"SECRET"}]}"#;
    let file_name = file.to_string_lossy();
    let explain = |more: &[&str]| {
        let args: Vec<&str> = ["explain", &file_name]
            .iter()
            .chain(more)
            .copied()
            .collect();
        pointsman(&args, body)
    };
    let told = explain(&["--header", "X-EU=1"]);
    assert_eq!(told.status.code(), Some(0), "{}", text(&told.stderr));
    let lines = text(&told.stdout);
    for expected in [
        "rule        eu\n",
        "must keep   residency=eu\n",
        "   1. anthropic/claude-opus-4-5  about $0.000",
        "   -  openai/gpt-5.4",
        "left out: label residency is not kept",
    ] {
        assert!(lines.contains(expected), "{expected}: {lines}");
    }
    assert!(!lines.contains("SECRET"));
    let told: Value = serde_json::from_slice(&explain(&["--format", "json"]).stdout).expect("JSON");
    assert_eq!(told["rule"], Value::Null);
    assert_eq!(told["candidates"][0]["candidate"], "openai/gpt-5.4");
    std::fs::remove_file(&file).expect("removed");
}

#[test]
fn translate_shows_operations_other_apis_and_what_is_reshaped() {
    let document = "
version: 1
providers:
  openai: {key: {env: K}, template: polite}
  gemini: {key: {env: K}}
models:
  m: {candidates: [{provider: openai, model: a, capabilities: {tools: false}}, {provider: gemini, model: b}], degrade: {tools: prompt}}
templates: {polite: {prefix: Be polite.}}
";
    let file =
        std::env::temp_dir().join(format!("pointsman-translate-{}.yaml", std::process::id()));
    std::fs::write(&file, document).expect("a file");
    let path = file.to_str().expect("a path");
    let translate = |more: &[&str], body: &str| {
        let arguments = [&["translate", path], more].concat();
        let done = pointsman(&arguments, body);
        assert!(done.status.success(), "{}", text(&done.stderr));
        (text(&done.stdout).to_owned(), text(&done.stderr).to_owned())
    };
    let chat = r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"look","parameters":{"type":"object"}}}]}"#;
    let (body, _) = translate(&[], chat);
    assert!(
        body.contains("Be polite.") && !body.contains(r#""tools""#),
        "{body}"
    );
    let messages = r#"{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}"#;
    let (body, told) = translate(
        &["--path", "/v1/messages", "--provider", "gemini"],
        messages,
    );
    assert!(
        body.contains("maxOutputTokens") && told.contains(":generateContent"),
        "{told}{body}"
    );
    let (body, told) = translate(
        &["--path", "/v1/embeddings"],
        r#"{"model":"m","input":"hi"}"#,
    );
    assert!(
        told.contains("/v1/embeddings") && body.contains(r#""input": "hi""#),
        "{told}{body}"
    );
    let counted = [
        "--path",
        "/v1/messages/count_tokens",
        "--provider",
        "gemini",
    ];
    let (body, _) = translate(&counted, messages);
    assert!(body.contains("generateContentRequest"), "{body}");
    std::fs::remove_file(&file).expect("no file");
}

#[test]
fn a_class_can_be_told_instead_of_asked_for() {
    let document = r#"
version: 1
providers: {openai: {key: {env: A}}}
models: {m: {candidates: [{provider: openai, model: gpt-5.4}]}}
classifiers: {kind: {model: m, instruction: What is it?, classes: [code, chat], default: chat}}
rules:
  - {name: programs, when: {class: {kind: code}}}
  - {name: talk, when: {class: {kind: chat}}}
"#;
    let file = std::env::temp_dir().join(format!("classes-{}.yaml", std::process::id()));
    std::fs::write(&file, document).expect("written");
    let explain = |more: &[&str]| {
        let body = r#"{"model": "m", "messages": [{"role": "user", "content": "hi"}]}"#;
        let name = file.to_string_lossy().into_owned();
        let args: Vec<&str> = ["explain", &name].iter().chain(more).copied().collect();
        let told = pointsman(&args, body);
        assert_eq!(told.status.code(), Some(0), "{}", text(&told.stderr));
        text(&told.stdout).to_owned()
    };
    assert!(explain(&["--class", "kind=code"]).contains("rule        programs\n"));
    let unsaid = explain(&[]);
    assert!(unsaid.contains("rule        talk\n"), "{unsaid}");
    assert!(
        unsaid.contains("kind;outcome=unasked;class=chat;ms=0"),
        "{unsaid}"
    );
    for class in ["kid=code", "kind=cod"] {
        let name = file.to_string_lossy().into_owned();
        let told = pointsman(&["explain", &name, "--class", class], "{}");
        assert_eq!(told.status.code(), Some(1), "{class}");
        let mut lines = text(&told.stderr).lines();
        assert!(
            lines.any(|line| line.starts_with("--class: found")),
            "{class}"
        );
    }
    std::fs::remove_file(&file).expect("removed");
}

#[test]
fn lint_refuses_files_in_which_it_looks_for_nothing() {
    for input in ["", "{}", "version: 1\nproviders: {}\n"] {
        let output = pointsman(&["lint", "-"], input);
        assert_eq!(output.status.code(), Some(1), "{input:?}");
        let said = text(&output.stderr);
        assert!(said.contains("found nothing to check"), "{said}");
    }
}
