// What a record says of its node, as a crawl tells it: addresses, what it can do, which chain it is
// on, and which client it is. All texts are printable; a record has 300 bytes, so that none is
// long.
// Threading: values; a FactReader is immutable. Specifications: EIP-778, EIP-2124, EIP-7636.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <types/endpoint.hpp>
#include <types/enr.hpp>
#include <types/fork_id.hpp>

namespace ethnet::crawl {

struct Ports {
  std::uint16_t udp = 0;  // 0: none
  std::uint16_t tcp = 0;
  std::uint16_t quic = 0;
  friend bool operator==(const Ports&, const Ports&) = default;
};

struct Facts {
  std::optional<IpAddress> ip;
  Ports ports;
  std::optional<IpAddress> ip6;
  Ports ports6;
  // The keys of its record that name neither identity nor address, in their order, with a blank
  // between them; a byte that is of no name is a '?'.
  std::string capabilities;
  std::optional<ForkId> fork;
  std::string network;  // "mainnet"; empty: of none that is known
  std::string client;   // "name/version/build"; empty: it does not say
};

class FactReader {
 public:
  FactReader();
  [[nodiscard]] Facts read(const Enr& record) const;

 private:
  std::vector<std::pair<std::string, ForkSchedule>> networks_;
};

}  // namespace ethnet::crawl
