"""A collector of OpenTelemetry traces: python tests/python/collector.py prints a line for each span that it receives.

With `--silent` it never answers.
"""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from serving import announce

silent = "--silent" in sys.argv


def value(any_value):
    return getattr(any_value, any_value.WhichOneof("value"))


def describe(resource, span):
    attributes = {each.key: value(each.value) for each in span.attributes}
    assert attributes.pop("rpc.system") == "grpc"
    assert attributes.pop("network.peer.address") == "127.0.0.1" and attributes.pop("network.peer.port") > 0, attributes
    service, method = attributes.pop("rpc.service"), attributes.pop("rpc.method")
    assert span.name == f"{service}/{method}", span
    code = attributes.pop("rpc.grpc.status_code")
    assert not attributes, attributes
    assert span.kind == Span.SPAN_KIND_SERVER and len(span.trace_id) == 16 and len(span.span_id) == 8, span
    assert 0 <= span.end_time_unix_nano - span.start_time_unix_nano < 60e9, span
    [name] = [value(each.value) for each in resource.attributes if each.key == "service.name"]
    status = {Status.STATUS_CODE_UNSET: "unset", Status.STATUS_CODE_ERROR: f"error ({span.status.message})"}
    ids = [each.hex() or "none" for each in (span.trace_id, span.parent_span_id)]
    return " ".join([name, span.name, *ids, str(code), status[span.status.code]])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if silent:
            print("a request", file=sys.stderr, flush=True)
            threading.Event().wait()
        assert (self.path, self.headers["Content-Type"]) == ("/v1/traces", "application/x-protobuf"), self.path
        for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope_spans in resource_spans.scope_spans:
                assert scope_spans.scope.name == "grpcio-opentelemetry", scope_spans.scope
                for span in scope_spans.spans:
                    print(describe(resource_spans.resource, span), file=sys.stderr, flush=True)
        reply = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
announce(server.server_port)
server.serve_forever()
