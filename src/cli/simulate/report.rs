//! What became of traffic, for people and for machines.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::clock;
use super::play::{Outcome, Row};
use super::table::{Table, counted, percent, short, usd, whole};
use super::traffic::Traffic;

/// One configuration with what became of the traffic.
pub(super) struct Played {
    pub(super) name: String,
    pub(super) outcome: Outcome,
}

/// Counts of the requests played, as counts of those that they stand for.
#[derive(Clone, Copy)]
struct Scale {
    total: u128,
    played: u128,
}

impl Scale {
    fn of(traffic: &Traffic) -> Scale {
        Scale {
            total: u128::from(traffic.total),
            played: (traffic.requests.len() as u128).max(1),
        }
    }

    fn real(self, amount: u128) -> u128 {
        (amount * self.total + self.played / 2) / self.played
    }
}

/// All rows together.
#[derive(Default)]
struct Sum {
    requests: u128,
    tokens: u128,
    nano_usd: u128,
    thrown_away: u128,
}

impl Sum {
    fn of<'r>(rows: impl Iterator<Item = &'r Row>) -> Sum {
        rows.fold(Sum::default(), |sum, row| Sum {
            requests: sum.requests + u128::from(row.requests),
            tokens: sum.tokens + u128::from(row.input_tokens) + u128::from(row.output_tokens),
            nano_usd: sum.nano_usd + row.nano_usd,
            thrown_away: sum.thrown_away + u128::from(row.thrown_away),
        })
    }

    /// Nano-USD for a million tokens.
    fn price(&self) -> u128 {
        (self.nano_usd * 1_000_000)
            .checked_div(self.tokens)
            .unwrap_or(0)
    }
}

/// The percentile of times, in milliseconds.
fn at(ms: &[u64], share: f64) -> Option<u64> {
    let last = ms.len().checked_sub(1)?;
    ms.get((last as f64 * share).round() as usize).copied()
}

fn sorted(row: &Row) -> Vec<u64> {
    let mut ms = row.ms.clone();
    ms.sort_unstable();
    ms
}

pub(super) fn write_text(
    traffic: &Traffic,
    played: &[Played],
    seed: u64,
    out: &mut dyn Write,
) -> io::Result<()> {
    let scale = Scale::of(traffic);
    writeln!(out, "{}", traffic.name)?;
    write!(out, "{}", counted(scale.total, "request"))?;
    match scale.total == scale.played {
        true => writeln!(out)?,
        false => writeln!(
            out,
            ", of which {} were drawn with seed {seed}, each for about {} others",
            whole(scale.played),
            short(scale.total / scale.played),
        )?,
    }
    for each in played {
        writeln!(out, "\n{}", each.name)?;
        write_outcome(&each.outcome, scale, out)?;
    }
    if let [a, b] = played {
        writeln!(out, "\ndifference")?;
        write_difference(&a.outcome, &b.outcome, scale, out)?;
    }
    let of_play = played.iter().flat_map(|each| &each.outcome.assumed);
    let mut assumed: Vec<&String> = traffic.assumed.iter().chain(of_play).collect();
    assumed.dedup();
    write_list("assumed", assumed.into_iter(), out)?;
    write_list("sources", traffic.sources.iter(), out)?;
    if traffic.skipped_lines > 0 {
        writeln!(
            out,
            "\nleft out: {}",
            counted(traffic.skipped_lines as u128, "line")
        )?;
        for reason in &traffic.skipped {
            writeln!(out, "  {reason}")?;
        }
    }
    Ok(())
}

fn write_list<'t>(
    title: &str,
    items: impl Iterator<Item = &'t String>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut told: Vec<&String> = Vec::new();
    for item in items.filter(|item| !item.is_empty()) {
        if told.is_empty() {
            writeln!(out, "\n{title}")?;
        }
        if !told.contains(&item) {
            writeln!(out, "  {item}")?;
            told.push(item);
        }
    }
    Ok(())
}

