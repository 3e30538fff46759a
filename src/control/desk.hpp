// Between the threads on which calls come in and the node's thread: questions are posted to the
// node as turns, and what it answers wakes who waits.
//
//   a call's thread   ask(turn)            posts it, waits for its answer
//                     Run::next()          waits for the newest of what the node tells of a run
//   node's thread     the turn, tell()
//
// One lock for all, held for as long as it takes to copy an answer; the calls are few. close() ends
// every wait, so that no thread is left in one when the node has ended.
// Limits: kMaxControlCalls (control_server.hpp) waits at a time, one answer each.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <base/instant.hpp>
#include <node/events.hpp>
#include <node/node.hpp>

namespace ethnet::control {

enum class Trouble : std::uint8_t {
  refused,       // it makes no sense
  not_possible,  // not now, or not on this node
  ending,
  silent,  // nothing was heard for too long
};
struct Failure {
  Trouble trouble = Trouble::refused;
  std::string what;
};
template <class T>
using Outcome = std::expected<T, Failure>;

class Desk {
 public:
  using Turn = std::function<void(node::Node&, Now)>;
  using Post = std::function<void(Turn)>;

  // `patience`: how long a silence may last.
  explicit Desk(Duration patience = seconds(60)) : patience_{patience} {}
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  // Before the first ask().
  void open(Post post) { post_ = std::move(post); }
  // Every wait ends, now and later. Any thread.
  void close();

  // On the node's thread: what a run of somebody's came to.
  void tell(const node::NodeEvent& event);

  // The newest of what the node told of a run. It is written on the node's thread and read by the
  // call; both hold it.
  struct Run {
    node::NodeEvent newest;
    std::uint64_t told = 0;  // how often
    std::uint64_t seen = 0;
  };
  using RunPtr = std::shared_ptr<Run>;

  // Asks the node's thread. The caller may have given up when the question is put: it must refer to
  // nothing of his.
  template <class T>
  [[nodiscard]] Outcome<T> ask(std::function<T(node::Node&, Now)> question);
  // Begins a run by a command that gives its number.
  [[nodiscard]] Outcome<RunPtr> begin(
      std::function<Result<std::uint64_t>(node::Node&, Now)> command);
  // Waits until the node has told something newer of it than what was seen.
  [[nodiscard]] Outcome<node::NodeEvent> next(Run& run);

 private:
  // Until `ready` says so; the lock is held. Nothing: it is.
  [[nodiscard]] std::optional<Failure> wait(std::unique_lock<std::mutex>& lock,
                                            const std::function<bool()>& ready);

  Duration patience_;
  Post post_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;
  // Of the node's thread alone: whose run it is.
  std::map<std::uint64_t, std::weak_ptr<Run>> runs_;
};

template <class T>
Outcome<T> Desk::ask(std::function<T(node::Node&, Now)> question) {
  const auto answer = std::make_shared<std::optional<T>>();
  post_([this, answer, put = std::move(question)](node::Node& node, Now now) {
    T value = put(node, now);
    {
      const std::scoped_lock lock{mutex_};
      answer->emplace(std::move(value));
    }
    changed_.notify_all();
  });
  std::unique_lock lock{mutex_};
  if (auto failure = wait(lock, [&] { return answer->has_value(); })) {
    return std::unexpected{std::move(*failure)};
  }
  return std::move(**answer);
}

}  // namespace ethnet::control
