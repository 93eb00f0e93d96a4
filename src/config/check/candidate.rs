//! Candidates of one model: who, how often, able to do what.

use std::collections::BTreeMap;

use super::adaptation::ModelAdaptation;
use super::provider::number;
use crate::catalog::cost::Tariff;
use crate::catalog::{Backend, Capabilities, Labels, Thinking};
use crate::config::names::{
    LabelName, LabelValue, OperationWord, ParameterName, ProviderRef, ThinkingWord, UpstreamModel,
};
use crate::config::path::Path;
use crate::config::problem::{At, Finding, Findings};
use crate::config::raw::{MAX_CANDIDATES, RawCandidate, RawCapabilities};
use crate::config::raw_prices::{RawPercent, RawPrices, RawPricesAbove};
use crate::config::shape::Given;
use crate::config::values::{Any, List, Map, OneOrMore};
use crate::config::words::{did_you_mean, one_of, quote};
use crate::config::{ModelConfig, ProviderConfig};
use crate::operation::{Operation, Operations};
use crate::sorted::{by_name, sort_by_key};
use crate::tokens::Family;

/// Names of all providers, whether they are right themselves or not; `None` when there is
/// no list of them to refer to.
pub(super) type ProviderNames<'a> = Option<Vec<&'a str>>;

pub(super) fn check_candidates(
    raw: &Given<List<RawCandidate, 1, MAX_CANDIDATES>>,
    providers: &ProviderNames<'_>,
    adaptation: &ModelAdaptation<'_>,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Vec<Backend> {
    let items = raw.get().map(|list| list.0.as_slice()).unwrap_or_default();
    let mut backends: Vec<(usize, Backend)> = Vec::with_capacity(items.len());
    for (i, raw) in items.iter().enumerate() {
        let Some(raw) = raw else { continue };
        let here = path.index(i);
        let Some(backend) = check_candidate(raw, providers, adaptation, &here, findings) else {
            continue;
        };
        refuse_duplicate(&backends, &backend, &here, findings);
        backends.push((i, backend));
    }
    let backends: Vec<Backend> = backends.into_iter().map(|(_, backend)| backend).collect();
    backends
}

fn check_candidate(
    raw: &RawCandidate,
    providers: &ProviderNames<'_>,
    adaptation: &ModelAdaptation<'_>,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Option<Backend> {
    let RawCandidate {
        provider,
        model,
        weight,
        quality,
        max_complexity,
        prices,
        prices_above,
        price_percent,
        labels,
        variant,
        tries,
        capabilities,
        tokenizer,
        defaults,
        template: _, // read with the rest of the adaptation
        template_on_fallback: _,
    } = raw;
    let at = path.key("capabilities");
    let capabilities = check_capabilities(capabilities.get(), &at, findings);
    let ProviderRef(provider) = provider.get()?;
    refuse_unknown_provider(provider, providers, &path.key("provider"), findings);
    let UpstreamModel(model) = model.get()?;
    Some(Backend {
        provider: provider.clone(),
        model: model.clone(),
        weight: number(weight, 1),
        concurrency: None,
        tries: number(tries, 1),
        capabilities,
        tokenizer: tokenizer
            .get()
            .and_then(|word| Family::find(&word.0))
            .unwrap_or_default(),
        quality: quality.get().map(|ratio| ratio.0),
        max_complexity: max_complexity.get().map(|ratio| thousandths(ratio.0)),
        prices: prices.get().map(|raw| {
            let mut tariff = check_prices(raw, prices_above);
            tariff.percent = price_percent
                .get()
                .map(RawPercent::read)
                .unwrap_or_default();
            tariff
        }),
        labels: check_labels(labels),
        variant: variant.get().map_or("", |name| &name.0).to_owned(),
        defaults: json_texts(defaults),
        adaptation: adaptation.of_candidate(raw, (provider, model), path, findings),
    })
}

/// A candidate serves what its model can and its provider offers, and promises what its provider
/// does unless it says otherwise.
pub(super) fn complete_by_provider(
    providers: &BTreeMap<String, ProviderConfig>,
    models: &mut BTreeMap<String, ModelConfig>,
) {
    for backend in models.values_mut().flat_map(|model| &mut model.candidates) {
        let Some(provider) = providers.get(&backend.provider) else {
            continue;
        };
        backend.labels = std::mem::take(&mut backend.labels).or(&provider.labels);
        backend.concurrency = provider.concurrency;
        let operations = &mut backend.capabilities.operations;
        *operations =
            operations.only(|o| o.is_chat() || provider.offer(o, &backend.model).is_some());
    }
}

/// Of a number from 0 to 1.
pub(super) fn thousandths(ratio: f64) -> u16 {
    (ratio * 1000.0).round() as u16
}

