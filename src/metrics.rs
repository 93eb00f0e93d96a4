//! What is counted, under which names, and how Envoy makes labels of them.
//!
//! A metric of a proxy-wasm module is a name without labels. Names carry them behind, as
//! `name<label>=.=<value>;.;`, and Envoy's `stats_tags` take them out: the form that Istio's
//! own tags have, so its `extraStatTags` know them too. Names follow OpenTelemetry's
//! conventions for generative AI, read 2026-11-21, as far as Envoy's integers allow: durations
//! are in milliseconds and say so. Cardinality is bounded: providers and models are those of
//! the configuration, classes and kinds those of this file.

use crate::failure::Class;
use crate::observed::{Bill, CoolDown, Judged, Observation};

/// How a metric is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// Values, by size.
    Histogram,
}

/// One metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name in Prometheus.
    pub name: &'static str,
    /// How it is kept.
    pub kind: Kind,
    /// What it counts, and in which unit.
    pub help: &'static str,
    /// Its labels, in order.
    pub labels: &'static [&'static str],
    /// Upper bounds of a histogram's buckets.
    pub buckets: &'static [u64],
}

/// The model that the client asked for.
const REQUEST_MODEL: &str = "gen_ai_request_model";
/// The provider, by its name in the configuration.
const PROVIDER: &str = "gen_ai_provider_name";
/// The model as the provider calls it.
const RESPONSE_MODEL: &str = "gen_ai_response_model";
/// Why it failed, in the words of the attempts' header; `ok` when it did not.
const CLASS: &str = "pointsman_class";
/// How a request ended for the client: its HTTP status, `aborted` when the client has left.
const STATUS: &str = "http_response_status_code";
/// Which tokens.
const TOKEN_TYPE: &str = "gen_ai_token_type";
/// The rule that fitted, by its name in the configuration.
const RULE: &str = "pointsman_rule";
/// The candidate that a dividing policy assigned the request to, as `provider/model`.
const VARIANT: &str = "pointsman_variant";

/// The team that asks, by its name in the configuration.
const TEAM: &str = "pointsman_team";
/// What Envoy has not been told, for lack of which requests are refused.
const MISFIT: &str = "pointsman_misfit";
/// What became of a request or an answer in the cache of answers.
const CACHE: &str = "pointsman_cache";

/// A budget, by its name in the configuration.
const BUDGET: &str = "pointsman_budget";
/// What it counts.
const UNIT: &str = "pointsman_unit";

/// What a quality gate found wanting; `kept` when nothing was.
const GATE: &str = "pointsman_gate";
/// What became of asking a quality gate's webhook.
const SCORER: &str = "pointsman_scorer";

/// Every label.
pub const LABELS: [&str; 15] = [
    REQUEST_MODEL,
    PROVIDER,
    RESPONSE_MODEL,
    CLASS,
    STATUS,
    TOKEN_TYPE,
    RULE,
    VARIANT,
    TEAM,
    MISFIT,
    CACHE,
    BUDGET,
    UNIT,
    GATE,
    SCORER,
];

/// The conventions' bounds, in milliseconds.
const DURATIONS: &[u64] = &[
    10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120, 10_240, 20_480, 40_960, 81_920,
];

/// A metric's place in [`METRICS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Of {
    /// Requests of clients.
    Requests,
    /// Attempts.
    Attempts,
    /// Requests answered by another than the first.
    Failovers,
    /// Pauses of targets.
    CoolDowns,
    /// Tokens.
    Tokens,
    /// What they cost.
    Cost,
    /// Tokens of answers that were thrown away.
    RejectedTokens,
    /// What these cost.
    RejectedCost,
    /// Time to the first token.
    FirstChunk,
    /// Time to the end.
    Duration,
    /// Requests that are refused because something is missing in Envoy's configuration.
    Misconfigured,
    /// Requests and answers in the cache of answers.
    Cache,
    /// Bytes that went into it and out of it.
    CacheBytes,
    /// What it saved.
    CacheSaved,
    /// What was used of budgets.
    BudgetUsed,
    /// Requests that were refused for want of budget.
    BudgetRefusals,
    /// Requests that another model served than was asked for.
    Downgrades,
    /// What providers' caches saved.
    PromptSaved,
    /// What writing to them cost more.
    PromptSurcharge,
    /// Requests that keep connections open.
    KeptWarm,
    /// Answers that a quality gate has judged.
    Judged,
    /// Webhooks that were asked for a score.
    Scored,
    /// What judging has added to the time until the client has an answer.
    GateTime,
    /// What answers saved that came from another than the last candidate.
    GateSaved,
}

