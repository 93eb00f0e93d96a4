//! What the catalogue knows of the candidates, written into the document. Native only.
//!
//! The user's own words always win: those of the candidate over those of the `catalog`
//! section, those over the built-in catalogue. What contradicts them is left out.

use super::Config;
use super::document::{Entry, Mark, Node, Value};
use super::path::Path;
use super::problem::{At, Finding, Findings, Problem};
use super::raw::Document;
use super::raw_catalog::RawCatalogModel;
use super::shape::Shaped;
use super::words::{did_you_mean, quote, slip_of};
use crate::catalog::date::Date;
use crate::catalog::price::Prices;
use crate::catalog::{Ability, Backend, Catalog, Facts, Group, built_in, tokenizer_of};
use crate::operation::Operation;
use crate::tokens::Family;

/// A checked document with the capabilities of its candidates spelled out and without its
/// `catalog` section, which has no further use; and warnings of unknown and departed models.
///
/// Errors: a `catalog` section that contradicts itself.
pub(super) fn fill(
    root: &Node,
    config: &Config,
    today: Option<Date>,
) -> Result<(Node, Vec<Problem>), Vec<Problem>> {
    let document = Document::read(root).unwrap_or_default();
    let mut findings = Findings::new(root);
    let filler = Filler {
        config,
        own: own_facts(&document),
        catalog: built_in(),
        today,
    };
    filler.check_own(&mut findings);
    let mut filled = root.clone();
    for (name, model) in &config.models {
        let candidates = Path::default().key("models").key(name).key("candidates");
        let mut embeds = Vec::new();
        for (i, backend) in model.candidates.iter().enumerate() {
            let here = candidates.index(i);
            let facts = filler.facts(backend, &here, &mut findings);
            let known = facts.as_ref();
            if let Some(node) = filled.at_mut(&here) {
                write_tokenizer(node, &backend.model);
            }
            if known.is_some_and(|facts| facts.knows(Ability::Embeddings) == Some(true)) {
                embeds.push(backend.model.as_str());
            }
            if let (Some(facts), Some(node)) = (facts, filled.at_mut(&here)) {
                write_capabilities(node, &facts);
                write_prices(node, &facts);
            }
        }
        warn_of_mixed_vectors(&embeds, &candidates, &mut findings);
    }
    if let Value::Map(entries) = &mut filled.value {
        entries.retain(|entry| entry.key != "catalog");
    }
    match findings.has_errors() {
        true => Err(findings.into_sorted()),
        false => Ok((filled, findings.into_sorted())),
    }
}

/// The entries of the `catalog` section, by `provider/model`.
type OwnFacts<'d> = Vec<(&'d str, &'d RawCatalogModel)>;

fn own_facts(document: &Document) -> OwnFacts<'_> {
    let entries = document
        .catalog
        .get()
        .into_iter()
        .flat_map(|map| &map.entries);
    entries
        .filter_map(|(name, model)| Some((name.as_str(), model.as_ref()?)))
        .collect()
}

struct Filler<'d> {
    config: &'d Config,
    own: OwnFacts<'d>,
    catalog: &'static Catalog,
    today: Option<Date>,
}

impl Filler<'_> {
    /// What is known of a candidate; warns of what looks like a slip, or is shut down.
    fn facts(&self, backend: &Backend, path: &Path, findings: &mut Findings<'_>) -> Option<Facts> {
        let group = self.group_of(backend);
        let known = group.and_then(|(_, group)| group.model(&backend.model));
        let own = self.own_of(backend, group.map(|(name, _)| name));
        if let (None, None, Some((name, group))) = (known, own, group) {
            warn_of_slip(backend, name, group, path, findings);
        }
        let mut facts = match (known, own) {
            (None, None) => return None,
            (known, _) => known.cloned().unwrap_or_default(),
        };
        if let Some(own) = own {
            own.tell(&mut facts);
        }
        self.warn_of_shutdown(backend, &facts, path, findings);
        Some(facts)
    }

    fn group_of(&self, backend: &Backend) -> Option<(&'static str, &'static Group)> {
        let provider = self.config.provider(&backend.provider)?;
        let (kind, host) = (provider.kind.kind(), &provider.endpoint.host);
        self.catalog.group_of(kind, host, &backend.provider)
    }

    /// The user's own entry, under the provider's name in the document or in the catalogue.
    fn own_of(&self, backend: &Backend, group: Option<&str>) -> Option<&RawCatalogModel> {
        let providers = [Some(backend.provider.as_str()), group];
        providers.into_iter().flatten().find_map(|provider| {
            let is_it = |name: &str| name.split_once('/') == Some((provider, &backend.model));
            let mut entries = self.own.iter();
            entries.find(|(name, _)| is_it(name)).map(|(_, own)| *own)
        })
    }

    fn warn_of_shutdown(
        &self,
        backend: &Backend,
        facts: &Facts,
        path: &Path,
        findings: &mut Findings<'_>,
    ) {
        if let (Some(today), Some(day)) = (self.today, facts.shutdown)
            && facts.is_shut_down(today)
        {
            let found = format!("{}, shut down on {day}", quote(&backend.model));
            let finding = Finding::new(found, "a model that is still served");
            findings.warning(At::Value, &path.key("model"), finding);
        }
    }

    /// The `catalog` section in itself: providers that there are, output within the context.
    fn check_own(&self, findings: &mut Findings<'_>) {
        let groups = self.catalog.groups.keys().map(String::as_str);
        let own = self.config.providers.keys().map(String::as_str);
        let providers: Vec<&str> = own.chain(groups).collect();
        for (name, model) in &self.own {
            let path = Path::default().key("catalog").key(name);
            let provider = name.split_once('/').map_or(*name, |(provider, _)| provider);
            if !providers.contains(&provider) {
                let expected = "a provider of this file or of `pointsman models`";
                let hint = did_you_mean(provider, providers.iter().copied());
                let finding = Finding::new(quote(provider), expected);
                findings.warning(At::Key, &path, finding.hint(hint.unwrap_or_default()));
            }
            refuse_contradiction(model, &path, findings);
        }
    }
}

