//! `calc batch`: many calculations, from the lines of standard input to those of standard output.
//!
//! A thread reads (`input`), this one sends, receives and prints (`output`): a line that has arrived is calculated
//! even if no more come. Neither is far ahead of the other, so memory does not depend on the number of lines.

mod input;
mod output;
mod progress;

use std::cell::Cell;
use std::io;
use std::panic::resume_unwind;
use std::thread;

use calc::Client;
use calc::arithmetic::Operation;
use calc::client::batch::request;
use futures::StreamExt;
use futures::channel::mpsc;
use futures_lite::stream::block_on;
use grpcio_kit::log::notice;
use structopt::StructOpt;

use super::connect;
use super::exit::{self, Exit};
use progress::Progress;

/// What goes in and comes out, for `--help`.
pub const HELP: &str = "\
INPUT:
    Lines of N1,N2 such as 10,4. Spaces and quotes around the numbers, and empty lines, are fine. A line that is
    anything else ends the command with 2 and says which; all lines before it have been calculated.

OUTPUT:
    A line of RESULT,ERROR for each calculation, in their order: `2.5,` or `,DIVISION_BY_ZERO` or `,INT32_OVERFLOW`.
    A calculation that fails is no error of the command: it ends with 0, and says on standard error how many did.

    calc batch divide < two-columns.csv > results.csv

--timeout is the longest that a reply may take, to some thousand lines, and not the time for all of them. Exit codes are
those of the other commands: see calc --help.";

#[derive(StructOpt)]
pub struct Batch {
    /// What to do with the numbers of each line
    #[structopt(value_name = "OPERATION", possible_values = &["add", "substract", "subtract", "multiply", "divide"])]
    operation: Operation,
    /// The first line that is not empty is a header, which is skipped; prints one too: result,error
    #[structopt(long)]
    header: bool,
    /// Shows no progress, and does not say how many calculations failed
    #[structopt(long)]
    quiet: bool,
    #[structopt(flatten)]
    server: connect::Connect,
}

impl Batch {
    pub fn run(self) -> Result<(), Exit> {
        let client = Client::new(self.server.channel()?).timeout(self.server.timeout);
        let mut progress = if self.quiet { Progress::none() } else { Progress::on_terminal() };
        let (sender, columns) = mpsc::channel(1);
        let header = self.header;
        let reader = thread::spawn(move || input::read(io::stdin().lock(), header, sender));
        let read = Cell::new(0);
        let requests = columns.map(|columns: input::Columns| {
            read.set(columns.read);
            request(self.operation, columns.n1, columns.n2)
        });
        let mut text = String::from(if self.header { "result,error\n" } else { "" });
        let mut failed = 0;
        for reply in block_on(client.batch().calculate(requests)) {
            let reply = reply?;
            output::write(self.operation, &reply, &mut text);
            if !exit::print_while_read(&text)? {
                return Ok(());
            }
            text.clear();
            progress.advance(read.get(), reply.n1.len() + reply.f1.len());
            failed += reply.errors.len();
        }
        // A header alone.
        exit::print(&text)?;
        drop(progress);
        if failed > 0 && !self.quiet {
            notice(&match failed {
                1 => "1 calculation has no result".to_owned(),
                many => format!("{many} calculations have no result"),
            });
        }
        // It has ended, or there would be more to wait for.
        reader.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}
