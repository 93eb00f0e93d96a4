//! `pointsman models`: the catalogue, filtered and sorted.

use std::cmp::Reverse;
use std::io::{self, Write};

use serde_json::{Map, Number, Value, json};

use super::Outcome;
use super::args::{Format, ModelsArgs, Sort, Wanted};
use crate::catalog::price::{Price, Prices};
use crate::catalog::{Ability, Facts, Group, Thinking, built_in};

pub(super) fn run(args: &ModelsArgs, out: &mut dyn Write) -> io::Result<Outcome> {
    let groups = &built_in().groups;
    if let Some(provider) = &args.provider
        && !groups.contains_key(provider)
    {
        let known: Vec<&str> = groups.keys().map(String::as_str).collect();
        let problem = format!(
            "--provider: found {provider:?}, expected one of {}",
            known.join(", ")
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    let rows = rows(args);
    match args.format {
        Format::Json => {
            let list: Vec<Value> = rows.iter().map(to_json).collect();
            writeln!(out, "{:#}", Value::from(list))?;
        }
        Format::Text => write_text(&rows, args.sort, out)?,
    }
    Ok(Outcome::Done)
}

struct Row {
    provider: &'static str,
    group: &'static Group,
    model: &'static str,
    facts: &'static Facts,
}

impl Row {
    fn dearest(&self) -> Option<Price> {
        self.facts.prices.as_ref().and_then(Prices::dearest)
    }
}

/// What was asked for, in the order that was asked for.
fn rows(args: &ModelsArgs) -> Vec<Row> {
    let groups = built_in().groups.iter();
    let asked = groups.filter(|(name, _)| args.provider.as_ref().is_none_or(|p| p == *name));
    let mut rows: Vec<Row> = asked
        .flat_map(|(provider, group)| {
            group.models.iter().map(move |(model, facts)| Row {
                provider,
                group,
                model,
                facts,
            })
        })
        .filter(|row| fits(row, args))
        .collect();
    match args.sort {
        Sort::Name => {}
        Sort::Price => rows.sort_by_key(|row| {
            let input = row.facts.prices.as_ref().and_then(|p| p.input);
            (row.dearest().is_none(), row.dearest(), input)
        }),
        Sort::Context => rows.sort_by_key(|row| Reverse(row.facts.context_window)),
    }
    rows
}

/// What is not known does not fit.
fn fits(row: &Row, args: &ModelsArgs) -> bool {
    let is_able = |wanted: &Wanted| match wanted {
        Wanted::Ability(ability) => row.facts.knows(*ability) == Some(true),
        Wanted::Thinking => matches!(
            row.facts.thinking,
            Some(Thinking::Effort | Thinking::Budget)
        ),
    };
    let holds = |least: u64| row.facts.context_window.is_some_and(|n| n >= least);
    let costs = |most: Price| row.dearest().is_some_and(|price| price <= most);
    args.can.iter().all(is_able)
        && args.min_context.is_none_or(holds)
        && args.max_price.is_none_or(costs)
}

const LEGEND: &str = "\
can: t tools, j JSON schema, v vision, a audio, f files, e thinks by effort, b by budget
     - it cannot, ? not known
context and output in tokens, prices in USD for a million of them, + dearer for long prompts
";

/// The widest column of names with which a line stays within 100 columns.
const NAME: usize = 41;

/// By name: one block for each provider, which says where its facts come from. Otherwise one
/// list, with the provider before the name.
fn write_text(rows: &[Row], sort: Sort, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{LEGEND}")?;
    match sort {
        Sort::Name => {
            for block in rows.chunk_by(|a, b| a.provider == b.provider) {
                write_block(block, out)?;
            }
        }
        Sort::Price | Sort::Context => {
            writeln!(out)?;
            write_table(rows, |row| format!("{}/{}", row.provider, row.model), out)?;
        }
    }
    let models = if rows.len() == 1 { "model" } else { "models" };
    writeln!(out, "\n{} {models}", rows.len())
}

fn write_block(block: &[Row], out: &mut dyn Write) -> io::Result<()> {
    let Some(first) = block.first() else {
        return Ok(());
    };
    let source = &first.group.source;
    writeln!(
        out,
        "\n{} ({}, {})",
        first.provider, source.page, source.read
    )?;
    if let Some(note) = &first.group.note {
        writeln!(out, "{note}")?;
    }
    write_table(block, |row| row.model.to_owned(), out)
}

fn write_table(rows: &[Row], name: fn(&Row) -> String, out: &mut dyn Write) -> io::Result<()> {
    let width = |row: &Row| name(row).chars().count();
    let widths = rows.iter().map(width).filter(|width| *width <= NAME);
    let width = widths.max().unwrap_or(0).max("model".len());
    writeln!(
        out,
        "  {:width$}  context  output     input    output  can     ends",
        "model"
    )?;
    for row in rows {
        let (name, facts) = (name(row), cells(row.facts));
        // A name that is too long stands alone, its facts below.
        match name.chars().count() > width {
            true => writeln!(out, "  {name}\n  {:width$}  {facts}", "")?,
            false => writeln!(out, "  {name:width$}  {facts}")?,
        }
    }
    Ok(())
}

fn cells(facts: &Facts) -> String {
    let tokens = |n: Option<u64>| n.map_or_else(String::new, short);
    let prices = facts.prices.as_ref();
    let price = |p: Option<Price>| p.map_or_else(String::new, |p| p.to_string());
    let more = if facts.above.is_empty() { ' ' } else { '+' };
    let line = format!(
        "{:>7}  {:>6}  {:>8}  {:>8}{more} {:6}  {}",
        tokens(facts.context_window),
        tokens(facts.max_output_tokens),
        price(prices.and_then(|p| p.input)),
        price(prices.and_then(|p| p.output)),
        letters(facts),
        facts
            .shutdown
            .map_or_else(String::new, |day| day.to_string()),
    );
    line.trim_end().to_owned()
}

/// `200k`, `1.05M`: whole thousands are exact, others are rounded down.
fn short(tokens: u64) -> String {
    match tokens {
        0..1_000 => tokens.to_string(),
        1_000..1_000_000 => format!("{}k", tokens.checked_div(1_000).unwrap_or(0)),
        _ => {
            let hundredths = tokens.checked_div(10_000).unwrap_or(0);
            let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
            let text = text.trim_end_matches('0').trim_end_matches('.');
            format!("{text}M")
        }
    }
}

fn letters(facts: &Facts) -> String {
    if facts.knows(Ability::Embeddings) == Some(true) {
        return facts
            .dimensions
            .map_or_else(|| "embeds".to_owned(), |n| format!("{n} d"));
    }
    let letter = |(ability, letter)| match facts.knows(ability) {
        Some(true) => letter,
        Some(false) => '-',
        None => '?',
    };
    let shown = [
        (Ability::Tools, 't'),
        (Ability::JsonSchema, 'j'),
        (Ability::Vision, 'v'),
        (Ability::Audio, 'a'),
        (Ability::Files, 'f'),
    ];
    let thinking = match facts.thinking {
        Some(Thinking::Effort) => 'e',
        Some(Thinking::Budget) => 'b',
        Some(Thinking::None) => '-',
        None => '?',
    };
    shown.into_iter().map(letter).chain([thinking]).collect()
}

/// The facts under the names that a document gives them; what is not known is left out.
fn to_json(row: &Row) -> Value {
    let facts = row.facts;
    let mut object = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        object.extend(value.map(|value| (name.to_owned(), value)));
    };
    put("provider", Some(json!(row.provider)));
    put("model", Some(json!(row.model)));
    put("family", facts.family.as_ref().map(|f| json!(f)));
    put("context_window", facts.context_window.map(Value::from));
    put(
        "max_output_tokens",
        facts.max_output_tokens.map(Value::from),
    );
    put("dimensions", facts.dimensions.map(Value::from));
    for ability in Ability::ALL {
        put(ability.as_str(), facts.knows(ability).map(Value::from));
    }
    put("thinking", facts.thinking.map(|way| json!(way.as_str())));
    put("prices", facts.prices.as_ref().map(prices));
    put("percent", percent(facts));
    let above = facts.above.iter();
    let above = above.map(|a| json!({"tokens": a.tokens, "prices": prices(&a.prices)}));
    let above: Vec<Value> = above.collect();
    put("above", (!above.is_empty()).then(|| Value::from(above)));
    let later = facts.later.as_ref();
    put(
        "later",
        later.map(|l| json!({"from": l.from.to_string(), "prices": prices(&l.prices)})),
    );
    put("released", facts.released.map(|day| json!(day.to_string())));
    put("knowledge", facts.knowledge.as_ref().map(|day| json!(day)));
    put(
        "deprecated",
        facts.deprecated.map(|day| json!(day.to_string())),
    );
    put("shutdown", facts.shutdown.map(|day| json!(day.to_string())));
    put("note", facts.note.as_ref().map(|note| json!(note)));
    put("source", Some(json!(row.group.source.page)));
    put("read", Some(json!(row.group.source.read.to_string())));
    Value::Object(object)
}

/// USD for a million tokens.
fn prices(prices: &Prices) -> Value {
    let quote = |price: Price| {
        let float = price.to_string().parse().ok().and_then(Number::from_f64);
        float.map_or(Value::Null, Value::Number)
    };
    let named = prices.named();
    Value::Object(
        named
            .map(|(name, price)| (name.to_owned(), quote(price)))
            .collect(),
    )
}

fn percent(facts: &Facts) -> Option<Value> {
    let known = facts.percent.named();
    let known = known.map(|(way, percent)| (way.to_owned(), json!(percent)));
    let known: Map<String, Value> = known.collect();
    (!known.is_empty()).then_some(Value::Object(known))
}
