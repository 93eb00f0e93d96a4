//! YAML to the document tree, with the line and column of every key and value.
//!
//! Reads parser events instead of a library's tree: trees lose duplicate keys and where keys
//! stood. Aliases and merge keys (`<<`) are resolved, so the tree says what JSON can say.

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr::{Scalar, ScalarStyle};
use saphyr_parser::{Event, Marker, Parser, Tag};

use super::Config;
use super::check::check;
use super::document::{Entry, Mark, Node, Value};
use super::fill::fill;
use super::problem::{Problem, Severity};
use crate::catalog::date::Date;

/// Deeper than any document of ours, shallower than any stack.
const MAX_DEPTH: usize = 64;
/// Aliases can make a small text large; a document of ours has some hundred nodes.
const MAX_NODES: usize = 100_000;

/// What a right document gives: the configuration, the same document as JSON for the plugin
/// with what the catalogue knows of its candidates written into it, and the warnings.
pub type Loaded = (Config, serde_json::Value, Vec<Problem>);

/// Checks a YAML document; the error is every problem.
pub fn load(text: &str) -> Result<Loaded, Vec<Problem>> {
    load_on(None, text)
}

/// Any YAML as JSON; the error is the first thing that is none.
pub fn read(text: &str) -> Result<serde_json::Value, Box<Problem>> {
    parse(text).map(|root| root.to_json())
}

/// Checks a YAML document as of a day, so that models that have been shut down are warned of.
pub fn load_on(today: Option<Date>, text: &str) -> Result<Loaded, Vec<Problem>> {
    let root = parse(text).map_err(|problem| vec![*problem])?;
    let (config, _) = check(&root)?;
    let (filled, hints) = fill(&root, &config, today)?;
    let (config, mut warnings) = check(&filled)?;
    warnings.extend(hints);
    warnings.sort_by_key(|p| p.mark);
    Ok((config, for_plugin(filled).to_json(), warnings))
}

/// The document without what only the rendering reads.
fn for_plugin(mut document: Node) -> Node {
    if let Value::Map(entries) = &mut document.value {
        let providers = entries.iter_mut().find(|entry| entry.key == "providers");
        if let Some(Value::Map(providers)) = providers.map(|entry| &mut entry.node.value) {
            for provider in providers {
                if let Value::Map(fields) = &mut provider.node.value {
                    fields.retain(|field| field.key != "oauth");
                }
            }
        }
    }
    document
}

/// The tree of `text`; the first thing that is no YAML, or no YAML that JSON could say,
/// ends it.
pub(super) fn parse(text: &str) -> Result<Node, Box<Problem>> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => builder.event(event, mark(span.start))?,
            Err(error) => {
                let found = format!("broken YAML ({})", error.info());
                return Err(problem(mark(*error.marker()), &found, "a YAML document"));
            }
        }
    }
    builder.root.ok_or_else(|| {
        let start = Mark { line: 1, column: 1 };
        problem(start, "nothing", "a document that begins with version: 1")
    })
}

#[derive(Default)]
struct Builder {
    /// Lists and maps that are not finished yet, the innermost last.
    open: Vec<Open>,
    /// Finished values that have an anchor, by its number.
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
}

/// A list or map that is not finished yet.
struct Open {
    mark: Mark,
    anchor: usize,
    items: Items,
}

enum Items {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        /// A key that waits for its value.
        key: Option<Key>,
        /// Values of merge keys, in the order written.
        merged: Vec<Node>,
    },
}

