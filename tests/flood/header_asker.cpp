#include "header_asker.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>
#include <crypto/secp256k1.hpp>
#include <protocol/mini_sync/engine.hpp>

namespace ethnet::testing {
namespace {

session::Capability mini_sync_capability() {
  const auto parsed = session::Capability::parse(mini_sync::kCapability);
  CHECK(parsed);
  return *parsed;
}

session::LocalInfo hello(const Genesis& genesis) {
  session::LocalInfo out;
  out.client = "header-asker/1";
  out.capabilities = {mini_sync_capability()};
  out.genesis = genesis.hash;
  out.fork_id = genesis.fork_schedule().fork_id(0, genesis.header.timestamp);
  out.head_hash = genesis.hash;
  return out;
}

}  // namespace

HeaderAsker::HeaderAsker(const sim::HostEnv& env, HeaderAskerOptions options,
                         const Genesis& genesis)
    : options_{options},
      genesis_{genesis},
      rng_{env.rng},
      transport_{transport::MemoryConfig{.local = env.local}, env.rng} {
  take_a_name(env.now);
}

void HeaderAsker::take_a_name(Now now) {
  const auto key = std::make_shared<crypto::SecretKey>(crypto::SecretKey::generate(rng_));
  sessions_ =
      std::make_unique<session::SessionManager>(session::Config{}, key, transport_, rng_, log_);
  sessions_->set_local(now, hello(genesis_));
  session_.reset();
  next_ask_ = Instant::never();
  answers_of_name_ = 0;
}

void HeaderAsker::dial(Now now, const Endpoint& remote) {
  remote_ = remote;
  (void)sessions_->dial(now, remote, std::nullopt);
  route(now);
}

void HeaderAsker::handle_datagrams(Now now, std::span<const Datagram> datagrams) noexcept {
  transport_.handle_datagrams(now, datagrams);
  route(now);
}

void HeaderAsker::handle_deadline(Now now) noexcept {
  if (transport_.next_deadline() <= now.mono) transport_.handle_deadline(now);
  if (sessions_->next_deadline() <= now.mono) sessions_->handle_deadline(now);
  if (next_ask_ <= now.mono) ask(now);
  route(now);
}

void HeaderAsker::handle_job_done(Now now, const JobResult& done) noexcept {
  sessions_->handle_job_done(now, done);
  route(now);
}

Instant HeaderAsker::next_deadline() const {
  return std::min({transport_.next_deadline(), sessions_->next_deadline(), next_ask_});
}

void HeaderAsker::route(Now now) {
  for (bool moved = true; moved;) {
    moved = false;
    while (const auto event = transport_.poll_event()) {
      moved = true;
      sessions_->handle_conn_event(now, *event);
    }
    while (auto event = sessions_->poll_event()) {
      moved = true;
      on_event(now, *std::move(event));
    }
    if (options_.answers_a_name == 0 || answers_of_name_ < options_.answers_a_name) continue;
    moved = true;
    under_way_.clear();
    sessions_->shut_down(now);
    take_a_name(now);
    (void)sessions_->dial(now, remote_, std::nullopt);
  }
}

void HeaderAsker::on_event(Now now, session::SessionEvent event) {
  if (const auto* opened = std::get_if<session::SessionOpened>(&event)) {
    session_ = opened->session;
    ++names_;
    ask(now);
  } else if (std::holds_alternative<session::SessionClosed>(event)) {
    session_.reset();
    next_ask_ = Instant::never();
  } else if (const auto* message = std::get_if<session::MessageReceived>(&event)) {
    if (mini_sync::peek_code(message->payload) != mini_sync::Code::headers) return;
    const auto answer =
        mini_sync::decode_headers(message->payload, mini_sync::kMaxHeadersPerResponse);
    CHECK(answer.has_value());
    const auto asked = under_way_.find(answer->request_id);
    CHECK(asked != under_way_.end());
    answers_.push_back({asked->second, now.mono - asked->second, answer->items.size()});
    headers_ += answer->items.size();
    ++answers_of_name_;
    under_way_.erase(asked);
    if (options_.period == Duration{}) ask(now);
  }
}

void HeaderAsker::ask(Now now) {
  next_ask_ = Instant::never();
  if (!session_) return;
  while (under_way_.size() < options_.at_once) {
    mini_sync::GetHeaders request;
    request.request_id = next_id_++;
    request.locator = {genesis_.hash};
    request.amount = options_.amount;
    under_way_.emplace(request.request_id, now.mono);
    (void)sessions_->send(now, *session_, mini_sync_capability(), session::Priority::normal,
                          mini_sync::encode(request));
  }
  if (options_.period > Duration{}) next_ask_ = now.mono + options_.period;
}

}  // namespace ethnet::testing
