//! What accounting for one request costs: its usage read, its cost reckoned, a budget reserved and
//! settled, its metrics named. What the host does besides, with shared data and counters, is left
//! out: `make bench` has it in its figures.
//!
//! The same program runs natively and, as a WASI command, in Node's V8, which is Envoy's engine.

use std::hint::black_box;
use std::time::Instant;

use pointsman::budget::{self, Limit, Who, Window};
use pointsman::catalog::cost::{Percent, Tariff, usd};
use pointsman::catalog::price::{Price, Prices};
use pointsman::json;
use pointsman::metrics::of_observation;
use pointsman::observed::{Bill, Memory, Observation, Payer, Update};
use pointsman::schema::openai::ReplyUsage;
use pointsman::usage::{Tier, Usage};

const NOW_MS: u64 = 1_763_000_000_000;

/// Accounts on the page of a book: 16000 of them are on 1024 pages.
const ACCOUNTS: [u64; 2] = [1, 16];

fn main() {
    println!("{:<42}  {:>8}", "step", "us");
    let mut sum = 0.0;
    let mut tell = |step: &str, us: f64, counts: bool| {
        println!("{step:<42}  {us:>8.2}");
        sum += if counts { us } else { 0.0 };
    };
    tell("usage, read", measure(|| read(black_box(USAGE))), true);
    let (tariff, usage) = (tariff(), usage());
    let cost = || tariff.nano_usd(black_box(&usage)).map(usd);
    tell(
        "cost, with a tier and a long prompt's price",
        measure(cost),
        true,
    );
    for accounts in ACCOUNTS {
        let books = books(accounts);
        let step = format!("a budget, reserved and settled, {accounts} on a page");
        tell(&step, measure(|| hold(&books)), accounts == ACCOUNTS[1]);
    }
    let observation = observation(usage);
    let mut name = String::new();
    let count = || {
        of_observation(black_box(&observation), &mut |sample| {
            name.clear();
            sample.write_name(&mut name);
        });
        black_box(&name).len()
    };
    tell("metrics of an answer, named", measure(count), true);
    println!("{:<42}  {sum:>8.2}", "together, with one budget of 16");
}

/// The least of many short rounds, in microseconds: whatever else the machine does only adds.
#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn measure<T>(mut once: impl FnMut() -> T) -> f64 {
    const ROUNDS: usize = 400;
    const TIMES: u32 = 50;
    let mut least = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..TIMES {
            black_box(once());
        }
        least = least.min(start.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES));
    }
    least
}

/// `usage`, as OpenAI writes it.
const USAGE: &str = r#"{"prompt_tokens":1310,"completion_tokens":250,"total_tokens":1560,"prompt_tokens_details":{"cached_tokens":1000,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":120,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}"#;

fn read(usage: &str) -> Option<Usage> {
    let read: ReplyUsage<'_> = json::read(usage.as_bytes()).ok()?;
    Some(Usage::from(&read))
}

fn tariff() -> Tariff {
    let price = |quote: &str| Price::from_quote(quote);
    let prices = Prices {
        input: price("2.5"),
        cached_input: price("0.25"),
        output: price("15"),
        ..Prices::default()
    };
    Tariff {
        above: vec![(272_000, prices.clone())],
        percent: Percent {
            flex: Some(50),
            ..Percent::default()
        },
        prices,
    }
}

fn usage() -> Usage {
    Usage {
        input_tokens: 1310,
        output_tokens: 250,
        cached_input_tokens: 1000,
        reasoning_tokens: 120,
        tier: Tier::Flex,
        ..Usage::default()
    }
}

fn observation(usage: Usage) -> Observation {
    Observation {
        provider: "openai".to_owned(),
        model: "gpt-5.4".to_owned(),
        update: Update {
            total_ms: Some(900),
            outcome: Some(Ok(())),
            ..Update::default()
        },
        bill: Some(Box::new(Bill {
            saved_nano_usd: 0,
            gained_nano_usd: 0,
            usage,
            nano_usd: 2_386_000,
            payer: Payer {
                model: "smart".to_owned(),
                rule: "gold".to_owned(),
                team: "search".to_owned(),
            },
        })),
        ..Observation::default()
    }
}

const LIMIT: Limit = Limit {
    most: u64::MAX / 2,
    window: Window::Day,
    lapse_ms: budget::USUAL_LAPSE_MS,
};

fn account(id: u64) -> Who<'static> {
    Who { id, name: "search" }
}

/// A page of a book with so many accounts on it.
fn books(accounts: u64) -> Memory {
    let books = Memory::default();
    for who in 0..accounts {
        // Those on one page differ by the number of pages.
        let held = budget::reserve(&books, "team-day", account(who * 1024), 1, LIMIT, NOW_MS);
        held.iter().for_each(|held| {
            held.settle(&books, LIMIT, 1, NOW_MS);
        });
    }
    books
}

fn hold(books: &Memory) -> bool {
    let held = budget::reserve(books, "team-day", account(0), 2_000, LIMIT, NOW_MS);
    held.iter().for_each(|held| {
        held.settle(books, LIMIT, 1_560, NOW_MS);
    });
    held.is_ok()
}