fn write_outcome(outcome: &Outcome, scale: Scale, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new(
        3,
        &[
            "model",
            "by",
            "served by",
            "share",
            "requests",
            "tokens",
            "USD",
            "USD/M tokens",
            "ms p50",
            "p95",
        ],
    );
    for (route, row) in &outcome.routes {
        let by = if route.by.is_empty() { "-" } else { &route.by };
        let names = [&route.model, by, &route.target].map(str::to_owned);
        let numbers = numbers(&Sum::of([row].into_iter()), &sorted(row), scale);
        table.push(names.into_iter().chain(numbers).collect());
    }
    let sum = Sum::of(outcome.routes.values());
    let names = ["together", "", ""].map(str::to_owned);
    let numbers = numbers(&sum, &all_times(outcome), scale);
    table.push(names.into_iter().chain(numbers).collect());
    table.write(out)?;
    write_events(outcome, &sum, scale, out)
}

/// What stands behind the names of a row.
fn numbers(sum: &Sum, times: &[u64], scale: Scale) -> [String; 7] {
    let ms = |share| at(times, share).map_or_else(|| "-".to_owned(), |ms| whole(ms.into()));
    [
        percent(sum.requests, scale.played),
        whole(scale.real(sum.requests)),
        short(scale.real(sum.tokens)),
        usd(scale.real(sum.nano_usd)),
        usd(sum.price()),
        ms(0.5),
        ms(0.95),
    ]
}

fn all_times(outcome: &Outcome) -> Vec<u64> {
    let mut all: Vec<u64> = outcome
        .routes
        .values()
        .flat_map(|row| &row.ms)
        .copied()
        .collect();
    all.sort_unstable();
    all
}

fn write_events(outcome: &Outcome, sum: &Sum, scale: Scale, out: &mut dyn Write) -> io::Result<()> {
    let real = |count: u64, of: &str| counted(scale.real(count.into()), of);
    if outcome.failed_attempts > 0 {
        writeln!(
            out,
            "  {} failed and went on",
            real(outcome.failed_attempts, "attempt")
        )?;
    }
    if sum.thrown_away > 0 {
        let count = counted(scale.real(sum.thrown_away), "answer");
        writeln!(
            out,
            "  {count} too poor for the quality gate, and paid all the same"
        )?;
    }
    for ((budget, refuses), reached) in &outcome.budgets {
        let what = if *refuses {
            "refused"
        } else {
            "sent to the cheaper model"
        };
        let windows = counted(reached.windows.len() as u128, "window");
        writeln!(
            out,
            "  budget {budget}: {} {what}, in {windows}, first at {}",
            real(reached.requests, "request"),
            clock::show(reached.first_ms),
        )?;
    }
    for (reason, count) in &outcome.unserved {
        writeln!(out, "  {} not served: {reason}", real(*count, "request"))?;
    }
    Ok(())
}

/// Cost by what clients ask for.
fn by_model(outcome: &Outcome) -> BTreeMap<&str, Sum> {
    let mut models: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for (route, row) in &outcome.routes {
        models.entry(&route.model).or_default().push(row);
    }
    models
        .into_iter()
        .map(|(model, rows)| (model, Sum::of(rows.into_iter())))
        .collect()
}

