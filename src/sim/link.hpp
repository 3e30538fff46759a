// Link: one direction between two hosts. Decides for each datagram whether it is lost, and when its
// copies arrive. Draws from a stream of its own, so that traffic elsewhere does not move it.
// Integer arithmetic throughout.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <base/instant.hpp>
#include <base/prng.hpp>

namespace ethnet::sim {

struct LinkOptions {
  Duration latency = milliseconds(1);  // the least
  Duration jitter{};                   // uniform, added
  bool keeps_order = true;             // false: the later one overtakes where jitter has it so
  std::uint64_t tail_ppm = 0;          // now and then up to `tail` more
  Duration tail{};
  std::uint64_t loss_ppm = 0;
  // Bursts (Gilbert-Elliott): a datagram may begin or end a bad spell, in which most are lost.
  std::uint64_t burst_begin_ppm = 0;
  std::uint64_t burst_end_ppm = 200'000;
  std::uint64_t burst_loss_ppm = 800'000;
  std::uint64_t duplicate_ppm = 0;
  std::uint64_t reorder_ppm = 0;  // held back by up to reorder_by, the others overtake it
  Duration reorder_by = milliseconds(20);
  std::uint64_t corrupt_ppm = 0;         // one bit flips
  std::uint64_t bits_per_second = 0;     // 0: unlimited
  std::size_t queue_bytes = 256 * 1024;  // waiting for the line; the rest is dropped
  std::size_t mtu_bytes = 1'500 - 28;    // of UDP payload over IPv4
};

enum class DropReason : std::uint8_t {
  partition,
  loss,
  burst,
  queue,
  mtu,
  no_route,
  host_down,
  receive_buffer
};
[[nodiscard]] std::string_view to_string(DropReason reason);
inline constexpr std::size_t kDropReasons = 8;

class Link {
 public:
  struct Copy {
    Instant arrival;
    bool corrupt = false;
  };
  struct Fate {
    std::optional<DropReason> dropped;
    std::array<Copy, 2> copies{};
    std::size_t count = 0;
    bool reordered = false;
  };

  Link(LinkOptions options, Prng prng) : options_{options}, prng_{prng} {}

  [[nodiscard]] Fate send(Instant now, std::size_t bytes);
  [[nodiscard]] const LinkOptions& options() const { return options_; }
  void set_options(const LinkOptions& options) {
    options_ = options;
    if (options.burst_begin_ppm == 0) in_burst_ = false;  // a link without bursts is in none
  }

 private:
  [[nodiscard]] std::optional<DropReason> lose(Instant now, std::size_t bytes);
  [[nodiscard]] Instant leave_queue(Instant now, std::size_t bytes);
  [[nodiscard]] Copy arrive(Instant sent, bool& reordered);
  [[nodiscard]] Duration up_to(Duration limit);

  LinkOptions options_;
  Prng prng_;
  Instant line_free_;
  Instant last_arrival_;
  bool in_burst_ = false;
};

}  // namespace ethnet::sim
