//! `calc batch`: many calculations, from the lines of standard input to those of standard output.
//!
//! A thread reads lines (`input`) into a channel of columns; this one polls the RPC, which takes columns while it has
//! capacity, and prints replies. A line is calculated as soon as it is read, and memory does not depend on
//! the number of lines.

mod input;
mod progress;

use std::cell::Cell;
use std::fmt::Write;
use std::io;
use std::panic::resume_unwind;
use std::thread;

use calc::arithmetic::Operation;
use calc::client::batch::{request, results};
use futures::StreamExt;
use futures::channel::mpsc;
use futures_lite::stream::block_on;
use grpcio_kit::log::notice;
use structopt::StructOpt;

use super::connect::Connect;
use super::exit::{self, Exit};
use input::Columns;

/// Input and output, for `--help`.
pub const HELP: &str = "\
INPUT:
    Lines of N1,N2 such as 10,4. Spaces, quotes around the numbers and empty lines are allowed. Another line ends the
    command with exit code 2 and its number; the lines before it have been calculated.

OUTPUT:
    A line of RESULT,ERROR for each calculation, in their order: `2.5,` or `,DIVISION_BY_ZERO` or `,INT32_OVERFLOW`.
    A calculation that fails does not fail the command; their number is printed on standard error.

    calc batch divide < two-columns.csv > results.csv

--timeout limits the time of each reply, to some thousand lines. The exit codes are in `calc --help`.";

#[derive(StructOpt)]
pub struct Batch {
    /// Operation on the numbers of each line
    #[structopt(value_name = "OPERATION", possible_values = &["add", "substract", "subtract", "multiply", "divide"])]
    operation: Operation,
    /// Skip the first line that is not empty, and print the header result,error
    #[structopt(long)]
    header: bool,
    /// Print neither progress nor the number of calculations without a result
    #[structopt(long)]
    quiet: bool,
    #[structopt(flatten)]
    server: Connect,
}

impl Batch {
    pub fn run(self) -> Result<(), Exit> {
        let client = self.server.client()?;
        let progress = progress::bar(self.quiet);
        let (sender, columns) = mpsc::channel(1);
        let header = self.header;
        let reader = thread::spawn(move || input::read(io::stdin().lock(), header, sender));
        // Up to MAX_IN_FLIGHT messages ahead of the replies.
        let read = Cell::new(0);
        let requests = columns.map(|columns: Columns| {
            read.set(columns.read);
            request(self.operation, columns.n1, columns.n2)
        });
        let mut text = String::from(if self.header { "result,error\n" } else { "" });
        let (mut calculated, mut failed) = (0, 0);
        for reply in block_on(client.batch().calculate(requests)) {
            let reply = reply?;
            failed += reply.errors.len();
            let results = results(self.operation, reply);
            for result in &results {
                // Writing to a String does not fail.
                let _ = match result {
                    Ok(number) => writeln!(text, "{number},"),
                    Err(error) => writeln!(text, ",{}", error.reason()),
                };
            }
            if !exit::print_while_read(&text)? {
                return Ok(());
            }
            text.clear();
            calculated += results.len();
            progress.set_message(calculated.to_string());
            progress.set_position(read.get());
        }
        // The header of an empty input.
        exit::print(&text)?;
        drop(progress);
        if failed > 0 && !self.quiet {
            notice(&match failed {
                1 => "1 calculation has no result".to_owned(),
                many => format!("{many} calculations have no result"),
            });
        }
        // It has ended, and with it the requests.
        reader.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}
