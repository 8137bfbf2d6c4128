//! The status codes of gRPC.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal;)+) => {
        /// A [status code](https://grpc.github.io/grpc/core/md_doc_statuscodes.html) of gRPC.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $variant = $number,)+
        }

        impl Code {
            /// All codes, by number.
            pub const ALL: &'static [Code] = &[$(Code::$variant),+];

            /// Returns the name in gRPC's documentation, such as `INVALID_ARGUMENT`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Code::$variant => $name,)+
                }
            }
        }

        impl From<i32> for Code {
            /// Returns [`Code::Unknown`] for a number that gRPC does not define, as its specification requires.
            fn from(number: i32) -> Code {
                match number {
                    $($number => Code::$variant,)+
                    _ => Code::Unknown,
                }
            }
        }
    };
}

codes! {
    /// The call succeeded.
    Ok = 0, "OK";
    /// The client cancelled the call, or the server shut down.
    Cancelled = 1, "CANCELLED";
    /// An error without further information.
    Unknown = 2, "UNKNOWN";
    /// The request is invalid in any state of the server.
    InvalidArgument = 3, "INVALID_ARGUMENT";
    /// The deadline passed.
    DeadlineExceeded = 4, "DEADLINE_EXCEEDED";
    /// The requested entity does not exist.
    NotFound = 5, "NOT_FOUND";
    /// The entity to create already exists.
    AlreadyExists = 6, "ALREADY_EXISTS";
    /// The caller is authenticated but not authorized.
    PermissionDenied = 7, "PERMISSION_DENIED";
    /// A limit was reached, such as the size of a message.
    ResourceExhausted = 8, "RESOURCE_EXHAUSTED";
    /// The state of the server does not allow the call.
    FailedPrecondition = 9, "FAILED_PRECONDITION";
    /// The call conflicts with another one.
    Aborted = 10, "ABORTED";
    /// An operand or the result is out of its range.
    OutOfRange = 11, "OUT_OF_RANGE";
    /// The server does not implement the method.
    Unimplemented = 12, "UNIMPLEMENTED";
    /// An invariant is broken: a bug in the server, or a malformed message.
    Internal = 13, "INTERNAL";
    /// The server cannot be reached; a retry may help.
    Unavailable = 14, "UNAVAILABLE";
    /// Data is lost or corrupted beyond recovery.
    DataLoss = 15, "DATA_LOSS";
    /// The caller has no valid credentials.
    Unauthenticated = 16, "UNAUTHENTICATED";
}

impl Code {
    /// Whether OpenTelemetry's semantic conventions for gRPC count an RPC with this code as an error of its server.
    pub fn is_server_error(self) -> bool {
        use Code::{DataLoss, DeadlineExceeded, Internal, Unavailable, Unimplemented, Unknown};
        matches!(self, Unknown | DeadlineExceeded | Unimplemented | Internal | Unavailable | DataLoss)
    }
}

impl From<Code> for i32 {
    fn from(code: Code) -> i32 {
        code as i32
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
