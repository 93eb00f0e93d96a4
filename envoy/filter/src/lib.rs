//! Pointsman as a proxy-wasm module: a thin shell that feeds the core and does what it says.

mod downstream;
mod host;
mod known;
mod meter;
mod state;
mod upstream;

use std::rc::Rc;

use pointsman::config::Config;
use pointsman::exchange::{Plugin, Role, Topology};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{ContextType, LogLevel};

use downstream::DownstreamFilter;
use host::Recording;
use state::StateFilter;
use upstream::UpstreamFilter;

// The macro writes the module's entry point, which has no place for a comment.
#[allow(missing_docs)]
mod entry {
    use super::{LogLevel, Root};

    proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root { plugin: None }));
    }}
}

/// One plugin configuration in one VM.
struct Root {
    plugin: Option<Loaded>,
}

#[derive(Clone)]
struct Loaded {
    role: Role,
    topology: Topology,
    config: Rc<Config>,
    recording: Recording,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        match self.get_plugin_configuration().map(|bytes| load(&bytes)) {
            Some(Ok(loaded)) => self.plugin = Some(loaded),
            Some(Err(problems)) => {
                problems.iter().for_each(|problem| log::error!("{problem}"));
                return false;
            }
            None => {
                log::error!("the plugin has no configuration; `pointsman render` writes it");
                return false;
            }
        }
        true
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        let Loaded {
            role,
            topology,
            config,
            recording,
        } = self.plugin.clone()?;
        Some(match role {
            Role::Downstream => Box::new(DownstreamFilter::new(config, topology, context_id)),
            Role::State => Box::new(StateFilter(config)),
            Role::Upstream => Box::new(UpstreamFilter::new(config, topology, recording)),
        })
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// Every problem, each a line, when the configuration cannot be used.
fn load(bytes: &[u8]) -> Result<Loaded, Vec<String>> {
    let plugin = Plugin::parse(bytes).map_err(|problem| vec![problem])?;
    let config = known::config(plugin.document.get())
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    Ok(Loaded {
        role: plugin.role,
        topology: plugin.topology,
        recording: Recording::of(&config),
        config,
    })
}
