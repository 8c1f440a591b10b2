"""A gRPC application without a proxy, on grpcio's own xDS client: calls test.Echo for each line of headers, and prints what came of it."""
import json
import sys

import grpc

channel = grpc.insecure_channel(sys.argv[1])
say = channel.unary_unary(
    "/test.Echo/Say", request_serializer=str.encode, response_deserializer=bytes.decode
)
for line in sys.stdin:
    try:
        answer = say("hello", metadata=list(json.loads(line).items()), timeout=5)
    except grpc.RpcError as error:
        answer = error.code().name
    print(json.dumps(answer), flush=True)
