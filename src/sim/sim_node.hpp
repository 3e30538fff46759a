// SimNode: a node as a machine that a world can hold. Node::make() gives a pointer; a MachineHost
// builds its machine in place. Forwards, decides nothing. One thread, the world's.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <base/check.hpp>
#include <node/node.hpp>

namespace ethnet::sim {

class SimNode {
 public:
  explicit SimNode(std::unique_ptr<node::Node> node) : node_{std::move(node)} {
    CHECK(node_ != nullptr);
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
  [[nodiscard]] std::optional<std::string_view> exceeded_limit() const {
    return node_->sessions().exceeded_limit();
  }

 private:
  std::unique_ptr<node::Node> node_;
};

}  // namespace ethnet::sim
