"""Divides 10 by 4 without any .proto file, by reflection.

    python tests/python/divide_by_reflection.py TARGET
"""

import sys

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase


def main():
    with grpc.insecure_channel(sys.argv[1]) as channel:
        pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        method = pool.FindMethodByName("calc.Calculator.Divide")
        request = message_factory.GetMessageClass(method.input_type)
        reply = message_factory.GetMessageClass(method.output_type)
        divide = channel.unary_unary(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=request.SerializeToString,
            response_deserializer=reply.FromString,
        )
        print(divide(request(n1=10, n2=4), timeout=30).f1)


if __name__ == "__main__":
    main()
