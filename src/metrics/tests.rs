use super::*;
use crate::failure::Failure;
use crate::observed::{CoolDown, Payer, Settings, Update};
use crate::usage::Usage;

const ALL: [Of; 24] = [
    Of::Requests,
    Of::Attempts,
    Of::Failovers,
    Of::CoolDowns,
    Of::Tokens,
    Of::Cost,
    Of::RejectedTokens,
    Of::RejectedCost,
    Of::FirstChunk,
    Of::Duration,
    Of::Misconfigured,
    Of::Cache,
    Of::CacheBytes,
    Of::CacheSaved,
    Of::BudgetUsed,
    Of::BudgetRefusals,
    Of::Downgrades,
    Of::PromptSaved,
    Of::PromptSurcharge,
    Of::KeptWarm,
    Of::Judged,
    Of::Scored,
    Of::GateTime,
    Of::GateSaved,
];

/// Every sample's name and value.
fn told(tell: impl FnOnce(&mut dyn FnMut(&Sample<'_>))) -> Vec<String> {
    let mut told = Vec::new();
    tell(&mut |sample| {
        let mut name = String::new();
        sample.write_name(&mut name);
        told.push(format!("{name} {}", sample.value));
    });
    told
}

#[test]
fn every_metric_stands_in_its_place_and_in_the_documentation() {
    let documented = include_str!("../../docs/state.md");
    for (place, (of, metric)) in ALL.into_iter().zip(&METRICS).enumerate() {
        assert_eq!(of as usize, place);
        assert!(documented.contains(metric.name), "{}", metric.name);
        let known = metric.labels.iter().all(|label| LABELS.contains(label));
        assert!(
            known && metric.labels.len() <= MOST_LABELS,
            "{}",
            metric.name
        );
        let is_histogram = metric.kind == Kind::Histogram;
        assert_eq!(is_histogram, !metric.buckets.is_empty());
    }
}

#[test]
fn an_attempt_is_counted_with_all_that_is_known_of_it() {
    let failure = Failure {
        retry_after_s: Some(3),
        ..Failure::new(Class::RateLimited, "no")
    };
    let observation = Observation {
        provider: "openai".to_owned(),
        model: "gpt-5.4".to_owned(),
        update: Update {
            ttft_ms: Some(12),
            total_ms: Some(30),
            outcome: Some(Ok(())),
            ..Update::default()
        },
        number: 1,
        cool_down: CoolDown::after(&failure, "openai", "m", Settings::default(), 1),
        judged: Some(Box::new(Judged {
            signal: "kept",
            scorer: "timeout",
            added_ms: 2,
        })),
        bill: Some(Box::new(Bill {
            usage: Usage {
                input_tokens: 7,
                ..Usage::default()
            },
            nano_usd: 42,
            saved_nano_usd: -3,
            gained_nano_usd: 9,
            payer: Payer {
                model: "smart".to_owned(),
                rule: String::new(),
                team: "search".to_owned(),
            },
        })),
        ..Observation::default()
    };
    let told = told(|count| of_observation(&observation, count));
    let of = "gen_ai_provider_name=.=openai;.;gen_ai_response_model=.=gpt-5.4;.;";
    let asked = "gen_ai_request_model=.=smart;.;";
    let expected = [
        format!("pointsman_attempts_total{of}pointsman_class=.=ok;.; 1"),
        format!("pointsman_failovers_total{of} 1"),
        format!("pointsman_cool_downs_total{of}pointsman_class=.=rate_limited;.; 1"),
        format!("gen_ai_client_operation_time_to_first_chunk_milliseconds{of} 12"),
        format!("gen_ai_client_operation_duration_milliseconds{of} 30"),
        format!("pointsman_gate_answers_total{of}pointsman_gate=.=kept;.; 1"),
        format!("pointsman_gate_added_milliseconds{of}pointsman_gate=.=kept;.; 2"),
        format!("pointsman_gate_webhook_total{of}pointsman_scorer=.=timeout;.; 1"),
        format!("gen_ai_client_token_usage_total{of}gen_ai_token_type=.=input;.;{asked} 7"),
        format!("pointsman_cost_nano_usd_total{of}pointsman_team=.=search;.;{asked} 42"),
        format!("pointsman_gate_saved_nano_usd_total{of} 9"),
        format!("pointsman_prompt_cache_surcharge_nano_usd_total{of} 3"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn an_answer_that_is_thrown_away_is_counted_with_what_it_cost() {
    let observation = Observation {
        update: Update {
            outcome: Some(Err(Class::LowQuality)),
            ..Update::default()
        },
        bill: Some(Box::new(Bill {
            usage: Usage {
                output_tokens: 7,
                ..Usage::default()
            },
            nano_usd: 5,
            saved_nano_usd: 0,
            gained_nano_usd: 0,
            payer: Payer::default(),
        })),
        rejected: true,
        judged: Some(Box::new(Judged {
            signal: "refusal",
            scorer: "",
            added_ms: 12,
        })),
        ..Observation::default()
    };
    let told = told(|count| of_observation(&observation, count));
    let expected = [
        "pointsman_attempts_totalpointsman_class=.=low_quality;.; 1",
        "pointsman_gate_answers_totalpointsman_gate=.=refusal;.; 1",
        "pointsman_gate_added_millisecondspointsman_gate=.=refusal;.; 12",
        "gen_ai_client_token_usage_totalgen_ai_token_type=.=output;.; 7",
        "pointsman_cost_nano_usd_total 5",
        "pointsman_rejected_tokens_totalpointsman_class=.=low_quality;.; 7",
        "pointsman_rejected_cost_nano_usd_totalpointsman_class=.=low_quality;.; 5",
    ];
    assert_eq!(told, expected);
}

#[test]
fn nothing_is_counted_of_an_observation_that_tells_nothing() {
    let nothing = Observation::default();
    assert!(told(|count| of_observation(&nothing, count)).is_empty());
}

#[test]
fn a_client_that_leaves_has_no_status() {
    let told = told(|count| of_request(&Request::default(), None, count));
    let labels = "gen_ai_request_model=.=unknown;.;http_response_status_code=.=aborted;.;";
    assert_eq!(told, [format!("pointsman_requests_total{labels} 1")]);
}

#[test]
fn a_request_tells_its_rule_and_what_it_was_assigned_to() {
    let request = Request {
        model: "smart".to_owned(),
        rule: "trial".to_owned(),
        variant: "openai/gpt-5.4".to_owned(),
        ..Request::default()
    };
    let told = told(|count| of_request(&request, Some(200), count));
    let end = "pointsman_rule=.=trial;.;pointsman_variant=.=openai/gpt-5.4;.; 1";
    assert!(told.iter().all(|told| told.ends_with(end)), "{told:?}");
}
