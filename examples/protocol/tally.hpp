// tally/0.1, a protocol of one's own: two peers count to kLast together. A message is a number, 8
// bytes, big-endian. Who dialled begins with 1; each answers with the next. Another number than the
// next, or another length, is a breach.
//
// A machine without a socket, clock or thread, like those of src/protocol: what happens on a
// session goes in, what is to be sent and what there is to tell comes out.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include <session/capability.hpp>
#include <session/session.hpp>

namespace tally {

inline constexpr std::string_view kCapability = "tally/0.1";
inline constexpr std::size_t kMessageBytes = 8;
inline constexpr std::uint64_t kLast = 10;

// That the session has come to this number, or that its peer broke the rules.
struct Event {
  ethnet::session::SessionHandle session;
  std::uint64_t number = 0;
  bool breach = false;
};

struct Outgoing {
  ethnet::session::SessionHandle session;
  ethnet::Bytes payload;
};

class Tally {
 public:
  void handle_session_opened(ethnet::session::SessionHandle session, bool we_dialled);
  void handle_session_closed(ethnet::session::SessionHandle session);
  void handle_message(ethnet::session::SessionHandle session, ethnet::ByteView payload);
  [[nodiscard]] std::optional<Outgoing> poll_outgoing();
  [[nodiscard]] std::optional<Event> poll_event();

 private:
  void say(ethnet::session::SessionHandle session, std::uint64_t number);

  std::map<ethnet::session::SessionHandle, std::uint64_t> expected_;  // the next of the peer
  std::deque<Outgoing> outgoing_;
  std::deque<Event> events_;
};

}  // namespace tally
