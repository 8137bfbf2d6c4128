//! `calc list`: the services that a server offers, or the methods of one.

use structopt::StructOpt;

use grpcio_kit::reflection_client::ReflectionClient;

use super::connect;
use super::exit::{self, Exit};

#[derive(StructOpt)]
pub struct List {
    /// The full name of a service: lists its methods
    #[structopt(value_name = "SERVICE")]
    service: Option<String>,
    #[structopt(flatten)]
    server: connect::Connect,
}

impl List {
    pub fn run(self) -> Result<(), Exit> {
        let client = ReflectionClient::new(self.server.channel()?, self.server.call_options());
        let names = match &self.service {
            None => client.services()?,
            // As `calc describe` takes them.
            Some(service) => client.methods(service)?.iter().map(|method| format!("{service}.{method}")).collect(),
        };
        // Names that a server made up may hold what upsets a terminal.
        let lines: String = names.iter().map(|name| format!("{}\n", name.escape_debug())).collect();
        exit::print(&lines)
    }
}
