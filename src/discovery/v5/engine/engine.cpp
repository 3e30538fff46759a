// What comes in and goes out.
#include "engine.hpp"

#include <algorithm>
#include <utility>

#include "local_record.hpp"

namespace ethnet::discv5 {

Engine::Engine(Now now, std::shared_ptr<const crypto::SecretKey> key, EnrPtr local_record,
               kbucket::Table& table, filter::Filter& filter, SecureRng& rng, Prng prng,
               const EngineLimits& limits)
    : local_record_{local_record},
      table_{table},
      filter_{filter},
      rng_{rng},
      prng_{prng},
      limits_{limits},
      sessions_{std::move(key), std::move(local_record), rng, limits.sessions},
      calls_{limits.calls},
      talks_{limits.talk_slots},
      asked_{kMaxRecordAskers, IdHash{{rng.next(), rng.next()}}},
      upkeep_{now},
      outgoing_{limits.outgoing} {
  CHECK(table_.self() == sessions_.self());
}

// --- in ---

void Engine::handle_datagrams(Now now, std::span<const Datagram> batch) noexcept {
  for (const Datagram& datagram : batch) handle_datagram(now, datagram);
}

void Engine::handle_datagram(Now now, const Datagram& datagram) {
  using filter::Admission;
  const Admission admission =
      limits_.filters_addresses ? filter_.admit(now, datagram.remote) : Admission::paid;
  if (admission == Admission::refused) {
    ++counters_.datagrams;
    counters_.bytes_in += datagram.bytes.size();
    return;
  }
  handle_admitted(now, datagram, admission);
}

void Engine::handle_admitted(Now now, const Datagram& datagram,
                             filter::Admission admission) noexcept {
  CHECK(admission != filter::Admission::refused);
  ++counters_.datagrams;
  counters_.bytes_in += datagram.bytes.size();
  if (datagram.remote.port == 0 || datagram.remote.ip.is_unspecified()) {
    ++counters_.unanswerable;
    return;
  }
  const auto packet = sessions_.decode(datagram.bytes, in_);
  if (!packet || !may_work_for(now, datagram.remote, *packet)) return;
  const auto received = sessions_.handle_packet(now, datagram.remote, *packet);
  if (!received) return;
  if (const auto* message = std::get_if<MessageReceived>(&*received)) {
    on_message(now, datagram.local, *message, admission);
  } else if (const auto* unreadable = std::get_if<Unreadable>(&*received)) {
    if (admission == filter::Admission::looked_at) {
      ++counters_.looked_at_in_vain;
      return;
    }
    on_unreadable(now, datagram.local, *unreadable);
  } else if (const auto* challenge = std::get_if<ChallengeReceived>(&*received)) {
    on_challenge(now, *challenge);
  }
}

// A handshake that answers a challenge of ours costs four operations on the curve: a record, an id
// signature, an ephemeral key and a shared secret; where there are two challenges, the first two
// twice. Strangers have a budget of their own.
bool Engine::may_work_for(Now now, const Endpoint& remote, const Packet& packet) {
  const auto* const handshake = std::get_if<Handshake>(&packet.header.authdata);
  if (handshake == nullptr) return true;
  const Peer peer{handshake->source, remote};
  const std::size_t tries = sessions_.challenges_of(peer);
  if (tries == 0) return true;  // refused without any of it
  // Who it says to be stands there in clear: the share of those who say so comes before that of
  // all.
  if (!filter_.allow_claim(now, remote, peer.id)) return false;
  const kbucket::TableEntry* known = table_.find_any(peer.id);
  const bool is_known = known != nullptr && known->standing != Standing::claimed &&
                        known->record->endpoint() == remote;
  const bool proven = is_known || sessions_.has_session(peer);
  return filter_.allow_curve_work(now,
                                  proven ? filter::Trust::proven : filter::Trust::discv5_stranger,
                                  tries > 1 ? kSecondTryCost + kHandshakeCost : kHandshakeCost);
}

// The record that we have of it spares it to send its own; one that a Job judged is not kept in
// the form that a handshake needs, and is sent once more.
void Engine::on_unreadable(Now now, const Endpoint& local, const Unreadable& packet) {
  const kbucket::TableEntry* known = table_.find_any(packet.from.id);
  EnrPtr record = known == nullptr ? nullptr : known->record->verified();
  const std::size_t size = sessions_.make_challenge(now, packet, std::move(record), out_);
  send(local, packet.from.at, size);
}

void Engine::on_message(Now now, const Endpoint& local, const MessageReceived& received,
                        filter::Admission admission) {
  const Peer& from = received.from;
  filter_.know(from.at);
  upkeep_.on_heard(now);
  if (received.established != nullptr) {
    on_established(now, from, received.established);
  } else {
    note_heard(now, from);
  }
  const auto message = decode_message(received.plain);
  if (!message) {
    ++counters_.bad_messages;
    return on_bad_message(now, from, received.plain);
  }
  std::visit(
      [&](const auto& m) {
        if constexpr (requires { serve(now, local, from, m); }) {
          if (may_ask(now, local, received, admission)) serve(now, local, from, m);
        } else {
          on_answer(now, from, m);
        }
      },
      *message);
}

// --- out ---

// What stands in out_.
void Engine::send(const Endpoint& local, const Endpoint& remote, std::size_t size) {
  if (outgoing_.full()) {
    ++counters_.outgoing_dropped;
    return;
  }
  outgoing_.push({local, remote, to_bytes(ByteView{out_}.first(size))});
}

std::optional<Transmit> Engine::poll_transmit(Now, MutByteView out) {
  const auto next = outgoing_.pop();
  if (!next) return std::nullopt;
  copy_into(out, next->bytes);
  counters_.bytes_out += next->bytes.size();
  Transmit transmit;
  transmit.local = next->local;
  transmit.remote = next->remote;
  transmit.size = next->bytes.size();
  transmit.segment_size = next->bytes.size();
  return transmit;
}

void Engine::emit(Event event) { static_cast<void>(events_.push(std::move(event))); }

std::optional<Job> Engine::poll_job() {
  std::optional<Job> next;
  if (jobs_.empty()) return next;
  next.emplace(std::move(jobs_.front()));
  jobs_.pop_front();
  return next;
}

// --- time ---

void Engine::handle_deadline(Now now) noexcept {
  sessions_.handle_deadline(now);
  talks_.expire(now);
  while (const auto call = calls_.overdue(now)) handle_overdue(now, *call);
  if (upkeep_.refresh_is_due(now)) {
    upkeep_.refresh(
        now, table_, prng_, [&] { ask_boot_nodes(now); },
        [&](const NodeId& target) { return start_lookup(now, target) != 0; });
  }
  if (upkeep_.revalidation_is_due(now)) revalidate(now);
}

Instant Engine::next_deadline() const {
  return std::min({upkeep_.next_deadline(), calls_.next_deadline(), talks_.next_deadline(),
                   sessions_.next_deadline()});
}

// --- our own record, and limits ---

bool Engine::set_local_record(EnrPtr record) {
  CHECK(record != nullptr);
  if (says_the_same(record->record(), local_record_->record())) return false;
  CHECK(record->record().seq() > local_record_->record().seq());
  local_record_ = record;
  sessions_.set_local_record(std::move(record));
  return true;
}

std::optional<std::string_view> Engine::exceeded_limit() const {
  if (calls_.size() > limits_.calls) return "calls";
  if (talks_.size() > limits_.talk_slots) return "talk slots";
  if (lookups_.size() > limits_.lookups) return "lookups";
  if (judging_records_ > kMaxDiscv5Judging) return "records to judge";
  if (sessions_.sessions() > limits_.sessions.sessions) return "sessions";
  if (sessions_.challenges() > 2 * limits_.sessions.challenges) return "challenges";
  if (boot_nodes_.size() > kMaxDiscv5BootNodes) return "boot nodes";
  return std::nullopt;
}

}  // namespace ethnet::discv5
