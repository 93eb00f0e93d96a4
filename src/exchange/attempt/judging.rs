//! What an attempt's answer must be, where not every answer passes.

use std::sync::Arc;

use super::{Attempt, look_up};
use crate::catalog::cost::Tariff;
use crate::classify::Sample;
use crate::config::Scorer;
use crate::exchange::reply::{Gate, Terms};
use crate::quality::Expected;
use crate::schema::openai::ChatCompletionRequest;

impl Attempt {
    pub(super) fn gate(&self, request: &ChatCompletionRequest<'_>) -> Option<Gate> {
        let bounds = self.quality_gate.as_ref()?;
        let terms = Terms {
            model: self.plan.model.clone(),
            prompt: bounds
                .scorer
                .as_ref()
                .and_then(|scorer| self.prompt(scorer, request)),
            is_excluded: self.plan.unscored,
            last: self.last_tariff(),
        };
        Some(Gate::new(Arc::clone(bounds), Expected::by(request), terms))
    }

    /// The beginning of the last user message, where it may leave.
    fn prompt(&self, scorer: &Scorer, request: &ChatCompletionRequest<'_>) -> Option<String> {
        let leaves = scorer.webhook.sends_text && !self.plan.unscored;
        leaves.then(|| {
            let mut text = Sample::of(request).text;
            let end = text.trim_end().len().min(scorer.excerpt_bytes);
            text.truncate(text.floor_char_boundary(end));
            text
        })
    }

    /// The prices of the candidate whose answers always pass.
    fn last_tariff(&self) -> Option<Box<Tariff>> {
        let regular = self.plan.steps.len().saturating_sub(self.plan.last_resort);
        let step = self.plan.steps.get(regular.checked_sub(1)?)?;
        let (_, _, backend) = look_up(&self.config, &self.plan, step).ok()?;
        backend.prices.clone()
    }
}
