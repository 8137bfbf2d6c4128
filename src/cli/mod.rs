//! The command line: its commands, and the file of each.

mod batch;
mod bench;
mod calculate;
mod connect;
mod environment;
mod exit;
mod health;
mod list;
mod serve;
mod tls_hints;
mod values;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::LazyLock;

use calc::arithmetic::Operation;
use grpcio_kit::log::silence_core;
use structopt::StructOpt;
use structopt::clap::AppSettings::{
    AllowNegativeNumbers, DeriveDisplayOrder, SubcommandRequired, UnifiedHelpMessage, VersionlessSubcommands,
};
use structopt::clap::{App, ArgMatches, Error, ErrorKind, Shell};

use calculate::Calculation;
use exit::Exit;

/// What `--version` prints after the program's name.
static VERSION: LazyLock<String> =
    LazyLock::new(|| format!("{} (gRPC C core {})", calc::VERSION, grpcio_kit::core_version()));

/// A Calculator over gRPC: server and client
#[derive(StructOpt)]
#[structopt(name = "calc", version = VERSION.as_str(), after_help = exit::HELP, setting = SubcommandRequired)]
#[structopt(global_settings = &[AllowNegativeNumbers, DeriveDisplayOrder, UnifiedHelpMessage, VersionlessSubcommands])]
enum Command {
    /// Serve the Calculator until SIGTERM, SIGINT or SIGHUP
    #[structopt(usage = "calc serve [OPTIONS]")]
    Serve(Box<serve::Serve>),
    /// Print N1 + N2
    #[structopt(usage = "calc add [OPTIONS] <N1> <N2>", after_help = exit::HELP)]
    Add(Calculation),
    /// Print N1 - N2
    #[structopt(usage = "calc substract [OPTIONS] <N1> <N2>", after_help = exit::HELP, visible_alias = "subtract")]
    Substract(Calculation),
    /// Print N1 * N2
    #[structopt(usage = "calc multiply [OPTIONS] <N1> <N2>", after_help = exit::HELP)]
    Multiply(Calculation),
    /// Print N1 / N2 as a float
    #[structopt(usage = "calc divide [OPTIONS] <N1> <N2>", after_help = exit::HELP)]
    Divide(Calculation),
    /// Calculate each line N1,N2 of standard input
    #[structopt(usage = "calc batch [OPTIONS] <OPERATION>", after_help = batch::HELP)]
    Batch(batch::Batch),
    /// Check a server's health (grpc.health.v1)
    #[structopt(usage = "calc health [OPTIONS] [SERVICE]", after_help = health::HELP)]
    Health(health::Health),
    /// List a server's services or the methods of one (grpc.reflection.v1)
    #[structopt(usage = "calc list [OPTIONS] [SERVICE]", after_help = exit::HELP)]
    List(list::List),
    /// Load a server and print throughput and latencies
    #[structopt(usage = "calc bench [OPTIONS]", after_help = exit::HELP)]
    Bench(Box<bench::Options>),
    /// Print a completion script for a shell
    #[structopt(usage = "calc completions <SHELL>")]
    Completions {
        /// The shell
        #[structopt(value_name = "SHELL", possible_values = &Shell::variants())]
        shell: Shell,
    },
}

/// Parses `args` (the program's name first), runs the command, and returns the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let mut app = Command::clap();
    environment::prepare(&args, &mut app);
    let matches = app.get_matches_from_safe_borrow(&args);
    let command = args.get(1).and_then(|name| environment::subcommand(&app, name.to_str()?));
    let result = match &matches {
        Ok(matches) => Command::from_clap(matches).run(command, matches),
        Err(error) => explain(error),
    };
    let exit = match (result, command) {
        (Ok(()), _) => return ExitCode::SUCCESS,
        (Err(Exit::Usage(message)), Some(command)) => {
            let message = format!("{message}{}", environment::sources(&message, command));
            let is_probe = command.get_name() == "health";
            if is_probe { Exit::Code(health::WRONG_USAGE, message) } else { Exit::Usage(message) }
        }
        (Err(exit), _) => exit,
    };
    exit.report()
}

impl Command {
    /// Runs the command that clap describes as `command`.
    fn run(self, command: Option<&App<'_, '_>>, matches: &ArgMatches<'_>) -> Result<(), Exit> {
        if !matches!(self, Command::Serve(_)) {
            silence_core();
        }
        match self {
            Command::Serve(serve) => serve.run(command.zip(matches.subcommand().1)),
            Command::Add(calculation) => calculation.run(Operation::Add),
            Command::Substract(calculation) => calculation.run(Operation::Subtract),
            Command::Multiply(calculation) => calculation.run(Operation::Multiply),
            Command::Divide(calculation) => calculation.run(Operation::Divide),
            Command::Batch(batch) => batch.run(),
            Command::Health(health) => health.run(),
            Command::List(list) => list.run(),
            Command::Bench(bench) => bench.run(),
            Command::Completions { shell } => {
                let mut script = Vec::new();
                Command::clap().gen_completions_to("calc", shell, &mut script);
                exit::print(&String::from_utf8_lossy(&script))
            }
        }
    }
}

/// Prints the help or the version that clap has as an "error"; any other error is wrong usage.
fn explain(error: &Error) -> Result<(), Exit> {
    let message = error.message.trim_end();
    match error.kind {
        ErrorKind::HelpDisplayed | ErrorKind::VersionDisplayed => exit::print(&format!("{message}\n")),
        _ => Err(Exit::Usage(message.to_owned())),
    }
}
