//! Classes that rules read: which classifier is asked what, and what its answer changes.

use std::rc::Rc;

use super::decision::Choice;
use super::plan::{address, last_resort, steps};
use super::{Downstream, RequestFacts};
use crate::callout::{self, Answer, Outcome, Question};
use crate::catalog::Labels;
use crate::classify::Sample;
use crate::config::{Classifier, Config, ModelSource, Serving, Source, Webhook, webhook_cluster};
use crate::exchange::handoff::{Handoff, INNER, QUESTION};
use crate::exchange::mutation::{ImmediateResponse, Mutation};
use crate::exchange::{Topology, keep_warm};
use crate::failure::{Class, Failure};
use crate::inspect::{RequestProfile, inspect};
use crate::routing::Facts;

/// A request of which a class shall be told.
pub(super) struct Subject<'a> {
    pub(super) profile: &'a RequestProfile,
    /// What its last user message is like; `None` for requests that have none.
    pub(super) sample: &'a dyn Fn() -> Option<Sample>,
    /// Labels that it requires whatever rule fits.
    pub(super) required: &'a [&'a Labels],
    pub(super) facts: RequestFacts<'a>,
}

impl Downstream {
    /// The name of the first rule that fits; the question without which it cannot be told.
    pub(super) fn choose(
        &mut self,
        subject: &Subject<'_>,
        known: &mut Facts,
    ) -> Result<Option<String>, Box<Question>> {
        let config = Rc::clone(&self.config);
        loop {
            let name = match config.routing.choose(subject.profile, known) {
                Ok(rule) => return Ok(rule.map(|rule| rule.name.clone())),
                Err(classifier) => classifier,
            };
            let answer = match config.classifiers.get(name) {
                Some(classifier) => self.ask(classifier, subject, known)?,
                None => Answer::without(name, Outcome::Unasked),
            };
            let told = self.told(&answer, 0);
            known.classes.push(told);
        }
    }

    /// An answer is there, after so many milliseconds: the body can be looked at again.
    pub fn on_answer(&mut self, answer: &Answer, ms: u64) {
        let told = self.told(answer, ms);
        let spent = &mut self.asked.spent;
        spent.tokens = spent.tokens.saturating_add(answer.spent.tokens);
        spent.nano_usd = spent.nano_usd.saturating_add(answer.spent.nano_usd);
        self.asked.known.classes.push(told);
    }

    /// The class that counts: the one that was told, or the default one.
    fn told(&mut self, answer: &Answer, ms: u64) -> (String, Option<String>) {
        let name = &answer.classifier;
        let classifier = self.config.classifiers.get(name);
        let default = classifier.and_then(|classifier| classifier.default.clone());
        let class = answer.class.clone().or(default);
        let shown = class.as_deref().unwrap_or("-");
        let outcome = answer.outcome.as_str();
        let entry = format!("{name};outcome={outcome};class={shown};ms={ms}");
        self.asked.classified.push(entry);
        (name.clone(), class)
    }

    /// What is known without asking, or the question.
    fn ask(
        &self,
        classifier: &Classifier,
        subject: &Subject<'_>,
        known: &Facts,
    ) -> Result<Answer, Box<Question>> {
        let without = |outcome| Ok(Answer::without(&classifier.name, outcome));
        let Some(sample) = (subject.sample)() else {
            return without(Outcome::Unasked);
        };
        // Whatever rule fits in the end, its labels hold for the question as well.
        let possible = self.config.routing.possible(subject.profile, known);
        let mut required = subject.required.to_vec();
        required.extend(possible.iter().map(|rule| &rule.require));
        let asked = callout::Asked {
            profile: subject.profile,
            sample: &sample,
        };
        let question = match &classifier.source {
            Source::Webhook(webhook) => of_webhook(classifier, webhook, &required, &asked),
            Source::Model(source) => {
                let team = self.config.routing.team(subject.profile, known);
                self.of_model(classifier, source, &required, &asked, team, subject.facts)
            }
        };
        let question = match question {
            Ok(question) => question,
            Err(outcome) => return without(outcome),
        };
        let cache = subject.facts.cache;
        if let Some(class) = cache.find(question.key) {
            return Ok(Answer {
                class: Some(class),
                ..Answer::without(&classifier.name, Outcome::Cached)
            });
        }
        match cache.rests(&classifier.name) {
            true => without(Outcome::Resting),
            false => Err(Box::new(question)),
        }
    }

