#include "desk.hpp"

#include <chrono>
#include <variant>

namespace ethnet::control {
namespace {

// 0: of no run. Those that the node began by itself have numbers for which nobody waits.
std::uint64_t run_of(const node::NodeEvent& event) {
  return std::visit(
      []<class E>(const E& e) -> std::uint64_t {
        if constexpr (requires { e.run; }) {
          return e.run;
        } else {
          return 0;
        }
      },
      event);
}

// Nothing more comes of it.
bool is_last(const node::NodeEvent& event) {
  if (const auto* sampled = std::get_if<node::DataSampled>(&event)) return sampled->done;
  if (const auto* fetched = std::get_if<node::DataFetched>(&event)) return fetched->done;
  return true;
}

}  // namespace

void Desk::close() {
  {
    const std::scoped_lock lock{mutex_};
    closed_ = true;
  }
  changed_.notify_all();
}

void Desk::tell(const node::NodeEvent& event) {
  const auto it = runs_.find(run_of(event));
  if (it == runs_.end()) return;
  const RunPtr run = it->second.lock();
  if (!run || is_last(event)) runs_.erase(it);
  if (!run) return;
  {
    const std::scoped_lock lock{mutex_};
    run->newest = event;
    ++run->told;
  }
  changed_.notify_all();
}

Outcome<Desk::RunPtr> Desk::begin(std::function<Result<std::uint64_t>(node::Node&, Now)> command) {
  const auto run = std::make_shared<Run>();
  // What it leads to is told after this turn at the earliest, on the same thread.
  const auto begun =
      ask<Result<std::uint64_t>>([this, run, give = std::move(command)](node::Node& node, Now now) {
        std::erase_if(runs_, [](const auto& entry) { return entry.second.expired(); });
        auto number = give(node, now);
        if (number) runs_.emplace(*number, run);
        return number;
      });
  if (!begun) return std::unexpected{begun.error()};
  if (!*begun) {
    return std::unexpected{Failure{Trouble::not_possible, std::string{begun->error().what()}}};
  }
  return run;
}

Outcome<node::NodeEvent> Desk::next(Run& run) {
  std::unique_lock lock{mutex_};
  if (auto failure = wait(lock, [&] { return run.told > run.seen; })) {
    return std::unexpected{std::move(*failure)};
  }
  run.seen = run.told;
  return run.newest;
}

std::optional<Failure> Desk::wait(std::unique_lock<std::mutex>& lock,
                                  const std::function<bool()>& ready) {
  const auto over = [&] { return closed_ || ready(); };
  (void)changed_.wait_for(lock, std::chrono::nanoseconds{patience_.ns}, over);
  if (ready()) return std::nullopt;
  if (closed_) return Failure{Trouble::ending, "the node is ending"};
  return Failure{Trouble::silent, "the node does not answer"};
}

}  // namespace ethnet::control
