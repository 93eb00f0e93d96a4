//! A rate limit service for tests: Limitador's limits, counted in Redis, behind Envoy's protocol.
//!
//! It does what the reference service does and Limitador's own server does not: each descriptor
//! has hits of its own, which may be negative and then are given back.

mod counts;
mod service;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_service_server::RateLimitServiceServer;
use limitador::limit::Limit;
use tonic::transport::Server;

use counts::Counts;
use service::Service;

/// Answers Envoy's rate limit protocol.
#[derive(Parser)]
struct Args {
    /// Limitador's limits, in YAML.
    limits: PathBuf,
    /// Where to listen.
    #[arg(long)]
    listen: SocketAddr,
    /// Where Redis is.
    #[arg(long)]
    redis: String,
    /// Count requests that are refused, too, as the reference service does.
    #[arg(long)]
    counts_refused: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pointsman-ratelimit: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let limits: Vec<Limit> = serde_yaml_ng::from_str(&std::fs::read_to_string(&args.limits)?)?;
    let service = Service::new(
        limits,
        Counts::open(&args.redis).await?,
        args.counts_refused,
    );
    Server::builder()
        .add_service(RateLimitServiceServer::new(service))
        .serve(args.listen)
        .await?;
    Ok(())
}
