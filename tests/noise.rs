//! Damaged bytes into everything that reads bytes, for every provider and every surface: no
//! panic, and no more comes out than the input can explain.
//!
//! What is damaged are the fixtures: pieces of good streams, bodies and frames, cut, repeated,
//! mixed with each other and with noise, so that more than the first check sees them.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use pointsman::catalog::Capabilities;
use pointsman::fidelity::Report;
use pointsman::inspect::inspect;
use pointsman::provider::PROVIDERS;
use pointsman::schema::openai::ChatCompletionRequest;
use pointsman::schema::{ErrorReply, ReplyContext, Target};
use pointsman::surface::{SURFACES, SurfaceContext};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What a fixture is for.
static REPLIES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| fixtures("upstream_", "translation"));
static REQUESTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let chats = fixtures("client_request", "translation");
    [chats, fixtures("client_request", "surface")].concat()
});
static CHATS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| fixtures("chat_response", "surface"));

const WORDS: [&[u8]; 16] = [
    b"{",
    b"}",
    b"[]",
    b"null",
    b"\"",
    b",",
    b"-1e999",
    b"\xFF\xFE",
    b"\\ud800",
    b"data: ",
    b"\n\n",
    b"\r\n\r\n",
    b"data: [DONE]\n\n",
    b"event: error\n",
    b"\x00\x00\x00\x10\x00\x00\x00\x00",
    b"\x7F\xFF\xFF\xFF",
];

/// A stream may say its model and id in every event, and every byte may be escaped.
fn bound(input: usize) -> usize {
    64 * 1024 + 64 * input
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn no_stream_of_any_provider_panics(
        provider in select(PROVIDERS.to_vec()),
        body in damaged(&REPLIES),
        cuts in prop::collection::vec(any::<Index>(), 0..5),
        include_usage in any::<bool>(),
    ) {
        let context = ReplyContext {
            id: "x".to_owned(),
            dialect: Arc::new(provider.dialect()),
            include_usage,
            ..ReplyContext::default()
        };
        let mut out = Vec::new();
        let mut translator = provider.schema().translate_stream(context);
        let good = cut(&body, &cuts).all(|chunk| translator.push(chunk, &mut out).is_ok());
        translator.usage();
        if good {
            translator.finish(&mut out).ok();
        }
        prop_assert!(out.len() <= bound(body.len()), "{} of {}", out.len(), body.len());
        prop_assert!(std::str::from_utf8(&out).is_ok() || std::str::from_utf8(&body).is_err());
    }

    #[test]
    fn no_reply_or_error_of_any_provider_panics(
        provider in select(PROVIDERS.to_vec()),
        body in damaged(&REPLIES),
        status in any::<u16>(),
        retry_after in "[0-9a-z .,:-]{0,12}",
    ) {
        let dialect = provider.dialect();
        let context = ReplyContext { dialect: Arc::new(dialect.clone()), ..ReplyContext::default() };
        let mut out = Vec::new();
        if provider.schema().translate_response(&context, &body, &mut out).is_ok() {
            prop_assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&out).is_ok());
        }
        prop_assert!(out.len() <= bound(body.len()));
        let error = ErrorReply {
            status,
            retry_after: Some(&retry_after),
            body: &body,
            rules: &dialect.errors,
        };
        let failure = provider.schema().read_error(&error);
        prop_assert!(failure.message.len() <= bound(body.len()));
    }

    #[test]
    fn no_request_panics_on_its_way_to_any_provider(
        provider in select(PROVIDERS.to_vec()),
        body in damaged(&REQUESTS),
        capable in any::<bool>(),
    ) {
        inspect(&body).ok();
        let Some(request) = ChatCompletionRequest::parse(&body) else {
            return Ok(());
        };
        let capabilities = Capabilities {
            tools: capable,
            json_schema: capable,
            sampling: capable,
            max_output_tokens: capable.then_some(1),
            ..Capabilities::default()
        };
        let target = Target {
            source: &body,
            model: "m",
            capabilities: &capabilities,
            defaults: &BTreeMap::new(),
            option_keys: ["x", provider.kind(), provider.schema().name()],
            dialect: &provider.dialect(),
            betas: &[],
        };
        let translated =
            provider.schema().translate_request(&request, &target, &mut Report::default());
        if let Ok(translated) = translated {
            let read = serde_json::from_slice::<serde::de::IgnoredAny>(&translated.body);
            prop_assert!(read.is_ok(), "{}", String::from_utf8_lossy(&translated.body));
            prop_assert!(translated.body.len() <= bound(body.len()));
        }
    }

    #[test]
    fn no_surface_panics(
        surface in any::<Index>(),
        request in damaged(&REQUESTS),
        good in select(REQUESTS.clone()),
        reply in damaged(&CHATS),
        cuts in prop::collection::vec(any::<Index>(), 0..5),
    ) {
        let surface = SURFACES.get(surface.index(SURFACES.len())).expect("one");
        let context = SurfaceContext::default();
        for request in [&request, &good] {
            let mut chat = Vec::new();
            let opened = surface.open(request, &context, &mut chat, &mut Report::default());
            prop_assert!(chat.len() <= bound(request.len()));
            let Ok(mut answer) = opened else { continue };
            prop_assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&chat).is_ok());
            let mut out = Vec::new();
            for chunk in cut(&reply, &cuts) {
                answer.push(chunk, &mut out);
            }
            answer.finish(&mut out);
            prop_assert!(out.len() <= bound(reply.len() + request.len()) * 4);
            let mut whole = Vec::new();
            if let Ok(mut answer) = surface.open(request, &context, &mut Vec::new(), &mut Report::default()) {
                answer.whole(&reply, &mut whole).ok();
            }
        }
    }
}

