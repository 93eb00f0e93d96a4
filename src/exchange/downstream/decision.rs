//! Who may serve a request, and in which order.

use std::rc::Rc;

use super::asking::Subject;
use super::patience::adapted;
use super::refusal::{no_candidate, not_admitted, unknown_model};
use super::{Downstream, RequestFacts};
use crate::catalog::{Backend, Labels};
use crate::classify::Sample;
use crate::config::{OnUnsupported, Serving, Timeouts};
use crate::exchange::caching::{Bypass, Source};
use crate::exchange::explanation::{self, Decision, Told};
use crate::exchange::handoff;
use crate::exchange::holding::Purse;
use crate::exchange::mutation::Mutation;
use crate::exchange::sieve::{Loss, leave_out_unfit};
use crate::exchange::{Topology, load, trail, wishes};
use crate::failure::Failure;
use crate::inspect::RequestProfile;
use crate::operation::Operation;
use crate::routing::{self, Constraints, RoutePlan, View};

/// Why a candidate's translation would not do; strict when nothing may be lost.
pub(super) type LossOf<'a> = dyn Fn(&Backend, bool) -> Option<Loss> + 'a;

/// A model's candidates, sorted out for one request.
pub(super) struct Choice<'a> {
    pub(super) plan: RoutePlan<'a>,
    /// So many at the plan's end are to be left alone for a while: they are asked only when all
    /// others have failed.
    pub(super) resting: usize,
    /// The first one was to be left alone until lately: this request shows whether it is well.
    pub(super) probes: bool,
    /// Left out because of what they could not carry.
    lost: Vec<(&'a Backend, Loss)>,
    /// Left alone for a while, and left out.
    pub(super) avoided: Vec<&'a Backend>,
}

impl<'a> Choice<'a> {
    pub(super) fn of(
        serving: Serving<'a>,
        required: &[&Labels],
        view: &View<'_>,
        topology: Topology,
        loss: &LossOf<'_>,
    ) -> Choice<'a> {
        let strict = serving.on_unsupported() == OnUnsupported::Reject;
        let candidates = serving.candidates();
        let all = candidates.len();
        let mut plan = routing::plan(candidates, required, serving.policy(), view);
        // What an attempt found out too late could not hand over to the next candidate.
        let lost = leave_out_unfit(&|candidate| loss(candidate, strict), &mut plan);
        let (resting, probes) = routing::put_last(&mut plan.candidates, view.observed);
        let mut choice = Choice {
            resting,
            probes,
            plan,
            lost,
            avoided: Vec::new(),
        };
        if !topology.can_move_last(all, serving.policy().keeps_order()) {
            let others = choice.regular().len();
            choice.avoided = choice.plan.candidates.split_off(others);
            choice.resting = 0;
        }
        choice
    }

    /// Those that are not to be left alone.
    pub(super) fn regular(&self) -> &[&'a Backend] {
        let candidates = &self.plan.candidates;
        let others = candidates.len().saturating_sub(self.resting);
        candidates.get(..others).unwrap_or_default()
    }

    /// Those that are.
    pub(super) fn resting(&self) -> &[&'a Backend] {
        let candidates = &self.plan.candidates;
        candidates.get(self.regular().len()..).unwrap_or_default()
    }

    /// The trail's entries of those that are left alone for now.
    pub(super) fn told_resting(&self, view: &View<'_>) -> String {
        let (last, left_out) = (self.resting().iter(), self.avoided.iter());
        let is_full = |c: &Backend| routing::is_full(c, view.observed);
        trail::of_avoided(last.chain(left_out).copied(), &is_full)
    }
}

/// What was decided for one request.
pub(super) struct Decided<'a> {
    pub(super) serving: Serving<'a>,
    /// Labels that it requires.
    pub(super) required: &'a [&'a Labels],
    pub(super) view: View<'a>,
    /// The same, as large as the request may be.
    pub(super) sized: View<'a>,
    /// Where budgets are kept.
    pub(super) purse: Option<Purse<'a, 'a>>,
    pub(super) choice: Choice<'a>,
    pub(super) timeouts: Timeouts,
    pub(super) facts: RequestFacts<'a>,
}

impl Downstream {
    /// Whether whoever asks may: by the model that was asked for, whichever serves it.
    pub(super) fn admit(
        &mut self,
        profile: &RequestProfile,
        facts: RequestFacts<'_>,
    ) -> Result<(), Failure> {
        let (routing, known) = (&self.config.routing, &mut self.asked.known);
        known.set_time(facts.now_s, routing.utc_offset_minutes);
        match routing.admits(profile, known) {
            true => Ok(()),
            false => Err(not_admitted(known)),
        }
    }

