// The newest events of a node, in order, each under a number that is never given twice: its cursor.
// A reader asks for what follows the cursor that it has seen, whenever it likes; it keeps nobody
// waiting, and when it comes back too late it is told how many events it missed.
//
// The node's thread appends and never waits: what is new goes through a queue without locks, and
// the next reader takes it out. Any thread may read; readers wait for each other.
// Reorganisations are kept apart too, so that peers who come and go do not push them out.
// Limits: below.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include <base/instant.hpp>
#include <boost/lockfree/spsc_queue.hpp>
#include <node/events.hpp>

namespace ethnet::observe {

// Readers that are this far behind have a gap: minutes of a busy network, days of a quiet one.
inline constexpr std::size_t kMaxLoggedEvents = 16'384;
// What they hold together: a deep reorganisation takes 32 bytes a block.
inline constexpr std::size_t kMaxLoggedBytes = 16 * 1024 * 1024;
inline constexpr std::size_t kMaxLoggedReorgs = 1'024;
inline constexpr std::size_t kMaxLoggedReorgBytes = 8 * 1024 * 1024;
// Appended, and nobody has looked since; a LogWatcher does at once.
inline constexpr std::size_t kMaxUnreadEvents = 4'096;
// Blocks in one event, so that it fits a message of half a megabyte; more come in parts.
inline constexpr std::size_t kMaxBlocksInEvent = 16'384;

// One event, or one part of a reorganisation that is too large for one.
struct LoggedEvent {
  std::uint64_t cursor = 0;
  UnixTime time;
  node::NodeEvent event;
  // Of a reorganisation.
  std::uint64_t reorg = 0;  // counts from 1
  std::uint32_t part = 0;
  std::uint32_t parts = 1;
  std::uint64_t removed = 0;  // in all parts together
  std::uint64_t added = 0;
};
using LoggedEventPtr = std::shared_ptr<const LoggedEvent>;

class EventLog {
 public:
  struct Next {
    std::uint64_t missed = 0;  // events between the cursor that was named and the one that is given
    LoggedEventPtr event;      // null: nothing is newer
  };
  struct Reorgs {
    std::vector<LoggedEventPtr> newest_first;  // parts of one in their order
    std::uint64_t total = 0;
  };

  EventLog() = default;
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  // The node's thread. What is no event for observers is left out.
  void append(UnixTime time, const node::NodeEvent& event);

  // Any thread.
  [[nodiscard]] Next after(std::uint64_t cursor);
  [[nodiscard]] std::uint64_t newest();
  // Where a reader goes on that has seen `cursor`: there, or at the beginning, since a cursor that
  // was not given yet is of a run before this one.
  [[nodiscard]] std::uint64_t resumed(std::uint64_t cursor);
  // As the last reader left it; these wait for nobody.
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // The newest `most` reorganisations of which the log has every part, in at most `most_bytes` as
  // size_of() counts; the first in any case.
  [[nodiscard]] Reorgs reorgs(std::size_t most, std::size_t most_bytes);

  // Changes with every append() and wake().
  [[nodiscard]] std::uint64_t version() const { return version_; }
  // Until it is not `version` any more.
  void wait(std::uint64_t version) const { version_.wait(version); }
  void wake();

 private:
  // A queue of the newest, bounded in number and bytes.
  struct Window {
    std::deque<LoggedEventPtr> events;
    std::size_t bytes = 0;
    void add(const LoggedEventPtr& event, std::size_t most, std::size_t most_bytes);
  };

  void push(LoggedEvent event);
  void append_reorg(UnixTime time, const node::Reorganised& reorg);

  // Under the lock: what was appended since.
  void take_in();

  // Of the node's thread alone.
  std::uint64_t last_cursor_ = 0;
  std::uint64_t last_reorg_ = 0;

  std::atomic<std::uint64_t> version_{0};
  std::atomic<std::uint64_t> reorg_total_{0};
  std::atomic<std::size_t> size_{0};
  std::atomic<std::size_t> bytes_{0};
  // From the node's thread to whoever holds the lock.
  boost::lockfree::spsc_queue<LoggedEventPtr> incoming_{kMaxUnreadEvents};

  std::mutex mutex_;
  Window all_;
  Window reorgs_;
};

// What an event takes of the limits.
[[nodiscard]] std::size_t size_of(const LoggedEvent& event);

}  // namespace ethnet::observe