/// Pieces of good input and noise, one after the other.
fn damaged(good: &'static LazyLock<Vec<Vec<u8>>>) -> impl Strategy<Value = Vec<u8>> {
    let piece = (select(good.to_vec()), any::<Index>(), any::<Index>()).prop_map(|(good, a, b)| {
        let (a, b) = (a.index(good.len() + 1), b.index(good.len() + 1));
        good.get(a.min(b)..a.max(b)).unwrap_or_default().to_vec()
    });
    let whole = select(good.to_vec());
    // One byte that is not what it was: lengths, quotes, names.
    let flipped =
        (select(good.to_vec()), any::<Index>(), any::<u8>()).prop_map(|(mut good, at, byte)| {
            let at = at.index(good.len().max(1));
            if let Some(place) = good.get_mut(at) {
                *place = byte;
            }
            good
        });
    // One value that is of another kind.
    let swapped = (
        select(good.to_vec()),
        any::<Index>(),
        select(vec!["null", "1", "[]", "{}", "\"x\"", "-0.5e300"]),
    )
        .prop_map(|(good, at, value)| {
            let Ok(text) = String::from_utf8(good) else {
                return Vec::new();
            };
            let places: Vec<usize> = text.match_indices(": ").map(|(i, _)| i + 2).collect();
            if places.is_empty() {
                return text.into_bytes();
            }
            let from = places
                .get(at.index(places.len()))
                .copied()
                .unwrap_or_default();
            let (head, rest) = text.split_at(from);
            let end = rest.find([',', '\n', '}', ']']).unwrap_or(rest.len());
            let (_, tail) = rest.split_at(end);
            [head, value, tail].concat().into_bytes()
        });
    let word = select(WORDS.to_vec()).prop_map(<[u8]>::to_vec);
    let mixed = prop::collection::vec(prop_oneof![3 => piece, 2 => whole, 2 => word], 0..6);
    prop_oneof![2 => mixed.prop_map(|pieces| pieces.concat()), 2 => flipped, 3 => swapped]
}

fn cut<'b>(body: &'b [u8], cuts: &[Index]) -> impl Iterator<Item = &'b [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    places.extend([0, body.len()]);
    places.sort_unstable();
    let ends = places.clone().into_iter().skip(1);
    places
        .into_iter()
        .zip(ends)
        .filter_map(|(a, b)| body.get(a..b))
}

fn fixtures(start: &str, subject: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut found = Vec::new();
    let mut folders = vec![root.join(subject)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("fixtures").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if name.starts_with(start) && !name.contains("request.json.") {
                found.push((entry.path(), fs::read(entry.path()).expect("a file")));
            }
        }
    }
    found.sort();
    found.into_iter().map(|(_, bytes)| bytes).collect()
}
