// What the das-lite engine tells the node.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <das/confidence.hpp>
#include <das/dataset.hpp>
#include <session/capability.hpp>

namespace ethnet::das_lite {

using session::SessionHandle;

enum class Misbehaviour : std::uint8_t {
  malformed_message,     // does not decode
  unsolicited_response,  // a chunk that was not asked of this peer
  wrong_chunk,           // bytes and proof that do not lead to the name
  false_sizes,           // announced a name with sizes that are not its own
  too_many_requests,     // more chunks waiting than kMaxQueuedChunks
};
[[nodiscard]] std::string_view describe(Misbehaviour what);

// To the node: close this session. Said once.
struct PeerMisbehaved {
  SessionHandle session;
  Misbehaviour what = Misbehaviour::malformed_message;
};

enum class Lapse : std::uint8_t {
  missing_chunk,  // announced the data set, and says that it does not hold the chunk
  late_chunk,     // did not answer in time
};
[[nodiscard]] std::string_view describe(Lapse what);

// To the node: hold this against the peer; the session goes on. Once for a peer and data set.
struct PeerScored {
  SessionHandle session;
  Lapse what = Lapse::missing_chunk;
  das::DataId data_id;
};

// A sampling moved; `done` is told once, when every chunk has come or is given up.
struct DasVerdict {
  std::uint64_t run = 0;   // as sample() gave it
  bool automatic = false;  // begun by itself, not by a command
  das::DataKey key;
  std::uint32_t requested = 0;
  std::uint32_t received = 0;
  std::optional<double> confidence;  // received / requested; none: unknown
  double fooled_probability = 1;     // das/confidence.hpp
  bool done = false;
  friend bool operator==(const DasVerdict&, const DasVerdict&) = default;
};
// "received=7 requested=8 confidence=0.875"
[[nodiscard]] std::string to_text(const DasVerdict& verdict);

// A publication has been hashed and is held and announced; or there was no room for it.
struct DataPublished {
  std::uint64_t run = 0;  // as publish() gave it
  das::DataKey key;
  bool kept = false;
};

// A get() moved; `done` is told once. It has succeeded when `received` is then `total`.
struct GetProgress {
  std::uint64_t run = 0;  // as get() gave it
  das::DataKey key;
  std::uint32_t received = 0;  // chunks held
  std::uint32_t total = 0;
  bool done = false;
  friend bool operator==(const GetProgress&, const GetProgress&) = default;
};

using Event = std::variant<PeerMisbehaved, PeerScored, DasVerdict, DataPublished, GetProgress>;

}  // namespace ethnet::das_lite
