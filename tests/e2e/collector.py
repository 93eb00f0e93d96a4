"""A collector that takes OpenTelemetry's log records by gRPC, and keeps their attributes."""

from concurrent import futures

import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2

SERVICE = "opentelemetry.proto.collector.logs.v1.LogsService"


class Collector:
    def __init__(self):
        self.records = []
        export = grpc.unary_unary_rpc_method_handler(
            self._export,
            request_deserializer=logs_service_pb2.ExportLogsServiceRequest.FromString,
            response_serializer=lambda response: response.SerializeToString(),
        )
        handler = grpc.method_handlers_generic_handler(SERVICE, {"Export": export})
        self._server = grpc.server(futures.ThreadPoolExecutor(2))
        self._server.add_generic_rpc_handlers((handler,))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def _export(self, request, _context):
        for resource in request.resource_logs:
            of_resource = attributes(resource.resource)
            for scope in resource.scope_logs:
                for record in scope.log_records:
                    self.records.append({**of_resource, **attributes(record)})
        return logs_service_pb2.ExportLogsServiceResponse()

    def close(self):
        self._server.stop(grace=None).wait()


def attributes(thing):
    return {each.key: each.value.string_value for each in thing.attributes}
