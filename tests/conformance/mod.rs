//! gRPC's own [interop tests](https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md): a server and a
//! client of `grpc.testing.TestService` on the kit, against each other and against the programs that grpc-go and gRPC's
//! Ruby library have for these tests, in clear text and over TLS.
//!
//! Read [`service`] for how a server's methods of each kind are written, and [`cases`] for a client's. `peers.sh` gets the
//! other programs; `docs/interop.md` has the cases that are not here, with the reasons.

mod cases;
mod grpc_go;
mod ours;
mod peer;
mod ruby;
mod service;

/// How two programs of the interop tests talk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    ClearText,
    Tls,
}

/// Writes a test for each case and transport, which calls a function with both.
macro_rules! every_case {
    ($passes:path) => {
        mod in_clear_text {
            every_case!($passes, ClearText);
        }
        mod over_tls {
            every_case!($passes, Tls);
        }
    };
    ($passes:path, $transport:ident) => {
        every_case!(
            $passes, $transport,
            empty_unary large_unary client_streaming server_streaming ping_pong empty_stream
            timeout_on_sleeping_server cancel_after_begin cancel_after_first_response
            status_code_and_message special_status_message unimplemented_method unimplemented_service
        );
    };
    ($passes:path, $transport:ident, $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                $passes(stringify!($case), crate::conformance::Transport::$transport);
            }
        )*
    };
}

mod our_client_passes_against_our_server {
    every_case!(crate::conformance::ours::passes);
}

mod our_client_passes_against_grpc_gos_server {
    every_case!(crate::conformance::grpc_go::server_passes);
}

mod grpc_gos_client_passes_against_our_server {
    every_case!(crate::conformance::grpc_go::client_passes);
}
