// What ngtcp2 allocates for one connection, counted, so that a peer's frames cannot make it hold
// more than the connection may. One object a connection; it must outlive the ngtcp2_conn.
#pragma once

#include <cstddef>
#include <memory>

struct ngtcp2_mem;

namespace ethnet::quic {

class CountingMemory {
 public:
  CountingMemory();
  CountingMemory(const CountingMemory&) = delete;
  CountingMemory& operator=(const CountingMemory&) = delete;
  ~CountingMemory();

  [[nodiscard]] const ngtcp2_mem* functions() const { return functions_.get(); }
  // As the C library rounds it.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Functions;

  std::unique_ptr<ngtcp2_mem> functions_;
  std::size_t bytes_ = 0;
};

}  // namespace ethnet::quic
