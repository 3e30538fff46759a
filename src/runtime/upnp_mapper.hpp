// Keeps our UDP ports mapped by a gateway that speaks UPnP, for as long as it lives, and tells as
// which. The gateway is asked on a thread of its own, since upnp_gateway.hpp waits for the network;
// what came of it is told on the io_context's thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <base/instant.hpp>
#include <boost/asio/io_context.hpp>
#include <types/endpoint.hpp>

#include "upnp_gateway.hpp"

namespace ethnet::runtime {

inline constexpr Duration kUpnpLease = seconds(1'200);
inline constexpr Duration kUpnpRenewal = seconds(600);  // and when a new address is noticed
inline constexpr Duration kUpnpRetry = seconds(300);    // after a round that failed

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

  // `handler` runs on `io`'s thread, never after this is gone. `ports`: ours, UDP.
  UpnpMapper(boost::asio::io_context& io, UpnpPlace place, std::vector<std::uint16_t> ports,
             Handler handler);
  UpnpMapper(const UpnpMapper&) = delete;
  UpnpMapper& operator=(const UpnpMapper&) = delete;
  // Gives the mappings back. Waits for the request that is under way: seconds, where a gateway has
  // fallen silent.
  ~UpnpMapper();

 private:
  void run(const std::stop_token& stop);
  [[nodiscard]] UpnpEvent map_all();
  void give_all_back();
  void tell(UpnpEvent event);
  void wait(const std::stop_token& stop, Duration time);

  boost::asio::io_context& io_;
  std::shared_ptr<Handler> handler_;
  // Of the thread, from here on.
  std::weak_ptr<Handler> told_{handler_};
  UpnpPlace place_;
  std::vector<std::uint16_t> internal_;
  std::vector<std::uint16_t> external_;  // as mapped last; at first the same
  std::vector<bool> is_mapped_;
  std::unique_ptr<UpnpGateway> gateway_;  // null: to be found
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;  // the last member: it uses the others
};

}  // namespace ethnet::runtime
