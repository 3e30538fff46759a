#include "upnp_mapper.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <base/check.hpp>
#include <boost/asio/post.hpp>

namespace ethnet::runtime {

UpnpMapper::UpnpMapper(boost::asio::io_context& io, UpnpPlace place,
                       std::vector<std::uint16_t> ports, Handler handler)
    : io_{io},
      handler_{std::make_shared<Handler>(std::move(handler))},
      place_{std::move(place)},
      internal_{std::move(ports)},
      external_{internal_},
      is_mapped_(internal_.size(), false),
      thread_{[this](const std::stop_token& stop) { run(stop); }} {
  CHECK(!internal_.empty());
}

UpnpMapper::~UpnpMapper() {
  handler_.reset();
  thread_.request_stop();
  thread_.join();
}

void UpnpMapper::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    UpnpEvent event = map_all();
    const bool failed = std::holds_alternative<UpnpFailed>(event);
    if (failed) gateway_.reset();
    tell(std::move(event));
    wait(stop, failed ? kUpnpRetry : kUpnpRenewal);
  }
  give_all_back();
}

UpnpEvent UpnpMapper::map_all() {
  if (gateway_ == nullptr) {
    auto found = UpnpGateway::find(place_);
    if (!found) return UpnpFailed{found.error()};
    gateway_ = std::make_unique<UpnpGateway>(*std::move(found));
  }
  const auto ip = gateway_->external_address();
  if (!ip) return UpnpFailed{ip.error()};
  for (std::size_t i = 0; i < internal_.size(); ++i) {
    const auto port = gateway_->map(internal_[i], external_[i], kUpnpLease);
    if (!port) return UpnpFailed{port.error()};
    external_[i] = *port;
    is_mapped_[i] = true;
  }
  return UpnpMapped{.external = *ip, .ports = external_};
}

void UpnpMapper::give_all_back() {
  if (std::ranges::find(is_mapped_, true) == is_mapped_.end()) return;
  if (gateway_ == nullptr) {  // the last round failed; a mapping may have no end
    if (auto found = UpnpGateway::find(place_)) {
      gateway_ = std::make_unique<UpnpGateway>(*std::move(found));
    }
  }
  if (gateway_ == nullptr) return;
  for (std::size_t i = 0; i < external_.size(); ++i) {
    if (is_mapped_[i]) gateway_->give_back(external_[i]);
  }
}

void UpnpMapper::tell(UpnpEvent event) {
  boost::asio::post(io_, [handler = told_, told = std::move(event)] {
    if (const auto alive = handler.lock()) (*alive)(told);
  });
}

void UpnpMapper::wait(const std::stop_token& stop, Duration time) {
  std::unique_lock lock{mutex_};
  (void)stopped_.wait_for(lock, stop, std::chrono::nanoseconds{time.ns}, [] { return false; });
}

}  // namespace ethnet::runtime
