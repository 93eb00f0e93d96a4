//! Labels: what a candidate promises about data and content, and what a request asks for.

/// Values by name, such as `residency: [eu]`. A candidate with several values may act by any of
/// them, so each of them has to be allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels(Vec<(String, Vec<String>)>);

impl Labels {
    /// These, by name.
    pub fn new(labels: Vec<(String, Vec<String>)>) -> Labels {
        Labels(labels)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each name with its values, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0
            .iter()
            .map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// The values of this name; none when it is not there.
    pub fn values(&self, name: &str) -> &[String] {
        let found = self.0.iter().find(|(given, _)| given == name);
        found.map_or(&[], |(_, values)| values)
    }

    /// These, and those of `others` whose names are not among them.
    pub fn or(mut self, others: &Labels) -> Labels {
        for (name, values) in &others.0 {
            if self.values(name).is_empty() {
                self.0.push((name.clone(), values.clone()));
            }
        }
        self
    }

    /// The first name of `required` that these labels do not keep: it is missing here, or has a
    /// value that is not among the allowed ones.
    pub fn breach<'r>(&self, required: &'r Labels) -> Option<&'r str> {
        let broken = required.0.iter().find(|(name, allowed)| {
            let own = self.values(name);
            own.is_empty() || !own.iter().all(|value| allowed.contains(value))
        });
        broken.map(|(name, _)| name.as_str())
    }
}