struct Key {
    text: String,
    mark: Mark,
    merges: bool,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, mark: Mark) -> Result<(), Box<Problem>> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(problem(mark, "a second document", "one document"))
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(text, style, tag.as_deref(), anchor, mark)
            }
            Event::SequenceStart(anchor, tag) => {
                let items = Items::List(Vec::new());
                self.start(items, tag.as_deref(), anchor, mark)
            }
            Event::MappingStart(anchor, tag) => {
                let items = Items::Map {
                    entries: Vec::new(),
                    key: None,
                    merged: Vec::new(),
                };
                self.start(items, tag.as_deref(), anchor, mark)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor, mark),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: Cow<'_, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        anchor: usize,
        mark: Mark,
    ) -> Result<(), Box<Problem>> {
        refuse_tag(tag, mark)?;
        if let Some(waiting) = self.waiting_key() {
            *waiting = Some(Key {
                merges: style == ScalarStyle::Plain && text == "<<",
                text: text.into_owned(),
                mark,
            });
            return Ok(());
        }
        let value = scalar_value(text, style, tag, mark)?;
        let mark = Some(mark);
        self.add(Node { mark, value }, anchor)
    }

    /// The place for the next key, when the innermost map waits for one.
    fn waiting_key(&mut self) -> Option<&mut Option<Key>> {
        match self.open.last_mut() {
            Some(Open {
                items: Items::Map { key, .. },
                ..
            }) if key.is_none() => Some(key),
            _ => None,
        }
    }

    fn start(
        &mut self,
        items: Items,
        tag: Option<&Tag>,
        anchor: usize,
        mark: Mark,
    ) -> Result<(), Box<Problem>> {
        refuse_tag(tag, mark)?;
        if self.waiting_key().is_some() {
            return Err(problem(mark, "a list or an object", "a text as key"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(mark));
        }
        self.open.push(Open {
            mark,
            anchor,
            items,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Box<Problem>> {
        let Some(Open {
            mark,
            anchor,
            items,
        }) = self.open.pop()
        else {
            return Ok(());
        };
        let value = match items {
            Items::List(items) => Value::List(items),
            Items::Map {
                mut entries,
                key: _,
                merged,
            } => {
                merge(&mut entries, merged)?;
                Value::Map(entries)
            }
        };
        let mark = Some(mark);
        self.add(Node { mark, value }, anchor)
    }

    /// A copy of what the alias stands for. It keeps the marks of the original, where a
    /// mistake in it must be mended.
    fn alias(&mut self, anchor: usize, mark: Mark) -> Result<(), Box<Problem>> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return Err(problem(
                mark,
                "an alias inside of its own anchor",
                "a value",
            ));
        };
        if let Some(waiting) = self.waiting_key() {
            let Value::Text(text) = node.value else {
                return Err(problem(mark, "an alias that is no text", "a text as key"));
            };
            let merges = false;
            *waiting = Some(Key { text, mark, merges });
            return Ok(());
        }
        let (nodes, depth) = extent(&node);
        self.nodes = self.nodes.saturating_add(nodes);
        if self.open.len() + depth > MAX_DEPTH {
            return Err(too_deep(mark));
        }
        self.add(node, 0)
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Box<Problem>> {
        self.nodes = self.nodes.saturating_add(1);
        if self.nodes > MAX_NODES {
            let found = format!("more than {MAX_NODES} values");
            let mark = node.mark.unwrap_or(Mark { line: 1, column: 1 });
            return Err(problem(mark, &found, "a document of a sensible size"));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.items) {
            None => self.root = Some(node),
            Some(Items::List(items)) => items.push(node),
            Some(Items::Map {
                entries,
                key,
                merged,
            }) => match key.take() {
                Some(key) if key.merges => merged.push(node),
                Some(key) => entries.push(Entry {
                    key: key.text,
                    mark: Some(key.mark),
                    node,
                }),
                None => {}
            },
        }
        Ok(())
    }
}

/// Adds what `entries` does not say itself; earlier merges win over later ones.
fn merge(entries: &mut Vec<Entry>, merged: Vec<Node>) -> Result<(), Box<Problem>> {
    for node in merged {
        let mark = node.mark.unwrap_or(Mark { line: 1, column: 1 });
        match node.value {
            Value::Map(more) => {
                for entry in more {
                    if !entries.iter().any(|e| e.key == entry.key) {
                        entries.push(entry);
                    }
                }
            }
            Value::List(nodes) if nodes.iter().all(|n| matches!(n.value, Value::Map(_))) => {
                merge(entries, nodes)?;
            }
            _ => {
                let found = "a merge key with something else";
                return Err(problem(mark, found, "an object, or a list of objects"));
            }
        }
    }
    Ok(())
}

/// How many values a node holds, itself included, and how deep they go.
fn extent(node: &Node) -> (usize, usize) {
    let children: Vec<&Node> = match &node.value {
        Value::List(items) => items.iter().collect(),
        Value::Map(entries) => entries.iter().map(|entry| &entry.node).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => Vec::new(),
    };
    children
        .into_iter()
        .map(extent)
        .fold((1, 1), |(nodes, depth), (n, d)| {
            (nodes + n, depth.max(d + 1))
        })
}

/// Reads a scalar by YAML 1.2's core schema, so `no` and `1e3x` are texts.
fn scalar_value(
    text: Cow<'_, str>,
    style: ScalarStyle,
    tag: Option<&Tag>,
    mark: Mark,
) -> Result<Value, Box<Problem>> {
    if style == ScalarStyle::Plain
        && let Ok(n) = text.parse::<u64>()
        && tag.is_none()
    {
        return Ok(Value::Number(n.into()));
    }
    let tag = tag.cloned().map(Cow::Owned);
    match Scalar::parse_from_cow_and_metadata(text, style, tag.as_ref()) {
        Some(Scalar::Null) => Ok(Value::Null),
        Some(Scalar::Boolean(b)) => Ok(Value::Bool(b)),
        Some(Scalar::Integer(n)) => Ok(Value::Number(n.into())),
        Some(Scalar::FloatingPoint(n)) => serde_json::Number::from_f64(n.into_inner())
            .map(Value::Number)
            .ok_or_else(|| problem(mark, "a number that JSON cannot say", "a finite number")),
        Some(Scalar::String(text)) => Ok(Value::Text(text.into_owned())),
        None => Err(problem(
            mark,
            "a tag that does not fit its value",
            "a value",
        )),
    }
}

/// Tags of the core schema only say what a value is anyway; others mean nothing to us.
fn refuse_tag(tag: Option<&Tag>, mark: Mark) -> Result<(), Box<Problem>> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() => {
            Err(problem(mark, "a tag", "a value without a tag"))
        }
        _ => Ok(()),
    }
}

fn too_deep(mark: Mark) -> Box<Problem> {
    let found = format!("more than {MAX_DEPTH} levels");
    problem(mark, &found, "a document that is less deep")
}

/// The parser counts columns from 0.
fn mark(marker: Marker) -> Mark {
    Mark {
        line: marker.line(),
        column: marker.col() + 1,
    }
}

fn problem(mark: Mark, found: &str, expected: &str) -> Box<Problem> {
    Box::new(Problem {
        path: String::new(),
        mark: Some(mark),
        found: found.to_owned(),
        expected: expected.to_owned(),
        hint: None,
        severity: Severity::Error,
    })
}
