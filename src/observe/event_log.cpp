#include "event_log.hpp"

#include <algorithm>
#include <span>
#include <type_traits>
#include <utility>

namespace ethnet::observe {
namespace {

// What an observer is told. The rest is between the node and its runtime, or progress.
bool is_told(const node::NodeEvent& event) {
  if (const auto* sampled = std::get_if<node::DataSampled>(&event)) return sampled->done;
  return std::holds_alternative<node::SessionUp>(event) ||
         std::holds_alternative<node::SessionDown>(event) ||
         std::holds_alternative<node::HeadMoved>(event) ||
         std::holds_alternative<node::ForkSeen>(event);
}

std::size_t text_bytes(const node::NodeEvent& event) {
  return std::visit(
      [](const auto& e) -> std::size_t {
        using E = std::decay_t<decltype(e)>;
        if constexpr (std::is_same_v<E, node::SessionUp>) return e.client.size();
        if constexpr (std::is_same_v<E, node::SessionDown>) return e.reason.size();
        if constexpr (std::is_same_v<E, node::ForkSeen>) return e.cause.size();
        if constexpr (std::is_same_v<E, node::Reorganised>) {
          return e.cause.size() + (e.removed.size() + e.added.size()) * sizeof(Hash32);
        }
        return 0;
      },
      event);
}

// The blocks from `at` on of both segments in a row, at most kMaxBlocksInEvent.
void take_part(const node::Reorganised& whole, std::size_t at, node::Reorganised& part) {
  const auto slice = [&](const std::vector<Hash32>& all, std::size_t from, std::size_t most) {
    const auto rest = std::span{all}.subspan(std::min(from, all.size()));
    const auto taken = rest.first(std::min(most, rest.size()));
    return std::vector<Hash32>(taken.begin(), taken.end());
  };
  part.removed = slice(whole.removed, at, kMaxBlocksInEvent);
  const std::size_t from = at > whole.removed.size() ? at - whole.removed.size() : 0;
  part.added = slice(whole.added, from, kMaxBlocksInEvent - part.removed.size());
}

}  // namespace

std::size_t size_of(const LoggedEvent& event) {
  return sizeof(LoggedEvent) + text_bytes(event.event);
}

void EventLog::Window::add(const LoggedEventPtr& event, std::size_t most, std::size_t most_bytes) {
  events.push_back(event);
  bytes += size_of(*event);
  while (events.size() > most || (bytes > most_bytes && events.size() > 1)) {
    bytes -= size_of(*events.front());
    events.pop_front();
  }
}

void EventLog::append(UnixTime time, const node::NodeEvent& event) {
  if (const auto* reorg = std::get_if<node::Reorganised>(&event)) {
    append_reorg(time, *reorg);
  } else if (is_told(event)) {
    push({.cursor = 0, .time = time, .event = event});
  } else {
    return;
  }
  wake();
}

void EventLog::append_reorg(UnixTime time, const node::Reorganised& reorg) {
  const std::size_t blocks = reorg.removed.size() + reorg.added.size();
  const std::size_t parts =
      std::max<std::size_t>(1, (blocks + kMaxBlocksInEvent - 1) / kMaxBlocksInEvent);
  reorg_total_ = ++last_reorg_;
  for (std::size_t i = 0; i < parts; ++i) {
    node::Reorganised part{.old_head = reorg.old_head,
                           .new_head = reorg.new_head,
                           .fork_point = reorg.fork_point,
                           .height = reorg.height,
                           .removed = {},
                           .added = {},
                           .cause = reorg.cause};
    take_part(reorg, i * kMaxBlocksInEvent, part);
    push({.cursor = 0,
          .time = time,
          .event = std::move(part),
          .reorg = last_reorg_,
          .part = static_cast<std::uint32_t>(i),
          .parts = static_cast<std::uint32_t>(parts),
          .removed = reorg.removed.size(),
          .added = reorg.added.size()});
  }
}

void EventLog::push(LoggedEvent event) {
  event.cursor = ++last_cursor_;
  // Where it is full the event is lost, and its cursor with it: a gap, for every reader.
  (void)incoming_.push(std::make_shared<const LoggedEvent>(std::move(event)));
}

void EventLog::take_in() {
  incoming_.consume_all([this](const LoggedEventPtr& event) {
    all_.add(event, kMaxLoggedEvents, kMaxLoggedBytes);
    if (event->reorg != 0) reorgs_.add(event, kMaxLoggedReorgs, kMaxLoggedReorgBytes);
  });
  size_ = all_.events.size();
  bytes_ = all_.bytes + reorgs_.bytes;
}

EventLog::Next EventLog::after(std::uint64_t cursor) {
  const std::scoped_lock lock{mutex_};
  take_in();
  const auto it = std::ranges::upper_bound(all_.events, cursor, {}, &LoggedEvent::cursor);
  if (it == all_.events.end()) return {};
  return {.missed = (*it)->cursor - cursor - 1, .event = *it};
}

std::uint64_t EventLog::newest() {
  const std::scoped_lock lock{mutex_};
  take_in();
  return all_.events.empty() ? 0 : all_.events.back()->cursor;
}

std::uint64_t EventLog::resumed(std::uint64_t cursor) { return cursor > newest() ? 0 : cursor; }

EventLog::Reorgs EventLog::reorgs(std::size_t most, std::size_t most_bytes) {
  const std::scoped_lock lock{mutex_};
  take_in();
  Reorgs out{.newest_first = {}, .total = reorg_total_};
  std::size_t bytes = 0;
  const auto& events = reorgs_.events;
  std::size_t end = events.size();
  while (end > 0 && most > 0) {
    std::size_t begin = end - 1;
    std::size_t size = size_of(*events[begin]);
    while (begin > 0 && events[begin - 1]->reorg == events[end - 1]->reorg) {
      size += size_of(*events[--begin]);
    }
    const bool whole = end - begin == events[begin]->parts;
    if (whole && bytes + size > most_bytes && !out.newest_first.empty()) break;
    for (std::size_t i = begin; whole && i < end; ++i) out.newest_first.push_back(events[i]);
    bytes += whole ? size : 0;
    most -= whole ? 1 : 0;
    end = begin;
  }
  return out;
}

void EventLog::wake() {
  ++version_;
  version_.notify_all();
}

}  // namespace ethnet::observe
