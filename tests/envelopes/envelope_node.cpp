#include "envelope_node.hpp"

#include <fmt/format.h>
#include <transport/quic/null_crypto.hpp>

namespace ethnet::testing {
namespace {

constexpr std::array<std::string_view, kLanes> kNames{"alpha/1", "beta/1", "gamma/2.1"};
constexpr std::size_t kStampBytes = 8 + 1 + 8;  // session, priority, number
constexpr Duration kRedial = milliseconds(700);

const session::Capability& capability(std::size_t lane) {
  static const std::array<session::Capability, kLanes> all{
      session::Capability::parse(kNames[0]).value(), session::Capability::parse(kNames[1]).value(),
      session::Capability::parse(kNames[2]).value()};
  return all.at(lane);
}

// Of which both sides know what it must be.
std::byte filling(std::uint64_t number, std::size_t size) {
  return static_cast<std::byte>(number * 31 + size);
}

}  // namespace

std::uint64_t Traffic::sum(const LaneCounts& counts) {
  std::uint64_t total = 0;
  for (const auto& lane : counts) {
    for (const std::uint64_t n : lane) total += n;
  }
  return total;
}

EnvelopeNode::EnvelopeNode(const sim::HostEnv& env, const Setup& setup, Ledger& ledger)
    : ledger_{ledger},
      host_{env.index},
      setup_{setup},
      prng_{env.prng.split("envelopes")},
      lives_{std::uint64_t{env.incarnation} << 32} {
  quic::EndpointConfig endpoint;
  endpoint.local = {env.local};
  endpoint.stream_window = 48 * 1024;  // little, so that the queues of the session fill too
  endpoint.send_buffer = 32 * 1024;
  auto made = setup.tls ? quic::QuicEndpoint::make(env.now, endpoint, env.rng, env.log)
                        : quic::QuicEndpoint::make(env.now, endpoint, env.rng, env.log,
                                                   quic::make_null_crypto(env.rng, endpoint.alpn));
  CHECK(made.has_value());
  quic_ = std::move(*made);
  session::Config config;
  config.in_budget_messages = 64;
  config.out_budget_messages = 256;
  sessions_ =
      std::make_unique<session::SessionManager>(config, setup_.key, *quic_, env.rng, env.log);
  session::LocalInfo local;
  local.client = "envelopes/1";
  for (std::size_t lane = 0; lane < kLanes; ++lane) local.capabilities.push_back(capability(lane));
  sessions_->set_local(env.now, std::move(local));
  dial_at_ = setup_.dials ? env.now.mono : Instant::never();
  turn_at_ = env.now.mono + seconds(1);
}

void EnvelopeNode::handle_datagrams(Now now, std::span<const Datagram> batch) noexcept {
  quic_->handle_datagrams(now, batch);
  route(now);
}

void EnvelopeNode::handle_job_done(Now now, const JobResult& done) noexcept {
  sessions_->handle_job_done(now, done);
  route(now);
}

void EnvelopeNode::handle_deadline(Now now) noexcept {
  if (quic_->next_deadline() <= now.mono) quic_->handle_deadline(now);
  if (sessions_->next_deadline() <= now.mono) sessions_->handle_deadline(now);
  if (turn_at_ <= now.mono) {
    // It reads most of the time, and otherwise for less than what a session would end for.
    reading_ = !reading_ || ledger_.quiet;
    if (!reading_) ++ledger_.held_back;
    const std::int64_t most = reading_ ? seconds(4).ns : milliseconds(1'500).ns;
    turn_at_ = now.mono + nanoseconds(prng_.between(milliseconds(50).ns, most));
  }
  if (dial_at_ <= now.mono) {
    dial_at_ = Instant::never();
    dialing_ = sessions_->dial(now, setup_.dials(), std::nullopt).has_value();
    if (!dialing_ && !session_) dial_at_ = now.mono + kRedial;
  }
  route(now);
}

Instant EnvelopeNode::next_deadline() const {
  return std::min({quic_->next_deadline(), sessions_->next_deadline(), turn_at_, dial_at_});
}

void EnvelopeNode::route(Now now) {
  bool moved = true;
  while (moved) {
    moved = false;
    while (const auto event = quic_->poll_event()) {
      sessions_->handle_conn_event(now, *event);
      moved = true;
    }
    while (reading_) {
      const auto event = sessions_->poll_event();
      if (!event) break;
      on_event(*event);
      moved = true;
    }
    if (session_ && sessions_->find(*session_) != nullptr) produce(now);
  }
  if (setup_.dials && !session_ && !dialing_ && dial_at_.is_never()) {
    dial_at_ = now.mono + kRedial;
  }
}

void EnvelopeNode::on_event(const session::SessionEvent& event) {
  if (const auto* opened = std::get_if<session::SessionOpened>(&event)) {
    if (session_) say_wrong("two sessions");
    session_ = opened->session;
    our_session_ = ++lives_;
    their_session_.reset();
    blocked_ = {};
    dialing_ = false;
    ledger_.newest.at(host_) = our_session_;
    ++ledger_.sessions;
  } else if (const auto* closed = std::get_if<session::SessionClosed>(&event)) {
    if (session_ == closed->session) session_.reset();
  } else if (const auto* message = std::get_if<session::MessageReceived>(&event)) {
    on_message(*message);
  } else if (const auto* writable = std::get_if<session::SessionWritable>(&event)) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      if (capability(lane) == writable->capability) blocked_.at(lane) = false;
    }
  } else if (std::holds_alternative<session::DialFailed>(event)) {
    dialing_ = false;
  }
}

