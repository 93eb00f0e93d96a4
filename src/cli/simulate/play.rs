//! Traffic played through a configuration: who serves each request, by the same code that decides
//! in the filter, and what that costs.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::traffic::{Draws, Repeat, Request, Traffic};
use crate::catalog::Backend;
use crate::config::{Config, Scope, Serving};
use crate::exchange::handoff::{Handoff, PLAN};
use crate::exchange::{Downstream, RequestFacts, RequestHead, Topology, Used, Verdict};
use crate::failure::Failure;
use crate::observed::Memory;

/// What became of traffic. Counts are of the requests played, not of those that they stand for.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) routes: BTreeMap<Route, Row>,
    /// Requests that nobody was asked for, and those that nobody answered, by the reason.
    pub(super) unserved: BTreeMap<String, u64>,
    /// By budget, and by whether it refused.
    pub(super) budgets: BTreeMap<(String, bool), Reached>,
    /// Attempts that came to nothing.
    pub(super) failed_attempts: u64,
    pub(super) assumed: BTreeSet<String>,
}

/// What was asked for, why it went where it went, and who served.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Route {
    pub(super) model: String,
    /// A rule, or the budget that let another model serve.
    pub(super) by: String,
    /// `provider/model`.
    pub(super) target: String,
}

/// What went one way.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) requests: u64,
    pub(super) input_tokens: u64,
    pub(super) output_tokens: u64,
    pub(super) nano_usd: u128,
    /// Answers that were thrown away, and charged.
    pub(super) thrown_away: u64,
    /// Milliseconds of the requests of which they are known.
    pub(super) ms: Vec<u64>,
}

/// How often a budget did something.
#[derive(Debug, Default)]
pub(super) struct Reached {
    pub(super) requests: u64,
    pub(super) first_ms: u64,
    /// The beginnings of windows.
    pub(super) windows: BTreeSet<u64>,
}

pub(super) fn play(config: Config, traffic: &Traffic, seed: u64) -> Outcome {
    let played = traffic.requests.len().max(1) as u64;
    let config = Rc::new(scaled(config, traffic.total, played));
    let mut run = Run {
        config: &config,
        traffic,
        books: Memory::default(),
        answers: BTreeMap::new(),
        outcome: Outcome::default(),
    };
    for (i, request) in traffic.requests.iter().enumerate() {
        run.request(request, &mut Draws::new(!seed, i));
    }
    run.outcome
}

/// Each request stands for many: budgets are as much smaller. Those of the fleet are kept here, too.
fn scaled(mut config: Config, total: u64, played: u64) -> Config {
    let part = |amount: u64| {
        u64::try_from(u128::from(amount) * u128::from(played) / u128::from(total.max(1)))
            .unwrap_or(u64::MAX)
    };
    for budget in &mut config.routing.budgets {
        budget.scope = Scope::Proxy;
        budget.limit.most = part(budget.limit.most);
        budget.downgrade = budget.downgrade.take().map(|(from, to)| (part(from), to));
    }
    config
}

struct Run<'a> {
    config: &'a Rc<Config>,
    traffic: &'a Traffic,
    books: Memory,
    /// When answers were given that are kept: by model, tenant, kind and number.
    answers: BTreeMap<(String, Vec<u8>, usize, u64), u64>,
    outcome: Outcome,
}

/// What stands for a target where nobody is asked.
const CACHE: &str = "the cache";

impl<'a> Run<'a> {
    fn request(&mut self, request: &Request, draws: &mut Draws) {
        let facts = RequestFacts {
            draw: draws.next(),
            now_s: request.at_ms / 1000,
            observed: &self.traffic.figures,
            books: Some(&self.books),
            ..RequestFacts::default()
        };
        let verdict = Downstream::start(self.config, Topology::PerAttempt, &self.head(request));
        let Verdict::Inspect(mut downstream, _) = verdict else {
            return self.unserved("a path that is none of the gateway's");
        };
        let decided = downstream.on_profile(request.profile.clone(), facts);
        let held = downstream.take_holding();
        let used = match decided {
            Err(failure) => {
                self.refused(&failure, request);
                Used::default()
            }
            Ok(mutation) => {
                let plan = mutation.state.iter().find(|edit| edit.key == PLAN);
                match plan.and_then(|edit| Handoff::decode(&edit.value)) {
                    Some(plan) if self.is_kept(&plan, request) => self.give(&plan, request),
                    Some(plan) => self.serve(&plan, request, draws),
                    None => Used::default(),
                }
            }
        };
        let books = &self.books;
        held.settle(self.config, books, used, request.at_ms, &mut |_| {});
    }

