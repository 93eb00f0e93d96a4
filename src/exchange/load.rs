//! Another model serves while one has too much to do. All workers of a proxy share the verdict.

use crate::config::{Config, ModelConfig, UnderLoad};
use crate::json;
use crate::observed::{Observed, Store};
use crate::routing::load::Load;

/// What became of a look at a model's load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen<'c> {
    /// The model that serves instead, while there is too much to do.
    pub instead: Option<&'c str>,
    /// Whether this is new.
    pub turned: bool,
}

impl Seen<'_> {
    /// For the operator, when it turns.
    pub(super) fn warning(&self, model: &str) -> String {
        match self.instead {
            Some(other) => format!("model {model} has too much to do: {other} serves instead"),
            None => format!("model {model} serves again"),
        }
    }
}

/// Looks at the load of a model; `None` where nobody wants to know.
pub(super) fn look<'c>(
    config: &'c Config,
    store: &dyn Store,
    observed: &dyn Observed,
    model: &str,
) -> Option<Seen<'c>> {
    let model = config.models.get(model)?;
    let UnderLoad {
        ceiling,
        downgrade_to,
    } = model.under_load.as_ref()?;
    let name = flag_name(&model.name);
    let was = store.load(&name).is_some_and(|flag| flag == [1]);
    let is_passed = ceiling.is_passed(load(model, observed), was);
    let turned = was != is_passed && {
        let mut old_was = was;
        // Whoever turns it says so, and nobody else.
        store.change(&name, &mut |old| {
            old_was = old == [1];
            vec![u8::from(is_passed)]
        });
        old_was != is_passed
    };
    Some(Seen {
        instead: is_passed.then_some(downgrade_to.as_str()),
        turned,
    })
}

/// What its candidates are serving, whichever model's requests these are.
pub(super) fn load(model: &ModelConfig, observed: &dyn Observed) -> Load {
    let mut all = Load::default();
    for (i, candidate) in model.candidates.iter().enumerate() {
        let target = (&candidate.provider, &candidate.model);
        let earlier = model.candidates.iter().take(i);
        if earlier.clone().any(|c| (&c.provider, &c.model) == target) {
            continue;
        }
        let state = observed.target(target.0, target.1);
        all.tokens = all.tokens.saturating_add(state.in_flight_tokens);
        all.requests = all.requests.saturating_add(state.in_flight_requests);
    }
    all
}

/// As though the model had had too much to do until now.
#[cfg(feature = "cli")]
pub fn set_downgraded(store: &dyn Store, model: &str) {
    store.change(&flag_name(model), &mut |_| vec![1]);
}

/// Appends a member to the state page's object: every model that another one can stand in for.
pub(super) fn write(
    config: &Config,
    store: &dyn Store,
    observed: &dyn Observed,
    page: &mut String,
) {
    page.push_str(",\"loads\":[");
    let mut separator = "\n";
    for model in config.models.keys() {
        let Some(members) = members(config, observed, model) else {
            continue;
        };
        let flag = store.load(&flag_name(model)).unwrap_or_default();
        let is_passed = flag == [1];
        page.push_str(&format!("{separator}{{{members},\"passed\":{is_passed}}}"));
        separator = ",\n";
    }
    page.push(']');
}

/// How much a model has to do, and how much is too much, as JSON; `None` where nobody wants to
/// know.
pub(super) fn tell(config: &Config, observed: &dyn Observed, model: &str) -> Option<String> {
    Some(format!("{{{}}}", members(config, observed, model)?))
}

fn members(config: &Config, observed: &dyn Observed, model: &str) -> Option<String> {
    let model = config.models.get(model)?;
    let ceiling = model.under_load.as_ref()?.ceiling;
    let now = load(model, observed);
    let number = |most: Option<u64>| most.map_or_else(|| "null".to_owned(), |n| n.to_string());
    let most = (number(ceiling.tokens), number(ceiling.requests));
    Some(format!(
        "\"model\":{},\"in_flight\":{{\"requests\":{},\"tokens\":{}}},\
         \"ceiling\":{{\"requests\":{},\"tokens\":{}}}",
        json::to_string(&model.name),
        now.requests,
        now.tokens,
        most.1,
        most.0,
    ))
}

/// Where it is kept whether another model serves.
pub(super) fn flag_name(model: &str) -> String {
    format!("pointsman.load.1.{model}")
}
