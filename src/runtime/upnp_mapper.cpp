#include "upnp_mapper.hpp"

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <base/check.hpp>
#include <boost/asio/post.hpp>

#include "os.hpp"

namespace ethnet::runtime {
namespace {

// The library sends on sockets that a gateway may have closed.
void block_sigpipe() {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
}

}  // namespace

class UpnpMapper::Rounds {
 public:
  Rounds(boost::asio::io_context& io, UpnpPlace place, std::vector<std::uint16_t> ports,
         Handler handler)
      : io_{&io},
        handler_{std::make_shared<Handler>(std::move(handler))},
        place_{std::move(place)},
        internal_{std::move(ports)},
        external_{internal_},
        mappings_(internal_.size()) {
    CHECK(!internal_.empty());
  }

  // On the thread.
  void run() {
    block_sigpipe();
    while (!is_stopped()) {
      UpnpEvent event = map_all();
      const bool failed = std::holds_alternative<UpnpFailed>(event);
      tell(std::move(event));
      wait(failed ? kUpnpRetry : kUpnpRenewal);
    }
    give_all_back();
    const std::lock_guard lock{mutex_};
    is_over_ = true;
    changed_.notify_all();
  }

  // On the io_context's. Nothing of it is touched by the thread afterwards.
  void end() {
    const std::lock_guard lock{mutex_};
    io_ = nullptr;
    handler_.reset();
    changed_.notify_all();
  }
  void stop() {
    end();
    std::unique_lock lock{mutex_};
    (void)changed_.wait_for(lock, std::chrono::nanoseconds{kUpnpGoodbye.ns},
                            [this] { return is_over_; });
  }

 private:
  [[nodiscard]] bool is_stopped() {
    const std::lock_guard lock{mutex_};
    return io_ == nullptr;
  }
  void wait(Duration time) {
    std::unique_lock lock{mutex_};
    (void)changed_.wait_for(lock, std::chrono::nanoseconds{time.ns},
                            [this] { return io_ == nullptr; });
  }
  void tell(UpnpEvent event) {
    const std::lock_guard lock{mutex_};
    if (io_ == nullptr) return;
    boost::asio::post(*io_, [handler = std::weak_ptr{handler_}, told = std::move(event)] {
      if (const auto alive = handler.lock()) (*alive)(told);
    });
  }
  // Also where the last round failed: what an earlier one mapped may be there for good. Each by the
  // gateway that mapped it: another one would say that it has no such mapping.
  void give_all_back() {
    const Instant until = os_now().mono + kUpnpGoodbye;
    for (;;) {
      bool are_all_back = true;
      for (std::optional<UpnpMapping>& mapping : mappings_) {
        if (mapping && UpnpGateway::give_back(*mapping)) mapping.reset();
        are_all_back = are_all_back && !mapping;
      }
      if (are_all_back || os_now().mono >= until) return;
      pause();
    }
  }
  void pause() {
    std::unique_lock lock{mutex_};
    (void)changed_.wait_for(lock, std::chrono::nanoseconds{kUpnpGoodbyePause.ns},
                            [] { return false; });
  }
  // The gateway is looked for in each round: it may be another one, and our own address too.
  [[nodiscard]] UpnpEvent map_all() {
    auto found = UpnpGateway::find(place_);
    if (!found) return UpnpFailed{found.error()};
    const auto ip = found->external_address();
    if (!ip) return UpnpFailed{ip.error()};
    for (std::size_t i = 0; i < internal_.size(); ++i) {
      // In a gateway of both protocols it would take away what NAT-PMP has mapped to give it back.
      if (is_stopped()) return UpnpFailed{"nobody wants it any more"};
      auto mapping = found->map(internal_[i], external_[i], kUpnpLease);
      if (!mapping) return UpnpFailed{mapping.error()};
      external_[i] = mapping->external;
      mappings_[i] = *std::move(mapping);
    }
    return UpnpMapped{.external = *ip, .ports = external_};
  }

  std::mutex mutex_;  // of the first four
  std::condition_variable changed_;
  boost::asio::io_context* io_;  // null: stopped
  std::shared_ptr<Handler> handler_;
  bool is_over_ = false;
  // Of the thread.
  UpnpPlace place_;
  std::vector<std::uint16_t> internal_;
  std::vector<std::uint16_t> external_;               // as mapped last; at first the same
  std::vector<std::optional<UpnpMapping>> mappings_;  // of these, not given back
};

UpnpMapper::UpnpMapper(boost::asio::io_context& io, UpnpPlace place,
                       std::vector<std::uint16_t> ports, Handler handler)
    : rounds_{
          std::make_shared<Rounds>(io, std::move(place), std::move(ports), std::move(handler))} {
  std::thread{[rounds = rounds_] { rounds->run(); }}.detach();
}

void UpnpMapper::end() { rounds_->end(); }

UpnpMapper::~UpnpMapper() { rounds_->stop(); }

}  // namespace ethnet::runtime
