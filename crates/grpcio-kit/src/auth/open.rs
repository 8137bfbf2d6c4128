//! The services that anybody may call, such as a health check.

use std::sync::OnceLock;

use crate::method::MethodDescriptor;

/// Services by their names, and then methods by their index.
#[derive(Debug, Default)]
pub(super) struct OpenServices {
    names: Vec<String>,
    /// Whether each method is open; nothing is before the server has started.
    methods: OnceLock<Vec<bool>>,
}

impl OpenServices {
    pub fn add(&mut self, service: String) {
        self.names.push(service);
    }

    pub fn start(&self, methods: &[MethodDescriptor]) {
        for name in &self.names {
            if !methods.iter().any(|method| method.service() == name) {
                tracing::warn!(service = name, "a service is to be open to anybody, and the server does not have it");
            }
        }
        let open = methods.iter().map(|method| self.names.iter().any(|name| name == method.service()));
        let _ = self.methods.set(open.collect());
    }

    pub fn contains(&self, method: MethodDescriptor) -> bool {
        self.methods.get().and_then(|open| open.get(method.index())).is_some_and(|open| *open)
    }
}
