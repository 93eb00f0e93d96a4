//! `pointsman render`: the mesh's own YAML.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::args::{
    IstioKeys, IstioVariant, LimitsReader, Names, RenderCommand, RenderEnvoyArgs, RenderIstioArgs,
    RenderLimitsArgs, TelemetryArgs,
};
use super::{Outcome, load};
use crate::config::{Config, GenAiNames, Telemetry};
use crate::render::envoy::{self, MAX_CHAINS};
use crate::render::istio::{self, GatewayTls, KeySupply, Label, Options, Refused, Variant};
use crate::render::{LimitsFormat, limits};

pub(super) fn run(
    command: &RenderCommand,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Outcome> {
    match command {
        RenderCommand::Envoy(args) => render_envoy(args, out, err),
        RenderCommand::Istio(args) => render_istio(args, out, err),
        RenderCommand::Limits(args) => render_limits(args, out, err),
    }
}

fn render_limits(
    args: &RenderLimitsArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Outcome> {
    let Some((config, _)) = load(&args.file, err)? else {
        return Ok(Outcome::Refused);
    };
    let format = match args.format {
        LimitsReader::Envoy => LimitsFormat::Envoy,
        LimitsReader::Limitador => LimitsFormat::Limitador,
    };
    match limits(&config, format) {
        Some(yaml) => {
            out.write_all(yaml.as_bytes())?;
            Ok(Outcome::Done)
        }
        None => {
            let expected = "expected a budget of scope: fleet";
            writeln!(
                err,
                "{}: budgets: found none for a rate limit service, {expected}",
                args.file
            )?;
            Ok(Outcome::Refused)
        }
    }
}

fn render_envoy(
    args: &RenderEnvoyArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Outcome> {
    let Some((mut config, document)) = load(&args.file, err)? else {
        return Ok(Outcome::Refused);
    };
    config.envoy.telemetry = telemetry(&args.telemetry);
    let version = args.envoy.with_chains(args.chains);
    let reasons = envoy::unable(&config, version);
    for reason in &reasons {
        writeln!(err, "{}: {reason}", args.file)?;
    }
    if !reasons.is_empty() {
        return Ok(Outcome::Refused);
    }
    if let Some(folder) = &args.secrets {
        write_secret_files(&config, folder)?;
    }
    let document = document.to_string();
    let rendered = match &args.xds {
        None => envoy::render(&config, &document, version).map(|yaml| (yaml, None)),
        Some(folder) => {
            let watched = envoy::watched(&config, &document, version, &folder.to_string_lossy());
            watched.map(|watched| (watched.bootstrap, Some((folder, watched.files))))
        }
    };
    match rendered {
        Ok((yaml, files)) => {
            if let Some((folder, files)) = files {
                write_secret_files(&envoy::with_secrets_in(&config, folder), folder)?;
                replace_files(folder, &files)?;
            }
            out.write_all(yaml.as_bytes())?;
            Ok(Outcome::Done)
        }
        Err(error) => {
            writeln!(
                err,
                "{}: Envoy {} needs a cluster for every order of candidates: found {}, at most \
                 {MAX_CHAINS}; use fewer candidates, the priority policy, or Envoy 1.39 and later",
                args.file, version, error.needed
            )?;
            Ok(Outcome::Refused)
        }
    }
}

fn telemetry(args: &TelemetryArgs) -> Telemetry {
    Telemetry {
        names: match args.names {
            Names::Latest => GenAiNames::Latest,
            Names::Legacy => GenAiNames::Legacy,
            Names::Both => GenAiNames::Both,
        },
        otlp: args.otlp.clone(),
    }
}

/// Each file whole or not at all: Envoy reads it when it is renamed.
fn replace_files(folder: &Path, files: &[(String, String)]) -> io::Result<()> {
    for (name, text) in files {
        let file = folder.join(name);
        if fs::read_to_string(&file).is_ok_and(|there| there == *text) {
            continue;
        }
        let aside = folder.join(format!(".{name}"));
        fs::write(&aside, text)?;
        fs::rename(aside, file)?;
    }
    Ok(())
}

/// The files that Envoy watches, and by which it finds secrets.
pub(super) fn write_secret_files(config: &Config, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, text) in envoy::secret_files(config) {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}

fn render_istio(
    args: &RenderIstioArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Outcome> {
    let Some((mut config, document)) = load(&args.file, err)? else {
        return Ok(Outcome::Refused);
    };
    config.envoy.telemetry = telemetry(&args.telemetry);
    if let Some(image) = &args.pods {
        if args.variant != IstioVariant::Sidecar {
            let expected = "expected --variant sidecar: a gateway's own pods come with --workload";
            writeln!(err, "--pods: found the variant gateway, {expected}")?;
            return Ok(Outcome::Refused);
        }
        let patch = istio::pods(&config, &options(args), image, &command());
        out.write_all(patch.as_bytes())?;
        return Ok(Outcome::Done);
    }
    match istio::render(&config, &document.to_string(), &options(args), &command()) {
        Ok(yaml) => {
            out.write_all(yaml.as_bytes())?;
            Ok(Outcome::Done)
        }
        Err(Refused::TooManyChains(error)) => {
            writeln!(
                err,
                "{}: Istio 1.30 and earlier need a cluster for every order of candidates: found {}, \
                 at most {MAX_CHAINS}; use fewer candidates, the priority policy, or Istio 1.31 and \
                 later",
                args.file, error.needed
            )?;
            Ok(Outcome::Refused)
        }
        Err(Refused::Unable(reasons)) => {
            for reason in reasons {
                writeln!(err, "{}: {reason}", args.file)?;
            }
            Ok(Outcome::Refused)
        }
        Err(Refused::RemoteModule(version)) => {
            writeln!(
                err,
                "--module: found a remote module for Istio {version}, expected a path: where its agent \
                 cannot fetch a module, that proxy refuses the stand-in and every update after it; \
                 mount the module as a file, or render for Istio 1.31 and later only"
            )?;
            Ok(Outcome::Refused)
        }
    }
}

fn options(args: &RenderIstioArgs) -> Options {
    let label = |name: &str, value: &str| Label {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let (variant, selector, port) = match (args.variant, &args.tls) {
        (IstioVariant::Gateway, GatewayTls::Plain) => {
            (Variant::Gateway, label("istio", &args.name), 80)
        }
        (IstioVariant::Gateway, _) => (Variant::Gateway, label("istio", &args.name), 443),
        (IstioVariant::Sidecar, _) => (Variant::Sidecar, label(&args.name, "enabled"), 4000),
    };
    let host = || format!("llm.{}.svc.cluster.local", args.namespace);
    Options {
        variant,
        versions: args.istio.clone(),
        name: args.name.clone(),
        namespace: args.namespace.clone(),
        selector: args.selector.clone().unwrap_or(selector),
        host: args.host.clone().unwrap_or_else(host),
        port: args.port.unwrap_or(port),
        tls: args.tls.clone(),
        module: args.module.clone(),
        keys: match args.keys {
            IstioKeys::Secret => KeySupply::Files,
            IstioKeys::Env => KeySupply::Environment,
        },
        workload_image: args.workload.clone(),
    }
}

/// What was typed.
fn command() -> String {
    let arguments = std::env::args().skip(1);
    let quoted = arguments.map(|argument| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@".contains(c);
        match argument.chars().all(is_plain) && !argument.is_empty() {
            true => argument,
            false => format!("'{}'", argument.replace('\'', "'\\''")),
        }
    });
    let words: Vec<String> = std::iter::once("pointsman".to_owned())
        .chain(quoted)
        .collect();
    words.join(" ")
}
