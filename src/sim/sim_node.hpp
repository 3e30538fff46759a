// SimNode: a whole node as a machine of one world, so that make_machine_host can build and keep
// the machine in place. Forwards, decides nothing; whoever watches is told of the node's end, be it
// a crash or the end of the world, while its counters can still be read. One thread, the world's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <base/check.hpp>
#include <node/node.hpp>

#include "cost.hpp"

namespace ethnet::sim {

// What an endpoint's counters say of its work (cost.hpp).
[[nodiscard]] inline Work work_of(const quic::Counters& counters) {
  return {.handshakes_begun = counters.accepted + counters.dialled,
          .handshakes_completed = counters.confirmed,
          .tokens = counters.retries_sent + counters.bad_tokens + counters.resets_sent};
}

class SimNode {
 public:
  using OnEnd = std::function<void(const node::Node&)>;

  explicit SimNode(std::unique_ptr<node::Node> node, OnEnd on_end = {})
      : node_{std::move(node)}, on_end_{std::move(on_end)} {
    CHECK(node_ != nullptr);
  }
  SimNode(const SimNode&) = delete;
  SimNode& operator=(const SimNode&) = delete;
  ~SimNode() {
    if (on_end_) on_end_(*node_);
  }

  [[nodiscard]] node::Node& node() { return *node_; }
  [[nodiscard]] const node::Node& node() const { return *node_; }

  void handle_datagrams(Now now, std::span<const Datagram> batch) noexcept {
    node_->handle_datagrams(now, batch);
  }
  void handle_deadline(Now now) noexcept { node_->handle_deadline(now); }
  void handle_job_done(Now now, const JobResult& done) noexcept {
    node_->handle_job_done(now, done);
  }
  void handle_store_done(Now now, const StoreResult& done) noexcept {
    node_->handle_store_done(now, done);
  }
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out) {
    return node_->poll_transmit(now, out);
  }
  [[nodiscard]] std::optional<Job> poll_job() { return node_->poll_job(); }
  [[nodiscard]] std::optional<StoreOp> poll_store() { return node_->poll_store(); }
  [[nodiscard]] std::optional<node::NodeEvent> poll_event() { return node_->poll_event(); }
  [[nodiscard]] Instant next_deadline() const { return node_->next_deadline(); }
  [[nodiscard]] Work work() const {
    Work work;
    if (const quic::QuicEndpoint* const quic = node_->endpoint()) work = work_of(quic->counters());
    work.headers_decoded = node_->sync().counters().headers_received;
    work.lookups = node_->sync().counters().headers_served;
    return work;
  }
  // Not exceeded_limit(), which Checked<> would answer by aborting: a checker asks (it reports).

 private:
  std::unique_ptr<node::Node> node_;
  OnEnd on_end_;
};

}  // namespace ethnet::sim
