//! A configuration with something changed, to see what would be if.

use serde_json::{Map, Value};

/// What is changed, as the command line says it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) without: Vec<String>,
    pub(super) prices: Vec<String>,
    pub(super) set: Vec<String>,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        *self == Changes::default()
    }

    /// What they are, for a heading.
    pub(super) fn in_words(&self) -> String {
        let without = self.without.iter().map(|name| format!("without {name}"));
        let prices = self.prices.iter().map(|price| format!("price {price}"));
        let set = self.set.iter().cloned();
        without
            .chain(prices)
            .chain(set)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Changes a document; the error says which change cannot be made, and why.
    pub(super) fn make(&self, document: &mut Value) -> Result<(), String> {
        for provider in &self.without {
            leave_out(document, provider)?;
        }
        for price in &self.prices {
            set_price(document, price)?;
        }
        for assignment in &self.set {
            set(document, assignment)?;
        }
        Ok(())
    }
}

/// Every candidate, of models and their rules.
fn candidates(document: &mut Value) -> impl Iterator<Item = &mut Vec<Value>> {
    let models = document.get_mut("models").and_then(Value::as_object_mut);
    let models = models.into_iter().flat_map(Map::values_mut);
    models.filter_map(|model| model.get_mut("candidates")?.as_array_mut())
}

/// What nobody else serves goes with it: models, rules with candidates of their own, downgrades.
fn leave_out(document: &mut Value, provider: &str) -> Result<(), String> {
    let providers = document.get_mut("providers").and_then(Value::as_object_mut);
    if providers.and_then(|all| all.remove(provider)).is_none() {
        return Err(format!(
            "--without: found {provider:?}, which is no provider of the file"
        ));
    }
    for list in candidates(document) {
        list.retain(|candidate| candidate["provider"] != provider);
    }
    let of_it = |name: &Value| {
        let name = name.as_str().and_then(|name| name.split_once('/'));
        name.is_some_and(|(of, _)| of == provider)
    };
    let is_left = |each: &Value| {
        let list = each["candidates"].as_array();
        list.is_none_or(|list| !list.is_empty())
    };
    if let Some(rules) = document.get_mut("rules").and_then(Value::as_array_mut) {
        for rule in rules.iter_mut() {
            if let Some(list) = rule.get_mut("candidates").and_then(Value::as_array_mut) {
                list.retain(|name| !of_it(name));
            }
        }
        rules.retain(is_left);
    }
    let mut gone = Vec::new();
    if let Some(models) = document.get_mut("models").and_then(Value::as_object_mut) {
        let unserved = models.iter().filter(|(_, model)| !is_left(model));
        gone.extend(unserved.map(|(name, _)| name.clone()));
        models.retain(|_, model| is_left(model));
    }
    let budgets = document.get_mut("budgets").and_then(Value::as_array_mut);
    for budget in budgets.into_iter().flatten() {
        let Some(budget) = budget.as_object_mut() else {
            continue;
        };
        let to = budget.get("downgrade_to").and_then(Value::as_str);
        if to.is_some_and(|to| gone.iter().any(|model| model == to)) {
            budget.retain(|name, _| name != "soft" && name != "downgrade_to");
        }
    }
    Ok(())
}

/// `openai/gpt-5.4=input:1.25,output:10`
fn set_price(document: &mut Value, text: &str) -> Result<(), String> {
    let wrong = || format!("--price: found {text:?}, expected provider/model=input:1.25,output:10");
    let (target, prices) = text.split_once('=').ok_or_else(wrong)?;
    let (provider, model) = target.split_once('/').ok_or_else(wrong)?;
    let mut new = Map::new();
    for each in prices.split(',') {
        let (kind, usd) = each.split_once(':').ok_or_else(wrong)?;
        let usd: f64 = usd.parse().map_err(|_| wrong())?;
        new.insert(kind.to_owned(), usd.into());
    }
    let mut found = false;
    for candidate in candidates(document).flatten() {
        if candidate["provider"] != provider || candidate["model"] != model {
            continue;
        }
        found = true;
        let known = candidate
            .as_object_mut()
            .map(|fields| fields.entry("prices"));
        let known = known.map(|entry| entry.or_insert_with(|| Value::Object(Map::new())));
        if let Some(Value::Object(known)) = known {
            known.extend(new.clone());
        }
    }
    match found {
        true => Ok(()),
        false => Err(format!("--price: {target} is no candidate of the file")),
    }
}

/// `models.smart.candidates[0].weight=3`; names with dots stand in quotes.
fn set(document: &mut Value, assignment: &str) -> Result<(), String> {
    let wrong = |why: &str| format!("--set: found {assignment:?}, {why}");
    let (path, value) = assignment
        .split_once('=')
        .ok_or_else(|| wrong("expected PATH=VALUE"))?;
    let value = crate::config::yaml::read(value).map_err(|problem| wrong(&problem.to_string()))?;
    let steps = steps(path).ok_or_else(|| wrong("expected a path such as models.smart.policy"))?;
    let Some((last, before)) = steps.split_last() else {
        return Err(wrong("expected a path"));
    };
    let mut place = document;
    for step in before {
        place = match step {
            Step::Key(key) => place.as_object_mut().map(|map| {
                map.entry(key.as_str())
                    .or_insert_with(|| Value::Object(Map::new()))
            }),
            Step::Index(index) => place.get_mut(*index),
        }
        .ok_or_else(|| wrong("which leads nowhere"))?;
    }
    match (last, place) {
        (Step::Key(key), Value::Object(map)) => {
            map.insert(key.clone(), value);
        }
        (Step::Index(index), Value::Array(list)) if *index < list.len() => list[*index] = value,
        _ => return Err(wrong("which leads nowhere")),
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

fn steps(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(index) = rest.strip_prefix('[') {
            let (index, after) = index.split_once(']')?;
            steps.push(Step::Index(index.parse().ok()?));
            rest = after;
        } else if let Some(name) = rest.strip_prefix('"') {
            let (name, after) = name.split_once('"')?;
            steps.push(Step::Key(name.to_owned()));
            rest = after;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, after) = rest.split_at_checked(end)?;
            (!name.is_empty()).then(|| steps.push(Step::Key(name.to_owned())))?;
            rest = after;
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use super::{Step, steps};

    #[test]
    fn paths_have_names_indexes_and_quoted_names() {
        let key = |name: &str| Step::Key(name.to_owned());
        let told = steps(r#"models."gpt-4.1".candidates[0].prices"#);
        let expected = [
            key("models"),
            key("gpt-4.1"),
            key("candidates"),
            Step::Index(0),
            key("prices"),
        ];
        assert_eq!(told.as_deref(), Some(expected.as_slice()));
        assert_eq!(steps("models..x"), None);
        assert_eq!(steps("models[a]"), None);
    }
}
