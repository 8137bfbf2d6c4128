//! Services that anybody may call, such as a health check.

use crate::method::MethodDescriptor;

/// The full names of services that need no authentication.
#[derive(Debug, Default)]
pub(super) struct UnauthenticatedServices {
    names: Vec<String>,
}

impl UnauthenticatedServices {
    pub fn add(&mut self, service: String) {
        self.names.push(service);
    }

    /// Warns of names that no service of the server has: a misspelt one would stay protected.
    pub fn start(&self, methods: &[MethodDescriptor]) {
        for name in &self.names {
            if !methods.iter().any(|method| method.service() == name) {
                tracing::warn!(
                    service = name,
                    "the server has no service of this name to allow without authentication"
                );
            }
        }
    }

    pub fn contains(&self, method: MethodDescriptor) -> bool {
        self.names.iter().any(|name| name == method.service())
    }
}
