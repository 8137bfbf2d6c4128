//! The status codes of gRPC.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal;)+) => {
        /// A status code of gRPC, as its
        /// [specification](https://grpc.github.io/grpc/core/md_doc_statuscodes.html) lists them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $variant = $number,)+
        }

        impl Code {
            /// Every code, in the order of their numbers.
            pub const ALL: &'static [Code] = &[$(Code::$variant),+];

            /// The name on the wire's documentation, such as `INVALID_ARGUMENT`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Code::$variant => $name,)+
                }
            }
        }

        impl From<i32> for Code {
            /// A number that gRPC does not define is [`Code::Unknown`], as its specification asks.
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
    /// The caller gave up, or the server ended before the call did.
    Cancelled = 1, "CANCELLED";
    /// An error that nothing more is known of.
    Unknown = 2, "UNKNOWN";
    /// The request is wrong whatever the state of the server.
    InvalidArgument = 3, "INVALID_ARGUMENT";
    /// The caller's deadline passed.
    DeadlineExceeded = 4, "DEADLINE_EXCEEDED";
    /// What was asked for does not exist.
    NotFound = 5, "NOT_FOUND";
    /// What was to be made exists already.
    AlreadyExists = 6, "ALREADY_EXISTS";
    /// The caller is known, and may not do this.
    PermissionDenied = 7, "PERMISSION_DENIED";
    /// A limit was reached, such as the size of a message.
    ResourceExhausted = 8, "RESOURCE_EXHAUSTED";
    /// The server is not in a state that allows the call.
    FailedPrecondition = 9, "FAILED_PRECONDITION";
    /// Another call got in the way.
    Aborted = 10, "ABORTED";
    /// The result or an operand lies outside of its range.
    OutOfRange = 11, "OUT_OF_RANGE";
    /// The server does not know the method.
    Unimplemented = 12, "UNIMPLEMENTED";
    /// Something that must not happen did.
    Internal = 13, "INTERNAL";
    /// The server cannot be reached; a retry may help.
    Unavailable = 14, "UNAVAILABLE";
    /// Data was lost for good.
    DataLoss = 15, "DATA_LOSS";
    /// The caller is not known.
    Unauthenticated = 16, "UNAUTHENTICATED";
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
