"""A gRPC client that knows nothing of ethscope: services, methods and messages come by reflection.

    grpc_by_reflection.py TARGET            what it finds and is told, as one line of JSON
    grpc_by_reflection.py TARGET watch      a line for each state of the node's health, until it ends

Needs grpcio and protobuf for Python, and the protos of reflection and health (package grpc-proto) in PROTOS.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

PROTOS = os.environ.get("GRPC_PROTOS", "/usr/share/grpc-proto")
SECONDS = 30


def make_protos(folder):
    subprocess.run(["protoc", "-I", PROTOS, f"--python_out={folder}", "grpc/reflection/v1alpha/reflection.proto",
                    "grpc/health/v1/health.proto"], check=True)
    # Without __init__.py they would hide behind the installed package `grpc`.
    out = []
    for name in ("grpc/reflection/v1alpha/reflection_pb2.py", "grpc/health/v1/health_pb2.py"):
        source = os.path.join(folder, name)
        os.rename(source, os.path.join(folder, os.path.basename(source)))
        out.append(os.path.basename(source)[:-len(".py")])
    sys.path.insert(0, folder)
    return [importlib.import_module(name) for name in out]


class Reflection:
    def __init__(self, channel, proto):
        self.proto = proto
        self.ask = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                                         request_serializer=proto.ServerReflectionRequest.SerializeToString,
                                         response_deserializer=proto.ServerReflectionResponse.FromString)
        self.pool = descriptor_pool.DescriptorPool()

    def one(self, **request):
        return next(iter(self.ask(iter([self.proto.ServerReflectionRequest(**request)]), timeout=SECONDS)))

    def services(self):
        return sorted(s.name for s in self.one(list_services="").list_services_response.service)

    def service(self, name):
        for data in self.one(file_containing_symbol=name).file_descriptor_response.file_descriptor_proto:
            self.pool.Add(descriptor_pb2.FileDescriptorProto.FromString(data))
        return self.pool.FindServiceByName(name)


def message_class(descriptor):
    return message_factory.MessageFactory().GetPrototype(descriptor)


def call(channel, service, name):
    """(request sent empty) -> the answer, as JSON's types."""
    method = service.methods_by_name[name]
    request, response = message_class(method.input_type), message_class(method.output_type)
    ask = channel.unary_unary(f"/{service.full_name}/{name}", request_serializer=request.SerializeToString,
                              response_deserializer=response.FromString)
    return json_format.MessageToDict(ask(request(), timeout=SECONDS), preserving_proto_field_name=True)


def health(channel, proto, service):
    check = channel.unary_unary("/grpc.health.v1.Health/Check",
                                request_serializer=proto.HealthCheckRequest.SerializeToString,
                                response_deserializer=proto.HealthCheckResponse.FromString)
    try:
        answer = check(proto.HealthCheckRequest(service=service), timeout=SECONDS)
        return proto.HealthCheckResponse.ServingStatus.Name(answer.status)
    except grpc.RpcError as error:
        return error.code().name


def watch(channel, proto):
    states = channel.unary_stream("/grpc.health.v1.Health/Watch",
                                  request_serializer=proto.HealthCheckRequest.SerializeToString,
                                  response_deserializer=proto.HealthCheckResponse.FromString)
    try:
        for state in states(proto.HealthCheckRequest(service="ethscope.EthScope"), timeout=2 * SECONDS):
            print(proto.HealthCheckResponse.ServingStatus.Name(state.status), flush=True)
    except grpc.RpcError as error:
        print(error.code().name, flush=True)


def main(target, *words):
    with tempfile.TemporaryDirectory() as folder, grpc.insecure_channel(target) as channel:
        reflection_proto, health_proto = make_protos(folder)
        if words == ("watch",):
            return watch(channel, health_proto)
        reflection = Reflection(channel, reflection_proto)
        services = reflection.services()
        scope = reflection.service("ethscope.EthScope")
        print(json.dumps({
            "services": services,
            "methods": sorted(scope.methods_by_name),
            "summary": call(channel, scope, "GetSummary"),
            "peers": call(channel, scope, "ListPeers"),
            "health": {name: health(channel, health_proto, name) for name in ("", "ethscope.EthScope", "nobody")},
        }))
        return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
