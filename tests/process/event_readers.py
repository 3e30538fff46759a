"""Readers of ethscope.EthScope/StreamEvents, of which all but one stall until they are told to read.

    event_readers.py TARGET STALLING

Prints "ready" when all streams have begun, then a line of JSON for each event that the one who reads is told. On a line
of input the others read what there is, one after the other, and a line for each says what that was.
"""

import json
import sys
import tempfile
import threading

import grpc
import grpc_by_reflection as client


def open_stream(channel, scope, **request):
    method = scope.methods_by_name["StreamEvents"]
    ask, answer = client.message_class(method.input_type), client.message_class(method.output_type)
    call = channel.unary_stream(f"/{scope.full_name}/StreamEvents", request_serializer=ask.SerializeToString,
                                response_deserializer=answer.FromString)
    stream = call(ask(**request))
    stream.initial_metadata()  # the node has begun it
    return stream


class Follower:
    """Who reads at once."""

    def __init__(self):
        self.removed, self.added = 0, 0
        self.newest = 0

    def line(self, event):
        out = {"cursor": event.cursor, "kind": event.WhichOneof("kind")}
        self.newest = event.cursor
        if event.HasField("gap"):
            out["gap"] = event.gap.missed
        if event.HasField("reorg"):
            reorg = event.reorg
            self.removed, self.added = ((0, 0) if reorg.part == 0 else (self.removed, self.added))
            self.removed += len(reorg.removed)
            self.added += len(reorg.added)
            out.update(removed=self.removed, added=self.added, parts_left=reorg.parts - reorg.part - 1)
        return out


def catch_up(stream, newest):
    """What a reader that stalled is told until it has seen the newest event."""
    told = {"gaps": 0, "missed": 0, "events": 0, "first": None, "last": None}
    for event in stream:
        if event.HasField("gap"):
            told["gaps"] += 1
            told["missed"] += event.gap.missed
        else:
            told["events"] += 1
            told["first"] = told["first"] or event.cursor
            told["last"] = event.cursor
            if event.cursor >= newest:
                break
    return told


def main(target, stalling):
    options = [("grpc.max_receive_message_length", 16 * 1024 * 1024)]
    with tempfile.TemporaryDirectory() as folder:
        reflection_proto, _ = client.make_protos(folder)
        # A connection each, as of ten programs.
        channels = [grpc.insecure_channel(target, [*options, ("grpc.use_local_subchannel_pool", 1)])
                    for _ in range(int(stalling) + 1)]
        scope = client.Reflection(channels[0], reflection_proto).service("ethscope.EthScope")
        stalled = [open_stream(channel, scope, only_new=True) for channel in channels[1:]]
        reading = open_stream(channels[0], scope, only_new=True)
        print("ready", flush=True)
        follower = Follower()

        def follow():
            try:
                for event in reading:
                    print(json.dumps(follower.line(event)), flush=True)
            except grpc.RpcError:
                pass  # the test is over
        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        if not sys.stdin.readline():
            return 1
        newest = follower.newest
        reading.cancel()
        thread.join()
        for stream in stalled:
            print(json.dumps(catch_up(stream, newest)), flush=True)
            stream.cancel()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
