//! Operations besides chat against their fixtures, for every kind of provider that offers them:
//! `tests/fixtures/operations/<kind>/<operation>/<case>/`.
//!
//! A case is a folder with at least one pair of files; `BLESS=1` rewrites the expectations.
//!
//! | given | expected |
//! |---|---|
//! | `client_request.json` (with `target.json`) | `upstream_request.json` (path and body), `report.json` (absent: empty) or `translate_error.json` |
//! | `upstream_response.json` | `client_response.json`, `usage.json`, or `failure.json` |

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[allow(dead_code, reason = "what the other tests of fixtures need")]
mod support;

use std::sync::Arc;

use pointsman::fidelity::Report;
use pointsman::operation::Operation;
use pointsman::provider::{Offer, PROVIDERS, Provider};
use pointsman::schema::ReplyContext;
use pointsman::surface::{SURFACES, SurfaceContext};
use serde_json::{Value, json};
use support::{Case, Settings};

/// Names of models that make a provider offer what it offers for some models only.
const MODELS: [&str; 4] = [
    "the-model",
    "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "amazon.titan-embed-text-v2:0",
    "cohere.rerank-v3-5:0",
];

/// A provider and what it offers, with its cases.
struct Room {
    provider: &'static dyn Provider,
    operation: Operation,
}

impl Room {
    fn cases(&self) -> Vec<Case> {
        let folder = format!("{}/{}", self.provider.kind(), self.operation.as_str());
        support::cases_in("operations", &folder)
    }

    fn settings(&self, case: &Case) -> Settings {
        case.target(self.provider.schema(), &self.provider.dialect())
    }

    fn offer(&self, model: &str) -> Offer {
        let offer = self.provider.offer(self.operation, model);
        offer.unwrap_or_else(|| panic!("{} for {model}", self.provider.kind()))
    }
}

fn rooms() -> Vec<Room> {
    let all = PROVIDERS.iter().flat_map(|provider| {
        Operation::ALL.into_iter().map(|operation| Room {
            provider: *provider,
            operation,
        })
    });
    let offered = |room: &Room| {
        let mut models = MODELS.iter();
        models.any(|model| room.provider.offer(room.operation, model).is_some())
    };
    all.filter(offered).collect()
}

fn for_each(given: &str, check: impl Fn(&Room, &Case)) {
    for room in rooms() {
        for case in room.cases().iter().filter(|case| case.has(given)) {
            check(&room, case);
        }
    }
}

