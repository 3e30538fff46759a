// EchoPeer: asks its peers questions, one at a time, and repeats each with backoff until it is
// answered; answers theirs, computing the answer in a job. The smallest machine with datagrams,
// deadlines, jobs and events: an example to copy, and a test of the simulator.
// Limits: kMaxAnswersInWork jobs; questions above it are dropped and asked again.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <base/prng.hpp>
#include <machine/concepts.hpp>

namespace ethnet::sim::toy {

inline constexpr std::size_t kMaxAnswersInWork = 32;  // answers of the toy that wait

// The right answer to a question.
[[nodiscard]] std::uint64_t answer_to(std::uint64_t question);

struct EchoEvent {
  std::uint64_t serial = 0;  // 1, 2, 3, ... of this peer
  std::uint64_t question = 0;
  std::uint64_t answer = 0;
};
[[nodiscard]] std::string describe(const EchoEvent& event);

enum class EchoBug : std::uint8_t {
  none,
  counts_duplicates,  // takes a second copy of an answer for a new one
};

class EchoPeer {
 public:
  struct Config {
    Endpoint local;
    std::vector<Endpoint> peers;  // whom to ask, in turn
    std::uint64_t questions = 0;  // how many
    EchoBug bug = EchoBug::none;
  };
  EchoPeer(Now now, Config config, Prng prng);

  void handle_datagrams(Now now, std::span<const Datagram> in) noexcept;
  void handle_deadline(Now now) noexcept;
  void handle_job_done(Now now, const JobResult& done) noexcept;
  void set_peers(std::vector<Endpoint> peers) { config_.peers = std::move(peers); }
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out);
  [[nodiscard]] std::optional<EchoEvent> poll_event();
  [[nodiscard]] std::optional<Job> poll_job();
  [[nodiscard]] Instant next_deadline() const { return retry_at_; }

  [[nodiscard]] std::uint64_t answered() const { return answered_; }
  [[nodiscard]] bool done() const { return answered_ >= config_.questions; }

 private:
  struct Packet {
    Endpoint remote;
    Bytes bytes;
  };
  struct Work {
    Endpoint asker;
    std::uint64_t serial = 0;
    std::uint64_t question = 0;
  };
  void ask_next(Now now);
  void ask(Now now);
  void on_question(const Endpoint& from, std::uint64_t serial, std::uint64_t question);
  void on_answer(Now now, std::uint64_t serial, std::uint64_t answer);

  Config config_;
  Prng prng_;
  std::uint64_t answered_ = 0;
  std::uint64_t question_ = 0;
  std::uint32_t attempts_ = 0;
  Instant retry_at_ = Instant::never();
  std::deque<Packet> outbox_;
  std::deque<EchoEvent> events_;
  std::deque<std::uint64_t> new_jobs_;
  std::map<std::uint64_t, Work> work_;
  std::uint64_t next_job_ = 1;
};

}  // namespace ethnet::sim::toy
