// A gateway that maps ports by UPnP (Internet Gateway Device, UPnP Forum: WANIPConnection:1 and
// :2), by miniupnpc. Every call waits for the network: up to kUpnpSearch for a search, a few
// seconds for each request. What the gateway sends is read by that library as it comes, without a
// bound on its size: one that sends without end has us keep all of it, until the machine has no
// memory left. For networks whose other machines are not enemies. One thread at a time.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include <base/instant.hpp>
#include <types/endpoint.hpp>

namespace ethnet::runtime {

inline constexpr Duration kUpnpSearch = seconds(2);  // answers to a search come within that (MX)
// Other external ports that are tried where the one that is asked for is another host's; a house
// with more nodes than these names its ports itself.
inline constexpr unsigned kUpnpOtherPorts = 8;

struct UpnpPlace {
  std::string description;  // URL of the gateway's description; empty: it is searched for
  std::string local;        // address that the search leaves by; empty: the system's choice
};

// What a gateway does for us, and all that it takes to end it: where it is asked (control URL, type
// of the service), our address towards it, and the ports of both sides.
struct UpnpMapping {
  std::string control;
  std::string service;
  std::string client;
  std::uint16_t internal = 0;
  std::uint16_t external = 0;
};

class UpnpGateway {
 public:
  // Errors here and below: why, in words.
  [[nodiscard]] static std::expected<UpnpGateway, std::string> find(const UpnpPlace& place);
  UpnpGateway(UpnpGateway&&) noexcept;
  UpnpGateway& operator=(UpnpGateway&&) noexcept;
  ~UpnpGateway();

  [[nodiscard]] std::expected<IpAddress, std::string> external_address() const;
  // Our UDP port `internal`, preferably as `external`; the result says as which. For `lease`, or
  // until it is given back where the gateway knows no other mappings.
  [[nodiscard]] std::expected<UpnpMapping, std::string> map(std::uint16_t internal,
                                                            std::uint16_t external, Duration lease);
  // Whether it is ours no more, as that gateway itself says. The port may be another host's by now,
  // where the gateway was started anew: what it does not say is ours is left alone.
  [[nodiscard]] static bool give_back(const UpnpMapping& mapping);

 private:
  struct Device;
  explicit UpnpGateway(std::unique_ptr<Device> device);

  std::unique_ptr<Device> device_;
};

}  // namespace ethnet::runtime
