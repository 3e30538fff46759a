#include "tally_node.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace tally {

using namespace ethnet;

namespace {

constexpr Duration kRedial = seconds(2);

session::Capability capability(std::string_view literal) {
  auto parsed = session::Capability::parse(literal);
  if (!parsed) throw std::runtime_error(parsed.error().message());
  return *std::move(parsed);
}

std::unique_ptr<quic::QuicEndpoint> make_endpoint(const sim::HostEnv& env) {
  quic::EndpointConfig config;
  config.local = {env.local};
  auto made = quic::QuicEndpoint::make(env.now, config, env.rng, env.log);
  if (!made) throw std::runtime_error(made.error().message());
  return std::move(*made);
}

}  // namespace

TallyNode::TallyNode(const sim::HostEnv& env, const Setup& setup)
    : capability_{capability(kCapability)}, quic_{make_endpoint(env)}, dials_{setup.dials} {
  auto key = std::make_shared<const crypto::SecretKey>(crypto::SecretKey::generate(env.rng));
  sessions_ = std::make_unique<session::SessionManager>(session::Config{}, std::move(key), *quic_,
                                                        env.rng, env.log);
  session::LocalInfo local;
  local.client = "tally-example/0.1";
  for (const std::string& offer : setup.offers) local.capabilities.push_back(capability(offer));
  sessions_->set_local(env.now, std::move(local));
  if (dials_) dial_at_ = env.now.mono;
}

void TallyNode::handle_datagrams(Now now, std::span<const Datagram> batch) noexcept {
  quic_->handle_datagrams(now, batch);
  route(now);
}

void TallyNode::handle_job_done(Now now, const JobResult& done) noexcept {
  sessions_->handle_job_done(now, done);
  route(now);
}

void TallyNode::handle_deadline(Now now) noexcept {
  quic_->handle_deadline(now);
  sessions_->handle_deadline(now);
  if (dial_at_ <= now.mono) {
    dial_at_ = Instant::never();
    if (!sessions_->dial(now, *dials_, std::nullopt)) dial_at_ = now.mono + kRedial;
  }
  route(now);
}

Instant TallyNode::next_deadline() const {
  return std::min({quic_->next_deadline(), sessions_->next_deadline(), dial_at_});
}

std::optional<std::string> TallyNode::poll_event() {
  if (lines_.empty()) return std::nullopt;
  std::string line = std::move(lines_.front());
  lines_.pop_front();
  return line;
}

// Each machine's output is the next one's input, until nothing moves.
void TallyNode::route(Now now) {
  bool moved = true;
  while (std::exchange(moved, false)) {
    while (const auto event = quic_->poll_event()) {
      sessions_->handle_conn_event(now, *event);
      moved = true;
    }
    while (const auto event = sessions_->poll_event()) {
      on_session_event(*event);
      if (std::holds_alternative<session::DialFailed>(*event)) dial_at_ = now.mono + kRedial;
      moved = true;
    }
    while (auto out = tally_.poll_outgoing()) {
      const auto sent = sessions_->send(now, out->session, capability_, session::Priority::normal,
                                        std::move(out->payload));
      if (!sent) lines_.push_back(std::string{"not sent: "} + std::string{sent.error().what()});
      moved = true;
    }
    while (const auto told = tally_.poll_event()) {
      if (told->breach) {
        sessions_->disconnect(now, told->session, session::DisconnectReason::subprotocol_error);
      } else {
        reached_ = told->number;
        lines_.push_back("counts " + std::to_string(told->number));
      }
      moved = true;
    }
  }
}

void TallyNode::on_session_event(const session::SessionEvent& event) {
  if (const auto* opened = std::get_if<session::SessionOpened>(&event)) {
    std::string agreed;
    for (const session::Capability& one : opened->peer.agreed) agreed += " " + one.to_string();
    lines_.push_back("has a session with " + opened->peer.client + ", agreed:" + agreed);
    if (std::ranges::count(opened->peer.agreed, capability_) > 0) {
      tally_.handle_session_opened(opened->session, !opened->peer.inbound);
    }
  } else if (const auto* closed = std::get_if<session::SessionClosed>(&event)) {
    lines_.push_back("lost its session: " + std::string{to_string(closed->reason)});
    tally_.handle_session_closed(closed->session);
  } else if (const auto* message = std::get_if<session::MessageReceived>(&event)) {
    if (message->capability == capability_) {
      tally_.handle_message(message->session, message->payload);
    }
  } else if (const auto* failed = std::get_if<session::DialFailed>(&event)) {
    lines_.push_back("could not connect: " + std::string{to_string(failed->reason)});
  }
}

}  // namespace tally