#[test]
fn requests_are_translated_as_their_fixtures_say() {
    for_each("client_request.json", |room, case| {
        let settings = room.settings(case);
        let offer = room.offer(&settings.model);
        let body = source(&offer, case);
        let mut report = Report::default();
        let target = settings.target(&body);
        match offer.schema.translate_request(&target, "", &mut report) {
            Ok(translated) => {
                let body = support::value(&translated.body);
                case.expect_json(
                    "upstream_request.json",
                    &json!({"path": offer.path, "body": body}),
                );
                let report = serde_json::to_value(&report).expect("a report");
                case.expect_json_unless("report.json", &report, &json!([]));
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
    for_each("upstream_response.json", |room, case| {
        let settings = room.settings(case);
        let offer = room.offer(&settings.model);
        let mut out = Vec::new();
        let context = context(&offer, case, &settings);
        let reply = offer.schema.translate_response(
            &context,
            &case.bytes("upstream_response.json"),
            &mut out,
        );
        match reply {
            Ok(reply) => {
                case.expect_json("client_response.json", &support::value(&out));
                let usage = json!({"model": reply.model, "input_tokens": reply.usage.input_tokens});
                case.expect_json("usage.json", &usage);
            }
            Err(failure) => case.expect_json("failure.json", &support::failure(&failure)),
        }
    });
}

#[test]
fn every_operation_that_a_provider_offers_has_fixtures() {
    for room in rooms() {
        let (kind, operation) = (room.provider.kind(), room.operation.as_str());
        // What passes as it is has one language for all; see below.
        let reads_chat = |model: &str| {
            let offer = room.provider.offer(room.operation, model);
            offer.is_some_and(|offer| offer.schema.reads_chat())
        };
        if room.operation.passes_through() && !MODELS.iter().any(|model| reads_chat(model)) {
            continue;
        }
        let cases = room.cases();
        for given in ["client_request.json", "upstream_response.json"] {
            let has = cases.iter().any(|case| case.has(given));
            assert!(has, "no {given} of {kind}/{operation}");
        }
    }
}

#[test]
fn every_operation_that_passes_through_as_json_has_fixtures_with_one_provider() {
    // Forms and sounds are no JSON: tests/exchange/passthrough.rs has them.
    let forms = [
        Operation::ImageEdits,
        Operation::ImageVariations,
        Operation::Transcriptions,
        Operation::Translations,
    ];
    for operation in Operation::ALL {
        if !operation.passes_through() || forms.contains(&operation) {
            continue;
        }
        let mut of_it = rooms().into_iter().filter(|r| r.operation == operation);
        let has = of_it.any(|room| room.cases().iter().any(|c| c.has("client_request.json")));
        assert!(has, "no fixtures of {}", operation.as_str());
    }
}

#[test]
fn fixtures_belong_to_an_operation_that_is_offered() {
    let rooms = rooms();
    for provider in support::names_in("operations") {
        for operation in support::names_in(&format!("operations/{provider}")) {
            let is_it = |room: &Room| {
                room.provider.kind() == provider && room.operation.as_str() == operation
            };
            assert!(rooms.iter().any(is_it), "{provider}/{operation}");
        }
    }
}

/// The client's body as the provider's schema reads it.
fn source(offer: &Offer, case: &Case) -> Vec<u8> {
    let body = case.bytes("client_request.json");
    if !offer.schema.reads_chat() {
        return body;
    }
    let path = match support::value(&body).get("messages") {
        Some(_) => "/messages",
        None => "/responses",
    };
    let surface = SURFACES.iter().find(|surface| surface.path() == path);
    let (mut chat, context) = (Vec::new(), SurfaceContext::default());
    let opened =
        surface
            .expect("a surface")
            .open(&body, &context, &mut chat, &mut Report::default());
    opened.unwrap_or_else(|error| panic!("{case}: {error:?}"));
    chat
}

/// What the gateway would know of a reply, had it sent the case's request.
fn context(offer: &Offer, case: &Case, settings: &Settings) -> ReplyContext {
    let mut context = ReplyContext {
        id: "fixture".to_owned(),
        model: settings.model.clone(),
        hints: settings.hints,
        dialect: Arc::new(settings.dialect.clone()),
        ..ReplyContext::default()
    };
    if case.has("client_request.json") {
        let body = source(offer, case);
        let target = settings.target(&body);
        let translated = offer
            .schema
            .translate_request(&target, "", &mut Report::default());
        context.hints = translated.expect("a translation").hints;
    }
    context
}

/// Vectors mean the same in both forms.
#[test]
fn base64_holds_the_numbers_of_the_other_form() {
    for_each("upstream_response.json", |room, case| {
        if room.operation != Operation::Embeddings || case.has("failure.json") {
            return;
        }
        let settings = room.settings(case);
        let offer = room.offer(&settings.model);
        let read = |base64: bool| {
            let mut context = context(&offer, case, &settings);
            context.hints.base64 = base64;
            let mut out = Vec::new();
            let body = case.bytes("upstream_response.json");
            let reply = offer.schema.translate_response(&context, &body, &mut out);
            reply.expect("a reply");
            support::value(&out)["data"].clone()
        };
        let (numbers, texts) = (read(false), read(true));
        let count = numbers.as_array().expect("vectors").len();
        for i in 0..count {
            let decoded: Vec<f32> = floats(&texts[i]["embedding"]);
            let plain: Vec<f32> = numbers[i]["embedding"]
                .as_array()
                .expect("numbers")
                .iter()
                .map(|n| n.as_f64().expect("a number") as f32)
                .collect();
            assert_eq!(decoded, plain, "{case}");
        }
    });
}

/// Floats from base64, by another reading than the one under test.
fn floats(text: &Value) -> Vec<f32> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = text.as_str().expect("base64").trim_end_matches('=');
    let bits: String = text
        .chars()
        .map(|c| format!("{:06b}", alphabet.find(c).expect("a letter")))
        .collect();
    let bytes: Vec<u8> = bits
        .as_bytes()
        .chunks_exact(8)
        .map(|byte| {
            u8::from_str_radix(std::str::from_utf8(byte).expect("bits"), 2).expect("a byte")
        })
        .collect();
    let floats = bytes.chunks_exact(4);
    floats
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect()
}
