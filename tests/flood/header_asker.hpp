// HeaderAsker: a peer that asks a node for headers, so many at once and so many requests at a time,
// and notes how long each answer took. Honest or greedy, by its options; one with `answers_a_name`
// leaves after so many answers and comes back under another identity, at once and for ever.
// Sessions over transport/memory; a machine of the contract, one thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <base/log.hpp>
#include <session/session.hpp>
#include <sim/host.hpp>
#include <transport/memory/memory_transport.hpp>
#include <types/genesis.hpp>

namespace ethnet::testing {

struct HeaderAskerOptions {
  std::uint64_t amount = 16;            // headers of each request
  std::size_t at_once = 1;              // requests under way
  Duration period = milliseconds(500);  // between requests; 0: the next follows each answer
  std::size_t answers_a_name = 0;       // 0: it keeps its identity
};

class HeaderAsker {
 public:
  HeaderAsker(const sim::HostEnv& env, HeaderAskerOptions options, const Genesis& genesis);

  // Commands.
  void dial(Now now, const Endpoint& remote);

  // The machine.
  void handle_datagrams(Now now, std::span<const Datagram> datagrams) noexcept;
  void handle_deadline(Now now) noexcept;
  void handle_job_done(Now now, const JobResult& done) noexcept;
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out) {
    return transport_.poll_transmit(now, out);
  }
  [[nodiscard]] std::optional<Job> poll_job() { return sessions_->poll_job(); }
  [[nodiscard]] Instant next_deadline() const;

  struct Answer {
    Instant asked;
    Duration took;
    std::size_t headers = 0;
  };
  [[nodiscard]] const std::vector<Answer>& answers() const { return answers_; }
  [[nodiscard]] std::uint64_t headers() const { return headers_; }
  [[nodiscard]] bool has_session() const { return session_.has_value(); }
  [[nodiscard]] std::size_t unanswered() const { return under_way_.size(); }
  [[nodiscard]] std::size_t names() const { return names_; }  // under which it had a session

 private:
  void route(Now now);
  void on_event(Now now, session::SessionEvent event);
  void ask(Now now);
  void take_a_name(Now now);

  HeaderAskerOptions options_;
  const Genesis& genesis_;
  SecureRng& rng_;
  NullLog log_;
  transport::MemoryTransport transport_;
  std::unique_ptr<session::SessionManager> sessions_;
  Endpoint remote_;
  std::optional<session::SessionHandle> session_;
  std::map<std::uint64_t, Instant> under_way_;
  std::uint64_t next_id_ = 1;
  Instant next_ask_ = Instant::never();
  std::vector<Answer> answers_;
  std::uint64_t headers_ = 0;
  std::size_t names_ = 0;
  std::size_t answers_of_name_ = 0;
};

}  // namespace ethnet::testing