/// Every metric, in the order of [`Of`].
pub const METRICS: [Metric; 24] = [
    Metric {
        name: "pointsman_requests_total",
        kind: Kind::Counter,
        help: "requests of clients",
        labels: &[REQUEST_MODEL, STATUS, RULE, VARIANT, TEAM],
        buckets: &[],
    },
    Metric {
        name: "pointsman_attempts_total",
        kind: Kind::Counter,
        help: "attempts; a stream that breaks after its first token counts as `ok` and once more",
        labels: &[PROVIDER, RESPONSE_MODEL, CLASS],
        buckets: &[],
    },
    Metric {
        name: "pointsman_failovers_total",
        kind: Kind::Counter,
        help: "requests answered by another than the first that was asked",
        labels: &[PROVIDER, RESPONSE_MODEL],
        buckets: &[],
    },
    Metric {
        name: "pointsman_cool_downs_total",
        kind: Kind::Counter,
        help: "times that a provider asked to be left alone",
        labels: &[PROVIDER, RESPONSE_MODEL, CLASS],
        buckets: &[],
    },
    Metric {
        name: "gen_ai_client_token_usage_total",
        kind: Kind::Counter,
        help: "tokens; `cached` are part of `input`, `reasoning` of `output`",
        labels: &[PROVIDER, RESPONSE_MODEL, TOKEN_TYPE, REQUEST_MODEL, RULE],
        buckets: &[],
    },
    Metric {
        name: "pointsman_cost_nano_usd_total",
        kind: Kind::Counter,
        help: "what these tokens cost, in billionths of a USD, where prices are known",
        labels: &[PROVIDER, RESPONSE_MODEL, TEAM, REQUEST_MODEL, RULE],
        buckets: &[],
    },
    Metric {
        name: "pointsman_rejected_tokens_total",
        kind: Kind::Counter,
        help: "tokens, in and out, of answers that were thrown away; part of all tokens",
        labels: &[PROVIDER, RESPONSE_MODEL, CLASS],
        buckets: &[],
    },
    Metric {
        name: "pointsman_rejected_cost_nano_usd_total",
        kind: Kind::Counter,
        help: "what answers cost that were thrown away, in billionths of a US dollar",
        labels: &[PROVIDER, RESPONSE_MODEL, CLASS],
        buckets: &[],
    },
    Metric {
        name: "gen_ai_client_operation_time_to_first_chunk_milliseconds",
        kind: Kind::Histogram,
        help: "from the start of an attempt to the first token of a stream",
        labels: &[PROVIDER, RESPONSE_MODEL],
        buckets: DURATIONS,
    },
    Metric {
        name: "gen_ai_client_operation_duration_milliseconds",
        kind: Kind::Histogram,
        help: "from the start of an attempt to the end of its reply",
        labels: &[PROVIDER, RESPONSE_MODEL],
        buckets: DURATIONS,
    },
    Metric {
        name: "pointsman_misconfigured_total",
        kind: Kind::Counter,
        help: "requests refused because Envoy has not been told what the filter needs",
        labels: &[MISFIT],
        buckets: &[],
    },
    Metric {
        name: "pointsman_cache_total",
        kind: Kind::Counter,
        help: "requests of the answer cache by outcome: hit, miss, refresh, bypass; answers: store, evict",
        labels: &[REQUEST_MODEL, CACHE],
        buckets: &[],
    },
    Metric {
        name: "pointsman_cache_bytes_total",
        kind: Kind::Counter,
        help: "bytes into the answer cache and out of it: store, evict; what it holds is the difference",
        labels: &[REQUEST_MODEL, CACHE],
        buckets: &[],
    },
    Metric {
        name: "pointsman_cache_saved_nano_usd_total",
        kind: Kind::Counter,
        help: "what answers have cost that were given again, in billionths of a USD",
        labels: &[REQUEST_MODEL],
        buckets: &[],
    },
    Metric {
        name: "pointsman_budget_used_total",
        kind: Kind::Counter,
        help: "what was used of a budget by all of its accounts: tokens, requests, or nano-USD",
        labels: &[BUDGET, UNIT],
        buckets: &[],
    },
    Metric {
        name: "pointsman_budget_refusals_total",
        kind: Kind::Counter,
        help: "requests that were refused because a budget had no room for them",
        labels: &[BUDGET],
        buckets: &[],
    },
    Metric {
        name: "pointsman_downgrades_total",
        kind: Kind::Counter,
        help: "requests that another model served, near the end of a budget or, without one, under load",
        labels: &[REQUEST_MODEL, BUDGET],
        buckets: &[],
    },
    Metric {
        name: "pointsman_prompt_cache_saved_nano_usd_total",
        kind: Kind::Counter,
        help: "what tokens out of providers' caches would have cost more, in billionths of a USD",
        labels: &[PROVIDER, RESPONSE_MODEL],
        buckets: &[],
    },
    Metric {
        name: "pointsman_prompt_cache_surcharge_nano_usd_total",
        kind: Kind::Counter,
        help: "what requests cost more that wrote to providers' caches, in billionths of a USD",
        labels: &[PROVIDER, RESPONSE_MODEL],
        buckets: &[],
    },
    Metric {
        name: "pointsman_keep_warm_total",
        kind: Kind::Counter,
        help: "requests of the proxy itself that keep connections open; `unreached` without a reply",
        labels: &[PROVIDER, STATUS],
        buckets: &[],
    },
    Metric {
        name: "pointsman_gate_answers_total",
        kind: Kind::Counter,
        help: "answers that a quality gate judged: `kept`, or what it found wanting",
        labels: &[PROVIDER, RESPONSE_MODEL, GATE],
        buckets: &[],
    },
    Metric {
        name: "pointsman_gate_webhook_total",
        kind: Kind::Counter,
        help: "answers that a quality gate's webhook was to score, by what became of asking",
        labels: &[PROVIDER, RESPONSE_MODEL, SCORER],
        buckets: &[],
    },
    Metric {
        name: "pointsman_gate_added_milliseconds",
        kind: Kind::Histogram,
        help: "what a quality gate added: to an answer that it kept, or the attempt that it passed on",
        labels: &[PROVIDER, RESPONSE_MODEL, GATE],
        buckets: DURATIONS,
    },
    Metric {
        name: "pointsman_gate_saved_nano_usd_total",
        kind: Kind::Counter,
        help: "what answers that were kept would have cost more of the last candidate, in billionths of a USD",
        labels: &[PROVIDER, RESPONSE_MODEL],
        buckets: &[],
    },
];

