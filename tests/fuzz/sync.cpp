// The mini-sync engine by operations: sessions that open and close, peers that answer rightly,
// wrongly, late or not at all, imports and judgements that come back in any order.
#include <set>

#include <protocol/mini_sync/engine.hpp>
#include <protocol/mini_sync/serve.hpp>
#include <protocol/mini_sync/test_chain.hpp>

#include "operations.hpp"
#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

using namespace mini_sync;
using mini_sync::testing::TestChain;

constexpr std::size_t kMaxOperations = 120;
constexpr std::uint32_t kMaxSessions = 6;

// What peers have: a chain longer than ours, a branch of it, a chain of their own.
struct Served {
  Served() {
    const auto fork = chains[0].extend(chains[0].genesis(), 20);
    chains[0].extend(fork, 700);
    const auto same = chains[1].extend(chains[1].genesis(), 20);
    chains[1].extend(same, 30, 5);
    chains[2].extend(chains[2].genesis(), 450, 9);
  }
  std::array<TestChain, 3> chains;
};
const Served& served() {
  static const Served made;
  return made;
}

class SyncRun {
 public:
  explicit SyncRun(std::uint8_t ours) : engine_{chain_, Prng{ours}, log_} {
    chain_.extend(chain_.genesis(), ours % 64);
  }

  void step(Operations& in) {
    const std::uint8_t op = in.byte();
    switch (op % 10) {
      case 0:
        open(in);
        break;
      case 1:
        close(pick(in));
        break;
      case 2:
      case 3:
      case 4:
        answer(in, op);
        break;
      case 5:
        say(in);
        break;
      case 6:
        pass(in.byte());
        break;
      case 7:
        import_one(in);
        break;
      case 8:
        finish_job(in);
        break;
      default:
        poll(in, op);
    }
    drain();
  }

  void finish() {
    while (!open_.empty()) close(*open_.begin());
    drain();
    CHECK(engine_.peer_count() == 0);
    CHECK(engine_.judging_headers() == 0);
    CHECK(engine_.next_deadline().is_never());
    CHECK(!engine_.poll_outgoing());
  }

 private:
  void open(Operations& in) {
    if (open_.size() >= kMaxSessions) return;
    const SessionHandle session{next_++, 1};
    open_.insert(session);
    engine_.handle_session_opened(now_, session, served().chains[in.below(3)].head());
  }
  void close(std::optional<SessionHandle> session) {
    if (!session) return;
    open_.erase(*session);
    asked_.erase(*session);
    engine_.handle_session_closed(now_, *session);
  }
  std::optional<SessionHandle> pick(Operations& in) {
    if (open_.empty()) return std::nullopt;
    return *std::next(open_.begin(), static_cast<std::ptrdiff_t>(in.below(open_.size())));
  }