void EnvelopeNode::on_message(const session::MessageReceived& message) {
  std::size_t lane = 0;
  while (lane < kLanes && capability(lane) != message.capability) ++lane;
  if (lane == kLanes || message.session != session_) return say_wrong("not of this session");
  const ByteView bytes{message.payload};
  if (bytes.size() < kStampBytes) return say_wrong("a piece of an envelope");
  const auto sender_session = load_be<std::uint64_t>(bytes.first(8));
  const auto priority = std::to_integer<std::size_t>(bytes[8]);
  const auto number = load_be<std::uint64_t>(bytes.subspan(9, 8));
  if (priority >= session::kPriorities) return say_wrong("an altered envelope");
  if (their_session_.value_or(sender_session) != sender_session) {
    return say_wrong("an envelope of another session");
  }
  their_session_ = sender_session;
  for (const std::byte b : bytes.subspan(kStampBytes)) {
    if (b != filling(number, bytes.size())) return say_wrong("an altered envelope");
  }
  const auto sender = static_cast<sim::HostId>(other());
  std::uint64_t& expected =
      ledger_.traffic[{sender, sender_session}].received.at(lane).at(priority);
  if (number != expected) {
    return say_wrong(fmt::format("lane {} priority {}: {} came where {} should", lane, priority,
                                 number, expected));
  }
  ++expected;
  ++ledger_.received.at(host_);
}

void EnvelopeNode::produce(Now now) {
  const Traffic& traffic = ledger_.traffic[{static_cast<sim::HostId>(host_), our_session_}];
  for (std::size_t idle = 0; idle < kLanes && !ledger_.quiet;) {
    // Until as many are under way as are still to be received.
    const std::uint64_t there = ledger_.received.at(other());
    if (there + traffic.in_flight() >= ledger_.goal) return;
    const std::size_t lane = prng_.below(kLanes);
    idle = send_one(now, lane) ? 0 : idle + 1;
    if (sessions_->find(*session_) == nullptr) return;
  }
}

bool EnvelopeNode::send_one(Now now, std::size_t lane) {
  if (blocked_.at(lane)) return false;
  const std::uint64_t kind = prng_.below(10'000);
  const std::size_t most = kind == 0 ? 40'000 : kind < 100 ? 2'000 : 120;
  const std::size_t size = kStampBytes + prng_.below(most);
  const std::size_t urgent = prng_.below(20);
  const std::size_t priority = urgent == 0 ? 0 : urgent < 12 ? 1 : 2;
  Traffic& traffic = ledger_.traffic[{static_cast<sim::HostId>(host_), our_session_}];
  std::uint64_t& number = traffic.sent.at(lane).at(priority);
  Bytes bytes;
  bytes.reserve(size);
  append_be(bytes, our_session_);
  bytes.push_back(static_cast<std::byte>(priority));
  append_be(bytes, number);
  bytes.resize(size, filling(number, size));
  const auto sent = sessions_->send(now, *session_, capability(lane),
                                    static_cast<session::Priority>(priority), std::move(bytes));
  if (sent) {
    ++number;
    return true;
  }
  if (sent.error().is(session::SessionError::would_block)) {
    ++ledger_.would_block;
    blocked_.at(lane) = true;
  }
  return false;
}

void EnvelopeNode::say_wrong(std::string what) {
  if (!ledger_.wrong) ledger_.wrong = fmt::format("host {}: {}", host_, what);
}

}  // namespace ethnet::testing
