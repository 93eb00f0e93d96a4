//! What may be typed. The doc comments are the help.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use super::simulate::SimulateArgs;
use crate::catalog::Ability;
use crate::catalog::date::Date;
use crate::catalog::price::Price;
use crate::config::Endpoint;
use crate::render::envoy::EnvoyVersion;
use crate::render::istio::{GatewayTls, IstioVersion, Label, Module};

/// The LLM gateway that is already in your mesh.
///
/// Pointsman turns Envoy or Istio into a gateway for several model providers. Everything is
/// declared in one file, pointsman.yaml.
#[derive(Debug, Parser)]
#[command(name = "pointsman", version, after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  pointsman check pointsman.yaml                  list every mistake, or what was understood
  pointsman check pointsman.yaml --format json    the same for machines
  pointsman render envoy pointsman.yaml           an Envoy bootstrap, filter and all
  pointsman render istio pointsman.yaml           the same for an Istio mesh, as its objects
  pointsman lint manifests.yaml                   mistakes that no schema refuses
  pointsman translate pointsman.yaml --model smart --provider anthropic < body.json
                                                  what that provider would be sent
  pointsman explain pointsman.yaml --request body.json
                                                  why that request would go where
  pointsman simulate --config pointsman.yaml access.log
                                                  what that traffic costs, or would elsewhere
  pointsman run pointsman.yaml                    a gateway on this machine, to try it out
  pointsman schema > pointsman.schema.json        completion and checks in your editor
  pointsman models --can vision --sort price      what known models can do, and cost

Exit codes: 0 done, 1 the file is refused, 2 wrong usage or unreadable file.";

/// One file each in this folder.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Check(CheckArgs),
    /// Write what the mesh needs
    #[command(subcommand)]
    Render(RenderCommand),
    Lint(LintArgs),
    Explain(ExplainArgs),
    Translate(TranslateArgs),
    Simulate(SimulateArgs),
    Run(RunArgs),
    Schema(SchemaArgs),
    Models(ModelsArgs),
}

/// Print the JSON Schema of pointsman.yaml, for editors
#[derive(Debug, clap::Args)]
#[command(after_help = SCHEMA_EXAMPLES)]
pub(super) struct SchemaArgs {
    /// JSON Schema, or a reference to read
    #[arg(long, value_enum, default_value_t = SchemaFormat::Json)]
    pub(super) format: SchemaFormat,
}

/// What the schema is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaFormat {
    /// JSON Schema, draft 2020-12
    Json,
    /// Tables for people
    Markdown,
}

const SCHEMA_EXAMPLES: &str = "\
Example:
  pointsman schema > pointsman.schema.json
  then begin pointsman.yaml with:
  # yaml-language-server: $schema=pointsman.schema.json";

/// Check pointsman.yaml and list every problem at once
///
/// Problems say where (line and column, path), what was found, what is expected, and often a
/// way out. Without problems, one line per model says what was understood.
#[derive(Debug, clap::Args)]
#[command(after_help = CHECK_EXAMPLES)]
pub(super) struct CheckArgs {
    /// The file, or - for standard input
    pub(super) file: String,
    /// How to write the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// Warn of models that have been shut down by this day
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(super) today: Option<Date>,
    /// Refuse what this Envoy cannot do, too
    #[arg(long, value_name = "VERSION")]
    pub(super) envoy: Option<EnvoyVersion>,
}

const CHECK_EXAMPLES: &str = "\
Examples:
  pointsman check pointsman.yaml
  helm template . | yq '.data[\"pointsman.yaml\"]' | pointsman check -
  pointsman check pointsman.yaml --today \"$(date +%F)\"
  pointsman check pointsman.yaml --format json | jq '.problems[].path'";

/// What can be rendered.
#[derive(Debug, Subcommand)]
pub(super) enum RenderCommand {
    Envoy(RenderEnvoyArgs),
    Istio(Box<RenderIstioArgs>),
    Limits(RenderLimitsArgs),
}

