#include "requests.hpp"

namespace ethnet::session {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<RequestError>(code)) {
    case RequestError::limit:
      return "too many requests outstanding";
    case RequestError::unsolicited:
      return "response to no request";
    case RequestError::wrong_session:
      return "response from another session";
    case RequestError::wrong_code:
      return "response of another kind";
    case RequestError::too_large:
      return "response larger than asked for";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"request", describe};

}  // namespace

const ErrorDomain& error_domain(RequestError) { return kDomain; }

RequestTracker::RequestTracker(std::size_t max_outstanding, std::size_t max_per_session)
    : max_outstanding_{max_outstanding}, max_per_session_{max_per_session} {}

Result<std::uint64_t> RequestTracker::open(Now now, const RequestSpec& spec) {
  if (pending_.size() >= max_outstanding_ || outstanding(spec.session) >= max_per_session_) {
    return fail(RequestError::limit);
  }
  const std::uint64_t id = next_id_++;
  const Instant deadline = now.mono + spec.timeout;
  pending_.emplace(id, PendingRequest{id, spec.session, spec.response_code, spec.max_bytes,
                                      spec.max_items, now.mono, deadline});
  by_deadline_.emplace(deadline, id);
  by_session_.emplace(spec.session, id);
  return id;
}

Result<PendingRequest> RequestTracker::accept(SessionHandle session, std::uint64_t id,
                                              std::uint64_t code, std::size_t bytes) {
  const PendingRequest* request = find(id);
  if (request == nullptr) return fail(RequestError::unsolicited);
  if (request->session != session) return fail(RequestError::wrong_session);
  if (request->response_code != code) return fail(RequestError::wrong_code);
  if (bytes > request->max_bytes) return fail(RequestError::too_large);
  const PendingRequest done = *request;
  forget(done);
  return done;
}

bool RequestTracker::cancel(std::uint64_t id) {
  const PendingRequest* request = find(id);
  if (request == nullptr) return false;
  forget(PendingRequest{*request});
  return true;
}

std::vector<PendingRequest> RequestTracker::expire(Now now) {
  std::vector<PendingRequest> expired;
  while (!by_deadline_.empty() && by_deadline_.begin()->first <= now.mono) {
    const PendingRequest* request = find(by_deadline_.begin()->second);
    CHECK(request != nullptr);
    expired.push_back(*request);
    forget(expired.back());
  }
  return expired;
}

std::vector<PendingRequest> RequestTracker::drop(SessionHandle session) {
  std::vector<PendingRequest> dropped;
  for (auto it = by_session_.lower_bound({session, 0});
       it != by_session_.end() && it->first == session;
       it = by_session_.lower_bound({session, 0})) {
    const PendingRequest* request = find(it->second);
    CHECK(request != nullptr);
    dropped.push_back(*request);
    forget(dropped.back());
  }
  return dropped;
}

const PendingRequest* RequestTracker::find(std::uint64_t id) const {
  const auto it = pending_.find(id);
  return it == pending_.end() ? nullptr : &it->second;
}

Instant RequestTracker::next_deadline() const {
  return by_deadline_.empty() ? Instant::never() : by_deadline_.begin()->first;
}

std::size_t RequestTracker::outstanding(SessionHandle session) const {
  std::size_t count = 0;
  for (auto it = by_session_.lower_bound({session, 0});
       it != by_session_.end() && it->first == session; ++it) {
    ++count;
  }
  return count;
}

void RequestTracker::forget(const PendingRequest& request) {
  by_deadline_.erase({request.deadline, request.id});
  by_session_.erase({request.session, request.id});
  pending_.erase(request.id);
}

}  // namespace ethnet::session
