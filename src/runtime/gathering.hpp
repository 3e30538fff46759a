// Gathering: consecutive datagrams that may leave as one burst (UDP GSO): of one path and one
// length, the last one possibly shorter. It keeps copies, in memory that is there from the start.
// Decides nothing about when they leave: that is the socket's. Limits: kMaxSegments datagrams,
// kMaxGatheredBytes.
#pragma once

#include <cstddef>
#include <memory>

#include <machine/concepts.hpp>

namespace ethnet::runtime {

// What a datagram of IPv4 can carry: the kernel takes no longer burst.
inline constexpr std::size_t kMaxGatheredBytes = 65'507;

class Gathering {
 public:
  Gathering();

  // False when it does not belong behind what is there, or is no single datagram: nothing was
  // taken.
  bool add(const Transmit& transmit, ByteView bytes);
  [[nodiscard]] bool empty() const { return count_ == 0; }
  // All of it, as one Transmit. CHECK: not empty.
  [[nodiscard]] const Transmit& burst() const;
  [[nodiscard]] ByteView bytes() const { return {buffer_.get(), burst_.size}; }
  void clear();

 private:
  [[nodiscard]] bool takes(const Transmit& transmit) const;

  Transmit burst_;
  std::size_t count_ = 0;
  std::unique_ptr<std::byte[]> buffer_;
};

}  // namespace ethnet::runtime