fn write_difference(a: &Outcome, b: &Outcome, scale: Scale, out: &mut dyn Write) -> io::Result<()> {
    let (of_a, of_b) = (by_model(a), by_model(b));
    let mut names: Vec<&str> = of_a.keys().chain(of_b.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    let mut table = Table::new(1, &["model", "requests", "USD", "then", "difference", ""]);
    let mut push = |name: &str, a: &Sum, b: &Sum| {
        let (before, after) = (scale.real(a.nano_usd), scale.real(b.nano_usd));
        let sign = if after < before { "-" } else { "+" };
        let gap = after.abs_diff(before);
        table.push(vec![
            name.to_owned(),
            whole(scale.real(b.requests)),
            usd(before),
            usd(after),
            format!("{sign}{}", usd(gap)),
            format!("{sign}{}", percent(gap, before)),
        ]);
    };
    let none = Sum::default();
    for name in names {
        let (a, b) = (
            of_a.get(name).unwrap_or(&none),
            of_b.get(name).unwrap_or(&none),
        );
        push(name, a, b);
    }
    push(
        "together",
        &Sum::of(a.routes.values()),
        &Sum::of(b.routes.values()),
    );
    table.write(out)?;
    let times = [a, b].map(all_times);
    if let [(Some(a), Some(b)), (Some(a95), Some(b95))] =
        [0.5, 0.95].map(|share| (at(&times[0], share), at(&times[1], share)))
    {
        writeln!(
            out,
            "  latency: p50 from {} to {} ms, p95 from {} to {} ms",
            whole(a.into()),
            whole(b.into()),
            whole(a95.into()),
            whole(b95.into()),
        )?;
    }
    Ok(())
}

pub(super) fn to_json(traffic: &Traffic, played: &[Played], seed: u64) -> Value {
    let scale = Scale::of(traffic);
    let configs: Vec<Value> = played.iter().map(|each| config_json(each, scale)).collect();
    let of_play = played.iter().flat_map(|each| &each.outcome.assumed);
    let assumed: std::collections::BTreeSet<&String> =
        traffic.assumed.iter().chain(of_play).collect();
    let cost = |each: &Played| scale.real(Sum::of(each.outcome.routes.values()).nano_usd);
    json!({
        "traffic": {
            "name": traffic.name,
            "requests": traffic.total,
            "played": traffic.requests.len(),
            "seed": seed,
            "left_out_lines": traffic.skipped_lines,
            "left_out": traffic.skipped,
            "sources": traffic.sources,
        },
        "configurations": configs,
        "difference_nano_usd": match played {
            [a, b] => json!(i128_of(cost(b)) - i128_of(cost(a))),
            _ => Value::Null,
        },
        "assumed": assumed,
    })
}

fn i128_of(nano: u128) -> i64 {
    i64::try_from(nano).unwrap_or(i64::MAX)
}

fn config_json(played: &Played, scale: Scale) -> Value {
    let real = |amount: u128| u64::try_from(scale.real(amount)).unwrap_or(u64::MAX);
    let outcome = &played.outcome;
    let routes = outcome.routes.iter().map(|(route, row)| {
        let times = sorted(row);
        json!({
            "model": route.model,
            "by": route.by,
            "served_by": route.target,
            "requests": real(row.requests.into()),
            "input_tokens": real(row.input_tokens.into()),
            "output_tokens": real(row.output_tokens.into()),
            "cost_nano_usd": real(row.nano_usd),
            "thrown_away": real(row.thrown_away.into()),
            "ms_p50": at(&times, 0.5),
            "ms_p95": at(&times, 0.95),
        })
    });
    let budgets = outcome.budgets.iter().map(|((budget, refuses), reached)| {
        json!({
            "budget": budget,
            "limit": if *refuses { "hard" } else { "soft" },
            "requests": real(reached.requests.into()),
            "windows": reached.windows.len(),
            "first": clock::show(reached.first_ms),
        })
    });
    let unserved = outcome.unserved.iter();
    let unserved = unserved.map(|(reason, count)| (reason.clone(), json!(real((*count).into()))));
    let sum = Sum::of(outcome.routes.values());
    json!({
        "name": played.name,
        "requests": real(sum.requests),
        "cost_nano_usd": real(sum.nano_usd),
        "failed_attempts": real(outcome.failed_attempts.into()),
        "routes": routes.collect::<Vec<_>>(),
        "budgets": budgets.collect::<Vec<_>>(),
        "unserved": unserved.collect::<serde_json::Map<_, _>>(),
    })
}
