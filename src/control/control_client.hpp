// A client of ethnet.Control for programs that know nothing of gRPC.
// Threading: one thread; calls block. Throws ControlError, whose text is one clear line.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <base/bytes.hpp>
#include <types/hash.hpp>

namespace ethnet::control {

class ControlError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Published {
  Hash32 data_id;
  std::uint32_t total_chunks = 0;
  std::uint32_t chunk_size = 0;  // bytes
  std::uint64_t total_bytes = 0;
};

struct Sampled {
  std::uint32_t requested = 0;
  std::uint32_t received = 0;
  std::optional<double> confidence;  // none: unknown
  double fooled_probability = 1;
  bool done = false;
};

// As proto/control.proto's BlockExplanation.
struct Explanation {
  enum class Standing : std::uint8_t { unknown, canonical, side };
  struct Head {
    Hash32 hash;
    std::uint64_t number = 0;
    std::string score;
    std::string why;
  };
  Standing standing = Standing::unknown;
  std::string rule;
  Head head;
  std::uint64_t number = 0;
  Hash32 parent;
  std::vector<Head> rivals;
  bool cut = false;
  std::optional<Hash32> fork_point;
  std::uint64_t fork_point_number = 0;
};

class ControlClient {
 public:
  // `path`: of the node's socket. Nothing is sent yet.
  explicit ControlClient(const std::string& path);
  ~ControlClient();
  ControlClient(const ControlClient&) = delete;
  ControlClient& operator=(const ControlClient&) = delete;

  // True: it was not there before.
  [[nodiscard]] bool add_peer(const std::string& peer);
  // True: there was something to remove.
  [[nodiscard]] bool remove_peer(const std::string& peer);
  // `chunk_size`: 0 lets the node choose.
  [[nodiscard]] Published publish(ByteView data, std::uint32_t chunk_size);
  // Returns the verdict.
  [[nodiscard]] Sampled sample(const Hash32& data_id, std::uint32_t k,
                               const std::function<void(const Sampled&)>& on_progress);
  // Chunks received, of how many; then the bytes, in order.
  using OnChunks = std::function<void(std::uint32_t received, std::uint32_t total)>;
  using OnData = std::function<void(ByteView)>;
  void get(const Hash32& data_id, const OnChunks& on_chunks, const OnData& on_data);
  [[nodiscard]] Explanation explain(const Hash32& block);
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ethnet::control