  // The last request of a session: answered by one of the chains, cut, or with a header changed.
  void answer(Operations& in, std::uint8_t op) {
    const auto session = pick(in);
    if (!session) return;
    const auto asked = asked_.find(*session);
    if (asked == asked_.end()) return;
    Headers response = serve_headers(served().chains[in.below(3)], asked->second);
    if ((op & 0x80) != 0 && !response.items.empty()) {
      HeaderItem& item = response.items[in.below(response.items.size())];
      switch (in.below(4)) {
        case 0:
          item.signature = Bytes(kSignatureBytes, std::byte{1});
          break;
        case 1:
          item.header[in.below(item.header.size())] ^= std::byte{1};
          break;
        case 2:
          response.items.resize(in.below(response.items.size()));
          break;
        default:
          std::swap(item, response.items.front());
      }
    }
    engine_.handle_message(now_, *session, encode(response));
  }
  // Any bytes, or an announcement of a header that somebody has.
  void say(Operations& in) {
    const auto session = pick(in);
    if (!session) return;
    const TestChain& theirs = served().chains[in.below(3)];
    const std::uint8_t kind = in.byte();
    const auto number = theirs.head().number - in.below(64) % (theirs.head().number + 1);
    const chain::BlockRef block{*theirs.canonical_hash(number), number};
    if (kind % 4 == 0) {
      engine_.handle_message(now_, *session, encode(NewBlockHashes{{block}}));
    } else if (kind % 4 == 1) {
      NewBlock message{{to_bytes(theirs.encoded(block.hash)), {}}};
      if (kind > 128) message.item.signature = Bytes(kSignatureBytes, std::byte{2});
      engine_.handle_message(now_, *session, encode(message));
    } else if (kind % 4 == 2) {
      engine_.handle_message(now_, *session,
                             encode(Status{theirs.genesis().hash, theirs.head(), in.byte()}));
    } else {
      engine_.handle_message(now_, *session, in.bytes(in.byte()));
    }
  }
  void pass(std::uint8_t amount) {
    now_.mono = now_.mono + milliseconds(amount * 50);
    engine_.handle_deadline(now_);
    CHECK(engine_.next_deadline() > now_.mono);
  }
  void import_one(Operations& in) {
    if (imports_.empty()) return;
    const std::size_t at = in.below(imports_.size());
    const ImportRequest request = std::move(imports_[at]);
    imports_.erase(imports_.begin() + static_cast<std::ptrdiff_t>(at));
    ImportDone done{.id = request.id};
    const std::uint8_t how = in.byte();
    if (how % 8 == 0) {
      done.invalid_at = 0;
    } else if (how % 8 == 1) {
      done.accepted = false;
    } else {
      for (const CheckedHeader& header : request.headers) {
        if (!chain_.import(header)) done.accepted = false;
      }
    }
    const auto head = chain_.head();
    engine_.handle_import_done(now_, done);
    engine_.handle_block_accepted(now_, head, true);
  }
  void finish_job(Operations& in) {
    if (jobs_.empty()) return;
    const std::size_t at = in.below(jobs_.size());
    Job job = std::move(jobs_[at]);
    jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(at));
    engine_.handle_job_done(now_, {job.id, job.work()});
  }
  // One message goes out, or the session has no room for it.
  void poll(Operations& in, std::uint8_t op) {
    auto out = engine_.poll_outgoing();
    if (!out) return;
    CHECK(open_.contains(out->session));
    if ((op & 0x80) != 0) {
      const SessionHandle session = out->session;
      engine_.handle_send_refused(now_, std::move(*out));
      if (in.byte() % 2 == 0) engine_.handle_writable(now_, session);
      return;
    }
    if (peek_code(out->payload) == Code::get_headers) {
      asked_[out->session] = *decode_get_headers(out->payload);
    }
  }

  void drain() {
    while (auto event = engine_.poll_event()) {
      if (auto* import = std::get_if<ImportRequest>(&*event)) {
        check_import(*import);
        imports_.push_back(std::move(*import));
      } else if (const auto* bad = std::get_if<PeerMisbehaved>(&*event)) {
        CHECK(open_.contains(bad->session));
        close(bad->session);
      }
    }
    while (auto job = engine_.poll_job()) jobs_.push_back(std::move(*job));
    CHECK(imports_.size() <= kMaxPendingImports);
    CHECK(engine_.judging_headers() <= kMaxJudgingHeaders);
    CHECK(engine_.peer_count() == open_.size());
  }
  void check_import(const ImportRequest& import) {
    CHECK(import_ids_.insert(import.id).second);
    CHECK(!import.headers.empty());
    CHECK(import.headers.size() <= kMaxBranchHeaders + kMaxHeadersPerResponse);
    for (std::size_t i = 1; i < import.headers.size(); ++i) {
      CHECK(import.headers[i].parent == import.headers[i - 1].block.hash);
      CHECK(import.headers[i].block.number == import.headers[i - 1].block.number + 1);
    }
  }

  TestChain chain_;
  NullLog log_;
  Engine engine_;
  Now now_{{1'000'000'000}, {}};
  std::uint32_t next_ = 1;
  std::set<SessionHandle> open_;
  std::map<SessionHandle, GetHeaders> asked_;
  std::vector<ImportRequest> imports_;
  std::set<std::uint64_t> import_ids_;
  std::vector<Job> jobs_;
};

}  // namespace

void run_sync_operations(ByteView input) {
  Operations in{input};
  SyncRun run{in.byte()};
  for (std::size_t i = 0; i < kMaxOperations && !in.at_end(); ++i) run.step(in);
  run.finish();
}

}  // namespace ethnet::fuzz