/// Write the rate limit service's limits: those of budgets of the fleet
#[derive(Debug, clap::Args)]
#[command(after_help = RENDER_LIMITS_EXAMPLES)]
pub(super) struct RenderLimitsArgs {
    /// The file, or - for standard input
    pub(super) file: String,
    /// Who reads them: the reference service, envoyproxy/ratelimit, or Limitador
    #[arg(long, value_enum, default_value_t = LimitsReader::Envoy)]
    pub(super) format: LimitsReader,
}

const RENDER_LIMITS_EXAMPLES: &str = "\
Examples:
  pointsman render limits pointsman.yaml > /data/ratelimit/config/pointsman.yaml
  pointsman render limits pointsman.yaml --format limitador > limits.yaml";

/// Who reads limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum LimitsReader {
    Envoy,
    Limitador,
}

/// Write an Envoy bootstrap: listener, filter, providers' clusters
///
/// Envoy 1.39 and later choose a cluster for each attempt; 1.37 and 1.38 get one aggregate
/// cluster for each order of candidates. Keys are never written: the bootstrap says where Envoy
/// finds them.
#[derive(Debug, clap::Args)]
#[command(after_help = RENDER_ENVOY_EXAMPLES)]
pub(super) struct RenderEnvoyArgs {
    /// The file, or - for standard input
    pub(super) file: String,
    /// Which Envoy it is for
    #[arg(long, value_name = "VERSION", default_value = "1.40")]
    pub(super) envoy: EnvoyVersion,
    /// A cluster for every order of candidates, also where each attempt could choose its own:
    /// `timeouts.hedge` needs it
    #[arg(long)]
    pub(super) chains: bool,
    /// Write here the files that `envoy.secrets` wants: they say where secrets are, and hold none
    #[arg(long, value_name = "FOLDER")]
    pub(super) secrets: Option<PathBuf>,
    /// Write everything but the bootstrap to files here, which Envoy watches: render again, and it
    /// changes without a restart
    #[arg(long, value_name = "FOLDER")]
    pub(super) xds: Option<PathBuf>,
    #[command(flatten)]
    pub(super) telemetry: TelemetryArgs,
}

/// How logs and metrics come out.
#[derive(Debug, clap::Args)]
pub(super) struct TelemetryArgs {
    /// Which of OpenTelemetry's names for generative AI logs and metrics have
    #[arg(long, value_enum, default_value_t = Names::Latest)]
    pub(super) names: Names,
    /// Send the access log to this collector too, by OTLP over gRPC, as http://HOST:4317
    #[arg(long, value_name = "URL", value_parser = Endpoint::parse)]
    pub(super) otlp: Option<Endpoint>,
}

/// Which of OpenTelemetry's names for generative AI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Names {
    /// gen_ai.provider.name
    Latest,
    /// gen_ai.system, as up to version 1.36
    Legacy,
    /// Both in logs, the latest in metrics
    Both,
}

const RENDER_ENVOY_EXAMPLES: &str = "\
Examples:
  pointsman render envoy pointsman.yaml > envoy.yaml && envoy -c envoy.yaml
  pointsman render envoy pointsman.yaml --envoy 1.38
  pointsman render envoy pointsman.yaml --secrets secrets > envoy.yaml
  pointsman render envoy pointsman.yaml --xds /etc/envoy/xds > envoy.yaml";

