#include "echo.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>
#include <fmt/format.h>

#include "message.hpp"

namespace ethnet::sim::toy {
namespace {

constexpr std::uint64_t kQuestion = 1;
constexpr std::uint64_t kAnswer = 2;
constexpr Duration kFirstRetry = milliseconds(100);
constexpr Duration kLastRetry = seconds(2);

}  // namespace

std::uint64_t answer_to(std::uint64_t question) { return question * 0x9e3779b97f4a7c15ULL + 1; }

std::string describe(const EchoEvent& event) {
  return fmt::format("answer {} to question {} ({:x})", event.answer, event.serial, event.question);
}

EchoPeer::EchoPeer(Now now, Config config, Prng prng) : config_{std::move(config)}, prng_{prng} {
  CHECK(config_.questions == 0 || !config_.peers.empty());
  ask_next(now);
}

void EchoPeer::ask_next(Now now) {
  attempts_ = 0;
  retry_at_ = Instant::never();
  if (done()) return;
  question_ = prng_.next();
  ask(now);
}

void EchoPeer::ask(Now now) {
  const std::uint64_t serial = answered_ + 1;
  const Endpoint& peer = config_.peers[(serial + attempts_) % config_.peers.size()];
  outbox_.push_back({peer, encode_message({kQuestion, serial, question_})});
  const Duration wait =
      std::min(kFirstRetry * (std::int64_t{1} << std::min(attempts_, 6U)), kLastRetry);
  retry_at_ = now.mono + wait + nanoseconds(prng_.between(0, wait.ns / 4));
  ++attempts_;
}

void EchoPeer::handle_datagrams(Now now, std::span<const Datagram> in) noexcept {
  for (const Datagram& datagram : in) {
    const auto words = decode_message(datagram.bytes);
    if (!words || words->size() != 3) continue;
    if ((*words)[0] == kQuestion) on_question(datagram.remote, (*words)[1], (*words)[2]);
    if ((*words)[0] == kAnswer) on_answer(now, (*words)[1], (*words)[2]);
  }
}

void EchoPeer::on_question(const Endpoint& from, std::uint64_t serial, std::uint64_t question) {
  if (work_.size() >= kMaxAnswersInWork) return;
  const std::uint64_t id = next_job_++;
  work_.emplace(id, Work{from, serial, question});
  new_jobs_.push_back(id);
}

void EchoPeer::on_answer(Now now, std::uint64_t serial, std::uint64_t answer) {
  const bool expected = serial == answered_ + 1 && answer == answer_to(question_);
  const bool taken = expected || (config_.bug == EchoBug::counts_duplicates && serial == answered_);
  if (done() || !taken) return;
  events_.push_back({serial, question_, answer});
  ++answered_;
  ask_next(now);
}

void EchoPeer::handle_deadline(Now now) noexcept {
  if (retry_at_ <= now.mono) ask(now);
}

void EchoPeer::handle_job_done(Now, const JobResult& done) noexcept {
  const auto found = work_.find(done.id);
  if (found == work_.end()) return;
  const Work work = found->second;
  work_.erase(found);
  const auto answer = load_be<std::uint64_t>(done.output);
  outbox_.push_back({work.asker, encode_message({kAnswer, work.serial, answer})});
}

std::optional<Transmit> EchoPeer::poll_transmit(Now, MutByteView out) {
  if (outbox_.empty()) return std::nullopt;
  const Packet packet = std::move(outbox_.front());
  outbox_.pop_front();
  copy_into(out, packet.bytes);
  return Transmit{.local = config_.local,
                  .remote = packet.remote,
                  .size = packet.bytes.size(),
                  .segment_size = packet.bytes.size()};
}

std::optional<EchoEvent> EchoPeer::poll_event() {
  if (events_.empty()) return std::nullopt;
  const EchoEvent event = events_.front();
  events_.pop_front();
  return event;
}

std::optional<Job> EchoPeer::poll_job() {
  if (new_jobs_.empty()) return std::nullopt;
  const std::uint64_t id = new_jobs_.front();
  new_jobs_.pop_front();
  const std::uint64_t question = work_.at(id).question;
  return Job{.id = id, .name = "answer", .work = [question] {
               Bytes out;
               append_be(out, answer_to(question));
               return out;
             }};
}

}  // namespace ethnet::sim::toy