fn refuse_contradiction(model: &RawCatalogModel, path: &Path, findings: &mut Findings<'_>) {
    let mut said = Facts::default();
    model.tell(&mut said);
    if let (Some(window), Some(output)) = (said.context_window, said.max_output_tokens)
        && output > window
    {
        let expected = format!("at most context_window, which is {window}");
        let finding = Finding::new(output.to_string(), expected);
        findings.error(At::Value, &path.key("max_output_tokens"), finding);
    }
}

/// A failover between embedding models would mix vectors that have nothing in common.
fn warn_of_mixed_vectors(models: &[&str], path: &Path, findings: &mut Findings<'_>) {
    let [first, rest @ ..] = models else { return };
    if let Some(other) = rest.iter().find(|model| *model != first) {
        let found = format!("embeddings of {} and of {}", quote(first), quote(other));
        let finding = Finding::new(found, "one embedding model under one name");
        let hint = "vectors of different models cannot be compared with each other";
        findings.warning(At::Value, path, finding.hint(hint));
    }
}

fn warn_of_slip(
    backend: &Backend,
    name: &str,
    group: &Group,
    path: &Path,
    findings: &mut Findings<'_>,
) {
    if group.own_names {
        return;
    }
    let models = group.models.keys().map(String::as_str);
    if let Some(near) = slip_of(&backend.model, models) {
        let expected = format!("a model that {name} is known to have");
        let finding = Finding::new(quote(&backend.model), expected);
        let hint = format!("did you mean {near:?}?");
        findings.warning(At::Value, &path.key("model"), finding.hint(hint));
    }
}

/// Adds what is known, and not said, to the capabilities of a candidate.
fn write_capabilities(candidate: &mut Node, facts: &Facts) {
    let mark = candidate.mark;
    let Value::Map(entries) = &mut candidate.value else {
        return;
    };
    if !entries.iter().any(|entry| entry.key == "capabilities") {
        entries.push(entry("capabilities", Value::Map(Vec::new()), mark));
    }
    let capabilities = entries.iter_mut().find(|e| e.key == "capabilities");
    let Some(Value::Map(said)) = capabilities.map(|entry| &mut entry.node.value) else {
        return;
    };
    let mut known = known_capabilities(facts);
    known.retain(|(name, _)| value(said, name).is_none());
    leave_out_contradictions(&mut known, said);
    said.extend(
        known
            .into_iter()
            .map(|(name, value)| entry(name, value, mark)),
    );
}

/// Adds the tokenizer that a model's name tells, unless it is what is taken for granted.
fn write_tokenizer(candidate: &mut Node, model: &str) {
    let mark = candidate.mark;
    let known = tokenizer_of(model).filter(|family| *family != Family::default());
    if let (Some(family), Value::Map(entries)) = (known, &mut candidate.value)
        && value(entries, "tokenizer").is_none()
    {
        let word = Value::Text(family.as_str().to_owned());
        entries.push(entry("tokenizer", word, mark));
    }
}

