// A transport with room for so much in all, as a congested connection has: what a multiplexer
// offers first is all that goes. Test support.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include <transport/conn.hpp>

#include "../capability.hpp"

namespace ethnet::session::testing {

class Narrow final : public transport::Transport {
 public:
  std::size_t room = 0;
  std::size_t bulk_room = SIZE_MAX;  // of a limit of its own, for what can wait
  transport::StreamId next = 3;
  // What was taken: the stream, and the bytes, in the order in which they went.
  std::vector<std::pair<transport::StreamId, Bytes>> taken;

  Result<transport::ConnHandle> dial(Now, const Endpoint&) override {
    return fail(SessionError::transport);
  }
  Result<transport::StreamId> open_stream(transport::ConnHandle, transport::StreamKind) override {
    return next += 4;
  }
  std::size_t write(transport::ConnHandle, transport::StreamId stream, ByteView bytes) override {
    const std::size_t n = std::min(room, bytes.size());
    room -= n;
    if (n > 0) taken.emplace_back(stream, to_bytes(bytes.first(n)));
    return n;
  }
  std::size_t write_bulk(transport::ConnHandle conn, transport::StreamId stream,
                         ByteView bytes) override {
    const std::size_t n = write(conn, stream, bytes.first(std::min(bulk_room, bytes.size())));
    bulk_room -= n;
    return n;
  }
  bool waits_for_limit(transport::ConnHandle) const override { return bulk_room == 0; }
  void finish(transport::ConnHandle, transport::StreamId) override {}
  ByteView read(transport::ConnHandle, transport::StreamId) override { return {}; }
  bool at_end(transport::ConnHandle, transport::StreamId) const override { return false; }
  void consume(transport::ConnHandle, transport::StreamId, std::size_t) override {}
  void reset(transport::ConnHandle, transport::StreamId, std::uint64_t) override {}
  void stop(transport::ConnHandle, transport::StreamId, std::uint64_t) override {}
  void close(Now, transport::ConnHandle, std::uint64_t, std::string_view) override {}
  Result<void> export_key(transport::ConnHandle, std::string_view, MutByteView) override {
    return fail(SessionError::transport);
  }
  std::size_t memory_bytes(transport::ConnHandle) const override { return 0; }
  transport::ConnStats stats(transport::ConnHandle) const override { return {}; }
};

}  // namespace ethnet::session::testing
