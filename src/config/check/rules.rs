//! Rules, requirements, and what clients may say.

use std::collections::BTreeMap;

use super::candidate::{check_labels, thousandths};
use super::intent;
use super::model::{check_timeouts, what_happens};
use super::{budgets, cache};
use crate::catalog::Backend;
use crate::config::names::{
    self, CandidateName, Clock, ConditionText, ExpressionText, FieldName, LabelValue, NeedWord,
    ScriptWord, UtcOffset, WeekdayWord, weekday_words,
};
use crate::config::path::Path;
use crate::config::policy::RawPolicies;
use crate::config::problem::{At, Finding, Findings};
use crate::config::raw::MAX_CANDIDATES;
use crate::config::raw_budgets::{RawBudget, RawTeam};
use crate::config::raw_rules::{
    RawClientConstraints, RawComplexity, RawConstraints, RawExplain, RawHours, RawIntent,
    RawRequirement, RawRouting, RawRule, RawTokens, RawWhen,
};
use crate::config::shape::Given;
use crate::config::values::{List, Map, OneOrMore};
use crate::config::words::{did_you_mean, quote};
use crate::config::{
    ClientConstraints, ExplainWhen, ModelConfig, Requirement, Routing, Rule, Timeouts,
};
use crate::routing::Script;
use crate::routing::constraint::LIMITS;
use crate::routing::expression::{Expression, Mistake};
use crate::routing::rules::{Match, NEEDS, Pattern, Range};

/// The raw parts of the document that make up [`Routing`].
pub(super) struct RawParts<'d> {
    pub(super) rules: &'d Given<List<RawRule, 1, 1_000>>,
    pub(super) intents: &'d Given<List<RawIntent, 1, 256>>,
    pub(super) requirements: &'d Given<List<RawRequirement, 1, 1_000>>,
    pub(super) admit: &'d Given<List<RawWhen, 1, 1_000>>,
    pub(super) budgets: &'d Given<List<RawBudget, 1, 100>>,
    pub(super) teams: &'d Given<List<RawTeam, 1, 1_000>>,
    pub(super) routing: Option<&'d RawRouting>,
    pub(super) explain: Option<&'d RawExplain>,
}

pub(super) fn check_routing(
    raw: &RawParts<'_>,
    models: &BTreeMap<String, ModelConfig>,
    timeouts: Timeouts,
    findings: &mut Findings<'_>,
) -> Routing {
    let mut routing = Routing {
        rules: check_rules(raw.rules, models, timeouts, findings),
        requirements: check_requirements(raw.requirements, findings),
        intents: intent::check(raw.intents, findings),
        admit: items(raw.admit)
            .map(|(i, when)| check_when(when, &Path::default().key("admit").index(i), findings))
            .collect(),
        budgets: budgets::check(raw.budgets, models, findings),
        teams: budgets::check_teams(raw.teams, findings),
        explain: check_explain(raw.explain),
        ..check_clients(raw.routing)
    };
    note_reads(&mut routing, models);
    intent::refuse_unknown(&routing, findings);
    routing
}

fn check_rules(
    raw: &Given<List<RawRule, 1, 1_000>>,
    models: &BTreeMap<String, ModelConfig>,
    timeouts: Timeouts,
    findings: &mut Findings<'_>,
) -> Vec<Rule> {
    let top = Path::default().key("rules");
    let mut rules: Vec<Rule> = Vec::new();
    for (i, raw) in raw
        .get()
        .into_iter()
        .flat_map(|list| list.0.iter().enumerate())
    {
        let Some(raw) = raw else { continue };
        let path = top.index(i);
        let rule = check_rule(i, raw, models, timeouts, &path, findings);
        if rules.iter().any(|earlier| earlier.name == rule.name) {
            let finding = Finding::new(format!("{} again", quote(&rule.name)), "each name once");
            findings.error(At::Value, &path.key("name"), finding);
        }
        rules.push(rule);
    }
    rules
}

