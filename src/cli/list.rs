//! `calc list`: the services of a server or the methods of one, by reflection.

use grpcio_kit::reflection_client::ReflectionClient;
use structopt::StructOpt;

use super::connect::Connect;
use super::exit::{self, Exit};

#[derive(StructOpt)]
pub struct List {
    /// Full name of a service whose methods to list
    #[structopt(value_name = "SERVICE")]
    service: Option<String>,
    #[structopt(flatten)]
    server: Connect,
}

impl List {
    pub fn run(self) -> Result<(), Exit> {
        let client = ReflectionClient::new(self.server.channel()?, self.server.call_options());
        let names = match &self.service {
            None => client.services()?,
            Some(service) => client.methods(service)?.iter().map(|method| format!("{service}.{method}")).collect(),
        };
        // A malicious server's names may hold control characters of a terminal.
        let lines: String = names.iter().map(|name| format!("{}\n", name.escape_debug())).collect();
        exit::print(&lines)
    }
}
