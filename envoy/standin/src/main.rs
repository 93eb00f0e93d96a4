//! Stand-in providers on fixed addresses, until a signal ends them.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use pointsman_standin::{ControlServer, Options, Standin, Vendor};
use tokio::signal::unix::{SignalKind, signal};

/// Stand-ins for model providers that fail on command.
///
/// Each flag may be repeated. The n-th key belongs to the n-th address of its
/// vendor; stand-ins without a key take any.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address of an OpenAI stand-in.
    #[arg(long, value_name = "ADDRESS")]
    openai: Vec<SocketAddr>,
    /// The key it lets in.
    #[arg(long, value_name = "KEY")]
    openai_key: Vec<String>,
    /// Address of an Anthropic stand-in.
    #[arg(long, value_name = "ADDRESS")]
    anthropic: Vec<SocketAddr>,
    /// The key it lets in.
    #[arg(long, value_name = "KEY")]
    anthropic_key: Vec<String>,
    /// Address of a Gemini stand-in.
    #[arg(long, value_name = "ADDRESS")]
    gemini: Vec<SocketAddr>,
    /// The key it lets in.
    #[arg(long, value_name = "KEY")]
    gemini_key: Vec<String>,
    /// Address of a Bedrock stand-in.
    #[arg(long, value_name = "ADDRESS")]
    bedrock: Vec<SocketAddr>,
    /// The key it lets in: ACCESS:SECRET to verify signatures, else a bearer token.
    #[arg(long, value_name = "KEY")]
    bedrock_key: Vec<String>,
    /// Address of a Cohere stand-in.
    #[arg(long, value_name = "ADDRESS")]
    cohere: Vec<SocketAddr>,
    /// The key it lets in.
    #[arg(long, value_name = "KEY")]
    cohere_key: Vec<String>,
    /// Address of a Mistral stand-in.
    #[arg(long, value_name = "ADDRESS")]
    mistral: Vec<SocketAddr>,
    /// The key it lets in.
    #[arg(long, value_name = "KEY")]
    mistral_key: Vec<String>,
    /// Address of a DeepSeek stand-in.
    #[arg(long, value_name = "ADDRESS")]
    deepseek: Vec<SocketAddr>,
    /// The key it lets in.
    #[arg(long, value_name = "KEY")]
    deepseek_key: Vec<String>,
    /// Address of a Qwen stand-in.
    #[arg(long, value_name = "ADDRESS")]
    qwen: Vec<SocketAddr>,
    /// The key it lets in.
    #[arg(long, value_name = "KEY")]
    qwen_key: Vec<String>,
    /// Address of a control listener for all of them, under /_standin/NAME/.
    #[arg(long, value_name = "ADDRESS")]
    control: Option<SocketAddr>,
    /// File to create when all of them listen.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Count requests without keeping them.
    #[arg(long)]
    no_recording: bool,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let mut terminated = signal(SignalKind::terminate())?;
    let standins = start(&arguments).await?;
    let targets = standins
        .iter()
        .map(|(name, standin)| (name.clone(), standin.control()))
        .collect();
    let control = match arguments.control {
        Some(address) => Some(ControlServer::start(address, targets).await?),
        None => None,
    };
    if let Some(control) = &control {
        println!("control ready on {}", control.address());
    }
    if let Some(file) = &arguments.ready_file {
        std::fs::write(file, "ready\n")?;
    }
    tokio::select! {
        _ = terminated.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    for (_, standin) in standins {
        standin.stop().await;
    }
    Ok(())
}

async fn start(arguments: &Arguments) -> io::Result<Vec<(String, Standin)>> {
    let mut standins = Vec::new();
    for (vendor, name, addresses, keys) in [
        (
            Vendor::OpenAi,
            "openai",
            &arguments.openai,
            &arguments.openai_key,
        ),
        (
            Vendor::Anthropic,
            "anthropic",
            &arguments.anthropic,
            &arguments.anthropic_key,
        ),
        (
            Vendor::Gemini,
            "gemini",
            &arguments.gemini,
            &arguments.gemini_key,
        ),
        (
            Vendor::Bedrock,
            "bedrock",
            &arguments.bedrock,
            &arguments.bedrock_key,
        ),
        (
            Vendor::Cohere,
            "cohere",
            &arguments.cohere,
            &arguments.cohere_key,
        ),
        (
            Vendor::Mistral,
            "mistral",
            &arguments.mistral,
            &arguments.mistral_key,
        ),
        (
            Vendor::DeepSeek,
            "deepseek",
            &arguments.deepseek,
            &arguments.deepseek_key,
        ),
        (Vendor::Qwen, "qwen", &arguments.qwen, &arguments.qwen_key),
    ] {
        for (index, address) in addresses.iter().enumerate() {
            let options = Options {
                vendor,
                address: *address,
                key: keys.get(index).cloned(),
            };
            let standin = Standin::start(options).await.map_err(|error| {
                io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"))
            })?;
            standin.control().set_recording(!arguments.no_recording);
            let name = numbered(name, index);
            println!("{name} ready on {}", standin.address());
            standins.push((name, standin));
        }
    }
    Ok(standins)
}

/// `openai`, `openai-2`, `openai-3`, …
fn numbered(name: &str, index: usize) -> String {
    match index {
        0 => name.to_owned(),
        _ => format!("{name}-{}", index + 1),
    }
}