    /// The model is asked like any other client's model, through the inner listener.
    fn of_model(
        &self,
        classifier: &Classifier,
        source: &ModelSource,
        required: &[&Labels],
        asked: &callout::Asked<'_>,
        team: Option<&str>,
        facts: RequestFacts<'_>,
    ) -> Result<Question, Outcome> {
        let body = callout::model_question(classifier, source, asked).ok_or(Outcome::Unasked)?;
        let (_, profile) = inspect(&body).map_err(|_| Outcome::Failed)?;
        let model = self
            .config
            .models
            .get(&source.model)
            .ok_or(Outcome::Failed)?;
        let serving = Serving { model, rule: None };
        let mut required = required.to_vec();
        required.push(&model.require);
        let nothing = Facts::default();
        let view = facts.view(&profile, &nothing);
        let mut choice = Choice::of(serving, &required, &view, self.topology, &|_, _| None);
        if let Some((provider, of_it)) = &source.candidate {
            let candidates = &mut choice.plan.candidates;
            candidates.retain(|c| c.provider == *provider && c.model == *of_it);
            (choice.resting, choice.probes) = (0, false);
        }
        if choice.plan.candidates.is_empty() {
            return Err(Outcome::Excluded);
        }
        let named = source.candidate.as_ref();
        let cool_down = named.and_then(|(p, model)| facts.observed.cool_down(p, model));
        if cool_down.is_some_and(|c| c.until_ms > view.now_ms) {
            return Err(Outcome::CoolingDown);
        }
        let steps = steps(&choice.plan.candidates, &profile, self.topology);
        let plan = Handoff {
            model: model.name.clone(),
            team: team.map(str::to_owned),
            operation: profile.operation,
            id: format!("chatcmpl-{}", facts.exchange_id()),
            created: facts.now_s,
            per_try_ms: model.timeouts.per_try_ms,
            input_tokens: profile.input_tokens,
            last_resort: last_resort(choice.resting(), &steps),
            probes: choice.probes,
            steps,
            ..Handoff::default()
        };
        let path = format!("{}/chat/completions", self.config.base_path);
        let place = (INNER.to_owned(), path);
        let plan = String::from_utf8(plan.encode()).map_err(|_| Outcome::Failed)?;
        // Whoever must keep other labels waits for no answer to this.
        let labels = required.iter().flat_map(|labels| labels.iter());
        let labels = labels.map(|(name, values)| format!(" {name}={}", values.join("|")));
        let (name, deadline_ms) = (&classifier.name, classifier.deadline_ms);
        let key = callout::key(&(name.clone() + &labels.collect::<String>()), &body);
        let mut question = Question::new(name, key, INNER, place, body, deadline_ms);
        question.headers.push((QUESTION, plan));
        Ok(question)
    }
}

fn of_webhook(
    classifier: &Classifier,
    webhook: &Webhook,
    required: &[&Labels],
    asked: &callout::Asked<'_>,
) -> Result<Question, Outcome> {
    let mut breaches = required.iter().filter_map(|r| webhook.labels.breach(r));
    if breaches.next().is_some() {
        return Err(Outcome::Excluded);
    }
    let body = callout::webhook_question(classifier, webhook.sends_text, asked);
    let (name, deadline_ms) = (&classifier.name, classifier.deadline_ms);
    let cluster = webhook_cluster(name);
    Ok(Question::to_webhook(
        name,
        &cluster,
        webhook,
        body,
        deadline_ms,
    ))
}

/// A question, or what keeps a connection open, has come to the inner listener: sends it where its
/// plan says.
pub fn relay(
    config: &Config,
    topology: Topology,
    plan: &str,
) -> Result<Mutation, ImmediateResponse> {
    let kept = keep_warm::kept_by(plan.as_bytes());
    if let Some(provider) = kept.and_then(|name| config.providers.get(name)) {
        return Ok(keep_warm::send(provider, topology));
    }
    let plan = Handoff::decode(plan.as_bytes());
    let model = |plan: Handoff| Some((config.models.get(&plan.model)?.timeouts, plan));
    let (timeouts, plan) = plan.and_then(model).ok_or_else(|| {
        let failure = Failure::new(
            Class::InvalidRequest,
            "only questions to classifiers come here",
        );
        ImmediateResponse::error(&failure)
    })?;
    let mut mutation = address(config, &plan, timeouts, topology);
    mutation.remove(QUESTION);
    Ok(mutation)
}
