//! A mix: what kinds of requests there are, and how many of each.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::clock;
use super::figures::{Figure, Figures};
use super::traffic::{Draws, Repeat, Request, Spread, Traffic};
use crate::inspect::{Needs, RequestProfile};
use crate::operation::Operation;
use crate::routing::{Facts, Script};
use crate::usage::Usage;

const DAY_MS: u64 = 86_400_000;

/// The most kinds of one mix.
const MOST_KINDS: usize = 1_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mix {
    name: String,
    /// Where the numbers come from, and what was taken for granted.
    #[serde(default)]
    sources: Vec<String>,
    #[serde(default)]
    assumed: Vec<String>,
    /// How many requests there are, spread evenly over the days.
    requests: u64,
    #[serde(default = "month")]
    days: u64,
    /// The day of the first one, in UTC.
    #[serde(default = "start")]
    start: String,
    kinds: Vec<Value>,
    /// By `provider/model`.
    #[serde(default)]
    targets: BTreeMap<String, Figure>,
}

fn month() -> u64 {
    30
}

fn start() -> String {
    "2026-11-01".to_owned()
}

/// One kind of request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    /// For people.
    #[serde(default, rename = "name")]
    _name: serde::de::IgnoredAny,
    /// Any number: its part of the sum of all shares.
    share: f64,
    /// What clients ask for.
    model: String,
    #[serde(default)]
    operation: Option<String>,
    /// Tokens of the prompt, cached ones included.
    prompt_tokens: Spread,
    /// Tokens of the answer, thoughts included.
    #[serde(default = "nothing")]
    output_tokens: Spread,
    /// Share of the prompt that comes from the provider's cache, and that is written to it.
    #[serde(default)]
    cached: f64,
    #[serde(default)]
    cache_write: f64,
    /// Share of the output that is thoughts.
    #[serde(default)]
    reasoning: f64,
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    needs: Vec<String>,
    /// What the client allows.
    #[serde(default)]
    max_tokens: Option<u64>,
    /// From 0 to 1.
    #[serde(default)]
    complexity: Option<Spread>,
    #[serde(default)]
    intent: Option<String>,
    #[serde(default)]
    script: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    claims: BTreeMap<String, String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    #[serde(default)]
    identity: Option<String>,
    #[serde(default)]
    classes: BTreeMap<String, String>,
    /// So many users, whose requests are as many.
    #[serde(default)]
    users: Option<u64>,
    /// So many different requests, which come as often as each other; all differ when not said.
    #[serde(default)]
    distinct: Option<u64>,
}

fn nothing() -> Spread {
    Spread::Fixed(0.0)
}

/// Draws at most so many requests of a mix; the error says what is wrong with it.
pub(super) fn draw(mix: Value, most: usize, seed: u64) -> Result<Traffic, String> {
    let mix: Mix = serde_json::from_value(mix).map_err(|error| error.to_string())?;
    let start_ms = clock::of_day(&mix.start).ok_or("start: expected a day such as 2026-11-01")?;
    if mix.requests == 0 || mix.days == 0 || mix.kinds.is_empty() || mix.kinds.len() > MOST_KINDS {
        return Err("requests, days and kinds: expected at least one of each".to_owned());
    }
    let kinds = mix.kinds.into_iter().enumerate();
    let kinds: Vec<Kind> = kinds
        .map(|(i, kind)| read(i, kind))
        .collect::<Result<_, _>>()?;
    if let Some((name, _)) = mix.targets.iter().find(|(_, figure)| !is_sound(figure)) {
        return Err(format!(
            "targets.{name}: expected rising times, and shares from 0 to 1"
        ));
    }
    let drawn = most.clamp(1, usize::try_from(mix.requests).unwrap_or(usize::MAX));
    let span_ms = mix.days.saturating_mul(DAY_MS);
    let mut given = vec![0_u64; kinds.len()];
    let requests = (0..drawn).map(|i| {
        let mut draws = Draws::new(seed, i);
        let kind = next_kind(&kinds, &mut given, i);
        let repeat = repeat(kind, &kinds, (drawn as u64, mix.requests), &mut draws);
        let part = u128::from(span_ms) * i as u128 / drawn as u128;
        Request {
            repeat,
            ..request(&kinds[kind], start_ms + part as u64, &mut draws)
        }
    });
    Ok(Traffic {
        requests: requests.collect(),
        name: mix.name,
        sources: mix.sources,
        total: mix.requests,
        figures: Figures {
            known: mix.targets,
            state: None,
        },
        assumed: mix.assumed.into_iter().collect(),
        ..Traffic::default()
    })
}