/// The most labels of one metric.
const MOST_LABELS: usize = 5;

/// Something to be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample<'a> {
    /// Of which metric.
    pub metric: Of,
    /// Values of its labels, in order; empty for what does not apply.
    pub values: [&'a str; MOST_LABELS],
    /// How much.
    pub value: u64,
}

/// What is counted of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// What the client asked for; empty when it is no model of the configuration.
    pub model: String,
    /// The rule that fitted; empty for none.
    pub rule: String,
    /// The candidate that it was assigned to; empty when nothing divides requests.
    pub variant: String,
    /// The team that asks; empty when it is no declared one.
    pub team: String,
    /// What became of it in the cache of answers; empty where none is.
    pub cache: &'static str,
    /// What an answer out of the cache saved.
    pub saved_nano_usd: u64,
    /// The budget that had no room for it; empty when all had.
    pub refused_by: String,
    /// The model that was asked for where another one serves, and the budget for whose sake:
    /// empty when it is for the load.
    pub downgraded: Option<(String, String)>,
}

impl Of {
    /// What it is.
    pub fn metric(self) -> &'static Metric {
        let [first, ..] = &METRICS;
        METRICS.get(self as usize).unwrap_or(first)
    }

    fn sample<'a>(self, target: (&'a str, &'a str), third: &'a str, value: u64) -> Sample<'a> {
        Sample {
            metric: self,
            values: [target.0, target.1, third, "", ""],
            value,
        }
    }
}

impl Sample<'_> {
    /// Appends the name under which the host keeps it, labels included.
    pub fn write_name(&self, name: &mut String) {
        let metric = self.metric.metric();
        name.push_str(metric.name);
        let labels = metric.labels.iter().zip(self.values);
        for (label, value) in labels.filter(|(_, value)| !value.is_empty()) {
            for part in [label, "=.=", value, ";.;"] {
                name.push_str(part);
            }
        }
    }
}

