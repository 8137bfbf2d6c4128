//! `calc describe`: what a server knows by a name, as the text of a `.proto` file.

use structopt::StructOpt;

use calc::rpc::reflection::{ReflectionClient, ReflectionError, text};

use super::connect;
use super::exit::{self, Exit};

#[derive(StructOpt)]
pub struct Describe {
    /// The full name of a service, method, message, field, enum or extension, or the name of a file
    #[structopt(value_name = "NAME")]
    name: String,
    #[structopt(flatten)]
    server: connect::Connect,
}

impl Describe {
    pub fn run(self) -> Result<(), Exit> {
        let client = ReflectionClient::new(self.server.channel()?, self.server.call_options());
        // Types have a dot in front in what this command prints.
        let name = self.name.strip_prefix('.').unwrap_or(&self.name);
        let text = match client.file_of_symbol(name) {
            // The client has looked for it in the file.
            Ok(file) => text::symbol(&file, name)?.unwrap_or_default(),
            // No symbol is called like a file: it would have a field `proto`.
            Err(ReflectionError::NotFound { .. }) if name.ends_with(".proto") => text::file(&client.file(name)?)?,
            Err(error) => return Err(error.into()),
        };
        exit::print(&text)
    }
}
