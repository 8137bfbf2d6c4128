//! The command line: what can be written, and which file does it.

mod batch;
mod bench;
mod calculate;
mod completions;
mod connect;
mod environment;
mod exit;
mod health;
mod list;
mod operation;
mod serve;
mod values;

use std::ffi::OsString;
use std::process::ExitCode;

use grpcio_kit::log::silence_core;
use structopt::StructOpt;
use structopt::clap::AppSettings::{AllowNegativeNumbers, SubcommandRequired, VersionlessSubcommands};
use structopt::clap::{ArgMatches, Error, ErrorKind, Shell};

use calculate::Calculation;
use exit::Exit;
use operation::Operation;

/// A Calculator over gRPC: its server, and its client.
#[derive(StructOpt)]
#[structopt(name = "calc", after_help = exit::HELP, setting = SubcommandRequired)]
#[structopt(global_settings = &[AllowNegativeNumbers, VersionlessSubcommands])]
enum Command {
    /// Serve the Calculator until SIGTERM, SIGINT or SIGHUP
    Serve(Box<serve::Serve>),
    /// Asks a server for N1 + N2
    #[structopt(after_help = exit::HELP)]
    Add(Calculation),
    /// Asks a server for N1 - N2
    #[structopt(after_help = exit::HELP, visible_alias = "subtract")]
    Substract(Calculation),
    /// Asks a server for N1 * N2
    #[structopt(after_help = exit::HELP)]
    Multiply(Calculation),
    /// Asks a server for N1 / N2, as a float
    #[structopt(after_help = exit::HELP)]
    Divide(Calculation),
    /// Calculates each line of standard input, which has two int32s with a comma between them
    #[structopt(after_help = batch::HELP)]
    Batch(batch::Batch),
    /// Asks a server whether it, or one of its services, can be called
    #[structopt(after_help = health::HELP)]
    Health(health::Health),
    /// Lists the services that a server offers, or the methods of one
    #[structopt(after_help = exit::HELP)]
    List(list::List),
    /// Makes calls to a server for a while, and prints how many it answered and how long that took
    #[structopt(after_help = exit::HELP)]
    Bench(Box<bench::Options>),
    /// Prints a script that completes `calc` in a shell
    Completions {
        /// The shell
        #[structopt(possible_values = &Shell::variants())]
        shell: Shell,
    },
}

/// Parses `args`, the program's name first, runs the command, and picks the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let mut app = Command::clap();
    environment::yield_to(&args, &mut app);
    let done = match app.get_matches_from_safe(&args) {
        Ok(matches) => Command::from_clap(&matches).run(&matches),
        Err(error) if health::is_meant(args.get(1).map(OsString::as_os_str)) => {
            explain(&error).map_err(health::as_probe)
        }
        Err(error) => explain(&error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => exit.with_note(|message| sources(&args, message)).report(),
    }
}

/// Where the options come from that `message` names, if that is not the command line.
fn sources(args: &[OsString], message: &str) -> String {
    let mut app = Command::clap();
    environment::yield_to(args, &mut app);
    let command = app.p.subcommands.iter().find(|command| args.get(1).is_some_and(|name| name == command.get_name()));
    command.map(|command| environment::sources(message, command)).unwrap_or_default()
}

impl Command {
    fn run(self, matches: &ArgMatches<'_>) -> Result<(), Exit> {
        if !matches!(self, Command::Serve(_)) {
            silence_core();
        }
        match self {
            Command::Serve(serve) => serve.run(matches.subcommand().1),
            Command::Add(calculation) => calculation.run(Operation::Add),
            Command::Substract(calculation) => calculation.run(Operation::Subtract),
            Command::Multiply(calculation) => calculation.run(Operation::Multiply),
            Command::Divide(calculation) => calculation.run(Operation::Divide),
            Command::Batch(batch) => batch.run(),
            Command::Health(health) => health.run(),
            Command::List(list) => list.run(),
            Command::Bench(bench) => bench.run(),
            Command::Completions { shell } => completions::print(Command::clap(), shell),
        }
    }
}

/// What clap has to say: help and version are results, anything else is wrong usage.
fn explain(error: &Error) -> Result<(), Exit> {
    match error.kind {
        ErrorKind::HelpDisplayed | ErrorKind::VersionDisplayed => {
            exit::print(&format!("{}\n", error.message.trim_end()))
        }
        _ => Err(Exit::Usage(without_long_usage(error.message.trim_end()))),
    }
}

/// A usage of many lines, which clap prints with its errors, hides the error.
fn without_long_usage(message: &str) -> String {
    const LONG: usize = 200;
    match (message.find("\n\nUSAGE:"), message.rfind("\n\n")) {
        (Some(start), Some(end)) if end - start > LONG => format!("{}{}", &message[..start], &message[end..]),
        _ => message.to_owned(),
    }
}
