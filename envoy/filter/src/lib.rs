//! Pointsman as a proxy-wasm module: a thin shell that feeds the core and does what it says.

mod callouts;
mod downstream;
mod facts;
mod host;
mod inner;
mod known;
mod meter;
mod misfit;
mod seat;
mod state;
mod underway;
mod upstream;
mod warmth;
mod watch;

use std::rc::Rc;

use pointsman::config::Config;
use pointsman::exchange::{Plugin, Role, Topology};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{ContextType, LogLevel};

use callouts::Callouts;
use downstream::DownstreamFilter;
use host::Recording;
use inner::InnerFilter;
use seat::Seated;
use state::StateFilter;
use upstream::UpstreamFilter;
use warmth::Warmth;
use watch::{Ticks, Watch};

// The macro writes the module's entry point, which has no place for a comment.
#[allow(missing_docs)]
mod entry {
    use super::{LogLevel, Root};

    proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|id| Box::new(Root { id, plugin: None }));
    }}
}

/// One plugin configuration in one VM.
struct Root {
    id: u32,
    plugin: Option<Loaded>,
}

#[derive(Clone)]
struct Loaded {
    role: Role,
    topology: Topology,
    config: Rc<Config>,
    recording: Recording,
    callouts: Rc<Callouts>,
    watch: Rc<Watch>,
    ticks: Rc<Ticks>,
    warmth: Rc<Warmth>,
}

impl Context for Root {
    fn on_http_call_response(
        &mut self,
        number: u32,
        _headers: usize,
        size: usize,
        _trailers: usize,
    ) {
        if let Some(loaded) = &self.plugin
            && !loaded.warmth.on_reply(number)
        {
            loaded.callouts.on_reply(number, size);
        }
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        match self.get_plugin_configuration().map(|bytes| load(&bytes)) {
            Some(Ok((plugin, config))) => self.plugin = Some(self.loaded(&plugin, config)),
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

    fn on_tick(&mut self) {
        if let Some(loaded) = &self.plugin {
            loaded.callouts.on_tick();
            loaded.watch.on_tick();
            loaded.warmth.on_tick();
            loaded.ticks.settle();
        }
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        let Loaded {
            role,
            topology,
            config,
            recording,
            callouts,
            watch,
            ticks: _,
            warmth: _,
        } = self.plugin.clone()?;
        Some(match role {
            Role::Downstream => {
                let filter = DownstreamFilter::new(config, topology, context_id);
                Box::new(Seated::new(filter, callouts, watch, context_id))
            }
            Role::Inner => Box::new(InnerFilter::new(config, topology)),
            Role::State => Box::new(StateFilter(config)),
            Role::Upstream => {
                let watched = (watch, context_id);
                Box::new(UpstreamFilter::new(config, topology, recording, watched))
            }
        })
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

impl Root {
    fn loaded(&self, plugin: &Plugin, config: Rc<Config>) -> Loaded {
        let ticks = Rc::<Ticks>::default();
        let warmth = Warmth::new(plugin.role, Rc::clone(&config), self.id);
        ticks.for_warmth(warmth.looks_every_ms());
        Loaded {
            warmth: Rc::new(warmth),
            role: plugin.role,
            topology: plugin.topology,
            recording: Recording::of(&config),
            callouts: Rc::new(Callouts::new(
                Rc::clone(&config),
                self.id,
                Rc::clone(&ticks),
            )),
            watch: Rc::new(Watch::new(plugin.role, self.id, Rc::clone(&ticks))),
            ticks,
            config,
        }
    }
}

/// Every problem, each a line, when the configuration cannot be used.
fn load(bytes: &[u8]) -> Result<(Plugin, Rc<Config>), Vec<String>> {
    let plugin = Plugin::parse(bytes).map_err(|problem| vec![problem])?;
    let config = known::config(plugin.document.get())
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    Ok((plugin, config))
}