/// A client's request is over. `status` is what it got; `None` when it has left before.
pub fn of_request(request: &Request, status: Option<u16>, count: &mut dyn FnMut(&Sample<'_>)) {
    let status = status.map_or_else(|| "aborted".to_owned(), |status| status.to_string());
    let model = match request.model.as_str() {
        "" => "unknown",
        model => model,
    };
    count(&Sample {
        metric: Of::Requests,
        values: [
            model,
            &status,
            &request.rule,
            &request.variant,
            &request.team,
        ],
        value: 1,
    });
    if !request.cache.is_empty() {
        count(&Of::Cache.sample((model, request.cache), "", 1));
    }
    if request.saved_nano_usd > 0 {
        count(&Of::CacheSaved.sample((model, ""), "", request.saved_nano_usd));
    }
    let mut add = |metric: Of, first, second| count(&metric.sample((first, second), "", 1));
    if !request.refused_by.is_empty() {
        add(Of::BudgetRefusals, &request.refused_by, "");
    }
    if let Some((model, budget)) = &request.downgraded {
        add(Of::Downgrades, model, budget);
    }
}

/// An answer has been kept, of so many bytes; as many others with their bytes made room.
pub fn of_kept(model: &str, bytes: u64, evicted: (u64, u64), count: &mut dyn FnMut(&Sample<'_>)) {
    let events = [("store", 1, bytes), ("evict", evicted.0, evicted.1)];
    for (event, answers, bytes) in events.into_iter().filter(|event| event.1 > 0) {
        count(&Of::Cache.sample((model, event), "", answers));
        count(&Of::CacheBytes.sample((model, event), "", bytes));
    }
}

/// A request has used so much of a budget, in its unit.
pub fn of_budget(budget: &str, unit: &str, amount: u64, count: &mut dyn FnMut(&Sample<'_>)) {
    if amount > 0 {
        count(&Of::BudgetUsed.sample((budget, unit), "", amount));
    }
}

/// A request is refused because something is missing; `kind` says what.
pub fn of_misfit(kind: &str, count: &mut dyn FnMut(&Sample<'_>)) {
    count(&Of::Misconfigured.sample((kind, ""), "", 1));
}

/// A connection of a provider has been kept open, or not; `status` is what it answered.
pub fn of_kept_warm(provider: &str, status: &str, count: &mut dyn FnMut(&Sample<'_>)) {
    count(&Of::KeptWarm.sample((provider, status), "", 1));
}

/// What an observation adds.
pub fn of_observation(observation: &Observation, count: &mut dyn FnMut(&Sample<'_>)) {
    let target = (observation.provider.as_str(), observation.model.as_str());
    let update = &observation.update;
    let mut add = |of: Of, third, value| count(&of.sample(target, third, value));
    if let Some(outcome) = update.outcome {
        add(Of::Attempts, outcome.err().map_or("ok", Class::as_str), 1);
        if outcome.is_ok() && observation.number > 0 {
            add(Of::Failovers, "", 1);
        }
    }
    if observation.rejected && update.outcome.is_none() {
        add(Of::Attempts, ended_as(observation), 1);
    }
    let asked = |cool_down: &CoolDown| cool_down.class != Class::Ejected;
    if let Some(cool_down) = observation.cool_down.filter(asked) {
        add(Of::CoolDowns, cool_down.class.as_str(), 1);
    }
    if let Some(ms) = update.ttft_ms {
        add(Of::FirstChunk, "", ms);
    }
    if let Some(ms) = update.total_ms {
        add(Of::Duration, "", ms);
    }
    if let Some(judged) = &observation.judged {
        of_judged(judged, target, count);
    }
    if let Some(bill) = &observation.bill {
        of_bill(bill, target, count);
        if bill.gained_nano_usd > 0 {
            count(&Of::GateSaved.sample(target, "", bill.gained_nano_usd));
        }
        let amount = bill.saved_nano_usd.unsigned_abs();
        match bill.saved_nano_usd {
            0 => {}
            1.. => count(&Of::PromptSaved.sample(target, "", amount)),
            _ => count(&Of::PromptSurcharge.sample(target, "", amount)),
        }
        if observation.rejected {
            of_rejected(bill, target, ended_as(observation), count);
        }
    }
}

fn of_judged(judged: &Judged, target: (&str, &str), count: &mut dyn FnMut(&Sample<'_>)) {
    let Judged {
        signal,
        scorer,
        added_ms,
    } = *judged;
    count(&Of::Judged.sample(target, signal, 1));
    count(&Of::GateTime.sample(target, signal, added_ms));
    if !scorer.is_empty() {
        count(&Of::Scored.sample(target, scorer, 1));
    }
}

/// The word for how an attempt ended that brought no answer.
fn ended_as(observation: &Observation) -> &'static str {
    let class = observation.update.outcome.and_then(Result::err);
    class.map_or("outrun", Class::as_str)
}

fn of_rejected(bill: &Bill, target: (&str, &str), class: &str, count: &mut dyn FnMut(&Sample<'_>)) {
    let tokens = bill.usage.total_tokens();
    for (of, spent) in [
        (Of::RejectedTokens, tokens),
        (Of::RejectedCost, bill.nano_usd),
    ] {
        if spent > 0 {
            count(&of.sample(target, class, spent));
        }
    }
}

fn of_bill(bill: &Bill, target: (&str, &str), count: &mut dyn FnMut(&Sample<'_>)) {
    let (usage, payer) = (&bill.usage, &bill.payer);
    for (metric, third, value) in [
        (Of::Tokens, "input", usage.input_tokens),
        (Of::Tokens, "output", usage.output_tokens),
        (Of::Tokens, "cached", usage.cached_input_tokens),
        (Of::Tokens, "reasoning", usage.reasoning_tokens),
        (Of::Cost, payer.team.as_str(), bill.nano_usd),
    ] {
        if value > 0 {
            count(&Sample {
                values: [target.0, target.1, third, &payer.model, &payer.rule],
                ..metric.sample(target, third, value)
            });
        }
    }
}

#[cfg(test)]
mod tests;
