#include "dns_sync.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <codec/base64url.hpp>
#include <discovery/dns/client.hpp>
#include <fmt/format.h>
#include <runtime/dns_resolver.hpp>
#include <runtime/os.hpp>

namespace ethnet::app {
namespace {

class Run {
 public:
  Run(const DnsSync& what, const SyncWatcher& watcher)
      : watcher_{watcher},
        resolver_{io_, {.server = what.server, .patience = what.patience, .tries = 3}},
        client_{
            rng_,
            {.walk = dns::Walk::whole, .follow_links = false, .questions_per_second = what.rate}} {
    out_.folder.url = what.link.text();
    const auto added = client_.add_tree(runtime::os_now(), what.link, what.least_seq);
    if (!added) throw std::runtime_error(added.error().message());
  }

  SyncedTree run() {
    drain();
    io_.run();
    if (!done_ || !done_->root) {
      throw std::runtime_error(
          fmt::format("{}: {}", out_.folder.url, failure_.empty() ? "no root" : failure_));
    }
    out_.folder.seq = done_->root->seq;
    out_.folder.signature = base64url::encode(done_->root->signature);
    std::ranges::sort(links_, {}, &dns::LinkFound::path);
    for (dns::LinkFound& one : links_) out_.folder.links.push_back(std::move(one.to));
    out_.skipped = done_->skipped;
    out_.questions = client_.counters().questions;
    return std::move(out_);
  }

 private:
  void drain() {
    while (auto question = client_.poll_question()) {
      resolver_.ask_texts(question->name, [this, id = question->id](runtime::TextAnswer answer) {
        take(id, answer);
        drain();
      });
    }
    while (auto event = client_.poll_event()) {
      std::visit([this](auto& one) { on(one); }, *event);
    }
    watcher_.progress(out_.folder.nodes.size(), client_.counters().questions);
    // A walk that stood for want of room goes on at once.
    const Instant next = client_.next_deadline();
    if (done_ || next.is_never()) {
      timer_.cancel();
      return;
    }
    const Duration left = std::max(next - runtime::os_now().mono, Duration{});
    timer_.expires_after(std::chrono::nanoseconds{left.ns});
    timer_.async_wait([this](boost::system::error_code error) {
      if (error) return;
      client_.handle_deadline(runtime::os_now());
      drain();
    });
  }

  void take(dns::QuestionId id, const runtime::TextAnswer& answer) {
    using runtime::DnsOutcome;
    if (answer.outcome == DnsOutcome::found) {
      client_.handle_answer(runtime::os_now(), id, answer.texts);
    } else {
      last_why_ = answer.why;
      client_.handle_failure(runtime::os_now(), id,
                             answer.outcome == DnsOutcome::not_found ? dns::DnsError::not_found
                                                                     : dns::DnsError::unanswered);
    }
  }

  void on(dns::NodeFound& found) {
    const NodeId id = found.record.node_id();
    out_.folder.nodes.insert_or_assign(id, KnownNode{std::move(found.record), 0, {}, {}, {}});
  }
  void on(dns::LinkFound& found) { links_.push_back(std::move(found)); }
  // Another root may come while one is walked: what the last one says counts.
  void on(const dns::RootChanged& changed) {
    if (changed.records_anew) out_.folder.nodes.clear();
    if (changed.links_anew) links_.clear();
  }
  void on(const dns::EntrySkipped& skipped) { watcher_.skipped(skipped.name, why(skipped.why)); }
  void on(const dns::RootFailed& failed) { failure_ = why(failed.why); }
  void on(const dns::TreeDone& done) { done_ = done; }

  [[nodiscard]] std::string why(const Error& error) const {
    const bool of_resolver =
        error.is(dns::DnsError::unanswered) || error.is(dns::DnsError::not_found);
    if (of_resolver && !last_why_.empty()) return fmt::format("{} ({})", error.what(), last_why_);
    return fmt::format("{}: {}", error.domain(), error.what());
  }

  const SyncWatcher& watcher_;
  boost::asio::io_context io_{1};
  boost::asio::steady_timer timer_{io_};
  runtime::OsEntropy rng_;
  runtime::DnsResolver resolver_;
  dns::Client client_;
  SyncedTree out_;
  std::vector<dns::LinkFound> links_;
  std::optional<dns::TreeDone> done_;
  std::string last_why_;
  std::string failure_;
};

}  // namespace

SyncedTree sync_tree(const DnsSync& what, const SyncWatcher& watcher) {
  return Run{what, watcher}.run();
}

}  // namespace ethnet::app
