// Keeps our UDP ports mapped by a gateway that speaks UPnP, for as long as it lives, and tells as
// which. The gateway is asked on a thread of its own, since upnp_gateway.hpp waits for the network;
// what came of it is told on the io_context's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <base/instant.hpp>
#include <boost/asio/io_context.hpp>
#include <types/endpoint.hpp>

#include "upnp_gateway.hpp"

namespace ethnet::runtime {

inline constexpr Duration kUpnpLease = seconds(1'200);  // one renewal may fail
inline constexpr Duration kUpnpRenewal = seconds(600);  // and when a new address is noticed
inline constexpr Duration kUpnpRetry = seconds(300);    // after a round that failed
inline constexpr Duration kUpnpGoodbye = seconds(4);    // for giving the mappings back
inline constexpr Duration kUpnpGoodbyePause = milliseconds(300);  // before it is tried again

struct UpnpMapped {
  IpAddress external;
  std::vector<std::uint16_t> ports;  // external ones, in the order of those that were given
};
struct UpnpFailed {
  std::string why;
};
using UpnpEvent = std::variant<UpnpMapped, UpnpFailed>;

class UpnpMapper {
 public:
  using Handler = std::function<void(const UpnpEvent&)>;

  // `handler` runs on `io`'s thread, never after this is gone. `ports`: ours, UDP; at least one.
  UpnpMapper(boost::asio::io_context& io, UpnpPlace place, std::vector<std::uint16_t> ports,
             Handler handler);
  UpnpMapper(const UpnpMapper&) = delete;
  UpnpMapper& operator=(const UpnpMapper&) = delete;
  // No more mappings, and none is told: what was mapped is given back, in the background.
  void end();
  // Gives back what was mapped last, where the gateway that mapped it says that it is ours still,
  // and asks that one again where it does not take it, until it does or kUpnpGoodbye is over: a
  // mapping without a lease (`map`) stays then, until somebody takes it out of the gateway by hand.
  // Waits for kUpnpGoodbye at most: a gateway that is slower keeps a thread that no longer has to
  // do with us until the process ends.
  ~UpnpMapper();

 private:
  class Rounds;
  std::shared_ptr<Rounds> rounds_;  // shared with its thread
};

}  // namespace ethnet::runtime
