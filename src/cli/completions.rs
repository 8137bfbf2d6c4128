//! `calc completions`: what a shell needs to complete `calc`.

use structopt::clap::{App, Shell};

use super::exit::{self, Exit};

pub fn print(mut app: App<'_, '_>, shell: Shell) -> Result<(), Exit> {
    let mut script = Vec::new();
    app.gen_completions_to("calc", shell, &mut script);
    exit::print(&String::from_utf8_lossy(&script))
}
