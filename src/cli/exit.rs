//! How a command ends: what it prints, and its exit code.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use calc::Error;
use calc::rpc::InvalidTarget;
use calc::rpc::reflection::ReflectionError;
use calc::rpc::reflection::text::Malformed;
use calc::server::RunError;

/// The exit codes, for `--help`.
pub const HELP: &str = "\
EXIT CODES:
    0    success
    1    the server did not start or did not end in order, or the result could not be printed
    2    wrong usage
    3    the result does not fit an int32
    4    division by zero
    5    the server did not answer in time
    6    the server cannot be reached
    7    the server answered with another error, or does not know the name";

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
    /// Standard output could not be written.
    Output(io::Error),
}

impl Exit {
    /// Says why on standard error, and gives the exit code that [`HELP`] lists.
    pub fn report(self) -> ExitCode {
        let (code, message) = match self {
            // Clap's own messages come with `error:` before them.
            Exit::Usage(message) => (2, message.strip_prefix("error: ").unwrap_or(&message).to_owned()),
            Exit::Call(error) => (code(&error), error.to_string()),
            Exit::Reflection(message) => (7, message),
            Exit::Serve(message) => (1, message),
            Exit::Output(error) => (1, format!("cannot write to standard output: {error}")),
        };
        // Where standard error is closed too there is nobody left to tell.
        let _ = writeln!(io::stderr(), "error: {message}");
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

impl From<Malformed> for Exit {
    fn from(error: Malformed) -> Exit {
        Exit::Reflection(error.to_string())
    }
}

impl From<InvalidTarget> for Exit {
    fn from(error: InvalidTarget) -> Exit {
        Exit::Usage(error.to_string())
    }
}

impl From<RunError> for Exit {
    fn from(error: RunError) -> Exit {
        Exit::Serve(error.to_string())
    }
}

/// Prints a result on standard output. A reader that has gone away has read enough.
pub fn print(text: &str) -> Result<(), Exit> {
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Exit::Output(error)),
        _ => Ok(()),
    }
}
