// The memory of all sessions together: measured after whatever touched one, bounded by shedding.
#include <tuple>

#include "manager.hpp"

namespace ethnet::session {
namespace {

// A session that moved no message for this long has less to lose than a busy one.
constexpr Duration kIdleAfter = seconds(10);
// So long nobody is let in for want of memory; then the greedy make room.
constexpr Duration kShortAtMost = seconds(10);

}  // namespace

std::size_t SessionManager::Impl::accounted_bytes(const Entry& entry) {
  std::size_t sum = entry.control.out.size() + entry.control.reader.memory_bytes();
  if (entry.handshake) sum += entry.handshake->hello_bytes;
  if (const ActiveSession* active = entry.active()) {
    sum += active->hello_bytes + active->writer.memory_bytes() + active->reader.memory_bytes();
  }
  return sum;
}

// What a Hello left behind.
std::size_t SessionManager::Impl::bytes_of(const PeerInfo& info) {
  std::size_t sum =
      info.client.capacity() + info.enr.capacity() + info.agreed.capacity() * sizeof(Capability);
  for (const Capability& capability : info.agreed) sum += capability.name.capacity();
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

std::size_t SessionManager::Impl::seven_eighths() const {
  return config_.max_memory_bytes - config_.max_memory_bytes / 8;
}

// Where no handshake begins. Whoever keeps the sum there would keep everybody else out, without
// ever reaching the limit: so when it has lasted, those who hold most make room, as at the limit.
// Only for a dial of ours: a stranger must not end a session by coming.
bool SessionManager::Impl::is_memory_short_for_a_dial() {
  if (!is_memory_short()) return false;
  if (short_since_ + kShortAtMost > now_.mono) return true;
  shed_to(seven_eighths() - 1);
  return false;
}

bool SessionManager::Impl::is_memory_short() {
  if (charged_bytes_ < seven_eighths()) return false;
  measure_all();
  watch_shortage();
  return charged_bytes_ >= seven_eighths();
}

// From the first time at seven eighths until it has been below three quarters: a dip on the way
// does not start the time anew.
void SessionManager::Impl::watch_shortage() {
  if (charged_bytes_ < config_.max_memory_bytes - config_.max_memory_bytes / 4) {
    short_since_ = Instant::never();
  } else if (short_since_.is_never() && charged_bytes_ >= seven_eighths()) {
    short_since_ = now_.mono;
  }
}

void SessionManager::Impl::shed_memory() {
  watch_shortage();
  if (charged_bytes_ <= config_.max_memory_bytes) return;
  measure_all();
  shed_to(config_.max_memory_bytes);
}

void SessionManager::Impl::shed_to(std::size_t most) {
  while (charged_bytes_ > most) {
    const auto victim = next_to_shed(most);
    CHECK(victim);  // somebody holds an equal share or more
    end(*victim, DisconnectReason::memory_limit, EndedBy::us);
  }
  watch_shortage();
}

// Only those that hold an equal share of the limit or more: ending the others would free little,
// and a greedy peer must not be able to push them out. Of these first what is no session yet or a
// visit, then what is idle, then the newest.
std::optional<SessionHandle> SessionManager::Impl::next_to_shed(std::size_t most_bytes) const {
  if (table_.size() == 0) return std::nullopt;
  const std::size_t share = most_bytes / table_.size();
  std::optional<SessionHandle> first;
  std::tuple<bool, bool, std::uint64_t> most{};
  table_.for_each([&](SessionHandle handle, const Entry& entry) {
    if (entry.charged_bytes < share) return;
    const ActiveSession* const active = entry.active();
    const bool idle = active != nullptr && active->last_message + kIdleAfter <= now_.mono;
    const std::tuple rank{active == nullptr || entry.is_visit(), idle, entry.order()};
    if (first && rank < most) return;
    first = handle;
    most = rank;
  });
  return first;
}

}  // namespace ethnet::session