/// Find mistakes in manifests, bootstraps and config dumps
///
/// Reads what `pointsman render` wrote and somebody has edited, or what a running Envoy says of
/// itself at /config_dump, and tells what neither a schema nor Envoy refuses. All files are taken
/// together, as one mesh or one Envoy.
#[derive(Debug, clap::Args)]
#[command(after_help = LINT_EXAMPLES)]
pub(super) struct LintArgs {
    /// YAML or JSON files, or - for standard input
    #[arg(required = true)]
    pub(super) files: Vec<String>,
    /// How to write the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

const LINT_EXAMPLES: &str = "\
Examples:
  pointsman lint manifests/*.yaml
  pointsman render istio pointsman.yaml | pointsman lint -
  kubectl get envoyfilters,virtualservices,destinationrules,serviceentries -n llm-gateway -o yaml |
    pointsman lint -
  istioctl proxy-config all deploy/pointsman -n llm-gateway -o json | pointsman lint -
  curl -s localhost:15000/config_dump | pointsman lint -";

/// Write Istio's objects: ServiceEntry, DestinationRule, VirtualService, EnvoyFilters
///
/// Proxies of Istio 1.31 and later choose a cluster for each attempt; those of 1.29 and 1.30 get
/// one aggregate cluster for each order of candidates. Several versions stand side by side, each
/// proxy takes its own. Keys are never written: the objects say where proxies find them.
#[derive(Debug, clap::Args)]
#[command(after_help = RENDER_ISTIO_EXAMPLES)]
pub(super) struct RenderIstioArgs {
    /// The file, or - for standard input
    pub(super) file: String,
    /// Where the filter stands
    #[arg(long, value_enum, default_value_t = IstioVariant::Gateway)]
    pub(super) variant: IstioVariant,
    /// The versions of the proxies that it is for
    #[arg(
        long,
        value_name = "VERSIONS",
        value_delimiter = ',',
        default_value = "1.30,1.31"
    )]
    pub(super) istio: Vec<IstioVersion>,
    /// What objects are called, or begin with
    #[arg(long, value_name = "NAME", default_value = "pointsman", value_parser = object_name)]
    pub(super) name: String,
    /// Namespace of the objects and of the proxies
    #[arg(long, default_value = "llm-gateway", value_parser = object_name)]
    pub(super) namespace: String,
    /// Label by which the proxies are found; istio=NAME for a gateway, NAME=enabled for sidecars
    /// when left out
    #[arg(long, value_name = "NAME=VALUE")]
    pub(super) selector: Option<Label>,
    /// The host that clients ask; llm.NAMESPACE.svc.cluster.local when left out
    #[arg(long)]
    pub(super) host: Option<String>,
    /// The port that clients ask; 443 for a gateway (80 in clear), 4000 for sidecars when left out
    #[arg(long)]
    pub(super) port: Option<u16>,
    /// How clients reach the gateway: mutual (the mesh's certificates), plain, or the name of a
    /// Secret with a certificate
    #[arg(long, value_name = "HOW", default_value = "mutual")]
    pub(super) tls: GatewayTls,
    /// Where proxies find the module: /path, oci://image@sha256:SUM or https://address@sha256:SUM
    #[arg(
        long,
        value_name = "WHERE",
        default_value = "/opt/pointsman/pointsman.wasm"
    )]
    pub(super) module: Module,
    /// How keys come to the proxies
    #[arg(long, value_enum, default_value_t = IstioKeys::Secret)]
    pub(super) keys: IstioKeys,
    /// Write the gateway's pods and Service too; this image brings the module, as a volume
    #[arg(long, value_name = "IMAGE")]
    pub(super) workload: Option<String>,
    /// Write what pods of applications need instead, as a patch of their Deployment; this image
    /// brings the module. With --variant sidecar
    #[arg(long, value_name = "IMAGE", conflicts_with = "workload")]
    pub(super) pods: Option<String>,
    #[command(flatten)]
    pub(super) telemetry: TelemetryArgs,
}

/// Where the filter stands in an Istio mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum IstioVariant {
    /// In a gateway of its own
    Gateway,
    /// In the sidecars of applications
    Sidecar,
}

/// How keys come to Istio's proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum IstioKeys {
    /// A mounted Secret: one file for each key, taken again when it changes
    Secret,
    /// Variables of the proxy's container
    Env,
}

/// A name as Kubernetes takes it.
fn object_name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_name = !text.is_empty()
        && text.len() <= 40
        && text.chars().all(fits)
        && !text.starts_with('-')
        && !text.ends_with('-');
    match is_name {
        true => Ok(text.to_owned()),
        false => Err("expected at most 40 lower-case letters, digits and dashes".to_owned()),
    }
}

const RENDER_ISTIO_EXAMPLES: &str = "\
Examples:
  pointsman render istio pointsman.yaml | kubectl apply -f -
  pointsman render istio pointsman.yaml --istio 1.30 --tls plain
  pointsman render istio pointsman.yaml --workload registry.example.com/pointsman:0.1.0
  pointsman render istio pointsman.yaml --variant sidecar --namespace team-a";

/// Show what a provider would be sent, and what could not be carried
///
/// Reads a client's JSON from standard input, reshapes it for the candidate as the configuration
/// says, writes the provider's request body to standard output, and path and findings to standard
/// error.
#[derive(Debug, clap::Args)]
#[command(after_help = TRANSLATE_EXAMPLES)]
pub(super) struct TranslateArgs {
    /// The file
    pub(super) file: String,
    /// The candidate's provider; the first candidate when left out
    #[arg(long)]
    pub(super) provider: Option<String>,
    /// The model to resolve; the body's own when left out
    #[arg(long)]
    pub(super) model: Option<String>,
    /// What the client asks, such as /v1/messages or /v1/embeddings; chat completions when left out
    #[arg(long)]
    pub(super) path: Option<String>,
    /// Read one request from each line; write a line of JSON for each: url, body and report, or
    /// the error
    #[arg(long)]
    pub(super) lines: bool,
}

const TRANSLATE_EXAMPLES: &str = "\
Example:
  echo '{\"model\":\"smart\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}' \\
    | pointsman translate pointsman.yaml --provider gemini
  echo '{\"model\":\"vectors\",\"input\":\"hi\"}' \\
    | pointsman translate pointsman.yaml --path /v1/embeddings";

/// Show why a request would go where it goes
///
/// Prints the rule that fits, what was seen of the request, every candidate with what speaks for
/// and against it, the order, times and estimated costs; what the access log says when a debug
/// header or a sample asks for it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub(super) struct ExplainArgs {
    /// The file
    pub(super) file: String,
    /// The request's body, or - for standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(super) request: String,
    /// A request header; may be given several times
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = pair)]
    pub(super) headers: Vec<(String, String)>,
    /// URI in the client's certificate
    #[arg(long, value_name = "URI")]
    pub(super) identity: Option<String>,
    /// A claim of the client's token; may be given several times
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = pair)]
    pub(super) claims: Vec<(String, String)>,
    /// The class that a classifier would tell; may be given several times. The default class counts
    /// for those that are left out
    #[arg(long = "class", value_name = "NAME=VALUE", value_parser = pair)]
    pub(super) classes: Vec<(String, String)>,
    /// The path; chat completions when left out
    #[arg(long)]
    pub(super) path: Option<String>,
    /// What has been observed, as /pointsman/state prints it; nothing when left out
    #[arg(long, value_name = "FILE")]
    pub(super) state: Option<String>,
    /// When, in Unix seconds, for rules that look at the clock; when left out, the time of the
    /// state, else 0
    #[arg(long, value_name = "SECONDS")]
    pub(super) at: Option<u64>,
    /// The random draw, for policies that draw
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(super) draw: u64,
    /// How to write the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  pointsman explain pointsman.yaml --request body.json --header x-team=search
  curl -s localhost:9902/pointsman/state > state.json
  pointsman explain pointsman.yaml --request body.json --state state.json --format json
  pointsman explain pointsman.yaml --at \"$(date +%s)\" < body.json";

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=');
    pair.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "expected NAME=VALUE".to_owned())
}

/// Run a gateway on this machine, to try it out
///
/// Starts an Envoy with the rendered configuration. Providers whose key is set (or that need
/// none) are the real ones; for the others a stand-in speaks their wire format. Ends with Ctrl-C.
#[derive(Debug, clap::Args)]
#[command(after_help = RUN_EXAMPLES)]
pub(super) struct RunArgs {
    /// The file
    pub(super) file: PathBuf,
    /// The Envoy binary; found on PATH or in the cache of envoy/fetch.sh when left out
    #[arg(long, value_name = "PATH")]
    pub(super) envoy: Option<PathBuf>,
    /// The wasm module; the one that `make wasm` builds when left out
    #[arg(long, value_name = "PATH")]
    pub(super) module: Option<PathBuf>,
    /// Show a request, a stream, a tool call and a failover once it is up
    #[arg(long)]
    pub(super) demo: bool,
}

const RUN_EXAMPLES: &str = "\
Examples:
  pointsman run examples/quickstart/pointsman.yaml --demo
  OPENAI_API_KEY=sk-... pointsman run pointsman.yaml --envoy /usr/local/bin/envoy";

/// List known models: what they can do, hold and cost
///
/// Facts come with this build; each provider's line says from where and of which day. A document
/// overrides them in its `catalog` section. Prices are USD for a million tokens.
#[derive(Debug, clap::Args)]
#[command(after_help = MODELS_EXAMPLES)]
pub(super) struct ModelsArgs {
    /// Only models of this provider
    #[arg(long)]
    pub(super) provider: Option<String>,
    /// Only models that are known to do all of these: tools, parallel_tools, json_schema, json_mode,
    /// vision, audio, files, sampling, stream, embeddings, thinking
    #[arg(long, value_name = "WORDS", value_delimiter = ',', value_parser = wanted)]
    pub(super) can: Vec<Wanted>,
    /// Only models whose context window holds so many tokens, such as 200000, 200k or 1M
    #[arg(long, value_name = "TOKENS", value_parser = tokens)]
    pub(super) min_context: Option<u64>,
    /// Only models of which no plain token, read or written, costs more than this
    #[arg(long, value_name = "USD", value_parser = quote)]
    pub(super) max_price: Option<Price>,
    /// In which order; across providers unless by name
    #[arg(long, value_enum, default_value_t = Sort::Name)]
    pub(super) sort: Sort,
    /// How to write the list
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

const MODELS_EXAMPLES: &str = "\
Examples:
  pointsman models --provider anthropic
  pointsman models --can tools,vision --min-context 500k --max-price 2 --sort price
  pointsman models --provider openai --format json | jq '.[] | select(.shutdown)'";

/// What a model is asked to be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// One of the catalogue's abilities.
    Ability(Ability),
    /// To think before it answers, however it is told to.
    Thinking,
}

/// The order of a list of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Sort {
    /// By provider, then by name
    Name,
    /// The cheapest first; unknown prices last
    Price,
    /// The largest first; unknown sizes last
    Context,
}

fn wanted(word: &str) -> Result<Wanted, String> {
    if word == "thinking" {
        return Ok(Wanted::Thinking);
    }
    Ability::find(word).map(Wanted::Ability).ok_or_else(|| {
        let words: Vec<_> = Ability::ALL.into_iter().map(Ability::as_str).collect();
        format!("expected some of {}, thinking", words.join(", "))
    })
}

fn tokens(text: &str) -> Result<u64, String> {
    let (digits, factor) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1_000),
        None => text
            .strip_suffix('M')
            .map_or((text, 1), |digits| (digits, 1_000_000)),
    };
    let tokens = digits
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(factor));
    tokens.ok_or_else(|| "expected a number such as 200000, 200k or 1M".to_owned())
}

fn quote(text: &str) -> Result<Price, String> {
    Price::from_quote(text).ok_or_else(|| "expected USD such as 0.25 or 3".to_owned())
}

/// How to write a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// For machines
    Json,
}
