//! How a command ends: its output, its error and its exit code.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use calc::client::Error;
use grpcio_kit::ConnectError;
use grpcio_kit::log::error_notice;
use grpcio_kit::reflection_client::ReflectionError;

use super::tls_hints;

/// The exit codes, for `--help`.
pub const HELP: &str = "\
EXIT CODES:
    0    success
    1    the server did not start or did not shut down cleanly, or a file, standard input or output failed
    2    wrong usage, or a malformed line of input
    3    the result does not fit an int32
    4    division by zero
    5    the server did not reply in time
    6    the server cannot be reached
    7    the RPC failed with another status, or the server does not have the service
    8    calc bench: it could not run, or a call failed, returned a wrong result or did not finish in time

`calc health` has its own: see `calc health --help`.";

/// The server cannot be reached.
pub const UNREACHABLE: u8 = 6;

/// `calc bench` could not run, or some of its RPCs failed.
pub const BENCH: u8 = 8;

const RPC_FAILED: u8 = 7;

/// Why a command failed.
pub enum Exit {
    /// The command line, the environment or a line of standard input is wrong.
    Usage(String),
    /// Another failure: its exit code and its message.
    Code(u8, String),
}

impl Exit {
    /// Creates the error of a server that did not start, or of a file, standard input or output.
    pub fn failed(error: impl Display) -> Exit {
        Exit::Code(1, error.to_string())
    }

    /// Creates the error of a `calc bench` that cannot run.
    pub fn bench(error: impl Display) -> Exit {
        Exit::Code(BENCH, format!("cannot make calls: {error}"))
    }

    /// Prints the error on standard error and returns its exit code.
    pub fn report(self) -> ExitCode {
        let (code, message) = match self {
            Exit::Usage(message) => (2, message),
            Exit::Code(code, message) => (code, message),
        };
        // clap's messages start with it too.
        let message = message.strip_prefix("error: ").unwrap_or(&message);
        match tls_hints::find(message) {
            Some(hint) => error_notice(&format!("{message}\nhint: {hint}")),
            None => error_notice(message),
        }
        ExitCode::from(code)
    }
}

impl From<Error> for Exit {
    fn from(error: Error) -> Exit {
        let code = match error {
            Error::Overflow { .. } => 3,
            Error::DivisionByZero(_) => 4,
            Error::DeadlineExceeded(_) => 5,
            Error::Unavailable(_) => UNREACHABLE,
            _ => RPC_FAILED,
        };
        Exit::Code(code, error.to_string())
    }
}

impl From<ReflectionError> for Exit {
    fn from(error: ReflectionError) -> Exit {
        match error {
            ReflectionError::Status(status) => Error::from(status).into(),
            error => Exit::Code(RPC_FAILED, error.to_string()),
        }
    }
}

impl From<ConnectError> for Exit {
    fn from(error: ConnectError) -> Exit {
        match error {
            ConnectError::File(error) => Exit::failed(error),
            other => Exit::Usage(other.to_string()),
        }
    }
}

/// Prints a result on standard output. A closed pipe is a success: its reader has read enough.
pub fn print(text: &str) -> Result<(), Exit> {
    print_while_read(text).map(drop)
}

/// Prints one of several results, and returns whether the pipe is still open.
pub fn print_while_read(text: &str) -> Result<bool, Exit> {
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Exit::failed(format!("cannot write to standard output: {error}"))),
    }
}
