//! `pointsman run`: a gateway on this machine, with stand-ins for providers without a key.

mod demo;
mod proxy;
mod standins;

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::args::RunArgs;
use super::render::write_secret_files;
use super::{Outcome, load};
use crate::config::{Config, Problem};
use crate::render::envoy;
use proxy::Proxy;
use standins::Standins;

/// How long Envoy may take to listen; it compiles the module first.
const START_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn run(args: &RunArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Outcome> {
    let file = args.file.display().to_string();
    let Some((config, mut document)) = load(&file, err)? else {
        return Ok(Outcome::Refused);
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let standins = runtime.block_on(Standins::start(&config))?;
    standins.take_over(&mut document);
    let module = proxy::find_module(args.module.as_deref())?;
    document["envoy"]["module"] = json!(module);
    let mut served = reload(&document)?;
    for provider in served.providers.values_mut() {
        let said = config.provider(&provider.name);
        let own = said.filter(|said| !standins.stands_in_for(&said.name));
        provider.oauth = own.and_then(|said| said.oauth.clone());
    }
    let config = served;
    let proxy = start(args, &config, &document, &standins)?;
    let base = format!("http://{}:{}", config.envoy.address, config.envoy.port);
    proxy.wait_until_ready(&format!("{base}{}/models", config.base_path), START_TIMEOUT)?;
    announce(&config, &standins, &base, &proxy, out)?;
    if args.demo {
        demo::show(
            &config,
            &standins,
            &format!("{base}{}", config.base_path),
            out,
        )?;
    }
    writeln!(
        out,
        "\nlistening on {base}{}, until Ctrl-C",
        config.base_path
    )?;
    out.flush()?;
    runtime.block_on(proxy.run_until_interrupted())?;
    Ok(Outcome::Done)
}

fn start(
    args: &RunArgs,
    config: &Config,
    document: &Value,
    standins: &Standins,
) -> io::Result<Proxy> {
    let binary = proxy::find_envoy(args.envoy.as_deref())?;
    let version = proxy::version_of(&binary)?;
    let reasons = envoy::unable(config, version);
    if !reasons.is_empty() {
        return Err(io::Error::other(reasons.join("\n")));
    }
    if let Some(folder) = &config.envoy.secrets {
        write_secret_files(config, Path::new(folder))?;
    }
    let rendered = envoy::render(config, &document.to_string(), version).map_err(|error| {
        io::Error::other(format!(
            "Envoy {version} would need {} static chains",
            error.needed
        ))
    })?;
    Proxy::start(&binary, &rendered, &standins.keys())
}

fn reload(document: &Value) -> io::Result<Config> {
    let text = document.to_string();
    let (config, _) = Config::from_json(text.as_bytes()).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
        io::Error::other(lines.join("\n"))
    })?;
    Ok(config)
}

fn announce(
    config: &Config,
    standins: &Standins,
    base: &str,
    proxy: &Proxy,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "{} with Pointsman", proxy.title())?;
    for provider in config.providers.values() {
        let endpoint = provider.endpoint.authority();
        let what = if standins.stands_in_for(&provider.name) {
            "stand-in"
        } else {
            "real"
        };
        writeln!(out, "  provider  {:12} {what:9} {endpoint}", provider.name)?;
    }
    for model in config.models.values() {
        let who: Vec<String> = model
            .candidates
            .iter()
            .map(|c| format!("{}/{}", c.provider, c.model))
            .collect();
        writeln!(
            out,
            "  model     {:12} {:9} {}",
            model.name,
            model.policy.names(),
            who.join(", ")
        )?;
    }
    writeln!(out, "  log       {}", proxy.log_path().display())?;
    let model = config.models.keys().next().map_or("", String::as_str);
    writeln!(
        out,
        "\ntry\n  curl {base}{}/chat/completions -d \
         '{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}}]}}'\n\
         or any OpenAI SDK with base_url=\"{base}{}\" and any api_key",
        config.base_path, config.base_path
    )
}
