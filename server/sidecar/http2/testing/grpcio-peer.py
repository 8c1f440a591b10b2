"""Both ends of gRPC by Python's own implementation: a server on a free port, whose number is the first line, then calls to the port that the next line of input names."""
import json
import sys
import threading
from concurrent import futures

import grpc


def plain(value):
    return value


class Echo(grpc.GenericRpcHandler):
    def service(self, call):
        name = call.method.rsplit("/", 1)[1]
        make = {
            "Unary": grpc.unary_unary_rpc_method_handler,
            "Up": grpc.stream_unary_rpc_method_handler,
            "Down": grpc.unary_stream_rpc_method_handler,
            "Both": grpc.stream_stream_rpc_method_handler,
        }[name]
        return make(getattr(self, name.lower()), plain, plain)

    def unary(self, request, context):
        metadata = dict(context.invocation_metadata())
        if request == b"fail":
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not now: 100 %")
        if request == b"slow":
            over = threading.Event()
            context.add_callback(over.set)
            over.wait(30)
        context.send_initial_metadata((("first", metadata.get("sent", "")),))
        context.set_trailing_metadata((("seen-bin", metadata.get("sent-bin", b"")),))
        return request

    def up(self, requests, context):
        return str(sum(len(message) for message in requests)).encode()

    def down(self, request, context):
        for index in range(int(request)):
            yield bytes([index & 255]) * 10_000

    def both(self, requests, context):
        yield from requests


def code_of(call):
    try:
        call()
    except grpc.RpcError as error:
        return [error.code().name, error.details()]
    return ["OK", ""]


def ask(port):
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        unary = channel.unary_unary("/test.Echo/Unary")
        answer, call = unary.with_call(b"hello", metadata=(("sent", "1"), ("sent-bin", b"\x00\xff\n")))
        yield "unary", answer.decode()
        yield "initial metadata", dict(call.initial_metadata())["first"]
        yield "trailing metadata", list(dict(call.trailing_metadata())["seen-bin"])
        yield "failed", code_of(lambda: unary(b"fail"))
        yield "late", code_of(lambda: unary(b"slow", timeout=0.3))[0]
        calls = [unary.future(str(index).encode()) for index in range(200)]
        yield "many", all(call.result() == str(index).encode() for index, call in enumerate(calls))
        up = channel.stream_unary("/test.Echo/Up")
        yield "up", up(bytes(20_000) for _ in range(200)).decode()
        down = channel.unary_stream("/test.Echo/Down")(b"300")
        yield "down", sum(message[0] == index & 255 for index, message in enumerate(down))
        both = channel.stream_stream("/test.Echo/Both")
        yield "both", [message.decode() for message in both(str(index).encode() for index in range(20))]
        cancelled = both(iter([b"x"]))
        next(cancelled)
        cancelled.cancel()
        yield "cancelled", cancelled.code().name


server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
server.add_generic_rpc_handlers((Echo(),))
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
print(json.dumps(dict(ask(sys.stdin.readline().strip()))), flush=True)
server.stop(None)
