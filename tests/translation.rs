//! Every schema against its fixtures: `tests/fixtures/translation/<schema>/<case>/`, and every
//! kind of provider that speaks OpenAI's or Anthropic's in its own way:
//! `tests/fixtures/translation/<kind>/`.
//!
//! A case is a folder with at least one pair of files; `BLESS=1` rewrites the expectations.
//!
//! | given | expected |
//! |---|---|
//! | `client_request.json` (with `target.json`) | `upstream_request.json`, `upstream_headers.json` and `report.json` (absent: empty) or `translate_error.json` |
//! | `upstream_response.json` | `client_response.json`, `usage.json`, or `failure.json` |
//! | `upstream_response.sse` | `client_response.sse`, `usage.json`, or also `stream_failure.json` |
//! | `upstream_response.bin` | the same as for `.sse` |
//! | `upstream_events.json` | `upstream_response.bin`, its frames |
//! | `upstream_error.json` | `failure.json` |

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use pointsman::provider::PROVIDERS;
use pointsman::schema::openai::dialect::Dialect;
use pointsman::schema::{Progress, Reply, ReplyContext, Schema, openai};
use serde_json::{Value, json};
use support::{Case, Settings, Streamed};

/// Schemas and dialects whose fixtures have yet to be written.
const WITHOUT_FIXTURES: &[&str] = &["openai"];

#[test]
fn requests_are_translated_as_their_fixtures_say() {
    for_each("client_request.json", |room, case, name| {
        let body = case.bytes(name);
        let request = openai::ChatCompletionRequest::parse(&body).expect("a request");
        let settings = room.settings(case);
        let mut report = pointsman::fidelity::Report::default();
        match room
            .schema
            .translate_request(&request, &settings.target(&body), &mut report)
        {
            Ok(translated) => {
                case.expect_json("upstream_request.json", &support::value(&translated.body));
                let report = serde_json::to_value(&report).expect("a report");
                case.expect_json_unless("report.json", &report, &json!([]));
                let headers: serde_json::Map<_, _> = translated
                    .headers
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value.into()))
                    .collect();
                let headers = Value::Object(headers);
                case.expect_json_unless("upstream_headers.json", &headers, &json!({}));
                case.expect_absent("translate_error.json");
            }
            Err(error) => {
                let error = json!({"param": error.param, "expected": error.expected});
                case.expect_json("translate_error.json", &error);
                case.expect_absent("upstream_request.json");
            }
        }
    });
}

#[test]
fn replies_are_translated_as_their_fixtures_say() {
    for_each("upstream_response.json", |room, case, name| {
        let mut out = Vec::new();
        match room
            .schema
            .translate_response(&context(room, case), &case.bytes(name), &mut out)
        {
            Ok(reply) => {
                case.expect_json("client_response.json", &support::value(&out));
                expect_reply(case, &reply);
            }
            Err(failure) => case.expect_json("failure.json", &support::failure(&failure)),
        }
    });
}

#[test]
fn streams_are_translated_as_their_fixtures_say() {
    for_each_stream(|room, case, name| {
        let body = case.bytes(name);
        let streamed = stream(room, case, &[&body]);
        case.expect_text("client_response.sse", &streamed.text());
        match &streamed.outcome {
            Ok(reply) => {
                expect_reply(case, reply);
                case.expect_absent("stream_failure.json");
            }
            Err(failure) => case.expect_json("stream_failure.json", &support::failure(failure)),
        }
    });
}

#[test]
fn a_stream_means_the_same_wherever_its_bytes_are_cut() {
    for_each_stream(|room, case, name| {
        let body = case.bytes(name);
        let whole = stream(room, case, &[&body]);
        for cut in 0..=body.len() {
            let (head, tail) = body.split_at(cut);
            let cut_in_two = stream(room, case, &[head, tail]);
            assert_eq!(whole, cut_in_two, "{case}: cut at byte {cut}");
        }
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        assert_eq!(whole, stream(room, case, &bytes), "{case}: byte by byte");
    });
}

#[test]
fn binary_streams_are_made_of_the_frames_beside_them() {
    for_each("upstream_events.json", |_, case, name| {
        let frames = support::frames(&support::value(&case.bytes(name)));
        case.expect_bytes("upstream_response.bin", &frames);
    });
}

