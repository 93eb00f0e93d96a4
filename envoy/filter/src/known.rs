//! Configurations that this VM has had lately, whichever role brought them.
//!
//! Roles get a new configuration one after the other: for a moment a plan can name what the
//! attempt's own configuration does not have, or no longer has.

use std::cell::Cell;
use std::rc::Rc;

use pointsman::config::{Config, Problem};

/// More than the old one, the new one, and one that follows at once.
const MOST: usize = 3;

thread_local! {
    static KNOWN: Cell<Vec<(String, Rc<Config>)>> = const { Cell::new(Vec::new()) };
}

/// The configuration of this document; both roles share it.
pub(crate) fn config(document: &str) -> Result<Rc<Config>, Vec<Problem>> {
    let mut known = KNOWN.take();
    let found = known.iter().position(|(text, _)| text == document);
    let config = match found.map(|at| known.remove(at)) {
        Some((_, config)) => Ok(config),
        None => Config::from_json(document.as_bytes()).map(|(config, _)| Rc::new(config)),
    };
    if let Ok(config) = &config {
        known.insert(0, (document.to_owned(), Rc::clone(config)));
        known.truncate(MOST);
    }
    KNOWN.set(known);
    config
}

/// All others, the newest first.
pub(crate) fn others(than: &Rc<Config>) -> Vec<Rc<Config>> {
    let known = KNOWN.take();
    let others = known.iter().map(|(_, config)| config);
    let others = others.filter(|config| !Rc::ptr_eq(config, than));
    let others = others.cloned().collect();
    KNOWN.set(known);
    others
}