fn check_prices<const MAX: usize>(
    raw: &RawPrices,
    above: &Given<List<RawPricesAbove, 1, MAX>>,
) -> Box<Tariff> {
    let mut tariff = Box::<Tariff>::default();
    raw.tell(&mut tariff.prices);
    let longer = above.get().into_iter().flat_map(|list| &list.0).flatten();
    for RawPricesAbove { tokens, prices } in longer {
        // What a long prompt's price does not say stays what it was.
        let mut long = tariff.prices.clone();
        if let Some(raw) = prices.get() {
            raw.tell(&mut long);
        }
        tariff
            .above
            .push((tokens.get().map_or(u64::MAX, |n| n.0), long));
    }
    sort_by_key(&mut tariff.above, |(tokens, _)| *tokens);
    tariff
}

/// Labels as written; `None` of them when nothing is said.
pub(super) fn check_labels<const MIN: usize>(
    raw: &Given<Map<LabelName, OneOrMore<LabelValue>, MIN>>,
) -> Labels {
    let entries = raw.get().into_iter().flat_map(|map| &map.entries);
    let labels = entries.filter_map(|(name, values)| {
        let values = values.as_ref()?.0.iter().map(|value| value.0.clone());
        Some((name.clone(), values.collect()))
    });
    Labels::new(labels.collect())
}

fn refuse_unknown_provider(
    provider: &str,
    providers: &ProviderNames<'_>,
    path: &Path,
    findings: &mut Findings<'_>,
) {
    let Some(names) = providers else { return };
    if names.contains(&provider) {
        return;
    }
    let near = did_you_mean(provider, names.iter().copied());
    let finding = Finding::new(quote(provider), one_of(names));
    findings.error(At::Value, path, finding.hint(near.unwrap_or_default()));
}

fn refuse_duplicate(
    before: &[(usize, Backend)],
    backend: &Backend,
    path: &Path,
    findings: &mut Findings<'_>,
) {
    let same = |b: &Backend| b.provider == backend.provider && b.model == backend.model;
    if let Some((first, _)) = before.iter().find(|(_, b)| same(b)) {
        let finding = Finding::new(
            format!(
                "{} of {} again",
                quote(&backend.model),
                quote(&backend.provider)
            ),
            "each model of a provider once",
        )
        .hint(format!(
            "it is candidates[{first}] already; `tries` repeats an attempt"
        ));
        findings.error(At::Value, path, finding);
    }
}

fn json_texts(raw: &Given<Map<ParameterName, Any, 0>>) -> BTreeMap<String, String> {
    let entries = raw.get().into_iter().flat_map(|map| &map.entries);
    let texts =
        entries.filter_map(|(name, value)| Some((name.clone(), value.as_ref()?.0.to_string())));
    by_name(texts)
}

fn check_capabilities(
    raw: Option<&RawCapabilities>,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Capabilities {
    let Some(raw) = raw else {
        return Capabilities::default();
    };
    let RawCapabilities {
        tools,
        parallel_tools,
        json_schema,
        json_mode,
        vision,
        audio,
        files,
        thinking,
        sampling,
        operations,
        context_window,
        max_output_tokens,
    } = raw;
    let able = |given: &Given<bool>| given.get().copied().unwrap_or(true);
    let capabilities = Capabilities {
        operations: operations
            .get()
            .map_or(Operations::UNSAID, named_operations),
        tools: able(tools),
        parallel_tools: parallel_tools.get().copied().unwrap_or(able(tools)),
        json_schema: able(json_schema),
        json_mode: able(json_mode),
        vision: able(vision),
        audio: able(audio),
        files: able(files),
        thinking: thinking.get().map_or(Thinking::Effort, how_it_thinks),
        sampling: able(sampling),
        context_window: context_window.get().map(|n| n.0),
        max_output_tokens: max_output_tokens.get().map(|n| n.0),
    };
    refuse_contradictions(&capabilities, path, findings);
    capabilities
}

fn named_operations<const MAX: usize>(words: &List<OperationWord, 1, MAX>) -> Operations {
    let named = words
        .0
        .iter()
        .flatten()
        .filter_map(|OperationWord(w)| Operation::find(w));
    named.fold(Operations::NONE, Operations::with)
}

fn how_it_thinks(word: &ThinkingWord) -> Thinking {
    match word.0.as_str() {
        "none" => Thinking::None,
        "budget" => Thinking::Budget,
        _ => Thinking::Effort,
    }
}

fn refuse_contradictions(capabilities: &Capabilities, path: &Path, findings: &mut Findings<'_>) {
    if capabilities.parallel_tools && !capabilities.tools {
        let finding = Finding::new("true", "false, because tools is false");
        findings.error(At::Value, &path.key("parallel_tools"), finding);
    }
    if let (Some(window), Some(output)) =
        (capabilities.context_window, capabilities.max_output_tokens)
        && output > window
    {
        let finding = Finding::new(
            output.to_string(),
            format!("at most context_window, which is {window}"),
        );
        findings.error(At::Value, &path.key("max_output_tokens"), finding);
    }
}
