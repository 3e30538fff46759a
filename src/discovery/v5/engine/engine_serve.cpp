// What others ask: answered at once, to the endpoint that asked, which its session has proven.
#include <array>
#include <utility>

#include <discovery/kbucket/scope.hpp>

#include "engine.hpp"

namespace ethnet::discv5 {

using kbucket::may_relay;
using kbucket::scope_of;

// An answer may be longer than its question: only to whom is there, and was lately. Else the
// question is answered by a challenge, which is not, as if its session had gone.
bool Engine::may_ask(Now now, const Endpoint& local, const MessageReceived& received,
                     filter::Admission admission) {
  const Peer& from = received.from;
  // A handshake has paid before it was looked at.
  const bool has_paid = received.established != nullptr;
  if (!has_paid && !filter_.allow(now, from.at, from.id)) return false;
  const bool was_paid_for = admission == filter::Admission::paid;
  if (!was_paid_for && !filter_.allow_request(now, from.at)) return false;
  if (sessions_.is_proven(now, from)) return true;
  ++counters_.proofs_aged;
  on_unreadable(now, local, {from, received.nonce});
  return false;
}

bool Engine::reply(const Endpoint& local, const Peer& to, const Message& message) {
  PacketBuffer plain{};
  const auto size = encode_message(message, MutByteView{plain}.first(kPlainRoom));
  if (!size) return false;
  const auto sealed = sessions_.seal(to, ByteView{plain}.first(*size), out_);
  if (!sealed) return false;
  send(local, to.at, sealed->size);
  return true;
}

void Engine::serve(Now now, const Endpoint& local, const Peer& from, const Ping& ping) {
  ++counters_.pings;
  reply(local, from,
        Pong{.request_id = ping.request_id,
             .enr_seq = local_record_->record().seq(),
             .recipient = from.at});
  note_seq(now, from, ping.enr_seq);
}

// Only nodes that were seen alive and whose address means the same to the asker (attacks 26, 38).
void Engine::serve(Now now, const Endpoint& local, const Peer& from, const FindNode& find) {
  ++counters_.findnodes;
  const kbucket::Scope between = scope_of(from.at.ip);
  std::vector<RecordPtr> kept;  // the views below are of these
  std::vector<ByteView> records;
  std::array<bool, kMaxLogDistance + 1> done{};
  const auto add = [&](ByteView record) {
    if (records.size() < kMaxAnswerRecords) records.push_back(record);
  };
  for (const std::uint16_t distance : find.distances.view()) {
    if (std::exchange(done.at(distance), true) || records.size() == kMaxAnswerRecords) continue;
    if (distance == 0) add(local_record_->record().encoded());
    for (RecordPtr& record : table_.relayable_at(distance)) {
      if (record->id() == from.id) continue;
      if (!may_relay(between, scope_of(record->endpoint().ip))) continue;
      add(record->encoded());
      kept.push_back(std::move(record));
    }
  }
  answer_nodes(now, local, from, find, records);
}

// Beyond what all answers may have together it is empty, and where that were longer than the
// question (which asks for no distance), none.
void Engine::answer_nodes(Now now, const Endpoint& local, const Peer& from, const FindNode& find,
                          std::span<const ByteView> records) {
  const auto bytes_of = [](const std::vector<Nodes>& messages) {
    std::size_t bytes = 0;
    for (const Nodes& message : messages) bytes += encoded_size(message) + kOrdinaryOverhead;
    return bytes;
  };
  const std::size_t asked = encoded_size(find) + kOrdinaryOverhead;
  std::vector<Nodes> answer = pack_nodes(find.request_id, records);
  if (bytes_of(answer) > asked && !filter_.allow_answer(now, bytes_of(answer))) {
    answer = pack_nodes(find.request_id, {});
    if (bytes_of(answer) > asked) return;
  }
  for (const Nodes& message : answer) reply(local, from, message);
}

void Engine::serve(Now now, const Endpoint& local, const Peer& from, const TalkReq& talk) {
  std::string protocol;
  for (const std::byte b : talk.protocol) protocol.push_back(static_cast<char>(b));
  if (!talk_protocols_.contains(protocol)) {
    ++counters_.talks_unknown;
    reply(local, from, TalkResp{talk.request_id, {}});
    return;
  }
  const auto slot = talks_.take(now, from, local, talk.request_id);
  if (!slot) return;
  emit(TalkRequested{.talk = *slot,
                     .from = from.id,
                     .at = from.at,
                     .protocol = std::move(protocol),
                     .request = to_bytes(talk.request)});
}

bool Engine::register_talk(std::string_view protocol) {
  const bool fits =
      talk_protocols_.size() < kMaxTalkProtocols && protocol.size() <= kMaxTalkProtocolBytes;
  if (fits) talk_protocols_.emplace(protocol);
  return fits;
}

bool Engine::answer_talk(Now now, std::uint64_t talk, ByteView response) noexcept {
  talks_.expire(now);
  const TalkSlot* const slot = talks_.find(talk);
  if (slot == nullptr) {
    ++counters_.talk_answers_late;
    return false;
  }
  if (!reply(slot->local, slot->from, TalkResp{slot->request_id, response})) return false;
  talks_.serve(talk);
  return true;
}

}  // namespace ethnet::discv5