#[test]
fn errors_are_read_as_their_fixtures_say() {
    for_each("upstream_error.json", |room, case, name| {
        let error = case.error(name);
        let settings = room.settings(case);
        let failure = room.schema.read_error(&error.reply(&settings.dialect));
        case.expect_json("failure.json", &support::failure(&failure));
    });
}

#[test]
fn every_schema_and_every_dialect_has_fixtures() {
    for Room { folder, .. } in rooms() {
        let has_cases = !support::cases(folder).is_empty();
        let may_lack_them = WITHOUT_FIXTURES.contains(&folder);
        assert!(has_cases || may_lack_them, "no fixtures for {folder}");
    }
}

#[test]
fn every_folder_belongs_to_a_schema_or_a_dialect() {
    let rooms = rooms();
    for folder in support::folders() {
        let known = rooms.iter().any(|room| room.folder == folder);
        assert!(known, "{folder} is neither a schema nor a kind of provider");
    }
}

#[test]
fn every_case_checks_something() {
    for room in rooms() {
        for case in support::cases(room.folder) {
            let has_pair = GIVEN.iter().any(|given| case.has(given));
            assert!(has_pair, "{case}: none of {GIVEN:?}");
        }
    }
}

const GIVEN: [&str; 5] = [
    "client_request.json",
    "upstream_response.json",
    "upstream_response.sse",
    "upstream_response.bin",
    "upstream_error.json",
];

fn for_each(given: &str, check: impl Fn(&Room, &Case, &str)) {
    for room in rooms() {
        for case in support::cases(room.folder) {
            if case.has(given) {
                check(&room, &case, given);
            }
        }
    }
}

fn for_each_stream(check: impl Fn(&Room, &Case, &str)) {
    for_each("upstream_response.sse", &check);
    for_each("upstream_response.bin", &check);
}

/// Who speaks what, and where its fixtures are.
struct Room {
    folder: &'static str,
    schema: &'static dyn Schema,
    dialect: Dialect,
}

impl Room {
    fn settings(&self, case: &Case) -> Settings {
        case.target(self.schema, &self.dialect)
    }
}

/// Every schema, once, and every dialect of OpenAI's.
fn rooms() -> Vec<Room> {
    let mut folders = BTreeSet::new();
    let rooms = PROVIDERS.iter().map(|provider| {
        let schema = provider.schema();
        Room {
            folder: match schema.name() {
                "openai" | "anthropic" => provider.kind(),
                name => name,
            },
            schema,
            dialect: provider.dialect(),
        }
    });
    rooms.filter(|room| folders.insert(room.folder)).collect()
}

/// What the gateway would know of a reply, had it sent the case's request.
fn context(room: &Room, case: &Case) -> ReplyContext {
    let settings = room.settings(case);
    let mut context = ReplyContext {
        id: "chatcmpl-fixture".to_owned(),
        created: 1_700_000_000,
        model: settings.model.clone(),
        include_usage: true,
        hints: settings.hints,
        dialect: Arc::new(settings.dialect.clone()),
    };
    if case.has("client_request.json") {
        let body = case.bytes("client_request.json");
        let request = openai::ChatCompletionRequest::parse(&body).expect("a request");
        let mut report = pointsman::fidelity::Report::default();
        let translated =
            room.schema
                .translate_request(&request, &settings.target(&body), &mut report);
        context.include_usage = request.includes_usage();
        context.hints = translated.expect("a translation").hints;
    }
    context
}

fn stream(room: &Room, case: &Case, chunks: &[&[u8]]) -> Streamed {
    let mut out = Vec::new();
    let mut progress = Progress::Waiting;
    let mut translator = room.schema.translate_stream(context(room, case));
    for chunk in chunks {
        match translator.push(chunk, &mut out) {
            Ok(now) => progress = now,
            Err(failure) => return Streamed::failed(out, failure),
        }
    }
    match translator.finish(&mut out) {
        Ok(reply) => Streamed::finished(out, progress, reply),
        Err(failure) => Streamed::failed(out, failure),
    }
}

fn expect_reply(case: &Case, reply: &Reply) {
    let usage = serde_json::to_value(reply.usage).expect("usage");
    let mut reply = json!({"model": reply.model, "refused": reply.refused});
    merge(&mut reply, usage);
    case.expect_json("usage.json", &reply);
}

fn merge(into: &mut Value, fields: Value) {
    if let (Value::Object(into), Value::Object(fields)) = (into, fields) {
        into.extend(fields);
    }
}
