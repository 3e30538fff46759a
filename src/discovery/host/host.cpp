#include "host.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>
#include <discovery/v4/wire/packet.hpp>
#include <discovery/v5/engine/local_record.hpp>

namespace ethnet::discovery {

Host::Host(Now now, HostConfig config, SecureRng& rng, Prng prng)
    : key_{std::move(config.key)},
      local_record_{std::move(config.local_record)},
      table_{local_record_->node_id()},
      filter_{rng},
      keeps_table_{config.keeps_table},
      fixed_{config.fixed},
      now_{now} {
  table_.restrict_to(std::move(config.nets));
  if (config.v4) {
    v4_.emplace(now,
                discv4::EngineConfig{.key = key_,
                                     .local_record = local_record_,
                                     .local = config.local,
                                     .seed = prng.next(),
                                     .filters_addresses = false,
                                     .keeps_table = config.keeps_table},
                table_, filter_, rng);
  }
  if (config.v5) {
    discv5::EngineLimits limits;
    limits.filters_addresses = false;
    v5_.emplace(now, key_, local_record_, table_, filter_, rng, prng, limits);
  }
}

void Host::handle_datagrams(Now now, std::span<const Datagram> batch) noexcept {
  now_ = now;
  for (const Datagram& datagram : batch) {
    ++counters_.datagrams;
    const filter::Admission admission = filter_.admit(now, datagram.remote);
    if (admission == filter::Admission::refused) {
      ++counters_.filtered;
      continue;
    }
    const bool is_v4 = v4_ && discv4::open(datagram.bytes).has_value();
    if (is_v4) {
      v4_->handle_admitted(now, datagram, admission);
    } else if (v5_) {
      v5_->handle_admitted(now, datagram, admission);
    } else {
      ++counters_.no_protocol;
    }
  }
}

void Host::handle_deadline(Now now) noexcept {
  now_ = now;
  if (v4_ && v4_->next_deadline() <= now.mono) v4_->handle_deadline(now);
  if (v5_ && v5_->next_deadline() <= now.mono) v5_->handle_deadline(now);
  const bool unheard = filter_.refused_strangers(now, kbucket::kArrivalWithin);
  while (const auto verdict = reachability_.overdue(now, unheard)) on_verdict(*verdict);
}

void Host::handle_job_done(Now now, const JobResult& done) noexcept {
  now_ = now;
  CHECK(v5_.has_value());
  v5_->handle_job_done(now, done);
}

// In turns, so that a flood of one does not hold up the other.
std::optional<Transmit> Host::poll_transmit(Now now, MutByteView out) {
  for (int i = 0; i < 2; ++i) {
    v4_sends_next_ = !v4_sends_next_;
    if (v4_sends_next_ && v4_) {
      if (auto transmit = v4_->poll_transmit(now, out)) return transmit;
    } else if (!v4_sends_next_ && v5_) {
      if (auto transmit = v5_->poll_transmit(now, out)) return transmit;
    }
  }
  return std::nullopt;
}

std::optional<Event> Host::poll_event() {
  if (auto own = events_.pop()) return own;
  if (v4_) {
    if (auto event = v4_->poll_event()) {
      on_event(*event);
      return Event{std::move(*event)};
    }
  }
  if (v5_) {
    if (auto event = v5_->poll_event()) {
      on_event(*event);
      return Event{std::move(*event)};
    }
  }
  return std::nullopt;
}

std::optional<Job> Host::poll_job() { return v5_ ? v5_->poll_job() : std::nullopt; }

Instant Host::next_deadline() const {
  return std::min({v4_ ? v4_->next_deadline() : Instant::never(),
                   v5_ ? v5_->next_deadline() : Instant::never(), reachability_.next_deadline()});
}

void Host::set_local_record(EnrPtr record) {
  CHECK(record->node_id() == local_record_->node_id());
  local_record_ = std::move(record);
  if (v4_) v4_->set_local_record(local_record_);
  if (v5_) v5_->set_local_record(local_record_);
}

std::optional<std::string_view> Host::exceeded_limit() const {
  if (v4_) {
    if (const auto exceeded = v4_->exceeded_limit()) return exceeded;
  }
  return v5_ ? v5_->exceeded_limit() : std::nullopt;
}

std::size_t Host::held() const {
  return events_.size() + (v4_ ? v4_->held() : 0) + (v5_ ? v5_->held() : 0);
}

void Host::on_event(const discv4::Event& event) {
  if (const auto* const arrival = std::get_if<kbucket::Arrival>(&event))
    return on_arrival(*arrival);
  const auto* const seen = std::get_if<discv4::SeenAs>(&event);
  if (seen == nullptr || !seen->we_chose) return;
  kbucket::IpVote& vote = v5_ ? v5_->vote() : vote_;
  if (const auto own = vote.on_vote(now_, seen->voter.ip, seen->seen)) {
    on_own_address(*own);
  }
}

void Host::on_event(const discv5::Event& event) {
  if (const auto* const own = std::get_if<kbucket::OwnAddress>(&event)) {
    on_own_address(*own);
  } else if (const auto* const arrival = std::get_if<kbucket::Arrival>(&event)) {
    on_arrival(*arrival);
  }
}

// --- does anybody come to the address that our record names? ---

void Host::expect_arrivals(Now now, const Endpoint& ours) noexcept {
  now_ = now;
  if (keeps_table_) reachability_.on_address(now, ours);
}

void Host::on_arrival(const kbucket::Arrival& arrival) {
  reachability_.on_arrival(!arrival.from.ip.is_v4());
}

void Host::on_verdict(const kbucket::AddressVerdict& verdict) {
  if (is_fixed(verdict.endpoint.ip)) return;  // others' word
  if (!verdict.lost) return on_own_address({kbucket::Scope::wan, verdict.endpoint});
  change_record(discv5::record_without(*local_record_, *key_, !verdict.endpoint.ip.is_v4()));
}

bool Host::is_named(const Endpoint& at) const {
  const Enr& record = local_record_->record();
  return (at.ip.is_v4() ? record.endpoint_v4("udp") : record.endpoint_v6("udp")) == at;
}

void Host::on_own_address(const kbucket::OwnAddress& own) {
  if (own.scope < discv5::scope_named(local_record_->record())) {
    ++counters_.addresses_narrower;
    return (v5_ ? v5_->vote() : vote_).refuse(own);
  }
  if (is_fixed(own.endpoint.ip)) {
    if (!is_named(own.endpoint)) ++counters_.addresses_overruled;
    CHECK(events_.push(SeenByPeers{own}));
    return;
  }
  if (own.scope == kbucket::Scope::wan) expect_arrivals(now_, own.endpoint);
  change_record(discv5::record_at(*local_record_, *key_, own.endpoint));
}

void Host::change_record(EnrPtr record) {
  if (!record || !keeps_table_) return;
  ++counters_.records_changed;
  set_local_record(record);
  CHECK(events_.push(RecordChanged{std::move(record)}));
}

}  // namespace ethnet::discovery