    fn head(&self, request: &Request) -> RequestHead {
        let path = request.profile.operation.path();
        RequestHead {
            method: "POST".to_owned(),
            path: format!("{}{path}", self.config.base_path),
            known: request.known.clone(),
            ..RequestHead::default()
        }
    }

    fn serving(config: &'a Config, plan: &Handoff) -> Option<Serving<'a>> {
        let model = config.model(&plan.model)?;
        let rule = plan.rule.as_deref().and_then(|name| config.rule(name));
        Some(Serving { model, rule })
    }

    /// Whether the answer to an equal request is kept; if none is, this one's will be.
    fn is_kept(&mut self, plan: &Handoff, request: &Request) -> bool {
        let (config, known) = (self.config, &request.known);
        let Some(cache) = Run::serving(config, plan).and_then(|serving| serving.cache()) else {
            return false;
        };
        let (kind, number) = match request.repeat {
            Repeat::None => return false,
            Repeat::Was(_) => return true,
            Repeat::Of { kind, number } => (kind, number),
        };
        let team = config.routing.team(&request.profile, known);
        let Some(tenant) = cache.tenant(known, team.unwrap_or_default()) else {
            return false;
        };
        let key = (plan.model.clone(), tenant, kind, number);
        let until = |at: &u64| at.saturating_add(cache.ttl_ms);
        let is_kept = self
            .answers
            .get(&key)
            .is_some_and(|at| request.at_ms < until(at));
        if !is_kept {
            self.answers.insert(key, request.at_ms);
        }
        is_kept
    }

    /// Gives the answer that is kept: nobody is paid.
    fn give(&mut self, plan: &Handoff, request: &Request) -> Used {
        let by = self.reason(plan, request);
        let route = Route {
            model: request.profile.model.clone(),
            by,
            target: CACHE.to_owned(),
        };
        let row = self.outcome.routes.entry(route).or_default();
        row.requests += 1;
        row.ms.push(0);
        let assumed = "answers from the cache take 0 ms, and fit into its bytes";
        self.outcome.assumed.insert(assumed.to_owned());
        Used::default()
    }

    fn serve(&mut self, plan: &Handoff, request: &Request, draws: &mut Draws) -> Used {
        let config = Rc::clone(self.config);
        let serving = Run::serving(&config, plan);
        let by = self.reason(plan, request);
        let (mut spent, mut elapsed, mut thrown_away) = (0_u64, Some(0_u64), 0);
        for (i, step) in plan.steps.iter().enumerate() {
            let found = serving.and_then(|s| s.candidate(&step.provider, &step.model));
            let Some(backend) = found else { continue };
            let target = format!("{}/{}", step.provider, step.model);
            let figure = self.traffic.figures.of(&step.provider, &step.model);
            let (fails, is_poor) = (draws.share(), draws.share());
            let took = self.took(&target, backend, request, draws);
            elapsed = elapsed.zip(took).map(|(elapsed, took)| elapsed + took);
            let in_fact = request.tried.iter().find(|tried| tried.target == target);
            let drawn = || figure.error_rate.is_some_and(|rate| fails < rate);
            let is_paid = in_fact.is_some_and(|tried| tried.thrown_away);
            if !is_paid && in_fact.map_or_else(drawn, |tried| !tried.answered) {
                self.outcome.failed_attempts += 1;
                continue;
            }
            spent = spent.saturating_add(self.cost(backend, &target, request));
            let is_last = i + 1 == plan.steps.len();
            let gate = serving.and_then(|serving| serving.quality_gate());
            let drawn = || gate.is_some() && figure.poor.is_some_and(|poor| is_poor < poor);
            if !is_last && in_fact.map_or_else(drawn, |tried| tried.thrown_away) {
                thrown_away += 1;
                continue;
            }
            let route = Route {
                model: request.profile.model.clone(),
                by,
                target,
            };
            let row = self.outcome.routes.entry(route).or_default();
            row.requests += 1;
            row.input_tokens += request.usage.input_tokens;
            row.output_tokens += request.usage.output_tokens;
            row.nano_usd += u128::from(spent);
            row.thrown_away += thrown_away;
            row.ms.extend(elapsed);
            return Used {
                tokens: request.usage.total_tokens(),
                nano_usd: spent,
                requests: 1,
            };
        }
        self.unserved("no candidate answered");
        Used::default()
    }

    /// Nano-USD of an answer.
    fn cost(&mut self, backend: &Backend, target: &str, request: &Request) -> u64 {
        if let Repeat::Was(nano) = request.repeat {
            return nano;
        }
        let tariff = backend.prices.as_deref();
        let cost = tariff.and_then(|tariff| tariff.nano_usd(&request.usage));
        if cost.is_none() {
            let unknown = format!("prices of {target} are not known: its answers cost nothing");
            self.outcome.assumed.insert(unknown);
        }
        cost.unwrap_or(0)
    }

    /// Milliseconds to the end of the answer: in fact, or drawn.
    fn took(
        &mut self,
        target: &str,
        backend: &Backend,
        request: &Request,
        draws: &mut Draws,
    ) -> Option<u64> {
        let share = draws.share();
        if let Some(tried) = request.tried.iter().find(|tried| tried.target == target) {
            return Some(tried.ms);
        }
        let figure = self.traffic.figures.of(&backend.provider, &backend.model);
        let drawn = figure
            .total_ms
            .map(|spread| spread.at(share).round() as u64);
        if drawn.is_none() {
            let unknown = format!("times of {target} are not known: left out of all latencies");
            self.outcome.assumed.insert(unknown);
        }
        drawn
    }

    /// The rule that decided; a budget that is nearly used up comes before it.
    fn reason(&mut self, plan: &Handoff, request: &Request) -> String {
        let entry = plan
            .avoided
            .split(", ")
            .find(|e| e.contains(";class=budget_downgrade"));
        let budget = entry.and_then(|entry| entry.split(';').next()?.rsplit('/').next());
        match budget {
            Some(budget) => {
                self.reached(budget, false, request.at_ms);
                format!("budget {budget}")
            }
            None => plan.rule.clone().unwrap_or_default(),
        }
    }

    fn refused(&mut self, failure: &Failure, request: &Request) {
        let code = failure.code.as_deref();
        let code = code.unwrap_or_else(|| match failure.status {
            404 => "model_not_found",
            _ => failure.class.as_str(),
        });
        if code == "budget_exceeded" {
            let named = failure.message.strip_prefix("budget ");
            let named = named.and_then(|rest| rest.split_once(" is used up"));
            let name = named.map_or("?", |(name, _)| name).to_owned();
            self.reached(&name, true, request.at_ms);
            return self.unserved(&format!("budget {name} is used up"));
        }
        self.unserved(code);
    }

    fn reached(&mut self, budget: &str, refuses: bool, at_ms: u64) {
        let mut budgets = self.config.routing.budgets.iter();
        let window = budgets.find(|known| known.name == budget);
        let start = window.map_or(0, |known| known.limit.window.start(at_ms));
        let key = (budget.to_owned(), refuses);
        let reached = self.outcome.budgets.entry(key).or_insert_with(|| Reached {
            first_ms: at_ms,
            ..Reached::default()
        });
        reached.requests += 1;
        reached.windows.insert(start);
    }

    fn unserved(&mut self, reason: &str) {
        *self.outcome.unserved.entry(reason.to_owned()).or_default() += 1;
    }
}
