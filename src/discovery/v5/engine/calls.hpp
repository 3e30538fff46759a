// Questions that wait for their answers, found by the request id *and* the endpoint, or by the
// nonce of the packet that a WHOAREYOU answers. Book-keeping without messages or time of its own;
// the engine drives it.
//
// With a session the questions of a peer are under way together. Without one the first of them asks
// for the handshake, and the others wait until its answer shows that the session is good at both
// ends (discv5-wire, "Handshake Messages").
// One thread. Limits: kMaxCallsPerPeer, and the capacity.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <base/instant.hpp>
#include <discovery/kbucket/record.hpp>

#include "../session/sessions.hpp"
#include "../wire/message.hpp"
#include "limits.hpp"
#include "nodes_answer.hpp"

namespace ethnet::discv5 {

using kbucket::RecordPtr;
using CallId = std::uint64_t;  // 0: none

enum class CallFor : std::uint8_t { user, lookup, liveness, own_record };

// What is asked, and why.
struct Question {
  CallFor purpose = CallFor::user;
  MessageType answer = MessageType::pong;
  std::vector<std::uint16_t> distances{};  // of FINDNODE
  std::uint64_t lookup = 0;
  std::uint32_t round = 0;  // how often this look-up has asked this node before
  std::uint32_t max_tries = kMaxCallTries;
  bool trusted = false;          // whom the configuration names: no probe of a stranger
  std::optional<Endpoint> at{};  // where it is not where its record says
};

struct Call {
  CallId id = 0;
  RecordPtr to{};
  Endpoint at{};
  Question question{};
  RequestId request_id{};
  Bytes plain{};
  bool sent = false;  // else it waits
  std::uint32_t tries = 0;
  Nonce nonce{};  // of the packet that was sent last
  Instant deadline = Instant::never();
  bool leads = false;        // the handshake; nothing came under its keys yet
  bool challenged = false;   // a WHOAREYOU was answered, for this try
  bool unsolicited = false;  // nothing of the peer's opened the way for it
  NodesAnswer nodes{};

  [[nodiscard]] Peer peer() const { return {to->id(), at}; }
};

class Calls {
 public:
  explicit Calls(std::size_t capacity) : capacity_{capacity} {}

  [[nodiscard]] bool has_room(const Peer& peer) const;
  // CHECK: there is room. Waits, until it is sent.
  Call& add(Call call);
  [[nodiscard]] Call* find(CallId id);
  // The one that this answers: of this peer, with this id, that expects this.
  [[nodiscard]] Call* find_asked(const Peer& from, const RequestId& id, MessageType answer);
  [[nodiscard]] Call* find_by_nonce(const Nonce& nonce);
  // The next of this peer that may be sent now; null when none may.
  [[nodiscard]] Call* next_to_send(const Peer& peer, bool has_session);
  void set_sent(Call& call, const Nonce& nonce, Instant deadline);
  // All others of its peer wait: the peer cannot read them.
  void send_others_again(const Call& leader);
  [[nodiscard]] std::optional<Call> take(CallId id);
  [[nodiscard]] std::optional<CallId> overdue(Now now) const;
  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] std::size_t count(const Peer& peer) const;
  [[nodiscard]] bool asks(const Peer& peer, CallFor purpose) const;
  [[nodiscard]] std::size_t size() const { return calls_.size(); }

 private:
  using Key = std::pair<NodeId, Endpoint>;
  [[nodiscard]] static Key key_of(const Peer& peer) { return {peer.id, peer.at}; }
  [[nodiscard]] const std::vector<CallId>* of(const Peer& peer) const;
  void unset_sent(Call& call);

  std::size_t capacity_;
  CallId next_id_ = 1;
  std::map<CallId, Call> calls_;
  std::map<Key, std::vector<CallId>> by_peer_;  // in the order in which they came
  std::map<Nonce, CallId> by_nonce_;
  std::set<std::pair<Instant, CallId>> deadlines_;
};

}  // namespace ethnet::discv5