/// Adds the known prices to a candidate that says none itself.
fn write_prices(candidate: &mut Node, facts: &Facts) {
    let mark = candidate.mark;
    let Value::Map(entries) = &mut candidate.value else {
        return;
    };
    let percent = facts.percent.named().map(|(name, percent)| {
        let percent = Value::Number(percent.into());
        entry(name, percent, mark)
    });
    let percent: Vec<Entry> = percent.collect();
    if !percent.is_empty() && value(entries, "price_percent").is_none() {
        entries.push(entry("price_percent", Value::Map(percent), mark));
    }
    let prices = named_prices(facts.prices.as_ref(), mark);
    if prices.is_empty() || value(entries, "prices").is_some() {
        return;
    }
    entries.push(entry("prices", Value::Map(prices), mark));
    let above = facts.above.iter().map(|above| {
        let tokens = Value::Number(above.tokens.into());
        let prices = named_prices(Some(&above.prices), mark);
        let said = vec![
            entry("tokens", tokens, mark),
            entry("prices", Value::Map(prices), mark),
        ];
        Node {
            mark,
            value: Value::Map(said),
        }
    });
    let above: Vec<Node> = above.collect();
    if !above.is_empty() && value(entries, "prices_above").is_none() {
        entries.push(entry("prices_above", Value::List(above), mark));
    }
}

fn named_prices(prices: Option<&Prices>, mark: Option<Mark>) -> Vec<Entry> {
    let known = prices.into_iter().flat_map(Prices::named);
    let each = known.filter_map(|(name, price)| {
        let number = serde_json::from_str(&price.to_string()).ok()?;
        Some(entry(name, Value::Number(number), mark))
    });
    each.collect()
}

fn entry(key: &str, value: Value, mark: Option<Mark>) -> Entry {
    let node = Node { mark, value };
    let key = key.to_owned();
    Entry { key, mark, node }
}

fn value<'e>(entries: &'e [Entry], name: &str) -> Option<&'e Value> {
    let found = entries.iter().find(|entry| entry.key == name);
    found.map(|entry| &entry.node.value)
}

/// What the document can say of a candidate, in the order of its reference.
fn known_capabilities(facts: &Facts) -> Vec<(&'static str, Value)> {
    let mut known = Vec::new();
    for ability in Ability::ALL {
        // Nothing in a candidate says whether it streams; embeddings are an operation.
        if matches!(ability, Ability::Stream | Ability::Embeddings) {
            continue;
        }
        known.extend(
            facts
                .knows(ability)
                .map(|able| (ability.as_str(), Value::Bool(able))),
        );
    }
    let operations: &[Operation] = match facts.knows(Ability::Embeddings) {
        Some(true) => &[Operation::Embeddings],
        _ if chats(facts) => &[
            Operation::Chat,
            Operation::MessageTokens,
            Operation::InputTokens,
        ],
        _ => &[],
    };
    if !operations.is_empty() {
        let words = operations.iter().map(|o| o.as_str().to_owned());
        let words = words.map(|word| Value::Text(word).into());
        known.push(("operations", Value::List(words.collect())));
    }
    let thinking = facts
        .thinking
        .map(|way| Value::Text(way.as_str().to_owned()));
    known.extend(thinking.map(|way| ("thinking", way)));
    for (name, tokens) in [
        ("context_window", facts.context_window),
        ("max_output_tokens", facts.max_output_tokens),
    ] {
        known.extend(tokens.map(|tokens| (name, Value::Number(tokens.into()))));
    }
    known
}

/// Tools are for chat: of an embedding model nobody says what it makes of them.
fn chats(facts: &Facts) -> bool {
    facts.knows(Ability::Tools).is_some()
}

/// Several tool calls need tools, and output must fit into the context.
fn leave_out_contradictions(known: &mut Vec<(&'static str, Value)>, said: &[Entry]) {
    let said_bool = |name: &str| match value(said, name) {
        Some(Value::Bool(able)) => Some(*able),
        _ => None,
    };
    let no_tools = said_bool("tools") == Some(false);
    let parallel = said_bool("parallel_tools") == Some(true);
    known.retain(|(name, value)| match (*name, value) {
        ("parallel_tools", Value::Bool(true)) => !no_tools,
        ("tools", Value::Bool(false)) => !parallel,
        _ => true,
    });
    let tokens = |name: &str| {
        let filled = known.iter().find(|(n, _)| *n == name).map(|(_, v)| v);
        match value(said, name).or(filled) {
            Some(Value::Number(n)) => n.as_u64(),
            _ => None,
        }
    };
    if let (Some(window), Some(output)) = (tokens("context_window"), tokens("max_output_tokens"))
        && output > window
    {
        known.retain(|(name, _)| !matches!(*name, "context_window" | "max_output_tokens"));
    }
}

#[cfg(test)]
mod tests;
