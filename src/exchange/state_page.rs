//! What has been observed of every target, and how budgets stand, for people:
//! `GET /pointsman/state`. Names and figures, nothing of any prompt or key.

mod budgets;

use std::fmt::Write;

use super::load;
use super::mutation::ImmediateResponse;
use crate::config::Config;
use crate::failure::Class;
use crate::json;
use crate::observed::{Figures, Observed, Recorded, Store};
use crate::sorted::by_name;

/// Where it is served, on a listener of its own.
pub const STATE_PATH: &str = "/pointsman/state";

/// The answer to a request for `path` on that listener.
pub fn state_page(
    config: &Config,
    store: &dyn Store,
    path: &str,
    now_ms: u64,
) -> ImmediateResponse {
    if path.split('?').next() != Some(STATE_PATH) {
        let body = br#"{"error":"only /pointsman/state is served here"}"#.to_vec();
        return answer(404, body);
    }
    let candidates = config.models.values().flat_map(|model| &model.candidates);
    let targets = by_name(candidates.map(|c| ((c.provider.as_str(), c.model.as_str()), ())));
    let recorded = Recorded::new(store, config.observe, now_ms);
    let mut page = format!("{{\"now_ms\":{now_ms},\"targets\":[");
    for (i, (provider, model)) in targets.into_keys().enumerate() {
        page.push_str(if i == 0 { "\n" } else { ",\n" });
        let record = recorded.record(provider, model);
        let figures = record.figures(config.observe.half_life_ms, now_ms);
        let pause = recorded.cool_down(provider, model);
        let pause = pause.map(|pause| (pause.class, pause.until_ms.saturating_sub(now_ms)));
        write_target(&mut page, (provider, model), &figures, pause);
    }
    page.push_str("\n]");
    budgets::write(config, store, now_ms, &mut page);
    load::write(config, store, &recorded, &mut page);
    page.push_str("}\n");
    answer(200, page.into_bytes())
}

fn answer(status: u16, body: Vec<u8>) -> ImmediateResponse {
    ImmediateResponse {
        status,
        headers: vec![("cache-control", "no-store".to_owned())],
        body,
    }
}

fn write_target(
    page: &mut String,
    (provider, model): (&str, &str),
    figures: &Figures,
    pause: Option<(Class, u64)>,
) {
    let state = &figures.state;
    let (ttft, total) = figures.means_ms;
    let mut failed = String::new();
    for (class, share) in &figures.failed {
        let comma = if failed.is_empty() { "" } else { "," };
        failed.push_str(&format!(
            "{comma}\"{}\":{}",
            class.as_str(),
            decimal(Some(*share))
        ));
    }
    let pause = pause.map_or_else(
        || "null".to_owned(),
        |(class, ms)| format!("{{\"class\":\"{}\",\"for_ms\":{ms}}}", class.as_str()),
    );
    // Writing to a text cannot fail.
    let _ = write!(
        page,
        "{{\"provider\":{},\"model\":{},\
         \"ttft_ms\":{{\"mean\":{},\"p50\":{},\"p95\":{}}},\
         \"total_ms\":{{\"mean\":{},\"p50\":{},\"p95\":{}}},\
         \"error_rate\":{},\"tokens_ratio\":{},\"failed\":{{{failed}}},\
         \"in_flight\":{{\"requests\":{},\"tokens\":{}}},\
         \"attempts\":{},\"failures\":{},\"cool_down\":{pause}}}",
        json::to_string(provider),
        json::to_string(model),
        decimal(ttft.map(f64::round)),
        decimal(state.ttft_p50_ms),
        decimal(state.ttft_p95_ms),
        decimal(total.map(f64::round)),
        decimal(state.latency_p50_ms),
        decimal(state.latency_p95_ms),
        decimal(state.error_rate),
        decimal(state.tokens_ratio),
        state.in_flight_requests,
        state.in_flight_tokens,
        figures.ever.0,
        figures.ever.1,
    );
}

/// To six places, so that nobody decides otherwise by what is written than by what is known.
/// Without the library's way to write floats, which is large.
fn decimal(value: Option<f64>) -> String {
    let Some(value) = value else {
        return "null".to_owned();
    };
    let millionths = (value * 1e6 + 0.5) as u64;
    let mut text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    text
}