fn read(index: usize, kind: Value) -> Result<Kind, String> {
    let wrong = |what: &str| format!("kinds[{index}]: {what}");
    let kind: Kind = serde_json::from_value(kind).map_err(|error| wrong(&error.to_string()))?;
    let shares = [kind.cached, kind.cache_write, kind.reasoning];
    let known_need = |need: &String| set_need(&mut Needs::default(), need);
    if !(kind.share > 0.0 && kind.share.is_finite()) {
        return Err(wrong("share: expected a number above 0"));
    }
    if !shares.iter().all(|share| (0.0..=1.0).contains(share))
        || kind.cached + kind.cache_write > 1.0
    {
        return Err(wrong(
            "cached, cache_write, reasoning: expected shares from 0 to 1",
        ));
    }
    let complexity = kind.complexity.unwrap_or(Spread::Fixed(0.0));
    if ![kind.prompt_tokens, kind.output_tokens, complexity]
        .iter()
        .all(Spread::is_sound)
    {
        return Err(wrong("expected percentiles that rise"));
    }
    if complexity.at(1.0) > 1.0 {
        return Err(wrong("complexity: expected numbers from 0 to 1"));
    }
    if let Some(need) = kind.needs.iter().find(|need| !known_need(need)) {
        return Err(wrong(&format!(
            "needs: found {need:?}, which is no capability"
        )));
    }
    if let Some(operation) = kind
        .operation
        .as_ref()
        .filter(|o| Operation::find(o).is_none())
    {
        return Err(wrong(&format!(
            "operation: found {operation:?}, which there is none"
        )));
    }
    Ok(kind)
}

fn is_sound(figure: &Figure) -> bool {
    let spreads = [figure.ttft_ms, figure.total_ms];
    let shares = [figure.error_rate, figure.poor];
    spreads.iter().flatten().all(Spread::is_sound)
        && shares
            .iter()
            .flatten()
            .all(|share| (0.0..=1.0).contains(share))
}

/// The kind that lags behind its share most: shares are exact, and kinds take turns.
fn next_kind(kinds: &[Kind], given: &mut [u64], index: usize) -> usize {
    let all: f64 = kinds.iter().map(|kind| kind.share).sum();
    let lag =
        |(kind, given): (&Kind, &u64)| kind.share / all * (index as f64 + 1.0) - *given as f64;
    let lags = kinds.iter().zip(given.iter()).map(lag).enumerate();
    let most = lags.max_by(|(i, a), (j, b)| a.total_cmp(b).then(j.cmp(i)));
    let chosen = most.map_or(0, |(i, _)| i);
    given[chosen] += 1;
    chosen
}

/// Which of its kind's different requests one is. Where each stands for many others, there are as
/// many fewer, so that each comes as often as it would.
fn repeat(kind: usize, kinds: &[Kind], (drawn, all): (u64, u64), draws: &mut Draws) -> Repeat {
    let Some(distinct) = kinds[kind].distinct else {
        return Repeat::None;
    };
    let fewer = u128::from(distinct) * u128::from(drawn) / u128::from(all);
    let number = draws.next() % u64::try_from(fewer).unwrap_or(u64::MAX).max(1);
    Repeat::Of { kind, number }
}

fn request(kind: &Kind, at_ms: u64, draws: &mut Draws) -> Request {
    let whole = |number: f64| number.round().max(0.0) as u64;
    let input_tokens = whole(kind.prompt_tokens.at(draws.share()));
    let output_tokens = whole(kind.output_tokens.at(draws.share()));
    let complexity = draws.share();
    let complexity = kind.complexity.map(|spread| spread.at(complexity) * 1000.0);
    let user = draws.next();
    let part = |of: u64, share: f64| whole(of as f64 * share);
    let mut profile = RequestProfile {
        operation: kind
            .operation
            .as_deref()
            .and_then(Operation::find)
            .unwrap_or_default(),
        streamed: kind.stream,
        input_tokens,
        output_limit: kind.max_tokens,
        complexity: complexity.map(|thousandths| whole(thousandths) as u16),
        ..RequestProfile::of_model(&kind.model)
    };
    for need in &kind.needs {
        set_need(&mut profile.needs, need);
    }
    Request {
        at_ms,
        profile,
        known: facts(kind, user),
        usage: Usage {
            input_tokens,
            output_tokens,
            cached_input_tokens: part(input_tokens, kind.cached),
            cache_write_tokens: part(input_tokens, kind.cache_write),
            reasoning_tokens: part(output_tokens, kind.reasoning),
            ..Usage::default()
        },
        tried: Vec::new(),
        repeat: Repeat::None,
    }
}

fn facts(kind: &Kind, draw: u64) -> Facts {
    let pairs = |map: &BTreeMap<String, String>| {
        map.iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    let lower = |(name, value): (String, String)| (name.to_ascii_lowercase(), value);
    let headers: Vec<(String, String)> = pairs(&kind.headers);
    let classes = kind.classes.iter();
    Facts {
        headers: headers.into_iter().map(lower).collect(),
        claims: pairs(&kind.claims),
        metadata: pairs(&kind.metadata),
        identities: kind.identity.iter().cloned().collect(),
        intent: kind.intent.clone(),
        script: kind.script.as_deref().and_then(Script::find),
        classes: classes
            .map(|(name, class)| (name.clone(), Some(class.clone())))
            .collect(),
        user: kind
            .users
            .filter(|users| *users > 0)
            .map(|users| format!("user-{}", draw % users)),
        ..Facts::default()
    }
}

/// False when there is no such need.
fn set_need(needs: &mut Needs, need: &str) -> bool {
    let Needs {
        tools,
        parallel_tools,
        json_schema,
        json_mode,
        vision,
        audio,
        files,
        thinking,
    } = needs;
    let named = [
        ("tools", tools),
        ("parallel_tools", parallel_tools),
        ("json_schema", json_schema),
        ("json_mode", json_mode),
        ("vision", vision),
        ("audio", audio),
        ("files", files),
        ("thinking", thinking),
    ];
    let mut named = named.into_iter();
    let found = named.find(|(name, _)| *name == need);
    found.map(|(_, needed)| *needed = true).is_some()
}
