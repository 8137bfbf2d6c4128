//! How a command ends: its output, its error and its exit code.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use calc::client::Error;
use calc::server::RunError;
use grpcio_kit::http::HttpError;
use grpcio_kit::log::{InitError, error_notice};
use grpcio_kit::reflection_client::ReflectionError;
use grpcio_kit::{ConnectError, FileError, InvalidRate, MetricsError};

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

/// Why a command failed.
pub enum Exit {
    /// The server did not start or did not shut down cleanly, or a file, standard input or output failed.
    Failed(String),
    /// The command line, the environment or a line of standard input is wrong.
    Usage(String),
    /// An RPC failed, or a calculation has no result.
    Call(Error),
    /// `calc bench` could not connect.
    Unreachable(String),
    /// The server has no reflection, does not have the service, or breaks the protocol.
    Reflection(String),
    /// `calc bench` could not run, or some of its RPCs failed.
    Bench(String),
    /// `calc health` failed with this exit code.
    Probe(u8, String),
}

impl Exit {
    /// Creates the error of a `calc bench` that cannot run.
    pub fn bench(error: impl Display) -> Exit {
        Exit::Bench(format!("cannot make calls: {error}"))
    }

    /// Prints the error on standard error and returns the exit code that [`HELP`] lists.
    pub fn report(self) -> ExitCode {
        let (code, message) = match self {
            Exit::Failed(message) => (1, message),
            Exit::Usage(message) => (2, message),
            Exit::Call(error) => (code(&error), error.to_string()),
            Exit::Unreachable(message) => (6, message),
            Exit::Reflection(message) => (7, message),
            Exit::Bench(message) => (8, message),
            Exit::Probe(code, message) => (code, message),
        };
        // clap's messages start with it too.
        error_notice(message.strip_prefix("error: ").unwrap_or(&message));
        ExitCode::from(code)
    }
}

fn code(error: &Error) -> u8 {
    match error {
        Error::Overflow { .. } => 3,
        Error::DivisionByZero(_) => 4,
        Error::DeadlineExceeded(_) => 5,
        Error::Unavailable(_) => 6,
        _ => 7,
    }
}

impl From<Error> for Exit {
    fn from(error: Error) -> Exit {
        Exit::Call(error)
    }
}

impl From<ReflectionError> for Exit {
    fn from(error: ReflectionError) -> Exit {
        match error {
            ReflectionError::Status(status) => Exit::Call(status.into()),
            error => Exit::Reflection(error.to_string()),
        }
    }
}

impl From<ConnectError> for Exit {
    fn from(error: ConnectError) -> Exit {
        match error {
            ConnectError::File(error) => error.into(),
            other => Exit::Usage(other.to_string()),
        }
    }
}

impl From<InvalidRate> for Exit {
    fn from(error: InvalidRate) -> Exit {
        Exit::Usage(error.to_string())
    }
}

macro_rules! failed {
    ($($error:ty),+) => {
        $(impl From<$error> for Exit {
            fn from(error: $error) -> Exit {
                Exit::Failed(error.to_string())
            }
        })+
    };
}

failed!(RunError, HttpError, InitError, MetricsError, FileError);

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
        Err(error) => Err(Exit::Failed(format!("cannot write to standard output: {error}"))),
    }
}
