// RequestTracker: which requests are under way, so that a response is judged before it is decoded:
// unsolicited, from another session, of another code, too large, or late. One tracker for each
// protocol machine; it spans that protocol's sessions. No I/O, no callbacks.
//
//   const auto id = TRY(tracker.open(now, {session, kHeaders, 2 << 20, 1024, seconds(5)}));
//   ... the response arrives: its code and request id are read, nothing else ...
//   const auto request = TRY(tracker.accept(session, id, kHeaders, payload.size()));
//   ... decode, refusing more than request.max_items ...
//
// Limits: max_outstanding in total and max_per_session (constructor).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <base/instant.hpp>
#include <base/result.hpp>

#include "capability.hpp"

namespace ethnet::session {

enum class RequestError : std::uint16_t {
  limit = 1,      // open(): too many outstanding
  unsolicited,    // no such request (never sent, answered already, or expired)
  wrong_session,  // asked of another peer
  wrong_code,     // another kind of response than was asked for
  too_large,      // more bytes than the request allows
};
[[nodiscard]] const ErrorDomain& error_domain(RequestError);

struct RequestSpec {
  SessionHandle session;
  std::uint64_t response_code = 0;  // the protocol's message code of the answer
  std::size_t max_bytes = 0;        // of the answer's payload
  std::size_t max_items = 0;        // for the decoder
  Duration timeout;
};

struct PendingRequest {
  std::uint64_t id = 0;
  SessionHandle session;
  std::uint64_t response_code = 0;
  std::size_t max_bytes = 0;
  std::size_t max_items = 0;
  Instant sent;
  Instant deadline;
};

class RequestTracker {
 public:
  RequestTracker(std::size_t max_outstanding, std::size_t max_per_session);

  // The id to put into the request; ids are never used twice. Error: limit.
  [[nodiscard]] Result<std::uint64_t> open(Now now, const RequestSpec& spec);
  // Judges a response by what precedes its body. On success the request is over; on an error
  // nothing changes. Errors: unsolicited, wrong_session, wrong_code, too_large.
  [[nodiscard]] Result<PendingRequest> accept(SessionHandle session, std::uint64_t id,
                                              std::uint64_t code, std::size_t bytes);
  // Forgets a request that could not be sent. False when there is none.
  bool cancel(std::uint64_t id);
  // Ends all requests whose deadline is at or before now, and returns them, earliest first.
  [[nodiscard]] std::vector<PendingRequest> expire(Now now);
  // Ends all requests of a session (it closed), and returns them, lowest id first.
  [[nodiscard]] std::vector<PendingRequest> drop(SessionHandle session);

  [[nodiscard]] const PendingRequest* find(std::uint64_t id) const;
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] std::size_t size() const { return pending_.size(); }
  [[nodiscard]] std::size_t outstanding(SessionHandle session) const;

 private:
  void forget(const PendingRequest& request);

  std::size_t max_outstanding_;
  std::size_t max_per_session_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, PendingRequest> pending_;
  std::set<std::pair<Instant, std::uint64_t>> by_deadline_;
  std::set<std::pair<SessionHandle, std::uint64_t>> by_session_;
};

}  // namespace ethnet::session
