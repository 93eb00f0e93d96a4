//! Holds a document against its shape and lists everything that does not fit.

#[cfg(feature = "cli")]
mod hints;

use super::document::{Entry, Node, Value};
use super::path::Path;
use super::policy;
use super::problem::{At, Finding, Findings};
use super::shape::{Object, Presence, Shape, TextRule};
use super::units::{parse_duration, parse_size, show_duration, show_size};
use super::words::{describe, did_you_mean, looks_like_credential, one_of, quote};
use crate::catalog::price::Price;
use crate::json;
use crate::routing::{Param, PolicyKind};

/// Adds every difference between `root` and `shape` to `findings`.
pub(super) fn walk(shape: &Shape, root: &Node, findings: &mut Findings<'_>) {
    let mut walker = Walker {
        findings,
        hidden: false,
    };
    walker.value(shape, root, &Path::default());
}

struct Walker<'w, 'a> {
    findings: &'w mut Findings<'a>,
    /// Inside a credential nothing that was found is shown.
    hidden: bool,
}

impl Walker<'_, '_> {
    fn value(&mut self, shape: &Shape, node: &Node, path: &Path) {
        match (shape, &node.value) {
            (Shape::Object(object), Value::Map(entries)) => {
                self.object(object, entries, path);
            }
            (Shape::Source(object), value) => self.source(shape, object, value, path),
            (Shape::Map { keys, values, min }, Value::Map(entries)) => {
                if entries.len() < *min {
                    self.mismatch("an empty object", shape, path);
                }
                self.map(keys, values, entries, path);
            }
            (Shape::List { items, min, max }, Value::List(nodes)) => {
                if !(*min..=*max).contains(&nodes.len()) {
                    self.mismatch(&format!("{} items", nodes.len()), shape, path);
                }
                for (i, node) in nodes.iter().enumerate() {
                    self.value(items, node, &path.index(i));
                }
            }
            (Shape::OneOrMore { items, max }, Value::List(nodes)) => {
                if !(1..=*max).contains(&nodes.len()) {
                    self.mismatch(&format!("{} items", nodes.len()), shape, path);
                }
                for (i, node) in nodes.iter().enumerate() {
                    self.value(items, node, &path.index(i));
                }
            }
            (Shape::OneOrMore { items, .. }, Value::Text(_)) => self.value(items, node, path),
            (Shape::Any, _) => self.duplicates(node, path),
            (Shape::Policies, Value::List(nodes)) => {
                if !(1..=policy::MOST).contains(&nodes.len()) {
                    self.mismatch(&format!("{} items", nodes.len()), shape, path);
                }
                for (i, node) in nodes.iter().enumerate() {
                    self.policy(node, &path.index(i));
                }
            }
            (Shape::Policies, _) => self.policy(node, path),
            (Shape::Params(params), Value::Map(entries)) => self.params(params, entries, path),
            (_, value) => self.scalar(shape, value, path),
        }
    }

    fn scalar(&mut self, shape: &Shape, value: &Value, path: &Path) {
        if let Err(hint) = accepts(shape, value) {
            let outside = self.hidden;
            self.hidden |= matches!(shape, Shape::Text(rule) if rule.private);
            #[cfg(feature = "cli")]
            let hint = match hint.is_empty() && !self.hidden {
                true => hints::of(shape, value, path),
                false => hint,
            };
            let finding = Finding::new(self.show(value), expected(shape)).hint(hint);
            self.hidden = outside;
            self.findings.error(At::Value, path, finding);
        }
    }

    fn mismatch(&mut self, found: &str, shape: &Shape, path: &Path) {
        let finding = Finding::new(found, expected(shape));
        self.findings.error(At::Value, path, finding);
    }

    fn object(&mut self, object: &Object, entries: &[Entry], path: &Path) {
        self.repeated(entries, path);
        let names = || object.fields.iter().map(|field| field.name);
        for entry in first_of_each(entries) {
            match object.fields.iter().find(|field| field.name == entry.key) {
                Some(field) => self.value(field.shape, &entry.node, &path.key(field.name)),
                None => self.unknown(&entry.key, names().collect(), path),
            }
        }
        let missing = |name| !entries.iter().any(|entry| entry.key == name);
        for field in object.fields {
            if field.presence == Presence::Required && missing(field.name) {
                let finding = Finding::new("nothing", expected(field.shape));
                self.findings.error(At::Key, &path.key(field.name), finding);
            }
        }
    }

