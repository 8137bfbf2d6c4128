"""Calls the server of examples/own-service over TLS, knowing neither its .proto file nor our code.

    python tests/python/own_service.py TARGET --ca FILE
"""

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from checks import PATIENCE, code_of, equal
from connect import arguments, connect

STOCK, SUPPLIERS = "shop.Stock", "shop.Suppliers"


def method(channel, pool, service, name):
    """A function that makes the call; its arguments are the fields of the request."""
    described = pool.FindMethodByName(f"{service}.{name}")
    request = message_factory.GetMessageClass(described.input_type)
    reply = message_factory.GetMessageClass(described.output_type)
    call = channel.unary_unary(
        f"/{service}/{name}", request_serializer=request.SerializeToString, response_deserializer=reply.FromString
    )
    return lambda **fields: call(request(**fields), timeout=PATIENCE)


def main():
    with connect(arguments().parse_args()) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        services = [STOCK, SUPPLIERS, "grpc.health.v1.Health"]
        versions = [f"grpc.reflection.{version}.ServerReflection" for version in ("v1", "v1alpha")]
        equal("services", sorted(database.get_services()), sorted(services + versions))
        pool = descriptor_pool.DescriptorPool(database)

        health = health_pb2_grpc.HealthStub(channel)
        for service in ("", STOCK, SUPPLIERS):
            status = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=PATIENCE).status
            equal(f"health of {service!r}", status, health_pb2.HealthCheckResponse.SERVING)

        count = method(channel, pool, STOCK, "Count")
        equal("apples", count(name="apple").count, 120)
        equal("bananas", code_of(lambda: count(name="banana")), "NOT_FOUND")
        equal("the value", method(channel, pool, STOCK, "Appraise")().cents, 120 * 40 + 31 * 25)
        equal("days until there are more pears", method(channel, pool, SUPPLIERS, "Delivery")(name="pear").days, 3)
    print("every answer is right")


if __name__ == "__main__":
    main()
