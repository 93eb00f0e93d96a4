//! Another model serves than was asked for.

use std::rc::Rc;

use super::{Downstream, RequestFacts};
use crate::exchange::holding::{Purse, Used};
use crate::exchange::{load, trail};
use crate::inspect::RequestProfile;

impl Downstream {
    /// Near the end of a budget another model serves, and while one has too much to do.
    pub(super) fn downgrade(&mut self, profile: &mut RequestProfile, facts: RequestFacts<'_>) {
        let Some(store) = facts.books else {
            return;
        };
        let config = Rc::clone(&self.config);
        self.asked.kept.clear();
        self.asked.downgraded.clear();
        self.asked.counted.downgraded = None;
        if !config.routing.budgets.is_empty() {
            let known = &self.asked.known;
            let purse = Purse {
                config: &config,
                store,
                view: facts.view(profile, known),
                team: config.routing.team(profile, known),
                spent: Used::default(),
            };
            if let Some((model, budget)) = purse.downgrade() {
                let told = trail::of_downgrade(&profile.model, budget);
                self.serve_instead(profile, model, budget, told);
            }
        }
        let Some(seen) = load::look(&config, store, facts.observed, &profile.model) else {
            return;
        };
        if seen.turned {
            self.asked.warning = Some(seen.warning(&profile.model));
        }
        if let Some(model) = seen.instead {
            let told = trail::of_load(&profile.model);
            self.serve_instead(profile, model, "", told);
        }
    }

    /// Labels that the model asked for must keep are kept by the other one, too.
    fn serve_instead(
        &mut self,
        profile: &mut RequestProfile,
        model: &str,
        budget: &str,
        told: String,
    ) {
        let asked_for = self.config.models.get(&profile.model);
        let of_model = asked_for.map(|model| &model.require);
        let of_rules = self.config.routing.required(profile, &self.asked.known);
        let asked = &mut self.asked;
        let labels = of_model.into_iter().chain(of_rules).cloned();
        asked.kept.extend(labels);
        asked.downgraded = trail::joined(std::mem::take(&mut asked.downgraded), told);
        let by = (profile.model.clone(), budget.to_owned());
        asked.counted.downgraded.get_or_insert(by);
        profile.model = model.to_owned();
    }
}
