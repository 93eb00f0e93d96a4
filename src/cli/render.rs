//! `pointsman render`: the mesh's own YAML.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::args::{RenderCommand, RenderEnvoyArgs};
use super::{Outcome, load};
use crate::config::Config;
use crate::render::envoy::{self, MAX_CHAINS};

pub(super) fn run(
    command: &RenderCommand,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Outcome> {
    match command {
        RenderCommand::Envoy(args) => render_envoy(args, out, err),
    }
}

fn render_envoy(
    args: &RenderEnvoyArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Outcome> {
    let Some((config, document)) = load(&args.file, err)? else {
        return Ok(Outcome::Refused);
    };
    let reasons = envoy::unable(&config, args.envoy);
    for reason in &reasons {
        writeln!(err, "{}: {reason}", args.file)?;
    }
    if !reasons.is_empty() {
        return Ok(Outcome::Refused);
    }
    if let Some(folder) = &args.secrets {
        write_secret_files(&config, folder)?;
    }
    match envoy::render(&config, &document.to_string(), args.envoy) {
        Ok(yaml) => {
            out.write_all(yaml.as_bytes())?;
            Ok(Outcome::Done)
        }
        Err(error) => {
            writeln!(
                err,
                "{}: Envoy {} needs a cluster for every order of candidates: found {}, at most \
                 {MAX_CHAINS}; use fewer candidates, the priority policy, or Envoy 1.39 and later",
                args.file, args.envoy, error.needed
            )?;
            Ok(Outcome::Refused)
        }
    }
}

/// The files that Envoy watches, and by which it finds secrets.
pub(super) fn write_secret_files(config: &Config, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, text) in envoy::secret_files(config) {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}
