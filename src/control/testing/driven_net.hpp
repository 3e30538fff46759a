// Nodes in memory that go on while calls from other threads wait for them: the test's thread is the
// node's. For tests.
#pragma once

#include <chrono>
#include <deque>
#include <future>
#include <mutex>
#include <utility>

#include <node/testing/net.hpp>

#include "../desk.hpp"

namespace ethnet::control {

class DrivenNet {
 public:
  // Turns and events of this node; call before a desk is opened with post().
  void serve(node::Box& box, Desk& desk) {
    box_ = &box;
    desk_ = &desk;
  }
  [[nodiscard]] Desk::Post post() {
    return [this](Desk::Turn turn) {
      const std::scoped_lock lock{mutex_};
      turns_.push_back(std::move(turn));
    };
  }
  // Runs `call` on another thread, and the nodes on this one until it has ended.
  template <class Call>
  auto during(Call call) {
    auto done = std::async(std::launch::async, std::move(call));
    while (done.wait_for(std::chrono::milliseconds{1}) != std::future_status::ready) step();
    return done.get();
  }
  // What was posted, a moment of virtual time, and what the node tells.
  void step() {
    while (auto turn = next()) {
      box_->pump->input(net.now_of(*box_), [&](node::Node& n) { (*turn)(n, net.now_of(*box_)); });
    }
    net.run(milliseconds(10));
    for (; told_ < box_->events.size(); ++told_) desk_->tell(box_->events[told_]);
  }

  node::Net net;

 private:
  std::optional<Desk::Turn> next() {
    const std::scoped_lock lock{mutex_};
    if (turns_.empty()) return std::nullopt;
    Desk::Turn turn = std::move(turns_.front());
    turns_.pop_front();
    return turn;
  }

  node::Box* box_ = nullptr;
  Desk* desk_ = nullptr;
  std::size_t told_ = 0;
  std::mutex mutex_;
  std::deque<Desk::Turn> turns_;
};

}  // namespace ethnet::control
