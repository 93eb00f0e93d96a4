//! A store within one process: for tools and tests, where no Envoy shares its data.

use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;

use super::Store;

/// Bytes by name.
#[derive(Debug, Default)]
pub struct Memory(RefCell<BTreeMap<String, Vec<u8>>>);

impl Memory {
    /// All of it.
    pub fn values(&self) -> Ref<'_, BTreeMap<String, Vec<u8>>> {
        self.0.borrow()
    }
}

impl Store for Memory {
    fn load(&self, name: &str) -> Option<Vec<u8>> {
        self.values().get(name).cloned()
    }

    fn change(&self, name: &str, change: &mut dyn FnMut(&[u8]) -> Vec<u8>) -> bool {
        let new = change(&self.load(name).unwrap_or_default());
        self.0.borrow_mut().insert(name.to_owned(), new);
        true
    }
}