fn check_rule(
    index: usize,
    raw: &RawRule,
    models: &BTreeMap<String, ModelConfig>,
    unsaid: Timeouts,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Rule {
    let RawRule {
        name,
        when,
        unless,
        policy,
        candidates,
        require,
        constraints,
        on_unsupported,
        fallback_on_refusal,
        timeouts,
        cache,
    } = raw;
    let at = path.key("timeouts");
    let timeouts = timeouts
        .get()
        .map(|raw| check_timeouts(Some(raw), unsaid, &at, findings));
    Rule {
        name: match name.get() {
            Some(LabelValue(name)) => name.clone(),
            None => format!("rule-{}", index + 1),
        },
        when: check_side(when, path.key("when"), findings).unwrap_or_default(),
        unless: check_side(unless, path.key("unless"), findings),
        policy: policy.get().map(|RawPolicies(policies)| policies.clone()),
        candidates: resolve(candidates, models, &path.key("candidates"), findings),
        require: check_labels(require),
        constraints: constraints
            .get()
            .map_or_else(Default::default, |RawConstraints(c)| *c),
        on_unsupported: on_unsupported.get().map(what_happens),
        fallback_on_refusal: fallback_on_refusal.get().copied(),
        timeouts,
        cache: cache::check(cache, &path.key("cache"), findings),
    }
}

/// The candidates that the names stand for; each of them stands under some model.
fn resolve(
    raw: &Given<List<CandidateName, 1, MAX_CANDIDATES>>,
    models: &BTreeMap<String, ModelConfig>,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Vec<Backend> {
    let mut resolved: Vec<Backend> = Vec::new();
    let items = raw.get().map(|list| list.0.as_slice()).unwrap_or_default();
    for (i, item) in items.iter().enumerate() {
        let Some(CandidateName(name)) = item else {
            continue;
        };
        let is_it = |c: &&Backend| name.split_once('/') == Some((&*c.provider, &*c.model));
        let mut declared = models.values().flat_map(|model| &model.candidates);
        match declared.find(is_it) {
            Some(found) if resolved.iter().any(|c| is_it(&c)) => {
                let name = format!("{}/{} again", found.provider, found.model);
                let finding = Finding::new(name, "each candidate once");
                findings.error(At::Value, &path.index(i), finding);
            }
            Some(found) => resolved.push(found.clone()),
            None => {
                let all: Vec<String> = models
                    .values()
                    .flat_map(|model| &model.candidates)
                    .map(|c| format!("{}/{}", c.provider, c.model))
                    .collect();
                let near = did_you_mean(name, all.iter().map(String::as_str));
                let hint = "what it can do and costs is said under a model";
                let finding = Finding::new(quote(name), "provider/model of a model's candidate")
                    .hint(near.unwrap_or_else(|| hint.to_owned()));
                findings.error(At::Value, &path.index(i), finding);
            }
        }
    }
    resolved
}

fn check_requirements(
    raw: &Given<List<RawRequirement, 1, 1_000>>,
    findings: &mut Findings<'_>,
) -> Vec<Requirement> {
    let top = Path::default().key("requirements");
    let checked = items(raw).map(|(i, raw)| {
        let path = top.index(i);
        let RawRequirement {
            when,
            unless,
            require,
        } = raw;
        Requirement {
            when: check_side(when, path.key("when"), findings).unwrap_or_default(),
            unless: check_side(unless, path.key("unless"), findings),
            require: check_labels(require),
        }
    });
    checked.collect()
}

/// What could be read of a list, with its place there.
fn items<T>(raw: &Given<List<T, 1, 1_000>>) -> impl Iterator<Item = (usize, &T)> {
    let items = raw.get().into_iter().flat_map(|list| &list.0).enumerate();
    items.filter_map(|(i, item)| Some((i, item.as_ref()?)))
}

fn check_side(raw: &Given<RawWhen>, path: Path, findings: &mut Findings<'_>) -> Option<Match> {
    Some(check_when(raw.get()?, &path, findings))
}

fn check_expression(
    raw: &Given<ExpressionText>,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Option<Expression> {
    let ExpressionText(text) = raw.get()?;
    match Expression::parse(text) {
        Ok(expression) => Some(expression),
        Err(Mistake {
            at,
            found,
            expected,
        }) => {
            let found = match found.is_empty() {
                true => "the end".to_owned(),
                false => quote(&found),
            };
            let finding = Finding::new(format!("{found} at character {at}"), expected);
            findings.error(At::Value, &path.key("expression"), finding);
            None
        }
    }
}

pub(super) fn check_when(raw: &RawWhen, at: &Path, findings: &mut Findings<'_>) -> Match {
    let RawWhen {
        model,
        headers,
        identity,
        claims,
        path,
        prompt_tokens,
        complexity,
        needs,
        stream,
        metadata,
        script,
        intent,
        expression,
        class,
        weekdays,
        hours,
    } = raw;
    let mut headers = named(headers);
    headers
        .iter_mut()
        .for_each(|(name, _)| name.make_ascii_lowercase());
    Match {
        models: patterns(model.get()),
        headers,
        identities: patterns(identity.get()),
        claims: named(claims),
        paths: patterns(path.get()),
        prompt_tokens: prompt_tokens.get().map_or_else(Range::default, tokens),
        complexity: complexity
            .get()
            .map_or_else(Range::default, thousandth_range),
        needs: words(needs.get(), |NeedWord(word)| {
            NEEDS
                .iter()
                .map(|(name, _)| *name)
                .find(|name| name == word)
        }),
        streamed: stream.get().copied(),
        metadata: named(metadata),
        intents: words(intent.get(), |LabelValue(name)| Some(name.clone())),
        expression: check_expression(expression, at, findings),
        classes: classes(class),
        scripts: words(script.get(), |ScriptWord(word)| Script::find(word)),
        weekdays: words(weekdays.get(), |WeekdayWord(word)| {
            (0..)
                .zip(weekday_words())
                .find(|(_, w)| w == word)
                .map(|(day, _)| day)
        }),
        hours: hours.get().and_then(minutes),
    }
}

fn words<W, T>(raw: Option<&OneOrMore<W>>, read: fn(&W) -> Option<T>) -> Vec<T> {
    let words = raw.into_iter().flat_map(|list| &list.0);
    words.filter_map(read).collect()
}

fn patterns(raw: Option<&OneOrMore<ConditionText>>) -> Vec<Pattern> {
    words(raw, |ConditionText(text)| Some(Pattern(text.clone())))
}

fn named<K>(raw: &Given<Map<K, OneOrMore<ConditionText>, 1>>) -> Vec<(String, Vec<Pattern>)> {
    let entries = raw.get().into_iter().flat_map(|map| &map.entries);
    entries
        .map(|(name, values)| (name.clone(), patterns(values.as_ref())))
        .collect()
}

fn classes(raw: &Given<Map<FieldName, OneOrMore<LabelValue>, 1>>) -> Vec<(String, Vec<String>)> {
    let entries = raw.get().into_iter().flat_map(|map| &map.entries);
    let named = entries.map(|(name, classes)| {
        let classes = words(classes.as_ref(), |LabelValue(class)| Some(class.clone()));
        (name.clone(), classes)
    });
    named.collect()
}

fn tokens(raw: &RawTokens) -> Range {
    let RawTokens { over, up_to } = raw;
    Range {
        over: over.get().map(|n| n.0),
        up_to: up_to.get().map(|n| n.0),
    }
}

fn thousandth_range(raw: &RawComplexity) -> Range {
    let RawComplexity { over, up_to } = raw;
    Range {
        over: over.get().map(|n| u64::from(thousandths(n.0))),
        up_to: up_to.get().map(|n| u64::from(thousandths(n.0))),
    }
}

fn minutes(raw: &RawHours) -> Option<(u16, u16)> {
    let RawHours { from, to } = raw;
    let minutes = |given: &Given<Clock>| names::minutes(&given.get()?.0);
    minutes(from).zip(minutes(to))
}

fn check_clients(raw: Option<&RawRouting>) -> Routing {
    let unsaid = RawRouting::default();
    let RawRouting {
        utc_offset,
        jwt_payload,
        identity_header,
        client_labels,
        client_constraints,
    } = raw.unwrap_or(&unsaid);
    let offset = |UtcOffset(text): &UtcOffset| names::offset_minutes(text);
    Routing {
        utc_offset_minutes: utc_offset.get().and_then(offset).unwrap_or(0),
        jwt_payload: jwt_payload
            .get()
            .map_or("jwt_payload", |name| &name.0)
            .to_owned(),
        identity_header: identity_header
            .get()
            .map(|name| name.0.to_ascii_lowercase()),
        client_labels: client_labels.get().map(|name| name.0.to_ascii_lowercase()),
        client_constraints: client_constraints.get().map(check_client_constraints),
        ..Routing::default()
    }
}

fn check_client_constraints(raw: &RawClientConstraints) -> ClientConstraints {
    let RawClientConstraints {
        header,
        metadata,
        allow,
    } = raw;
    let all = || LIMITS.iter().map(|limit| limit.name.to_owned()).collect();
    ClientConstraints {
        header: header.get().map(|name| name.0.to_ascii_lowercase()),
        metadata: metadata.get().map(|name| name.0.clone()),
        allow: match allow.get() {
            Some(allow) => allow.0.iter().map(|word| word.0.clone()).collect(),
            None => all(),
        },
    }
}

fn check_explain(raw: Option<&RawExplain>) -> ExplainWhen {
    let unsaid = RawExplain::default();
    let RawExplain { header, sample } = raw.unwrap_or(&unsaid);
    ExplainWhen {
        header: header.get().map(|name| name.0.to_ascii_lowercase()),
        per_million: sample
            .get()
            .map_or(0, |share| (share.0 * 1e6).round() as u64),
    }
}

/// All that rules, policies and what clients may say need to know of a request.
fn note_reads(routing: &mut Routing, models: &BTreeMap<String, ModelConfig>) {
    let mut reads = std::mem::take(&mut routing.reads);
    for model in models.values() {
        model.policy.reads(&mut reads);
    }
    for rule in &routing.rules {
        rule.when.reads(&mut reads);
        rule.unless
            .iter()
            .for_each(|unless| unless.reads(&mut reads));
        rule.policy
            .iter()
            .for_each(|policy| policy.reads(&mut reads));
    }
    for each in &routing.requirements {
        each.when.reads(&mut reads);
        each.unless
            .iter()
            .for_each(|unless| unless.reads(&mut reads));
    }
    routing.admit.iter().for_each(|each| each.reads(&mut reads));
    for budget in &routing.budgets {
        budget.when.reads(&mut reads);
        budget.by.reads(&mut reads);
    }
    let teams = routing.teams.iter();
    teams.for_each(|team| team.when.reads(&mut reads));
    let caches = models.values().map(|model| &model.cache);
    let caches = caches.chain(routing.rules.iter().map(|rule| &rule.cache));
    let all_by = caches.flatten().filter_map(|cache| cache.by.as_ref());
    all_by.for_each(|by| by.reads(&mut reads));
    let clients = routing.client_constraints.as_ref();
    let identity = routing.identity_header.as_ref();
    let headers = [
        identity.filter(|_| reads.identity),
        routing.client_labels.as_ref(),
        clients.and_then(|clients| clients.header.as_ref()),
        routing.explain.header.as_ref(),
    ];
    headers
        .into_iter()
        .flatten()
        .for_each(|name| reads.header(name));
    reads.metadata |= clients.is_some_and(|clients| clients.metadata.is_some());
    routing.reads = reads;
}

#[cfg(feature = "cli")]
pub(super) mod reach;