    /// A name, or an object with one name and its parameters.
    fn policy(&mut self, node: &Node, path: &Path) {
        let entry = match &node.value {
            Value::Map(entries) => match entries.as_slice() {
                [entry] => entry,
                _ => {
                    return self.mismatch(
                        &format!("{} keys", entries.len()),
                        &Shape::Policies,
                        path,
                    );
                }
            },
            value => return self.scalar(&Shape::Words(policy::names), value, path),
        };
        match PolicyKind::find(&entry.key) {
            None => self.unknown(&entry.key, policy::names(), path),
            Some(kind) => {
                let path = path.key(kind.name);
                self.value(&Shape::Params(kind.params), &entry.node, &path);
                if let Some(Err(misuse)) = policy::read_params(kind.params, &entry.node)
                    .map(|params| (kind.build)(&params))
                {
                    let finding = Finding::new(misuse.found, misuse.expected);
                    self.findings.error(At::Value, &path, finding);
                }
            }
        }
    }

    fn params(&mut self, params: &'static [Param], entries: &[Entry], path: &Path) {
        self.repeated(entries, path);
        for entry in first_of_each(entries) {
            match params.iter().find(|param| param.name == entry.key) {
                Some(param) => {
                    let shape = policy::shape_of(&param.shape);
                    self.value(&shape, &entry.node, &path.key(param.name));
                }
                None if params.is_empty() => {
                    self.mismatch(&quote(&entry.key), &Shape::Params(params), path);
                }
                None => self.unknown(&entry.key, param_names(params), path),
            }
        }
    }

    fn unknown(&mut self, key: &str, names: Vec<&'static str>, path: &Path) {
        let (shown, place) = if self.hidden || looks_like_credential(key) {
            ("an unknown key".to_owned(), path.clone())
        } else {
            (format!("the unknown key {}", quote(key)), path.key(key))
        };
        let near = did_you_mean(key, names.iter().copied());
        let finding = Finding::new(shown, one_of(&names)).hint(near.unwrap_or_default());
        self.findings.error(At::Key, &place, finding);
    }

    fn source(&mut self, shape: &Shape, object: &Object, value: &Value, path: &Path) {
        let outside = std::mem::replace(&mut self.hidden, true);
        match value {
            Value::Map(entries) => {
                self.object(object, entries, path);
                let known = |e: &Entry| object.fields.iter().any(|f| f.name == e.key);
                let found = if entries.is_empty() {
                    "neither"
                } else {
                    "both"
                };
                if entries.len() != 1 && entries.iter().all(known) {
                    self.mismatch(found, shape, path);
                }
            }
            _ => {
                let hint = "keys never stand in this file: name the variable or the file that \
                            holds it, or leave `key` out";
                let finding = Finding::new(self.show(value), expected(shape));
                self.findings.error(At::Value, path, finding.hint(hint));
            }
        }
        self.hidden = outside;
    }

    fn map(&mut self, keys: &TextRule, values: &Shape, entries: &[Entry], path: &Path) {
        self.repeated(entries, path);
        for entry in first_of_each(entries) {
            let path = path.key(&entry.key);
            if let Err(hint) = (keys.check)(&entry.key) {
                let finding = Finding::new(quote(&entry.key), keys.expected).hint(hint);
                self.findings.error(At::Key, &path, finding);
            }
            self.value(values, &entry.node, &path);
        }
    }

    /// Keys that stand a second time; which one would win is nobody's to guess.
    fn repeated(&mut self, entries: &[Entry], path: &Path) {
        for (i, entry) in entries.iter().enumerate() {
            let mut before = entries.iter().take(i);
            let Some(first) = before.find(|e| e.key == entry.key) else {
                continue;
            };
            let line = first
                .mark
                .map(|m| format!("it stands in line {} already", m.line));
            let shown = if self.hidden {
                "a key".to_owned()
            } else {
                quote(&entry.key)
            };
            let finding = Finding::new(format!("{shown} again"), "each key once")
                .hint(line.unwrap_or_default());
            self.findings
                .error_at(entry.mark, &path.key(&entry.key), finding);
        }
    }

    fn duplicates(&mut self, node: &Node, path: &Path) {
        match &node.value {
            Value::Map(entries) => {
                self.repeated(entries, path);
                for entry in first_of_each(entries) {
                    self.duplicates(&entry.node, &path.key(&entry.key));
                }
            }
            Value::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    self.duplicates(item, &path.index(i));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
        }
    }

    fn show(&self, value: &Value) -> String {
        match value {
            Value::Bool(_) | Value::Number(_) | Value::Text(_) if self.hidden => {
                "a value that is not shown here".to_owned()
            }
            value => describe(value),
        }
    }
}

/// The entries that count; paths lead to these.
fn first_of_each(entries: &[Entry]) -> impl Iterator<Item = &Entry> {
    let first = |i: usize, key: &str| !entries.iter().take(i).any(|e| e.key == key);
    let numbered = entries.iter().enumerate();
    numbered.filter_map(move |(i, entry)| first(i, &entry.key).then_some(entry))
}

