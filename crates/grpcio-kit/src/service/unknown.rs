//! RPCs of methods that the server does not have.
//!
//! The C core gives them to one method (patch 0033), so that interceptors see them. Without the patch grpcio answers them.

use protobuf::well_known_types::empty::Empty;

use crate::method::Method;
use crate::service::{Service, ServiceBuilder};
use crate::status::Status;
use crate::status::code::Code;

/// The service of the method that answers them. gRPC's own metrics call methods that are not registered `other` (gRFC A66).
const NAME: &str = "other";
const METHOD: Method<Empty, Empty> = Method::new(PATH);

/// The path of the method that answers them.
pub(crate) const PATH: &str = "/other/other";

/// Returns the service of that method, for a server that has `services`.
pub(crate) fn service(services: &[Service]) -> Service {
    let services: Vec<_> = services.iter().map(Service::name).collect();
    ServiceBuilder::new(NAME)
        .bidi_streaming(METHOD, move |call, _| {
            // The C core has put the path there.
            Err(Status::new(Code::Unimplemented, message(&services, call.host())))
        })
        .build()
}

/// Says what is unknown, as grpc-go does.
fn message(services: &[&str], path: &[u8]) -> String {
    let path = String::from_utf8_lossy(path);
    match path.strip_prefix('/').and_then(|path| path.rsplit_once('/')) {
        None => format!("malformed method name: {path:?}"),
        Some((service, method)) if services.contains(&service) => {
            format!("unknown method {} for service {service}", method.escape_debug())
        }
        Some((service, _)) => format!("unknown service {}", service.escape_debug()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_is_unknown() {
        let message = |path: &[u8]| message(&["a.B"], path);
        assert_eq!(message(b"/a.B/C"), "unknown method C for service a.B");
        assert_eq!(message(b"/a.B/"), "unknown method  for service a.B");
        assert_eq!(message(b"/a.C/D"), "unknown service a.C");
        assert_eq!(message(b"/a.B/C/D"), "unknown service a.B/C");
        assert_eq!(message(b"a.B/C"), "malformed method name: \"a.B/C\"");
        assert_eq!(message(b"/a\n\xff/C"), "unknown service a\\n\u{fffd}");
    }
}
