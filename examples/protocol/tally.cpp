#include "tally.hpp"

#include <utility>

namespace tally {

using ethnet::session::SessionHandle;

void Tally::handle_session_opened(SessionHandle session, bool we_dialled) {
  expected_[session] = we_dialled ? 2 : 1;
  if (we_dialled) say(session, 1);
}

void Tally::handle_session_closed(SessionHandle session) { expected_.erase(session); }

void Tally::handle_message(SessionHandle session, ethnet::ByteView payload) {
  const auto expected = expected_.find(session);
  if (expected == expected_.end()) return;
  if (payload.size() != kMessageBytes ||
      ethnet::load_be<std::uint64_t>(payload) != expected->second) {
    events_.push_back({session, expected->second, true});
    return;
  }
  const std::uint64_t number = expected->second;
  events_.push_back({session, number});
  if (number == kLast) return;
  expected->second += 2;
  say(session, number + 1);
}

std::optional<Outgoing> Tally::poll_outgoing() {
  if (outgoing_.empty()) return std::nullopt;
  Outgoing next = std::move(outgoing_.front());
  outgoing_.pop_front();
  return next;
}

std::optional<Event> Tally::poll_event() {
  if (events_.empty()) return std::nullopt;
  const Event next = events_.front();
  events_.pop_front();
  return next;
}

void Tally::say(SessionHandle session, std::uint64_t number) {
  ethnet::Bytes payload;
  ethnet::append_be(payload, number);
  outgoing_.push_back({session, std::move(payload)});
  events_.push_back({session, number});
}

}  // namespace tally