/// Whether a value that is no object or list of ours fits; the error is a hint.
fn accepts(shape: &Shape, value: &Value) -> Result<(), String> {
    let verdict = |fits: bool| if fits { Ok(()) } else { Err(String::new()) };
    match (shape, value) {
        (Shape::Bool, Value::Bool(_)) => Ok(()),
        (Shape::Int { min, max }, Value::Number(n)) => {
            verdict(n.as_u64().is_some_and(|n| (*min..=*max).contains(&n)))
        }
        (Shape::Number, Value::Number(_)) => Ok(()),
        (Shape::Between { min, max }, Value::Number(n)) => {
            verdict(n.as_f64().is_some_and(|n| (*min..=*max).contains(&n)))
        }
        (Shape::Choice(words), Value::Text(text)) => {
            if words.contains(&text.as_str()) {
                return Ok(());
            }
            Err(did_you_mean(text, words.iter().copied()).unwrap_or_default())
        }
        (Shape::Text(rule), Value::Text(text)) => (rule.check)(text).map_err(str::to_owned),
        (Shape::Words(words), Value::Text(text)) => {
            let words = words();
            if words.contains(&text.as_str()) {
                return Ok(());
            }
            Err(did_you_mean(text, words).unwrap_or_default())
        }
        (Shape::Duration { min_ms, max_ms }, Value::Text(text)) => {
            verdict(parse_duration(text).is_some_and(|ms| (*min_ms..=*max_ms).contains(&ms)))
        }
        (Shape::Duration { .. }, Value::Number(n)) => Err(format!("write a unit, such as {n}s")),
        (Shape::Size { min, max }, Value::Number(n)) => {
            verdict(n.as_u64().is_some_and(|n| (*min..=*max).contains(&n)))
        }
        (Shape::Size { min, max }, Value::Text(text)) => {
            verdict(parse_size(text).is_some_and(|n| (*min..=*max).contains(&n)))
        }
        (Shape::Quote, Value::Number(n)) => verdict(Price::from_number(n).is_some()),
        (
            Shape::Text(_) | Shape::Words(_) | Shape::Choice(_),
            Value::Number(_) | Value::Bool(_),
        ) => Err("write it in quotes if it is meant as a text".to_owned()),
        (Shape::Int { .. }, Value::Text(text)) if text.parse::<u64>().is_ok() => {
            Err("write it without quotes".to_owned())
        }
        (Shape::Number | Shape::Between { .. }, Value::Text(text))
            if text.parse::<f64>().is_ok() =>
        {
            Err("write it without quotes".to_owned())
        }
        (Shape::Bool, Value::Text(text)) => Err(boolean(text).to_owned()),
        _ => Err(String::new()),
    }
}

fn param_names(params: &'static [Param]) -> Vec<&'static str> {
    params.iter().map(|param| param.name).collect()
}

/// The hint for the words that older YAML read as booleans.
fn boolean(text: &str) -> &'static str {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "y" => "write true",
        "no" | "off" | "n" => "write false",
        "true" | "false" => "write it without quotes",
        _ => "",
    }
}

/// What may stand there, as the end of a sentence.
pub(super) fn expected(shape: &Shape) -> String {
    match shape {
        Shape::Bool => "true or false".to_owned(),
        Shape::Int { min, max } if min == max => min.to_string(),
        Shape::Int { min, max } => format!("an integer from {min} to {max}"),
        Shape::Number => "a number".to_owned(),
        Shape::Between { min, max } => {
            let shown = |n: &f64| json::to_string(n).trim_end_matches(".0").to_owned();
            format!("a number from {} to {}", shown(min), shown(max))
        }
        Shape::Choice(words) => one_of(words),
        Shape::Policies => format!(
            "{}; with parameters as {{name: {{…}}}}; or a list of up to {} of them",
            one_of(&policy::names()),
            policy::MOST
        ),
        Shape::Params([]) => "{}, because it has no parameters".to_owned(),
        Shape::Params(params) => format!("an object with {}", param_names(params).join(", ")),
        Shape::Text(rule) => rule.expected.to_owned(),
        Shape::Words(words) => one_of(&words()),
        Shape::Duration { min_ms, max_ms } => format!(
            "a duration from {} to {}, such as 250ms, 2s or 1m",
            show_duration(*min_ms),
            show_duration(*max_ms)
        ),
        Shape::Size { min, max } => format!(
            "a size from {} to {}, such as 64KiB or 32MiB",
            show_size(*min),
            show_size(*max)
        ),
        Shape::List { min, max, .. } => format!("a list of {min} to {max} items"),
        Shape::Map { min: 0, .. } => "an object".to_owned(),
        Shape::Map { .. } => "an object with at least one name in it".to_owned(),
        Shape::Object(object) => {
            let names: Vec<_> = object.fields.iter().map(|field| field.name).collect();
            format!("an object with {}", names.join(", "))
        }
        Shape::Source(_) => "{env: NAME} or {file: PATH}".to_owned(),
        Shape::OneOrMore { items, max } => format!("{}, or a list of up to {max}", expected(items)),
        Shape::Quote => "USD, 0 to 10000, at most six decimals".to_owned(),
        Shape::Any => "any value".to_owned(),
    }
}
