//! How a command ends: what it prints, and its exit code.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use calc::Error;
use calc::server::RunError;
use grpcio_kit::http::HttpError;
use grpcio_kit::log::{InitError, error_notice};
use grpcio_kit::reflection_client::ReflectionError;
use grpcio_kit::{ConnectError, FileError, InvalidRate, MetricsError};

/// The exit codes, for `--help`.
pub const HELP: &str = "\
EXIT CODES:
    0    success
    1    the server did not start or did not end in order, a file cannot be used, or the result could not be printed
    2    wrong usage, or a line of input that is not what it should be
    3    the result does not fit an int32
    4    division by zero
    5    the server did not answer in time
    6    the server cannot be reached
    7    the server answered with another error, or does not know the name
    8    calc bench: it could not run, or a call failed, had a wrong answer, did not end, or could not begin in time

`calc health` has others: see its --help.";

/// Why a command did not succeed.
pub enum Exit {
    /// What was written on the command line or in the environment makes no sense.
    Usage(String),
    /// A call failed, or a calculation has no result.
    Call(Error),
    /// The server does not offer reflection, does not know a name, or makes no sense.
    Reflection(String),
    /// The server did not start, or did not end as it should.
    Serve(String),
    /// `calc bench` has no connection to begin with.
    Unreachable(String),
    /// `calc bench` could not run, or some of its calls went wrong.
    Bench(String),
    /// A file that was named cannot be used.
    File(FileError),
    /// Standard input cannot be read.
    Input(io::Error),
    /// A line of standard input makes no sense.
    Line(String),
    /// `calc health` has exit codes of its own.
    Probe(u8, String),
    /// Standard output could not be written.
    Output(io::Error),
}

impl Exit {
    /// Why `calc bench` cannot run.
    pub fn bench(error: impl Display) -> Exit {
        Exit::Bench(format!("cannot make calls: {error}"))
    }

    /// Adds to what is said of wrong usage.
    pub fn with_note(self, note: impl FnOnce(&str) -> String) -> Exit {
        match self {
            Exit::Usage(message) => Exit::Usage(format!("{message}{}", note(&message))),
            Exit::Probe(code, message) => Exit::Probe(code, format!("{message}{}", note(&message))),
            exit => exit,
        }
    }

    /// Says why on standard error, and gives the exit code that [`HELP`] lists.
    pub fn report(self) -> ExitCode {
        let (code, message) = match self {
            Exit::Usage(message) => (2, message),
            Exit::Probe(code, message) => (code, message),
            Exit::Call(error) => (code(&error), error.to_string()),
            Exit::Reflection(message) => (7, message),
            Exit::Unreachable(message) => (6, message),
            Exit::Bench(message) => (8, message),
            Exit::Serve(message) => (1, message),
            Exit::File(error) => (1, error.to_string()),
            Exit::Input(error) => (1, format!("cannot read standard input: {error}")),
            Exit::Line(message) => (2, message),
            Exit::Output(error) => (1, format!("cannot write to standard output: {error}")),
        };
        // Clap's own messages come with `error:` before them.
        let message = message.strip_prefix("error: ").unwrap_or(&message);
        error_notice(message);
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

impl From<FileError> for Exit {
    fn from(error: FileError) -> Exit {
        Exit::File(error)
    }
}

impl From<ConnectError> for Exit {
    fn from(error: ConnectError) -> Exit {
        match error {
            ConnectError::File(error) => Exit::File(error),
            other => Exit::Usage(other.to_string()),
        }
    }
}

impl From<InvalidRate> for Exit {
    fn from(error: InvalidRate) -> Exit {
        Exit::Usage(error.to_string())
    }
}

/// Errors of a server, or of what stands around it.
macro_rules! serve {
    ($($error:ty),+) => {
        $(impl From<$error> for Exit {
            fn from(error: $error) -> Exit {
                Exit::Serve(error.to_string())
            }
        })+
    };
}

serve!(RunError, HttpError, InitError, MetricsError);

/// Prints a result on standard output. A reader that has gone away has read enough.
pub fn print(text: &str) -> Result<(), Exit> {
    print_while_read(text).map(|_| ())
}

/// Prints one of several results. Says whether the reader is still there.
pub fn print_while_read(text: &str) -> Result<bool, Exit> {
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Exit::Output(error)),
    }
}
