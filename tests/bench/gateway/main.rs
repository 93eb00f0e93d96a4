//! What Pointsman costs per request, against the same Envoy without it.
//!
//! ```sh
//! cargo build --release -p pointsman-filter -p pointsman-noop --target wasm32-wasip1
//! cargo bench --profile cli --bench gateway -- --envoy "$(envoy/fetch.sh 1.40.0)" [--quick]
//! ```
//!
//! Envoy has one worker on one core; load and upstreams share another. Every target is measured
//! in every round, so that what disturbs the machine disturbs all of them, and only ratios
//! within a round are compared. Linux only: CPU time comes from `/proc`.
#![allow(missing_docs, reason = "a program, not an interface")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a benchmark that cannot go on ends"
)]

mod http;
mod load;
mod measure;
mod process;
mod report;
mod scene;
mod upstream;
mod vendors;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;

use measure::{Plan, Results};
use process::Envoy;
use scene::{BROKEN, Scene, Variant};
use vendors::VENDORS;

/// Measures Pointsman against plain Envoy.
#[derive(Parser)]
struct Arguments {
    /// Envoy's binary.
    #[arg(long)]
    envoy: PathBuf,
    /// Its version, for the rendering.
    #[arg(long, default_value = "1.40.0")]
    version: String,
    /// Pointsman's module.
    #[arg(long, default_value = "target/pointsman.wasm")]
    module: PathBuf,
    /// The module that does nothing.
    #[arg(
        long,
        default_value = "target/wasm32-wasip1/release/pointsman_noop.wasm"
    )]
    noop: PathBuf,
    /// Fewer and shorter rounds: under 90 seconds, and noisier.
    #[arg(long)]
    quick: bool,
    /// Rounds, instead of 5 (3 with --quick).
    #[arg(long)]
    rounds: Option<usize>,
    /// Connections at once in whole replies.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Body sizes in KiB.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 256])]
    sizes: Vec<usize>,
    /// Whole replies only: neither streams nor failover.
    #[arg(long)]
    whole_only: bool,
    /// Another module of Pointsman's to compare with, as a target of its own.
    #[arg(long)]
    baseline: Option<PathBuf>,
    /// File for the results as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Core of Envoy.
    #[arg(long, default_value_t = 0)]
    envoy_core: usize,
    /// Core of load and upstreams.
    #[arg(long, default_value_t = 1)]
    load_core: usize,
    /// What `cargo bench` adds; without meaning here.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gateway benchmark: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<()> {
    let began = Instant::now();
    process::pin_this_process(arguments.load_core)?;
    let folder = std::env::temp_dir().join(format!("pointsman-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(measure(arguments, &folder));
    fs::remove_dir_all(&folder)?;
    let results = outcome?;
    print!("{}", report::text(&results));
    println!("\n{} s", began.elapsed().as_secs());
    match &arguments.json {
        Some(path) => fs::write(path, format!("{:#}\n", report::json(&results))),
        None => Ok(()),
    }
}

async fn measure(arguments: &Arguments, folder: &Path) -> io::Result<Results> {
    let upstreams = upstreams().await?;
    let starts = if arguments.quick { 1 } else { 3 };
    let module = fs::canonicalize(&arguments.module).map_err(|e| named(&arguments.module, &e))?;
    let mut variants = vec![
        (Variant::Plain, module.clone()),
        (Variant::Noop, module.clone()),
        (Variant::Pointsman, module.clone()),
    ];
    if let Some(baseline) = &arguments.baseline {
        let baseline = fs::canonicalize(baseline).map_err(|e| named(baseline, &e))?;
        variants.push((Variant::Baseline, baseline));
    }
    let mut results = Results::default();
    let mut envoys = BTreeMap::new();
    for (variant, module) in variants {
        let envoy = start(arguments, folder, variant, &module, &upstreams, starts)?;
        results.started(variant, envoy.0, envoy.1.rss_kib()?);
        envoys.insert(variant, envoy.1);
    }
    results.module_bytes = fs::metadata(&module)?.len();
    let plan = Plan {
        rounds: arguments
            .rounds
            .unwrap_or(if arguments.quick { 3 } else { 5 }),
        time: Duration::from_millis(if arguments.quick { 700 } else { 1500 }),
        connections: arguments.connections,
        sizes: arguments.sizes.iter().map(|kib| kib * 1024).collect(),
        whole_only: arguments.whole_only,
    };
    measure::all(&plan, &envoys, &mut results).await?;
    for (variant, envoy) in &envoys {
        results.ended(*variant, envoy.rss_kib()?);
    }
    Ok(results)
}

/// The last of several starts, and the median of their times.
fn start(
    arguments: &Arguments,
    folder: &Path,
    variant: Variant,
    module: &Path,
    upstreams: &BTreeMap<String, SocketAddr>,
    starts: usize,
) -> io::Result<(Duration, Envoy)> {
    let noop = fs::canonicalize(&arguments.noop).map_err(|e| named(&arguments.noop, &e))?;
    let scene = Scene {
        upstreams,
        version: &arguments.version,
        module,
        noop: &noop,
    };
    let mut times = Vec::new();
    loop {
        let port = process::free_port()?;
        let bootstrap = scene.bootstrap(variant, port)?;
        let name = format!("{variant:?}");
        let core = arguments.envoy_core;
        let envoy = Envoy::start(&arguments.envoy, core, &bootstrap, port, folder, &name)?;
        times.push(envoy.start);
        if times.len() == starts {
            times.sort_unstable();
            return Ok((times[starts / 2], envoy));
        }
    }
}

async fn upstreams() -> io::Result<BTreeMap<String, SocketAddr>> {
    let mut upstreams = BTreeMap::new();
    for vendor in VENDORS {
        let whole = upstream::listen(vendors::reply(vendor)).await?;
        upstreams.insert(vendor.to_owned(), whole);
        let stream = upstream::listen(vendors::stream(vendor)).await?;
        upstreams.insert(scene::streaming(vendor), stream);
    }
    let broken = upstream::listen(vendors::unavailable()).await?;
    upstreams.insert(BROKEN.to_owned(), broken);
    Ok(upstreams)
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
