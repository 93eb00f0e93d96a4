//! What becomes of one feature at one provider.

use std::collections::BTreeMap;

use pointsman::catalog::{Capabilities, Thinking};
use pointsman::fidelity::{Finding, Report, Verdict};
use pointsman::provider::Provider;
use pointsman::schema::openai::ChatCompletionRequest;
use pointsman::schema::{Target, TranslateError, Translated};
use serde_json::{Map, Value, json};

use super::Probe;

/// What became of a feature. Notes are the reasons of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It stands in the provider's body, with this beside it.
    Carried(Vec<String>),
    /// Nothing must be sent for it.
    Implied,
    /// A part of it is sent, or something that stands in for it.
    Emulated(Vec<String>),
    /// It is left out.
    Reported(Vec<String>),
    /// The provider is not asked.
    Refused,
    /// It is in neither the body nor the report.
    Lost,
}

/// What becomes of the probe's feature at `provider`.
pub fn of(probe: &Probe, provider: &dyn Provider) -> Outcome {
    let without = Map::from_iter([
        ("model".to_owned(), json!("smart")),
        ("max_tokens".to_owned(), json!(100)),
        (
            "messages".to_owned(),
            json!([{"role": "user", "content": "hello"}]),
        ),
    ]);
    let without = over(without, &probe.beside);
    let with = over(without.clone(), &probe.request);
    let can = capabilities(&probe.capabilities);
    let (control, before) = translate(provider, &without, &can);
    let control = control.expect("a request without the feature");
    let (translated, report) = translate(provider, &with, &can);
    let new = report.findings().iter();
    let new: Vec<_> = new.filter(|f| !before.findings().contains(f)).collect();
    let Ok(translated) = translated else {
        return Outcome::Refused;
    };
    let is_sent = translated.body != control.body;
    let said = probe.implied.iter();
    let mut implied = said.filter(|kind| *kind == "*" || *kind == provider.kind());
    let is_loss = |finding: &&&Finding| finding.verdict != Verdict::Defaulted;
    match new.iter().find(is_loss) {
        Some(_) if is_sent => Outcome::Emulated(reasons(&new, true)),
        Some(_) => Outcome::Reported(reasons(&new, false)),
        None if is_sent => Outcome::Carried(reasons(&new, false)),
        None => implied.next().map_or(Outcome::Lost, |_| Outcome::Implied),
    }
}

fn reasons(findings: &[&Finding], in_part: bool) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    for finding in findings {
        let (verdict, reason) = (finding.verdict.as_str(), &finding.reason);
        let is_generic = GENERIC.contains(&&**reason) || reason.ends_with("has nothing like it");
        match is_generic {
            false => reasons.push(format!("{verdict}: {reason}")),
            true if in_part => reasons.push(format!("{verdict}: `{}`", finding.param)),
            true => {}
        }
    }
    reasons.dedup();
    reasons
}

/// Reasons that say no more than "no".
const GENERIC: [&str; 2] = [
    "this provider has no such parameter",
    "not a field of OpenAI's API",
];

/// `below` with the fields of `above` in the place of its own; `null` takes a field away.
fn over(mut below: Map<String, Value>, above: &Map<String, Value>) -> Map<String, Value> {
    for (name, value) in above {
        match value {
            Value::Null => below.remove(name),
            value => below.insert(name.clone(), value.clone()),
        };
    }
    below
}

fn capabilities(lacks: &BTreeMap<String, Value>) -> Capabilities {
    let mut can = Capabilities::default();
    for (name, value) in lacks {
        match (name.as_str(), value) {
            ("json_schema", Value::Bool(value)) => can.json_schema = *value,
            ("json_mode", Value::Bool(value)) => can.json_mode = *value,
            ("sampling", Value::Bool(value)) => can.sampling = *value,
            ("thinking", Value::String(way)) => {
                can.thinking = Thinking::find(way).expect("a way to think");
            }
            other => panic!("unknown capability {other:?}"),
        }
    }
    can
}

fn translate(
    provider: &dyn Provider,
    request: &Map<String, Value>,
    capabilities: &Capabilities,
) -> (Result<Translated, TranslateError>, Report) {
    let schema = provider.schema();
    // What a schema signs carries its own name, but for the one of a model behind it.
    let signer = schema.name().trim_end_matches("_converse");
    let source = serde_json::to_string(request).expect("JSON");
    let source = source.replace("$SCHEMA", signer);
    let mut report = Report::default();
    let target = Target {
        source: source.as_bytes(),
        model: "the-model",
        capabilities,
        defaults: &BTreeMap::new(),
        option_keys: ["the-provider", provider.kind(), schema.name()],
        dialect: &provider.dialect(),
        betas: &[],
    };
    let request = ChatCompletionRequest::parse(source.as_bytes()).expect("a request");
    let translated = schema.translate_request(&request, &target, &mut report);
    (translated, report)
}