    /// Chooses by the rules, and hands the plan over to the attempts.
    pub(super) fn decide(
        &mut self,
        profile: &RequestProfile,
        loss: &LossOf<'_>,
        sample: &dyn Fn() -> Option<Sample>,
        source: Source<'_>,
        facts: RequestFacts<'_>,
    ) -> Result<Mutation, Failure> {
        let config = Rc::clone(&self.config);
        let routing = &config.routing;
        let mut known = std::mem::take(&mut self.asked.known);
        let unknown = || unknown_model(&config, &profile.model, &known);
        let model = config.models.get(&profile.model).ok_or_else(unknown)?;
        self.model.clone_from(&model.name);
        let of_client = wishes::required_labels(routing, &known)?;
        let kept = std::mem::take(&mut self.asked.kept);
        let mut required = vec![&model.require, &of_client];
        required.extend(&kept);
        required.extend(routing.required(profile, &known));
        let subject = Subject {
            profile,
            sample,
            required: &required,
            facts,
        };
        let rule = match self.choose(&subject, &mut known) {
            Ok(rule) => rule.and_then(|name| config.rule(&name)),
            Err(question) => {
                self.asked.known = known;
                return Ok(Mutation::ask(question));
            }
        };
        self.asked.counted.rule = rule.map(|rule| rule.name.clone()).unwrap_or_default();
        let serving = Serving { model, rule };
        required.extend(rule.map(|rule| &rule.require));
        let of_rule = rule.map_or_else(Constraints::default, |rule| rule.constraints);
        let view = View {
            constraints: of_rule.tightened(wishes::constraints(routing, &known)?),
            ..facts.view(profile, &known)
        };
        let team = routing.team(profile, &known);
        self.asked.counted.team = team.unwrap_or_default().to_owned();
        let sized = self.asked.sized.take();
        let sized = View {
            profile: sized.as_ref().unwrap_or(profile),
            ..view
        };
        let purse = facts.books.filter(|_| !routing.budgets.is_empty());
        let purse = purse.map(|store| Purse {
            config: &config,
            store,
            view: sized,
            team,
            spent: std::mem::take(&mut self.asked.spent).into(),
        });
        if let Some(purse) = purse {
            purse.book();
        }
        let choice = Choice::of(serving, &required, &view, self.topology, loss);
        let decided = Decided {
            timeouts: adapted(serving.timeouts(), choice.regular(), &view),
            serving,
            required: &required,
            view,
            sized,
            purse,
            choice,
            facts,
        };
        self.serve(&decided, source)
    }

    /// Lets the decided ones serve: gives the answer that is kept, or hands the plan over.
    fn serve(&mut self, decided: &Decided<'_>, source: Source<'_>) -> Result<Mutation, Failure> {
        let Decided { serving, view, .. } = *decided;
        let (choice, profile) = (&decided.choice, view.profile);
        let key = self.cache_key(serving, profile, source, view.facts);
        if self.asked.explain || explanation::is_wanted(&self.config, &view) {
            self.asked.explanation = Some(self.explain(decided, key.as_ref()));
        }
        if choice.plan.candidates.is_empty() {
            let (plan, lost) = (&choice.plan, &choice.lost);
            return Err(no_candidate(serving.model, profile.operation, plan, lost));
        }
        let kept = self.kept_answer(key, serving, profile, choice, decided.facts)?;
        let mut mutation = match kept {
            Some(kept) => kept,
            None => self.hand_over(decided, source.findings)?,
        };
        self.tell(decided, &mut mutation);
        Ok(mutation)
    }

    /// Why the request goes where it goes.
    fn explain(&self, decided: &Decided<'_>, key: Option<&Result<Vec<u8>, Bypass>>) -> String {
        let (asked, choice) = (&self.asked, &decided.choice);
        let serving = decided.serving;
        let asked_for = asked.counted.downgraded.as_ref();
        let asked_for = asked_for.map_or(&serving.model.name, |(asked_for, _)| asked_for);
        let told = Told {
            classes: &asked.classified,
            downgraded: &asked.downgraded,
            load: load::tell(&self.config, decided.facts.observed, asked_for),
            cache: key.map(|key| key.as_ref().err().copied()),
            budgets: decided
                .purse
                .map(|purse| purse.tell(&choice.plan.candidates)),
        };
        let decision = Decision {
            serving,
            view: decided.view,
            timeouts: decided.timeouts,
            policy: serving.policy(),
            required: decided.required,
            told,
            chosen: &choice.plan.candidates,
            resting: choice.resting,
            left_out: explanation::left_out(&choice.plan, &choice.lost, &choice.avoided),
        };
        decision.explain()
    }

    /// What was decided, for the access log.
    fn tell(&mut self, decided: &Decided<'_>, mutation: &mut Mutation) {
        let Decided { serving, view, .. } = *decided;
        let (profile, known) = (view.profile, view.facts);
        mutation.warning = self.asked.warning.take();
        mutation.store(handoff::OPERATION, operation_name(profile.operation));
        mutation.store(handoff::REQUEST_MODEL, serving.model.name.as_bytes());
        let counted = &mut self.asked.counted;
        if !counted.cache.is_empty() {
            mutation.store(handoff::CACHE, counted.cache);
        }
        if let Some(rule) = serving.rule {
            mutation.store(handoff::RULE, rule.name.as_bytes());
        }
        if !counted.team.is_empty() {
            mutation.store(handoff::TEAM, counted.team.as_bytes());
        }
        if serving.policy().assigns() {
            let variant = variant(&decided.choice.plan.candidates);
            mutation.store(handoff::VARIANT, variant.as_bytes());
            counted.variant = variant;
        }
        if let Some(explanation) = &self.asked.explanation {
            mutation.store(handoff::EXPLANATION, explanation.as_bytes());
        }
        if let Some(intent) = &known.intent {
            mutation.store(handoff::INTENT, intent.as_bytes());
        }
        if let Some(complexity) = profile.complexity {
            mutation.store(handoff::COMPLEXITY, complexity.to_string());
        }
        if !self.asked.classified.is_empty() {
            mutation.store(handoff::CLASSES, self.asked.classified.join(", "));
        }
    }
}

/// As OpenTelemetry's GenAI conventions name operations; those that they do not know keep ours.
///
/// Source: OpenTelemetry, "Semantic conventions for generative AI", `gen_ai.operation.name`, read
/// 2026-11-21.
fn operation_name(operation: Operation) -> &'static str {
    match operation {
        Operation::Completions => "text_completion",
        other => other.as_str(),
    }
}

/// The name of whoever is asked first.
fn variant(candidates: &[&Backend]) -> String {
    match candidates.first() {
        Some(first) if first.variant.is_empty() => format!("{}/{}", first.provider, first.model),
        Some(first) => first.variant.clone(),
        None => String::new(),
    }
}
