// The memory of all sessions together: measured after whatever touched one, bounded by shedding.
#include <tuple>

#include "manager.hpp"

namespace ethnet::session {
namespace {

// A session that moved no message for this long has less to lose than a busy one.
constexpr Duration kIdleAfter = seconds(10);

}  // namespace

std::size_t SessionManager::Impl::accounted_bytes(const Entry& entry) {
  std::size_t sum = entry.control.out.size() + entry.control.reader.memory_bytes();
  if (const ActiveSession* active = entry.active()) {
    sum += active->writer.memory_bytes() + active->reader.memory_bytes();
  }
  return sum;
}

std::size_t SessionManager::Impl::memory_bytes(SessionHandle session) const {
  const Entry* const entry = table_.find(session);
  return entry == nullptr ? 0 : accounted_bytes(*entry) + transport_.memory_bytes(entry->conn());
}

void SessionManager::Impl::measure(Entry& entry) {
  charged_bytes_ -= entry.charged_bytes;
  entry.charged_bytes = accounted_bytes(entry) + transport_.memory_bytes(entry.conn());
  charged_bytes_ += entry.charged_bytes;
}

void SessionManager::Impl::measure(transport::ConnHandle conn) {
  if (Entry* const entry = table_.find(conn)) measure(*entry);
}

// A connection's buffers also shrink by themselves, when the peer acknowledges; so before the sum
// has consequences it is taken anew.
void SessionManager::Impl::measure_all() {
  table_.for_each([&](SessionHandle handle, const Entry&) {
    Entry* const entry = table_.find(handle);
    CHECK(entry != nullptr);
    measure(*entry);
  });
}

bool SessionManager::Impl::is_memory_short() {
  const std::size_t most = config_.max_memory_bytes - config_.max_memory_bytes / 8;
  if (charged_bytes_ < most) return false;
  measure_all();
  return charged_bytes_ >= most;
}

void SessionManager::Impl::shed_memory() {
  if (charged_bytes_ <= config_.max_memory_bytes) return;
  measure_all();
  while (charged_bytes_ > config_.max_memory_bytes) {
    const auto victim = next_to_shed();
    CHECK(victim);  // somebody holds an equal share or more
    end(*victim, DisconnectReason::memory_limit, EndedBy::us);
  }
}

// Only those that hold an equal share of the limit or more: ending the others would free little,
// and a greedy peer must not be able to push them out. Of these first what is no session yet, then
// what is idle, then the newest.
std::optional<SessionHandle> SessionManager::Impl::next_to_shed() const {
  if (table_.size() == 0) return std::nullopt;
  const std::size_t share = config_.max_memory_bytes / table_.size();
  std::optional<SessionHandle> first;
  std::tuple<bool, bool, std::uint64_t> most{};
  table_.for_each([&](SessionHandle handle, const Entry& entry) {
    if (entry.charged_bytes < share) return;
    const ActiveSession* const active = entry.active();
    const bool idle = active != nullptr && active->last_message + kIdleAfter <= now_.mono;
    const std::tuple rank{active == nullptr, idle, entry.order()};
    if (first && rank < most) return;
    first = handle;
    most = rank;
  });
  return first;
}

}  // namespace ethnet::session
